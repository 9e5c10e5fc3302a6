"""Funnel plots: published limits, over-dispersion worked by hand, and flags that agree with the curves."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from collabeval.classical import METHODS, Funnel, fit_funnel, funnel_curves, funnel_limits, funnel_table
from collabeval.classical.limits import between_variance, dispersion
from collabeval.params import Params

POISSON = Funnel("poisson")


def params_of(family="binomial", length="none"):
    measure = {"label": "Events", "family": family, "better": "lower"}
    return Params.model_validate(
        {
            "collaborative": "test", "title": "Test", "edition": "1", "data": {"sites": "s", "outcomes": "o"},
            "measures": {"event": measure}, "sampling": {"seed": 1}, "periods": {"length": length},
        }
    )  # fmt: skip


def panel_of(**columns):
    names = ("numerator", "denominator", "expected", "mean", "sd", "n", "se")
    panel = pd.DataFrame({"measure": "event", **columns})
    panel["site"] = [f"S{i:02d}" for i in range(len(panel))] if "site" not in panel else panel["site"]
    panel["period"] = panel.get("period", "")
    for name in names:
        panel[name] = panel.get(name, np.nan)
        panel[name] = panel[name].astype(float)
    return panel


def simulated_funnel(sites=200, spread=0.0, seed=1, least=5.0):
    generator = np.random.default_rng(seed)
    expected = generator.uniform(least, 200, sites)
    observed = generator.poisson(expected * np.exp(generator.normal(0, spread, sites))) if spread else (
        generator.poisson(expected)
    )  # fmt: skip
    return pd.DataFrame({"observed": observed, "expected": expected, "denominator": expected * 20})


def test_published_poisson_limits():
    """95 % limits of the ratio at 15, 20 and 30 expected events, as published for the standardised ratio funnel."""
    lower, upper = funnel_limits([15, 20, 30], POISSON, 0.95)
    assert lower == pytest.approx([0.5596924, 0.6108260, 0.6746958], abs=5e-8)
    assert upper == pytest.approx([1.649348, 1.544419, 1.427562], abs=5e-7)


def test_poisson_limits_are_the_exact_interval_of_a_count():
    """At a whole number of expected events the limits are the Garwood interval of that count, divided by it."""
    lower, upper = funnel_limits([12.0], POISSON, 0.998)
    assert stats.poisson.sf(11, lower[0] * 12) == pytest.approx(0.001)
    assert stats.poisson.cdf(12, upper[0] * 12) == pytest.approx(0.001)


def test_binomial_limits_are_the_clopper_pearson_interval_of_a_count():
    lower, upper = funnel_limits([12.0], Funnel("binomial", proportion=0.3), 0.95)
    interval = stats.binomtest(12, 40).proportion_ci(0.95, method="exact")
    assert [lower[0] * 0.3, upper[0] * 0.3] == pytest.approx([interval.low, interval.high])


def test_binomial_limits_of_rare_events_are_poisson_limits():
    size = np.array([8.0, 40.0, 300.0])
    rare = funnel_limits(size, Funnel("binomial", proportion=1e-7), 0.998)
    np.testing.assert_allclose(rare, funnel_limits(size, POISSON, 0.998), rtol=1e-5)


def test_no_events_are_flagged_only_where_none_would_be_rare():
    """exp(−3.69) = 0.025 and exp(−6.91) = 0.001: below these, a site without a single event is no signal."""
    below, above = funnel_limits([3.68, 3.70], POISSON, 0.95)[0]
    assert below == 0
    assert above > 0
    assert funnel_limits([6.90, 6.92], POISSON, 0.998, "additive")[0].tolist() == [0, pytest.approx(0.309, abs=0.001)]


def test_perfect_adherence_on_few_cases_is_no_signal():
    """Ten of ten where 95 % is usual: the upper limit is 10/9.5, reached and not exceeded."""
    panel = panel_of(numerator=[10, 850, 855, 850], denominator=[10, 895, 900, 895])
    flags = funnel_table(params_of(), panel).set_index(["method", "site"])["flag"]
    assert [flags[method, "S00"] for method in METHODS] == ["", "", ""]


def test_additive_over_dispersion_by_hand():
    """Ten sites of 100 expected events: z = 10·log(O/E); the lowest and the highest are dropped, eight are left.

    τ² = (Σz² − 7) / (800 − 8·100²/800) = (Σz² − 7)/700, and the limits are exp(±z√(1/100 + τ²)).
    """
    observed = np.array([60, 80, 85, 90, 95, 105, 110, 115, 120, 160])
    rows = pd.DataFrame({"observed": observed, "expected": 100.0, "denominator": 1000.0})
    funnel = fit_funnel(rows, "poisson")
    kept = 10 * np.log(observed[1:-1] / 100)
    assert funnel.between_variance == pytest.approx((np.sum(kept**2) - 7) / 700)
    lower, upper = funnel_limits([100.0], funnel, 0.998, "additive")
    spread = 3.090232 * np.sqrt(0.01 + funnel.between_variance)
    assert [lower[0], upper[0]] == pytest.approx([np.exp(-spread), np.exp(spread)])


def test_multiplicative_over_dispersion_by_hand():
    """z = 2(√O − √E), the outer tenths pulled in, φ their mean square; limits (1 ± z√φ/(2√E))²."""
    observed = np.array([60, 80, 85, 90, 95, 105, 110, 115, 120, 160])
    rows = pd.DataFrame({"observed": observed, "expected": 100.0, "denominator": 1000.0})
    funnel = fit_funnel(rows, "poisson")
    z = 2 * (np.sqrt(observed) - 10)
    low, high = np.quantile(z, [0.1, 0.9])
    phi = np.mean(np.clip(z, low, high) ** 2)
    assert funnel.dispersion == pytest.approx(phi)
    lower, upper = funnel_limits([100.0], funnel, 0.95, "multiplicative")
    assert [lower[0], upper[0]] == pytest.approx(
        [(1 - 1.959964 * phi**0.5 / 20) ** 2, (1 + 1.959964 * phi**0.5 / 20) ** 2]
    )


def test_pure_chance_has_no_over_dispersion_and_a_known_spread_is_found():
    assert fit_funnel(simulated_funnel(), "poisson").between_variance < 0.002
    # the extreme fifth of the sites is left out, so the estimate is well below the true 0.04, by design
    assert 0.004 < fit_funnel(simulated_funnel(spread=0.2), "poisson").between_variance < 0.04


def test_sites_without_events_do_not_break_the_over_dispersion():
    rows = simulated_funnel(sites=60, spread=0.3, seed=3)
    silent = rows.assign(observed=rows["observed"].where(rows.index >= 12, 0))
    funnel = fit_funnel(silent, "poisson")
    assert np.isfinite([funnel.between_variance, funnel.dispersion]).all()


def test_two_sites_or_none_left_give_no_over_dispersion():
    assert between_variance(np.array([-3.0, 3.0]), np.array([0.1, 0.1])) == 0
    assert between_variance(np.full(5, -np.inf), np.full(5, 0.1)) == 0
    assert dispersion(np.array([np.nan, 1.0])) == 1


@pytest.mark.parametrize("method", METHODS)
def test_flags_are_wrong_about_as_often_as_they_say(method):
    """Sites that differ by chance alone: about 5 % outside the 95 % limits, 0.2 % outside the 99.8 % limits."""
    rows = simulated_funnel(sites=4000, seed=2, least=30)
    panel = panel_of(numerator=rows["observed"], denominator=rows["expected"], expected=rows["expected"])
    table = funnel_table(params_of("poisson"), panel)
    flags = table.loc[table["method"] == method, "flag"]
    assert 0.03 < (flags != "").mean() < 0.06
    assert flags.str.endswith("998").mean() < 0.004


@pytest.mark.parametrize("family", ["binomial", "poisson", "normal"])
def test_curves_and_flags_come_from_the_same_limits(family):
    generator = np.random.default_rng(5)
    cases = generator.integers(20, 900, 40).astype(float)
    if family == "normal":
        panel = panel_of(mean=generator.normal(6, 0.3, 40), sd=np.full(40, 3.0), n=cases)
    else:
        panel = panel_of(numerator=generator.binomial(cases.astype(int), 0.2), denominator=cases)
    params = params_of(family)
    table, curves = funnel_table(params, panel), funnel_curves(params, panel, "event")
    size = "denominator" if family == "normal" else "expected"
    for method, lower, upper in [("exact", "lower_998", "upper_998"), ("additive", "lower_od", "upper_od")]:
        rows = table[table["method"] == method].sort_values(size)
        inside = rows[size].between(curves["expected"].iloc[0], curves["expected"].iloc[-1])
        assert inside.all()
        for column, curve in [("lower_998", lower), ("upper_998", upper)]:
            drawn = np.interp(rows[size], curves["expected"], curves[curve])
            np.testing.assert_allclose(drawn, rows[column], rtol=0.02, atol=0.02)


def test_only_the_current_window_counts_and_a_window_is_summed():
    panel = panel_of(
        site=["A", "A", "A", "B", "B", "B"], period=["2017", "2018", "2019"] * 2, numerator=[90, 4, 6, 90, 1, 1],
        denominator=[100, 50, 50, 100, 40, 60],
    )  # fmt: skip
    params = params_of(length="year").model_copy(
        update={"periods": params_of(length="year").periods.model_copy(update={"current": ("2018", "2019")})}
    )
    table = funnel_table(params, panel).query("method == 'exact'").set_index("site")
    assert table.loc["A", ["observed", "expected", "denominator", "period"]].tolist() == [10, 6, 100, "2018/2019"]
    assert table.loc["B", ["observed", "expected"]].tolist() == [2, 6]


def test_an_expectation_from_outside_is_used_as_it_is():
    panel = panel_of(numerator=[10, 20], denominator=[100, 100], expected=[12.5, 14.0])
    table = funnel_table(params_of(), panel)
    assert table["expected"].tolist() == [12.5, 14.0] * 3


def test_means_use_the_pooled_spread_of_cases():
    """Two sites of 100 with sd 3 and 5: pooled sd √17; limits 1.96·√17/10 around the mean of all 200 cases."""
    panel = panel_of(mean=[5.0, 7.0], sd=[3.0, 5.0], n=[100, 100])
    table = funnel_table(params_of("normal"), panel).query("method == 'exact'")
    assert table["centre"].tolist() == [6.0, 6.0]
    assert table["upper_95"].tolist() == pytest.approx([6 + 1.959964 * 17**0.5 / 10] * 2)
    assert table["flag"].tolist() == ["below_95", "above_95"]


def test_means_with_a_known_error_use_it():
    panel = panel_of(mean=[5.0, 7.0], se=[0.5, 0.25])
    table = funnel_table(params_of("normal"), panel).query("method == 'exact'")
    assert table["centre"].iloc[0] == pytest.approx((5 * 4 + 7 * 16) / 20)
    half = (table["upper_95"] - table["centre"]).tolist()
    assert half == pytest.approx([1.959964 * 0.5, 1.959964 * 0.25])


@pytest.mark.parametrize("events", [0, 50])
def test_nothing_or_everything_happening_everywhere_flags_nobody(events):
    panel = panel_of(numerator=[events] * 4, denominator=[50] * 4)
    assert set(funnel_table(params_of(), panel)["flag"]) == {""}
    funnel_curves(params_of(), panel, "event")


@given(st.floats(0.5, 5000), st.floats(0.001, 0.95), st.floats(0, 0.5), st.floats(1, 6))
def test_limits_enclose_the_average_and_widen_with_coverage_and_spread(expected, proportion, spread, phi):
    funnel = Funnel("binomial", proportion=proportion, between_variance=spread, dispersion=phi)
    for method in METHODS:
        low_95, high_95 = (limit.item() for limit in funnel_limits(expected, funnel, 0.95, method))
        low_998, high_998 = (limit.item() for limit in funnel_limits(expected, funnel, 0.998, method))
        assert low_998 <= low_95 <= 1 <= high_95 * (1 + 1e-12)
        assert high_95 <= high_998 * (1 + 1e-12)

"""Every estimand about a site, by hand on tiny examples."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from collabeval import estimates
from collabeval.convergence import Mixing
from collabeval.diagnostics.sampling import effective
from collabeval.errors import CollabevalError
from collabeval.estimates.summaries import Drawn, summarise
from draws_for_tests import CHAINS, SIZE, Draws, evaluate, panel_of, params, spread, value


def test_rates_and_ratios_of_two_sites_in_one_window():
    panel = panel_of([{"site": "a", "denominator": 100.0}, {"site": "b", "denominator": 300.0}])
    table = evaluate(params(length="none"), Draws(panel, intercept=-2.0, level={"a": 0.5, "b": -0.2}))
    a, b, typical = expit(-1.5), expit(-2.2), expit(-2.0)
    overall = (100 * a + 300 * b) / 400
    assert value(table, "rate", "a") == pytest.approx(100 * a)
    assert value(table, "standardised_rate", "b") == pytest.approx(100 * b)
    assert value(table, "predicted_expected_ratio", "a") == pytest.approx(a / typical)
    assert value(table, "observed_expected_ratio", "a") == pytest.approx(a / overall)
    assert value(table, "indirect_rate", "b") == pytest.approx(100 * b / typical * overall)
    assert value(table, "site_effect", "a") == pytest.approx(0.5 - (0.5 - 0.2) / 2)


def test_against_the_average_is_the_rate_over_that_at_the_mean_effect_and_agrees_with_better():
    panel = panel_of([{"site": "a"}, {"site": "b", "denominator": 300.0}])
    level = spread(-0.1, 0.3)
    draws = Draws(panel, intercept=-2.0, level={"a": level})
    table = evaluate(params(length="none"), draws)
    ratio = expit(-2 + level) / expit(-2 + level / 2)
    assert value(table, "against_average", "a") == pytest.approx(ratio.mean())
    chances = estimates.evaluate_sites(params(length="none"), panel, {"m": draws.tree()}).probabilities
    better = chances.query("event == 'better' and site == 'a'")["probability"].iloc[0]
    assert better == (ratio < 1).mean()


def test_the_registry_s_expectation_is_the_denominator_of_the_ratio_and_the_case_mix_of_the_standard():
    panel = panel_of(
        [
            {"site": "a", "denominator": 100.0, "expected": 10.0},
            {"site": "b", "denominator": 300.0, "expected": 60.0},
        ]
    )
    table = evaluate(params(length="none"), Draws(panel, intercept=0.1, level={"a": 0.4, "b": 0.0}))
    odds = {"a": np.log(10 / 90), "b": np.log(60 / 240)}
    assert value(table, "observed_expected_ratio", "a") == pytest.approx(100 * expit(odds["a"] + 0.5) / 10)
    both = (100 * expit(odds["a"] + 0.5) + 300 * expit(odds["b"] + 0.5)) / 400
    assert value(table, "standardised_rate", "a") == pytest.approx(100 * both, rel=1e-8)
    typical = 100 * expit(odds["a"] + 0.1)
    assert value(table, "predicted_expected_ratio", "a") == pytest.approx(100 * expit(odds["a"] + 0.5) / typical)


def test_the_tabulated_standard_is_the_sum_over_every_cell():
    random = np.random.default_rng(3)
    cases = random.integers(20, 200, 40).astype(float)
    rows = [
        {"site": f"s{i:02d}", "denominator": n, "expected": n * share}
        for i, (n, share) in enumerate(zip(cases, random.uniform(0.002, 0.6, 40), strict=True))
    ]
    panel = panel_of(rows)
    level = {row["site"]: random.normal(0, 0.8, SIZE) for row in rows}
    intercept = random.normal(0, 0.2, SIZE)
    draws = Draws(panel, intercept=intercept, level=level)
    table = evaluate(params(length="none"), draws)
    predictor = (intercept + level["s07"])[:, None] + draws._offset()[None, :]
    by_hand = 100 * (expit(predictor) @ cases) / cases.sum()
    for column, wanted in {"mean": by_hand.mean(), "q975": np.quantile(by_hand, 0.975)}.items():
        assert value(table, "standardised_rate", "s07", column=column) == pytest.approx(wanted, rel=1e-7)


def test_each_draw_is_transformed_before_it_is_summarised():
    panel = panel_of([{"site": "a"}, {"site": "b"}])
    level = spread(0.3, 0.6)
    table = evaluate(params(length="none"), Draws(panel, intercept=-2.0, level={"a": level}))
    rate = 100 * expit(level - 2)
    expected = {
        "mean": rate.mean(), "sd": rate.std(ddof=1), "q025": np.quantile(rate, 0.025), "q25": np.quantile(rate, 0.25),
        "q50": np.median(rate), "q75": np.quantile(rate, 0.75), "q975": np.quantile(rate, 0.975),
    }  # fmt: skip
    for column, wanted in expected.items():
        assert value(table, "rate", "a", column=column) == pytest.approx(wanted)
    assert value(table, "rate", "a", column="rhat") == pytest.approx(1, abs=0.02)
    assert value(table, "rate", "a", column="ess_bulk") > 500
    assert np.isnan(value(table, "rate", "b", column="rhat")), "a constant has no R-hat"


def test_an_effect_in_a_window_is_the_denominator_weighted_mean_over_its_periods():
    rows = [
        {"site": "a", "period": "2001", "denominator": 100.0},
        {"site": "a", "period": "2002", "denominator": 300.0},
        {"site": "b", "period": "2001"},
        {"site": "b", "period": "2002"},
    ]
    panel = panel_of(rows)
    extra = np.tile([0.4, -0.2, 0.0, 0.0], (SIZE, 1))
    slope = {"a": 0.1, "b": 0.0}
    draws = Draws(
        panel, level={"a": 0.5}, slope=slope, overdispersion=extra,
        hyperparameters={"site_sd": 0.4, "trajectory_sd": 0.1, "site_correlation": 0.2, "overdispersion_sd": 0.3},
    )  # fmt: skip
    table = evaluate(params(periods={"current": ("2001", "2002")}), draws)
    mean_time = 400 / 600
    a = 0.5 + 0.1 * (0.75 - mean_time) + (100 * 0.4 + 300 * -0.2) / 400
    assert value(table, "site_effect", "a", "2001/2002") == pytest.approx(a - a / 2)
    assert value(table, "standardised_rate", "a", "2001/2002") == pytest.approx(100 * expit(a))
    predicted = 100 * expit(0.9 - 0.1 * mean_time) + 300 * expit(0.3 + 0.1 * (1 - mean_time))
    assert value(table, "rate", "a", "2001/2002") == pytest.approx(100 * predicted / 400)


def test_differences_are_from_the_mean_of_the_eligible_sites_and_only_they_are_ranked():
    panel = panel_of([{"site": "a"}, {"site": "b"}, {"site": "c", "denominator": 9.0}])
    settings = params({"minimum_denominator": 10}, length="none", rules={"minimum_reliability": 0.0})
    table = evaluate(settings, Draws(panel, level={"a": 1.0, "b": 0.0, "c": 5.0}))
    assert [value(table, "site_effect", site) for site in "abc"] == pytest.approx([0.5, -0.5, 4.5])
    ranked = table[table["estimand"].eq("rank")]
    assert dict(zip(ranked["site"], ranked["mean"], strict=True)) == {"a": 2.0, "b": 1.0}
    assert value(table, "percentile", "b") == pytest.approx(100 * 0.5 / 2)


def test_an_unreliable_site_keeps_its_place_in_the_ranking_of_others_but_has_no_rank_itself():
    panel = panel_of([{"site": site} for site in "abc"])
    level = {"a": spread(-1, 0.1, 1), "b": spread(-2, 0.39, 2), "c": spread(0, 0.1, 3)}
    table = evaluate(params(length="none"), Draws(panel, level=level, hyperparameters={"site_sd": 0.4}))
    assert value(table, "reliability", "b") == pytest.approx(1 - 0.39**2 / 0.4**2)
    ranked = table[table["estimand"].eq("rank")].set_index("site")["mean"]
    assert list(ranked.index) == ["a", "c"]
    assert ranked["c"] > 2.9, "third of three"


def test_poisson_counts_exposure_or_the_expected_number():
    rows = [{"site": "a", "denominator": 200.0}, {"site": "b", "denominator": 400.0}]
    settings = params({"family": "poisson", "per": 1000}, length="none")
    plain = evaluate(settings, Draws(panel_of(rows), "poisson", intercept=-5.0, level={"a": 0.7}))
    assert value(plain, "rate", "a") == pytest.approx(1000 * np.exp(-4.3))
    overall = (200 * np.exp(-4.3) + 400 * np.exp(-5)) / 600
    assert value(plain, "observed_expected_ratio", "a") == pytest.approx(np.exp(-4.3) / overall)
    assert value(plain, "standardised_rate", "a") == pytest.approx(1000 * np.exp(-4.3))
    given = [{**rows[0], "expected": 3.0}, {**rows[1], "expected": 8.0}]
    table = evaluate(settings, Draws(panel_of(given), "poisson", intercept=0.1, level={"a": 0.7}))
    assert value(table, "rate", "a") == pytest.approx(1000 * 3 * np.exp(0.8) / 200)
    assert value(table, "observed_expected_ratio", "a") == pytest.approx(np.exp(0.8))
    assert value(table, "predicted_expected_ratio", "a") == pytest.approx(np.exp(0.7))
    assert value(table, "standardised_rate", "a") == pytest.approx(1000 * 11 * np.exp(0.8) / 600)


def normal_panel() -> pd.DataFrame:
    rows = [{"site": "a", "mean": 7.0, "n": 20.0}, {"site": "b", "mean": 5.0, "n": 60.0}]
    panel = panel_of(rows)
    return panel.assign(denominator=np.nan, numerator=np.nan, weight=panel["n"], sd=2.0)


def test_means_are_in_their_unit_and_have_no_ratios():
    draws = Draws(
        normal_panel(), "normal", intercept=5.0, level={"a": 0.5}, scale=2.0, residual_sd={"a": 2.0, "b": 3.0},
        hyperparameters={"site_sd": 0.4},
    )  # fmt: skip
    table = evaluate(params({"family": "normal", "per": 100}, length="none"), draws)
    assert value(table, "rate", "a") == pytest.approx(6.0)
    assert value(table, "standardised_rate", "a") == pytest.approx(6.0)
    assert value(table, "trajectory", "a") == pytest.approx(6.0)
    assert value(table, "site_effect", "a") == pytest.approx(0.25), "in pooled sd"
    assert value(table, "against_average", "a") == pytest.approx(0.5), "in the unit, not as a ratio"
    assert not table["estimand"].str.contains("ratio|indirect").any()
    error = 3.0**2 / 60 / 2.0**2
    assert value(table, "reliability_plug_in", "b") == pytest.approx(0.16 / (0.16 + error))


def test_a_known_standard_error_needs_no_count():
    panel = normal_panel().assign(n=np.nan, sd=np.nan, se=[0.5, 0.8], weight=1.0)
    draws = Draws(panel, "normal", intercept=5.0, level={"a": 0.5}, scale=2.0)
    settings = params(
        {"family": "normal", "minimum_denominator": 30}, length="none", rules={"minimum_reliability": 0.0}
    )
    table = evaluate(settings, draws)
    assert value(table, "reliability_plug_in", "b") == pytest.approx(0.16 / (0.16 + 0.8**2 / 4))
    assert set(table.loc[table["estimand"].eq("rank"), "site"]) == {"a", "b"}
    assert not table["estimand"].eq("denominator_needed").any()


def two_years(**columns: float) -> pd.DataFrame:
    return panel_of([{"site": site, "period": year, **columns} for site in "ab" for year in ("2001", "2002")])


def test_a_trajectory_is_the_ratio_to_the_collaborative_of_the_same_period():
    panel = two_years()
    draws = Draws(panel, intercept=-2.0, level={"a": 0.5}, trend={"2001": 0.3, "2002": -0.3})
    table = evaluate(params(), draws)
    for year, trend in {"2001": 0.3, "2002": -0.3}.items():
        a, b = expit(-1.5 + trend), expit(-2 + trend)
        assert value(table, "trajectory", "a", year) == pytest.approx(a / ((a + b) / 2))
    given = evaluate(params(), Draws(two_years(expected=10.0), intercept=0.0, level={"a": 0.5}))
    assert value(given, "trajectory", "a", "2001") == pytest.approx(100 * expit(np.log(10 / 90) + 0.5) / 10)


def test_change_is_now_less_baseline_for_sites_in_both():
    panel = two_years().drop(index=2).reset_index(drop=True)  # b has no 2001
    table = evaluate(params(), Draws(panel, intercept=-2.0, level={"a": 0.5}, trend={"2001": 0.3, "2002": -0.3}))
    assert value(table, "change", "a", "2002") == pytest.approx(100 * (expit(-1.8) - expit(-1.2)))
    assert set(table.loc[table["estimand"].eq("change"), "site"]) == {"a"}
    assert set(table.loc[table["estimand"].eq("rate") & table["period"].eq("2001"), "site"]) == {"a"}


def test_windows_of_the_past_are_there_and_a_baseline_that_is_one_of_them_is_there_once():
    rows = [{"site": site, "period": str(year)} for site in "ab" for year in range(2001, 2006)]
    panel = panel_of(rows)
    table = evaluate(params(periods={"baseline": ("2003", "2003")}), Draws(panel))
    effects = table[table["estimand"].eq("site_effect")]
    assert sorted(effects["period"].unique()) == ["2003", "2004", "2005"]
    assert not table.duplicated(["site", "period", "estimand"]).any()


def test_draws_of_other_rows_are_refused():
    panel = two_years()
    tree = Draws(panel).tree()
    for other in (panel.iloc[:3], panel.assign(site=["b", "b", "a", "a"]), panel.iloc[::-1]):
        with pytest.raises(CollabevalError, match="not made from the rows"):
            estimates.evaluate_sites(params(), other, {"m": tree})


def test_a_current_window_without_data_is_an_error_not_an_empty_table():
    panel = two_years()
    with pytest.raises(CollabevalError, match="no data in the current window"):
        evaluate(params(periods={"current": ("2009", "2009"), "baseline": ("2001", "2001")}), Draws(panel))


def test_every_reported_quantity_can_be_checked_while_sampling():
    panel = two_years()
    level = {site: spread(0, 0.3, seed) for seed, site in enumerate("ab")}
    draws = Draws(panel, level=level)
    reported = estimates.reported_draws(params(), "m", panel)(draws.tree())
    table = evaluate(params(), draws)
    rate = reported["site rate[2002]"]
    assert rate.dims[:2] == ("chain", "draw")
    assert rate.sizes["chain"] == CHAINS
    assert rate.mean(("chain", "draw")).to_numpy()[0] == pytest.approx(value(table, "rate", "a", "2002"))
    assert "programme rate[2002]" in reported
    assert "site reliability[2002]" not in reported, "a known number has no draws"


def test_a_quantity_that_no_draw_changes_has_no_deviation_and_is_not_held_to_effective_draws():
    """A percentile of 10/3 in every draw: its floating-point deviation is some 1e-16, and that is none."""
    values = np.vstack([np.full(1000, 10 / 3), np.random.default_rng(1).normal(size=1000)])
    assert values[0].std(ddof=1) > 0  # what makes the test one
    drawn = Drawn("percentile", "p", np.array(["a", "b"]), values)
    for mixing in (Mixing(4), Mixing(1, np.arange(1000))):
        table = summarise([drawn], mixing)
        assert table["sd"].iloc[0] == 0
        assert np.isnan(table["ess_bulk"].iloc[0])
        assert all(check.passed for check in effective("m", table[table["sd"] > 0].assign(measure="m")))

"""Every estimand about the collaborative as a whole, by hand on tiny examples."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from collabeval import estimates
from collabeval.estimates import ProgrammeResults
from collabeval.params import Params
from draws_for_tests import SIZE, Draws, panel_of, params, spread


def evaluate(settings: Params, draws: Draws) -> ProgrammeResults:
    return estimates.evaluate_programme(settings, draws.panel, {"m": draws.tree()})


def chances(settings: Params, draws: Draws) -> dict[str, float]:
    """Probabilities of events about the collaborative: the rows without a site."""
    table = estimates.evaluate_sites(settings, draws.panel, {"m": draws.tree()}).probabilities
    return table[table["site"].eq("")].set_index("event")["probability"].to_dict()


def value(results: ProgrammeResults, estimand: str, period: str, column: str = "mean") -> float:
    rows = results.estimates
    (found,) = rows.loc[rows["estimand"].eq(estimand) & rows["period"].eq(period), column]
    return float(found)


def joining(**columns: float) -> pd.DataFrame:
    """Site a in both years, site b from the second."""
    places = [("a", "2001", 100.0), ("a", "2002", 200.0), ("b", "2002", 300.0)]
    return panel_of([{"site": s, "period": y, "denominator": n, "numerator": n / 10, **columns} for s, y, n in places])


def test_the_rate_is_that_of_all_cases_and_change_is_told_apart_from_who_joined():
    trend = {"2001": 0.2, "2002": -0.2}
    results = evaluate(params(), Draws(joining(), intercept=-2.0, level={"b": 1.0}, trend=trend))
    before, a, b = 100 * expit(-1.8), 100 * expit(-2.2), 100 * expit(-1.2)
    now = (200 * a + 300 * b) / 500
    assert value(results, "rate", "2001") == pytest.approx(before)
    assert value(results, "rate", "2002") == value(results, "trend", "2002") == pytest.approx(now)
    assert value(results, "change", "2002") == pytest.approx(now - before)
    assert value(results, "change_same_sites", "2002") == pytest.approx(a - before)


@pytest.mark.parametrize(
    ("better", "family", "expected"),
    [
        ("lower", "binomial", lambda before, now: now / before),
        ("higher", "binomial", lambda before, now: (1 - now) / (1 - before)),
        ("lower", "poisson", lambda before, now: now / before),
        ("higher", "poisson", lambda before, now: before / now),
    ],
)
def test_what_is_not_wanted_is_on_one_scale_for_every_direction(better, family, expected):
    rows = [{"site": "a", "period": year, "denominator": 100.0, "numerator": 20.0} for year in ("2001", "2002")]
    drawn = Draws(panel_of(rows), intercept=-1.0, trend={"2001": 0.2, "2002": -0.2}, family=family)
    rate = expit if family == "binomial" else np.exp
    found = value(evaluate(params(better=better, family=family), drawn), "unwanted_ratio", "2002")
    assert found == pytest.approx(expected(rate(-0.8), rate(-1.2)))


def test_the_fan_holds_recorded_rates_and_quantiles_of_the_modelled():
    intercept = spread(-2, 0.3)
    trend = evaluate(params(), Draws(joining(), intercept=intercept)).trend.set_index("period")
    assert trend["observed"].to_list() == pytest.approx([10, 10])
    rate = 100 * expit(intercept)
    for column, probability in {"q025": 0.025, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q975": 0.975}.items():
        assert trend.loc["2001", column] == pytest.approx(np.quantile(rate, probability))


def test_one_period_has_a_rate_but_no_trend_and_no_change():
    results = evaluate(params(length="none"), Draws(panel_of([{"site": "a"}, {"site": "b"}])))
    assert value(results, "rate", "") == pytest.approx(50)
    assert results.trend.empty
    assert list(results.trend.columns[:4]) == ["measure", "period", "observed", "q025"]
    assert not results.estimates["estimand"].isin(["trend", "change", "change_same_sites", "closing_the_gap"]).any()


def test_against_the_registry_the_collaborative_has_a_ratio_of_its_own():
    results = evaluate(params(), Draws(joining(expected=10.0), intercept=0.3))
    events = 200 * expit(np.log(10 / 190) + 0.3) + 300 * expit(np.log(10 / 290) + 0.3)
    assert value(results, "observed_expected_ratio", "2002") == pytest.approx(events / 20)
    assert not evaluate(params(), Draws(joining())).estimates["estimand"].eq("observed_expected_ratio").any()


def test_means_are_weighted_by_n_and_in_their_unit():
    panel = joining().assign(n=[10.0, 20, 30], weight=[10.0, 20, 30], mean=[4.0, 5, 7], sd=1.0, denominator=np.nan)
    draws = Draws(
        panel, "normal", intercept=5.0, level={"b": 0.5}, scale=2.0, residual_sd={"a": 1.0, "b": 1.0},
        hyperparameters={"site_sd": 0.4},
    )  # fmt: skip
    results = evaluate(params({"family": "normal", "better": "higher", "minimum_denominator": 1}), draws)
    assert value(results, "rate", "2002") == pytest.approx((20 * 5 + 30 * 6) / 50)
    assert results.trend["observed"].to_list() == pytest.approx([4, (20 * 5 + 30 * 7) / 50])
    assert value(results, "benchmark", "2002") == pytest.approx(6), "b leads, with more than a tenth of the cases"
    assert value(results, "between_site_sd", "2002") == pytest.approx(0.4)
    assert not results.estimates["estimand"].eq("benchmark_ratio").any()


def test_closing_the_gap_compares_the_spread_of_the_same_sites_and_needs_trajectories():
    places = [(s, y) for s in "abc" for y in ("2001", "2002")] + [("d", "2002")]
    panel = panel_of([{"site": site, "period": year} for site, year in places])
    level = {"a": -1.0, "b": 0.0, "c": 1.0, "d": 50.0}
    drawn = {"site_sd": 0.4, "trajectory_sd": 0.1, "site_correlation": 0.0}
    gain = np.where(np.arange(SIZE) < 0.7 * SIZE, 0.5, -0.1)
    slope = {"a": gain, "b": 0.0, "c": -gain, "d": 0.0}
    draws = Draws(panel, level=level, slope=slope, hyperparameters=drawn)
    results = evaluate(params(), draws)
    mean_time = 4 / 7
    ratio = (1 - gain * (1 - mean_time)) / (1 + gain * mean_time)
    assert value(results, "closing_the_gap", "2002") == pytest.approx(ratio.mean())
    assert chances(params(), draws)["closing_the_gap"] == pytest.approx(0.7)
    level_only = Draws(panel, level=level)
    assert not evaluate(params(), level_only).estimates["estimand"].eq("closing_the_gap").any()
    assert "closing_the_gap" not in chances(params(), level_only)


def test_the_benchmark_is_that_of_the_best_sites_or_of_params():
    level = {f"s{i}": 0.2 * i for i in range(6)}
    panel = panel_of([{"site": site} for site in level])
    draws = Draws(panel, intercept=-2.0, level=level)
    results = evaluate(params(length="none"), draws)
    overall = np.mean([expit(-2 + effect) for effect in level.values()])
    assert value(results, "benchmark", "") == pytest.approx(100 * expit(-2.0))
    assert value(results, "benchmark_ratio", "") == pytest.approx(expit(-2.0) / overall)
    average = expit(-2 + np.mean(list(level.values())))
    assert value(results, "benchmark_against_average", "") == pytest.approx(expit(-2.0) / average)
    given = evaluate(params({"benchmark": 12.0}, length="none"), draws)
    assert value(given, "benchmark", "") == 12
    assert np.isnan(value(given, "benchmark", "", "q025")), "a given number has no draws"
    assert value(given, "benchmark_ratio", "") == pytest.approx(0.12 / overall)
    assert value(given, "benchmark_against_average", "") == pytest.approx(0.12 / average)


def test_several_measures_lie_under_each_other_each_with_its_name():
    two = joining()
    panel = pd.concat([two, two.assign(measure="k", numerator=two["numerator"] * 2)], ignore_index=True)
    declared = params()
    both = declared.model_copy(update={"measures": {**declared.measures, "k": declared.measures["m"]}})
    trees = {"m": Draws(two, intercept=-2.0).tree(), "k": Draws(two, intercept=-1.0).tree()}
    results = estimates.evaluate_programme(both, panel, trees)
    rate = results.estimates.query("estimand == 'rate' and period == '2002'").set_index("measure")["mean"]
    assert rate.to_dict() == pytest.approx({"m": 100 * expit(-2.0), "k": 100 * expit(-1.0)})
    assert results.trend.set_index("measure")["observed"].loc["k"].to_list() == pytest.approx([20, 20])
    sites = estimates.evaluate_sites(both, panel, trees)
    for table in (sites.estimates, sites.probabilities, sites.statements):
        assert set(table["measure"]) == {"m", "k"}
    pd.testing.assert_frame_equal(
        estimates.evaluate_words(both, panel, trees), sites.statements.drop(columns="otherwise")
    )

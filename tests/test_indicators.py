"""The models of indicators against independent integration, known truth and the calibration that a posterior has."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit

from calibration.features import INDICATORS, indicator_places
from collabeval.features import evaluate_indicators
from collabeval.features.indicators_single import single_count, single_values
from collabeval.features.indicators_spread import LEVEL_SD, Pooled, pooled_counts, pooled_means
from collabeval.params import Params
from indicator_tables import indicator_rows

DRAWS = 4000
EVENTS = np.array([3.0, 18.0, 9.0, 30.0, 0.0])
CASES = np.array([20.0, 25.0, 12.0, 80.0, 6.0])
CENTRE = -0.3
Grid = tuple[np.ndarray, np.ndarray, np.ndarray]


def on_a_grid(binomial: bool) -> Grid:
    """Weights, levels and kappas of a fine grid over (R, level), likelihood by scipy's own distributions."""
    reliability = (np.arange(600) + 0.5) / 600
    level = np.linspace(CENTRE - 7, CENTRE + 7, 501)
    kappa = np.median(CASES) * (1 - reliability) / reliability
    link, own = np.meshgrid(level, kappa, indexing="ij")
    found = stats.norm.logpdf(link, CENTRE, LEVEL_SD)
    for y, n in zip(EVENTS, CASES, strict=True):
        if binomial:
            found += stats.betabinom.logpmf(y, n, own * expit(link), own * expit(-link))
        else:
            found += stats.nbinom.logpmf(y, own * np.exp(link), own / (own + n))
    weight = np.exp(found - found.max())
    return weight / weight.sum(), link, own


@pytest.mark.parametrize("binomial", [True, False], ids=["binomial", "poisson"])
def test_counts_agree_with_integration_by_other_means(binomial: bool) -> None:
    """Site means, their sds, signal and spread, on a grid over R itself with scipy's beta-binomial and its like."""
    weight, link, kappa = on_a_grid(binomial)
    drawn = pooled_counts(EVENTS, CASES, binomial, np.random.default_rng(1), 40_000, CENTRE)
    mean = expit(link) if binomial else np.exp(link)
    for place, (y, n) in enumerate(zip(EVENTS, CASES, strict=True)):
        given = (kappa * mean + y) / (kappa + n)
        within = given * (1 - given) / (kappa + n + 1) if binomial else given / (kappa + n)
        middle = float((weight * given).sum())
        sd = float(np.sqrt((weight * (within + given**2)).sum() - middle**2))
        assert drawn.sites[place].mean() == pytest.approx(middle, abs=4 * sd / 200)
        assert drawn.sites[place].std() == pytest.approx(sd, rel=0.03)
        assert drawn.reliability[place].mean() == pytest.approx(float((weight * n / (n + kappa)).sum()), abs=0.01)
    spread = np.sqrt(mean * (1 - mean) / (kappa + 1)) if binomial else np.sqrt(mean / kappa)
    order = np.argsort(spread, axis=None)
    cumulated = np.cumsum(weight.ravel()[order])
    for share in (0.05, 0.5, 0.95):
        exact = spread.ravel()[order][np.searchsorted(cumulated, share)]
        assert np.mean(drawn.spread <= exact) == pytest.approx(share, abs=0.015)


def test_values_agree_with_integration_by_other_means() -> None:
    """The normal model on a grid over (m, log sigma, R), the likelihood by scipy's multivariate normal."""
    values = [np.array([4.1, 5.0, 4.4]), np.array([6.2, 5.7]), np.array([5.1, 4.9, 5.5, 5.2]), np.array([3.6])]
    site = np.repeat(np.arange(4), [len(own) for own in values])
    drawn = pooled_means(np.concatenate(values), site, np.random.default_rng(2), 40_000)
    typical, levels = float(np.median([len(own) for own in values])), np.linspace(1, 9, 161)
    total, first, signal = 0.0, 0.0, 0.0
    for log_sigma in np.linspace(-2.4, 2.0, 45):
        sigma = np.exp(log_sigma)
        for share in (np.arange(60) + 0.5) / 60:
            kappa = typical * (1 - share) / share
            likelihood = np.ones(len(levels))
            for own in values:
                n = len(own)
                covariance = sigma**2 * (np.eye(n) + np.ones((n, n)) / kappa)
                likelihood *= stats.multivariate_normal.pdf(own - levels[:, None], np.zeros(n), covariance)
            given = (len(values[0]) * values[0].mean() + kappa * levels) / (len(values[0]) + kappa)
            total, signal = total + likelihood.sum(), signal + share * likelihood.sum()
            first += (likelihood * given).sum()
    assert drawn.sites[0].mean() == pytest.approx(first / total, abs=0.012)
    assert drawn.typical.mean() == pytest.approx(signal / total, abs=0.01)


@pytest.mark.parametrize("binomial", [True, False], ids=["binomial", "poisson"])
def test_the_truth_behind_counts_is_recovered(binomial: bool) -> None:
    generator = np.random.default_rng(3)
    mean, kappa, cases = 0.7, 12.0, generator.integers(30, 120, 300).astype(float)
    if binomial:
        truth = generator.beta(kappa * mean, kappa * (1 - mean), 300)
        events, spread = generator.binomial(cases.astype(int), truth), np.sqrt(mean * (1 - mean) / (kappa + 1))
    else:
        truth = generator.gamma(kappa * mean, 1 / kappa, 300)
        events, spread = generator.poisson(cases * truth), np.sqrt(mean / kappa)
    drawn = pooled_counts(events.astype(float), cases, binomial, generator, DRAWS)
    assert_recovered(drawn, truth, mean, spread)


def test_the_truth_behind_values_is_recovered() -> None:
    generator = np.random.default_rng(4)
    truth = generator.normal(30, 3, 300)
    drawn = pooled_means(generator.normal(np.repeat(truth, 4), 5), np.repeat(np.arange(300), 4), generator, DRAWS)
    assert_recovered(drawn, truth, 30, 3)
    assert drawn.typical.mean() == pytest.approx(3**2 / (3**2 + 5**2 / 4), abs=0.08)


def assert_recovered(drawn: Pooled, truth: np.ndarray, mean: float, spread: float) -> None:
    """Level and spread are near; 95% intervals of the sites hold 95% of them, within chance; estimates beat none."""
    assert drawn.sites.mean() == pytest.approx(mean, abs=4 * spread / np.sqrt(len(truth)))
    assert np.median(drawn.spread) == pytest.approx(spread, rel=0.15)
    low, high = np.quantile(drawn.sites, [0.025, 0.975], axis=1)
    inside = np.mean((low <= truth) & (truth <= high))
    assert abs(inside - 0.95) < 4 * np.sqrt(0.95 * 0.05 / len(truth))
    assert np.corrcoef(drawn.sites.mean(axis=1), truth)[0, 1] > 0.75


@pytest.mark.parametrize("family", INDICATORS)
@pytest.mark.parametrize(
    ("sites", "worlds"), [(6, 200), pytest.param(15, 2000, marks=pytest.mark.slow)], ids=["quick", "many"]
)
def test_ranks_of_the_truth_are_uniform(family: str, sites: int, worlds: int) -> None:
    """Simulation-based calibration (Talts et al. 2018): the truth lies anywhere among draws of its own posterior."""
    found = pd.DataFrame([indicator_places(family, number, sites) for number in range(worlds)])
    for column in found.to_numpy().T:
        assert stats.kstest(column, "uniform").pvalue > 0.001


def test_one_count_has_jeffreys_interval() -> None:
    shares = single_count(14, 16, True, np.random.default_rng(5), 200_000)
    np.testing.assert_allclose(np.quantile(shares, [0.025, 0.5, 0.975]), stats.beta(14.5, 2.5).ppf([0.025, 0.5, 0.975]),
                               atol=0.002)  # fmt: skip
    rates = single_count(0, 50, False, np.random.default_rng(5), 200_000)
    assert np.quantile(rates, 0.95) == pytest.approx(stats.gamma(0.5, scale=1 / 50).ppf(0.95), rel=0.02)


def test_single_values_have_the_interval_of_the_t_test() -> None:
    now, then = np.array([40.0, 44.0, 39.0]), np.array([50.0, 47.0])
    found = single_values([now, then], np.random.default_rng(6), 200_000)
    pooled = np.sqrt((((now - now.mean()) ** 2).sum() + ((then - then.mean()) ** 2).sum()) / 3)
    exact = stats.t(3, now.mean(), pooled / np.sqrt(3)).ppf([0.025, 0.975])
    np.testing.assert_allclose(np.quantile(found[0], [0.025, 0.975]), exact, atol=0.15)
    assert single_values([np.array([1.0, 2.0]), np.array([2.0])], np.random.default_rng(6), 10) == [None, None]


def params(*indicators: object) -> Params:
    return Params.model_validate(
        {"collaborative": "c", "title": "t", "edition": "1", "sampling": {"seed": 3}, "indicators": indicators,
         "data": {"sites": "s", "outcomes": "o", "indicators": "i"}, "periods": {"length": "none"},
         "measures": {"m": {"label": "M", "family": "binomial", "better": "lower"}}}
    )  # fmt: skip


def results(given: Params) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    rows = indicator_rows(given, [f"S{number:02d}" for number in range(10)], 2024, np.random.default_rng(8))
    return evaluate_indicators(given, pd.DataFrame({"measure": []}), {"indicators": rows}), rows


def test_events_are_shares_of_the_draws_in_the_good_direction() -> None:
    """The same rows of an indicator that is better high and one that is better low: chances are each other's rest."""
    block = {"label": "I", "feature": "coordination", "family": "binomial", "target": 80}
    both = params({"id": "up", "better": "higher", **block}, {"id": "down", "better": "lower", **block})
    found, rows = results(both)
    chances = found["feature_probabilities"].query("site == ''").set_index(["indicator", "years_back", "event"])
    values = (
        found["feature_indicators"].query("site == '' and estimand == 'value'").set_index(["indicator", "years_back"])
    )
    for code, good in (("up", 1), ("down", -1)):
        own = values.loc[(code, 0)]
        by_normal = stats.norm.cdf(good * (own["mean"] - 80) / own["sd"])
        assert chances.loc[(code, 0, "at_target"), "probability"] == pytest.approx(by_normal, abs=0.03)
        change = own["mean"] - values.loc[(code, 1), "mean"]
        sd = np.hypot(own["sd"], values.loc[(code, 1), "sd"])
        better = stats.norm.cdf(good * change / sd)
        assert chances.loc[(code, 0, "better_than_last_year"), "probability"] == pytest.approx(better, abs=0.03)
    recorded = rows.query("indicator == 'up' and period in ('2024H1', '2024H2')")
    counts = found["feature_counts"].query("indicator == 'up' and years_back == 0 and site == ''").iloc[0]
    assert counts["numerator"] == recorded["numerator"].sum()
    assert counts["recorded"] == pytest.approx(100 * recorded["numerator"].sum() / recorded["denominator"].sum())


def test_years_end_with_the_window_and_later_rows_count_for_none() -> None:
    given = params("data_on_time")
    measured = given.model_copy(update={"periods": given.periods.model_copy(update={"length": "quarter"})})
    rows = indicator_rows(given, ["A", "B", "C"], 2025, np.random.default_rng(9), years=3)
    panel = pd.DataFrame({"measure": "m", "period": ["2024Q1", "2024Q2", "2024Q3", "2024Q4"]})
    panel = panel.assign(starts=pd.PeriodIndex(panel["period"], freq="Q").start_time)
    found = evaluate_indicators(measured, panel, {"indicators": rows})["feature_counts"]
    assert found.query("site == ''").set_index("years_back")["period"].to_dict() == {0: "2024", 1: "2023"}


def test_no_rows_make_no_results() -> None:
    found = evaluate_indicators(params("data_on_time"), pd.DataFrame(), {})
    assert all(table.empty for table in found.values())

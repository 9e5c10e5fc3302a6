"""Reliability, rankability and the denominator needed, by hand."""

import numpy as np
import pytest

from collabeval import estimates
from draws_for_tests import Draws, evaluate, panel_of, params, spread, value


def test_reliability_is_the_share_of_the_prior_variance_the_data_have_settled():
    panel = panel_of([{"site": "a"}, {"site": "b"}])
    level = {"a": spread(0.2, 0.3, 1), "b": spread(0, 0.6, 2)}
    table = evaluate(params(length="none"), Draws(panel, level=level, hyperparameters={"site_sd": 0.5}))
    assert value(table, "reliability", "a") == pytest.approx(1 - 0.09 / 0.25)
    assert value(table, "reliability", "b") == 0, "not below 0"
    assert value(table, "reliability", "a", column="q50") == value(table, "reliability", "a")
    assert np.isnan(value(table, "reliability", "a", column="q025")), "one number, without draws of its own"


def test_the_prior_variance_of_a_window_adds_level_slope_their_correlation_and_overdispersion():
    years = ("2001", "2002", "2003", "2004")
    cases = dict(zip(years, (100.0, 100.0, 100.0, 300.0), strict=True))
    panel = panel_of([{"site": site, "period": year, "denominator": cases[year]} for site in "ab" for year in years])
    tau, slope_sd, rho, extra_sd = 0.5, 0.2, -0.3, 0.4
    draws = Draws(
        panel,
        level={"a": spread(0, 0.1, 1), "b": spread(0, 0.1, 2)},
        slope={},
        overdispersion=np.zeros((1000, 8)),
        hyperparameters={
            "site_sd": tau,
            "trajectory_sd": slope_sd,
            "site_correlation": rho,
            "overdispersion_sd": extra_sd,
        },
    )
    table = evaluate(params(periods={"current": ("2003", "2004"), "baseline": ("2001", "2001")}), draws)
    time = (100 * 2 + 300 * 3) / 400 - (0 * 100 + 1 * 100 + 2 * 100 + 3 * 300) / 600
    prior = tau**2 + 2 * rho * tau * slope_sd * time + slope_sd**2 * time**2 + extra_sd**2 * (0.25**2 + 0.75**2)
    assert value(table, "reliability", "a", "2003/2004") == pytest.approx(1 - 0.01 / prior)
    information = 400 * 0.25
    assert value(table, "reliability_plug_in", "a", "2003/2004") == pytest.approx(prior / (prior + 1 / information))
    programme = estimates.evaluate_programme(
        params(periods={"current": ("2003", "2004"), "baseline": ("2001", "2001")}), panel, {"m": draws.tree()}
    ).estimates.set_index("estimand")["mean"]
    stable = tau**2 + 2 * rho * tau * slope_sd * time + slope_sd**2 * time**2
    assert programme["between_site_sd"] == pytest.approx(np.sqrt(stable)), "without overdispersion"


def test_student_t_effects_vary_more_than_their_scale():
    panel = panel_of([{"site": "a"}, {"site": "b"}])
    drawn = {"site_sd": 0.5, "degrees_of_freedom": 6.0}
    table = evaluate(params(length="none"), Draws(panel, level={"a": spread(0, 0.3)}, hyperparameters=drawn))
    assert value(table, "reliability", "a") == pytest.approx(1 - 0.09 / (0.25 * 6 / 4))


def test_the_plug_in_is_averaged_over_draws_at_the_expected_rate():
    panel = panel_of([{"site": "a", "denominator": 80.0}, {"site": "b"}])
    sd, intercept = np.abs(spread(0.4, 0.1, 3)), spread(-2, 0.3, 4)
    draws = Draws(panel, intercept=intercept, level={"a": 9.0}, hyperparameters={"site_sd": sd})
    table = evaluate(params(length="none"), draws)
    p = 1 / (1 + np.exp(-intercept))
    by_hand = sd**2 / (sd**2 + 1 / (80 * p * (1 - p)))
    assert value(table, "reliability_plug_in", "a") == pytest.approx(by_hand.mean()), (
        "the site's own rate plays no part"
    )
    poisson = Draws(panel, "poisson", intercept=intercept, hyperparameters={"site_sd": sd})
    table = evaluate(params({"family": "poisson"}, length="none"), poisson)
    assert value(table, "reliability_plug_in", "a") == pytest.approx(
        (sd**2 / (sd**2 + 1 / (80 * np.exp(intercept)))).mean()
    )


def test_the_denominator_needed_solves_the_reliability_for_its_target():
    panel = panel_of([{"site": "a", "denominator": 50.0}, {"site": "b", "denominator": 400.0}])
    draws = Draws(panel, intercept=np.log(0.1 / 0.9), hyperparameters={"site_sd": 0.5})
    table = evaluate(params(length="none"), draws)
    needed = (0.7 / 0.3) / (0.25 * 0.1 * 0.9)
    assert value(table, "denominator_needed", "a") == pytest.approx(needed)
    assert value(table, "denominator_needed", "b", column="q50") == pytest.approx(needed), "not of its own size"


def test_a_denominator_beyond_all_cases_of_the_collaborative_is_not_reachable():
    panel = panel_of([{"site": "a", "denominator": 50.0}, {"site": "b", "denominator": 40.0}])
    draws = Draws(panel, intercept=np.log(0.1 / 0.9), hyperparameters={"site_sd": 0.5})
    assert value(evaluate(params(length="none"), draws), "denominator_needed", "a") == np.inf
    nothing = Draws(panel, hyperparameters={"site_sd": 0.0})
    assert value(evaluate(params(length="none"), nothing), "denominator_needed", "a") == np.inf
    assert value(evaluate(params(length="none"), nothing), "reliability", "a") == 0


def test_rankability_is_the_reliability_at_the_median_posterior_variance_of_the_eligible_sites():
    panel = panel_of([{"site": site} for site in "abc"] + [{"site": "d", "denominator": 1.0}])
    sds = {"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.4}
    level = {site: spread(0, sd, seed) for seed, (site, sd) in enumerate(sds.items())}
    settings = params({"minimum_denominator": 10}, length="none")
    draws = Draws(panel, level=level, hyperparameters={"site_sd": 0.5})
    table = estimates.evaluate_programme(settings, panel, {"m": draws.tree()}).estimates.set_index("estimand")
    assert table.loc["rankability", "mean"] == pytest.approx(1 - 0.2**2 / 0.5**2)

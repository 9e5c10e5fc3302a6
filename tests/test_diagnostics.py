"""The gates: each one shown to open and to shut, on draws made so that the answer is known."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import integrate, stats
from scipy.special import expit

from collabeval import diagnostics
from collabeval.diagnostics.influence import integrated_log_likelihood, pareto_k
from collabeval.diagnostics.predictive import predictive, predictive_p
from collabeval.diagnostics.sampling import convergence, sampling
from collabeval.diagnostics.sensitivity import prior_sensitivity, rescaled, sensitivities, words_that_change
from collabeval.statements.engines import CHECKS
from draws_for_tests import SIZE, Draws, panel_of, params, spread

SITES, YEARS = [f"S{i:02d}" for i in range(30)], ["2018", "2019", "2020", "2021"]


def panel_and_draws(seed=1, level_sd=0.3, row_sd=0.15, claimed=None, denominator=120, years=YEARS):
    """A binomial panel from the model, and draws that know the truth about it (or `claimed` something else)."""
    random = np.random.default_rng(seed)
    rows = [{"site": site, "period": year} for site in SITES for year in years]
    level = dict(zip(SITES, random.normal(0, level_sd, len(SITES)), strict=True))
    own = random.normal(0, row_sd, len(rows))
    for row, effect in zip(rows, own, strict=True):
        chance = expit(-1.5 + level[row["site"]] + effect)
        row |= {"numerator": float(random.binomial(denominator, chance)), "denominator": float(denominator)}
    claims = {"site_sd": level_sd, "overdispersion_sd": row_sd, **(claimed or {})}
    panel = panel_of(rows)
    draws = Draws(
        panel,
        intercept=-1.5 + spread(0, 0.02),
        level={site: value + spread(0, 0.05, seed=i) for i, (site, value) in enumerate(level.items())},
        overdispersion=own + random.normal(0, 0.05, (SIZE, len(rows))),
        hyperparameters=claims,
    )
    return panel, draws.tree()


def with_statistics(tree, diverging=0, energy=None, outcome=None):
    chains, draws = 4, SIZE // 4
    flags = np.zeros((chains, draws), dtype=bool)
    flags.ravel()[:diverging] = True
    energy = np.random.default_rng(0).normal(size=(chains, draws)) if energy is None else energy
    dims = ("chain", "draw")
    outcome = np.zeros((chains, draws, 1)) if outcome is None else outcome
    tree["sample_stats"] = xr.DataTree(xr.Dataset({"diverging": (dims, flags), "energy": (dims, energy)}))
    for group in ("posterior_predictive", "log_likelihood"):
        tree[group] = xr.DataTree(xr.Dataset({"outcome": ((*dims, "row"), outcome)}))
    return tree


def estimates_table(**columns):
    table = {"measure": "m", "estimand": ["rate", "rank", "change"], "period": ["2021", "2021", ""], "sd": 0.1}
    return pd.DataFrame({**table, "rhat": 1.0, "ess_bulk": 2000.0, "ess_tail": 2000.0, **columns})


def by_name(checks):
    return {check.check: check for check in checks}


def test_a_clean_sampler_passes():
    _, tree = panel_and_draws()
    assert all(check.passed and check.level == "blocking" for check in sampling("m", with_statistics(tree)))


def test_divergences_block_and_are_counted():
    _, tree = panel_and_draws()
    found = by_name(sampling("m", with_statistics(tree, diverging=3)))["divergences"]
    assert (found.value, found.limit, found.passed, found.level) == (3, 0, False, "blocking")
    assert "3 times" in found.advice


def test_a_random_walk_in_energy_blocks():
    """E-BFMI is Σ(Eₙ−Eₙ₋₁)²/Σ(Eₙ−Ē)²: about 2 for independent energies, near 0 for a slow walk."""
    _, tree = panel_and_draws()
    slow = np.random.default_rng(0).normal(size=(4, SIZE // 4)).cumsum(axis=1)
    found = by_name(sampling("m", with_statistics(tree, energy=slow)))["energy"]
    assert not found.passed
    ratio = [np.sum(np.diff(chain) ** 2) / np.sum((chain - chain.mean()) ** 2) for chain in slow]
    assert found.value == pytest.approx(min(ratio), rel=0.02)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_draws_that_are_no_numbers_block(broken):
    _, tree = panel_and_draws()
    outcome = np.zeros((4, SIZE // 4, 1))
    outcome[0, 0, 0] = broken
    found = by_name(sampling("m", with_statistics(tree, outcome=outcome)))["not_a_number"]
    assert not found.passed
    assert "outcome" in found.advice


@pytest.mark.parametrize(
    ("column", "values", "passed", "worst"),
    [
        ("rhat", [1.0, 1.01, 1.005], True, 1.01),
        ("rhat", [1.0, 1.011, 1.005], False, 1.011),
        ("ess_bulk", [5000, 400, 900], True, 400),
        ("ess_bulk", [5000, 399, 900], False, 399),
        ("ess_tail", [5000, 399, 900], False, 399),
    ],
)
def test_the_worst_reported_quantity_decides(column, values, passed, worst):
    found = by_name(convergence("m", estimates_table(**{column: values})))[column]
    assert (found.value, found.passed) == (worst, passed)
    assert passed or "`rank` in 2021" in found.advice


def test_quantities_constant_over_draws_are_exempt_and_others_without_a_value_are_not():
    constant = estimates_table(sd=[0.1, 0.0, np.nan], rhat=[1.0, np.nan, np.nan])
    assert by_name(convergence("m", constant))["rhat"].passed
    unknown = estimates_table(rhat=[1.0, np.nan, 1.0])
    assert not by_name(convergence("m", unknown))["rhat"].passed


def test_data_from_the_model_are_not_surprising():
    """p of 20 simulated collaboratives: within the limits, and neither all high nor all low."""
    values = {}
    for seed in range(20):
        panel, tree = panel_and_draws(seed=seed)
        for name, p in predictive_p("binomial", panel, tree, seed):
            values.setdefault(name, []).append(p)
    assert set(values) == {"predictive_dispersion", "predictive_extreme_row", "predictive_extreme_site",
                           "predictive_zeros"}  # fmt: skip
    for name, found in values.items():
        if name != "predictive_zeros":
            assert 0.2 < np.mean(found) < 0.8, name
    assert sum(not 0.005 <= p <= 0.995 for found in values.values() for p in found) <= 4


@pytest.mark.parametrize(
    ("claimed", "check"),
    [
        ({"overdispersion_sd": 0.01, "site_sd": 0.02}, "predictive_dispersion"),
        ({"site_sd": 0.02}, "predictive_extreme_site"),
    ],
)
def test_a_model_that_allows_too_little_is_found_out(claimed, check):
    panel, tree = panel_and_draws(level_sd=0.8, row_sd=0.4, claimed=claimed)
    found = by_name(predictive("m", "binomial", panel, tree, 1))[check]
    assert not found.passed
    assert found.level == "advisory"
    assert "larger than the model allows" in found.advice


def test_a_model_that_allows_too_much_is_found_out_too():
    panel, tree = panel_and_draws(level_sd=0.05, row_sd=0.05, claimed={"site_sd": 0.8, "overdispersion_sd": 0.8})
    found = by_name(predictive("m", "binomial", panel, tree, 1))["predictive_dispersion"]
    assert not found.passed
    assert "smaller than the model allows" in found.advice


def test_too_many_rows_without_events_are_found_out():
    panel, tree = panel_and_draws()
    panel.loc[panel.index % 5 == 0, "numerator"] = 0.0
    assert not by_name(predictive("m", "binomial", panel, tree, 1))["predictive_zeros"].passed


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_the_effect_of_a_row_is_integrated_out_exactly(family):
    """One row, against numerical integration over its own effect."""
    panel = panel_of([{"site": "A", "period": "2020", "numerator": 9.0, "denominator": 60.0},
                      {"site": "A", "period": "2021", "numerator": 0.0, "denominator": 400.0}])  # fmt: skip
    draws = Draws(panel, family=family, intercept=-2.0, level={"A": 0.2}, overdispersion=np.full((SIZE, 2), 0.7),
                  hyperparameters={"site_sd": 0.4, "overdispersion_sd": 0.5})  # fmt: skip
    found = integrated_log_likelihood(family, panel, draws.tree())[0]
    for row, value in zip(panel.itertuples(), found, strict=True):

        def inside(x, row=row):
            eta = -1.8 + x
            if family == "poisson":
                eta = eta + np.log(row.denominator)
                likelihood = np.exp(row.numerator * eta - np.exp(eta))
            else:
                likelihood = np.exp(row.numerator * eta - row.denominator * np.logaddexp(0, eta))
            return likelihood * stats.norm.pdf(x, 0, 0.5)

        exact = integrate.quad(inside, -5, 5, epsabs=0, limit=400)[0]
        assert value == pytest.approx(np.log(exact), abs=1e-4)


def test_a_mean_is_integrated_out_exactly():
    """Site with one row: its mean is N(intercept, se² + (scale·site_sd)²) whatever was drawn for the site."""
    panel = panel_of([{"site": "A", "mean": 6.5, "se": 0.5, "weight": 1.0}, {"site": "B", "mean": 5.0, "se": 0.2,
                                                                             "weight": 1.0}])  # fmt: skip
    draws = Draws(panel, family="normal", intercept=6.0, level={"A": 3.0, "B": -3.0}, scale=2.0)
    found = integrated_log_likelihood("normal", panel, draws.tree())[0]
    exact = stats.norm.logpdf([6.5, 5.0], 6.0, np.hypot([0.5, 0.2], 2 * 0.4)) + 0.5 * np.log(2 * np.pi)
    assert found == pytest.approx(exact)


def test_one_row_that_moves_the_draws_is_influential_and_named():
    panel, tree = panel_and_draws(years=YEARS[:2])
    assert pareto_k("binomial", panel, tree).max() < 0.7
    posterior = tree["posterior"].to_dataset()
    # a row of 100,000 cases where the intercept is uncertain: nearly all that is known of the intercept comes from it
    panel.loc[0, ["numerator", "denominator"]] = [18_000.0, 100_000.0]
    wide = posterior["intercept"] + 0.03 * xr.DataArray(
        np.random.default_rng(3).normal(size=(4, SIZE // 4)), dims=("chain", "draw")
    )
    tree["posterior"] = xr.DataTree(posterior.assign(intercept=wide, overdispersion_sd=0.002 + 0 * wide))
    found = diagnostics.influence("m", "binomial", panel, tree)[0]
    assert not found.passed
    assert found.changes == "S00 2018"
    assert "S00" not in found.advice  # advice is printed; codes of sites are for those inside


def conjugate(prior_sd, seed=2, sites=12):
    """Draws of an intercept known from a normal prior and data that say 1 ± 0.3, and of sites that are known."""
    random = np.random.default_rng(seed)
    panel = panel_of([{"site": f"S{i:02d}", "numerator": 12.0, "denominator": 100.0} for i in range(sites)])
    data_sd = 0.3
    precision = 1 / prior_sd**2 + 1 / data_sd**2
    mean = 1.0 / data_sd**2 / precision
    intercept = mean + random.normal(size=SIZE) / np.sqrt(precision)
    level = {f"S{i:02d}": 0.1 * (i - 5.5) + 0.05 * random.normal(size=SIZE) for i in range(sites)}
    tree = Draws(panel, intercept=intercept, level=level).tree()
    density = stats.norm.logpdf(intercept, 0, prior_sd).reshape(4, -1)
    dims = ("chain", "draw")
    coords = {"chain": np.arange(4), "draw": np.arange(SIZE // 4)}
    tree["log_prior"] = xr.DataTree(xr.Dataset({"intercept": (dims, density)}, coords))
    return panel, tree


def test_a_weak_prior_passes_and_a_strong_one_is_named():
    settings = params(length="none")
    for prior_sd, passed in [(5.0, True), (0.3, False)]:
        panel, tree = conjugate(prior_sd)
        found = prior_sensitivity(settings, "m", panel, tree)[0]
        assert found.passed is passed
        assert found.value == pytest.approx(max(sensitivities(settings, "m", panel, tree).values()))
    assert "the level of the programme" in found.advice


def test_rescaled_draws_follow_the_posterior_under_the_scaled_prior():
    """Prior N(0, 0.3²) to the power a is N(0, 0.3²/a): the posterior mean is 1/0.09 ÷ (a/0.09 + 1/0.09) = 1/(1 + a)."""
    _, tree = conjugate(0.3)
    for power in (0.8, 1.0, 1.25):
        again = rescaled(tree, power, count=2000)["posterior"].to_dataset()["intercept"]
        assert float(again.mean()) == pytest.approx(1 / (1 + power), abs=0.02)


def test_words_that_hang_on_the_prior_are_listed_by_site():
    """The prior holds site S00 at a chance of being better just below the threshold; a weaker one lets it go."""
    settings = params(length="none", rules={"level": 0.9, "minimum_reliability": 0.0})
    panel, tree = conjugate(5.0)
    random = np.random.default_rng(9)
    effect = random.normal(-0.25, 0.2, SIZE)
    posterior = tree["posterior"].to_dataset().copy(deep=True)
    posterior["site_level"][:] = 0.01 * random.normal(size=posterior["site_level"].shape)
    posterior["site_level"][..., 0] = effect.reshape(4, -1)
    tree["posterior"] = xr.DataTree(posterior)
    tree["log_prior"] = xr.DataTree(
        xr.Dataset({"site_sd": (("chain", "draw"), stats.norm.logpdf(effect, 0, 0.2).reshape(4, -1))})
    )
    assert float((effect < 0).mean()) == pytest.approx(0.9, abs=0.03)
    changes = words_that_change(settings, "m", panel, tree)
    assert any(change.startswith("S00 level:") for change in changes)
    assert all(" → " in change for change in changes)
    # and none where the priors are flat
    tree["log_prior"] = xr.DataTree(xr.Dataset({"site_sd": (("chain", "draw"), np.zeros((4, SIZE // 4)))}))
    assert words_that_change(settings, "m", panel, tree) == []


def test_a_jump_is_found_with_its_side():
    panel, tree = panel_and_draws()
    panel.loc[7, "numerator"] = 90.0
    found = diagnostics.jumps(params(), panel, {"m": tree}).query("not passed")
    assert found[["site", "period"]].values.tolist() == [["S01", "2021"]]
    assert found["value"].iloc[0] > 5
    assert "above" in found["message"].iloc[0]
    panel.loc[7, "numerator"] = 0.0  # of 120, where some 22 are usual: the most extreme row, on the other side
    assert diagnostics.jumps(params(), panel, {"m": tree})["value"].iloc[0] < -4


def test_distance_of_a_mean_is_in_its_own_standard_deviations():
    """No draws' uncertainty, se 0.5: a mean of 9 where 6 is predicted lies 6 standard deviations above."""
    panel = panel_of([{"site": "A", "mean": 9.0, "se": 0.5, "weight": 1.0}, {"site": "B", "mean": 6.0, "se": 0.5,
                                                                             "weight": 1.0}])  # fmt: skip
    tree = Draws(panel, family="normal", intercept=6.0).tree()
    found = diagnostics.jumps(params({"family": "normal"}, length="none"), panel, {"m": tree})
    assert found[["site", "passed"]].values.tolist() == [["A", False]]
    assert found["value"].iloc[0] == pytest.approx(6.0)


def test_a_small_count_is_not_called_a_jump_for_its_skewness():
    """4 events where 0.5 are expected: (4 − 0.5)/√0.5 = 4.95 by the sd, but a chance of 1 in 570, which is 2.9."""
    panel = panel_of([{"site": "A", "numerator": 4.0, "denominator": 100.0}, {"site": "B", "denominator": 100.0}])
    tree = Draws(panel, family="poisson", intercept=np.log(0.005)).tree()
    found = diagnostics.jumps(params({"family": "poisson"}, length="none"), panel, {"m": tree})
    assert found["passed"].all()
    assert found["value"].iloc[0] == pytest.approx(stats.norm.isf(stats.poisson.sf(3, 0.5)), abs=1e-6)


def test_jumps_join_the_data_checks_once():
    panel, tree = panel_and_draws()
    columns = ["check", "measure", "site", "period", "level", "passed", "value", "limit", "message"]
    quality = pd.DataFrame([["keys", "m", "", "", "stop", True, 0.0, 0.0, "fine"]], columns=columns)
    once = diagnostics.with_jumps(quality, params(), panel, {"m": tree})
    twice = diagnostics.with_jumps(once, params(), panel, {"m": tree})
    assert list(once.columns) == columns
    assert once["check"].tolist() == ["keys", "implausible_jump"]
    pd.testing.assert_frame_equal(once, twice)


def test_the_table_of_a_run_has_every_gate():
    panel, tree = panel_and_draws()
    tree = with_statistics(tree)
    density = np.zeros((4, SIZE // 4))
    coords = {"chain": np.arange(4), "draw": np.arange(SIZE // 4)}
    tree["log_prior"] = xr.DataTree(xr.Dataset({"intercept": (("chain", "draw"), density)}, coords))
    words = pd.DataFrame({"measure": ["m", "n"], "otherwise": ["", "unclear"]})
    tree.attrs = {"engine": "nuts", "engine_reason": "model.engine: nuts"}
    table = diagnostics.check_all(params(), panel, {"m": tree}, estimates_table(), words, estimates_table())
    assert set(zip(table["engine"], table["engine_reason"], strict=True)) == {("nuts", "model.engine: nuts")}
    assert tuple(table.columns) == diagnostics.COLUMNS
    blocking = table.loc[table["level"] == "blocking", "check"].tolist()
    assert blocking == ["divergences", "energy", "not_a_number", "rhat", "ess_bulk", "ess_tail"]
    assert set(blocking) <= set(CHECKS), "every one has words for its value"
    assert set(table["check"]) - set(blocking) == {
        "predictive_dispersion", "predictive_extreme_row", "predictive_extreme_site", "influence", "prior_sensitivity",
        "borderline",
    }  # fmt: skip
    assert table.set_index("check").loc["borderline", "passed"], "the other measure's words are not this one's"
    assert (table["advice"].str.len() > 20).all()

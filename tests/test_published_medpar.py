"""Arizona Medicare, as published (Hilbe, Negative Binomial Regression; Modeling Count Data), from patients' records."""

import numpy as np
import pytest

from collabeval import classical, contract, fit, panel
from collabeval.casemix.adjust import adjust
from collabeval.laplace.problem import pose, rule
from collabeval.laplace.search import Search
from collabeval.models.design import read_design
from fitting import params_for, whole
from medpar import medpar_params, patients

PUBLISHED = {
    "intercept": 2.268751, "hmo": -0.076374, "died": -0.245740, "age80": -0.021413, "type = 2": 0.249207,
    "type = 3": 0.748692,
}  # fmt: skip
COLUMNS = {"hmo": "hmo", "died": "died", "age80": "age80", "type = 2": "type2", "type = 3": "type3"}
FLAT = {
    "intercept": {"dist": "Normal", "mu": 0.0, "sigma": 1000.0},
    "covariates": {"dist": "Normal", "mu": 0.0, "sigma": 1000.0},
    # the published model has no effect of the hospital
    "site_sd": {"on": "sd", "dist": "Uniform", "lower": 0.0, "upper": 1e-4},
}
OUTSIDE = ["30017", "30035", "30037", "30044", "30060", "30067", "30068", "30073", "32003"]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    params = medpar_params(tmp_path_factory.mktemp("medpar"))
    inputs = contract.read_inputs(params)
    return params, inputs, adjust(params, inputs.records, inputs.outcomes)


def test_the_coefficients_are_the_published_ones(found):
    table = found[2].tables["case_mix_coefficients"].set_index("term")
    assert table["estimate"].to_dict() == pytest.approx(PUBLISHED, abs=5e-7)
    assert table["dispersion"].iloc[0] == pytest.approx(6.2405, abs=5e-5)


def test_hospitals_beyond_the_over_dispersed_limits_are_the_published_nine(found):
    params, inputs, case_mix = found
    rows = panel.build(params, inputs.sites, case_mix.outcomes)
    assert rows["numerator"].sum() == pytest.approx(rows["expected"].sum())
    _, sites = classical.funnel_rows(params, rows, "stay")
    assert len(sites) == 54
    assert classical.fit_funnel(sites, "poisson").between_variance == pytest.approx(0.0284072, abs=5e-8)
    table = classical.funnel_table(params, rows).query("method == 'additive'")
    assert table.loc[table["flag"].str.endswith("_998"), "site"].tolist() == OUTSIDE


def test_with_a_term_for_each_hospital_the_effects_are_those_of_the_conditional_likelihood(found, tmp_path):
    """Given each hospital's total, days are multinomial over its patients: that likelihood has no hospital term."""
    params = medpar_params(tmp_path, sites="fixed")
    inputs = contract.read_inputs(params)
    table = adjust(params, inputs.records, inputs.outcomes).tables["case_mix_coefficients"].set_index("term")
    slopes = table["estimate"].drop("intercept").to_numpy()
    patterns = inputs.records["stay"]
    covariates, cells = patterns.covariates, patterns.cells
    columns = np.column_stack(
        [*(covariates[name] for name in ("hmo", "died", "age80")), *(covariates["type"].eq(level) for level in "23")]
    ).astype(float)[cells["pattern"]]
    weight = cells["cases"].to_numpy() * np.exp(columns @ slopes)
    site = cells["site"].cat.codes.to_numpy()
    share = weight / np.bincount(site, weight)[site]
    total = cells["total"].to_numpy()
    score = columns.T @ (total - np.bincount(site, total)[site] * share)
    assert np.abs(score).max() < 1e-6 * total.sum()


@pytest.fixture(scope="module")
def patterns():
    """Rows and params of the fast engine: days and patients of each pattern of covariates in each hospital."""
    table = patients()
    table = table.assign(type2=table["type"].eq(2) * 1, type3=table["type"].eq(3) * 1, site=table["site"].astype(str))
    rows = table.groupby(["site", *COLUMNS.values()], as_index=False)["los"].agg(["sum", "count"])
    rows = rows.rename(columns={"sum": "numerator", "count": "denominator"}).assign(period="", time=0.0)
    rows = rows.rename(columns={name: f"covariate outcomes.{name}" for name in COLUMNS.values()})
    covariates = {name: {"kind": "linear", "table": "outcomes"} for name in COLUMNS.values()}
    model = {"trend": "none", "trajectory": False, "overdispersion": False, "covariates": covariates, "priors": FLAT}
    return whole(rows), params_for("poisson", {**model, "engine": "laplace"}, draws=1000, chains=2)


def on_published_scale(rows, design, intercept, covariates):
    """Estimates by their published names from those of the standardised model; `covariates` (..., C)."""
    slopes = design.scale * covariates / np.array([term.unit for term in design.covariates.terms])
    by_name = dict(zip((term.covariate for term in design.covariates.terms), np.moveaxis(slopes, -1, 0), strict=True))
    middle = sum(slope * rows[f"covariate outcomes.{name}"].mean() for name, slope in by_name.items())
    return {"intercept": intercept - middle, **{name: by_name[column] for name, column in COLUMNS.items()}}


def test_the_mode_under_flat_priors_is_the_published_maximum_likelihood(patterns):
    rows, params = patterns
    design = read_design(rows, "poisson", params.model)
    search = Search(pose(design), rule(1, 1))
    search(np.zeros(1))
    mode = on_published_scale(rows, design, search.g[0], search.g[1:])
    assert {name: float(value) for name, value in mode.items()} == pytest.approx(PUBLISHED, abs=1.5e-6)


def test_posterior_intervals_contain_the_published_estimates(patterns):
    rows, params = patterns
    design = read_design(rows, "poisson", params.model)
    posterior = fit.sample(rows, "m", params)["posterior"]
    drawn = on_published_scale(rows, design, posterior["intercept"].to_numpy(), posterior["covariates"].to_numpy())
    for name, published in PUBLISHED.items():
        low, high = np.quantile(drawn[name], [0.025, 0.975])
        assert low < published < high, name
        assert np.mean(drawn[name]) == pytest.approx(published, abs=0.15 * np.std(drawn[name])), name

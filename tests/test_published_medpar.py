"""Arizona Medicare, as published (Hilbe, Negative Binomial Regression; Modeling Count Data), from patients' records."""

import numpy as np
import pytest

from collabeval import classical, contract, panel
from collabeval.casemix.adjust import adjust
from medpar import medpar_params

PUBLISHED = {
    "intercept": 2.268751, "hmo": -0.076374, "died": -0.245740, "age80": -0.021413, "type = 2": 0.249207,
    "type = 3": 0.748692,
}  # fmt: skip
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

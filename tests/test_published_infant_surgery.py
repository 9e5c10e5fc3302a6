"""Infant cardiac surgery, twelve hospitals: the posterior means published with the BUGS examples."""

import numpy as np
import pytest
from scipy.special import expit

from collabeval import fit
from collabeval.fit.chains import precision
from fitting import infant_panel, params_for

PUBLISHED = {
    "A": 0.0528, "B": 0.1030, "C": 0.0707, "D": 0.0593, "E": 0.0515, "F": 0.0692,
    "G": 0.0668, "H": 0.1237, "I": 0.0697, "J": 0.0785, "K": 0.1022, "L": 0.0687,
}  # fmt: skip
PUBLISHED_SIGMA = 0.408
BUGS_PRIORS = {
    "intercept": {"dist": "Normal", "mu": 0.0, "sigma": 1000.0},
    "site_sd": {"on": "precision", "dist": "Gamma", "alpha": 0.001, "beta": 0.001},
}


@pytest.fixture(scope="module", params=["nuts", "laplace"])
def tree(request):
    model = {"trend": "none", "trajectory": False, "overdispersion": False, "parametrisation": "centred",
             "engine": request.param, "priors": BUGS_PRIORS}  # fmt: skip
    settings = params_for(model=model, draws=3000, target_accept=0.95, minimum_ess=4000)
    return fit.sample(infant_panel(), "m", settings)


def test_the_fit_is_sound(tree):
    if tree.attrs["engine"] == "laplace":
        assert tree.attrs["pareto_k"] <= tree.attrs["pareto_k_limit"]
        assert tree.attrs["importance_ess"] >= 4000
    else:
        assert tree.attrs["divergences"] == 0
        assert precision(tree["posterior"].to_dataset())[0] >= 4000


def test_the_means_are_the_published_ones(tree):
    posterior = tree["posterior"].to_dataset()
    chance = expit(posterior["intercept"] + posterior["site_level"]).mean(("chain", "draw")).to_series()
    assert {site: round(value, 4) for site, value in chance.items()} == pytest.approx(PUBLISHED, abs=0.002)
    assert np.mean(posterior["site_sd"]) == pytest.approx(PUBLISHED_SIGMA, abs=0.02)

"""Prior densities of the draws, against PyMC's own."""

import numpy as np
import pymc as pm
import pytest
import xarray as xr

from collabeval.models.design import read_design
from collabeval.models.log_prior import LOG_DENSITY, log_prior, top_level
from collabeval.models.priors import DISTRIBUTIONS
from collabeval.params import Model
from collabeval.params.model import DISTRIBUTIONS as NUMBERS_OF

NUMBERS = {"mu": 0.4, "sigma": 0.7, "nu": 4.0, "alpha": 2.5, "beta": 1.5, "lam": 3.0, "lower": 0.05, "upper": 3.0}
POINTS = np.array([0.1, 0.45, 0.9])


@pytest.mark.parametrize("dist", sorted(DISTRIBUTIONS))
def test_each_density_is_pymcs_up_to_a_constant(dist):
    numbers = {name: NUMBERS[name] for name in NUMBERS_OF[dist]}
    ours = LOG_DENSITY[dist](POINTS, numbers)
    theirs = pm.logp(DISTRIBUTIONS[dist].dist(**numbers), POINTS).eval()
    np.testing.assert_allclose(ours - ours[0], theirs - theirs[0], rtol=1e-9, atol=1e-9)


def design_of(priors):
    import pandas as pd

    panel = pd.DataFrame({"site": ["A", "B"], "period": "", "time": 0.0, "numerator": [3.0, 5.0], "denominator": 50.0})
    return read_design(panel, "binomial", Model.model_validate({"priors": priors}))


def test_a_prior_is_taken_on_the_scale_it_names():
    """precision ~ Gamma(2, 3) at sd 0.5 is the density at 1/0.25 = 4."""
    design = design_of({"site_sd": {"on": "precision", "dist": "Gamma", "alpha": 2.0, "beta": 3.0}})
    draws = xr.Dataset({"site_sd": (("chain", "draw"), [[0.5, 1.0]])}, {"chain": [0], "draw": [0, 1]})
    found = log_prior(draws, design)["site_sd"].to_numpy()[0]
    expected = pm.logp(pm.Gamma.dist(2.0, 3.0), np.array([4.0, 1.0])).eval()
    np.testing.assert_allclose(np.diff(found), np.diff(expected))


def test_a_correlation_under_a_beta_prior_is_moved_to_between_0_and_1():
    draws = xr.Dataset({"site_correlation": (("chain", "draw"), [[0.0, 0.6]])}, {"chain": [0], "draw": [0, 1]})
    found = log_prior(draws, design_of({}))["site_correlation"].to_numpy()[0]
    assert np.diff(found)[0] == pytest.approx(np.log(0.8 * 0.2) - np.log(0.5 * 0.5))


def test_every_random_variable_at_the_top_of_the_models_has_its_density():
    """What the models draw beyond effects of sites, cells and steps is what `top_level` covers."""
    import pandas as pd

    from collabeval.models.families import MODELS

    rows = [(site, str(2015 + year), float(year)) for site in "ABCD" for year in range(5)]
    panel = pd.DataFrame(rows, columns=["site", "period", "time"])
    panel = panel.assign(mean=np.linspace(4, 6, 20), sd=1.0, n=30.0, weight=30.0, numerator=4.0, denominator=40.0)
    for family in ("binomial", "poisson", "normal"):
        for settings in (Model(), Model(site_effects="student_t", trend="linear")):
            model = MODELS[family](panel, settings)
            top = {variable.name.removesuffix("_half") for variable in model.free_RVs}
            effects = {name for name in top if name.endswith("_raw")}
            assert top - effects <= set(top_level(read_design(panel, family, settings)))

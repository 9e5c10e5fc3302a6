"""Log-density of the top-level priors in each draw, for asking how much the results lean on them.

Only parameters at the top of the model count: scaling the distribution of the site effects themselves would ask about
the model, not about its priors (Kallioinen et al. 2024). Densities are on the scale each prior names, up to a constant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from collabeval.models.design import Design, default_intercept
from collabeval.params import Prior
from collabeval.params.defaults import DEFAULTS

Numbers = Mapping[str, float]


def _normal(x: np.ndarray, prior: Numbers) -> np.ndarray:
    return -0.5 * ((x - prior.get("mu", 0.0)) / prior["sigma"]) ** 2


def _student(x: np.ndarray, prior: Numbers) -> np.ndarray:
    standard = (x - prior.get("mu", 0.0)) / prior["sigma"]
    return -(prior["nu"] + 1) / 2 * np.log1p(standard**2 / prior["nu"])


def _cauchy(x: np.ndarray, prior: Numbers) -> np.ndarray:
    return -np.log1p(((x - prior.get("alpha", 0.0)) / prior["beta"]) ** 2)


# written out up to a constant: scipy.stats takes longer to load than a small model takes to sample
LOG_DENSITY: dict[str, Callable[[np.ndarray, Numbers], np.ndarray]] = {
    "Normal": _normal,
    "HalfNormal": _normal,
    "StudentT": _student,
    "HalfStudentT": _student,
    "Cauchy": _cauchy,
    "HalfCauchy": _cauchy,
    "Gamma": lambda x, prior: (prior["alpha"] - 1) * np.log(x) - prior["beta"] * x,
    "InverseGamma": lambda x, prior: -(prior["alpha"] + 1) * np.log(x) - prior["beta"] / x,
    "Exponential": lambda x, prior: -prior["lam"] * x,
    "Uniform": lambda x, prior: np.zeros_like(x),
    "LogNormal": lambda x, prior: _normal(np.log(x), prior) - np.log(x),
    "Beta": lambda x, prior: (prior["alpha"] - 1) * np.log(x) + (prior["beta"] - 1) * np.log1p(-x),
}
FROM_SD: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "value": lambda sd: sd,
    "sd": lambda sd: sd,
    "variance": lambda sd: sd**2,
    "precision": lambda sd: sd**-2.0,
    "log_sd": np.log,
}


def log_prior(posterior: xr.Dataset, design: Design) -> xr.Dataset:
    """Log-density of the prior of every top-level parameter in the draws, (chain, draw) each."""
    densities = {}
    for name, prior in top_level(design).items():
        if name in posterior:
            values = posterior[name].to_numpy()
            if name == "site_correlation" and prior.dist == "Beta":
                values = (values + 1) / 2
            density = LOG_DENSITY[prior.dist](FROM_SD[prior.on](values), prior.numbers)
            densities[name] = (("chain", "draw"), density.reshape(*values.shape[:2], -1).sum(axis=-1))
    return xr.Dataset(densities, {"chain": posterior["chain"], "draw": posterior["draw"]})


def top_level(design: Design) -> dict[str, Prior]:
    """The prior of each top-level parameter a model may have: the params' own where given, else the default."""
    own = {name: prior for name, prior in design.settings.priors if prior is not None}
    return {
        "intercept": default_intercept(design),
        "residual_sd_typical": Prior(dist="LogNormal", mu=float(np.log(design.scale)), sigma=1.0),
        "residual_sd_spread": Prior(dist="HalfNormal", sigma=0.5),
        **DEFAULTS,
        **own,
    }

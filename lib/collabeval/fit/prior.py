"""Log-density of the top-level priors in each draw, for asking how much the results lean on them.

Only parameters at the top of the model count: scaling the distribution of the site effects themselves would ask about
the model, not about its priors (Kallioinen et al. 2024). Densities are on the scale each prior names, up to a constant.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from scipy import stats

from collabeval.models.design import Design
from collabeval.models.priors import DEFAULTS
from collabeval.models.terms import default_intercept
from collabeval.params import Prior

LogDensity = Callable[[np.ndarray, Prior], np.ndarray]

LOG_DENSITY: dict[str, LogDensity] = {
    "Normal": lambda x, prior: stats.norm.logpdf(x, prior.mu, prior.sigma),
    "HalfNormal": lambda x, prior: stats.halfnorm.logpdf(x, scale=prior.sigma),
    "StudentT": lambda x, prior: stats.t.logpdf(x, prior.nu, prior.mu, prior.sigma),
    "HalfStudentT": lambda x, prior: stats.t.logpdf(x, prior.nu, scale=prior.sigma),
    "Cauchy": lambda x, prior: stats.cauchy.logpdf(x, prior.alpha, prior.beta),
    "HalfCauchy": lambda x, prior: stats.halfcauchy.logpdf(x, scale=prior.beta),
    "Gamma": lambda x, prior: stats.gamma.logpdf(x, prior.alpha, scale=1 / (prior.beta or 1.0)),
    "InverseGamma": lambda x, prior: stats.invgamma.logpdf(x, prior.alpha, scale=prior.beta),
    "Exponential": lambda x, prior: stats.expon.logpdf(x, scale=1 / (prior.lam or 1.0)),
    "Uniform": lambda x, prior: np.zeros_like(x),
    "LogNormal": lambda x, prior: stats.lognorm.logpdf(x, prior.sigma, scale=np.exp(prior.mu or 0.0)),
    "Beta": lambda x, prior: stats.beta.logpdf(x, prior.alpha, prior.beta),
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
            drawn = FROM_SD[prior.on](values)
            densities[name] = (("chain", "draw"), LOG_DENSITY[prior.dist](drawn, prior))
    return xr.Dataset(densities, {"chain": posterior["chain"], "draw": posterior["draw"]})


def top_level(design: Design) -> dict[str, Prior]:
    """The prior of each top-level parameter a model may have: the params' own where given, else the default."""
    own = {name: prior for name, prior in design.settings.priors if prior is not None}
    return {
        "intercept": default_intercept(design),
        "site_correlation": Prior(dist="Beta", alpha=2.0, beta=2.0),
        "residual_sd_typical": Prior(dist="LogNormal", mu=float(np.log(design.scale)), sigma=1.0),
        "residual_sd_spread": Prior(dist="HalfNormal", sigma=0.5),
        **DEFAULTS,
        **own,
    }

"""Default priors, and overrides of them on the scale the params name."""

from __future__ import annotations

from collections.abc import Callable

import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from collabeval.params import Prior
from collabeval.params.defaults import DEFAULTS

DISTRIBUTIONS: dict[str, type[pm.Distribution]] = {
    "Normal": pm.Normal,
    "HalfNormal": pm.HalfNormal,
    "StudentT": pm.StudentT,
    "HalfStudentT": pm.HalfStudentT,
    "Cauchy": pm.Cauchy,
    "HalfCauchy": pm.HalfCauchy,
    "Gamma": pm.Gamma,
    "InverseGamma": pm.InverseGamma,
    "Exponential": pm.Exponential,
    "Uniform": pm.Uniform,
    "LogNormal": pm.LogNormal,
    "Beta": pm.Beta,
}
TO_SD: dict[str, Callable[[TensorVariable], TensorVariable]] = {
    "variance": pt.sqrt,
    "precision": lambda precision: 1 / pt.sqrt(precision),
    "log_sd": pt.exp,
}


def random(name: str, prior: Prior) -> TensorVariable:
    """A random variable of the open model with this prior."""
    return DISTRIBUTIONS[prior.dist](name, **prior.numbers)


def standard_deviation(name: str, override: Prior | None) -> TensorVariable:
    """A standard deviation whose prior may stand on the sd, the variance, the precision or the log sd.

    The variable is drawn on the scale its prior names and then turned into an sd, so no Jacobian is needed.
    """
    prior = override or DEFAULTS[name]
    if prior.on in ("sd", "value"):
        return random(name, prior)
    return pm.Deterministic(name, TO_SD[prior.on](random(f"{name}_{prior.on}", prior)))


def correlation(override: Prior | None) -> TensorVariable:
    """Correlation of level and trajectory: 2 Beta(2, 2) − 1, which is LKJ(2) for two effects.

    A Beta override is stretched onto −1 to 1 likewise; a Uniform one is on the correlation itself.
    """
    prior = override or DEFAULTS["site_correlation"]
    if prior.dist == "Beta":
        return pm.Deterministic("site_correlation", 2 * random("site_correlation_half", prior) - 1)
    return random("site_correlation", prior)


def covariate_effects(override: Prior | None) -> TensorVariable:
    """Effects of the covariates (P,), each with the same prior: of one sd of a number, or a level's difference."""
    prior = override or DEFAULTS["covariates"]
    return DISTRIBUTIONS[prior.dist]("covariates", **prior.numbers, dims="covariate")


def degrees_of_freedom(override: Prior | None) -> TensorVariable:
    """ν of Student-t site effects: Gamma(2, 0.1) cut off below 2, so that the variance exists."""
    prior = override or DEFAULTS["degrees_of_freedom"]
    return pm.Truncated("degrees_of_freedom", DISTRIBUTIONS[prior.dist].dist(**prior.numbers), lower=2.0)

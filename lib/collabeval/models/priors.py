"""Default priors, and overrides of them on the scale the params name."""

from __future__ import annotations

from typing import Any

import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from collabeval.errors import ParamsError, Problem
from collabeval.params import Prior

SCALES = ("trend_sd", "site_sd", "trajectory_sd", "overdispersion_sd")

DEFAULTS = {
    "trend_sd": Prior(on="sd", dist="HalfNormal", sigma=0.2),
    "trend_slope": Prior(dist="Normal", mu=0.0, sigma=0.2),
    "site_sd": Prior(on="sd", dist="HalfNormal", sigma=0.5),
    "trajectory_sd": Prior(on="sd", dist="HalfNormal", sigma=0.1),
    "overdispersion_sd": Prior(on="sd", dist="HalfNormal", sigma=0.5),
    "degrees_of_freedom": Prior(dist="Gamma", alpha=2.0, beta=0.1),
}

DISTRIBUTIONS: dict[str, tuple[type[pm.Distribution], tuple[str, ...]]] = {
    "Normal": (pm.Normal, ("mu", "sigma")),
    "HalfNormal": (pm.HalfNormal, ("sigma",)),
    "StudentT": (pm.StudentT, ("nu", "mu", "sigma")),
    "HalfStudentT": (pm.HalfStudentT, ("nu", "sigma")),
    "Cauchy": (pm.Cauchy, ("alpha", "beta")),
    "HalfCauchy": (pm.HalfCauchy, ("beta",)),
    "Gamma": (pm.Gamma, ("alpha", "beta")),
    "InverseGamma": (pm.InverseGamma, ("alpha", "beta")),
    "Exponential": (pm.Exponential, ("lam",)),
    "Uniform": (pm.Uniform, ("lower", "upper")),
    "LogNormal": (pm.LogNormal, ("mu", "sigma")),
    "Beta": (pm.Beta, ("alpha", "beta")),
}
POSITIVE = ("HalfNormal", "HalfStudentT", "HalfCauchy", "Gamma", "InverseGamma", "Exponential", "Uniform", "LogNormal")

TO_SD = {
    "variance": lambda value: pt.sqrt(value),
    "precision": lambda value: 1 / pt.sqrt(value),
    "log_sd": lambda value: pt.exp(value),
}


def numbers(name: str, prior: Prior) -> dict[str, float]:
    """The distribution's parameters, refused unless they are exactly the ones it takes."""
    _, wanted = DISTRIBUTIONS[prior.dist]
    given = {key: value for key, value in prior.model_dump(exclude={"on", "dist"}).items() if value is not None}
    if set(given) != set(wanted):
        what = f"{prior.dist} takes {', '.join(wanted)}, found {', '.join(given) or 'nothing'}"
        raise ParamsError([Problem("params", what, column=f"model.priors.{name}")])
    return given


def random(variable: str, name: str, prior: Prior, **kwargs: Any) -> TensorVariable:
    """A random variable of the model with this prior, called `variable`."""
    distribution, _ = DISTRIBUTIONS[prior.dist]
    return distribution(variable, **numbers(name, prior), **kwargs)


def value(name: str, override: Prior | None, default: Prior | None = None) -> TensorVariable:
    """A parameter that is given a prior as it stands (`on: value`): intercept, slope, correlation."""
    prior = override or default or DEFAULTS[name]
    if prior.on != "value":
        raise ParamsError([Problem("params", f"{name} is set on: value only", column=f"model.priors.{name}.on")])
    return random(name, name, prior)


def standard_deviation(name: str, override: Prior | None) -> TensorVariable:
    """A standard deviation whose prior may stand on the sd, variance, precision or log sd.

    The variable is drawn on the scale its prior names and turned into an sd, so no Jacobian is needed.
    """
    prior = override or DEFAULTS[name]
    if prior.on == "log_sd":
        return pm.Deterministic(name, pt.exp(random(f"{name}_log", name, prior)))
    if prior.dist not in POSITIVE or (prior.dist == "Uniform" and (prior.lower or 0.0) < 0):
        what = f"{prior.dist} allows negative values; {name} on: {prior.on} takes one of {', '.join(POSITIVE)}"
        raise ParamsError([Problem("params", what, column=f"model.priors.{name}.dist")])
    if prior.on in ("sd", "value"):
        return random(name, name, prior)
    return pm.Deterministic(name, TO_SD[prior.on](random(f"{name}_{prior.on}", name, prior)))


def correlation(override: Prior | None) -> TensorVariable:
    """Correlation of level and trajectory: 2 Beta(2, 2) − 1, which is LKJ(2) for two effects.

    An override is on the correlation itself; a Beta override, on (ρ + 1)/2.
    """
    prior = override or Prior(dist="Beta", alpha=2.0, beta=2.0)
    if prior.dist == "Beta":
        return pm.Deterministic("site_correlation", 2 * random("site_correlation_half", "site_correlation", prior) - 1)
    if prior.dist == "Uniform":
        return random("site_correlation", "site_correlation", prior)
    free = DISTRIBUTIONS[prior.dist][0].dist(**numbers("site_correlation", prior))
    return pm.Truncated("site_correlation", free, lower=-1.0, upper=1.0)


def degrees_of_freedom(override: Prior | None) -> TensorVariable:
    """ν of Student-t site effects: Gamma(2, 0.1) cut off below 2, so that the variance exists."""
    prior = override or DEFAULTS["degrees_of_freedom"]
    free = DISTRIBUTIONS[prior.dist][0].dist(**numbers("degrees_of_freedom", prior))
    return pm.Truncated("degrees_of_freedom", free, lower=2.0)

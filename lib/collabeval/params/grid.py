"""The grid of other priors and likelihoods that `collabeval compare --sensitivity` fits: each changes one thing."""

from __future__ import annotations

import math
from collections.abc import Iterator

from collabeval.params import Params
from collabeval.params.defaults import DEFAULTS
from collabeval.params.model import Model, Prior

FACTORS = {"halved": 0.5, "doubled": 2.0}
TRENDS = ("none", "linear", "random_walk")
# how each distribution of a standard deviation is stretched: numbers multiplied by the factor, or divided by it
MULTIPLIED = {
    "HalfNormal": ("sigma",), "HalfStudentT": ("sigma",), "HalfCauchy": ("beta",), "InverseGamma": ("beta",),
    "Uniform": ("lower", "upper"),
}  # fmt: skip
DIVIDED = {"Gamma": ("beta",), "Exponential": ("lam",)}
SHIFTED = {"Normal": ("mu",), "StudentT": ("mu",), "Cauchy": ("alpha",), "Uniform": ("lower", "upper")}
POWERS = {"value": 1.0, "sd": 1.0, "variance": 2.0, "precision": -2.0}  # of the sd, on which a prior may stand


def with_grid(params: Params) -> Params:
    """The same evaluation with the grid in place of `compare`, so that it is quick by `auto` and each measure alone."""
    model = params.model.model_copy(update={"engine": "auto", "together": ()})
    return params.model_copy(update={"model": model, "compare": grid(model, params.periods.length != "none")})


def grid(model: Model, over_time: bool) -> dict[str, Model]:
    """The models of the grid by name; what only time can show is left out where the data have no periods."""
    found = {name: model.model_copy(update={"priors": model.priors.model_copy(update=priors)})
             for name, priors in _priors(model, over_time)}  # fmt: skip
    options: list[tuple[str, str | bool]] = [("site_effects", name) for name in ("normal", "student_t")]
    if over_time:
        options += [("trend", name) for name in TRENDS]
        options += [("overdispersion", value) for value in (True, False)]
    for option, value in options:
        if getattr(model, option) != value:
            said = value if isinstance(value, str) else ("off", "on")[value]
            found[f"{option}_{said}"] = model.model_copy(update={option: value})
    return found


def _priors(model: Model, over_time: bool) -> Iterator[tuple[str, dict[str, Prior]]]:
    """Name and override of each prior on a spread between sites, slopes or periods, halved and doubled."""
    names = ["site_sd"]
    if over_time and model.trajectory:
        names.append("trajectory_sd")
    if over_time and model.overdispersion is not False:
        names.append("overdispersion_sd")
    for name in names:
        for said, factor in FACTORS.items():
            prior = scaled(getattr(model.priors, name) or DEFAULTS[name], factor)
            if prior is not None:
                yield f"{name}_{said}", {name: prior}


def scaled(prior: Prior, factor: float) -> Prior | None:
    """The prior on a standard deviation stretched, so that every quantile of the sd is `factor` times as large.

    None for a distribution that has no stretched form of its own kind: a Beta, or half a distribution on `log_sd`.
    """
    if prior.on == "log_sd":
        names, change = SHIFTED.get(prior.dist, ()), math.log(factor)
        return _changed(prior, {name: getattr(prior, name) + change for name in names})
    factor = factor ** POWERS[prior.on]
    if prior.dist == "LogNormal":
        return _changed(prior, {"mu": prior.numbers["mu"] + math.log(factor)})
    numbers = {name: getattr(prior, name) * factor for name in MULTIPLIED.get(prior.dist, ())}
    return _changed(prior, numbers | {name: getattr(prior, name) / factor for name in DIVIDED.get(prior.dist, ())})


def _changed(prior: Prior, numbers: dict[str, float]) -> Prior | None:
    return prior.model_copy(update=numbers) if numbers else None

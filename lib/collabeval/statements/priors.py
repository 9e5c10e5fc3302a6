"""The priors a run used, in words: the defaults of the models with what params override."""

from __future__ import annotations

from collections.abc import Iterator

from collabeval.disclosure import MeasureView
from collabeval.models.correlation import CORRELATION, SHAPE
from collabeval.params import Model, Prior
from collabeval.params.defaults import DEFAULTS

MEANINGS = {
    "intercept": "level of the collaborative",
    "trend_sd": "a year’s step of the trend (standard deviation)",
    "trend_slope": "slope of the trend per year",
    "site_sd": "differences between sites (standard deviation)",
    "trajectory_sd": "differences between the slopes of sites, per year (standard deviation)",
    "site_correlation": "correlation of level and slope",
    "overdispersion_sd": "a site’s ups and downs from period to period (standard deviation)",
    "degrees_of_freedom": "how heavy the tails of the site effects are (degrees of freedom)",
    "covariates": "effect of a covariate, of one standard deviation or of a level",
}
TOGETHER = "correlation of the levels of a site over the measures that are fitted together"  # its prior is not params'
SCALES = {"variance": "the variance", "precision": "the precision, 1 ÷ variance", "log_sd": "the logarithm"}


def used(model: Model, views: tuple[MeasureView, ...], over_time: bool) -> Iterator[tuple[str, str, str, bool]]:
    """Name, meaning, prior in words, and whether params set it, for every parameter the models may have."""
    for name in _names(model, over_time):
        override = getattr(model.priors, name)
        text = described(override or DEFAULTS[name], name) if override or name in DEFAULTS else _intercept(views)
        yield name, MEANINGS[name], text, override is not None
    if model.together:
        yield CORRELATION, TOGETHER, f"LKJ(eta = {SHAPE:g})", False


def _names(model: Model, over_time: bool) -> list[str]:
    names = ["intercept"]
    if over_time and model.trend != "none":
        names.append("trend_sd" if model.trend == "random_walk" else "trend_slope")
    names.append("site_sd")
    if over_time and model.trajectory:
        names += ["trajectory_sd", "site_correlation"]
    if model.overdispersion is True or (over_time and model.overdispersion == "auto"):
        names.append("overdispersion_sd")
    if model.site_effects == "student_t":
        names.append("degrees_of_freedom")
    if model.covariates:
        names.append("covariates")
    return names


def described(prior: Prior, name: str = "") -> str:
    """ "HalfNormal(sigma = 0.5)"; on another scale "Gamma(alpha = 1, beta = 1) on the precision, 1 ÷ variance"."""
    given = prior.model_dump(exclude={"on", "dist"}, exclude_none=True)
    text = f"{prior.dist}({', '.join(f'{key} = {value:g}' for key, value in given.items())})"
    if prior.on in SCALES:
        return f"{text} on {SCALES[prior.on]}"
    if name == "site_correlation" and prior.dist == "Beta":
        return f"{text}, stretched from 0 to 1 onto −1 to 1"
    return f"{text}, cut off below 2" if name == "degrees_of_freedom" else text


def _intercept(views: tuple[MeasureView, ...]) -> str:
    """The default of the level depends on the data it stands for."""
    kinds = []
    if any(not view.is_mean and not view.adjusted for view in views):
        kinds.append("Normal about the overall level of the data, sd 1.5")
    if any(not view.is_mean and view.adjusted for view in views):
        kinds.append("with predicted numbers given: Normal about the overall ratio to them, sd 1")
    if any(view.is_mean for view in views):
        kinds.append("for means: Normal about the pooled mean, 2.5 standard deviations wide")
    return "; ".join(kinds)

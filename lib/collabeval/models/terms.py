"""Terms that the models share: programme trend, site level and trajectory, cell-to-cell variation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from collabeval.models import priors
from collabeval.models.design import Design, default_intercept
from collabeval.models.forms import forms


def coordinates(design: Design) -> dict[str, Sequence[object]]:
    """The coordinates of every dim of a model."""
    found: dict[str, Sequence[object]] = {
        "site": list(design.sites), "period": list(design.periods), "cell": range(design.cells),
    }  # fmt: skip
    return found | ({"covariate": design.covariates.names} if design.covariates.terms else {})


def linear_predictor(design: Design) -> TensorVariable:
    """η of each cell (N,), declared in the open PyMC model.

        η[cell] = offset + intercept + scale · (trend[period] + adjusted covariates[cell] + site_level[site]
                  + site_slope[site] · (time − mean_time) + overdispersion[cell])

    On the log-odds or log-rate scale; for `normal` in the measure's unit, the effects in units of the pooled sd.

    Effects that the data hold are drawn as sums with what they vary about (`centred`, models/forms.py): then the parts
    of a sum, which the data tie together, do not pull at each other (Gelfand, Sahu & Carlin 1995).
    """
    overrides, form = design.settings.priors, forms(design)
    intercept = priors.random("intercept", overrides.intercept or default_intercept(design))
    mean = intercept / design.scale
    trend = programme_trend(design, form.trend)
    explained, adjusted = covariate_terms(design)
    level, standard = site_level(design, mean, explained, form.level)
    mean = mean + trend[design.period_index] + adjusted + level[design.site_index]
    if design.trajectory:
        slope = site_slope(design, standard, trend, form.slope)
        mean = mean + slope[design.site_index] * design.years
    if design.overdispersion:
        mean = mean + overdispersion(design, mean, form.cells)
    return design.offset + design.scale * mean


def programme_trend(design: Design, centred: bool) -> TensorVariable:
    """Trend of the whole programme over the observed periods (T,); its mean is zero, so the intercept is the level.

        trend[t + 1] − trend[t] ~ Normal(0, trend_sd · √(years between them))

    Centred, the trend itself is drawn, as coordinates in the space of vectors with mean zero; else its steps are.
    """
    overrides = design.settings.priors
    if design.trend == "none":
        return pt.zeros(len(design.time))
    if design.trend == "linear":
        slope = priors.random("trend_slope", overrides.trend_slope or priors.DEFAULTS["trend_slope"])
        return pm.Deterministic("trend", slope * (design.time - design.time.mean()), dims="period")
    sd = priors.standard_deviation("trend_sd", overrides.trend_sd)
    years, steps = np.sqrt(np.diff(design.time)), len(design.time) - 1
    if centred:
        trend = pt.dot(mean_zero_basis(steps + 1), pm.Flat("trend_raw", shape=steps))
        pm.Potential("trend_steps", pm.logp(pm.Normal.dist(0, sd * years), trend[1:] - trend[:-1]))
    else:
        walk = pt.concatenate([[0.0], pt.cumsum(sd * years * pm.Normal("trend_raw", 0, 1, shape=steps))])
        trend = walk - walk.mean()
    return pm.Deterministic("trend", trend, dims="period")


def mean_zero_basis(size: int) -> np.ndarray:
    """Orthonormal vectors that span all with mean zero (size, size − 1)."""
    steps = np.eye(size)[:, 1:] - np.eye(size)[:, :-1]
    return np.linalg.qr(steps)[0]


def covariate_terms(design: Design) -> tuple[TensorVariable, TensorVariable]:
    """What covariates explain of each site's level (J,), and what is adjusted for in each cell (N,); 0 without any.

    covariates[k] ~ Normal(0, 1)
    """
    if not design.covariates.terms:
        return pt.zeros(len(design.sites)), pt.zeros(design.cells)
    effects = priors.covariate_effects(design.settings.priors.covariates)
    return pt.dot(design.site_covariates, effects), pt.dot(design.cell_covariates, effects)


def site_level(
    design: Design, mean: TensorVariable, explained: TensorVariable, centred: bool
) -> tuple[TensorVariable, TensorVariable]:
    """Level of each site (J,), and its own part, beyond what covariates explain, divided by its standard deviation.

        site_level[j] − explained[j] ~ Normal(0, site_sd)   or   StudentT(degrees_of_freedom, 0, site_sd)

    Centred, `mean + site_level` is drawn, else its own part in units of `site_sd`.
    """
    sd = priors.standard_deviation("site_sd", design.settings.priors.site_sd)
    effect: Callable[..., TensorVariable] = pm.Normal
    spread = sd
    if design.settings.site_effects == "student_t":
        shape = priors.degrees_of_freedom(design.settings.priors.degrees_of_freedom)
        effect, spread = partial(pm.StudentT, nu=shape), sd * pt.sqrt(shape / (shape - 2))
    if centred:
        level = effect("site_mean_raw", mu=mean + explained, sigma=sd, dims="site") - mean
    else:
        level = explained + sd * effect("site_level_raw", mu=0.0, sigma=1.0, dims="site")
    return pm.Deterministic("site_level", level, dims="site"), (level - explained) / spread


def site_slope(design: Design, standard: TensorVariable, trend: TensorVariable, centred: bool) -> TensorVariable:
    """Trajectory of each site (J,), its slope per year beside the programme's trend.

        site_slope[j] | own part of site_level[j] ~ Normal(ρ · trajectory_sd · own part / its sd,
                                                           trajectory_sd · √(1 − ρ²))

    With Normal levels this is the bivariate normal with correlation ρ, written out because a 2 × 2 matrix compiles
    several times faster so than through an LKJ Cholesky factor. Centred, the trend's own slope + `site_slope` is drawn.
    """
    overrides = design.settings.priors
    sd = priors.standard_deviation("trajectory_sd", overrides.trajectory_sd)
    rho = priors.correlation(overrides.site_correlation)
    mean, own_sd = sd * rho * standard, sd * pt.sqrt(1 - rho**2)
    if centred:
        years = design.time - design.time.mean()
        drift = pt.dot(years / np.sum(years**2), trend)
        slope = pm.Normal("site_drift_raw", drift + mean, own_sd, dims="site") - drift
    else:
        slope = mean + own_sd * pm.Normal("site_slope_raw", 0, 1, dims="site")
    return pm.Deterministic("site_slope", slope, dims="site")


def overdispersion(design: Design, mean: TensorVariable, centred: bool) -> TensorVariable:
    """Variation of each cell beyond level, slope and trend (N,): Normal(0, overdispersion_sd).

    Centred, `mean + overdispersion` is drawn, else the variation in units of `overdispersion_sd`.
    """
    sd = priors.standard_deviation("overdispersion_sd", design.settings.priors.overdispersion_sd)
    if centred:
        cell = pm.Normal("cell_mean_raw", mean, sd, dims="cell") - mean
    else:
        cell = sd * pm.Normal("overdispersion_raw", 0, 1, dims="cell")
    return pm.Deterministic("overdispersion", cell, dims="cell")

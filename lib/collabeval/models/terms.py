"""Terms that the models share: programme trend, site level and trajectory, cell-to-cell variation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from collabeval.models import priors
from collabeval.models.design import Design
from collabeval.params import Prior


def linear_predictor(design: Design) -> TensorVariable:
    """η of each cell (N,), declared in the open PyMC model.

        η[cell] = offset + intercept + scale · (trend[period] + site_level[site]
                  + site_slope[site] · (time − mean_time) + overdispersion[cell])

    On the log-odds or log-rate scale; for `normal` in the measure's unit, the effects in units of the pooled sd.
    """
    overrides = design.settings.priors
    intercept = priors.random("intercept", overrides.intercept or default_intercept(design))
    effects = site_effects(design, intercept)
    if design.trend != "none":
        effects = effects + programme_trend(design)[design.period_index]
    if design.overdispersion:
        effects = effects + overdispersion(design)
    return design.offset + intercept + design.scale * effects


def default_intercept(design: Design) -> Prior:
    """Normal about the overall level: sd 1.5 on a link scale, 1 against expected, 2.5 pooled sd for `normal`."""
    if design.family == "normal":
        return Prior(dist="Normal", mu=design.typical, sigma=2.5 * design.scale)
    return Prior(dist="Normal", mu=design.typical, sigma=1.0 if design.has_expected else 1.5)


def programme_trend(design: Design) -> TensorVariable:
    """Trend of the whole programme over the observed periods (T,); its mean is zero, so the intercept is the level."""
    overrides = design.settings.priors
    if design.trend == "linear":
        slope = priors.random("trend_slope", overrides.trend_slope or priors.DEFAULTS["trend_slope"])
        return pm.Deterministic("trend", slope * (design.time - design.time.mean()), dims="period")
    sd = priors.standard_deviation("trend_sd", overrides.trend_sd)
    step = pm.Normal("trend_raw", 0, 1, shape=len(design.time) - 1)
    walk = pt.concatenate([[0.0], pt.cumsum(step * np.sqrt(np.diff(design.time)))])
    return pm.Deterministic("trend", sd * (walk - walk.mean()), dims="period")


def is_centred(design: Design) -> bool:
    """Whether site levels are drawn as they are (centred) or scaled from standard ones.

    `auto`: centred where the data outweigh the pooling (`Design.pull` above 1). Measured on 30 sites, the better form
    has 2 to 100 times the effective draws per gradient, and the two cross near 1 (docs/methods.md).
    """
    if design.settings.parametrisation != "auto":
        return design.settings.parametrisation == "centred"
    return design.pull > 1


def site_effects(design: Design, intercept: TensorVariable) -> TensorVariable:
    """u of each cell before overdispersion (N,): partially pooled level and, with `trajectory`, slope per year.

        site_level[j] ~ Normal(0, site_sd)   or   StudentT(degrees_of_freedom, 0, site_sd)
        site_slope[j] | site_level[j] ~ Normal(ρ · trajectory_sd · site_level[j] / sd(site_level),
                                               trajectory_sd · √(1 − ρ²))

    which for Normal levels is the bivariate normal with correlation ρ, written out because a 2 × 2 matrix
    compiles several times faster so than through an LKJ Cholesky factor.
    """
    overrides = design.settings.priors
    sd = priors.standard_deviation("site_sd", overrides.site_sd)
    level, standard = site_level(design, sd, intercept)
    if not design.trajectory:
        return level[design.site_index]
    slope_sd = priors.standard_deviation("trajectory_sd", overrides.trajectory_sd)
    rho = priors.correlation(overrides.site_correlation)
    own = pm.Normal("site_slope_raw", 0, 1, dims="site")
    slope = pm.Deterministic("site_slope", slope_sd * (rho * standard + pt.sqrt(1 - rho**2) * own), dims="site")
    return level[design.site_index] + slope[design.site_index] * design.years


def site_level(design: Design, sd: TensorVariable, intercept: TensorVariable) -> tuple[TensorVariable, TensorVariable]:
    """Level of each site (J,), and the same divided by its standard deviation.

    Centred means hierarchically centred: `intercept + site_level` is what is drawn, so that the intercept and the
    levels, which the data tie together, do not pull at each other (Gelfand, Sahu & Carlin 1995).
    """
    effect: Callable[..., TensorVariable] = pm.Normal
    spread = sd
    if design.settings.site_effects == "student_t":
        shape = priors.degrees_of_freedom(design.settings.priors.degrees_of_freedom)
        effect, spread = partial(pm.StudentT, nu=shape), sd * pt.sqrt(shape / (shape - 2))
    if is_centred(design):
        centre = intercept / design.scale
        level = effect("site_mean_raw", mu=centre, sigma=sd, dims="site") - centre
    else:
        level = sd * effect("site_level_raw", mu=0.0, sigma=1.0, dims="site")
    return pm.Deterministic("site_level", level, dims="site"), level / spread


def overdispersion(design: Design) -> TensorVariable:
    """Variation of each cell beyond level, slope and trend (N,): Normal(0, overdispersion_sd)."""
    sd = priors.standard_deviation("overdispersion_sd", design.settings.priors.overdispersion_sd)
    return pm.Deterministic("overdispersion", sd * pm.Normal("overdispersion_raw", 0, 1, dims="cell"), dims="cell")

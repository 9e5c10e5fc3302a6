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
from collabeval.models.forms import Forms, forms
from collabeval.params import Prior


def linear_predictor(design: Design) -> TensorVariable:
    """η of each cell (N,), declared in the open PyMC model.

        η[cell] = offset + intercept + scale · (trend[period] + site_level[site]
                  + site_slope[site] · (time − mean_time) + overdispersion[cell])

    On the log-odds or log-rate scale; for `normal` in the measure's unit, the effects in units of the pooled sd.
    """
    overrides = design.settings.priors
    intercept = priors.random("intercept", overrides.intercept or default_intercept(design))
    form = forms(design)
    effects = site_effects(design, intercept, form)
    if design.trend != "none":
        effects = effects + programme_trend(design, form.trend)[design.period_index]
    if design.overdispersion:
        effects = effects + overdispersion(design, form.cells)
    return design.offset + intercept + design.scale * effects


def default_intercept(design: Design) -> Prior:
    """Normal about the overall level: sd 1.5 on a link scale, 1 against expected, 2.5 pooled sd for `normal`."""
    if design.family == "normal":
        return Prior(dist="Normal", mu=design.typical, sigma=2.5 * design.scale)
    return Prior(dist="Normal", mu=design.typical, sigma=1.0 if design.has_expected else 1.5)


def programme_trend(design: Design, centred: bool) -> TensorVariable:
    """Trend of the whole programme over the observed periods (T,); its mean is zero, so the intercept is the level.

        trend[t + 1] − trend[t] ~ Normal(0, trend_sd · √(years between them))

    Centred, the trend itself is drawn, as coordinates in the space of vectors with mean zero; else its steps are.
    """
    overrides = design.settings.priors
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


def site_effects(design: Design, intercept: TensorVariable, form: Forms) -> TensorVariable:
    """u of each cell before overdispersion (N,): partially pooled level and, with `trajectory`, slope per year.

        site_level[j] ~ Normal(0, site_sd)   or   StudentT(degrees_of_freedom, 0, site_sd)
        site_slope[j] | site_level[j] ~ Normal(ρ · trajectory_sd · site_level[j] / sd(site_level),
                                               trajectory_sd · √(1 − ρ²))

    which for Normal levels is the bivariate normal with correlation ρ, written out because a 2 × 2 matrix
    compiles several times faster so than through an LKJ Cholesky factor.
    """
    overrides = design.settings.priors
    sd = priors.standard_deviation("site_sd", overrides.site_sd)
    level, standard = site_level(design, sd, intercept, form.level)
    if not design.trajectory:
        return level[design.site_index]
    slope_sd = priors.standard_deviation("trajectory_sd", overrides.trajectory_sd)
    rho = priors.correlation(overrides.site_correlation)
    slope = partially_pooled(
        "site_slope", slope_sd * rho * standard, slope_sd * pt.sqrt(1 - rho**2), "site", form.slope
    )
    return level[design.site_index] + slope[design.site_index] * design.years


def site_level(
    design: Design, sd: TensorVariable, intercept: TensorVariable, centred: bool
) -> tuple[TensorVariable, TensorVariable]:
    """Level of each site (J,), and the same divided by its standard deviation.

    Centred means hierarchically centred: `intercept + site_level` is what is drawn, so that the intercept and the
    levels, which the data tie together, do not pull at each other (Gelfand, Sahu & Carlin 1995).
    """
    effect: Callable[..., TensorVariable] = pm.Normal
    spread = sd
    if design.settings.site_effects == "student_t":
        shape = priors.degrees_of_freedom(design.settings.priors.degrees_of_freedom)
        effect, spread = partial(pm.StudentT, nu=shape), sd * pt.sqrt(shape / (shape - 2))
    if centred:
        centre = intercept / design.scale
        level = effect("site_mean_raw", mu=centre, sigma=sd, dims="site") - centre
    else:
        level = sd * effect("site_level_raw", mu=0.0, sigma=1.0, dims="site")
    return pm.Deterministic("site_level", level, dims="site"), level / spread


def overdispersion(design: Design, centred: bool) -> TensorVariable:
    """Variation of each cell beyond level, slope and trend (N,): Normal(0, overdispersion_sd)."""
    sd = priors.standard_deviation("overdispersion_sd", design.settings.priors.overdispersion_sd)
    return partially_pooled("overdispersion", 0.0, sd, "cell", centred)


def partially_pooled(
    name: str, mean: TensorVariable | float, sd: TensorVariable, dim: str, centred: bool
) -> TensorVariable:
    """Normal(mean, sd) effects along a dimension, drawn as they are or as standard ones that are scaled."""
    if centred:
        return pm.Normal(name, mean, sd, dims=dim)
    return pm.Deterministic(name, mean + sd * pm.Normal(f"{name}_raw", 0, 1, dims=dim), dims=dim)

"""Means of a continuous measure: the normal model of site performance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from collabeval.models.design import Design, read_design
from collabeval.models.terms import coordinates, linear_predictor
from collabeval.params import Model


def build_normal_model(panel: pd.DataFrame, settings: Model, name: str = "") -> pm.Model:
    """Hierarchical linear model of means by site and period.

        mean[cell]         ~ Normal(η[cell], residual_sd[site] / √n[cell])
        (n − 1) sd² / residual_sd[site]² ~ χ²(n − 1)
        log residual_sd[j] ~ Normal(log residual_sd_typical, residual_sd_spread)     partial pooling of spreads
        η                  = intercept + scale · (trend + site_level + site_slope · (time − mean_time) + overdispersion)

    and where a row gives its standard error instead, mean[cell] ~ Normal(η[cell], se[cell]). `scale` is the pooled
    within-site sd, so that priors on effects mean the same whatever the unit.

    Parameters
    ----------
    panel : DataFrame, one row per site and period of one measure
        site, period, time (years), mean, and sd with n, or se; weight (n, or 1 where only se is known).
    """
    design = read_design(panel, "normal", settings)
    with pm.Model(name, coordinates(design)) as model:
        observe(design, linear_predictor(design))
    return model


def observe(design: Design, eta: TensorVariable) -> None:
    """The likelihood of the observed means and spreads, in the open model, given the linear predictor of each cell."""
    pm.Normal("outcome", eta, standard_error(design), observed=design.columns["mean"], dims="cell")


def standard_error(design: Design) -> TensorVariable:
    """Standard error of each cell's mean (N,), known or from the site's own standard deviation."""
    known = np.isfinite(design.columns["se"])
    if not design.own_sd:
        return pt.as_tensor_variable(design.columns["se"])
    own = residual_sd(design)[design.site_index] / np.sqrt(np.where(known, 1.0, design.columns["n"]))
    return pt.where(known, np.where(known, design.columns["se"], 1.0), own) if known.any() else own


def residual_sd(design: Design) -> TensorVariable:
    """Within-site standard deviation of each site (J,) in the unit, partially pooled on the log scale.

    The sds of a site's periods enter through their pooled variance S² with ν = Σ(n − 1): ν S²/σ² ~ χ²(ν), that is
    S² ~ Gamma(ν/2, rate ν/(2σ²)), the same likelihood up to a constant.
    """
    typical = pm.LogNormal("residual_sd_typical", np.log(design.scale), 1.0)
    spread = pm.HalfNormal("residual_sd_spread", 0.5)
    raw = pm.Normal("residual_sd_raw", 0, 1, dims="site")
    sd = pm.Deterministic("residual_sd", typical * pt.exp(spread * raw), dims="site")
    freedom, squares = design.pooled_squares
    sites = np.flatnonzero(freedom > 0)
    if len(sites):
        half = freedom[sites] / 2
        pm.Gamma("variance", half, half / sd[sites] ** 2, observed=squares[sites] / freedom[sites])
    return sd

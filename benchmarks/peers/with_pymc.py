"""PyMC's own NUTS on the textbook form of the model: Binomial of a logit, all effects non-centred."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from benchmarks.peers.named import prior_scales
from collabeval.models.design import Design
from collabeval.params import Sampling


def textbook_model(design: Design) -> pm.Model:
    """The terms of models/terms.py with default priors."""
    scale = prior_scales(design)
    with pm.Model(coords={"site": design.sites, "period": design.periods, "cell": range(design.cells)}) as model:
        eta = design.offset + pm.Normal("intercept", scale["intercept_mean"], scale["intercept_scale"])
        standard = pm.Normal("level_raw", dims="site")
        level = pm.Deterministic("site_level", pm.HalfNormal("site_sd", scale["site_scale"]) * standard, dims="site")
        eta = eta + level[design.site_index]
        if design.trend != "none":
            eta = eta + pm.Deterministic("trend", _trend(design, scale), dims="period")[design.period_index]
        if design.trajectory:
            sd = pm.HalfNormal("trajectory_sd", scale["trajectory_scale"])
            rho = pm.Deterministic("site_correlation", 2 * pm.Beta("half", 2, 2) - 1)
            raw = rho * standard + pt.sqrt(1 - rho**2) * pm.Normal("slope_raw", dims="site")
            slope = pm.Deterministic("site_slope", sd * raw, dims="site")
            eta = eta + slope[design.site_index] * design.years
        if design.overdispersion:
            sd = pm.HalfNormal("overdispersion_sd", scale["cell_scale"])
            eta = eta + sd * pm.Normal("cell_raw", dims="cell")
        cases, events = (design.columns[name].astype(int) for name in ("denominator", "numerator"))
        pm.Binomial("outcome", n=cases, logit_p=eta, observed=events, dims="cell")
    return model


def _trend(design: Design, scale: dict[str, float]) -> pt.TensorVariable:
    if design.trend == "linear":
        return pm.Normal("trend_slope", 0, scale["line_scale"]) * (design.time - design.time.mean())
    steps = pm.Normal("walk_raw", shape=len(design.time) - 1) * np.sqrt(np.diff(design.time))
    walk = pt.concatenate([[0.0], pm.HalfNormal("trend_sd", scale["walk_scale"]) * pt.cumsum(steps)])
    return walk - walk.mean()


def sample(design: Design, sampling: Sampling) -> xr.Dataset:
    """Draws with PyMC's own defaults, but for PyMC's own sampler: with nutpie installed it would take that."""
    tree = pm.sample(
        sampling.draws,
        tune=sampling.tune,
        chains=sampling.chains,
        random_seed=sampling.seed,
        nuts_sampler="pymc",
        progressbar=False,
        compute_convergence_checks=False,
        model=textbook_model(design),
    )
    posterior = tree["posterior"].to_dataset().drop_attrs()
    return posterior[[name for name in posterior if not str(name).endswith("_raw") and name != "half"]]

"""Log-likelihood and posterior predictive of each cell, in numpy from the draws; tested against PyMC.

For many draws `outcomes` does the same, compiled.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.special import expit, gammaln

from collabeval.draws import linear_predictor
from collabeval.models.design import Design
from collabeval.models.log_prior import log_prior


def constant_data(design: Design) -> xr.Dataset:
    """What the draws must be read with: indices, times, offset, unit and the data themselves."""
    cell = {name: ("cell", design.columns[name]) for name in ("numerator", "denominator", "expected", "weight")}
    known = {name: ("cell", design.columns[name]) for name in ("n", "se")} if design.family == "normal" else {}
    covariates = {
        "covariate_values": (("cell", "covariate"), design.covariates.values),
        "covariate_adjusted": ("covariate", design.covariates.adjusted.astype(np.int8)),
    }
    return xr.Dataset(
        {
            "site_index": ("cell", design.site_index),
            "period_index": ("cell", design.period_index),
            "time": ("period", design.time),
            "mean_time": design.mean_time,
            "offset": ("cell", design.offset),
            "scale": design.scale,
            **cell,
            **known,
            **(covariates if design.covariates.terms else {}),
        },
        coords={"cell": np.arange(design.cells), "period": design.periods, "site": design.sites},
    )


def observed_data(design: Design) -> xr.Dataset:
    """The outcome each cell's likelihood is of: events, or the mean."""
    column = "mean" if design.family == "normal" else "numerator"
    return xr.Dataset({"outcome": ("cell", design.columns[column])}, coords={"cell": np.arange(design.cells)})


def standard_error(posterior: xr.Dataset, design: Design) -> np.ndarray:
    """Standard error of each cell's mean, known or residual_sd/√n (… , cell)."""
    known = design.columns["se"]
    if "residual_sd" not in posterior:
        return known
    own = posterior["residual_sd"].to_numpy()[..., design.site_index] / np.sqrt(design.columns["n"])
    return np.where(np.isfinite(known), known, own)


def log_likelihood(posterior: xr.Dataset, design: Design) -> np.ndarray:
    """Log-probability (density, for `normal`) of each cell's outcome in each draw (chain, draw, cell)."""
    eta = linear_predictor(posterior, constant_data(design))
    if design.family == "normal":
        error = standard_error(posterior, design)
        return -0.5 * ((design.columns["mean"] - eta) / error) ** 2 - np.log(error) - 0.5 * np.log(2 * np.pi)
    events, cases = design.columns["numerator"], design.columns["denominator"]
    if design.family == "poisson":
        return events * eta - np.exp(eta) - gammaln(events + 1)
    choices = gammaln(cases + 1) - gammaln(events + 1) - gammaln(cases - events + 1)
    return events * eta - cases * np.logaddexp(0, eta) + choices


def predictive(posterior: xr.Dataset, design: Design, seed: int) -> np.ndarray:
    """A replicate of each cell's outcome in each draw (chain, draw, cell)."""
    random = np.random.default_rng(seed)
    eta = linear_predictor(posterior, constant_data(design))
    if design.family == "normal":
        return random.normal(eta, standard_error(posterior, design))
    if design.family == "poisson":
        return random.poisson(np.exp(eta)).astype(float)
    return random.binomial(design.columns["denominator"].astype(np.int64), expit(eta)).astype(float)


def completed(
    posterior: xr.Dataset, statistics: xr.Dataset, design: Design, seed: int, prior: xr.Dataset | None = None
) -> xr.DataTree:
    """The draws with log-likelihood, log-prior, posterior predictive, and the data they are read with.

    `prior` is the log-prior of a model of the evaluation's own; None: that of the built-in one. What each cell adds is
    most of the file, and no result is computed from it: it is kept in single precision.
    """
    from collabeval.fit.outcomes import outcomes  # compiled: loads numba

    coords = {"chain": posterior["chain"], "draw": posterior["draw"], "cell": np.arange(design.cells)}
    dims = ("chain", "draw", "cell")
    replicates, densities = outcomes(posterior, design, seed, np.float32)
    groups = {
        "posterior_predictive": xr.Dataset({"outcome": (dims, replicates)}, coords),
        "log_likelihood": xr.Dataset({"outcome": (dims, densities)}, coords),
        "log_prior": log_prior(posterior, design) if prior is None else prior,
        "observed_data": observed_data(design),
        "constant_data": constant_data(design),
    }
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": statistics, **groups})

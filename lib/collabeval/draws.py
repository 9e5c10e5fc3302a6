"""Draws of one measure on disk, and the linear predictor in every draw. No PyMC: results are made from these alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr

from collabeval.run_folder import written_whole

GROUPS = (
    "posterior",
    "posterior_predictive",
    "log_likelihood",
    "log_prior",
    "sample_stats",
    "observed_data",
    "constant_data",
)
ENGINE: Final = "netcdf4"  # the C library: h5netcdf takes five times as long for the many small variables of a fit
POSTERIOR = (
    "intercept",
    "covariates",
    "trend",
    "trend_sd",
    "trend_slope",
    "site_level",
    "site_sd",
    "site_slope",
    "trajectory_sd",
    "site_correlation",
    "overdispersion",
    "overdispersion_sd",
    "degrees_of_freedom",
    "residual_sd",
    "residual_sd_typical",
    "residual_sd_spread",
)


def save(tree: xr.DataTree, path: Path) -> Path:
    """Write the draws as one netCDF file, whole or not at all."""
    with written_whole(path) as part:
        tree.to_netcdf(part, engine=ENGINE)
    return path


def save_each(trees: Mapping[str, xr.DataTree], path: Callable[[str], Path]) -> list[Path]:
    """Write the draws of several measures, each to its `path`."""
    return [save(tree, path(name)) for name, tree in trees.items()]


def load(path: Path) -> xr.DataTree:
    """Read draws that `save` wrote; everything is in memory afterwards and the file is closed."""
    with xr.open_datatree(path, engine=ENGINE) as tree:
        return tree.load()


def linear_predictor(posterior: xr.Dataset, constant: xr.Dataset) -> np.ndarray:
    """η of every cell in every draw (chain, draw, cell): models/terms.py in numpy.

    Parameters
    ----------
    posterior : Dataset
        Variables of `POSTERIOR`, whichever the model has.
    constant : Dataset
        The group `constant_data`.
    """
    site, period = constant["site_index"].to_numpy(), constant["period_index"].to_numpy()
    effects = posterior["site_level"].to_numpy()[..., site]
    if "site_slope" in posterior:
        years = constant["time"].to_numpy()[period] - float(constant["mean_time"])
        effects = effects + posterior["site_slope"].to_numpy()[..., site] * years
    if "trend" in posterior:
        effects = effects + posterior["trend"].to_numpy()[..., period]
    if "overdispersion" in posterior:
        effects = effects + posterior["overdispersion"].to_numpy()
    effects = effects + covariate_part(posterior, constant, adjusted=True)
    intercept = posterior["intercept"].to_numpy()[..., None]
    return constant["offset"].to_numpy() + intercept + float(constant["scale"]) * effects


def covariate_part(posterior: xr.Dataset, constant: xr.Dataset, adjusted: bool) -> np.ndarray:
    """What covariates make of each cell's effect (chain, draw, cell): those adjusted for, or those of the site's level.

    0 where the model has none.
    """
    if "covariates" not in posterior or "covariate_values" not in constant:
        return np.zeros((posterior.sizes["chain"], posterior.sizes["draw"], 1))
    of = constant["covariate_adjusted"].to_numpy().astype(bool) == adjusted
    return posterior["covariates"].to_numpy()[..., of] @ constant["covariate_values"].to_numpy()[:, of].T

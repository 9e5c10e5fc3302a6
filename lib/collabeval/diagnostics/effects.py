"""What the draws say of each row, with the effects of rows and sites as fitted or drawn anew."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy.special import expit

from collabeval.draws import covariate_part, linear_predictor
from collabeval.params import Family

Array = npt.NDArray[np.float64]


def thinned(tree: xr.DataTree, most: int) -> xr.Dataset:
    """The posterior with evenly spaced draws, at most about `most` over all chains."""
    posterior = tree["posterior"].to_dataset()
    total = posterior.sizes["chain"] * posterior.sizes["draw"]
    return posterior.isel(draw=slice(None, None, max(1, -(-total // most))))


def flat(values: Array) -> Array:
    """(chain, draw, ...) as (draw, ...)."""
    return values.reshape(-1, *values.shape[2:])


def site_part(posterior: xr.Dataset, constant: xr.Dataset) -> Array:
    """Level (its own part, beyond covariates) and trajectory of each cell's site in its period (draw, cell)."""
    site = constant["site_index"].to_numpy()
    explained = covariate_part(posterior, constant, adjusted=False)
    own = flat(posterior["site_level"].to_numpy()[..., site] - explained)
    if "site_slope" in posterior:
        own = own + flat(posterior["site_slope"].to_numpy()[..., site]) * _years(constant)
    return own


def site_variance(posterior: xr.Dataset, constant: xr.Dataset, weight: Array | None = None) -> Array:
    """Variance that the model gives `site_part` before any data of the site (draw, cell).

    `weight` (draw, 1) is for Student-t levels: their variance given the w of the normal that they are drawn from.
    """
    level_sd = flat(posterior["site_sd"].to_numpy()[..., None])
    whole_sd = level_sd
    if "degrees_of_freedom" in posterior:
        freedom = flat(posterior["degrees_of_freedom"].to_numpy()[..., None])
        whole_sd = level_sd * np.sqrt(freedom / (freedom - 2))
    given_sd = whole_sd if weight is None else level_sd / np.sqrt(weight)
    if "site_slope" not in posterior:
        return np.repeat(given_sd**2, constant.sizes["cell"], axis=1)
    slope_sd = flat(posterior["trajectory_sd"].to_numpy()[..., None]) * _years(constant)
    correlation = flat(posterior["site_correlation"].to_numpy()[..., None])
    of_level = given_sd * (1 + correlation * slope_sd / whole_sd)
    return of_level**2 + (1 - correlation**2) * slope_sd**2


def predictor_with_new_rows(posterior: xr.Dataset, constant: xr.Dataset, random: np.random.Generator) -> Array:
    """Linear predictor (draw, cell), the effects of single rows drawn anew."""
    if "overdispersion" in posterior:
        spread = posterior["overdispersion_sd"].to_numpy()[..., None]
        fresh = spread * random.standard_normal(posterior["overdispersion"].shape)
        posterior = posterior.assign(overdispersion=(posterior["overdispersion"].dims, fresh))
    return flat(linear_predictor(posterior, constant))


def predictor_with_new_sites(posterior: xr.Dataset, constant: xr.Dataset, random: np.random.Generator) -> Array:
    """Linear predictor (draw, cell) of the collaborative with other sites: all effects but the programme's anew."""
    eta = predictor_with_new_rows(posterior, constant, random)
    site = constant["site_index"].to_numpy()
    draws = eta.shape[0]
    standard = random.standard_normal((draws, constant.sizes["site"]))
    level_sd = flat(posterior["site_sd"].to_numpy())[:, None]
    level = level_sd * standard
    if "degrees_of_freedom" in posterior:
        freedom = flat(posterior["degrees_of_freedom"].to_numpy())[:, None]
        level = level * np.sqrt(freedom / random.chisquare(np.broadcast_to(freedom, standard.shape)))
    fresh = level[:, site]
    if "site_slope" in posterior:
        correlation = flat(posterior["site_correlation"].to_numpy())[:, None]
        own = np.sqrt(1 - correlation**2) * random.standard_normal(standard.shape)
        slope = flat(posterior["trajectory_sd"].to_numpy())[:, None] * (correlation * standard + own)
        fresh = fresh + slope[:, site] * _years(constant)
    return eta + float(constant["scale"]) * (fresh - site_part(posterior, constant))


def standard_error(rows: pd.DataFrame, posterior: xr.Dataset, constant: xr.Dataset) -> Array:
    """Standard error of each mean, known (cell,) or from the site's own spread (draw, cell)."""
    known = rows["se"].to_numpy(float)
    if "residual_sd" not in posterior:
        return known
    spread = flat(posterior["residual_sd"].to_numpy()[..., constant["site_index"].to_numpy()])
    return np.where(np.isfinite(known), known, spread / np.sqrt(rows["n"].to_numpy(float)))


def replicated(family: Family, rows: pd.DataFrame, eta: Array, error: Array, random: np.random.Generator) -> Array:
    """Outcomes that the model would make of these linear predictors (draw, cell)."""
    if family == "normal":
        return random.normal(eta, error)
    if family == "poisson":
        return random.poisson(np.exp(eta)).astype(float)
    return random.binomial(rows["denominator"].to_numpy(np.int64), expit(eta)).astype(float)


def _years(constant: xr.Dataset) -> Array:
    return constant["time"].to_numpy()[constant["period_index"].to_numpy()] - float(constant["mean_time"])

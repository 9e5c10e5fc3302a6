"""Does a single row carry the result? Leave-one-out by Pareto-smoothed importance sampling (Vehtari et al. 2017, 2024).

An effect that only one row informs (that of its cell; that of a site with one row) follows this row wherever it goes,
so leaving the row out by weights alone always fails. Such effects are integrated out first, given the spreads of the
model (integrated importance sampling; Vehtari et al. 2016): what is left to ask is whether the rest would change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy.special import expit, logsumexp

from collabeval.diagnostics.check import Check
from collabeval.draws import linear_predictor
from collabeval.params import Family

Array = npt.NDArray[np.float64]
PARETO = 0.7
MOST_DRAWS = 2000
NODES, WEIGHTS = np.polynomial.hermite.hermgauss(9)
NEWTON_STEPS = 12


@dataclass(frozen=True)
class Rows:
    """One measure's rows: what was counted (or the mean), of how many; for means their standard error (draw, cell)."""

    family: Family
    observed: Array
    cases: Array
    error: Array


def influence(model: str, family: Family, rows: pd.DataFrame, tree: xr.DataTree) -> list[Check]:
    """Rows with a Pareto k above 0.7: those the model cannot be checked without."""
    k = pareto_k(family, rows, tree)
    found = rows.loc[k > PARETO, ["site", "period"]]
    advice = "No single row carries the result on its own (leave-one-out)."
    if len(found):
        which = "One row weighs" if len(found) == 1 else f"{len(found)} of {len(k)} rows weigh"
        advice = (
            f"{which} so much that the result would be another without (leave-one-out). Check such rows in the data; "
            "words about their sites lean on them, and a few such rows may move the spread between all sites."
        )
    named = "; ".join(f"{site} {period}".strip() for site, period in found.itertuples(index=False))
    return [Check(model, "influence", float(np.nanmax(k)), PARETO, "advisory", found.empty, advice, changes=named)]


def pareto_k(family: Family, rows: pd.DataFrame, tree: xr.DataTree) -> Array:
    """Pareto k of each row (cell,); `rows` in the order of the fit's cells."""
    log_likelihood = integrated_log_likelihood(family, rows, tree)
    weights = xr.DataArray(-log_likelihood[None], dims=("chain", "draw", "cell"))
    _, k = weights.azstats.psislw(dim=["chain", "draw"])
    return np.asarray(k, dtype=float)


def integrated_log_likelihood(family: Family, rows: pd.DataFrame, tree: xr.DataTree) -> Array:
    """Log-likelihood of each row, (draw, cell), the effects that it alone informs integrated out; up to a constant."""
    posterior = tree["posterior"].to_dataset()
    step = -(-posterior.sizes["chain"] * posterior.sizes["draw"] // MOST_DRAWS)
    posterior = posterior.isel(draw=slice(None, None, max(1, step)))
    constant = tree["constant_data"].to_dataset()
    scale, site = float(constant["scale"]), constant["site_index"].to_numpy()
    eta = _flat(linear_predictor(posterior, constant))
    variance = np.zeros_like(eta)
    if "overdispersion" in posterior:
        eta = eta - scale * _flat(posterior["overdispersion"].to_numpy())
        variance = variance + _flat(posterior["overdispersion_sd"].to_numpy()[..., None]) ** 2
    alone = np.bincount(site)[site] == 1
    own, own_variance = _site_part(posterior, constant)
    eta = eta - scale * np.where(alone, own, 0.0)
    spread = scale * np.sqrt(variance + np.where(alone, own_variance, 0.0))
    seen = _rows(family, rows, posterior, site)
    return log_likelihood(seen, eta) if not spread.any() else _integrated(seen, eta, spread)


def log_likelihood(rows: Rows, eta: Array) -> Array:
    """Log-likelihood at linear predictor η, up to a constant of each cell."""
    if rows.family == "normal":
        return -0.5 * ((rows.observed - eta) / rows.error) ** 2 - np.log(rows.error)
    if rows.family == "poisson":
        return rows.observed * eta - np.exp(eta)
    return rows.observed * eta - rows.cases * np.logaddexp(0, eta)


def _integrated(rows: Rows, eta: Array, spread: Array) -> Array:
    """log ∫ p(y | η + x) N(x | 0, spread) dx: exact for means, adaptive Gauss–Hermite for counts."""
    if rows.family == "normal":
        return log_likelihood(Rows("normal", rows.observed, rows.cases, np.hypot(rows.error, spread)), eta)
    precision = 1 / np.maximum(spread, 1e-6) ** 2
    mode = np.zeros_like(eta)
    for _ in range(NEWTON_STEPS):
        gradient, curvature = _derivatives(rows, eta + mode)
        mode = mode + np.clip((gradient - precision * mode) / (curvature + precision), -1.0, 1.0)
    width = np.sqrt(2 / (_derivatives(rows, eta + mode)[1] + precision))
    terms = []
    for node, weight in zip(NODES, WEIGHTS, strict=True):
        x = mode + width * node
        terms.append(np.log(weight) + node**2 + log_likelihood(rows, eta + x) - 0.5 * precision * x**2)
    return logsumexp(np.stack(terms), axis=0) + np.log(width) + 0.5 * np.log(precision / (2 * np.pi))


def _derivatives(rows: Rows, eta: Array) -> tuple[Array, Array]:
    """First derivative of the log-likelihood of a count, and minus the second."""
    if rows.family == "poisson":
        mean = np.exp(eta)
        return rows.observed - mean, mean
    share = expit(eta)
    return rows.observed - rows.cases * share, rows.cases * share * (1 - share)


def _site_part(posterior: xr.Dataset, constant: xr.Dataset) -> tuple[Array, Array]:
    """Effect of each cell's site in its period, and the variance the model gives such effects (draw, cell)."""
    site = constant["site_index"].to_numpy()
    own = _flat(posterior["site_level"].to_numpy()[..., site])
    level_sd = _flat(posterior["site_sd"].to_numpy()[..., None])
    if "degrees_of_freedom" in posterior:
        freedom = _flat(posterior["degrees_of_freedom"].to_numpy()[..., None])
        level_sd = level_sd * np.sqrt(freedom / (freedom - 2))
    if "site_slope" not in posterior:
        return own, level_sd**2
    years = constant["time"].to_numpy()[constant["period_index"].to_numpy()] - float(constant["mean_time"])
    slope_sd = _flat(posterior["trajectory_sd"].to_numpy()[..., None]) * years
    correlation = _flat(posterior["site_correlation"].to_numpy()[..., None])
    own = own + _flat(posterior["site_slope"].to_numpy()[..., site]) * years
    return own, level_sd**2 + 2 * correlation * level_sd * slope_sd + slope_sd**2


def _rows(family: Family, rows: pd.DataFrame, posterior: xr.Dataset, site: npt.NDArray[np.int64]) -> Rows:
    if family != "normal":
        return Rows(family, rows["numerator"].to_numpy(float), rows["denominator"].to_numpy(float), np.array(1.0))
    error = rows["se"].to_numpy(float)
    if "residual_sd" in posterior:
        own = _flat(posterior["residual_sd"].to_numpy()[..., site]) / np.sqrt(rows["n"].to_numpy(float))
        error = np.where(np.isfinite(error), error, own)
    return Rows(family, rows["mean"].to_numpy(float), rows["n"].to_numpy(float), error)


def _flat(values: Array) -> Array:
    """(chain, draw, ...) as (draw, ...)."""
    return values.reshape(-1, *values.shape[2:])

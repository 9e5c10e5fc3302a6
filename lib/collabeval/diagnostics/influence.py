"""Does a single row carry the result? Leave-one-out by Pareto-smoothed importance sampling (Vehtari et al. 2017, 2024).

An effect that only one row informs (that of its cell; that of a site with one row) follows this row wherever it goes,
so leaving the row out by weights alone always fails. Such effects are integrated out first, given the spreads of the
model (integrated importance sampling; Vehtari et al. 2016): what is left to ask is whether the rest would change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import expit, logsumexp
from scipy.stats import gamma

from collabeval.diagnostics.check import Check
from collabeval.diagnostics.effects import Array, flat, site_part, site_variance, standard_error, thinned
from collabeval.draws import linear_predictor
from collabeval.params import Family

PARETO = 0.7
MOST_DRAWS = 2000
NODES, WEIGHTS = np.polynomial.hermite.hermgauss(9)
NEWTON_STEPS = 12
MIXTURE_NODES, TAIL = 41, 1e-9
CLOSE = 1e-4  # a mode this near, in log-odds or log-rate, serves as well as the very mode


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
    return [Check(model, "influence", float(k.max()), PARETO, "advisory", found.empty, advice, changes=named)]


def pareto_k(family: Family, rows: pd.DataFrame, tree: xr.DataTree) -> Array:
    """Pareto k of each row (cell,), 0 where all draws agree on it; `rows` in the order of the fit's cells."""
    log_likelihood = integrated_log_likelihood(family, rows, tree)
    varying = np.ptp(log_likelihood, axis=0) > 0
    k = np.zeros(len(rows))
    if varying.any():
        draws = xr.DataArray(log_likelihood[None, :, varying], dims=("chain", "draw", "cell"))
        _, found = draws.azstats.psislw(dim=["chain", "draw"])  # of the weights 1/likelihood
        k[varying] = found.to_numpy()
    return k


def integrated_log_likelihood(family: Family, rows: pd.DataFrame, tree: xr.DataTree, lone_sites: bool = True) -> Array:
    """Log-likelihood of each row, (draw, cell), the effects that it alone informs integrated out; up to a constant.

    Without `lone_sites` the effects of sites with one row stay as drawn.
    """
    posterior, constant = thinned(tree, MOST_DRAWS), tree["constant_data"].to_dataset()
    scale, site = float(constant["scale"]), constant["site_index"].to_numpy()
    eta = flat(linear_predictor(posterior, constant))
    variance = np.zeros_like(eta)
    if "overdispersion" in posterior:
        eta = eta - scale * flat(posterior["overdispersion"].to_numpy())
        variance = variance + flat(posterior["overdispersion_sd"].to_numpy()[..., None]) ** 2
    alone = (np.bincount(site)[site] == 1) & lone_sites
    eta = eta - scale * np.where(alone, site_part(posterior, constant), 0.0)
    if family == "normal":
        error = standard_error(rows, posterior, constant)
        seen = Rows(family, rows["mean"].to_numpy(float), rows["n"].to_numpy(float), error)
    else:
        seen = Rows(family, rows["numerator"].to_numpy(float), rows["denominator"].to_numpy(float), np.array(np.nan))

    def with_variance(of_sites: Array) -> Array:
        spread = scale * np.sqrt(variance + np.where(alone, of_sites, 0.0))
        return _integrated(seen, eta, spread) if spread.any() else log_likelihood(seen, eta)

    if "degrees_of_freedom" not in posterior or not alone.any():
        return with_variance(site_variance(posterior, constant))
    weights, log_shares = _scale_mixture(flat(posterior["degrees_of_freedom"].to_numpy()[..., None]))
    parts = [share + with_variance(site_variance(posterior, constant, weight))
             for weight, share in zip(weights, log_shares, strict=True)]  # fmt: skip
    return logsumexp(np.stack(parts), axis=0)


def _scale_mixture(freedom: Array) -> tuple[Array, Array]:
    """Student-t as normals of variance 1/w, w ~ Gamma(ν/2, rate ν/2): w and log-shares (node, draw, 1).

    By the trapezoidal rule in log w between the quantiles of 10⁻⁹: the density falls off doubly exponentially at the
    upper end and the integrand is analytic, so that the error is far below what draws can show.
    """
    ends = [np.log(gamma.ppf(tail, freedom / 2, scale=2 / freedom)) for tail in (TAIL, 1 - TAIL)]
    grid = np.linspace(ends[0], ends[1], MIXTURE_NODES)
    log_density = gamma.logpdf(np.exp(grid), freedom / 2, scale=2 / freedom) + grid
    return np.exp(grid), log_density - logsumexp(log_density, axis=0)


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
        step = np.clip((gradient - precision * mode) / (curvature + precision), -1.0, 1.0)
        mode = mode + step
        if np.abs(step).max() < CLOSE:
            break
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

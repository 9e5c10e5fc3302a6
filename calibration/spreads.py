"""Where two parameters of means lie given the sites' sds alone, by brute force on a grid: no engine, no proposals.

A posterior given part of the data is as calibrated as one given all: its places of the truth are uniform if truth and
data were drawn as it says. So where an engine's places stray and these do too, it is the worlds that are unusual.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy import stats

from calibration.forms import FORMS, world
from calibration.replicates import DIGITS, Store, held
from collabeval.models.design import Design
from collabeval.models.log_prior import top_level

STUDY = "spreads_full_normal"
NAMES = ("residual_sd_typical", "residual_sd_spread")
TYPICAL, SPREAD, NODES = 121, 240, 20  # points of the grid, and of the quadrature over each site's sd
REACH = 10.0  # of the grid, in standard errors of the mean of the sites' log sds
WIDEST = 5.0  # of the spread, in standard deviations of the sites' log sds


def study(numbers: range, seed: int, store: Store) -> None:
    """Add these worlds of five periods of means, those that are held already left out."""
    for number in sorted(set(numbers) - held(store, STUDY)):
        _, design, truth = world("normal", FORMS["full"], seed, number)
        found = {name: round(place, DIGITS) for name, place in places(design, truth).items()}
        store.add(STUDY, {"replicate": number, **found})


def places(design: Design, truth: xr.Dataset) -> dict[str, float]:
    """The posterior's distribution function at the truth, 0 to 1, of either parameter.

    log σ_j ~ N(log σ₀, τ²) and Σ (n − 1) s² / σ_j² ~ χ² of Σ (n − 1), with the priors of the design.
    """
    freedom = np.bincount(design.site_index, design.columns["n"] - 1.0)
    squares = np.bincount(design.site_index, (design.columns["n"] - 1.0) * design.columns["sd"].astype(float) ** 2)
    found = np.log(squares / freedom) / 2  # each site's log sd
    away = found.std(ddof=1) + 1 / np.sqrt(2 * freedom.min())
    typical = found.mean() + np.linspace(-1, 1, TYPICAL) * REACH * away / np.sqrt(len(found))
    spread = (np.arange(SPREAD) + 0.5) / SPREAD * WIDEST * away
    priors = top_level(design)
    of_typical, of_spread = (priors[name].numbers for name in NAMES)
    density = stats.norm(of_typical["mu"], of_typical["sigma"]).logpdf(typical)[:, None]
    density = density + stats.halfnorm(scale=of_spread["sigma"]).logpdf(spread)
    for own_freedom, own_squares, log_sd in zip(freedom, squares, found, strict=True):
        density += _of_site(own_freedom, own_squares, log_sd, typical[:, None], spread)
    mass = np.exp(density - density.max())
    mass /= mass.sum()
    true = {name: float(truth[name].to_numpy().ravel()[0]) for name in NAMES}
    return {
        "residual_sd_typical": _below(typical, mass.sum(axis=1), np.log(true["residual_sd_typical"])),
        "residual_sd_spread": _below(spread, mass.sum(axis=0), true["residual_sd_spread"]),
    }


def _of_site(freedom: float, squares: float, log_sd: float, typical: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Log-density of one site's sds at every point of the grid, its own log sd integrated out about its mean there."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    precision = 2 * freedom + spread**-2
    middle = (2 * freedom * log_sd + typical * spread**-2) / precision
    at = middle[..., None] + nodes / np.sqrt(precision)[:, None]
    value = -freedom * at - squares * np.exp(-2 * at) / 2 + nodes**2 / 2 + np.log(weights)
    value -= ((at - typical[..., None]) / spread[:, None]) ** 2 / 2
    top = value.max(axis=-1)
    return top + np.log(np.exp(value - top[..., None]).sum(axis=-1)) - np.log(precision) / 2 - np.log(spread)


def _below(grid: np.ndarray, mass: np.ndarray, value: float) -> float:
    return float(np.interp(value, grid, np.cumsum(mass) - mass / 2, left=0.0, right=1.0))

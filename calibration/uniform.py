"""Whether places are uniform: ECDF difference with simultaneous bands (Säilynoja, Bürkner & Vehtari 2022)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from arviz_stats.ecdf_utils import compute_ecdf, get_pointwise_confidence_band
from scipy.stats import binom

SIMULATIONS = 2000
BAND = 0.95
POINTS = 100  # at most, at which the curve is held to its band


@dataclass(frozen=True)
class Curve:
    """ECDF less the diagonal at points from 0 to 1, its band, and how often a uniform sample strays as far."""

    point: np.ndarray
    difference: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p_value: float


def curve(places: np.ndarray) -> Curve:
    """The curve of places (R,) in 0 to 1, and its p-value over the whole curve."""
    count = len(places)
    points, reference = _points(count), _reference(count)
    band = float(np.quantile(reference, BAND))
    low, high = get_pointwise_confidence_band(band, count, points)
    p_value = float((1 + np.sum(reference >= _extreme(places, points))) / (1 + len(reference)))
    whole = np.concatenate([[0.0], points, [1.0]])
    difference, low, high = (np.concatenate([[0.0], each - points, [0.0]])
                             for each in (compute_ecdf(places, points), low, high))  # fmt: skip
    return Curve(whole, difference, low, high, p_value)


def _points(count: int) -> np.ndarray:
    steps = min(count, POINTS)
    return np.arange(1, steps) / steps


def _extreme(sample: np.ndarray, points: np.ndarray) -> float:
    """The pointwise probability of the narrowest band that still holds the whole ECDF."""
    below = np.round(compute_ecdf(sample, points) * len(sample))
    tails = np.minimum(binom.cdf(below, len(sample), points), binom.sf(below - 1, len(sample), points))
    return 1 - 2 * float(tails.min())


@cache
def _reference(count: int) -> np.ndarray:
    """The same of uniform samples (SIMULATIONS,)."""
    random, points = np.random.default_rng(count), _points(count)
    return np.array([_extreme(random.random(count), points) for _ in range(SIMULATIONS)])

"""Whether places are uniform: ECDF difference with simultaneous bands (Säilynoja, Bürkner & Vehtari 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from arviz_stats.ecdf_utils import compute_ecdf, get_pointwise_confidence_band
from scipy.stats import binom

SIMULATIONS = 50_000  # so many that a p-value can fall below the limit for all curves together
BAND = 0.95
ERROR = 0.05  # over all curves of a page's part together (Bonferroni)
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


def limit_for(curves: int) -> float:
    """The p-value below which one of so many curves strays."""
    return ERROR / max(1, curves)


def strays(p_values: Mapping[str, float]) -> dict[str, str]:
    """What a page says of curves by name: how many leave their band, and which do so by the limit for all together."""
    limit = limit_for(len(p_values))
    below = [name for name, value in p_values.items() if value < limit]
    return {
        "curves": str(len(p_values)),
        "limit": f"{limit:.2g}",
        "below": "; ".join(below or ["none"]) + ".",
        "at_95": str(sum(value < ERROR for value in p_values.values())),
        "expected": f"{ERROR * len(p_values):.1f}",
    }


def _points(count: int) -> np.ndarray:
    steps = min(count, POINTS)
    return np.arange(1, steps) / steps


def _extreme(sample: np.ndarray, points: np.ndarray) -> float:
    """The pointwise probability of the narrowest band that still holds the whole ECDF."""
    below = np.round(compute_ecdf(sample, points) * len(sample)).astype(int)
    return float(1 - 2 * _tails(len(sample))[np.arange(len(points)), below].min())


@cache
def _tails(count: int) -> np.ndarray:
    """Chance of so many or fewer, or so many or more, whichever is less, of `count` below each point (P, count + 1)."""
    below, points = np.arange(count + 1), _points(count)[:, None]
    return np.minimum(binom.cdf(below, count, points), binom.sf(below - 1, count, points))


@cache
def _reference(count: int) -> np.ndarray:
    """`_extreme` of uniform samples (SIMULATIONS,), each drawn as its numbers between the points."""
    random, points, tails = np.random.default_rng(count), _points(count), _tails(count)
    between = np.full(len(points) + 1, 1 / (len(points) + 1))
    below = np.cumsum(random.multinomial(count, between, SIMULATIONS)[:, :-1], axis=1)
    return 1 - 2 * tails[np.arange(len(points)), below].min(axis=1)

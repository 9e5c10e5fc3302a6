"""What one event costs, as a distribution with the mean and the spread that params declare."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import gammaincinv, ndtri

from collabeval.params import Value
from collabeval.params.value import UnitCost
from collabeval.value.money import price_factors

WIDTH = 2 * ndtri(0.975)  # standard errors from one end of a 95% range to the other
ENDS = (0.025, 0.975)


def spread(cost: UnitCost) -> float:
    """Standard error of the mean (gamma), or of its logarithm (log-normal); 0 where none is declared.

    From a range: (high − low) / 3.92, for the log-normal of the logarithms. From a standard error s and mean m, the
    log-normal has √log(1 + s²/m²).
    """
    if cost.low is not None and cost.high is not None:
        ends = (math.log(cost.low), math.log(cost.high)) if cost.dist == "lognormal" else (cost.low, cost.high)
        return float((ends[1] - ends[0]) / WIDTH)
    if cost.se is None:
        return 0.0
    return math.sqrt(math.log1p((cost.se / cost.mean) ** 2)) if cost.dist == "lognormal" else cost.se


def drawn(cost: UnitCost, value: Value, size: int, random: np.random.Generator) -> np.ndarray:
    """Draws (size,) in prices of the price year; all the same where no spread is declared.

    Gamma with shape m²/s² and scale s²/m, log-normal with log-mean log m − σ²/2: both keep the mean m (Briggs, Claxton
    & Sculpher, Decision Modelling for Health Economic Evaluation, Oxford 2006, ch. 4).
    """
    mean, width = central(cost, value), spread(cost)
    if width == 0:
        return np.full(size, mean)
    if cost.dist == "lognormal":
        return mean * np.exp(width * random.standard_normal(size) - width**2 / 2)
    relative = width / cost.mean
    return mean * relative**2 * random.standard_gamma(relative**-2, size)


def central(cost: UnitCost, value: Value) -> float:
    """The mean in prices of the price year."""
    return cost.mean * _to_price_year(cost, value)


def ends(cost: UnitCost, value: Value) -> tuple[float, float]:
    """The range of 95 chances in 100, in prices of the price year: as declared, else that of the distribution."""
    factor, width = _to_price_year(cost, value), spread(cost)
    if cost.low is not None and cost.high is not None:
        return cost.low * factor, cost.high * factor
    if width == 0:
        return cost.mean * factor, cost.mean * factor
    if cost.dist == "lognormal":
        low, high = (math.exp(width * ndtri(end) - width**2 / 2) for end in ENDS)
    else:
        shape = (cost.mean / width) ** 2
        low, high = (float(gammaincinv(shape, end)) / shape for end in ENDS)
    return cost.mean * factor * low, cost.mean * factor * high


def _to_price_year(cost: UnitCost, value: Value) -> float:
    return 1.0 if cost.price_year is None else float(price_factors(value, cost.price_year))

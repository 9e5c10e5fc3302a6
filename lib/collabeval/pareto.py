"""Pareto-smoothed importance weights and their k̂ (Vehtari, Simpson, Gelman, Yao & Gabry 2024, JMLR 25 (72)).

The numbers are those of ArviZ, to which a test holds them. Importing ArviZ for them took a third of a fit that has its
compiled code at hand (1.3 s; docs/decisions/0067).
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

FEWEST = 5  # weights that a tail is fitted to
PRIOR_SCALE, PRIOR_SHAPE, PRIOR_COUNT = 3, 0.5, 10  # Zhang & Stephens 2009; the shape's prior: Vehtari et al., appendix
NEGLIGIBLE = 10 * np.finfo(float).eps


def smoothed(log_weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Log-weights (S,), the largest of them replaced by quantiles of a generalised Pareto fitted to them; and its k̂.

    They sum to 1; none becomes larger than the largest was. Where no such distribution fits they stay as they are, and
    k̂ is infinite or NaN: above any limit, and below none.

    Raises
    ------
    ValueError
        Fewer than 25 weights, or the largest are all the same.
    """
    count = len(log_weights)
    size = int(3 * count**0.5 if count > 225 else count / 5)
    if size < FEWEST:
        raise ValueError(f"{count} weights are too few: a tail needs {FEWEST}, a fifth of all")
    found = log_weights - log_weights.max()
    order = np.argsort(found)
    top = order[count - size :]
    if not found[top[-1]] - found[top[0]] >= np.finfo(float).tiny:
        raise ValueError("the largest weights are all the same")
    cut = np.exp(found[order[count - size - 1]])
    shape, scale = generalised_pareto(np.exp(found[top]) - cut)
    if np.isfinite(shape):
        chance = np.arange(0.5, size) / size
        found[top] = np.minimum(np.log(cut + scale * np.expm1(-shape * np.log1p(-chance)) / shape), 0.0)
    return found - logsumexp(found), shape


def generalised_pareto(values: np.ndarray) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto distribution from sorted values (n,) above nought.

    The empirical Bayes estimate of Zhang & Stephens (2009), Technometrics 51: 316–325, the shape drawn to 1/2 as if by
    ten more values. Both NaN where the smallest quarter are alike, which no such distribution has; the shape infinite
    where the estimate breaks down.
    """
    count = len(values)
    quartile = values[int(count / 4 + 0.5) - 1]
    if quartile <= values[0]:
        return np.nan, np.nan
    points = 30 + int(count**0.5)
    place = 1 / values[-1] + (1 - np.sqrt(points / (np.arange(points) + 0.5))) / (PRIOR_SCALE * quartile)
    shapes = np.log1p(-np.outer(place, values)).mean(axis=1)
    likelihood = count * (np.log(-place / shapes) - shapes - 1)
    weights = np.exp(likelihood - logsumexp(likelihood))
    weights = np.where(weights >= NEGLIGIBLE, weights, 0.0)
    middle = float(place @ weights / weights.sum())
    shape = float(np.log1p(-middle * values).mean())
    if np.isnan(shape):
        return np.inf, np.nan
    return (count * shape + PRIOR_COUNT * PRIOR_SHAPE) / (count + PRIOR_COUNT), -shape / middle

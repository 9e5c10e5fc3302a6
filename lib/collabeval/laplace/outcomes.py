"""Log-likelihood and replicates of cells given their linear predictors. Numba, for whole blocks of draws.

Binomial counts are drawn by inversion where few are expected, else by transformed rejection (BTRS; Hörmann 1993,
Journal of Statistical Computation and Simulation 46: 101-110): numpy takes several times as long where n and p change
from one draw to the next.
"""

from __future__ import annotations

import math

import numpy as np

from collabeval.laplace.arrays import Floats
from collabeval.laplace.kernels import NORMAL, POISSON, compiled, compiled_inner, log_likelihood

FEW = 10.0  # events expected below which inversion is the faster


@compiled
def observe(
    random: np.random.Generator, family: int, y: Floats, n: Floats, constant: Floats, eta: Floats, error: Floats,
    again: Floats, density: Floats,
) -> None:  # fmt: skip
    """Fill `again` (S, N) with replicates and `density` (S, N) with the log-likelihood of y at η (S, N).

    `constant` (N,) is the part of counts' log-likelihood without η, `error` (S, N) the standard error of means.
    """
    for s in range(eta.shape[0]):
        for i in range(eta.shape[1]):
            at = eta[s, i]
            if family == NORMAL:
                off = (y[i] - at) / error[s, i]
                density[s, i] = -0.5 * off * off - math.log(error[s, i]) - 0.5 * math.log(2.0 * math.pi)
                again[s, i] = at + error[s, i] * random.standard_normal()
                continue
            density[s, i] = log_likelihood(family, y[i], n[i], at) + constant[i]
            if family == POISSON:
                again[s, i] = random.poisson(math.exp(at))
            else:
                again[s, i] = binomial(random, n[i], 1.0 / (1.0 + math.exp(-at)))


@compiled_inner
def binomial(random: np.random.Generator, n: float, p: float) -> float:
    """Events among n, each with chance p."""
    less = min(p, 1.0 - p)
    few = by_inversion(random, n, less) if n * less < FEW else by_rejection(random, n, less)
    return few if p <= 0.5 else n - few


@compiled_inner
def by_inversion(random: np.random.Generator, n: float, p: float) -> float:
    """The same: how many chances, from none on, a uniform number exceeds the sum of."""
    odds = p / (1.0 - p)
    while True:
        chance = math.exp(n * math.log1p(-p))
        left, events = random.random(), 0.0
        while left > chance and events <= n:
            left -= chance
            events += 1.0
            chance *= odds * (n - events + 1.0) / events
        if events <= n:  # beyond only where rounding left something over
            return events


@compiled_inner
def by_rejection(random: np.random.Generator, n: float, p: float) -> float:
    """The same by BTRS, p at most a half and n·p at least ten; its constants are Hörmann's."""
    spread = math.sqrt(n * p * (1.0 - p))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    centre, accepted = n * p + 0.5, 0.92 - 4.2 / b
    alpha, log_odds = (2.83 + 5.1 / b) * spread, math.log(p / (1.0 - p))
    mode = math.floor((n + 1.0) * p)
    top = math.lgamma(mode + 1.0) + math.lgamma(n - mode + 1.0)
    while True:
        u, v = random.random() - 0.5, random.random()
        near = 0.5 - abs(u)
        events = math.floor((2.0 * a / near + b) * u + centre)
        if near >= 0.07 and v <= accepted:
            return events
        if events < 0.0 or events > n:
            continue
        height = top - math.lgamma(events + 1.0) - math.lgamma(n - events + 1.0) + (events - mode) * log_odds
        if math.log(v * alpha / (a / (near * near) + b)) <= height:
            return events

"""Latent vectors drawn from the surrogate, many at once, and the exact density of the data there. Compiled by numba."""

from __future__ import annotations

import math

import numpy as np

from collabeval.laplace.dense import cholesky
from collabeval.laplace.kernels import compiled
from collabeval.models.grouped import Floats
from collabeval.quadrature.integrals import Rule, marginal
from collabeval.quadrature.kernels import Rows


@compiled
def latent(places: Floats, expansions: Floats, scales: Floats, standard: Floats) -> tuple[Floats, Floats]:
    """Latent vectors z (S, K) that standard points (S, K) stand for, and the log-determinants (S,) of their factors.

    Given the standard deviations z is Gaussian with precision I + scale·curvature·scale = L Lᵀ and mean L⁻ᵀ L⁻¹
    scale·slope, so that z = L⁻ᵀ (L⁻¹ scale·slope + standard). The log-determinant is NaN where there is no L.

    Parameters
    ----------
    places : what each of the P expansions counts (S, P). expansions : constant, slope and curvature (P, 1 + K + K²).
    scales : what z is multiplied by (S, K).
    """
    count, size = standard.shape
    z, log_determinant = np.zeros((count, size)), np.full(count, np.nan)
    for s in range(count):
        found, scale = np.dot(places[s], expansions), scales[s]
        precision = np.eye(size)
        for a in range(size):
            for b in range(a + 1):
                precision[a, b] += scale[a] * found[1 + size + a * size + b] * scale[b]
        factor, fine = cholesky(precision)
        if not fine:
            continue
        half, total = np.empty(size), 0.0
        for a in range(size):
            half[a] = (scale[a] * found[1 + a] - np.dot(factor[a, :a], half[:a])) / factor[a, a]
            total += math.log(factor[a, a])
        rest = half + standard[s]
        for a in range(size - 1, -1, -1):
            z[s, a] = rest[a] / factor[a, a]
            rest[:a] -= z[s, a] * factor[a, :a]
        log_determinant[s] = total
    return z, log_determinant


@compiled
def densities(rows: Rows, beta: Floats, cuts: Floats, sd: Floats, rule: Rule, modes: Floats) -> Floats:
    """`marginal` at coefficients (S, B), cuts (S, T, 4) and the groups' sd (S,): (S,)."""
    found = np.empty(len(sd))
    for s in range(len(sd)):
        found[s] = marginal(rows, beta[s], cuts[s], sd[s], rule, modes)
    return found

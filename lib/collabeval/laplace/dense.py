"""Small dense matrices. Numba; written out, since numba takes longer to compile its own than these take to read."""

from __future__ import annotations

import math

import numpy as np

from collabeval.laplace.arrays import Floats
from collabeval.laplace.kernels import compiled


@compiled
def cholesky(matrix: Floats) -> tuple[Floats, bool]:
    """Lower Cholesky factor, and whether there is one: an exception would end all proposals for the sake of one."""
    size = len(matrix)
    factor = np.zeros((size, size))
    for i in range(size):
        for j in range(i + 1):
            rest = matrix[i, j]
            for k in range(j):
                rest -= factor[i, k] * factor[j, k]
            if i == j:
                if not rest > 0.0:
                    return factor, False
                factor[i, i] = math.sqrt(rest)
            else:
                factor[i, j] = rest / factor[j, j]
    return factor, True


@compiled
def solve_lower(factor: Floats, right: Floats) -> Floats:
    """x of L x = right, L lower."""
    found = right.copy()
    for i in range(len(found)):
        for k in range(i):
            found[i] -= factor[i, k] * found[k]
        found[i] /= factor[i, i]
    return found


@compiled
def solve_upper(factor: Floats, right: Floats) -> Floats:
    """x of Lᵀ x = right, L lower."""
    found = right.copy()
    for i in range(len(found) - 1, -1, -1):
        for k in range(i + 1, len(found)):
            found[i] -= factor[k, i] * found[k]
        found[i] /= factor[i, i]
    return found


@compiled
def times(matrix: Floats, vector: Floats) -> Floats:
    """Their product."""
    found = np.zeros(matrix.shape[0])
    for i in range(matrix.shape[0]):
        for k in range(matrix.shape[1]):
            found[i] += matrix[i, k] * vector[k]
    return found


@compiled
def length(factor: Floats, vector: Floats) -> float:
    """Squared length of Lᵀ x, L lower: of x in standard deviations, where L Lᵀ is the precision."""
    total = 0.0
    for i in range(len(vector)):
        part = 0.0
        for k in range(i, len(vector)):
            part += factor[k, i] * vector[k]
        total += part * part
    return total


@compiled
def log_diagonal(factor: Floats) -> float:
    """Log determinant of a triangular matrix."""
    total = 0.0
    for i in range(len(factor)):
        total += math.log(factor[i, i])
    return total

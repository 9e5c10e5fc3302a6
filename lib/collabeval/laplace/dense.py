"""Small dense matrices. Numba; written out, since numba takes longer to compile its own than these take to read.

Every expression on whole arrays costs up to a second of compiling wherever it stands; these cost theirs once.
"""

from __future__ import annotations

import math

import numpy as np

from collabeval.laplace.arrays import Floats
from collabeval.laplace.kernels import compiled, compiled_inner


@compiled_inner
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


@compiled_inner
def solve_lower(factor: Floats, right: Floats) -> Floats:
    """x of L x = right, L lower."""
    found = right.copy()
    for i in range(len(found)):
        for k in range(i):
            found[i] -= factor[i, k] * found[k]
        found[i] /= factor[i, i]
    return found


@compiled_inner
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


@compiled_inner
def length(factor: Floats, vector: Floats) -> float:
    """Squared length of Lᵀ x, L lower: of x in standard deviations, where L Lᵀ is the precision."""
    total = 0.0
    for i in range(len(vector)):
        part = 0.0
        for k in range(i, len(vector)):
            part += factor[k, i] * vector[k]
        total += part * part
    return total


@compiled_inner
def log_diagonal(factor: Floats) -> float:
    """Log determinant of a triangular matrix."""
    total = 0.0
    for i in range(len(factor)):
        total += math.log(factor[i, i])
    return total


@compiled_inner
def combined(fixed: Floats, share: float, moving: Floats) -> Floats:
    """Fixed + share · moving, both (H, G)."""
    found = np.empty(fixed.shape)
    for i in range(fixed.shape[0]):
        for k in range(fixed.shape[1]):
            found[i, k] = fixed[i, k] + share * moving[i, k]
    return found


@compiled_inner
def shift(vector: Floats, step: Floats, share: float) -> None:
    """Add share · step to a vector."""
    for i in range(len(vector)):
        vector[i] += share * step[i]


@compiled_inner
def shift_pairs(pairs: Floats, steps: Floats, share: float) -> None:
    """Add share · steps to (J, 2)."""
    for j in range(len(pairs)):
        pairs[j, 0] += share * steps[j, 0]
        pairs[j, 1] += share * steps[j, 1]


@compiled_inner
def finite(matrix: Floats) -> bool:
    """Whether all of it are numbers."""
    for i in range(matrix.shape[0]):
        for k in range(matrix.shape[1]):
            if not math.isfinite(matrix[i, k]):
                return False
    return True


@compiled_inner
def log_sum(values: Floats) -> float:
    """log Σ exp(values)."""
    top = values[0]
    for k in range(len(values)):
        top = max(top, values[k])
    total = 0.0
    for k in range(len(values)):
        total += math.exp(values[k] - top)
    return top + math.log(total)

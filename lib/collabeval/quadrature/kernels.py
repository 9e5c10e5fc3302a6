"""One row of an answer, a score or an audit: what it says of its linear predictor. Compiled by numba.

The effect of a group is sd·v with v ~ N(0, 1), so that nothing degenerates as the sd goes to zero. For all families the
log-likelihood of a group is a line in v less the logarithm of a product, log L(v) = a + b·sd·v − log Π D_i(x_i), with
x_i = exp(η_i + sd·v): so a node of the quadrature costs one exponential and a few products a row.

cumulative: P(Y ≤ k) = 1/(1 + x exp(−κ_k)), D = (1 + x exp(−κ_{y−1}))(1 + x exp(−κ_y)), of which a factor falls away at
the ends of the scale. adjacent: P(k) ∝ x^k exp(−κ_1 − … − κ_k), D = their sum. binomial: D = (1 + x)^n.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from collabeval.laplace.kernels import compiled_inner
from collabeval.models.grouped import Floats

CUMULATIVE, ADJACENT, BINOMIAL = 0, 1, 2
LAST = 4  # categories are 0 to 4 here
inlined: Any = njit(nogil=True, error_model="numpy", inline="always")  # a call counts references to all of `Rows`


class Rows(NamedTuple):
    """The data, rows sorted by group: N rows, G groups, C coefficients a row at most."""

    family: int
    start: np.ndarray  # (G + 1,)
    number: np.ndarray  # (G,) how many groups alike each stands for
    y: np.ndarray  # (N,) category 0 to 4, or successes
    n: np.ndarray  # (N,) trials; 1 for categories
    item: np.ndarray  # (N,)
    column: np.ndarray  # (N, C) coefficient, −1: none
    weight: np.ndarray  # (N, C)
    offset: float


class Point(NamedTuple):
    """All that is fixed while groups are integrated out at one point of the latent vector."""

    sd: float
    log_x: np.ndarray  # (N,) η without the group's effect
    x: np.ndarray  # (N,) its exponential
    factor: np.ndarray  # (N, 4) what x, x², … are multiplied by in D
    constant: np.ndarray  # (N,) logarithm of what x^y is multiplied by


@compiled_inner
def point_at(rows: Rows, beta: Floats, cuts: Floats, sd: float) -> Point:
    """What the rows are at coefficients (B,) and cuts (T, 4)."""
    size = len(rows.y)
    log_x, factor, constant = np.empty(size), np.zeros((size, LAST)), np.zeros(size)
    for i in range(size):
        eta = rows.offset
        for c in range(rows.column.shape[1]):
            if rows.column[i, c] >= 0:
                eta += rows.weight[i, c] * beta[rows.column[i, c]]
        log_x[i] = eta
        y = int(rows.y[i])
        if rows.family == CUMULATIVE:
            own = cuts[rows.item[i]]
            if y > 0:
                factor[i, 0] = math.exp(-own[y - 1])
                constant[i] = -own[y - 1]
            if y < LAST:
                factor[i, 1] = math.exp(-own[y])
                if y > 0:
                    constant[i] += math.log1p(-math.exp(own[y - 1] - own[y]))
        elif rows.family == ADJACENT:
            total = 0.0
            for k in range(LAST):
                total -= cuts[rows.item[i], k]
                factor[i, k] = math.exp(total)
                if y == k + 1:
                    constant[i] = total
    return Point(sd, log_x, np.exp(log_x), factor, constant)


@compiled_inner
def power(rows: Rows, i: int) -> float:
    """The power of x in a row's likelihood: what the line's slope is made of."""
    if rows.family == CUMULATIVE:
        return 1.0 if rows.y[i] > 0 else 0.0
    return rows.y[i]


@compiled_inner
def shares(rows: Rows, point: Point, i: int, x: float) -> tuple[float, float, float, float]:
    """Chances whose sum is the slope of log D by log x: see `add_cut_slopes` for what they are."""
    if rows.family == BINOMIAL:
        return rows.n[i] * x / (1.0 + x), 0.0, 0.0, 0.0
    if rows.family == CUMULATIVE:
        low, high = x * point.factor[i, 0], x * point.factor[i, 1]
        return low / (1.0 + low), high / (1.0 + high), 0.0, 0.0
    first, second = x * point.factor[i, 0], x * x * point.factor[i, 1]
    third, fourth = x * x * x * point.factor[i, 2], x * x * x * x * point.factor[i, 3]
    total = 1.0 + first + second + third + fourth
    three = (third + fourth) / total
    two = three + second / total
    return two + first / total, two, three, fourth / total


@compiled_inner
def divisor(rows: Rows, point: Point, i: int, x: float) -> float:
    """D, but for the power n of the binomial."""
    if rows.family == BINOMIAL:
        return 1.0 + x
    if rows.family == CUMULATIVE:
        return (1.0 + x * point.factor[i, 0]) * (1.0 + x * point.factor[i, 1])
    cubic = point.factor[i, 1] + x * (point.factor[i, 2] + x * point.factor[i, 3])
    return 1.0 + x * (point.factor[i, 0] + x * cubic)


@compiled_inner
def variance(rows: Rows, i: int, found: tuple[float, float, float, float]) -> float:
    """Minus the second derivative of a row's log-likelihood by η, from its `shares`."""
    a, b, c, d = found
    if rows.family == BINOMIAL:
        return a * (1.0 - a / rows.n[i])
    if rows.family == CUMULATIVE:
        return a * (1.0 - a) + b * (1.0 - b)
    return a + 3.0 * b + 5.0 * c + 7.0 * d - (a + b + c + d) ** 2


@compiled_inner
def add_cut_slopes(rows: Rows, i: int, mean: Floats, cuts: Floats, count: float, out: Floats) -> None:
    """Add to `out` (T, 4) the slopes of a row's log-likelihood by its item's cuts.

    `mean` are means of `shares`: cumulative, P(Y > y − 1) and P(Y > y); adjacent, P(Y ≥ 1), …, P(Y ≥ 4).
    """
    if rows.family == BINOMIAL:
        return
    y, own, sums = int(rows.y[i]), cuts[rows.item[i]], out[rows.item[i]]
    if rows.family == CUMULATIVE:
        between = 0.0 if y in (0, LAST) else 1.0 / math.expm1(own[y] - own[y - 1])
        if y < LAST:
            sums[y] += count * (mean[1] + between)
        if y > 0:
            sums[y - 1] -= count * (1.0 - mean[0] + between)
        return
    for k in range(LAST):
        sums[k] += count * (mean[k] - (1.0 if y > k else 0.0))

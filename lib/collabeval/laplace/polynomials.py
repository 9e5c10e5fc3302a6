"""Integrals over the cells' own effects as polynomials, many times cheaper than quadrature. Numba.

What a cell says of its linear predictor η, its own effect s·ε integrated out, is a smooth function of η and s, and all
that the posterior asks of it lies in a small box about the mode. There it is interpolated at Chebyshev nodes, in η and
in log(1 + λ s²): of nearly Gaussian cells the integral's logarithm is linear in that. Beyond the box it is integrated.
"""

from __future__ import annotations

import math

import numpy as np

from collabeval.laplace.arrays import Cells, Floats, Own, Polynomials
from collabeval.laplace.kernels import cell, compiled, compiled_inner

CHUNK = 512  # numbers that stay in the nearest cache


@compiled
def interpolate(
    cells: Cells, part: np.ndarray, polynomials: Polynomials, places: Floats, spreads: Floats, by_place: Floats,
    by_spread: Floats, nodes: Floats, log_weights: Floats,
) -> None:  # fmt: skip
    """Fill the coefficients of the cells numbered in `part`.

    `places` (A,) and `spreads` (B,): where the integral is taken, η in units of the box and s; `by_place` (A, A) and
    `by_spread` (B, B): from values there to coefficients of powers.
    """
    values, rows = np.empty((len(places), len(spreads))), np.empty((len(places), len(spreads)))
    for i in part:
        for a in range(len(places)):
            eta = polynomials.middle[i] + places[a] / polynomials.per[i]
            for b in range(len(spreads)):
                values[a, b] = cell(cells.family, cells.y[i], cells.n[i], eta, spreads[b], nodes, log_weights, 0.0)
                values[a, b] -= polynomials.constants[i]
        for a in range(len(places)):
            for b in range(len(spreads)):
                rows[a, b] = 0.0
                for k in range(len(spreads)):
                    rows[a, b] += values[a, k] * by_spread[b, k]
        for a in range(len(places)):
            for b in range(len(spreads)):
                total = 0.0
                for k in range(len(places)):
                    total += by_place[a, k] * rows[k, b]
                polynomials.coefficients[b, i, a] = total


@compiled_inner
def within(polynomials: Polynomials, s: float) -> float:
    """Where s is in the box, from −1 to 1; beyond, outside of it."""
    acts = math.log1p(polynomials.information * s * s)
    return (2.0 * acts - polynomials.low - polynomials.high) / (polynomials.high - polynomials.low)


@compiled_inner
def at_spread(polynomials: Polynomials, s: float, own: Own) -> None:
    """The polynomials in η alone at one s, into `own`."""
    along, count, across = polynomials.coefficients.shape
    if across == 0:
        return
    at = within(polynomials, s)
    if not abs(at) <= 1.0:
        for i in range(count):
            own.per[i] = np.inf
        return
    for i in range(count):
        own.per[i] = polynomials.per[i]
    power, size = own.power.reshape(-1), count * across
    every = polynomials.coefficients.reshape((along, size))
    for begin in range(0, size, CHUNK):
        end = min(begin + CHUNK, size)
        for k in range(begin, end):
            power[k] = every[along - 1, k]
        for b in range(along - 2, -1, -1):
            for k in range(begin, end):
                power[k] = power[k] * at + every[b, k]


@compiled
def nothing_known(cells: Cells) -> Own:
    """`Own` before it is filled."""
    size, polynomials = len(cells.y), cells.polynomials
    power = np.empty((size, polynomials.coefficients.shape[2]))
    return Own(np.zeros(size), polynomials.middle, polynomials.constants, np.full(size, np.inf), power)


@compiled
def own_at(cells: Cells, s: float) -> Own:
    """`Own` at one s."""
    own = nothing_known(cells)
    at_spread(cells.polynomials, s, own)
    return own


@compiled_inner
def moments(own: Own, i: int, eta: float, s: float) -> tuple[float, float]:
    """Mean and variance of a cell's whitened effect given η, or nought and nought beyond the box.

    They are s times the first derivative of the integral's logarithm by η, and 1 + s² times the second: of a Gaussian
    seen through any likelihood (Tweedie's formula; Efron 2011, eq. 1.4).
    """
    x, per = (eta - own.middle[i]) * own.per[i], own.per[i]
    if not abs(x) <= 1.0:
        return 0.0, 0.0
    value, first, second = own.power[i, -1], 0.0, 0.0
    for a in range(own.power.shape[1] - 2, -1, -1):
        second = second * x + first
        first = first * x + value
        value = value * x + own.power[i, a]
    return s * first * per, 1.0 + 2.0 * s * s * second * per * per


@compiled
def taken(cells: Cells, part: np.ndarray, eta: Floats, s: float, nodes: Floats, log_weights: Floats) -> Floats:
    """The integrals of the cells numbered in `part` by quadrature, each at its η, their constants included."""
    found = np.empty(len(part))
    for k in range(len(part)):
        i = part[k]
        found[k] = cell(cells.family, cells.y[i], cells.n[i], eta[k], s, nodes, log_weights, 0.0)
    return found


@compiled
def interpolated(polynomials: Polynomials, part: np.ndarray, eta: Floats, s: float) -> Floats:
    """The same by the polynomials, in the box, without their constants."""
    found = np.empty(len(part))
    at = within(polynomials, s)
    for k in range(len(part)):
        coefficients = polynomials.coefficients[:, part[k]]
        x = (eta[k] - polynomials.middle[part[k]]) * polynomials.per[part[k]]
        total = 0.0
        for a in range(coefficients.shape[1] - 1, -1, -1):
            power = 0.0
            for b in range(coefficients.shape[0] - 1, -1, -1):
                power = power * at + coefficients[b, a]
            total = total * x + power
        found[k] = total
    return found

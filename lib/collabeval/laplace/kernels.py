"""One cell of the data and what it says of its linear predictor, its own variation integrated out. Compiled by numba.

All effects are whitened: a cell's own effect is s·ε with ε ~ N(0, 1), so that nothing degenerates as its spread s goes
to zero. Log-likelihoods are up to a constant of the data.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from collabeval.laplace.arrays import Floats

BINOMIAL, POISSON, NORMAL = 0, 1, 2
LONGEST_STEP = 2.0  # of a Newton step on the linear predictor: events grow exponentially in it
STEPS = 20
CLOSE = 0.03  # a Newton step in conditional standard deviations; after the last the mode is off by about its square
FAR = 30.0  # a start beyond is none
NEAR = 0.3  # the same for a draw, which is exact about any point and only wants few tries
INFORMED = 30.0  # precision of a whitened effect from which it is nearly Gaussian
RESAMPLED = 6  # proposals of such an effect, of which one is taken
OPTIONS: Any = {"nogil": True, "cache": True, "error_model": "numpy", "no_cfunc_wrapper": True}
every: Any = njit  # whose annotations do not know all of its options
compiled: Any = every(**OPTIONS)
# for compiled callers alone: what Python calls a function by takes as long to compile as the function
compiled_inner: Any = every(**OPTIONS, no_cpython_wrapper=True)


@compiled
def log_likelihood(family: int, y: float, n: float, eta: float) -> float:
    """Of y events among n (binomial), or of y events (Poisson, the exposure being part of η)."""
    if family == POISSON:
        return y * eta - math.exp(eta)
    return y * eta - n * (max(eta, 0.0) + math.log1p(math.exp(-abs(eta))))


@compiled_inner
def slopes(family: int, y: float, n: float, eta: float) -> tuple[float, float]:
    """First derivative of the log-likelihood by η, and minus the second."""
    if family == POISSON:
        mean = math.exp(eta)
        return y - mean, mean
    share = 1.0 / (1.0 + math.exp(-eta))
    return y - n * share, n * share * (1.0 - share)


@compiled_inner
def of_cell(family: int, y: float, n: float, eta: float) -> tuple[float, float, float]:
    """`log_likelihood` and `slopes` at once."""
    if family == POISSON:
        mean = math.exp(eta)
        return y * eta - mean, y - mean, mean
    small = math.exp(-abs(eta))
    share = (small if eta < 0.0 else 1.0) / (1.0 + small)
    return y * eta - n * (max(eta, 0.0) + math.log1p(small)), y - n * share, n * share * (1.0 - share)


@compiled_inner
def own_mode(family: int, y: float, n: float, eta: float, s: float, start: float, close: float) -> tuple[float, float]:
    """Mode of a cell's whitened effect at η, looked for from `start`, and the precision near it."""
    at, precision = start if abs(start) < FAR else 0.0, 1.0
    for _ in range(STEPS):
        slope, curvature = slopes(family, y, n, eta + s * at)
        precision = 1.0 + s * s * curvature
        step = (s * slope - at) / precision
        at += max(-LONGEST_STEP / s, min(LONGEST_STEP / s, step))
        if step * step * precision < close * close:
            break
    return at, precision


@compiled_inner
def cell(
    family: int, y: float, n: float, eta: float, s: float, nodes: Floats, log_weights: Floats, start: float
) -> float:
    """log ∫ p(y | η + s·ε) N(ε) dε of counts, by adaptive Gauss–Hermite quadrature; `start`: near the mode of ε."""
    if s == 0.0:
        return log_likelihood(family, y, n, eta)
    at, precision = own_mode(family, y, n, eta, s, start, CLOSE)
    width = 1.0 / math.sqrt(precision)
    reference = log_likelihood(family, y, n, eta + s * at) - 0.5 * at * at
    mass = 0.0
    for k in range(len(nodes)):
        e = at + width * nodes[k]
        value = log_likelihood(family, y, n, eta + s * e) - 0.5 * e * e
        mass += math.exp(value - reference + 0.5 * nodes[k] ** 2 + log_weights[k])
    return reference + math.log(mass * width)


@compiled_inner
def cell_slopes(
    family: int, y: float, n: float, v: float, eta: float, s: float, nodes: Floats, log_weights: Floats, start: float
) -> tuple[float, float, float, float]:
    """The same integral, its derivative by η, and minus its second: moments of the slopes under the integrand.

    Of a mean with variance v it is exact; one node stands for Laplace's approximation. Last comes the mode of ε.
    """
    if family == NORMAL:
        total = v + s * s
        return -0.5 * ((y - eta) ** 2 / total + math.log(total)), (y - eta) / total, 1.0 / total, 0.0
    if s == 0.0:
        value, slope, curvature = of_cell(family, y, n, eta)
        return value, slope, curvature, 0.0
    at, precision = own_mode(family, y, n, eta, s, start, CLOSE)
    width = 1.0 / math.sqrt(precision)
    reference, slope, curvature = of_cell(family, y, n, eta + s * at)
    reference -= 0.5 * at * at
    if len(nodes) == 1:
        return reference + math.log(width), slope, curvature / (1.0 + s * s * curvature), at
    mass = first = square = second = 0.0
    for k in range(len(nodes)):
        e = at + width * nodes[k]
        value, slope, curvature = of_cell(family, y, n, eta + s * e)
        share = math.exp(value - 0.5 * e * e - reference + 0.5 * nodes[k] ** 2 + log_weights[k])
        mass += share
        first += share * slope
        square += share * slope * slope
        second += share * curvature
    mean = first / mass
    curvature = second / mass - (square / mass - mean * mean)  # not negative, but for what quadrature leaves
    return reference + math.log(mass * width), mean, max(curvature, 0.0), at


@compiled_inner
def derivatives(family: int, y: float, n: float, eta: float) -> tuple[float, float, float, float, float]:
    """The log-likelihood and its first to fourth derivative by η."""
    value, slope, spread = of_cell(family, y, n, eta)
    if family == POISSON:
        return value, slope, -spread, -spread, -spread
    share = (y - slope) / n
    return value, slope, -spread, -spread * (1.0 - 2.0 * share), -spread * (1.0 - 6.0 * share * (1.0 - share))


@compiled_inner
def cell_series(
    family: int, y: float, n: float, eta: float, s: float, nodes: Floats, log_weights: Floats, start: float
) -> tuple[float, float, float, float, float]:
    """The integral of `cell` and its first four derivatives by η.

    They are joint cumulants, under the integrand, of the derivatives d₁…d₄ of the log-likelihood: E d₁; E d₂ + Var d₁;
    E d₃ + 3 Cov(d₁, d₂) + κ₃(d₁); E d₄ + 4 Cov(d₁, d₃) + 3 Var d₂ + 6 κ(d₁, d₁, d₂) + κ₄(d₁).
    """
    if s == 0.0:
        return derivatives(family, y, n, eta)
    at, precision = own_mode(family, y, n, eta, s, start, CLOSE)
    width = 1.0 / math.sqrt(precision)
    reference, c1, c2, c3, _ = derivatives(family, y, n, eta + s * at)  # moments are taken about these
    reference -= 0.5 * at * at
    mass = m1 = m2 = m3 = m4 = m11 = m12 = m13 = m22 = m111 = m112 = m1111 = 0.0
    for k in range(len(nodes)):
        e = at + width * nodes[k]
        value, d1, d2, d3, d4 = derivatives(family, y, n, eta + s * e)
        w = math.exp(value - 0.5 * e * e - reference + 0.5 * nodes[k] ** 2 + log_weights[k])
        d1, d2, d3 = d1 - c1, d2 - c2, d3 - c3
        mass += w
        m1 += w * d1
        m2 += w * d2
        m3 += w * d3
        m4 += w * d4
        m11 += w * d1 * d1
        m12 += w * d1 * d2
        m13 += w * d1 * d3
        m22 += w * d2 * d2
        m111 += w * d1 * d1 * d1
        m112 += w * d1 * d1 * d2
        m1111 += w * d1 * d1 * d1 * d1
    m1, m2, m3, m4, m11, m12 = m1 / mass, m2 / mass, m3 / mass, m4 / mass, m11 / mass, m12 / mass
    m13, m22, m111, m112, m1111 = m13 / mass, m22 / mass, m111 / mass, m112 / mass, m1111 / mass
    v11, v12 = m11 - m1 * m1, m12 - m1 * m2
    k111 = m111 - 3.0 * m1 * m11 + 2.0 * m1**3
    k112 = m112 - m2 * m11 - 2.0 * m1 * m12 + 2.0 * m1 * m1 * m2
    k1111 = m1111 - 4.0 * m1 * m111 - 3.0 * m11 * m11 + 12.0 * m1 * m1 * m11 - 6.0 * m1**4
    return (
        reference + math.log(mass * width),
        c1 + m1,
        c2 + m2 + v11,
        c3 + m3 + 3.0 * v12 + k111,
        m4 + 4.0 * (m13 - m1 * m3) + 3.0 * (m22 - m2 * m2) + 6.0 * k112 + k1111,
    )


@compiled
def draw_own(
    random: np.random.Generator, family: int, y: float, n: float, v: float, eta: float, s: float, at: float
) -> tuple[float, float]:
    """One draw of a cell's whitened effect given η, and its mode, looked for from `at` and found nearly."""
    if s == 0.0:
        return random.standard_normal(), 0.0
    if family == NORMAL:
        precision = 1.0 + s * s / v
        return s * (y - eta) / v / precision + random.standard_normal() / math.sqrt(precision), 0.0
    at, precision = own_mode(family, y, n, eta, s, at, NEAR)
    return draw_about(random, family, y, n, eta, s, at, precision), at


@compiled_inner
def draw_about(
    random: np.random.Generator, family: int, y: float, n: float, eta: float, s: float, at: float, precision: float
) -> float:
    """One draw of a cell's whitened effect given η; `at`: near its mode, `precision`: about its own.

    The log-likelihood is concave, so it lies below its tangent anywhere, and the Gaussian prior times the tangent near
    the mode, of variance 1, above the density: rejection from it is exact, and takes √precision tries. Where that would
    be many, the cell holds so much that its effect is nearly Gaussian, and it is resampled among a few proposals of it.
    """
    top, slope, _ = of_cell(family, y, n, eta + s * at)
    tangent = s * slope
    if precision < INFORMED:
        while True:
            away = random.standard_normal() + tangent - at
            fall = log_likelihood(family, y, n, eta + s * (at + away)) - top - tangent * away
            if fall > -random.standard_exponential():
                return at + away
    mass, chosen = 0.0, at
    for _ in range(RESAMPLED):
        standard = random.standard_normal()
        away = standard / math.sqrt(precision)
        value = log_likelihood(family, y, n, eta + s * (at + away)) - top
        share = math.exp(value - at * away - 0.5 * away * away + 0.5 * standard * standard)
        mass += share
        if random.random() * mass < share:
            chosen = at + away
    return chosen

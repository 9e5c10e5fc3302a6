"""One site given the programme-wide part: its mode and the integral over its effects. Numba.

A site's whitened effects are z = (z₁, z₂) ~ N(0, I): level·z₁ and, with a trajectory, lean·z₁ + slope·z₂ a year
(the Cholesky factor of the covariance of level and slope). Means with unknown spread have one more, ρ ~ N(0, 1), with
sd = typical · exp(spread · ρ); given ρ a mean is Gaussian and its integral exact.
"""

from __future__ import annotations

import math

import numpy as np

from collabeval.laplace.arrays import Cells, Depths, Floats, Own, Rule, Scales, Series
from collabeval.laplace.dense import log_sum
from collabeval.laplace.kernels import NORMAL, cell, cell_series, compiled, compiled_inner

POLISH = 3  # Newton steps on the series, which cost next to nothing


@compiled_inner
def sd_mode(cells: Cells, j: int, scales: Scales) -> tuple[float, float]:
    """Mode of ρ from the site's sds and the prior, and the precision there."""
    at, precision = 0.0, 1.0
    freedom, squares = cells.freedom[j], cells.squares[j]
    for _ in range(50):
        ratio = squares / (scales.typical * math.exp(scales.spread * at)) ** 2
        precision = 1.0 + 2.0 * scales.spread**2 * ratio
        step = (scales.spread * (ratio - freedom) - at) / precision
        at += max(-1.0, min(1.0, step))
        if abs(step) < 1e-8:
            break
    return at, precision


@compiled
def sd_log_density(cells: Cells, j: int, scales: Scales, rho: float) -> float:
    """Log-density of a site's pooled sd given ρ, and of ρ, up to a constant of the data."""
    log_sd = math.log(scales.typical) + scales.spread * rho
    return -cells.freedom[j] * log_sd - 0.5 * cells.squares[j] * math.exp(-2.0 * log_sd) - 0.5 * rho * rho


@compiled
def mean_variance(cells: Cells, i: int, sd: float) -> float:
    """Variance of the mean of cell i, known or from its site's sd."""
    return cells.share[i] * sd * sd if cells.share[i] > 0.0 else cells.variance[i]


@compiled
def weights_of(cells: Cells, scales: Scales, i: int) -> tuple[float, float]:
    """How much the linear predictor of cell i changes with each of its site's effects."""
    if cells.slope:
        return scales.level + scales.lean * cells.years[i], scales.slope * cells.years[i]
    return scales.level, 0.0


@compiled_inner
def series(cells: Cells, j: int, scales: Scales, rule: Rule, known: Floats, own: Own, z1: float, z2: float) -> Series:
    """`Series` of a site of counts about (z1, z2).

    `known` (N,) is the cells' programme-wide part, `own` of their own effects.
    """
    value, g1, g2, d11, d12, d22 = -0.5 * (z1 * z1 + z2 * z2), -z1, -z2, 1.0, 0.0, 1.0
    c30 = c21 = c12 = c03 = c40 = c31 = c22 = c13 = c04 = 0.0
    # out of the loop: every tuple handed on costs more than a polynomial
    years, middle, reach, power, last = cells.years, own.middle, own.per, own.power, own.power.shape[1] - 1
    level, lean, slope = scales.level, scales.lean, scales.slope
    for i in range(cells.start[j], cells.start[j + 1]):
        u, v = level + lean * years[i], slope * years[i]
        eta, per = known[i] + u * z1 + v * z2, reach[i]
        x = (eta - middle[i]) * per
        if abs(x) <= 1.0:
            m0, m1, m2, m3, m4 = power[i, last], 0.0, 0.0, 0.0, 0.0
            for a in range(last - 1, -1, -1):
                m4 = m4 * x + m3
                m3 = m3 * x + m2
                m2 = m2 * x + m1
                m1 = m1 * x + m0
                m0 = m0 * x + power[i, a]
            square = per * per
            m1, m2, m3, m4 = m1 * per, 2.0 * m2 * square, 6.0 * m3 * square * per, 24.0 * m4 * square * square
        else:
            m0, m1, m2, m3, m4 = cell_series(
                cells.family, cells.y[i], cells.n[i], eta, scales.own, rule.cell, rule.log_cell, own.start[i]
            )
            m0 -= own.constants[i]
        value += m0
        g1 += m1 * u
        g2 += m1 * v
        d11 -= m2 * u * u
        d12 -= m2 * u * v
        d22 -= m2 * v * v
        m3, m4, uu, vv = m3 / 6.0, m4 / 24.0, u * u, v * v
        c30 += m3 * uu * u
        c21 += 3.0 * m3 * uu * v
        c12 += 3.0 * m3 * u * vv
        c03 += m3 * vv * v
        c40 += m4 * uu * uu
        c31 += 4.0 * m4 * uu * u * v
        c22 += 6.0 * m4 * uu * vv
        c13 += 4.0 * m4 * u * v * vv
        c04 += m4 * vv * vv
    return Series(value, g1, g2, d11, d12, d22, c30, c21, c12, c03, c40, c31, c22, c13, c04)


@compiled_inner
def at(p: Series, x: float, y: float) -> float:
    """The series at x₁ = x, x₂ = y."""
    cubic = x * x * (p.c30 * x + p.c21 * y) + y * y * (p.c12 * x + p.c03 * y)
    quartic = x * x * (x * (p.c40 * x + p.c31 * y) + p.c22 * y * y) + y * y * y * (p.c13 * x + p.c04 * y)
    linear = p.g1 * x + p.g2 * y
    return p.value + linear - 0.5 * (p.d11 * x * x + 2.0 * p.d12 * x * y + p.d22 * y * y) + cubic + quartic


@compiled_inner
def peak(p: Series) -> tuple[float, float, float, float, float]:
    """Where the series is highest near its origin, and the Cholesky factor of the precision at the origin."""
    determinant = p.d11 * p.d22 - p.d12 * p.d12
    x, y = 0.0, 0.0
    for _ in range(POLISH):
        g1 = p.g1 - p.d11 * x - p.d12 * y + 3.0 * p.c30 * x * x + 2.0 * p.c21 * x * y + p.c12 * y * y
        g2 = p.g2 - p.d12 * x - p.d22 * y + p.c21 * x * x + 2.0 * p.c12 * x * y + 3.0 * p.c03 * y * y
        x += (p.d22 * g1 - p.d12 * g2) / determinant
        y += (p.d11 * g2 - p.d12 * g1) / determinant
    l11 = math.sqrt(p.d11)
    l21 = p.d12 / l11
    return x, y, l11, l21, math.sqrt(p.d22 - l21 * l21)


@compiled_inner
def rule_at(depths: Depths, depth: int) -> Rule:
    """The rules of one depth."""
    cell, site, sd = depths.cells[depth], depths.sites[depth], depths.sds[depth]
    return Rule(
        depths.cell[depth, :cell], depths.log_cell[depth, :cell], depths.site[depth, :site],
        depths.log_site[depth, :site], depths.sd[depth, :sd], depths.log_sd[depth, :sd],
    )  # fmt: skip


@compiled_inner
def site_integral(
    cells: Cells, j: int, scales: Scales, depths: Depths, known: Floats, own: Own, z1: float, z2: float
) -> float:
    """log of the integral over a site's effects of the density of its data and them; z1, z2: near their mode."""
    depth = depths.choice[j]
    rule = rule_at(depths, depth)
    if cells.family == NORMAL:
        return normal_site_integral(cells, j, scales, rule, known)
    if depths.exact[depth]:
        return integral_at_nodes(cells, j, scales, rule, known, own, z1, z2)
    return integral_by_series(cells, j, scales, rule, known, own, z1, z2)


@compiled_inner
def integral_by_series(
    cells: Cells, j: int, scales: Scales, rule: Rule, known: Floats, own: Own, z1: float, z2: float
) -> float:
    """The integral of counts, the series taken at the nodes."""
    p = series(cells, j, scales, rule, known, own, z1, z2)
    x, y, l11, l21, l22 = peak(p)
    reference = at(p, x, y)
    mass = 0.0
    across = len(rule.site) if cells.slope else 1
    for k2 in range(across):
        node2, log2 = (rule.site[k2], rule.log_site[k2]) if cells.slope else (0.0, 0.0)
        second = node2 / l22
        for k1 in range(len(rule.site)):
            first = (rule.site[k1] - l21 * second) / l11
            value = at(p, x + first, y + second) - reference
            mass += math.exp(value + 0.5 * (rule.site[k1] ** 2 + node2**2) + rule.log_site[k1] + log2)
    return reference + math.log(mass) - math.log(l11 * l22)


@compiled_inner
def at_effects(
    cells: Cells, j: int, scales: Scales, rule: Rule, known: Floats, own: Own, b1: float, b2: float
) -> float:
    """Log-density of a site's counts and its effects (b1, b2), the cells' own integrated out."""
    value = -0.5 * (b1 * b1 + b2 * b2)
    years, middle, reach, power, last = cells.years, own.middle, own.per, own.power, own.power.shape[1] - 1
    level, lean, slope = scales.level, scales.lean, scales.slope
    for i in range(cells.start[j], cells.start[j + 1]):
        u, v = level + lean * years[i], slope * years[i]
        eta = known[i] + u * b1 + v * b2
        x = (eta - middle[i]) * reach[i]
        if abs(x) <= 1.0:
            m = power[i, last]
            for a in range(last - 1, -1, -1):
                m = m * x + power[i, a]
            value += m
        else:
            value -= own.constants[i]
            value += cell(cells.family, cells.y[i], cells.n[i], eta, scales.own, rule.cell, rule.log_cell, own.start[i])
    return value


@compiled_inner
def integral_at_nodes(
    cells: Cells, j: int, scales: Scales, rule: Rule, known: Floats, own: Own, z1: float, z2: float
) -> float:
    """The same without a series: the density itself at every node."""
    x, y, l11, l21, l22 = peak(series(cells, j, scales, rule, known, own, z1, z2))
    across = len(rule.site) if cells.slope else 1
    values = np.empty(across * len(rule.site))
    for k2 in range(across):
        node2, log2 = (rule.site[k2], rule.log_site[k2]) if cells.slope else (0.0, 0.0)
        second = node2 / l22
        for k1 in range(len(rule.site)):
            b1, b2 = z1 + x + (rule.site[k1] - l21 * second) / l11, z2 + y + second
            value = at_effects(cells, j, scales, rule, known, own, b1, b2)
            values[k2 * len(rule.site) + k1] = value + 0.5 * (rule.site[k1] ** 2 + node2**2) + rule.log_site[k1] + log2
    return log_sum(values) - math.log(l11 * l22)


@compiled_inner
def gaussian_site(
    cells: Cells, j: int, scales: Scales, known: Floats, sd: float
) -> tuple[float, float, float, float, float, float]:
    """Mode and precision of the effects of a site whose cells are means, given its sd; and the log of the integral."""
    value, g1, g2, d11, d12, d22 = 0.0, 0.0, 0.0, 1.0, 0.0, 1.0
    for i in range(cells.start[j], cells.start[j + 1]):
        u, v = weights_of(cells, scales, i)
        variance = mean_variance(cells, i, sd) + scales.own**2
        away = (cells.y[i] - known[i]) / variance
        value -= 0.5 * (away * away * variance + math.log(variance))
        g1 += away * u
        g2 += away * v
        d11 += u * u / variance
        d12 += u * v / variance
        d22 += v * v / variance
    determinant = d11 * d22 - d12 * d12
    z1, z2 = (d22 * g1 - d12 * g2) / determinant, (d11 * g2 - d12 * g1) / determinant
    return z1, z2, d11, d12, d22, value + 0.5 * (g1 * z1 + g2 * z2) - 0.5 * math.log(determinant)


@compiled_inner
def normal_site_integral(cells: Cells, j: int, scales: Scales, rule: Rule, known: Floats) -> float:
    """The integral where cells are means: exact given the site's sd, and over that by quadrature."""
    if not cells.own_sd:
        return gaussian_site(cells, j, scales, known, 0.0)[5]
    middle, precision = sd_mode(cells, j, scales)
    width = 1.0 / math.sqrt(precision)
    values = np.empty(len(rule.sd))
    for k in range(len(rule.sd)):
        rho = middle + width * rule.sd[k]
        sd = scales.typical * math.exp(scales.spread * rho)
        values[k] = gaussian_site(cells, j, scales, known, sd)[5] + sd_log_density(cells, j, scales, rho)
        values[k] += 0.5 * rule.sd[k] ** 2 + rule.log_sd[k]
    return log_sum(values) + math.log(width)

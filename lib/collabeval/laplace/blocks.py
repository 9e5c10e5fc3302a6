"""One Newton step on the block-arrow Hessian of all effects: its blocks, and the sites taken out of it. Numba.

Given the programme-wide part g the sites are independent, so minus the Hessian has one 2 × 2 block a site, bordered by
one block of g. A cell sees one entry of the course h = A g, and the last ones, the effects of covariates, times its
values.
"""

from __future__ import annotations

import math

import numpy as np

from collabeval.laplace.arrays import Cells, Floats, Own, Programme, Rule, Scales
from collabeval.laplace.dense import cholesky
from collabeval.laplace.kernels import NORMAL, cell_slopes, compiled, compiled_inner
from collabeval.laplace.sites import mean_variance, sd_log_density, sd_mode


@compiled_inner
def of_programme(
    course: Floats, programme: Programme, g: Floats, slope: Floats, hessian: Floats
) -> tuple[Floats, Floats, bool]:
    """Gradient by g, Cholesky factor of minus the Hessian, and whether there is one; `slope` (H,), `hessian`: of h."""
    wide, size = course.shape
    gradient, matrix = np.empty(size), np.zeros((size, size))
    row = np.empty(size)
    for a in range(size):
        gradient[a] = -programme.precision[a] * (g[a] - programme.centre[a])
        matrix[a, a] = programme.precision[a]
        for t in range(wide):
            gradient[a] += course[t, a] * slope[t]
    for t in range(wide):
        for b in range(size):
            row[b] = 0.0
        for r in range(wide):
            for b in range(size):
                row[b] += hessian[t, r] * course[r, b]
        for a in range(size):
            for b in range(size):
                matrix[a, b] += course[t, a] * row[b]
    factor, regular = cholesky(matrix)
    return gradient, factor, regular


@compiled_inner
def of_prior(programme: Programme, g: Floats) -> float:
    """Log-density of g under its prior, up to a constant."""
    total = 0.0
    for a in range(len(g)):
        away = g[a] - programme.centre[a]
        total -= 0.5 * programme.precision[a] * away * away
    return total


@compiled
def known_part(cells: Cells, seen: Floats, known: Floats) -> None:
    """Programme-wide part of every cell's linear predictor (N,), from `seen` = A g, into `known`."""
    number = cells.covariates.shape[1]
    effects = seen[len(seen) - number :]
    for i in range(len(known)):
        known[i] = cells.offset[i] + seen[cells.column[i]]
        for k in range(number):
            known[i] += cells.covariates[i, k] * effects[k]


@compiled_inner
def of_covariates(
    cells: Cells, i: int, u1: float, u2: float, first: float, second: float, slope: Floats, hessian: Floats,
    border: Floats,
) -> None:  # fmt: skip
    """Add to the derivatives what one cell says of the effects of covariates, the last entries of the course."""
    number, t = cells.covariates.shape[1], cells.column[i]
    periods = len(slope) - number
    for k in range(number):
        x, at = cells.covariates[i, k], periods + k
        slope[at] += first * x
        hessian[t, at] += second * x
        hessian[at, t] += second * x
        border[0, at] += second * u1 * x
        border[1, at] += second * u2 * x
        for m in range(number):
            hessian[at, periods + m] += second * x * cells.covariates[i, m]


@compiled_inner
def of_site(
    cells: Cells, j: int, scales: Scales, rule: Rule, known: Floats, own: Own, z: Floats, slope: Floats,
    hessian: Floats, border: Floats, site: Floats,
) -> float:  # fmt: skip
    """Log-density of one site's data and effects z (2,); its derivatives by the course are added up.

    `border` (2, H), which holds nought, and `site` (5,) are those of `arrow`.
    """
    sd = total = 0.0
    if cells.own_sd:
        rho, precision = sd_mode(cells, j, scales)
        sd = scales.typical * math.exp(scales.spread * rho)
        total += sd_log_density(cells, j, scales, rho) - 0.5 * math.log(precision)
    g1, g2, d11, d12, d22 = -z[0], -z[1], 1.0, 0.0, 1.0
    total -= 0.5 * (z[0] ** 2 + z[1] ** 2)
    z1, z2 = z[0], z[1]
    # out of the loop: every tuple handed on costs more than a polynomial
    years, column, middle, reach, power, last = (
        cells.years, cells.column, own.middle, own.per, own.power, own.power.shape[1] - 1
    )  # fmt: skip
    level, lean, lone = scales.level, scales.lean, scales.slope
    for i in range(cells.start[j], cells.start[j + 1]):
        u1, u2 = level + lean * years[i], lone * years[i]
        eta, t = known[i] + u1 * z1 + u2 * z2, column[i]
        per = reach[i]
        x = (eta - middle[i]) * per
        if abs(x) <= 1.0:
            m, first, second = power[i, last], 0.0, 0.0
            for a in range(last - 1, -1, -1):
                second = second * x + first
                first = first * x + m
                m = m * x + power[i, a]
            first, second = first * per, max(-2.0 * second * per * per, 0.0)
        else:
            v = mean_variance(cells, i, sd) if cells.family == NORMAL else 0.0
            m, first, second, own.start[i] = cell_slopes(
                cells.family, cells.y[i], cells.n[i], v, eta, scales.own, rule.cell, rule.log_cell, own.start[i]
            )
            m -= own.constants[i]
        total += m
        g1 += first * u1
        g2 += first * u2
        d11 += second * u1 * u1
        d12 += second * u1 * u2
        d22 += second * u2 * u2
        slope[t] += first
        hessian[t, t] += second
        border[0, t] += second * u1
        border[1, t] += second * u2
        if cells.covariates.shape[1]:
            of_covariates(cells, i, u1, u2, first, second, slope, hessian, border)
    site[0], site[1], site[2], site[3], site[4] = g1, g2, d11, d12, d22
    return total


@compiled_inner
def eliminate(site: Floats, border: Floats, slope: Floats, hessian: Floats) -> float:
    """Take one site's effects out of the derivatives by the course; the log determinant of its block."""
    g1, g2, d11, d12, d22 = site[0], site[1], site[2], site[3], site[4]
    determinant = d11 * d22 - d12 * d12
    for a in range(len(slope)):
        b1, b2 = border[0, a], border[1, a]
        if b1 == 0.0 and b2 == 0.0:
            continue
        x1, x2 = (d22 * b1 - d12 * b2) / determinant, (d11 * b2 - d12 * b1) / determinant
        slope[a] -= x1 * g1 + x2 * g2
        for b in range(len(slope)):
            hessian[a, b] -= x1 * border[0, b] + x2 * border[1, b]
    return math.log(determinant)


@compiled_inner
def arrow(
    cells: Cells, scales: Scales, rule: Rule, known: Floats, own: Own, z: Floats, slope: Floats, hessian: Floats,
    borders: Floats, sites: Floats,
) -> tuple[float, float]:  # fmt: skip
    """Log-density of data and site effects, and its derivatives with the sites eliminated.

    `own`: of the cells' own effects, changed. Fills `slope` (H,) and `hessian` (H, H) of
    the course, sites eliminated; `borders` (J, 2, H); `sites` (J, 5): gradient and precision of each site's effects.
    Returns the log-density, and Σ log det of the blocks.
    """
    slope[:] = 0.0
    hessian[:, :] = 0.0
    borders[:, :, :] = 0.0
    total, log_determinants = 0.0, 0.0
    for j in range(len(cells.start) - 1):
        total += of_site(cells, j, scales, rule, known, own, z[j], slope, hessian, borders[j], sites[j])
        log_determinants += eliminate(sites[j], borders[j], slope, hessian)
    return total, log_determinants


@compiled_inner
def site_steps(sites: Floats, borders: Floats, change: Floats) -> Floats:
    """Newton steps of the sites' effects (J, 2), given the `change` of the course."""
    steps = np.empty((sites.shape[0], 2))
    for j in range(sites.shape[0]):
        g1, g2 = sites[j, 0], sites[j, 1]
        for a in range(len(change)):
            g1 -= borders[j, 0, a] * change[a]
            g2 -= borders[j, 1, a] * change[a]
        d11, d12, d22 = sites[j, 2], sites[j, 3], sites[j, 4]
        determinant = d11 * d22 - d12 * d12
        steps[j, 0] = (d22 * g1 - d12 * g2) / determinant
        steps[j, 1] = (d11 * g2 - d12 * g1) / determinant
    return steps


@compiled_inner
def length_of_sites(sites: Floats, steps: Floats) -> float:
    """Squared length of steps of the sites' effects (J, 2), each in standard deviations given all else."""
    total = 0.0
    for j in range(len(steps)):
        total += sites[j, 2] * steps[j, 0] ** 2 + sites[j, 4] * steps[j, 1] ** 2
    return total

"""The mode of all effects given the hyperparameters: Newton steps on a block-arrow Hessian. Numba.

Given the programme-wide part g the sites are independent, so minus the Hessian has one 2 × 2 block a site, bordered by
one block of g: a step costs one small solve a site and one Cholesky factor of the Schur complement (Rue, Martino &
Chopin 2009, section 2, for the approximation; the arrow is this problem's own).

The programme's course is h = A g, where A depends on the hyperparameters (`course`) and g is Gaussian a priori with
independent components; a cell sees one entry of h, and the last ones, the effects of covariates, times its values.
"""

from __future__ import annotations

import math

import numpy as np

from collabeval.laplace.arrays import Cells, Depths, Floats, Programme, Rule, Scales
from collabeval.laplace.dense import cholesky, length, log_diagonal, solve_lower, solve_upper, times
from collabeval.laplace.kernels import NORMAL, cell_slopes, compiled
from collabeval.laplace.sites import mean_variance, sd_log_density, sd_mode, site_integral, weights_of

NEWTON_STEPS = 40
HALVINGS = 12
SLACK = 0.01  # by which a step may lower the log-density: its slopes and itself are by quadrature, each with its error
ROUGH_STEPS, ROUGH = 6, 0.5


@compiled
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
        row[:] = 0.0
        for r in range(wide):
            for b in range(size):
                row[b] += hessian[t, r] * course[r, b]
        for a in range(size):
            for b in range(size):
                matrix[a, b] += course[t, a] * row[b]
    factor, regular = cholesky(matrix)
    return gradient, factor, regular


@compiled
def known_part(cells: Cells, seen: Floats, known: Floats) -> None:
    """Programme-wide part of every cell's linear predictor (N,), from `seen` = A g, into `known`."""
    number = cells.covariates.shape[1]
    effects = seen[len(seen) - number :]
    for i in range(len(known)):
        known[i] = cells.offset[i] + seen[cells.column[i]]
        for k in range(number):
            known[i] += cells.covariates[i, k] * effects[k]


@compiled
def arrow(
    cells: Cells,
    scales: Scales,
    rule: Rule,
    known: Floats,
    own: Floats,
    z: Floats,
    slope: Floats,
    hessian: Floats,
    borders: Floats,
    sites: Floats,
) -> tuple[float, float]:
    """Log-density of data and site effects, and its derivatives with the sites eliminated.

    `own` (N,): near the modes of the cells' own effects, changed into them. Fills `slope` (H,) and `hessian` (H, H) of
    the course, sites eliminated; `borders` (J, 2, H); `sites` (J, 5): gradient and precision of each site's effects.
    Returns the log-density, and Σ log det of the blocks.
    """
    wide = len(slope)
    number = cells.covariates.shape[1]
    periods = wide - number
    slope[:] = 0.0
    hessian[:, :] = 0.0
    borders[:, :, :] = 0.0
    total, log_determinants = 0.0, 0.0
    for j in range(len(cells.start) - 1):
        sd = 0.0
        if cells.own_sd:
            rho, precision = sd_mode(cells, j, scales)
            sd = scales.typical * math.exp(scales.spread * rho)
            total += sd_log_density(cells, j, scales, rho) - 0.5 * math.log(precision)
        g1, g2, d11, d12, d22 = -z[j, 0], -z[j, 1], 1.0, 0.0, 1.0
        total -= 0.5 * (z[j, 0] ** 2 + z[j, 1] ** 2)
        for i in range(cells.start[j], cells.start[j + 1]):
            u1, u2 = weights_of(cells, scales, i)
            eta, t = known[i] + u1 * z[j, 0] + u2 * z[j, 1], cells.column[i]
            v = mean_variance(cells, i, sd) if cells.family == NORMAL else 0.0
            m, first, second, own[i] = cell_slopes(
                cells.family, cells.y[i], cells.n[i], v, eta, scales.own, rule.cell, rule.log_cell, own[i]
            )
            total += m
            g1 += first * u1
            g2 += first * u2
            d11 += second * u1 * u1
            d12 += second * u1 * u2
            d22 += second * u2 * u2
            slope[t] += first
            hessian[t, t] += second
            borders[j, 0, t] += second * u1
            borders[j, 1, t] += second * u2
            for k in range(number):
                x, at = cells.covariates[i, k], periods + k
                slope[at] += first * x
                hessian[t, at] += second * x
                hessian[at, t] += second * x
                borders[j, 0, at] += second * u1 * x
                borders[j, 1, at] += second * u2 * x
                for m in range(number):
                    hessian[at, periods + m] += second * x * cells.covariates[i, m]
        determinant = d11 * d22 - d12 * d12
        log_determinants += math.log(determinant)
        sites[j, 0], sites[j, 1], sites[j, 2], sites[j, 3], sites[j, 4] = g1, g2, d11, d12, d22
        for a in range(wide):
            b1, b2 = borders[j, 0, a], borders[j, 1, a]
            if b1 == 0.0 and b2 == 0.0:
                continue
            x1, x2 = (d22 * b1 - d12 * b2) / determinant, (d11 * b2 - d12 * b1) / determinant
            slope[a] -= x1 * g1 + x2 * g2
            for b in range(wide):
                hessian[a, b] -= x1 * borders[j, 0, b] + x2 * borders[j, 1, b]
    return total, log_determinants


@compiled
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


@compiled
def find_mode(
    cells: Cells, programme: Programme, scales: Scales, trend: float, rule: Rule, g: Floats, z: Floats, close: float
) -> tuple[float, float, Floats, bool]:
    """Mode of g and z given the hyperparameters, from where g and z (changed in place) are.

    Returns the log-density there (prior of g included), minus half the log determinant of the Hessian, the Cholesky
    factor of the Schur complement (G, G), and whether it was found to within `close` conditional standard deviations.
    """
    course = programme.fixed + trend * programme.walk
    wide, size = course.shape
    known, own = np.empty(len(cells.y)), np.zeros(len(cells.y))
    slope, hessian = np.empty(wide), np.empty((wide, wide))
    borders, sites = np.empty((len(z), 2, wide)), np.empty((len(z), 5))
    step_g, step_z = np.zeros(size), np.zeros_like(z)
    best, value, log_determinants = -np.inf, 0.0, 0.0
    factor = np.eye(size)
    halvings, found = 0, False
    for _ in range(NEWTON_STEPS):
        known_part(cells, times(course, g), known)
        value, log_determinants = arrow(cells, scales, rule, known, own, z, slope, hessian, borders, sites)
        value -= 0.5 * np.sum(programme.precision * (g - programme.centre) ** 2)
        if not value > best - SLACK:
            halvings += 1
            if halvings > HALVINGS:
                break
            step_g, step_z = 0.5 * step_g, 0.5 * step_z
            g -= step_g
            z -= step_z
            continue
        best, halvings = max(best, value), 0
        if not np.isfinite(hessian).all():
            found = False
            break
        gradient, factor, regular = of_programme(course, programme, g, slope, hessian)
        if not regular:
            found = False
            break
        if found:
            break
        step_g = solve_upper(factor, solve_lower(factor, gradient))
        step_z = site_steps(sites, borders, times(course, step_g))
        distance = length(factor, step_g) + np.sum(sites[:, 2:5:2] * step_z**2)
        g += step_g
        z += step_z
        found = distance < close * close
    half = -log_diagonal(factor) - 0.5 * log_determinants
    return value, half, factor, found


@compiled
def near_mode(
    cells: Cells, programme: Programme, scales: Scales, trend: float, rule: Rule, g: Floats, z: Floats, own: Floats,
    standard: Floats,
) -> float:  # fmt: skip
    """A proposal of g about its mode given the hyperparameters, into g; and the sites' modes given it, into z.

    g and z must begin near their mode, own (N,) near that of the cells' own effects; Newton steps end where the next
    would be below half a conditional standard deviation of g, the last of them taken: a proposal is weighted by what it
    is, wherever its centre. Returns the log determinant of the Cholesky factor of its precision.
    """
    course = programme.fixed + trend * programme.walk
    wide, size = course.shape
    known = np.empty(len(cells.y))
    slope, hessian = np.empty(wide), np.empty((wide, wide))
    borders, sites = np.empty((len(z), 2, wide)), np.empty((len(z), 5))
    factor = np.eye(size)
    step = np.zeros(size)
    for _ in range(ROUGH_STEPS):
        known_part(cells, times(course, g), known)
        arrow(cells, scales, rule, known, own, z, slope, hessian, borders, sites)
        if not np.isfinite(hessian).all():
            return np.nan
        gradient, factor, regular = of_programme(course, programme, g, slope, hessian)
        if not regular:
            return np.nan
        step = solve_upper(factor, solve_lower(factor, gradient))
        if length(factor, step) < ROUGH * ROUGH:
            break
        g += step
        z += site_steps(sites, borders, times(course, step))
    step += solve_upper(factor, standard)
    g += step
    z += site_steps(sites, borders, times(course, step))
    return log_diagonal(factor)


@compiled
def integrated(
    cells: Cells, programme: Programme, scales: Scales, trend: float, depths: Depths, g: Floats, z: Floats, own: Floats
) -> float:
    """Log-density of the data and g, every site integrated out; z, own: near the modes of sites and cells."""
    known = np.empty(len(cells.y))
    known_part(cells, times(programme.fixed + trend * programme.walk, g), known)
    total = -0.5 * np.sum(programme.precision * (g - programme.centre) ** 2)
    for j in range(len(z)):
        total += site_integral(cells, j, scales, depths, known, own, z[j, 0], z[j, 1])
    return total


@compiled
def site_integrals(
    cells: Cells, programme: Programme, scales: Scales, trend: float, depths: Depths, g: Floats, z: Floats,
    sites: np.ndarray, found: Floats,
) -> None:  # fmt: skip
    """The integral of each of some `sites` (their numbers), into `found`."""
    known, own = np.empty(len(cells.y)), np.zeros(len(cells.y))
    known_part(cells, times(programme.fixed + trend * programme.walk, g), known)
    for k in range(len(sites)):
        j = sites[k]
        found[k] = site_integral(cells, j, scales, depths, known, own, z[j, 0], z[j, 1])

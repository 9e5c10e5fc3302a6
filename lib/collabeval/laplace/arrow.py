"""The mode of all effects given the hyperparameters: Newton steps on a block-arrow Hessian. Numba.

Given the programme-wide part g the sites are independent, so minus the Hessian has one 2 × 2 block a site, bordered by
one block of g: a step costs one small solve a site and one Cholesky factor of the Schur complement (Rue, Martino &
Chopin 2009, section 2, for the approximation; the arrow is this problem's own).

The programme's course is h = A g, where A depends on the hyperparameters (`course`) and g is Gaussian a priori with
independent components; a cell sees one entry of h, and the last ones, the effects of covariates, times its values.
"""

from __future__ import annotations

import numpy as np

from collabeval.laplace.arrays import Cells, Depths, Floats, Own, Programme, Rule, Scales
from collabeval.laplace.blocks import arrow, known_part, length_of_sites, of_prior, of_programme, site_steps
from collabeval.laplace.dense import (
    combined,
    finite,
    length,
    log_diagonal,
    shift,
    shift_pairs,
    solve_lower,
    solve_upper,
    times,
)
from collabeval.laplace.kernels import compiled
from collabeval.laplace.polynomials import own_at
from collabeval.laplace.sites import site_integral

NEWTON_STEPS = 40
HALVINGS = 12
SLACK = 0.01  # by which a step may lower the log-density: its slopes and itself are by quadrature, each with its error
ROUGH_STEPS, ROUGH = 6, 3.0


@compiled
def find_mode(
    cells: Cells, programme: Programme, scales: Scales, trend: float, rule: Rule, g: Floats, z: Floats, close: float
) -> tuple[float, float, Floats, bool]:
    """Mode of g and z given the hyperparameters, from where g and z (changed in place) are.

    Returns the log-density there (prior of g included), minus half the log determinant of the Hessian, the Cholesky
    factor of the Schur complement (G, G), and whether it was found to within `close` conditional standard deviations.
    """
    course = combined(programme.fixed, trend, programme.walk)
    wide, size = course.shape
    known, own = np.empty(len(cells.y)), own_at(cells, scales.own)
    slope, hessian = np.empty(wide), np.empty((wide, wide))
    borders, sites = np.empty((len(z), 2, wide)), np.empty((len(z), 5))
    step_g, step_z = np.zeros(size), np.zeros_like(z)
    best, value, log_determinants = -np.inf, 0.0, 0.0
    factor = np.eye(size)
    halvings, share, found = 0, 1.0, False
    for _ in range(NEWTON_STEPS):
        known_part(cells, times(course, g), known)
        value, log_determinants = arrow(cells, scales, rule, known, own, z, slope, hessian, borders, sites)
        value += of_prior(programme, g)
        if not value > best - SLACK:
            halvings += 1
            if halvings > HALVINGS:
                break
            share *= 0.5  # of the last step, which is taken back by as much
            shift(g, step_g, -share)
            shift_pairs(z, step_z, -share)
            continue
        best, halvings, share = max(best, value), 0, 1.0
        if not finite(hessian):
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
        distance = length(factor, step_g) + length_of_sites(sites, step_z)
        shift(g, step_g, 1.0)
        shift_pairs(z, step_z, 1.0)
        found = distance < close * close
    half = -log_diagonal(factor) - 0.5 * log_determinants
    return value, half, factor, found


@compiled
def near_mode(
    cells: Cells, programme: Programme, scales: Scales, trend: float, rule: Rule, g: Floats, z: Floats, own: Own,
    standard: Floats,
) -> float:  # fmt: skip
    """A proposal of g about its mode given the hyperparameters, into g; and the sites' modes given it, into z.

    g and z must begin near their mode, own holds for s; Newton steps end where the next is below three conditional
    standard deviations of g, the last of them taken: a proposal is weighted by what it is, wherever its centre. Returns
    the log determinant of the Cholesky factor of its precision.
    """
    course = combined(programme.fixed, trend, programme.walk)
    wide, size = course.shape
    known = np.empty(len(cells.y))
    slope, hessian = np.empty(wide), np.empty((wide, wide))
    borders, sites = np.empty((len(z), 2, wide)), np.empty((len(z), 5))
    factor = np.eye(size)
    step = np.zeros(size)
    for _ in range(ROUGH_STEPS):
        known_part(cells, times(course, g), known)
        arrow(cells, scales, rule, known, own, z, slope, hessian, borders, sites)
        if not finite(hessian):
            return np.nan
        gradient, factor, regular = of_programme(course, programme, g, slope, hessian)
        if not regular:
            return np.nan
        step = solve_upper(factor, solve_lower(factor, gradient))
        if length(factor, step) < ROUGH * ROUGH:
            break
        shift(g, step, 1.0)
        shift_pairs(z, site_steps(sites, borders, times(course, step)), 1.0)
    shift(step, solve_upper(factor, standard), 1.0)
    shift(g, step, 1.0)
    shift_pairs(z, site_steps(sites, borders, times(course, step)), 1.0)
    return log_diagonal(factor)


@compiled
def integrated(
    cells: Cells, programme: Programme, scales: Scales, trend: float, depths: Depths, g: Floats, z: Floats, own: Own
) -> float:
    """Log-density of the data and g, every site integrated out; z: near their modes."""
    known = np.empty(len(cells.y))
    known_part(cells, times(combined(programme.fixed, trend, programme.walk), g), known)
    total = of_prior(programme, g)
    for j in range(len(z)):
        total += site_integral(cells, j, scales, depths, known, own, z[j, 0], z[j, 1])
    return total


@compiled
def site_integrals(
    cells: Cells, programme: Programme, scales: Scales, trend: float, depths: Depths, g: Floats, z: Floats,
    sites: np.ndarray, found: Floats,
) -> None:  # fmt: skip
    """The integral of each of some `sites` (their numbers), into `found`."""
    known, own = np.empty(len(cells.y)), own_at(cells, scales.own)
    known_part(cells, times(combined(programme.fixed, trend, programme.walk), g), known)
    for k in range(len(sites)):
        j = sites[k]
        found[k] = site_integral(cells, j, scales, depths, known, own, z[j, 0], z[j, 1])

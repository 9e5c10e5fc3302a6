"""Density of each site's level by itself, given a proposal of all else, as a table: what couples measures. Numba.

The other effects of the site are integrated out as in its own integral (`sites`); a table stands on a grid of the
whitened level that lies where the density does, and between its places the logarithm is cubic.
"""

from __future__ import annotations

import math

import numpy as np

from collabeval.laplace.arrays import Cells, Depths, Floats, Own, Programme, Rule, Scales
from collabeval.laplace.blocks import known_part
from collabeval.laplace.dense import combined, times
from collabeval.laplace.kernels import NORMAL, compiled, compiled_inner
from collabeval.laplace.polynomials import at_spread, nothing_known
from collabeval.laplace.proposals import scales_of
from collabeval.laplace.sites import at, at_effects, gaussian_site, peak, rule_at, sd_log_density, sd_mode, series

POINTS = 19  # of a table
STEP = 0.5  # between them, in standard deviations of the level
HALF = (POINTS - 1) // 2
OFF, NARROW, BROAD = 0.3, 0.8, 1.25  # a grid that far from where the density turns out to lie is laid anew


@compiled
def level_densities(
    cells: Cells, programme: Programme, depths: Depths, rows: Floats, trends: Floats, g: Floats, modes: Floats,
    where: np.ndarray, places: Floats, tables: Floats,
) -> None:  # fmt: skip
    """Fill the tables of all sites for each of S proposals.

    Parameters
    ----------
    rows, trends, g, modes : of the proposals, as in `proposals.propose`, which has found the modes (S, J, 2).
    where : (J,) in which row of the following a site stands.
    places : (S, ·, 4) middle and unit of the grid, mean and variance of the level.
    tables : (S, ·, POINTS) normalised log-density of the level there.
    """
    known, own = np.empty(len(cells.y)), nothing_known(cells)
    for s in range(len(rows)):
        scales = scales_of(rows[s])
        at_spread(cells.polynomials, scales.own, own)
        known_part(cells, times(combined(programme.fixed, trends[s], programme.walk), g[s]), known)
        for j in range(len(where)):
            place, table = places[s, where[j]], tables[s, where[j]]
            if cells.family == NORMAL:
                of_means(cells, j, scales, rule_at(depths, depths.choice[j]), known, place, table)
            else:
                of_counts(cells, j, scales, depths, known, own, modes[s, j], place, table)


@compiled_inner
def settled(place: Floats, table: Floats) -> bool:
    """Normalise a table and work out mean and variance; whether its grid lay well, else the grid is laid anew."""
    top = table[0]
    for k in range(POINTS):
        top = max(top, table[k])
    mass = first = second = 0.0
    for k in range(POINTS):
        share, away = math.exp(table[k] - top), STEP * (k - HALF)
        mass += share
        first += share * away
        second += share * away * away
    middle, unit, first, second = place[0], place[1], first / mass, second / mass
    spread = second - first * first
    # the sum over an even grid is the integral of a smooth density but for its tails
    constant = top + math.log(mass * STEP * unit)
    for k in range(POINTS):
        table[k] -= constant
    place[2], place[3] = middle + unit * first, unit * unit * spread
    if abs(first) <= OFF and NARROW <= spread <= BROAD:
        return True
    place[0], place[1] = place[2], math.sqrt(place[3])
    return False


@compiled_inner
def of_counts(
    cells: Cells, j: int, scales: Scales, depths: Depths, known: Floats, own: Own, z: Floats, place: Floats,
    table: Floats,
) -> None:  # fmt: skip
    """The table of one site of counts; the slope is integrated out about where it is most probable at each level.

    The likelihood is log-concave: a series that falls more slowly than the prior is cut there (`propose_effects`).
    """
    rule, exact = rule_at(depths, depths.choice[j]), depths.exact[depths.choice[j]]
    p = series(cells, j, scales, rule, known, own, z[0], z[1])
    x, y, l11, l21, l22 = peak(p)
    top = at(p, x, y)
    place[0], place[1] = z[0] + x, math.sqrt(1.0 + (l21 / l22) ** 2) / l11
    across = len(rule.site) if cells.slope else 1
    width = 1.0 / math.sqrt(p.d22)
    for _ in range(2):
        for k in range(POINTS):
            b1 = place[0] + place[1] * STEP * (k - HALF) - z[0]
            middle = y - p.d12 / p.d22 * (b1 - x)
            mass = 0.0
            for k2 in range(across):
                node = rule.site[k2] if cells.slope else 0.0
                b2 = middle + width * node if cells.slope else 0.0
                if exact:
                    value = at_effects(cells, j, scales, rule, known, own, z[0] + b1, z[1] + b2)
                else:
                    value = min(at(p, b1, b2), top - 0.5 * ((b1 - x) ** 2 + (b2 - y) ** 2))
                mass += math.exp(value - top + 0.5 * node * node + (rule.log_site[k2] if cells.slope else 0.0))
            table[k] = math.log(max(mass, 1e-300))
        if settled(place, table):
            break


@compiled_inner
def of_means(
    cells: Cells, j: int, scales: Scales, rule: Rule, known: Floats, place: Floats, table: Floats
) -> None:  # fmt: skip
    """The table of one site of means: Gaussian given the site's sd, summed over that by quadrature."""
    count = len(rule.sd) if cells.own_sd else 1
    middles, variances, shares = np.empty(count), np.empty(count), np.empty(count)
    middle, precision = sd_mode(cells, j, scales) if cells.own_sd else (0.0, 1.0)
    mean = second = mass = top = 0.0
    for k in range(count):
        sd = rho = 0.0
        if cells.own_sd:
            rho = middle + rule.sd[k] / math.sqrt(precision)
            sd = scales.typical * math.exp(scales.spread * rho)
        z1, _, d11, d12, d22, value = gaussian_site(cells, j, scales, known, sd)
        if cells.own_sd:
            value += sd_log_density(cells, j, scales, rho) + 0.5 * rule.sd[k] ** 2 + rule.log_sd[k]
        top = value if k == 0 else top
        middles[k], variances[k], shares[k] = z1, d22 / (d11 * d22 - d12 * d12), math.exp(min(value - top, 500.0))
        mass += shares[k]
        mean += shares[k] * z1
        second += shares[k] * (variances[k] + z1 * z1)
    place[0], place[1] = mean / mass, math.sqrt(second / mass - (mean / mass) ** 2)
    for k in range(POINTS):
        level, total = place[0] + place[1] * STEP * (k - HALF), 0.0
        for c in range(count):
            total += shares[c] * math.exp(-0.5 * (level - middles[c]) ** 2 / variances[c]) / math.sqrt(variances[c])
        table[k] = math.log(max(total, 1e-300))
    settled(place, table)


@compiled_inner
def log_density(places: Floats, tables: Floats, a: int, level: float) -> float:
    """Log-density of a level by the table in row a; beyond it falls as the Gaussian of that mean and variance does."""
    t = (level - places[a, 0]) / (places[a, 1] * STEP) + HALF
    inside = min(max(t, 0.0), POINTS - 1.0)
    k = min(max(int(inside), 1), POINTS - 3)
    f, p, q, r, s = inside - k, tables[a, k - 1], tables[a, k], tables[a, k + 1], tables[a, k + 2]
    found = q + f * (r - p / 3.0 - q / 2.0 - s / 6.0 + f * ((p + r) / 2.0 - q + f * ((s - p) / 6.0 + (q - r) / 2.0)))
    if t != inside:
        end = places[a, 0] + places[a, 1] * STEP * (inside - HALF)
        found -= 0.5 * ((level - places[a, 2]) ** 2 - (end - places[a, 2]) ** 2) / places[a, 3]
    return found

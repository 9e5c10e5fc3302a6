"""Levels of a site that correlate over its measures: the integral over them, and draws of them. Numba.

Of each measure the density of a site's level p_m(z) is known (`levels`), under the prior z ~ N(0, 1). What R, the
correlation, adds is for each site ∫ Π p_m(z_m) N(z; 0, R) / Π N(z_m; 0, 1) dz, over the measures that the site has.
"""

from __future__ import annotations

import math

import numpy as np

from collabeval.laplace.arrays import Floats
from collabeval.laplace.dense import cholesky, log_diagonal, log_sum, solve_lower, solve_upper
from collabeval.laplace.kernels import compiled, compiled_inner
from collabeval.laplace.levels import log_density
from collabeval.laplace.site_draws import EACH, EVERY, FEWEST, WIDE

LOG_ROOT = 0.5 * math.log(2.0 * math.pi)


@compiled_inner
def added_precision(matrix: Floats, held: np.ndarray) -> tuple[Floats, float]:
    """R⁻¹ − I of the measures held, and half of log |R|."""
    size = len(held)
    own = np.empty((size, size))
    for a in range(size):
        for b in range(size):
            own[a, b] = matrix[held[a], held[b]]
    factor, _ = cholesky(own)
    unit, found = np.zeros(size), np.empty((size, size))
    for a in range(size):
        unit[a] = 1.0
        column = solve_upper(factor, solve_lower(factor, unit))
        unit[a] = 0.0
        for b in range(size):
            found[b, a] = column[b] - (1.0 if a == b else 0.0)
    return found, log_diagonal(factor)


@compiled_inner
def of_site(
    places: Floats, tables: Floats, pick: np.ndarray, j: int, held: np.ndarray, own_places: Floats, own_tables: Floats
) -> None:  # fmt: skip
    """What is known of one site's levels in one combination, side by side, into the first rows of the last two."""
    for a in range(len(held)):
        m, s = held[a], pick[held[a]]
        for k in range(4):
            own_places[a, k] = places[m, s, j, k]
        for k in range(own_tables.shape[1]):
            own_tables[a, k] = tables[m, s, j, k]


@compiled_inner
def gaussian(places: Floats, added: Floats) -> tuple[Floats, Floats, float]:
    """Mean and Cholesky factor of the precision of a site's levels, each p_m a Gaussian; log of their integral."""
    size = len(added)
    precision, pull, value = added.copy(), np.empty(size), 0.0
    for a in range(size):
        precision[a, a] += 1.0 / places[a, 3]
        pull[a] = places[a, 2] / places[a, 3]
        value -= 0.5 * (math.log(places[a, 3]) + places[a, 2] * pull[a])
    factor, _ = cholesky(precision)
    half = solve_lower(factor, pull)
    for a in range(size):
        value += 0.5 * half[a] * half[a]
    return solve_upper(factor, half), factor, value - log_diagonal(factor)


@compiled_inner
def at_levels(places: Floats, tables: Floats, added: Floats, levels: Floats) -> float:
    """log of Π p_m(z_m) exp(−z′(R⁻¹ − I)z / 2) of a site."""
    value = 0.0
    for a in range(len(added)):
        value += log_density(places, tables, a, levels[a])
        row = 0.0
        for b in range(len(added)):
            row += added[a, b] * levels[b]
        value -= 0.5 * levels[a] * row
    return value


@compiled
def pair(
    places: Floats, held: np.ndarray, counts: np.ndarray, kinds: np.ndarray, matrices: Floats, order: np.ndarray,
    candidates: np.ndarray, chances: Floats, picks: np.ndarray,
) -> Floats:  # fmt: skip
    """One proposal of each measure, the next from candidates in proportion to how it goes with those before.

    How it goes is what R adds by Gaussians, the sites' levels of the measures before being as their proposals say.

    Parameters
    ----------
    matrices : (C, M, M) R; order : (M,) in which measures follow each other.
    candidates : (C, M, K) of each measure, alike in chance; the first one's first is taken.
    chances : (C, M) uniform numbers; picks : (C, M) where the proposals go.

    Returns
    -------
    log of the candidates' mean share over that of the one taken, a product over the measures (C,).
    """
    number, size = len(order), candidates.shape[2]
    found, gains, cavity = np.zeros(len(picks)), np.empty(size), np.empty((len(counts), 2))
    for c in range(len(picks)):
        picks[c, order[0]] = candidates[c, order[0], 0]
        for t in range(1, number):
            m = order[t]
            said_before(places, held, counts, kinds, picks[c], matrices[c], order[: t + 1], cavity)
            for k in range(size):
                gains[k] = gain(places[m, candidates[c, m, k]], cavity)
            whole, taken, left = log_sum(gains), 0, chances[c, m]
            while taken < size - 1:
                left -= math.exp(gains[taken] - whole)
                if left < 0.0:
                    break
                taken += 1
            picks[c, m] = candidates[c, m, taken]
            found[c] += whole - math.log(size) - gains[taken]
    return found


@compiled_inner
def said_before(
    places: Floats, held: np.ndarray, counts: np.ndarray, kinds: np.ndarray, pick: np.ndarray, matrix: Floats,
    order: np.ndarray, cavity: Floats,
) -> None:  # fmt: skip
    """What the measures before say of each level of the last in `order`: precision a, pull b of exp(bz − az²/2)."""
    last, m, size = -1, order[-1], 0
    before, added = np.empty(len(order), np.int64), np.empty((0, 0))
    for j in range(len(counts)):
        if kinds[j] != last:
            last, size, has = kinds[j], 0, False
            for k in range(counts[j]):
                has = has or held[j, k] == m
            for t in range(len(order) - 1):
                for k in range(counts[j]):
                    if held[j, k] == order[t]:
                        before[size] = order[t]
                        size += 1
            size = size if has else 0
            before[size] = m
            if size:
                added, _ = added_precision(matrix, before[: size + 1])
        cavity[j, 0] = cavity[j, 1] = 0.0
        if size:
            rest, border, pull = added[:size, :size].copy(), added[:size, size].copy(), np.empty(size)
            for a in range(size):
                place = places[before[a], pick[before[a]], j]
                rest[a, a] += 1.0 / place[3]
                pull[a] = place[2] / place[3]
            factor, _ = cholesky(rest)
            border, pull = solve_lower(factor, border), solve_lower(factor, pull)
            cavity[j, 0] = added[size, size]
            for a in range(size):
                cavity[j, 0] -= border[a] * border[a]
                cavity[j, 1] -= border[a] * pull[a]


@compiled_inner
def gain(places: Floats, cavity: Floats) -> float:
    """log ∫ Π N(z; mean, variance) exp(bz − az²/2) dz over all sites of one proposal (J, 4)."""
    found, product = 0.0, 1.0
    for j in range(len(cavity)):
        a, b, mean, variance = cavity[j, 0], cavity[j, 1], places[j, 2], places[j, 3]
        wide = 1.0 + a * variance
        found += 0.5 * (b * b * variance + 2.0 * b * mean - a * mean * mean) / wide
        product *= wide
        if j % 8 == 7:
            found -= 0.5 * math.log(product)
            product = 1.0
    return found - 0.5 * math.log(product)


@compiled
def couplings(
    places: Floats, tables: Floats, held: np.ndarray, counts: np.ndarray, kinds: np.ndarray, picks: np.ndarray,
    matrices: Floats, nodes: Floats, log_nodes: Floats, sizes: np.ndarray,
) -> Floats:  # fmt: skip
    """log of what R adds, all sites together, in each of C combinations (C,).

    Parameters
    ----------
    places (M, S, J, 4), tables (M, S, J, POINTS) : of every measure's proposals, as `level_densities` fills them.
    held : (J, M) the measures each site has, these first; counts : (J,) how many; kinds : (J,) alike for the same.
    picks : (C, M) the proposal of each measure; matrices : (C, M, M) R.
    nodes : (M + 1, K, M) points of a rule for N(0, I) of so many measures, the first `sizes` (M + 1,) of them; its
        log-weights (M + 1, K). None: each p_m is taken for a Gaussian, and the integral is exact.
    """
    found, measures = np.zeros(len(picks)), held.shape[1]
    own_places, own_tables = np.empty((measures, 4)), np.empty((measures, tables.shape[3]))
    for c in range(len(picks)):
        last, half_log, added = -1, 0.0, np.empty((0, 0))
        for j in range(len(counts)):
            size = counts[j]
            if size < 2:
                continue
            if kinds[j] != last:
                last = kinds[j]
                added, half_log = added_precision(matrices[c], held[j, :size])
            of_site(places, tables, picks[c], j, held[j, :size], own_places, own_tables)
            mean, factor, value = gaussian(own_places, added)
            if sizes[size]:
                value = summed(own_places, own_tables, added, mean, factor, nodes[size], log_nodes[size, : sizes[size]])
            found[c] += value - half_log
    return found


@compiled_inner
def summed(
    places: Floats, tables: Floats, added: Floats, mean: Floats, factor: Floats, nodes: Floats, log_nodes: Floats
) -> float:  # fmt: skip
    """The integral of one site by adaptive Gauss–Hermite quadrature about the Gaussian that is near it."""
    size, levels, values = len(added), np.empty(len(added)), np.empty(len(log_nodes))
    for k in range(len(log_nodes)):
        half = 0.0
        for a in range(size - 1, -1, -1):
            levels[a] = nodes[k, a]
            half += 0.5 * nodes[k, a] * nodes[k, a]
            for b in range(a + 1, size):
                levels[a] -= factor[b, a] * levels[b]
            levels[a] /= factor[a, a]
        for a in range(size):
            levels[a] += mean[a]
        values[k] = at_levels(places, tables, added, levels) + half + log_nodes[k]
    return log_sum(values) + size * LOG_ROOT - log_diagonal(factor)


@compiled
def draw_levels(
    random: np.random.Generator, places: Floats, tables: Floats, held: np.ndarray, counts: np.ndarray,
    picks: np.ndarray, matrices: Floats, edges: np.ndarray, order: np.ndarray, levels: Floats, ratios: Floats,
) -> None:  # fmt: skip
    """Draws of all sites' levels given each of F combinations: `order[edges[f]:edges[f + 1]]` of `levels` (S, J, M).

    Proposals come from the Gaussian near the levels' density mixed with a wider one, as those of a single measure do
    (`site_draws`); `ratios` (F, K, J): log-ratios of some of them, for judging.
    """
    each, measures = ratios.shape[1], held.shape[1]
    own_places, own_tables = np.empty((measures, 4)), np.empty((measures, tables.shape[3]))
    for f in range(len(picks)):
        mine = order[edges[f] : edges[f + 1]]
        for j in range(len(counts)):
            size = counts[j]
            if not size:
                continue
            held_here = held[j, :size]
            added, _ = added_precision(matrices[f], held_here)
            of_site(places, tables, picks[f], j, held_here, own_places, own_tables)
            mean, factor, _ = gaussian(own_places, added)
            count = max(FEWEST, EACH * len(mine))
            tried, ratio = np.empty((count, size)), np.empty(count)
            reference = at_levels(own_places, own_tables, added, mean)
            for k in range(count):
                width = WIDE if k % EVERY == EVERY - 1 else 1.0
                ratio[k] = propose_levels(random, own_places, own_tables, added, mean, factor, width, tried[k])
            whole = log_sum(ratio)
            for s in mine:
                taken, left = 0, random.random()
                while taken < count - 1:
                    left -= math.exp(ratio[taken] - whole)
                    if left < 0.0:
                        break
                    taken += 1
                for a in range(size):
                    levels[s, j, held_here[a]] = tried[taken, a]
            for k in range(each):
                ratios[f, k, j] = ratio[(f * each + k) % count] - reference


@compiled_inner
def propose_levels(
    random: np.random.Generator, places: Floats, tables: Floats, added: Floats, mean: Floats, factor: Floats,
    width: float, levels: Floats,
) -> float:  # fmt: skip
    """One proposal of a site's levels into `levels`, and the log of its density over the proposals'."""
    size, half = len(added), 0.0
    for a in range(size - 1, -1, -1):
        standard = width * random.standard_normal()
        half += 0.5 * standard * standard
        levels[a] = standard
        for b in range(a + 1, size):
            levels[a] -= factor[b, a] * levels[b]
        levels[a] /= factor[a, a]
    for a in range(size):
        levels[a] += mean[a]
    wide = math.exp(half - half / (WIDE * WIDE)) / WIDE**size / EVERY
    value = at_levels(places, tables, added, levels)
    return value + half - math.log(1.0 - 1.0 / EVERY + wide)

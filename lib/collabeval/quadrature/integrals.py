"""Log-density of groups of rows with each group's effect integrated out, and the slopes of it. Compiled by numba."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from collabeval.laplace.kernels import compiled, compiled_inner
from collabeval.models.grouped import Floats
from collabeval.quadrature.kernels import (
    BINOMIAL,
    LAST,
    Point,
    Rows,
    add_cut_slopes,
    divisor,
    inlined,
    point_at,
    power,
    shares,
    variance,
)

STEPS = 3  # of Newton's method at most, from where another point's mode was
CLOSE = 0.1  # from the mode, in standard deviations: any place near it will do for quadrature
LONGEST = 2.0  # of such a step, in units of the effect's own sd
FULL = 1e200  # a product is taken the logarithm of before it overflows
GRID, GRID_REACH = 41, 5.0  # places at which a distribution function is known, standard deviations to either side


class Rule(NamedTuple):
    """Gauss–Hermite nodes for N(0, 1) and the logarithms of their weights."""

    nodes: np.ndarray
    log_weights: np.ndarray


@inlined
def near_mode(rows: Rows, point: Point, g: int, at: float) -> tuple[float, float]:
    """About the mode of a group's effect v, from `at`, and the precision there."""
    precision = 1.0
    for step in range(STEPS + 1):
        slope, precision, rise = -at, 1.0, math.exp(point.sd * at)
        for i in range(rows.start[g], rows.start[g + 1]):
            found = shares(rows, point, i, point.x[i] * rise)
            slope += point.sd * (power(rows, i) - (found[0] + found[1] + found[2] + found[3]))
            precision += point.sd * point.sd * variance(rows, i, found)
        if step == STEPS or slope * slope < CLOSE * CLOSE * precision:
            break
        at += max(-LONGEST, min(LONGEST, slope / precision))
    return at, precision


@inlined
def line(rows: Rows, point: Point, g: int) -> tuple[float, float]:
    """Start and slope, in v, of what a group's log-likelihood has besides the logarithms of its rows' D."""
    start, slope = 0.0, 0.0
    for i in range(rows.start[g], rows.start[g + 1]):
        start += power(rows, i) * point.log_x[i] + point.constant[i]
        slope += power(rows, i) * point.sd
    return start, slope


@inlined
def less_divisors(rows: Rows, point: Point, g: int, v: float) -> float:
    """Minus the logarithm of the product of the D of a group's rows at its effect v."""
    rise, total, product = math.exp(point.sd * v), 0.0, 1.0
    for i in range(rows.start[g], rows.start[g + 1]):
        each = divisor(rows, point, i, point.x[i] * rise)
        if rows.family == BINOMIAL:
            total -= rows.n[i] * math.log(each)
        else:
            product *= each
            if product > FULL:
                total -= math.log(product)
                product = 1.0
    return total - math.log(product)


@compiled_inner
def group(rows: Rows, point: Point, g: int, at: float, rule: Rule, places: Floats, chance: Floats) -> float:
    """Logarithm of a group's integral; `places` (Q,) gets v of the nodes, `chance` (Q,) their share of the integral."""
    mode, precision = near_mode(rows, point, g, at)
    start, slope = line(rows, point, g)
    width, highest, whole = 1.0 / math.sqrt(precision), -np.inf, 0.0
    for q in range(len(places)):
        node = rule.nodes[q]
        v = mode + width * node
        places[q] = v
        chance[q] = rule.log_weights[q] + 0.5 * (node * node - v * v) + slope * v + less_divisors(rows, point, g, v)
        highest = max(highest, chance[q])
    for q in range(len(places)):
        chance[q] = math.exp(chance[q] - highest)
        whole += chance[q]
    for q in range(len(places)):
        chance[q] /= whole
    return start + math.log(width * whole) + highest


@compiled
def marginal(rows: Rows, beta: Floats, cuts: Floats, sd: float, rule: Rule, modes: Floats) -> float:
    """Log-density of all rows, every group's effect integrated out; `modes` (G,) is where to look for each."""
    point, total = point_at(rows, beta, cuts, sd), 0.0
    places, chance = np.empty(len(rule.nodes)), np.empty(len(rule.nodes))
    for g in range(len(rows.number)):
        total += rows.number[g] * group(rows, point, g, modes[g], rule, places, chance)
    return total


@compiled_inner
def row_slopes(
    rows: Rows, point: Point, i: int, rises: Floats, places: Floats, chance: Floats, mean: Floats
) -> tuple[float, float]:
    """Means over the nodes of a row's slope by η and by the sd; `mean` (4,) gets those of its `shares`."""
    slope, along, own = 0.0, 0.0, power(rows, i)
    mean[:] = 0.0
    for q in range(len(places)):
        found = shares(rows, point, i, point.x[i] * rises[q])
        each = chance[q] * (own - (found[0] + found[1] + found[2] + found[3]))
        slope += each
        along += each * places[q]
        for k in range(LAST):
            mean[k] += chance[q] * found[k]
    return slope, along


@compiled
def slopes(
    rows: Rows, beta: Floats, cuts: Floats, sd: float, rule: Rule, modes: Floats
) -> tuple[float, Floats, Floats, float, Floats]:
    """`marginal`, its slopes by coefficients (B,), cuts (T, 4) and sd, and the mean of each group's effect (G,).

    Fisher's identity: the slope is the mean, over the effect given the rows, of that of the whole density.
    """
    point, total = point_at(rows, beta, cuts, sd), 0.0
    places, chance = np.empty(len(rule.nodes)), np.empty(len(rule.nodes))
    by_beta, by_cuts, by_sd, means = np.zeros(len(beta)), np.zeros(cuts.shape), 0.0, np.zeros(len(rows.number))
    mean = np.empty(LAST)
    for g in range(len(rows.number)):
        total += rows.number[g] * group(rows, point, g, modes[g], rule, places, chance)
        means[g] = (chance * places).sum()
        rises = np.exp(sd * places)
        for i in range(rows.start[g], rows.start[g + 1]):
            slope, along = row_slopes(rows, point, i, rises, places, chance, mean)
            by_sd += rows.number[g] * along
            for c in range(rows.column.shape[1]):
                if rows.column[i, c] >= 0:
                    by_beta[rows.column[i, c]] += rows.number[g] * slope * rows.weight[i, c]
            add_cut_slopes(rows, i, mean, cuts, rows.number[g], by_cuts)
    return total, by_beta, by_cuts, by_sd, means


@compiled
def complete(rows: Rows, beta: Floats, cuts: Floats, sd: float, effects: Floats) -> float:
    """Log-density of all rows given each group's effect v (G,), and of the effects."""
    point, total = point_at(rows, beta, cuts, sd), 0.0
    for g in range(len(rows.number)):
        start, slope = line(rows, point, g)
        total += start + slope * effects[g] + less_divisors(rows, point, g, effects[g]) - 0.5 * effects[g] ** 2
    return total


@compiled
def draw_effects(rows: Rows, beta: Floats, cuts: Floats, sd: Floats, seeds: np.ndarray) -> Floats:
    """A draw of each group's effect v (S, G) given coefficients (S, B), cuts (S, T, 4) and sd (S,).

    By the inverse of its distribution function on a fine grid, straight lines between.
    """
    count, size = len(sd), len(rows.number)
    found, grid = np.empty((count, size)), np.linspace(-GRID_REACH, GRID_REACH, GRID)
    density, below = np.empty(GRID), np.empty(GRID)
    for s in range(count):
        np.random.seed(seeds[s])
        point = point_at(rows, beta[s], cuts[s], sd[s])
        for g in range(size):
            mode, precision = near_mode(rows, point, g, 0.0)
            _, slope = line(rows, point, g)
            width = 1.0 / math.sqrt(precision)
            for k in range(GRID):
                v = mode + width * grid[k]
                density[k] = slope * v + less_divisors(rows, point, g, v) - 0.5 * v * v
            density[:] = np.exp(density - density.max())
            below[0] = 0.0
            for k in range(1, GRID):
                below[k] = below[k - 1] + density[k - 1] + density[k]
            found[s, g] = mode + width * np.interp(np.random.random() * below[-1], below, grid)
    return found


@compiled
def mean_share(eta: Floats, sd: Floats, rule: Rule) -> Floats:
    """Mean of expit(η + sd·v) over v ~ N(0, 1), for η (S, C) and sd (S,)."""
    found = np.zeros(eta.shape)
    weights = np.exp(rule.log_weights)
    for s in range(eta.shape[0]):
        factors = np.exp(-sd[s] * rule.nodes)
        for c in range(eta.shape[1]):
            against = math.exp(-eta[s, c])
            for q in range(len(weights)):
                found[s, c] += weights[q] / (1.0 + against * factors[q])
    return found

"""Draws of one site's effects given the programme-wide part. Numba."""

from __future__ import annotations

import math

import numpy as np

from collabeval.laplace.arrays import Cells, Depths, Floats, Own, Scales
from collabeval.laplace.dense import log_sum
from collabeval.laplace.kernels import NORMAL, compiled_inner
from collabeval.laplace.sites import at, at_effects, gaussian_site, peak, rule_at, sd_log_density, sd_mode, series

FEWEST, EACH = 40, 8  # proposals of a site's effects: at least, and for each draw
WIDE, EVERY = 2.0, 4  # one proposal in so many is spread so much wider: no tail weighs more than all others
SD_DRAWS = 8  # proposals of a site's sd, of which one is taken


@compiled_inner
def propose_effects(
    random: np.random.Generator, cells: Cells, j: int, scales: Scales, depths: Depths, known: Floats, own: Own,
    z: Floats, tried: Floats, ratio: Floats,
) -> None:  # fmt: skip
    """Proposals of a site's effects into `tried` (R, 2), and the log of their density over the proposals' into `ratio`.

    They come from the Gaussian at the site's mode, near z, mixed with a wider one (a defensive mixture; Hesterberg
    1995); their density is the series, or itself where the site's integral takes that. The likelihood is log-concave,
    so no site's density falls more slowly from its mode than the prior: a series that far out says so is cut there.
    """
    rule, exact = rule_at(depths, depths.choice[j]), depths.exact[depths.choice[j]]
    p = series(cells, j, scales, rule, known, own, z[0], z[1])
    x, y, l11, l21, l22 = peak(p)
    reference = at_effects(cells, j, scales, rule, known, own, z[0] + x, z[1] + y) if exact else at(p, x, y)
    fewer = 1.0 / (WIDE * WIDE if cells.slope else WIDE) / EVERY
    for k in range(len(tried)):
        width = WIDE if k % EVERY == EVERY - 1 else 1.0
        first, second = width * random.standard_normal(), width * random.standard_normal() if cells.slope else 0.0
        b2 = y + second / l22
        b1 = x + (first - l21 * second / l22) / l11
        if exact:
            value = at_effects(cells, j, scales, rule, known, own, z[0] + b1, z[1] + b2) - reference
        else:
            value = min(at(p, b1, b2) - reference, -0.5 * ((b1 - x) ** 2 + (b2 - y) ** 2))
        half = 0.5 * (first * first + second * second)
        wide = fewer * math.exp(half - half / (WIDE * WIDE))
        ratio[k] = value + half - math.log(1.0 - 1.0 / EVERY + wide)
        tried[k, 0], tried[k, 1] = z[0] + b1, z[1] + b2


@compiled_inner
def resample(random: np.random.Generator, tried: Floats, ratio: Floats, chosen: Floats) -> None:
    """So many of the proposals (R, 2) as `chosen` (m, 2) holds, in proportion to exp(ratio)."""
    below, whole = np.empty(len(ratio)), log_sum(ratio)
    total = 0.0
    for k in range(len(ratio)):
        total += math.exp(ratio[k] - whole)
        below[k] = total
    for k in range(len(chosen)):
        taken, at = 0, random.random() * total
        while below[taken] < at and taken < len(tried) - 1:
            taken += 1
        chosen[k, 0], chosen[k, 1] = tried[taken, 0], tried[taken, 1]


@compiled_inner
def draw_effects(
    random: np.random.Generator, cells: Cells, j: int, scales: Scales, depths: Depths, known: Floats, own: Own,
    mode: Floats, places: np.ndarray, given: bool, effects: Floats, rho: Floats, ratios: Floats, turn: int,
) -> None:  # fmt: skip
    """Draws of one site's effects given one proposal of all else, into `places` of `effects` (S, J, 2) and ρ (S, J).

    With `given` the levels are there already, and what else the site has is drawn given them.

    Some of the log-ratios of what proposed them, another part of them each `turn`, go into `ratios` (K, J).
    """
    if cells.family == NORMAL:
        for s in places:
            rho[s, j] = draw_normal_site(random, cells, j, scales, known, given, effects[s, j])
        return
    if given:
        if cells.slope:
            draw_slopes(random, cells, j, scales, depths, known, own, mode, places, effects)
        return
    count = max(FEWEST, EACH * len(places))
    tried, ratio, chosen = np.empty((count, 2)), np.empty(count), np.empty((len(places), 2))
    propose_effects(random, cells, j, scales, depths, known, own, mode, tried, ratio)
    resample(random, tried, ratio, chosen)
    for k in range(len(places)):
        effects[places[k], j, 0], effects[places[k], j, 1] = chosen[k, 0], chosen[k, 1]
    for k in range(len(ratios)):
        ratios[k, j] = ratio[(turn * len(ratios) + k) % count]


@compiled_inner
def draw_slopes(
    random: np.random.Generator, cells: Cells, j: int, scales: Scales, depths: Depths, known: Floats, own: Own,
    mode: Floats, places: np.ndarray, effects: Floats,
) -> None:  # fmt: skip
    """Draws of the second effect of a site of counts given the first, into `places` of `effects` (S, J, 2).

    Proposals and their density are those of `propose_effects`, along one line.
    """
    rule, exact = rule_at(depths, depths.choice[j]), depths.exact[depths.choice[j]]
    p = series(cells, j, scales, rule, known, own, mode[0], mode[1])
    x, y, _, _, _ = peak(p)
    tried, ratio, reference = np.empty(FEWEST), np.empty(FEWEST), at(p, x, y)
    for s in places:
        b1 = effects[s, j, 0] - mode[0]
        middle = y - p.d12 / p.d22 * (b1 - x)
        for k in range(FEWEST):
            standard = (WIDE if k % EVERY == EVERY - 1 else 1.0) * random.standard_normal()
            b2 = middle + standard / math.sqrt(p.d22)
            if exact:
                value = at_effects(cells, j, scales, rule, known, own, mode[0] + b1, mode[1] + b2)
            else:
                value = min(at(p, b1, b2), reference - 0.5 * ((b1 - x) ** 2 + (b2 - y) ** 2))
            half = 0.5 * standard * standard
            wide = math.exp(half - half / (WIDE * WIDE)) / WIDE / EVERY
            tried[k], ratio[k] = mode[1] + b2, value + half - math.log(1.0 - 1.0 / EVERY + wide)
        whole, left, taken = log_sum(ratio), random.random(), 0
        while taken < FEWEST - 1:
            left -= math.exp(ratio[taken] - whole)
            if left < 0.0:
                break
            taken += 1
        effects[s, j, 1] = tried[taken]


@compiled_inner
def draw_normal_site(
    random: np.random.Generator, cells: Cells, j: int, scales: Scales, known: Floats, given: bool, z: Floats
) -> float:
    """Effects of a site of means into z: ρ, which is returned, resampled among proposals; then the effects exactly.

    With `given` the first effect is there already, and ρ and the second are drawn given it.
    """
    rho, sd = 0.0, 0.0
    if cells.own_sd:
        middle, precision = sd_mode(cells, j, scales)
        mass, top, rho = 0.0, 0.0, middle
        for k in range(SD_DRAWS):
            standard = random.standard_normal()
            tried = middle + standard / math.sqrt(precision)
            sd = scales.typical * math.exp(scales.spread * tried)
            z1, _, d11, d12, d22, value = gaussian_site(cells, j, scales, known, sd)
            if given:
                own = d11 - d12 * d12 / d22  # precision of the level
                value += 0.5 * (math.log(own) - own * (z[0] - z1) ** 2)
            value += sd_log_density(cells, j, scales, tried) + 0.5 * standard * standard
            top = value if k == 0 else top
            share = math.exp(min(value - top, 500.0))
            mass += share
            if random.random() * mass < share:
                rho = tried
        sd = scales.typical * math.exp(scales.spread * rho)
    z1, z2, d11, d12, d22, _ = gaussian_site(cells, j, scales, known, sd)
    if not given:
        z[0] = z1 + random.standard_normal() / math.sqrt(d11 - d12 * d12 / d22)
    z[1] = z2 - d12 / d22 * (z[0] - z1) + random.standard_normal() / math.sqrt(d22)
    return rho

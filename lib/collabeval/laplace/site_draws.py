"""Draws of one site's effects given the programme-wide part. Numba."""

from __future__ import annotations

import math

import numpy as np

from collabeval.laplace.arrays import Cells, Floats, Rule, Scales
from collabeval.laplace.kernels import NORMAL, compiled
from collabeval.laplace.sites import at, gaussian_site, peak, sd_log_density, sd_mode, series

SD_DRAWS = 8  # proposals of a site's sd, of which one is taken


@compiled
def draw_site(
    cells: Cells, j: int, scales: Scales, rule: Rule, known: Floats, z: Floats, proposals: int
) -> tuple[float, float]:
    """One draw of a site's effects into z (from near their mode); its ρ; and a log-ratio to judge proposals by.

    Resampled among proposals from the Gaussian at the mode, by the series.
    """
    if cells.family == NORMAL:
        return draw_normal_site(cells, j, scales, known, z), 0.0
    p = series(cells, j, scales, rule, known, z[0], z[1])
    x, y, l11, l21, l22 = peak(p)
    reference = at(p, x, y)
    mass, judged, chosen1, chosen2 = 0.0, 0.0, x, y
    for k in range(proposals):
        first, second = np.random.normal(), np.random.normal()
        b2 = y + second / l22
        b1 = x + (first - l21 * second / l22) / l11
        value = at(p, b1, b2) - reference + 0.5 * (first * first + second * second)
        if k == 0:
            judged = value
        share = math.exp(min(value, 500.0))
        mass += share
        if np.random.random() * mass < share:
            chosen1, chosen2 = b1, b2
    z[0] += chosen1
    z[1] += chosen2
    return 0.0, judged


@compiled
def draw_normal_site(cells: Cells, j: int, scales: Scales, known: Floats, z: Floats) -> float:
    """The same where cells are means: ρ, which is returned, resampled among proposals, then the effects exactly."""
    rho, sd = 0.0, 0.0
    if cells.own_sd:
        middle, precision = sd_mode(cells, j, scales)
        mass, top, rho = 0.0, 0.0, middle
        for k in range(SD_DRAWS):
            standard = np.random.normal()
            tried = middle + standard / math.sqrt(precision)
            sd = scales.typical * math.exp(scales.spread * tried)
            value = gaussian_site(cells, j, scales, known, sd)[5] + sd_log_density(cells, j, scales, tried)
            value += 0.5 * standard * standard
            top = value if k == 0 else top
            share = math.exp(min(value - top, 500.0))
            mass += share
            if np.random.random() * mass < share:
                rho = tried
        sd = scales.typical * math.exp(scales.spread * rho)
    z1, z2, d11, d12, d22, _ = gaussian_site(cells, j, scales, known, sd)
    l11 = math.sqrt(d11)
    l21 = d12 / l11
    second = np.random.normal() / math.sqrt(d22 - l21 * l21)
    z[0] = z1 + (np.random.normal() - l21 * second) / l11
    z[1] = z2 + second
    return rho

"""Batches of proposals and their weights, and the draws of sites and cells that follow. Numba, one call a thread."""

from __future__ import annotations

import math

import numpy as np

from collabeval.laplace.arrays import Cells, Depths, Floats, Programme, Rule, Scales
from collabeval.laplace.arrow import integrated, near_mode
from collabeval.laplace.blocks import known_part
from collabeval.laplace.dense import combined, times
from collabeval.laplace.kernels import compiled, draw_about, draw_own
from collabeval.laplace.polynomials import at_spread, moments, nothing_known
from collabeval.laplace.site_draws import draw_effects
from collabeval.laplace.sites import mean_variance, weights_of


@compiled
def scales_of(row: Floats) -> Scales:
    """`Scales` from a row of an array."""
    return Scales(row[0], row[1], row[2], row[3], row[4], row[5])


@compiled
def propose(
    cells: Cells, programme: Programme, rule: Rule, depths: Depths, rows: Floats, trends: Floats, standard: Floats,
    g: Floats, z: Floats,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Proposals of g given hyperparameters, one a row, and what their weights need.

    Parameters
    ----------
    rows : (S, 6) `Scales`; trends : (S,) sd of the programme's trend; standard : (S, G) points to be scaled;
    g (S, G), z (S, J, 2) : near the modes given the hyperparameters. Changed into the proposals, and the sites' modes.

    Returns
    -------
    Log-density of data and g, sites integrated out (S,); log determinant of the factor of g's precision (S,).
    """
    count = len(rows)
    density, log_factor, own = np.empty(count), np.empty(count), nothing_known(cells)
    for s in range(count):
        scales = scales_of(rows[s])
        at_spread(cells.polynomials, scales.own, own)
        log_factor[s] = near_mode(cells, programme, scales, trends[s], rule, g[s], z[s], own, standard[s])
        density[s] = integrated(cells, programme, scales, trends[s], depths, g[s], z[s], own)
    return density, log_factor


@compiled
def draw_sites(
    random: np.random.Generator,
    cells: Cells,
    programme: Programme,
    depths: Depths,
    order: np.ndarray,
    rows: Floats,
    trends: Floats,
    g: Floats,
    modes: Floats,
    edges: np.ndarray,
    places: np.ndarray,
    given: bool,
    effects: Floats,
    rho: Floats,
    alone: Floats,
    ratios: Floats,
) -> None:
    """Draws of site effects z (S, J, 2), ρ (S, J) and the cells' own effects (S, N), given proposals of the others.

    Parameters
    ----------
    rows, trends, g, modes : of F proposals; order : (N,) where a cell's draws go.
    edges : (F + 1,) draws `places[edges[f]:edges[f + 1]]` are made of proposal f.
    given : whether the first effects of the sites are in `effects` already, and all else is drawn given them.
    effects, rho, alone : where they go, those of the cells in their own unit.
    ratios : (F, K, J) log-ratios by which what a site's effects are proposed by can be judged.
    """
    sites, size = modes.shape[1], len(cells.y)
    known, own = np.empty(size), nothing_known(cells)
    for f in range(len(rows)):
        scales = scales_of(rows[f])
        at_spread(cells.polynomials, scales.own, own)
        known_part(cells, times(combined(programme.fixed, trends[f], programme.walk), g[f]), known)
        mine = places[edges[f] : edges[f + 1]]
        for j in range(sites):
            draw_effects(random, cells, j, scales, depths, known, own, modes[f, j], mine, given, effects, rho,
                         ratios[f], f)  # fmt: skip
            for i in range(cells.start[j], cells.start[j + 1] if alone.size else cells.start[j]):
                u, v = weights_of(cells, scales, i)
                for s in mine:
                    eta = known[i] + u * effects[s, j, 0] + v * effects[s, j, 1]
                    mean, spread = moments(own, i, eta, scales.own)
                    if spread > 0.0:
                        drawn = draw_about(
                            random, cells.family, cells.y[i], cells.n[i], eta, scales.own, mean, 1 / spread
                        )
                    else:
                        variance = mean_variance(cells, i, scales.typical * math.exp(scales.spread * rho[s, j]))
                        drawn, own.start[i] = draw_own(
                            random, cells.family, cells.y[i], cells.n[i], variance, eta, scales.own, own.start[i]
                        )
                    alone[s, order[i]] = scales.own * drawn

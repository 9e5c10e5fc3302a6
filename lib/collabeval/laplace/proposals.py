"""Batches of proposals and their weights, and the draws of sites and cells that follow. Numba, one call a thread."""

from __future__ import annotations

import numpy as np

from collabeval.laplace.arrays import Cells, Floats, Programme, Rule, Scales
from collabeval.laplace.arrow import integrated, known_part, near_mode
from collabeval.laplace.kernels import compiled, draw_own
from collabeval.laplace.site_draws import draw_site
from collabeval.laplace.sites import mean_variance, weights_of

RESAMPLED = 40  # proposals of a site's effects, of which one is taken


@compiled
def scales_of(row: Floats) -> Scales:
    """`Scales` from a row of an array."""
    return Scales(row[0], row[1], row[2], row[3], row[4], row[5])


@compiled
def propose(
    cells: Cells, programme: Programme, rule: Rule, rows: Floats, trends: Floats, standard: Floats, g: Floats, z: Floats
) -> tuple[Floats, Floats]:
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
    density, log_factor = np.empty(count), np.empty(count)
    for s in range(count):
        scales = scales_of(rows[s])
        log_factor[s] = near_mode(cells, programme, scales, trends[s], rule, g[s], z[s], standard[s])
        density[s] = integrated(cells, programme, scales, trends[s], rule, g[s], z[s], False)
    return density, log_factor


@compiled
def draw_sites(
    cells: Cells,
    programme: Programme,
    rule: Rule,
    rows: Floats,
    trends: Floats,
    g: Floats,
    modes: Floats,
    seeds: np.ndarray,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Draws of site effects z (S, J, 2), ρ (S, J) and the cells' own effects (S, N), each given its row of the others.

    Also returns the log-ratios (S, J) by which the Gaussian that proposes a site's effects can be judged.
    """
    count, sites, size = len(rows), modes.shape[1], len(cells.y)
    effects, rho = np.empty((count, sites, 2)), np.zeros((count, sites))
    own, ratios = np.zeros((count, size)), np.zeros((count, sites))
    known = np.empty(size)
    for s in range(count):
        np.random.seed(seeds[s])
        scales = scales_of(rows[s])
        known_part(cells, (programme.fixed + trends[s] * programme.walk) @ g[s], known)
        for j in range(sites):
            z = modes[s, j].copy()
            rho[s, j], ratios[s, j] = draw_site(cells, j, scales, rule, known, z, RESAMPLED)
            effects[s, j] = z
            sd = scales.typical * np.exp(scales.spread * rho[s, j])
            for i in range(cells.start[j], cells.start[j + 1]):
                u, v = weights_of(cells, scales, i)
                eta, variance = known[i] + u * z[0] + v * z[1], mean_variance(cells, i, sd)
                own[s, i] = draw_own(cells.family, cells.y[i], cells.n[i], variance, eta, scales.own)
    return effects, rho, own, ratios

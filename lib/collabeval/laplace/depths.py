"""How finely each site is integrated out: the coarsest way that agrees with a much finer one where it matters.

A site's series costs least. It is judged by the density itself at many nodes; where it is too far off, derivatives by
more nodes of a cell's own effect, and then the density itself at a few nodes, take its place, site by site.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collabeval.laplace.arrays import Cells, Depths, Floats, Scales
from collabeval.laplace.arrow import site_integrals
from collabeval.laplace.problem import Problem, hermite
from collabeval.laplace.threads import threaded

# nodes of a cell's own effect, of a site's effects (each way), of a site's sd; whether without series: ever dearer
LADDER = ((3, 5, 7, False), (5, 7, 7, False), (7, 9, 11, False), (11, 9, 15, False), (5, 5, 15, True),
          (7, 7, 15, True), (9, 9, 15, True), (11, 9, 21, True))  # fmt: skip
FINEST = len(LADDER) - 1
NODES = 11  # of a cell's own effect, of those that polynomials are made with
BEYOND = (17, 15, 31, True)  # what the finest itself is judged by
ERROR = 0.02  # of the log-density of all data, to all sides of the centre against there; and of any one site
CHECKED = 1000  # cells of the sites that are judged, at most; they stand for the others
JUDGED_AGAIN = 10  # sites, the farthest off by the series, for which the finest way is judged


class TooCoarseError(Exception):
    """These data are not ones that the engine's approximation can follow closely enough."""


@dataclass(frozen=True)
class Place:
    """Hyperparameters, programme-wide part and the sites' modes given them."""

    scales: Scales
    trend: float
    g: Floats  # (G,)
    z: Floats  # (J, 2)


def table(choice: np.ndarray, ladder: tuple[tuple[int, int, int, bool], ...] = ()) -> Depths:
    """`Depths` with the choice (J,) of each site, among `LADDER` or others."""
    ladder = ladder or LADDER
    cell, log_cell = _rows([each[0] for each in ladder])
    site, log_site = _rows([each[1] for each in ladder])
    sd, log_sd = _rows([each[2] for each in ladder])
    counts = np.array([each[:3] for each in ladder])
    exact = np.array([each[3] for each in ladder])
    return Depths(cell, log_cell, counts[:, 0].copy(), site, log_site, counts[:, 1].copy(), sd, log_sd,
                  counts[:, 2].copy(), exact, choice.astype(np.int64))  # fmt: skip


def alike(depth: int, sites: int, ladder: tuple[tuple[int, int, int, bool], ...] = ()) -> Depths:
    """Every site in the same way."""
    return table(np.full(sites, depth), ladder)


def ladder_of(problem: Problem) -> tuple[tuple[int, int, int, bool], ...]:
    """`LADDER`; where polynomials stand for the cells' integrals, those beyond their box have as many nodes as they.

    There are few of them, and a way is judged near the centre, where it is the polynomials that are seen.
    """
    if not problem.cells.polynomials.coefficients.size:
        return LADDER
    return tuple((max(cell, NODES), site, sd, exact) for cell, site, sd, exact in LADDER)


def chosen(problem: Problem, places: list[Place]) -> Depths:
    """The coarsest depth of each site that is fine enough at all places, the first of which is the centre.

    A constant error changes no weight, so what counts is how errors, added up over all sites, differ between places.

    Raises
    ------
    TooCoarseError
        Not even the finest way can be trusted.
    """
    judged, stands = _sample(problem.cells)
    errors = _errors(problem, places, judged)  # (L, P, m)
    worst = np.abs(errors).max(axis=1)
    tolerance = ERROR
    while True:
        depth = np.argmax(worst < tolerance, axis=0)  # the finest is nowhere off from itself
        total = stands * np.take_along_axis(errors, depth[None, None], axis=0)[0].sum(axis=1)
        if np.abs(total - total[0]).max() < ERROR:
            break
        tolerance /= 2
    _judge_the_finest(problem, places, judged, np.where(table(depth).exact[depth], worst[0], 0.0))
    return table(_spread(problem.cells, judged, depth), ladder_of(problem))


def described(depths: Depths) -> str:
    """Which nodes how many sites were given, in words."""
    words = []
    for depth, count in zip(*np.unique(depths.choice, return_counts=True), strict=True):
        how = "the density itself" if depths.exact[depth] else "series"
        words.append(f"{count} sites: {how}, {depths.cells[depth]} a cell, {depths.sites[depth]} a site")
    return "; ".join(words)


def _sample(cells: Cells) -> tuple[np.ndarray, float]:
    """Sites that are judged (m,), from the smallest to the largest, and how many sites each stands for."""
    sites, size = len(cells.start) - 1, len(cells.y)
    count = sites if size <= CHECKED else max(2, sites * CHECKED // size)
    return _by_size(cells)[np.linspace(0, sites - 1, count).round().astype(int)], sites / count


def _by_size(cells: Cells) -> np.ndarray:
    """The sites (J,) by what they know: events, or the number of values."""
    site = np.repeat(np.arange(len(cells.start) - 1), np.diff(cells.start))
    return np.argsort(np.bincount(site, cells.y) if not cells.freedom.any() else cells.freedom, kind="stable")


def _spread(cells: Cells, judged: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """The depth of every site (J,): of those next to it in size that were judged, the finer."""
    order = _by_size(cells)
    place = np.empty(len(order), int)
    place[order] = np.arange(len(order))
    at = place[judged]
    above = np.searchsorted(at, place).clip(max=len(at) - 1)
    below = np.where(at[above] == place, above, above - 1).clip(min=0)
    return np.maximum(depth[above], depth[below])


def _errors(problem: Problem, places: list[Place], judged: np.ndarray) -> Floats:
    """How far each depth is off from the finest at each place for each judged site (L, P, m).

    A site for which a depth is as good as the finest is not looked at further.
    """
    sites, ladder = len(problem.cells.start) - 1, ladder_of(problem)
    finest = integrals(problem, places, alike(FINEST, sites), judged)
    errors = np.zeros((len(LADDER), *finest.shape))
    open_ = np.arange(len(judged))
    for depth in range(FINEST):
        errors[depth:-1, :, open_] = (
            integrals(problem, places, alike(depth, sites, ladder), judged[open_]) - finest[:, open_]
        )
        open_ = open_[np.abs(errors[depth][:, open_]).max(axis=0) > ERROR / (2 * sites)]
        if not open_.size:
            break
    return errors


def _judge_the_finest(problem: Problem, places: list[Place], judged: np.ndarray, worst: Floats) -> None:
    """Hold the finest way against one far beyond, where the series is farthest off (`worst`; 0: not asked about)."""
    asked = np.argsort(-worst, kind="stable")[: min(JUDGED_AGAIN, np.count_nonzero(worst))]
    if not asked.size:
        return
    sites = len(problem.cells.start) - 1
    finest = integrals(problem, places, alike(FINEST, sites), judged[asked])
    beyond = integrals(problem, places, table(np.zeros(sites), (BEYOND,)), judged[asked])
    away = np.abs(finest - beyond).sum(axis=1).max()
    if not away < ERROR:
        raise TooCoarseError(f"the sites' integrals are off by {away:.2g} in the log-density of the data")


def integrals(problem: Problem, places: list[Place], depths: Depths, sites: np.ndarray) -> Floats:
    """The integrals (P, m) of some sites at each place."""
    found = np.empty((len(places), len(sites)))

    def work(part: slice) -> None:
        for place, row in zip(places, found, strict=True):
            site_integrals(problem.cells, problem.programme, place.scales, place.trend, depths, place.g, place.z,
                           sites[part], row[part])  # fmt: skip

    threaded(work, len(sites))
    return found


def _rows(sizes: list[int]) -> tuple[Floats, Floats]:
    """Gauss–Hermite nodes for N(0, 1) and their log-weights, a row each, not numbers beyond its size."""
    nodes, weights = np.full((2, len(sizes), max(sizes)), np.nan)
    for k, size in enumerate(sizes):
        nodes[k, :size], weights[k, :size] = hermite(size)
    return nodes, weights

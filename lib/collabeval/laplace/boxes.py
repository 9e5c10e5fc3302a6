"""Which polynomials stand for the cells' integrals: the box that the posterior needs, and degrees that do there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from collabeval.laplace.arrays import Floats, Polynomials, Scales
from collabeval.laplace.arrow import near_mode
from collabeval.laplace.blocks import known_part
from collabeval.laplace.centre import NEWTON, ROUGH, axes_at
from collabeval.laplace.depths import ERROR, NODES
from collabeval.laplace.kernels import FAR, NORMAL, POISSON
from collabeval.laplace.polynomials import interpolate, interpolated, own_at, taken
from collabeval.laplace.problem import Problem, hermite, no_polynomials
from collabeval.laplace.search import Search
from collabeval.laplace.threads import threaded

ENOUGH = 8000  # cells from which the spreads are known well enough to begin a search there
DEGREES = ((5, 3), (5, 4), (6, 5), (7, 6), (8, 7), (9, 9), (11, 12))  # coefficients in η and in s: ever dearer
TRIALS = 24  # proposals that the box is measured by
WIDER = 1.5  # than the posterior they are, and by so many of their standard deviations the box reaches to either side
REACH = 3.0
NARROWEST = 0.02  # reach in η
SPREADS = 5.0  # standard deviations to either side of the most probable s
SAMPLE, JUDGED = 200, 12  # cells by which degrees are judged, at so many spreads


def tabulated(problem: Problem) -> Problem:
    """The problem, with a place to begin the search at and, of counts that vary from cell to cell, polynomials.

    The rough search is over some of the sites where there are many. Where no degree will do there are no polynomials,
    and every integral is by quadrature.
    """
    few = some_sites(problem)
    counts = problem.cells.family != NORMAL and problem.design.overdispersion
    if few is problem and not counts:
        return problem
    search = Search(few, NEWTON)
    start = search.summit()
    axes = axes_at(search.looser().around, start)
    share = len(few.cells.y) / len(problem.cells.y)
    covariance = share * axes @ axes.T
    begun = replace(problem, start=start, covariance=(covariance + covariance.T) / 2)
    if not counts:
        return begun
    return replace(begun, cells=problem.cells._replace(polynomials=_polynomials(problem, start, axes)))


def some_sites(problem: Problem) -> Problem:
    """The problem of every so manieth site, so that there are about `ENOUGH` cells; itself where it has no more."""
    cells, sites = problem.cells, len(problem.cells.start) - 1
    each = len(cells.y) // ENOUGH
    if each <= 1:
        return problem
    kept = np.arange(0, sites, each)
    counts = np.diff(cells.start)[kept]
    rows = np.concatenate([np.arange(cells.start[j], cells.start[j + 1]) for j in kept])
    by_cell = ("y", "n", "variance", "share", "offset", "column", "years", "covariates")
    fewer = cells._replace(
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        polynomials=no_polynomials(len(rows)),
        squares=cells.squares[kept],
        freedom=cells.freedom[kept],
        **{name: getattr(cells, name)[rows] for name in by_cell},
    )
    return replace(problem, cells=fewer)


def _polynomials(problem: Problem, start: Floats, axes: Floats) -> Polynomials:
    """Polynomials about the start of the search, of the least degrees that suffice."""
    middle, reach = _box(problem, start, axes)
    low, high = _spreads(problem, start, axes)
    mean = np.exp(middle) if problem.cells.family == POISSON else problem.cells.n / (2 + 2 * np.cosh(middle))
    information = float(np.quantile(mean, 0.9))
    acts, every = np.log1p(information * np.array([low, high]) ** 2), np.arange(len(middle))
    constants = taken(problem.cells, every, middle, (low + high) / 2, *hermite(NODES))
    none = np.empty((1, len(middle), 0), np.float32)
    empty = Polynomials(middle, 1 / reach, constants, information, float(acts[0]), float(acts[1]), none)
    sample = np.linspace(0, len(middle) - 1, min(SAMPLE, len(middle))).astype(np.int64)
    for degrees in DEGREES:
        if _suffices(problem, _filled(problem, empty, degrees, sample), sample):
            return _filled(problem, empty, degrees, every)
    return no_polynomials(len(middle))


def _box(problem: Problem, start: Floats, axes: Floats) -> tuple[Floats, Floats]:
    """Linear predictors (N,) at the mode, the sites' effects at theirs, and how far proposals take them from there."""
    search, random = Search(problem, NEWTON), np.random.default_rng(0)
    place = search.place(start)
    middle = predictors(problem, place.scales, place.trend, place.g, place.z)
    moves = WIDER * random.standard_normal((TRIALS, len(axes))) @ axes.T
    standard = random.standard_normal((TRIALS, len(place.g)))
    squares = np.zeros((TRIALS, len(middle)), np.float32)

    def work(part: slice) -> None:
        for k in range(part.start, part.stop):
            scales, trend = search.at(start + moves[k])
            g, z = place.g.copy(), place.z.copy()
            near_mode(problem.cells, problem.programme, scales, trend, ROUGH, g, z,
                      own_at(problem.cells, scales.own), WIDER * standard[k])  # fmt: skip
            away = predictors(problem, scales, trend, g, z) - middle
            squares[k] = np.where(np.abs(away) < FAR, away, np.nan) ** 2  # a mode that got lost says nothing of a box

    threaded(work, TRIALS)
    return middle, np.maximum(REACH * np.sqrt(np.nanmean(squares, axis=0, dtype=float)), NARROWEST)


def predictors(problem: Problem, scales: Scales, trend: float, g: Floats, z: Floats) -> Floats:
    """Linear predictors of the cells (N,), their own effects left out."""
    cells, known = problem.cells, np.empty(len(problem.cells.y))
    known_part(cells, (problem.programme.fixed + trend * problem.programme.walk) @ g, known)
    first, second = z[np.repeat(np.arange(len(z)), np.diff(cells.start))].T
    if not cells.slope:
        return known + scales.level * first
    return known + (scales.level + scales.lean * cells.years) * first + scales.slope * cells.years * second


def _spreads(problem: Problem, start: Floats, axes: Floats) -> Floats:
    """The least and the largest s of the box."""
    names = [each.name for each in problem.hyper]
    d = names.index("overdispersion_sd")
    middle, reach = start[d], SPREADS * np.sqrt(np.sum(axes[d] ** 2))
    low = max(0.0, middle - reach) if problem.hyper[d].is_root else middle - reach
    return problem.design.scale * problem.hyper[d].value(np.array([low, middle + reach]))


def _filled(problem: Problem, empty: Polynomials, degrees: tuple[int, int], part: np.ndarray) -> Polynomials:
    """The polynomials with so many coefficients in η and in s, those of the cells in `part` filled."""
    (places, by_place), (depths, by_spread) = (chebyshev(size) for size in degrees)
    acts = (empty.low + empty.high + depths * (empty.high - empty.low)) / 2
    spreads = np.sqrt(np.expm1(acts) / empty.information)
    unfilled = np.full((degrees[1], len(empty.middle), degrees[0]), np.nan, np.float32)
    polynomials = empty._replace(coefficients=unfilled)

    def work(these: slice) -> None:
        interpolate(problem.cells, part[these], polynomials, places, spreads, by_place, by_spread, *hermite(NODES))

    threaded(work, len(part))
    return polynomials


def chebyshev(size: int) -> tuple[Floats, Floats]:
    """Chebyshev's nodes from −1 to 1 (size,), and the matrix from values there to coefficients of powers."""
    nodes = np.cos(np.pi * (np.arange(size) + 0.5) / size)
    return nodes, np.linalg.inv(np.vander(nodes, increasing=True))


def _suffices(problem: Problem, polynomials: Polynomials, sample: np.ndarray) -> bool:
    """Whether all cells' errors add up to little, at places between those of the interpolation.

    What all cells are off by alike adds up by their number, the rest by its root; a constant changes no weight.
    """
    random, cells = np.random.default_rng(1), len(polynomials.middle)
    acts = random.uniform(polynomials.low, polynomials.high, JUDGED)
    off = np.empty((JUDGED, len(sample)))
    for k, s in enumerate(np.sqrt(np.expm1(acts) / polynomials.information)):
        eta = polynomials.middle[sample] + random.uniform(-1, 1, len(sample)) / polynomials.per[sample]
        truth = taken(problem.cells, sample, eta, s, *hermite(NODES)) - polynomials.constants[sample]
        off[k] = interpolated(polynomials, sample, eta, s) - truth
    alike = off.mean(axis=1)
    systematic = cells * np.abs(alike - alike.mean()).max()
    return bool(systematic < ERROR / 2 and np.sqrt(cells) * off.std() < ERROR / 2)

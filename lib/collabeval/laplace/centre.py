"""Where the posterior of the hyperparameters is, and how wide: the Laplace approximation that proposals come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

import numpy as np
from scipy.linalg import polar

from collabeval.laplace.arrays import Depths, Rule
from collabeval.laplace.depths import TooCoarseError, chosen
from collabeval.laplace.problem import Floats, Problem, rule
from collabeval.laplace.proposals import propose
from collabeval.laplace.search import Search
from collabeval.laplace.threads import threaded

DISTANCES = 0.7 * 1.6 ** np.arange(10)  # from the mode, in standard deviations, at which each axis is looked at
DEEP = 12.0  # fall of the log-density beyond which an axis is not followed: what lies there weighs below 1e-5
NEAR_END = np.array([0.5, 0.75, 0.9, 0.97, 0.999])  # shares of the way to where an sd would be nought, besides
FAR = 50.0  # standard deviations from which such an end does not matter
LEAST_FALL, MOST_FALL = 0.3, 45.0  # of the log-density one to three standard deviations off, for a shape to be believed
HOLE = 6.0  # fall of the log-density up to which no search for a mode may fail
FLATTEST = 0.05  # curvature over the steps of about one sd that is still believed
TILT = 2  # the distance over which the shift of all effects along an axis is measured, counted in DISTANCES
NEWTON = rule(5, 5)  # of the search
ROUGH = rule(1, 5)  # of proposals' centres: as many are effective as with more nodes
ASIDE = 3**0.5  # conditional standard deviations, at which a slope and a cubic term together give a mean (`_offset`)


@dataclass(frozen=True)
class Profile:
    """Log-density along one axis through the mode, at places in standard deviations; straight lines between them."""

    place: Floats
    log_density: Floats


@dataclass(frozen=True)
class Centre:
    """Mode of the hyperparameters, axes of their approximate covariance (`axes_at`), and the shape along each."""

    u: Floats  # (D,)
    axes: Floats  # (D, D), columns scaled to one standard deviation
    profiles: tuple[Profile, ...]  # of each axis
    g: Floats  # (G,) mode of the programme-wide part there
    z: Floats  # (J, 2)
    tilt_g: Floats  # (D, G) how these move along each axis, by one standard deviation
    tilt_z: Floats  # (D, J, 2)
    offset: Floats  # (G,) from the programme-wide part's mode to its mean, in conditional standard deviations
    rule: Rule  # of what proposals come from
    depths: Depths

    def modes(self, along: Floats) -> tuple[Floats, Floats]:
        """Programme-wide part and site effects (S, ...) near their modes at points (S, D) along the axes."""
        return self.g + along @ self.tilt_g, self.z + np.tensordot(along, self.tilt_z, 1)


def locate(problem: Problem) -> Centre:
    exact = Search(problem, NEWTON)
    u = exact.summit()
    search = exact.looser()
    axes = axes_at(search.around, u)
    sides = _sides(search, u, axes)
    _trust(sides)
    profiles = tuple(_profile(low, high) for low, high in sides)
    tilt_g = np.array([(high.g - low.g) / 2 for low, high in sides])
    tilt_z = np.array([(high.z - low.z) / 2 for low, high in sides])
    around = [u + sign * min(DISTANCES[TILT], problem.room(u, sign * axes[:, d]) / 2) * axes[:, d]
              for d in range(len(u)) for sign in (-1, 1)]  # fmt: skip
    depths = chosen(problem, [search.beside().place(point) for point in [u, *around]])
    offset = _offset(problem, u, (search.g, search.z), depths)
    return Centre(u, axes, profiles, search.g, search.z, tilt_g, tilt_z, offset, ROUGH, depths)


def _offset(problem: Problem, u: Floats, mode: tuple[Floats, Floats], depths: Depths) -> Floats:
    """How far the programme-wide part's mean is from its mode given u (G,), in conditional standard deviations.

    The mode is that of all effects together; with the sites integrated out, the log-density of one standardised number
    x is about −x²/2 + bx + cx³, whose mean is to first order b + 3c: the slope between −√3 and √3.
    """
    size = len(mode[0])
    standard = ASIDE * np.vstack([np.eye(size), -np.eye(size)])
    values = problem.values(np.tile(u, (2 * size, 1)))
    g, z = (np.repeat(part[None], 2 * size, axis=0) for part in mode)
    density, _ = propose(problem.cells, problem.programme, ROUGH, depths, problem.rows(values), problem.trends(values),
                         standard, g, z)  # fmt: skip
    slope = (density[:size] - density[size:]) / (2 * ASIDE)
    return np.where(np.abs(slope) < 1, slope, 0.0)  # further off the series says nothing


def _sides(search: Search, u: Floats, axes: Floats) -> list[tuple[Side, Side]]:
    """Both sides of every axis; the search is at u."""
    top, size = search.beside()(u), len(u)
    ways = [sign * axes[:, d] for d in range(size) for sign in (-1, 1)]
    found = threaded(lambda part: [_side(search.beside(), u, way, top) for way in ways[part]], len(ways))
    sides = list(chain.from_iterable(found))
    return list(zip(sides[::2], sides[1::2], strict=True))


def _side(search: Search, u: Floats, axis: Floats, top: float) -> Side:
    """The log-density to one side of the mode, at `DISTANCES` until it is deep or an sd would be nought."""
    mode, end = (search.g, search.z), search.problem.room(u, axis)
    distances = np.concatenate([DISTANCES[end > DISTANCES], end * NEAR_END[end * NEAR_END > 0] if end < FAR else []])
    places: list[float] = []
    falls: list[float] = []
    effects, at = mode, 1.0
    for distance in np.sort(distances):
        fall = top - search(u + distance * axis)
        if search.lost and (not falls or falls[-1] < HOLE):
            raise TooCoarseError("the mode of all effects was not found where the posterior still has weight")
        places.append(float(distance))
        falls.append(min(fall, 50.0))
        if distance <= DISTANCES[TILT]:
            effects, at = (search.g, search.z), float(distance)
        if fall > DEEP and distance >= DISTANCES[TILT]:
            break
    return Side(places, falls, (effects[0] - mode[0]) / at, (effects[1] - mode[1]) / at)


@dataclass(frozen=True)
class Side:
    """One side of an axis: places, falls of the log-density there, shifts of all effects a standard deviation."""

    places: list[float]
    falls: list[float]
    g: Floats
    z: Floats


def _profile(low: Side, high: Side) -> Profile:
    place = np.array([*[-place for place in low.places[::-1]], 0.0, *high.places])
    return Profile(place, -np.array([*low.falls[::-1], 0.0, *high.falls]))


def _trust(sides: list[tuple[Side, Side]]) -> None:
    """Refuse a picture of the posterior that proposals must not come from.

    Each axis must be about as long as it was measured: two standard deviations to a side the log-density has fallen by
    about two. Of an axis far too short every proposal would sit at the mode, and weights among such say nothing.
    """
    for side in chain.from_iterable(sides):
        near = [fall for place, fall in zip(side.places, side.falls, strict=True) if 1.0 < place < 3.0]
        if near and not LEAST_FALL < max(near) < MOST_FALL:
            raise TooCoarseError("the spreads' posterior is not of a shape that the fast engine can follow")


def axes_at(around: Callable[[Floats], Floats], u: Floats) -> Floats:
    """Columns: a root of the covariance by second differences, each nearly along a hyperparameter of its own.

    It is the standard deviations times the symmetric root of the correlations: of all roots the one whose axes follow
    the hyperparameters most closely (Kessy, Lewin & Strimmer 2018, ZCA-cor). Spreads are skew each in its own way, so
    profiles along such axes show what there is, where along eigenvectors, any rotation of nearly uncorrelated spreads,
    each profile mixes them all. `around` gives the log-density (S,) at points (S, D).
    """
    size, top = len(u), float(around(u[None])[0])
    step = np.array([_reach(around, u, d, top) for d in range(size)])
    moves, pairs = np.diag(step), [(i, j) for i in range(size) for j in range(i)]
    corners = [a * moves[i] + b * moves[j] for i, j in pairs for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
    found = around(u + np.array([*moves, *-moves, *corners]))
    hessian = np.diag(2 * top - found[:size] - found[size : 2 * size])
    for (i, j), four in zip(pairs, found[2 * size :].reshape(-1, 4), strict=True):
        hessian[i, j] = hessian[j, i] = -(four[0] - four[1] - four[2] + four[3]) / 4
    curvature, vectors = np.linalg.eigh(hessian)  # in units of the steps
    root = vectors / np.sqrt(np.maximum(curvature, FLATTEST))
    sd = np.linalg.norm(root, axis=1)
    return (step * sd)[:, None] * polar(root / sd[:, None], side="left")[1]


def _reach(around: Callable[[Floats], Floats], u: Floats, d: int, top: float) -> float:
    """How far along one hyperparameter the log-density falls by about a half: about one standard deviation."""
    step = 0.3
    for _ in range(12):
        move = step * np.eye(len(u))[d]
        drop = top - 0.5 * around(np.array([u + move, u - move])).sum()
        if 0.2 < drop < 0.8:
            break
        step *= float(np.clip(np.sqrt(0.5 / max(drop, 1e-6)), 0.2, 3.0))
        step = min(step, 4.0)
    return step

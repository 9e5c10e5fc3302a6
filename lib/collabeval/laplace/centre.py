"""Where the posterior of the hyperparameters is, and how wide: the Laplace approximation that proposals come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

import numpy as np
from scipy.optimize import minimize

from collabeval.laplace.arrays import Rule
from collabeval.laplace.arrow import find_mode, integrated
from collabeval.laplace.problem import Floats, Problem, rule
from collabeval.laplace.proposals import scales_of

START = {"site_sd": 0.3, "trajectory_sd": 0.1, "site_correlation": 0.0, "trend_sd": 0.1, "overdispersion_sd": 0.2,
         "residual_sd_spread": 0.2}  # fmt: skip
CLOSE = 1e-6  # of the mode of all effects, in conditional standard deviations
GRADIENT = 1e-2  # log-density a unit of u at which the search ends; proposals are weighted, so no more is needed
DISTANCES = 0.7 * 1.6 ** np.arange(10)  # from the mode, in standard deviations, at which each axis is looked at
DEEP = 12.0  # fall of the log-density beyond which an axis is not followed: what lies there weighs below 1e-5
NEAR_END = np.array([0.5, 0.75, 0.9, 0.97, 0.999])  # shares of the way to where an sd would be nought, besides
FAR = 50.0  # standard deviations from which such an end does not matter
LEAST_FALL, MOST_FALL = 0.3, 45.0  # of the log-density one to three standard deviations off, for a shape to be believed
HOLE = 6.0  # fall of the log-density up to which no search for a mode may fail
FLATTEST = 0.05  # curvature over the steps of about one sd that is still believed
TILT = 2  # the distance over which the shift of all effects along an axis is measured, counted in DISTANCES
RULES = ((3, 5), (5, 7), (7, 9))
FINEST = rule(11, 9, 15)
OUTSIDE = -1e10  # log-density where there is none; finite, for the search
ERROR = 0.02  # of the log-density of all data, at the centre and to all sides of it


class TooCoarseError(Exception):
    """These data are not ones that the engine's approximation can follow closely enough."""


@dataclass
class Search:
    """The Laplace approximation of the log-density of the hyperparameters, each search from where the last ended."""

    problem: Problem
    rule: Rule

    def __post_init__(self) -> None:
        self.lost = 0  # searches whose mode was not found
        programme = self.problem.programme
        self.g, self.z = programme.centre.copy(), np.zeros((len(self.problem.cells.start) - 1, 2))

    def __call__(self, u: Floats) -> float:
        """log p(u | y) by Laplace (Tierney & Kadane 1986), up to a constant."""
        g, z = self.g.copy(), self.z.copy()
        problem, scales, trend = self.problem, *self.at(u)
        prior = float(problem.log_prior(u[None])[0])
        if not np.isfinite(prior):
            return OUTSIDE
        value, half, _, found = find_mode(problem.cells, problem.programme, scales, trend, self.rule, g, z, CLOSE)
        density = value + half + prior
        if not (found and np.isfinite(density)):
            self.lost += 1
            return OUTSIDE
        self.g, self.z = g, z
        return density

    def at(self, u: Floats) -> tuple:
        """Scales and the trend's sd at u (D,)."""
        values = self.problem.values(u[None])
        return scales_of(self.problem.rows(values)[0]), float(self.problem.trends(values)[0])

    def quadrature(self, u: Floats, fine: Rule) -> float:
        """The log-density at u and the mode there, sites integrated out by quadrature."""
        self(u)
        problem, scales, trend = self.problem, *self.at(u)
        return integrated(problem.cells, problem.programme, scales, trend, fine, self.g, self.z, fine is FINEST)


@dataclass(frozen=True)
class Profile:
    """Log-density along one axis through the mode, at places in standard deviations; straight lines between them."""

    place: Floats
    log_density: Floats


@dataclass(frozen=True)
class Centre:
    """Mode of the hyperparameters, axes of their approximate covariance, and widths to either side of each axis."""

    u: Floats  # (D,)
    axes: Floats  # (D, D), columns scaled to one standard deviation
    profiles: tuple[Profile, ...]  # of each axis
    g: Floats  # (G,) mode of the programme-wide part there
    z: Floats  # (J, 2)
    tilt_g: Floats  # (D, G) how these move along each axis, by one standard deviation
    tilt_z: Floats  # (D, J, 2)
    rule: Rule

    def modes(self, along: Floats) -> tuple[Floats, Floats]:
        """Programme-wide part and site effects (S, ...) near their modes at points (S, D) along the axes."""
        return self.g + along @ self.tilt_g, self.z + np.tensordot(along, self.tilt_z, 1)


def locate(problem: Problem) -> Centre:
    """Find the mode, its curvature, its skewness, and the quadrature rule that is fine enough all around it."""
    search = Search(problem, rule(5, 5))
    start = np.array([each.free(START.get(each.name, problem.design.scale)) for each in problem.hyper])
    u = minimize(lambda point: -search(point), start, method="BFGS", options={"gtol": GRADIENT, "eps": 1e-5}).x
    axes = axes_at(search, u)
    top = search(u)
    g, z = search.g.copy(), search.z.copy()
    sides = [
        (_side(search, u, -axes[:, d], (g, z), top), _side(search, u, axes[:, d], (g, z), top)) for d in range(len(u))
    ]
    profiles = tuple(_profile(low, high) for low, high in sides)
    tilt_g = np.array([(high.g - low.g) / 2 for low, high in sides])
    tilt_z = np.array([(high.z - low.z) / 2 for low, high in sides])
    _trust(sides)
    search.g, search.z = g.copy(), z.copy()
    around = [u + sign * min(DISTANCES[TILT], problem.room(u, sign * axes[:, d]) / 2) * axes[:, d]
              for d in range(len(u)) for sign in (-1, 1)]  # fmt: skip
    return Centre(u, axes, profiles, g, z, tilt_g, tilt_z, _rule(search, [u, *around]))


def _side(search: Search, u: Floats, axis: Floats, mode: tuple[Floats, Floats], top: float) -> Side:
    """The log-density to one side of the mode, at `DISTANCES` until it is deep or an sd would be nought."""
    search.g, search.z = mode[0].copy(), mode[1].copy()
    end = search.problem.room(u, axis)
    distances = np.concatenate([DISTANCES[end > DISTANCES], end * NEAR_END[end * NEAR_END > 0] if end < FAR else []])
    places: list[float] = []
    falls: list[float] = []
    effects, at = mode, 1.0
    for distance in np.sort(distances):
        lost = search.lost
        fall = top - search(u + distance * axis)
        if search.lost > lost and (not falls or falls[-1] < HOLE):
            raise TooCoarseError("the mode of all effects was not found where the posterior still has weight")
        places.append(float(distance))
        falls.append(min(fall, 50.0))
        if distance <= DISTANCES[TILT]:
            effects, at = (search.g.copy(), search.z.copy()), float(distance)
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


def axes_at(search: Callable[[Floats], float], u: Floats) -> Floats:
    """Columns: eigenvectors of the covariance, each as long as its standard deviation, by second differences."""
    size, top = len(u), search(u)
    step = np.array([_reach(search, u, d, top) for d in range(size)])
    moves, hessian = np.diag(step), np.empty((size, size))
    for i in range(size):
        hessian[i, i] = 2 * top - search(u + moves[i]) - search(u - moves[i])
        for j in range(i):
            corners = [search(u + a * moves[i] + b * moves[j]) for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
            hessian[i, j] = hessian[j, i] = -(corners[0] - corners[1] - corners[2] + corners[3]) / 4
    curvature, vectors = np.linalg.eigh(hessian)  # in units of the steps
    return step[:, None] * vectors / np.sqrt(np.maximum(curvature, FLATTEST))


def _reach(search: Callable[[Floats], float], u: Floats, d: int, top: float) -> float:
    """How far along one hyperparameter the log-density falls by about a half: about one standard deviation."""
    step = 0.3
    for _ in range(12):
        move = step * np.eye(len(u))[d]
        drop = top - 0.5 * (search(u + move) + search(u - move))
        if 0.2 < drop < 0.8:
            break
        step *= float(np.clip(np.sqrt(0.5 / max(drop, 1e-6)), 0.2, 3.0))
        step = min(step, 4.0)
    return step


def _rule(search: Search, points: list[Floats]) -> Rule:
    """The coarsest rule that agrees with a much finer one at all these points."""
    finest = np.array([search.quadrature(point, FINEST) for point in points])
    for cell, site in RULES:
        tried = rule(cell, site)
        errors = np.array([search.quadrature(point, tried) for point in points]) - finest
        if np.abs(errors).max() < ERROR:
            return tried
    raise TooCoarseError(f"the sites' integrals are off by {np.abs(errors).max():.2g} in the log-density of the data")

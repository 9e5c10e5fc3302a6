"""Where the posterior of the hyperparameters is, and how wide: the Laplace approximation that proposals come from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from collabeval.laplace.arrow import find_mode, integrated
from collabeval.laplace.problem import Floats, Problem, rule
from collabeval.laplace.proposals import scales_of
from collabeval.laplace.sites import Rule

START = {"site_sd": 0.3, "trajectory_sd": 0.1, "site_correlation": 0.0, "trend_sd": 0.1, "overdispersion_sd": 0.2,
         "residual_sd_spread": 0.2}  # fmt: skip
CLOSE = 1e-6  # of the mode of all effects, in conditional standard deviations
GRADIENT = 1e-2  # log-density a unit of u at which the search ends; proposals are weighted, so no more is needed
DISTANCES = 0.7 * 1.6 ** np.arange(10)  # from the mode, in standard deviations, at which each axis is looked at
DEEP = 12.0  # fall of the log-density beyond which an axis is not followed: what lies there weighs below 1e-5
TILT = 2  # the distance over which the shift of all effects along an axis is measured, counted in DISTANCES
RULES = ((3, 5), (5, 7), (7, 9))
FINEST = rule(11, 9, 15)
OUTSIDE = -1e10  # log-density where there is none; finite, for the search
ERROR = 0.02  # of the log-density of all data, at the centre and to all sides of it


class TooCoarseError(Exception):
    """No quadrature rule of this engine is fine enough for these data."""


@dataclass
class Search:
    """The Laplace approximation of the log-density of the hyperparameters, each search from where the last ended."""

    problem: Problem
    rule: Rule

    def __post_init__(self) -> None:
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
    axes = _axes(search, u)
    top = search(u)
    g, z = search.g.copy(), search.z.copy()
    sides = [[_side(search, u, axis, (g, z), top) for axis in (-axes[:, d], axes[:, d])] for d in range(len(u))]
    tilts = [np.array([(high[k] - low[k]) / (2 * DISTANCES[TILT]) for (_, *low), (_, *high) in sides]) for k in (0, 1)]
    profiles = tuple(_profile(low[0], high[0]) for low, high in sides)
    search.g, search.z = g.copy(), z.copy()
    around = [u + side * DISTANCES[TILT] * axes[:, d] for d in range(len(u)) for side in (-1, 1)]
    return Centre(u, axes, profiles, g, z, *tilts, _rule(search, [u, *around]))


def _side(search: Search, u: Floats, axis: Floats, mode: tuple[Floats, Floats], top: float) -> tuple:
    """Fall of the log-density at `DISTANCES` to one side, until it is deep; effects (g, z) at the one of `TILT`."""
    search.g, search.z = mode[0].copy(), mode[1].copy()
    falls, effects = [], mode
    for number, distance in enumerate(DISTANCES):
        falls.append(top - search(u + distance * axis))
        if number == TILT:
            effects = search.g.copy(), search.z.copy()
        if falls[-1] > DEEP and number >= TILT:
            break
    return falls, *effects


def _profile(low: list[float], high: list[float]) -> Profile:
    place = np.concatenate([-DISTANCES[: len(low)][::-1], [0.0], DISTANCES[: len(high)]])
    return Profile(place, -np.minimum(np.concatenate([low[::-1], [0.0], high]), 50.0))


def _axes(search: Search, u: Floats) -> Floats:
    """Columns: eigenvectors of the covariance, each as long as its standard deviation, by second differences."""
    size, top = len(u), search(u)
    step = np.array([_reach(search, u, d, top) for d in range(size)])
    hessian = np.empty((size, size))
    moves = np.diag(step)
    for i in range(size):
        for j in range(i + 1):
            corners = [search(u + a * moves[i] + b * moves[j]) for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
            hessian[i, j] = hessian[j, i] = -(corners[0] - corners[1] - corners[2] + corners[3]) / 4
    curvature, vectors = np.linalg.eigh(hessian)  # in units of the steps
    return step[:, None] * vectors / np.sqrt(np.maximum(curvature, 0.05))


def _reach(search: Search, u: Floats, d: int, top: float) -> float:
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

"""A Gaussian picture of the posterior: the data's log-density as a quadratic in the latent vector, for each group sd.

At a few values of the groups' standard deviation the data's log-density is expanded about the mode; between them the
expansions are interpolated (barycentric, at Chebyshev points). Given all standard deviations the latent vector is then
Gaussian and its integral known. Proposals come from here; their weights are exact, so errors of it cost only proposals.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BarycentricInterpolator
from scipy.linalg import solve_triangular
from scipy.optimize import minimize

from collabeval.laplace.centre import Profile, axes_at
from collabeval.machine import cores
from collabeval.models.grouped import Floats, thresholds_of
from collabeval.quadrature.problem import Problem
from collabeval.quadrature.proposals import densities, latent

START = 0.3  # of every standard deviation but the groups', which starts at 1
STEP = 1e-4  # of differences of slopes
FEW_POINTS, POINTS = 3, 7  # values of the groups' sd
REACH = 4.5  # how far they go, in standard deviations of its posterior
LEAST = 0.02  # of the root of the groups' sd
DISTANCES = np.array([0.35, 0.7, 1.1, 1.6, 2.2, 3.0, 4.0, 5.5, 7.5, 10.0])
DEEP = 12.0  # fall of the log-density beyond which an axis is not followed
OUTSIDE = -1e10  # log-density where there is none; finite, for the search


@dataclass(frozen=True)
class Expansion:
    """log p(y | w, sd) ≈ constant + slope·w − ½ w·curvature·w, w the scaled latent vector, at one value of the sd."""

    constant: float
    slope: Floats  # (K,)
    curvature: Floats  # (K, K)


@dataclass(frozen=True)
class Surrogate:
    """Expansions along u₀, the root of the groups' sd, between `low` and `high`."""

    problem: Problem
    low: float
    high: float
    between: BarycentricInterpolator  # what each of the P expansions counts
    expansions: Floats  # (P, 1 + K + K²) constant, slope and curvature, all in one row
    modes: Floats  # (G,) of the groups' effects, at the mode

    def at(self, root: float) -> Expansion:
        """The expansion at one value of u₀."""
        size, row = self.problem.size, self.between(root) @ self.expansions
        return Expansion(float(row[0]), row[1 : size + 1], row[size + 1 :].reshape(size, size))

    def log_density(self, u: Floats) -> float:
        """log p(u | y) (D,), up to a constant; very low where there is none, or where the quadratic has no maximum."""
        if not self.holds(u[None])[0]:
            return OUTSIDE
        scale = self.problem.scale(self.problem.deviations(u[None])[0])
        found = self.at(u[0])
        try:
            factor = np.linalg.cholesky(np.eye(len(scale)) + scale[:, None] * found.curvature * scale)
        except np.linalg.LinAlgError:
            return OUTSIDE
        half = solve_triangular(factor, scale * found.slope, lower=True)
        density = found.constant + 0.5 * float(half @ half) - float(np.log(np.diag(factor)).sum())
        return density + float(self.problem.log_prior(u[None])[0])

    def log_densities(self, points: Floats) -> Floats:
        """The same at points (S, D): (S,)."""
        return np.array([self.log_density(u) for u in points])

    def holds(self, u: Floats) -> np.ndarray:
        """Which points (S, D) it reaches: what lies beyond weighs next to nothing."""
        return (u[:, 0] >= self.low) & (u[:, 0] <= self.high) & (u > 0).all(axis=1)

    def proposals(self, u: Floats, standard: Floats) -> tuple[Floats, Floats]:
        """Latent vectors (S, K) that standard points (S, K) stand for at u (S, D), and the log-density of data and
        standard points there (S,); minus infinity where the quadratic has no maximum."""
        problem = self.problem
        deviations = problem.deviations(u)
        scales = problem.scales(deviations)
        z, log_determinant = latent(self.between(u[:, 0]), self.expansions, scales, standard)
        beta, coordinates = problem.split(scales * z)
        cuts = thresholds_of(problem.design.family, coordinates)
        sd = np.ascontiguousarray(deviations[:, 0])
        data = densities(problem.rows, np.ascontiguousarray(beta), cuts, sd, problem.rule, self.modes)
        return z, np.where(np.isnan(log_determinant), -np.inf, data - 0.5 * (z**2).sum(axis=1) - log_determinant)


@dataclass(frozen=True)
class Centre:
    """The mode of u, axes of its approximate covariance, and the fall of the log-density along each."""

    surrogate: Surrogate
    u: Floats  # (D,)
    axes: Floats  # (D, D) columns, one standard deviation long
    profiles: tuple[Profile, ...]


def locate(problem: Problem) -> Centre:
    """Find where the posterior is, and how wide."""
    start = np.array([each.free(START if d else 1.0) for d, each in enumerate(problem.hyper)])
    rough, width = _whole_mode(problem, start)
    first = _expanded(problem, rough, width, FEW_POINTS)
    u = _mode(first, rough)
    width = float(np.sqrt((axes_at(first.log_densities, u)[0] ** 2).sum()))
    surrogate = _expanded(problem, u, width, POINTS)
    u = _mode(surrogate, u)
    axes = axes_at(surrogate.log_densities, u)
    return Centre(surrogate, u, axes, tuple(_profile(surrogate, u, axes[:, d]) for d in range(len(u))))


def _whole_mode(problem: Problem, u: Floats) -> tuple[Floats, float]:
    """u with the groups' sd at its mode jointly with the latent vector, the others as given; and about its width."""
    scale = problem.scale(problem.deviations(u[None])[0])
    size, still = problem.size, np.zeros(len(problem.rows.number))

    def downhill(point: Floats) -> tuple[float, Floats]:
        root, moved = point[-1], np.append(point[-1] + np.array([0.0, STEP]), u[1:])[:2]
        priors = problem.log_prior(np.column_stack([moved, np.tile(u[1:], (2, 1))]))
        value, by_scaled, by_sd, _ = problem.slopes(scale * point[:-1], root**2, still)
        along = 2 * root * by_sd + (priors[1] - priors[0]) / STEP
        slope = np.append(scale * by_scaled - point[:-1], along)
        return -(value + priors[0] - 0.5 * float(point[:-1] @ point[:-1])), -slope

    bounds = [(None, None)] * size + [(LEAST, None)]
    point = minimize(downhill, np.append(np.zeros(size), u[0]), jac=True, method="L-BFGS-B", bounds=bounds).x
    hessian = _differences(lambda at: downhill(at)[1], point)
    spread = np.linalg.inv(hessian + 1e-6 * np.eye(size + 1))[-1, -1]
    return np.append(point[-1], u[1:]), float(np.sqrt(max(spread, 1e-4)))


def _expanded(problem: Problem, u: Floats, width: float, points: int) -> Surrogate:
    """Expansions at Chebyshev points about u₀, the other standard deviations as they are in u."""
    low, high = max(LEAST, u[0] - REACH * width), u[0] + REACH * width
    cosines = np.cos(np.pi * (np.arange(points) + 0.5) / points)[::-1]
    roots = (low + high) / 2 + (high - low) / 2 * cosines
    scale = problem.scale(problem.deviations(u[None])[0])
    still, z, found = np.zeros(len(problem.rows.number)), np.zeros(problem.size), []
    for root in roots:
        z, modes = _latent_mode(problem, scale, root**2, z, still)
        found.append((_expansion(problem, scale * z, root**2, modes), modes))
    rows = np.array([np.concatenate([[each.constant], each.slope, each.curvature.ravel()]) for each, _ in found])
    return Surrogate(problem, low, high, BarycentricInterpolator(roots, np.eye(points)), rows, found[points // 2][1])


def _latent_mode(problem: Problem, scale: Floats, sd: float, z: Floats, modes: Floats) -> tuple[Floats, Floats]:
    """Mode of z (K,) at given standard deviations, and the means of the groups' effects there (G,)."""

    def downhill(point: Floats) -> tuple[float, Floats]:
        value, slope, *_ = problem.slopes(scale * point, sd, modes)
        return 0.5 * float(point @ point) - value, point - scale * slope

    point = minimize(downhill, z, jac=True, method="L-BFGS-B").x
    return point, problem.slopes(scale * point, sd, modes)[3]


def _expansion(problem: Problem, scaled: Floats, sd: float, modes: Floats) -> Expansion:
    value, slope, *_ = problem.slopes(scaled, sd, modes)
    curvature = _differences(lambda at: -problem.slopes(at, sd, modes)[1], scaled)
    constant = value - slope @ scaled - 0.5 * scaled @ curvature @ scaled
    return Expansion(float(constant), slope + curvature @ scaled, curvature)


def _differences(slope: Callable[[Floats], Floats], point: Floats) -> Floats:
    """Symmetric matrix of derivatives of slopes (K, K), by differences to one side."""
    here, moves = slope(point), STEP * np.eye(len(point))
    with ThreadPoolExecutor(cores()) as pool:
        found = np.array(list(pool.map(lambda move: (slope(point + move) - here) / STEP, moves)))
    return (found + found.T) / 2


def _mode(surrogate: Surrogate, u: Floats) -> Floats:
    bounds = [(surrogate.low, surrogate.high), *[(LEAST, None)] * (len(u) - 1)]
    start = np.append(np.clip(u[0], surrogate.low, surrogate.high), u[1:])
    return minimize(lambda at: -surrogate.log_density(at), start, method="L-BFGS-B", bounds=bounds).x


def _profile(surrogate: Surrogate, u: Floats, axis: Floats) -> Profile:
    """The fall of the log-density along one axis, to both sides until it is deep."""
    top = surrogate.log_density(u)
    places, falls = [0.0], [0.0]
    for sign in (-1, 1):
        for distance in DISTANCES:
            fall = top - surrogate.log_density(u + sign * distance * axis)
            places.append(float(sign * distance))
            falls.append(min(fall, 50.0))
            if fall > DEEP:
                break
    order = np.argsort(places)
    return Profile(np.array(places)[order], -np.array(falls)[order])

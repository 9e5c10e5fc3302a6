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

from collabeval.machine import cores
from collabeval.models.grouped import Floats, thresholds_of
from collabeval.quadrature.problem import Problem
from collabeval.quadrature.proposals import densities, latent

STEP = 1e-4  # of differences of slopes
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
        return integrated(self.problem, u, self.at(u[0]))

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


def integrated(problem: Problem, u: Floats, found: Expansion) -> float:
    """log p(u | y) (D,) by one expansion, the latent vector integrated out; very low where it has no maximum."""
    scale = problem.scale(problem.deviations(u[None])[0])
    try:
        factor = np.linalg.cholesky(np.eye(len(scale)) + scale[:, None] * found.curvature * scale)
    except np.linalg.LinAlgError:
        return OUTSIDE
    half = solve_triangular(factor, scale * found.slope, lower=True)
    density = found.constant + 0.5 * float(half @ half) - float(np.log(np.diag(factor)).sum())
    return density + float(problem.log_prior(u[None])[0])


def expanded(problem: Problem, u: Floats, ends: tuple[float, float], points: int) -> Surrogate:
    """Expansions at Chebyshev points between the ends of u₀, the other standard deviations as they are in u."""
    low, high = ends
    cosines = np.cos(np.pi * (np.arange(points) + 0.5) / points)[::-1]
    roots = (low + high) / 2 + (high - low) / 2 * cosines
    scale = problem.scale(problem.deviations(u[None])[0])
    still, z, found = np.zeros(len(problem.rows.number)), np.zeros(problem.size), []
    for root in roots:
        z, modes = latent_mode(problem, scale, root**2, z, still)
        found.append((expansion(problem, scale * z, root**2, modes), modes))
    rows = np.array([np.concatenate([[each.constant], each.slope, each.curvature.ravel()]) for each, _ in found])
    modes = found[int(np.argmin(np.abs(roots - u[0])))][1]
    between = BarycentricInterpolator(roots, np.eye(points), rng=0)  # it shuffles the points, each time anew if let
    return Surrogate(problem, low, high, between, rows, modes)


def latent_mode(problem: Problem, scale: Floats, sd: float, z: Floats, modes: Floats) -> tuple[Floats, Floats]:
    """Mode of z (K,) at given standard deviations, and the means of the groups' effects there (G,)."""

    def downhill(point: Floats) -> tuple[float, Floats]:
        value, slope, *_ = problem.slopes(scale * point, sd, modes)
        return 0.5 * float(point @ point) - value, point - scale * slope

    point = minimize(downhill, z, jac=True, method="L-BFGS-B").x
    return point, problem.slopes(scale * point, sd, modes)[3]


def expansion(problem: Problem, scaled: Floats, sd: float, modes: Floats) -> Expansion:
    """The expansion at scaled latent vector and groups' sd; `modes` (G,) is where to look for the groups' effects."""
    value, slope, *_ = problem.slopes(scaled, sd, modes)
    curvature = differences(lambda at: -problem.slopes(at, sd, modes)[1], scaled)
    constant = value - slope @ scaled - 0.5 * scaled @ curvature @ scaled
    return Expansion(float(constant), slope + curvature @ scaled, curvature)


def differences(slope: Callable[[Floats], Floats], point: Floats) -> Floats:
    """Symmetric matrix of derivatives of slopes (K, K), by differences to one side."""
    here, moves = slope(point), STEP * np.eye(len(point))
    with ThreadPoolExecutor(cores()) as pool:
        found = np.array(list(pool.map(lambda move: (slope(point + move) - here) / STEP, moves)))
    return (found + found.T) / 2

"""The Laplace approximation of the log-density of the hyperparameters, and where it is highest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from collabeval.laplace.arrays import Depths, Rule, Scales
from collabeval.laplace.arrow import find_mode, integrated
from collabeval.laplace.depths import Place
from collabeval.laplace.polynomials import own_at
from collabeval.laplace.problem import Floats, Problem
from collabeval.laplace.proposals import scales_of
from collabeval.laplace.threads import threaded

START = {"site_sd": 0.3, "trajectory_sd": 0.1, "site_correlation": 0.0, "trend_sd": 0.1, "overdispersion_sd": 0.2,
         "residual_sd_spread": 0.2}  # fmt: skip
CLOSE = 1e-6  # of slopes' searches; values are off by half the square
LOOSE = 1e-2  # of searches whose values differ by more
GRADIENT = 1e-2  # log-density a unit of u at which the search ends; proposals are weighted, so no more is needed
STEP = 1e-5  # of u, by which slopes are measured
OUTSIDE = -1e10  # log-density where there is none; finite, for the search


@dataclass
class Search:
    """The Laplace approximation of the log-density of the hyperparameters, each search from where the last ended."""

    problem: Problem
    rule: Rule
    close: float = CLOSE  # to the mode of all effects, in conditional standard deviations

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
        value, half, _, found = find_mode(problem.cells, problem.programme, scales, trend, self.rule, g, z, self.close)
        density = value + half + prior
        if not (found and np.isfinite(density)):
            self.lost += 1
            return OUTSIDE
        self.g, self.z = g, z
        return density

    def beside(self) -> Search:
        """Another search that begins where this one is."""
        other = Search(self.problem, self.rule, self.close)
        other.g, other.z = self.g, self.z  # replaced, never changed in place
        return other

    def looser(self) -> Search:
        """Another search that begins where this one is, and ends earlier."""
        other = self.beside()
        other.close = LOOSE
        return other

    def around(self, points: Floats) -> Floats:
        """The log-density at points (S, D), each looked for from where this search is, whatever the threads do."""
        found = np.empty(len(points))

        def work(part: slice) -> None:
            for k in range(part.start, part.stop):
                found[k] = self.beside()(points[k])

        threaded(work, len(points))
        return found

    def summit(self) -> Floats:
        """The most probable hyperparameters (D,); the search ends there."""

        def falling(u: Floats) -> tuple[float, Floats]:
            self(u)
            value, *beside = self.around(u + STEP * np.eye(len(u) + 1, len(u), -1))  # alike, from one start
            return -value, -(np.array(beside) - value) / STEP

        options = {"gtol": GRADIENT, "hess_inv0": self.problem.covariance}
        u = minimize(falling, self.start, jac=True, method="BFGS", options=options).x
        self(u)
        return u

    @property
    def start(self) -> Floats:
        """Where the search for the summit begins (D,)."""
        if self.problem.start is not None:
            return self.problem.start
        hyper, scale = self.problem.hyper, self.problem.design.scale
        return np.array([each.free(START.get(each.name, scale)) for each in hyper])

    def at(self, u: Floats) -> tuple[Scales, float]:
        """Scales and the trend's sd at u (D,)."""
        values = self.problem.values(u[None])
        return scales_of(self.problem.rows(values)[0]), float(self.problem.trends(values)[0])

    def place(self, u: Floats) -> Place:
        """Where the effects' mode is at u (D,)."""
        self(u)
        return Place(*self.at(u), self.g.copy(), self.z.copy())

    def quadrature(self, u: Floats, depths: Depths) -> float:
        """The log-density at u and the mode there, sites integrated out by quadrature."""
        problem, place = self.problem, self.place(u)
        cells, own = problem.cells, own_at(problem.cells, place.scales.own)
        return integrated(cells, problem.programme, place.scales, place.trend, depths, place.g, place.z, own)

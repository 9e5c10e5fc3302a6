"""The density that the fast engine integrates, at one point of all its variables: to be held against PyMC's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collabeval.laplace.blocks import known_part
from collabeval.laplace.dense import times
from collabeval.laplace.kernels import NORMAL, log_likelihood
from collabeval.laplace.problem import Floats, Problem
from collabeval.laplace.proposals import scales_of
from collabeval.laplace.sites import mean_variance, sd_log_density, weights_of


@dataclass(frozen=True)
class Point:
    """Hyperparameters u (D,), programme-wide part g (G,), whitened effects of sites z (J, 2), of their sds (J,), of
    cells (N,), in the engine's order."""

    u: Floats
    g: Floats
    z: Floats
    rho: Floats
    own: Floats


def log_density(problem: Problem, point: Point) -> float:
    """Log-density of data and all variables, hyperparameters as their priors have them, up to a constant."""
    cells, programme = problem.cells, problem.programme
    values = problem.values(point.u[None])
    scales, trend = scales_of(problem.rows(values)[0]), float(problem.trends(values)[0])
    total = sum(float(each.log_prior(point.u[d : d + 1])[0]) for d, each in enumerate(problem.hyper))
    total -= 0.5 * float(np.sum(programme.precision * (point.g - programme.centre) ** 2))
    known = np.empty(len(cells.y))
    known_part(cells, times(programme.fixed + trend * programme.walk, point.g), known)
    for j in range(len(point.z)):
        sd = scales.typical * np.exp(scales.spread * point.rho[j])
        total += sd_log_density(cells, j, scales, point.rho[j]) if cells.own_sd else 0.0
        total -= 0.5 * (point.z[j, 0] ** 2 + (point.z[j, 1] ** 2 if cells.slope else 0.0))
        for i in range(cells.start[j], cells.start[j + 1]):
            first, second = weights_of(cells, scales, i)
            eta = known[i] + first * point.z[j, 0] + second * point.z[j, 1] + scales.own * point.own[i]
            total -= 0.5 * point.own[i] ** 2 if scales.own else 0.0
            if cells.family == NORMAL:
                variance = mean_variance(cells, i, sd)
                total -= 0.5 * ((cells.y[i] - eta) ** 2 / variance + np.log(variance))
            else:
                total += log_likelihood(cells.family, cells.y[i], cells.n[i], eta)
    return total

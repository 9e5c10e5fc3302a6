"""Where the posterior of the standard deviations is, how wide, and how far the groups' reaches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize

from collabeval.errors import CollabevalError
from collabeval.laplace.centre import Profile, axes_at
from collabeval.models.grouped import Floats
from collabeval.quadrature.problem import Problem
from collabeval.quadrature.surrogate import STEP, Surrogate, differences, expanded, expansion, integrated, latent_mode

START = 0.3  # of every standard deviation but the groups', which starts at 1
FEW_POINTS, POINTS = 3, 7  # values of the groups' sd
LEAST = 0.02  # of the root of a standard deviation
DISTANCES = np.array([0.35, 0.7, 1.1, 1.6, 2.2, 3.0, 4.0, 5.5, 7.5, 10.0])
DEEP = 12.0  # fall of the log-density beyond which an axis is not followed
SHALLOW = 6.0  # fall of the log-density that an end must have: some thousandths of the posterior lie beyond at most
FIRST, LONGER, WALKS = 3.0, 1.6, 30  # steps towards an end, in standard deviations: the first, each next one, at most
NEAR_END = 0.3  # of a standard deviation, to which an end is found


@dataclass(frozen=True)
class Centre:
    """The mode of u, axes of its approximate covariance, and the fall of the log-density along each."""

    surrogate: Surrogate
    u: Floats  # (D,)
    axes: Floats  # (D, D) columns, one standard deviation long
    profiles: tuple[Profile, ...]


def locate(problem: Problem) -> Centre:
    """Find where the posterior is, and how wide.

    Raises
    ------
    CollabevalError
        No ends of the groups' standard deviation were found beyond which the posterior has next to no weight.
    """
    start = np.array([each.free(START if d else 1.0) for d, each in enumerate(problem.hyper)])
    rough, width = _whole_mode(problem, start)
    ends = _ends(problem, rough, width)
    u = _mode(expanded(problem, rough, ends, FEW_POINTS), rough)
    ends = _ends(problem, np.append(rough[0], u[1:]), width)
    surrogate = expanded(problem, u, ends, POINTS)
    u = _mode(surrogate, u)
    _trust(surrogate, u)
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
    hessian = differences(lambda at: downhill(at)[1], point)
    spread = np.linalg.inv(hessian + 1e-6 * np.eye(size + 1))[-1, -1]
    return np.append(point[-1], u[1:]), float(np.sqrt(max(spread, 1e-4)))


def _ends(problem: Problem, u: Floats, width: float) -> tuple[float, float]:
    """Values of u₀ on both sides of its mode beyond which there is next to nothing of the posterior.

    They are looked for one by one: with few groups the posterior reaches several times further up than down, so that
    no distance from the mode, counted in standard deviations there, is right for both.
    """
    scale, still = problem.scale(problem.deviations(u[None])[0]), np.zeros(len(problem.rows.number))
    z = np.zeros(problem.size)

    def height(root: float) -> float:
        nonlocal z
        z, modes = latent_mode(problem, scale, root**2, z, still)
        return integrated(problem, np.append(root, u[1:]), expansion(problem, scale * z, root**2, modes))

    top = height(u[0])

    def end(sign: int) -> float:
        near, step = float(u[0]), FIRST * width
        for _ in range(WALKS):
            far = max(near + sign * step, LEAST)
            if top - height(far) > DEEP:
                return float(brentq(lambda root: top - height(root) - DEEP, near, far, xtol=NEAR_END * width))
            if far == LEAST:
                break
            near, step = far, LONGER * step
        return far

    return end(-1), end(1)


def _trust(surrogate: Surrogate, u: Floats) -> None:
    """Refuse a picture that ends where the posterior still has weight: no weight of a proposal would tell."""
    top = surrogate.log_density(u)
    for end in (surrogate.low, surrogate.high):
        fall = top - surrogate.log_density(np.append(end, u[1:]))
        if end > LEAST and not fall > SHALLOW:
            name = surrogate.problem.hyper[0].name
            raise CollabevalError(f"the fast engine found no end of what {name} may be")


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

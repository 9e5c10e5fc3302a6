"""A whole fit: proposals from the surrogate, weighted by the exact density, resampled; and the engine's own check."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from collabeval.convergence import Mixing
from collabeval.errors import CollabevalError
from collabeval.laplace.aims import Aim, first, kernels
from collabeval.laplace.engine import FEWEST, LOST, MOST
from collabeval.laplace.threads import threaded
from collabeval.laplace.weights import BATCH, LIMIT, ROUNDS, Proposals, k_limit, resampled
from collabeval.models.grouped import Grouped, GroupedDraws
from collabeval.params import Sampling
from collabeval.quadrature.centre import Centre, locate
from collabeval.quadrature.problem import Problem, pose

POOR = 0.2  # share of effective proposals up to which another aim may well be better
SURPLUS = 4  # times as many effective proposals as draws must be worth: tails are worth less than all is


@dataclass(frozen=True)
class Fitted:
    """Draws, equally weighted, and why the engine's own check failed, or nothing."""

    draws: GroupedDraws
    failure: str


def fit(design: Grouped, sampling: Sampling) -> Fitted:
    """Draws of standard deviations and latent vector, as many as `chains` × `draws`.

    They come from four times `minimum_ess` effective proposals.

    Raises
    ------
    CollabevalError
        The picture of the posterior that proposals come from collapses.
    """
    problem, random = pose(design), np.random.default_rng(sampling.seed)
    try:
        centre = locate(problem)
    except np.linalg.LinAlgError as reason:
        raise CollabevalError("the posterior is not of a shape that the fast engine can follow") from reason
    effective = SURPLUS * sampling.minimum_ess
    found = _weighted(problem, centre, effective, MOST * effective, random)
    picked = resampled(found.smoothed[0], sampling.chains * sampling.draws, random)
    values = problem.deviations(found.u[picked])
    deviations = {each.name: values[:, d] for d, each in enumerate(problem.hyper)}
    said = _judged(found, sampling.seed)
    return Fitted(GroupedDraws(design, found.g[picked], deviations, Mixing(1, picked), said), _failure(said))


def _weighted(problem: Problem, centre: Centre, effective: int, most: int, random: np.random.Generator) -> Proposals:
    """Batches until so many effective proposals are there, or `most` were made; aimed anew while they miss.

    Only the standard deviations are: some hundred weighted proposals cannot mend a Gaussian in as many dimensions.
    """
    aim = first(centre.profiles, problem.size)
    last = found = _batch(problem, centre, aim, BATCH, random)
    for _ in range(ROUNDS):
        if last.effective > POOR * BATCH and last.smoothed[1] < LIMIT:
            break
        aim = replace(aim, hyper=kernels(found.points[:, : len(centre.u)], found.smoothed[0], random))
        last = _batch(problem, centre, aim, BATCH, random)
        found = found.joined(last)
    while len(found.u) < most:
        thin = found.smoothed[1] > k_limit(len(found.u))
        if found.effective >= effective and not thin:
            break
        if thin:  # the same aim would leave thin what it has left thin; twice as many, so that rounds stay few
            aim = replace(aim, hyper=kernels(found.points[:, : len(centre.u)], found.smoothed[0], random))
        share = max(found.effective / len(found.u), 0.05)
        missing = max(1.1 * (effective - found.effective) / share, len(found.u) if thin else 100)
        found = found.joined(_batch(problem, centre, aim, int(min(missing, most - len(found.u))), random))
    return found


def _batch(problem: Problem, centre: Centre, aim: Aim, count: int, random: np.random.Generator) -> Proposals:
    """So many proposals of one aim, and the posterior's density there."""
    points, size = aim.draw(count, random), len(centre.u)
    u = centre.u + points[:, :size] @ centre.axes.T
    prior = problem.log_prior(u)
    possible = np.isfinite(prior) & centre.surrogate.holds(u)
    z, target, places = np.zeros((count, problem.size)), np.full(count, -np.inf), np.flatnonzero(possible)

    def work(part: slice) -> None:
        own = places[part]
        z[own], target[own] = centre.surrogate.proposals(u[own], np.ascontiguousarray(points[own, size:]))

    threaded(work, len(places))
    return Proposals(points, u, z, np.empty((count, 0)), target + np.where(possible, prior, 0.0), possible,
                     ((aim, count),), aim.log_density(points)[None])  # fmt: skip


def _judged(found: Proposals, seed: int) -> dict[str, str | int | float]:
    """What the engine can say of itself."""
    count = len(found.u)
    return {
        "engine": "quadrature",
        "pareto_k": found.smoothed[1],
        "pareto_k_limit": k_limit(count),
        "importance_ess": found.effective,
        "proposals": count,
        "proposals_lost": float(np.mean(~np.isfinite(found.log_weights[found.possible]))),
        "seed": seed,
    }


def _failure(said: dict[str, str | int | float]) -> str:
    k, limit = float(said["pareto_k"]), float(said["pareto_k_limit"])
    if not k <= limit:
        return f"the weights of the fast engine have k̂ {k:.2f}, above {limit:.2f}"
    if float(said["proposals_lost"]) > LOST:
        return f"the fast engine could not weigh {said['proposals_lost']:.1%} of its proposals"
    if not float(said["importance_ess"]) >= FEWEST:
        return f"the fast engine has {said['importance_ess']:.0f} effective proposals, below {FEWEST}"
    return ""

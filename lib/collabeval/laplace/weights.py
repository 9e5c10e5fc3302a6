"""Proposals of hyperparameters and the programme-wide part, weighted by the exact density (Pareto-smoothed)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtri

from collabeval import pareto
from collabeval.convergence import TAIL
from collabeval.laplace.aims import Aim, first, log_sum, promising
from collabeval.laplace.centre import Centre
from collabeval.laplace.problem import Floats, Problem
from collabeval.laplace.proposals import propose
from collabeval.laplace.threads import threaded

BATCH = 500  # proposals that the next ones are aimed by
AIMED = 0.4  # share of proposals effective for every number from which aiming is good enough
CALM = 0.5  # k̂ of a batch from which its aim has left something thin
ROUNDS = 3
HOPED = 0.7  # share of the next batch effective for every number: its aim is better, and what is missing is made after
USUAL = 0.85  # share of proposals that is effective, about
ASKED = 0.85  # of the proposals that seem missing: the least of many noisy sizes seems less than it is
LIMIT = 0.7  # of k̂
TINY = 1e-12  # of a chance


@dataclass(frozen=True)
class Proposals:
    """Proposals of one or more aims: standard points (S, K), hyperparameters u (S, D), programme-wide part g (S, G).

    `target` (S,) is the log-density of the posterior as one of the standard points; weights are by the mixture of all
    aims (the balance heuristic; Veach & Guibas 1995), so that each aim mends what another leaves thin.
    """

    points: Floats
    u: Floats
    g: Floats
    z: Floats  # (S, J, 2) the sites' modes
    target: Floats
    possible: np.ndarray  # (S,) whether the priors allow the hyperparameters
    aims: tuple[tuple[Aim, int], ...]  # A of them, and how many points each made
    densities: Floats  # (A, S) log-density of every point by every aim

    @cached_property
    def log_weights(self) -> Floats:
        """Log-weights (S,); minus infinity where a proposal is impossible."""
        return np.where(np.isfinite(self.target), self.target, -np.inf) - self.mixture

    @cached_property
    def mixture(self) -> Floats:
        """Log-density (S,) of what the points were drawn from, all aims together."""
        counts = np.array([count for _, count in self.aims])
        return log_sum(self.densities + np.log(counts / counts.sum())[:, None], axis=0)

    @cached_property
    def smoothed(self) -> tuple[Floats, float]:
        """Pareto-smoothed weights that sum to 1 (Vehtari et al. 2024), and k̂."""
        found = self.log_weights
        smooth, k = pareto.smoothed(np.maximum(found, found.max() - 700))
        weights = np.exp(smooth - smooth.max())
        return weights / weights.sum(), k

    @property
    def effective(self) -> float:
        """Importance effective sample size, 1/Σw²."""
        return float(1 / np.sum(self.smoothed[0] ** 2))

    @cached_property
    def least_effective(self) -> float:
        """The least effective size of all and of any hyperparameter or programme-wide number."""
        return min(self.effective, least_size(np.hstack([self.u, self.g]), self.smoothed[0]))

    def joined(self, other: Proposals) -> Proposals:
        """These and others."""
        names = ("points", "u", "g", "z", "target", "possible")
        both = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in names}
        densities = np.vstack([
            np.hstack([self.densities, [aim.log_density(other.points) for aim, _ in self.aims]]),
            np.hstack([[aim.log_density(self.points) for aim, _ in other.aims], other.densities]),
        ])  # fmt: skip
        return Proposals(**both, aims=self.aims + other.aims, densities=densities)


def least_size(values: Floats, weights: Floats) -> float:
    """Least effective size of any column of values (S, K) with weights (S,): of its ranks, of either tail.

    Var(x) over the variance of its weighted mean, Σ w (x − x̄)² / Σ w² (x − x̄)² (Owen 2013, eq. 9.13).
    """
    order = np.argsort(values, axis=0)
    below = np.empty_like(values)
    np.put_along_axis(below, order, np.cumsum(weights[order], axis=0), axis=0)
    middle = np.clip(below - weights[:, None] / 2, TINY, 1 - TINY)
    scores = np.hstack([ndtri(middle), *((middle <= tail).astype(float) for tail in TAIL)])
    away = (scores - weights @ scores) ** 2
    of_mean = weights**2 @ away
    sizes = np.divide(weights @ away, of_mean, out=np.full(len(of_mean), np.inf), where=of_mean > 0)
    return float(sizes.min())


def resampled(weights: Floats, count: int, random: np.random.Generator) -> np.ndarray:
    """Positions (count,) in proportion to the weights, by one systematic sweep, in random order."""
    points = (np.arange(count) + random.random()) / count
    return random.permutation(np.searchsorted(np.cumsum(weights), points).clip(max=len(weights) - 1))


def needed(effective: float, count: int) -> float:
    """Proposals to be effective for `count` draws, by one sweep, to be as good as so many independent ones.

    A sweep takes a proposal the whole number of times below or above its share; what that adds to the squared copies
    is at most a quarter for each, a sixth where shares are spread evenly; a fifth is reckoned with. So E effective of
    S proposals leave 1 / (1/E + S/5 / count²). Where draws are too few for any E, twice as many as asked for.
    """
    rounding = 1 / (5 * USUAL) / count**2
    left = 1 / effective**2 - 4 * rounding
    return (1 / effective - np.sqrt(left)) / (2 * rounding) if left > 0 else 2 * effective


def families(picked: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distinct ones among picked (S,), F of them; draws in their order (S,); where each one's begin (F + 1,)."""
    distinct, times = np.unique(picked, return_counts=True)
    return distinct, np.argsort(picked, kind="stable"), np.concatenate([[0], np.cumsum(times)])


def batch(problem: Problem, centre: Centre, aim: Aim, count: int, random: np.random.Generator) -> Proposals:
    """So many proposals of one aim, and the posterior's density there."""
    points = aim.draw(count, random)
    size = len(centre.u)
    u = centre.u + points[:, :size] @ centre.axes.T
    values = problem.values(u)
    rows, trends, standard = problem.rows(values), problem.trends(values), points[:, size:] + centre.offset
    g, z = centre.modes(points[:, :size])

    def work(part: slice) -> tuple[Floats, Floats]:
        return propose(problem.cells, problem.programme, centre.rule, centre.depths, rows[part], trends[part],
                       standard[part], g[part], z[part])  # fmt: skip

    density, log_factor = (np.concatenate(parts) for parts in zip(*threaded(work, count), strict=True))
    prior = problem.log_prior(u)
    with np.errstate(invalid="ignore"):  # an impossible proposal has no weight, whatever its density
        target = density + prior - log_factor
    densities = aim.log_density(points)[None]
    return Proposals(points, u, g, z, target, np.isfinite(prior), ((aim, count),), densities)


def importance_sample(
    problem: Problem,
    centre: Centre,
    effective: float,
    most: int,
    random: np.random.Generator,
    found: Proposals | None = None,
) -> Proposals:
    """Batches until every number has so many effective proposals, or `most` were made; to those `found` if any are.

    Where k̂ says that something is still left thin, as many again are made, up to a quarter of `most`.
    """
    found, share = (found, 0.5) if found else _aimed(problem, centre, random)
    while len(found.u) < most:
        thin = found.smoothed[1] > k_limit(len(found.u)) and 4 * len(found.u) < most
        if found.least_effective >= effective and not thin:
            break
        missing = ASKED * (effective - found.least_effective) / max(share, 0.05)
        missing = max(missing, len(found.u) if thin else 100)
        more = int(min(missing, most - len(found.u)))
        aim = promising(found.points, found.smoothed[0], found.mixture, centre.profiles, random)
        last = batch(problem, centre, aim, more, random)
        found, share = found.joined(last), last.least_effective / more
    return found


def k_limit(count: int) -> float:
    """The greatest k̂ with which so many proposals can be trusted (Vehtari et al. 2024)."""
    return float(min(LIMIT, 1 - 1 / np.log10(count)))


def _aimed(problem: Problem, centre: Centre, random: np.random.Generator) -> tuple[Proposals, float]:
    """The first batches, aimed anew while they miss; the share of the next that may be effective for every number."""
    aim = first(centre.profiles, len(centre.g))
    last = found = batch(problem, centre, aim, BATCH, random)
    for _ in range(ROUNDS):
        if last.least_effective > AIMED * BATCH and last.smoothed[1] < CALM:
            break
        aim = promising(found.points, found.smoothed[0], found.mixture, centre.profiles, random)
        last = batch(problem, centre, aim, BATCH, random)
        found = found.joined(last)
    return found, max(last.least_effective / BATCH, HOPED)

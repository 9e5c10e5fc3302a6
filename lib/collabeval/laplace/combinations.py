"""Combinations of a proposal of each measure with a correlation R of the sites' levels, weighted by what R adds.

Fitted each by itself, measures have a posterior that is a product; R changes it by what `couplings` gives. So proposals
of the measures are combined, one of each, with a proposed R, and weighted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from collabeval import pareto
from collabeval.laplace.aims import Gaussianlike, moments
from collabeval.laplace.centre import axes_at
from collabeval.laplace.coupled import couplings, pair
from collabeval.laplace.problem import Floats, hermite
from collabeval.laplace.threads import threaded
from collabeval.laplace.weights import BATCH, k_limit, least_size, resampled
from collabeval.models.correlation import beta_shapes, correlation_matrices

NODES = (0, 0, 7, 5, 4)  # of a rule for so many measures, in each dimension
MOST_MEASURES = len(NODES) - 1  # nodes grow as a power of them
CANDIDATES = 32  # proposals of a measure of which one is taken
REFERENCES = 16  # combinations that R is first judged by


@dataclass(frozen=True)
class Coupled:
    """What is known of the levels of J sites in the proposals of M measures: tables by `level_densities`."""

    places: Floats  # (M, S, J, 4)
    tables: Floats  # (M, S, J, POINTS)
    held: np.ndarray  # (J, M) the measures each site has, these first
    counts: np.ndarray  # (J,) how many
    kinds: np.ndarray  # (J,) number of the set of measures a site has
    weights: tuple[Floats, ...]  # of each measure's proposals, fitted by itself; they sum to 1
    values: tuple[Floats, ...]  # (S_m, ·) their hyperparameters and programme-wide numbers

    @cached_property
    def order(self) -> np.ndarray:
        """The measures (M,), those first whose levels are known best: the others can add least to them."""
        place = np.argsort(self.held, axis=1)
        has = place < self.counts[:, None]
        return np.argsort([self.places[m, : len(own), has[:, m], 3].mean() for m, own in enumerate(self.weights)])

    @cached_property
    def rule(self) -> tuple[Floats, Floats, np.ndarray]:
        """Nodes (M + 1, K, M), log-weights (M + 1, K) and their number (M + 1,) for each number of measures."""
        measures = len(self.weights)
        sizes = np.array([NODES[count] ** count if count > 1 else 0 for count in range(measures + 1)])
        nodes, logs = np.zeros((measures + 1, sizes.max(), measures)), np.zeros((measures + 1, sizes.max()))
        for count in range(2, measures + 1):
            points, weights = hermite(NODES[count])
            grid = np.stack(np.meshgrid(*[points] * count, indexing="ij"), axis=-1).reshape(-1, count)
            nodes[count, : len(grid), :count] = grid
            logs[count, : len(grid)] = np.stack(np.meshgrid(*[weights] * count, indexing="ij")).sum(axis=0).ravel()
        return nodes, logs, sizes

    def added(self, picks: np.ndarray, u: Floats, exact: bool = True) -> Floats:
        """log of what R adds in combinations (C, M) with R at u (C, P); not `exact`: levels taken for Gaussians."""
        matrices = correlations(u, len(self.weights))
        nodes, logs, sizes = self.rule
        sizes = sizes if exact else np.zeros_like(sizes)

        def work(part: slice) -> Floats:
            return couplings(self.places, self.tables, self.held, self.counts, self.kinds, picks[part], matrices[part],
                             nodes, logs, sizes)  # fmt: skip

        return np.concatenate(threaded(work, len(picks)))


def correlations(u: Floats, measures: int) -> Floats:
    """R (C, M, M) at u (C, P): logits of half of one plus its partial correlations."""
    return correlation_matrices(np.tanh(u / 2), measures)


def log_prior(u: Floats, measures: int) -> Floats:
    """Log-density (C,) of u under R ~ LKJ(2), up to a constant."""
    shapes = beta_shapes(measures)
    return (shapes * (np.log(expit(u)) + np.log(expit(-u)))).sum(axis=1)


@dataclass(frozen=True)
class Combinations:
    """Combinations (C, M) with R at u (C, P), and their log-weights (C,)."""

    picks: np.ndarray
    u: Floats
    log_weights: Floats

    @cached_property
    def smoothed(self) -> tuple[Floats, float]:
        """Pareto-smoothed weights that sum to 1, and k̂."""
        smooth, k = pareto.smoothed(self.log_weights)
        weights = np.exp(smooth - smooth.max())
        return weights / weights.sum(), k

    @property
    def effective(self) -> float:
        """Importance effective sample size, 1/Σw²."""
        return float(1 / np.sum(self.smoothed[0] ** 2))

    def least_effective(self, coupled: Coupled) -> float:
        """Least effective size of R and of any number of any measure, as far as combinations limit it."""
        measures = len(coupled.weights)
        matrices = correlations(self.u, measures)[:, *np.tril_indices(measures, -1)]
        numbers = [matrices, *(values[self.picks[:, m]] for m, values in enumerate(coupled.values))]
        return min(self.effective, least_size(np.hstack(numbers), self.smoothed[0]))

    def joined(self, other: Combinations) -> Combinations:
        """These and others: weights of either are unbiased up to the same constant, whatever proposed them."""
        names = ("picks", "u", "log_weights")
        return Combinations(*(np.concatenate([getattr(self, name), getattr(other, name)]) for name in names))


def combine(coupled: Coupled, effective: float, most: int, random: np.random.Generator) -> Combinations:
    """Combinations until so many are effective for every number, at most `most`; R is aimed by what was found."""
    found = batch(coupled, most_probable(coupled, random), BATCH, random)
    while len(found.u) < most:
        least = found.least_effective(coupled)
        if least >= effective and found.smoothed[1] <= k_limit(len(found.u)):
            break
        more = (effective - least) / least * len(found.u) if least < effective else len(found.u)
        more = np.clip(more, BATCH / 5, min(4 * len(found.u), most - len(found.u)))
        middle, covariance = moments(found.u, found.smoothed[0])
        aim = Gaussianlike(middle, np.linalg.cholesky(covariance))
        found = found.joined(batch(coupled, aim, ceil(more), random))
    return found


def batch(coupled: Coupled, aim: Gaussianlike, count: int, random: np.random.Generator) -> Combinations:
    """So many combinations with R from one aim.

    The measures' proposals come as they do when fitted each by itself; of some of the next measure the one is taken
    that goes with those before (`coupled.pair`), which leaves the weights proper, however good its approximation
    (nested importance sampling; Naesseth, Lindsten & Schön 2015).
    """
    u = aim.draw(count, random)
    matrices, measures = correlations(u, len(coupled.weights)), len(coupled.weights)
    drawn = [resampled(own, count * CANDIDATES, random).reshape(count, -1) for own in coupled.weights]
    candidates, chances = np.stack(drawn, axis=1), random.random((count, measures))
    picks = np.zeros((count, measures), np.int64)

    def work(part: slice) -> Floats:
        return pair(coupled.places, coupled.held, coupled.counts, coupled.kinds, matrices[part], coupled.order,
                    candidates[part], chances[part], picks[part])  # fmt: skip

    weights = np.concatenate(threaded(work, count)) + log_prior(u, measures) - aim.log_density(u)
    return Combinations(picks, u, weights + coupled.added(picks, u))


def most_probable(coupled: Coupled, random: np.random.Generator) -> Gaussianlike:
    """R about where it is most probable, by what some of the measures' proposals say of it."""
    picks = np.stack([resampled(own, REFERENCES, random) for own in coupled.weights], axis=1)
    measures = len(coupled.weights)

    def around(u: Floats) -> Floats:
        every = coupled.added(np.tile(picks, (len(u), 1)), np.repeat(u, len(picks), axis=0), exact=False)
        return log_prior(u, measures) + every.reshape(len(u), -1).mean(axis=1)

    middle = minimize(lambda u: -float(around(u[None])[0]), np.zeros(len(beta_shapes(measures)))).x
    axes = axes_at(around, middle)
    return Gaussianlike(middle, np.linalg.cholesky(axes @ axes.T))

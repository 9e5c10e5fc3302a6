"""What follows from draws: the effect of each group, and shares averaged over groups that were not seen."""

from __future__ import annotations

import numpy as np

from collabeval.laplace.threads import threaded
from collabeval.models.grouped import Floats, GroupedDraws
from collabeval.quadrature import integrals
from collabeval.quadrature.problem import pose

NODES = 15


def group_effects(draws: GroupedDraws, seed: int) -> Floats:
    """Each group's effect (S, G) on the linear predictor, drawn given everything else."""
    problem = pose(draws.design)
    seeds = np.random.default_rng(seed).integers(0, 2**32 - 1, len(draws.z))
    fixed = np.where(problem.block >= 0, 0.0, problem.fixed)
    deviations = np.column_stack([draws.deviations[each.name] for each in problem.hyper])
    scales = fixed + (problem.block >= 0) * deviations[:, problem.block]
    cut = problem.size - 4 * len(draws.design.items)
    beta, cuts, sd = np.ascontiguousarray((scales * draws.z)[:, :cut]), draws.cuts, draws.group_sd

    def work(part: slice) -> Floats:
        return integrals.draw_effects(problem.rows, beta[part], cuts[part], sd[part], seeds[part])

    return sd[:, None] * np.concatenate(threaded(work, len(seeds)))


def mean_share(eta: Floats, sd: Floats) -> Floats:
    """Mean of expit(η + u) over u ~ Normal(0, sd), for η (S, C) and sd (S,): a share in a population of groups."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    rule = integrals.Rule(nodes, np.log(weights / np.sqrt(2 * np.pi)))

    def work(part: slice) -> Floats:
        return integrals.mean_share(np.ascontiguousarray(eta[part]), sd[part], rule)

    return np.concatenate(threaded(work, len(sd)))

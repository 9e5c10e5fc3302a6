"""The programme-wide part at the most probable spreads: a quick look at what an addition to the model would find."""

from __future__ import annotations

import numpy as np

from collabeval.errors import CollabevalError
from collabeval.laplace.arrow import find_mode
from collabeval.laplace.centre import NEWTON
from collabeval.laplace.problem import Floats, pose, refusal
from collabeval.laplace.search import CLOSE, Search
from collabeval.models.design import Design


def covariate_effects(design: Design) -> tuple[Floats, Floats]:
    """Mean (P,) and covariance (P, P) of the effects of the covariates, Gaussian, given the most probable spreads.

    Per unit of the standardised columns, on the linear predictor (for means in the measure's unit). What the spreads
    are not known to is left out of the covariance: with many sites it is little.

    Raises
    ------
    CollabevalError
        The model has no Gaussian form, or its mode was not found.
    """
    reason = refusal(design)
    if reason:
        raise CollabevalError(reason)
    problem = pose(design)
    search = Search(problem, NEWTON)
    u = search.summit()
    scales, trend = search.at(u)
    cells, programme = problem.cells, problem.programme
    factor, found = find_mode(cells, programme, scales, trend, search.rule, search.g.copy(), search.z.copy(), CLOSE)[2:]
    if not found:
        raise CollabevalError("the most probable values of the model were not found")
    whole = np.linalg.inv(factor @ factor.T)
    last = slice(len(search.g) - len(design.covariates.terms), None)
    return design.scale * search.g[last], design.scale**2 * whole[last, last]

"""Replicates and log-likelihood of all cells in all draws: what `predictive` has in numpy, compiled, block by block."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.special import gammaln

from collabeval.draws import linear_predictor
from collabeval.fit.predictive import constant_data, standard_error
from collabeval.laplace.outcomes import observe
from collabeval.laplace.problem import FAMILIES
from collabeval.laplace.threads import threaded
from collabeval.models.design import Design

BLOCK = 2**21  # cells × draws worked on at once: 16 MiB for each array of theirs


def outcomes(
    posterior: xr.Dataset, design: Design, seed: int, kind: type[np.floating]
) -> tuple[np.ndarray, np.ndarray]:
    """Replicates and log-likelihood of each cell in each draw (chain, draw, cell), as numbers of some kind.

    Worked out for blocks of draws at a time, each with a seed of its own: beyond what is returned memory is bounded.
    """
    constant, sizes = constant_data(design), (posterior.sizes["chain"], posterior.sizes["draw"])
    found = np.empty((2, *sizes, design.cells), kind)
    per_block = max(1, BLOCK // design.cells)
    blocks = [(chain, slice(first, first + per_block)) for chain in range(sizes[0])
              for first in range(0, sizes[1], per_block)]  # fmt: skip
    data = (FAMILIES[design.family], *_observed(design))

    def work(part: slice) -> None:
        for number, (chain, draws) in enumerate(blocks[part], part.start):
            drawn = posterior.isel(chain=[chain], draw=draws)
            eta = linear_predictor(drawn, constant)[0]
            error = standard_error(drawn, design) if design.family == "normal" else eta
            error = np.ascontiguousarray(np.broadcast_to(error, (1, *eta.shape))[0])
            random = np.random.default_rng([seed, number])
            observe(random, *data, eta, error, found[0, chain, draws], found[1, chain, draws])

    threaded(work, len(blocks))
    return found[0], found[1]


def _observed(design: Design) -> tuple[np.ndarray, ...]:
    """Events or means, cases, and the part of the log-likelihood that is the same in every draw, of each cell."""
    columns = {name: values.astype(float) for name, values in design.columns.items()}
    if design.family == "normal":
        return columns["mean"], np.ones(design.cells), np.zeros(design.cells)
    events, cases = columns["numerator"], columns["denominator"]
    if design.family == "poisson":
        return events, np.ones(design.cells), -gammaln(events + 1)
    return events, cases, gammaln(cases + 1) - gammaln(events + 1) - gammaln(cases - events + 1)

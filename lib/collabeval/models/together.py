"""Several measures together: the levels of a site correlate over its measures (docs/methods.md, "Several measures").

Each measure keeps its own model; what couples them is the density of the levels z[j, m] = site_level / site_sd

    z[j] ~ MultivariateNormal(0, R)   instead of   z[j, m] ~ Normal(0, 1)

with R ~ LKJ(2), for a site without some of the measures over those it has.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from collabeval.models.correlation import CORRELATION, beta_shapes

NAME = "together"  # prefix of the coupling's own variables


def correlation_model(measures: Sequence[str]) -> pm.Model:
    """The model of R alone: partial correlations of a C-vine, each stretched Beta, so that R ~ LKJ(2)."""
    count = len(measures)
    with pm.Model(NAME, {"measure": list(measures), "other": list(measures)}) as model:
        shapes = beta_shapes(count)
        partial = 2 * pm.Beta("partial_correlation_half", shapes, shapes) - 1
        matrix = correlation_matrix([[partial[_place(row, column)] for column in range(row)] for row in range(count)])
        pm.Deterministic(CORRELATION, pt.stack([pt.stack(row) for row in matrix]), dims=("measure", "other"))
    return model


def _place(row: int, column: int) -> int:
    """Where an element below the diagonal stands among all of them, row by row."""
    return row * (row - 1) // 2 + column


def correlation_matrix(partial: Sequence[Sequence[TensorVariable]]) -> list[list[TensorVariable]]:
    """R as scalars, from the partial correlations below the diagonal: a small matrix compiles faster written out."""
    rows: list[list[TensorVariable]] = []
    for given in partial:
        rest: TensorVariable = pt.as_tensor_variable(1.0)
        row = []
        for value in given:
            row.append(value * pt.sqrt(rest))
            rest = rest * (1 - value**2)
        rows.append([*row, pt.sqrt(rest)])
    return [[sum(a * b for a, b in zip(one, other, strict=False)) for other in rows] for one in rows]


def coupling(
    matrix: Sequence[Sequence[TensorVariable]], levels: Sequence[TensorVariable], has: np.ndarray, place: np.ndarray
) -> TensorVariable:
    """What R adds to the log-density of independent standardised levels: Σ_j log N(z_j; 0, R) − Σ_jm log N(z_jm; 0, 1).

    Parameters
    ----------
    matrix : R, scalars.
    levels : z of each measure over its own sites.
    has : bool (J, M), which measures each site has.
    place : int (J, M), where the site stands among those of the measure.
    """
    total: TensorVariable = pt.as_tensor_variable(0.0)
    for pattern in np.unique(has, axis=0):
        held = np.flatnonzero(pattern).tolist()
        if len(held) < 2:
            continue
        sites = np.flatnonzero((has == pattern).all(axis=1))
        z = [levels[measure][place[sites, measure]] for measure in held]
        factor = _cholesky([[matrix[a][b] for b in held] for a in held])
        independent: list[TensorVariable] = []
        for row, value in zip(factor, z, strict=True):
            known = sum(
                (weight * before for weight, before in zip(row, independent, strict=False)), pt.zeros(len(sites))
            )
            independent.append((value - known) / row[-1])
        squares = sum(pt.sum(own**2) - pt.sum(value**2) for own, value in zip(independent, z, strict=True))
        total = total - 0.5 * squares - len(sites) * sum(pt.log(row[-1]) for row in factor)
    return total


def _cholesky(matrix: Sequence[Sequence[TensorVariable]]) -> list[list[TensorVariable]]:
    """Lower Cholesky factor of a small matrix of scalars, row by row up to the diagonal."""
    rows: list[list[TensorVariable]] = []
    for at, given in enumerate(matrix):
        row: list[TensorVariable] = []
        for column in range(at):
            below = sum((a * b for a, b in zip(row, rows[column][:column], strict=False)), pt.as_tensor_variable(0.0))
            row.append((given[column] - below) / rows[column][column])
        rows.append([*row, pt.sqrt(given[at] - sum((value**2 for value in row), pt.as_tensor_variable(0.0)))])
    return rows

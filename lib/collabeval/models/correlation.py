"""How levels of sites correlate over measures: R ~ LKJ(2) by its partial correlations, and which sites have what.

Lewandowski, Kurowicka & Joe (2009), J Multivariate Analysis 100: 1989–2001, section 3: of a C-vine on M measures the
partial correlation of a later one with the k-th (from 0), given those before it, is 2 Beta(a, a) − 1 with
a = η + (M − 2 − k)/2, independently of the others. They are written row by row below the diagonal.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

CORRELATION = "measure_correlation"  # R in the draws
SHAPE = 2.0  # η of LKJ(η)


def beta_shapes(count: int) -> np.ndarray:
    """a of each partial correlation of `count` measures (P,)."""
    return SHAPE + (count - 2 - np.tril_indices(count, -1)[1]) / 2


def correlation_matrices(partial: np.ndarray, count: int) -> np.ndarray:
    """R (S, M, M) from partial correlations (S, P)."""
    factor = np.zeros((len(partial), count, count))
    rest = np.ones((len(partial), count))
    for place, (row, column) in enumerate(zip(*np.tril_indices(count, -1), strict=True)):
        factor[:, row, column] = partial[:, place] * np.sqrt(rest[:, row])
        rest[:, row] *= 1 - partial[:, place] ** 2
    factor[:, range(count), range(count)] = np.sqrt(rest)
    return factor @ factor.transpose(0, 2, 1)


def memberships(sites: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Which measures each site has, and where it stands among each measure's sites; both (J, M)."""
    everyone = np.unique(np.concatenate(list(sites)))
    places = [pd.Index(codes).get_indexer(everyone) for codes in sites]
    place = np.stack(places, axis=1)
    return place >= 0, place

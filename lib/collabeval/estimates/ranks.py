"""Ranks with their uncertainty: the rank of every site in every draw, never a league table of point estimates."""

from __future__ import annotations

import numpy as np


def ranks(effect: np.ndarray, good: int) -> np.ndarray:
    """Rank of each site in each draw; 1 is best.

    The mean over draws is the expected rank of Laird & Louis (1989), J. Educational Statistics 14: 29-46. In every draw
    the ranks are a permutation of 1..J (equal effects in order of row), so expected ranks sum to J(J+1)/2.

    Parameters
    ----------
    effect : float (J, S), more of it is more events; no NaN.
    good : +1 where more events are better, -1 where fewer are.
    """
    order = np.argsort(-good * effect, axis=0, kind="stable")
    placed = np.empty(effect.shape)
    np.put_along_axis(placed, order, np.arange(1.0, len(effect) + 1)[:, None], axis=0)
    return placed


def percentile(rank: np.ndarray, sites: int) -> np.ndarray:
    """Percentile of a rank among J sites, 100 (rank - 1/2) / J: low is good.

    Of the expected rank it is the percentile based on expected rank, PCER (Lingsma, Eijkemans & Steyerberg 2009, BMC
    Med Res Methodol 9: 53).
    """
    return 100 * (rank - 0.5) / sites

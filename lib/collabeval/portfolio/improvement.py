"""One number for how much a collaborative improved, with its error: what features are held against."""

from __future__ import annotations

import numpy as np
import pandas as pd

from collabeval.portfolio.members import Funder
from collabeval.portfolio.outcomes import estimates

COLUMNS = ["collaborative", "basis", "measures", "mean", "sd"]
ESTIMANDS = {"effect": "unwanted_effect", "change": "unwanted_ratio"}
WIDTH = 2 * 1.959964  # of a 95% interval, in standard deviations of a normal distribution


def improvements(funder: Funder) -> pd.DataFrame:
    """Improvement of each collaborative by its effect, and by its change: minus the log of what is not wanted.

    The log of `unwanted_effect` (`unwanted_ratio`) has mean and sd as a normal distribution with its median and 95%
    interval; it is averaged over the collaborative's outcome measures (all measures where it has none), which are
    fitted apart and taken as independent. 0.22 stands for a fifth less.
    """
    table = estimates(funder)
    parts = [_of(funder, table, basis, estimand) for basis, estimand in ESTIMANDS.items()]
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def _of(funder: Funder, table: pd.DataFrame, basis: str, estimand: str) -> pd.DataFrame:
    rows = []
    for member in funder.members:
        measures = member.params.measures
        outcomes = [name for name, one in measures.items() if one.role == "outcome"] or list(measures)
        own = table[table["collaborative"].eq(member.name) & table["estimand"].eq(estimand)]
        own = own[own["measure"].isin(outcomes) & (own["q025"] > 0)]
        if own.empty:
            continue
        logs = np.log(own[["q025", "q50", "q975"]].to_numpy(float))
        sd = (logs[:, 2] - logs[:, 0]) / WIDTH
        rows.append({"collaborative": member.name, "measures": len(own), "mean": -logs[:, 1].mean(),
                     "sd": np.sqrt((sd**2).sum()) / len(own)})  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS).assign(basis=basis)


def one_basis(table: pd.DataFrame, fewest: int) -> pd.DataFrame:
    """Rows of one basis, never both: the effects where there are at least `fewest` of them, else the changes."""
    effects, changes = (table[table["basis"].eq(basis)] for basis in ESTIMANDS)
    return effects if len(effects) >= fewest else changes

"""Scores of sites over all their collaboratives: the mean of the best N of M results on a scorecard of each."""

from __future__ import annotations

import numpy as np
import pandas as pd

from collabeval.params.portfolio import BestOf
from collabeval.portfolio.members import Funder

COLUMNS = ["score", "national", "collaboratives", "counted", "points", "expected", "sd"]


def best_of(funder: Funder) -> pd.DataFrame:
    """One row per score and site (its national code: confidential).

    `points` is the mean percentage of the points over its best `counted` of `collaboratives`; `expected` the mean of
    the posterior expected percentages of the same ones, with its `sd` (collaboratives are fitted apart and taken as
    independent). Choosing the best on the data picks good luck too: `points` exceed `expected` on average, and that
    excess is what the rule pays for noise.
    """
    parts = [_scored(funder, name, asked) for name, asked in funder.params.best_of.items()]
    return pd.concat(parts, ignore_index=True)[COLUMNS] if parts else pd.DataFrame(columns=COLUMNS)


def _scored(funder: Funder, name: str, asked: BestOf) -> pd.DataFrame:
    rows = _shares(funder, asked)
    rows = rows.sort_values(["national", "points", "collaborative"], ascending=[True, False, True], kind="stable")
    place = rows.groupby("national").cumcount()
    counted = rows[place < asked.best] if asked.best is not None else rows
    all_of = rows.groupby("national").size()
    counted = counted[counted["national"].map(all_of) >= asked.least]
    grouped = counted.groupby("national")
    table = grouped.agg(counted=("points", "size"), points=("points", "mean"), expected=("expected", "mean"))
    table["sd"] = grouped["sd"].agg(lambda each: float(np.sqrt((each**2).sum()) / len(each)))
    return table.assign(collaboratives=all_of.reindex(table.index), score=name).reset_index()


def _shares(funder: Funder, asked: BestOf) -> pd.DataFrame:
    """Points as percentages of those available, by site and collaborative, where there are any."""
    assert funder.register is not None
    parts = []
    for member in funder.members:
        table = member.table("scorecard_sites")
        if table.empty:
            continue
        own = table[table["scorecard"].eq(asked.scorecard) & table["points"].notna()]
        scale = 100 / own["available"]
        shares = {"points": own["points"] * scale, "expected": own["expected_points"] * scale, "sd": own["sd"] * scale}
        parts.append(own[["site"]].assign(collaborative=member.name, **shares).fillna({"sd": 0.0}))
    columns = ["national", "collaborative", "points", "expected", "sd"]
    if not parts:
        return pd.DataFrame(columns=columns)
    return pd.concat(parts).merge(funder.register, on=["collaborative", "site"])[columns]

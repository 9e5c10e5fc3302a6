"""Sites in several collaboratives: counted once, by the register."""

from __future__ import annotations

import pandas as pd

from collabeval.portfolio.members import Funder

OVERLAP = ["collaborative", "other", "sites"]
BY_NUMBER = ["collaboratives", "sites"]


def overlap(funder: Funder) -> pd.DataFrame:
    """How many sites two collaboratives share; with itself, how many a collaborative has. Empty without a register."""
    if funder.register is None:
        return pd.DataFrame(columns=OVERLAP)
    rows = _with_results(funder)
    pairs = rows.merge(rows, on="national", suffixes=("", "_other"))
    counts = pairs.groupby(["collaborative", "collaborative_other"])["national"].nunique().rename("sites")
    order = pd.MultiIndex.from_product([funder.names, funder.names], names=OVERLAP[:2])
    return counts.rename_axis(OVERLAP[:2]).reindex(order, fill_value=0).reset_index()


def sites_by_number(funder: Funder) -> pd.DataFrame:
    """How many sites take part in one collaborative, in two, and so on. Empty without a register."""
    if funder.register is None:
        return pd.DataFrame(columns=BY_NUMBER)
    each = _with_results(funder).groupby("national")["collaborative"].nunique()
    counts = each.value_counts().sort_index()
    return pd.DataFrame({"collaboratives": counts.index, "sites": counts.to_numpy()})


def _with_results(funder: Funder) -> pd.DataFrame:
    """Register rows of sites with data in a run that has results."""
    assert funder.register is not None
    there = pd.concat([pd.DataFrame({"collaborative": member.name, "site": member.panel["site"].unique()})
                       for member in funder.members])  # fmt: skip
    return funder.register.merge(there, on=["collaborative", "site"])

"""How practices spread between the collaboratives: who does what, in how many, and since when."""

from __future__ import annotations

import pandas as pd

from collabeval.portfolio.members import Funder, Member

COLUMNS = ["practice", "collaborative", "period", "order", "sites", "share"]


def practices(funder: Funder) -> pd.DataFrame:
    """Share of its sites that do a practice, by collaborative and period of its table; a share of cases counts as such.

    `order` numbers the periods of a collaborative from its first (0). Practices are the same where their codes are.
    """
    parts = [_of(member) for member in funder.members if "practices" in member.given]
    return pd.concat(parts, ignore_index=True)[COLUMNS] if parts else pd.DataFrame(columns=COLUMNS)


def _of(member: Member) -> pd.DataFrame:
    rows = member.given["practices"]
    order = {period: place for place, period in enumerate(rows.sort_values("starts")["period"].unique())}
    grouped = rows.groupby(["practice", "period"], as_index=False)
    table = grouped.agg(sites=("site", "nunique"), share=("adopted", "mean"))
    return table.assign(collaborative=member.name, order=table["period"].map(order))

"""What the collaboratives were worth, side by side: totals of each that has costs and events."""

from __future__ import annotations

import pandas as pd

from collabeval.estimates.summaries import QUANTILES
from collabeval.portfolio.members import Funder

COLUMNS = ["collaborative", "currency", "price_year", "basis", "period", "estimand", "mean", "sd", *QUANTILES,
           "event", "probability"]  # fmt: skip
TOTALS = ("programme_cost", "cost_avoided", "net_benefit", "benefit_cost_ratio", "return_on_investment")


def value(funder: Funder) -> pd.DataFrame:
    """Programme cost, cost avoided, net benefit and its ratios, by collaborative, in its own currency and prices."""
    parts = []
    for member in funder.members:
        table, settings = member.table("value_summary"), member.params.value
        if table.empty or settings is None:
            continue
        rows = table[table["measure"].eq("") & table["estimand"].isin(TOTALS)]
        told = rows.assign(currency=settings.currency, price_year=settings.price_year)
        parts.append(told.assign(collaborative=member.name))
    return pd.concat(parts, ignore_index=True).reindex(columns=COLUMNS) if parts else pd.DataFrame(columns=COLUMNS)

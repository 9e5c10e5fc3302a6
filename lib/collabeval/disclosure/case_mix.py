"""Results of the case-mix models with what may not be shown taken out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from collabeval.disclosure import suppress as rule
from collabeval.disclosure.view import MeasureView

KEYS = ("measure", "year", "group", "cases", "exposure")


def of_totals(table: pd.DataFrame | None, views: tuple[MeasureView, ...], minimum_cell: int) -> pd.DataFrame:
    """Rows of counts over all sites: where a count is hidden, so is everything it could be worked back from.

    What was predicted goes too: with the calibration it gives the count.
    """
    if table is None:
        return pd.DataFrame(columns=list(KEYS))
    kept = []
    for view in views:
        rows = table[table["measure"].eq(view.name)].copy()
        few = rule.small(rows["cases"], minimum_cell)
        hidden = few
        if not view.is_mean:
            counts = rows.rename(columns={"observed": "numerator"}).assign(denominator=rows["cases"])
            hidden = rule.hides_numerator(counts, view.params.family == "binomial", minimum_cell)
        if "group" in rows:  # a single hidden tenth would follow from the year's total
            years = rows["year"].where(hidden).dropna()
            hidden = hidden | rows["year"].isin(years)
        rows.loc[hidden, [name for name in rows.columns if name not in KEYS]] = np.nan
        rows.loc[few, ["cases", "exposure"]] = np.nan
        kept.append(rows)
    return pd.concat(kept, ignore_index=True)

"""Tidy results turned so that now, a year before, the change and the chances stand in one row."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

QUANTILES = ["q025", "q25", "q50", "q75", "q975"]


def beside(estimates: pd.DataFrame, chances: pd.DataFrame, keys: Sequence[str], estimand: str) -> pd.DataFrame:
    """One row for each of `keys`: quantiles of `estimand` now; `previous`, its median before (NaN without one); the
    `change` with its interval; the chances `at_target` and `improved`.

    Now is the latest year of the table; the order is that in which keys first occur.
    """
    latest = estimates.loc[estimates["estimand"].eq(estimand), "years_back"].min()
    is_now, of_value = estimates["years_back"].eq(latest), estimates["estimand"].eq(estimand)
    found = estimates.loc[of_value & is_now, [*keys, *QUANTILES]]
    before = estimates.loc[of_value & ~is_now, [*keys, "q50"]].rename(columns={"q50": "previous"})
    renamed = {"q025": "change_low", "q50": "change", "q975": "change_high"}
    change = estimates.loc[estimates["estimand"].eq("change") & is_now, [*keys, *renamed]].rename(columns=renamed)
    for other in (before, change, _chance(chances, keys, "at_target"), _chance(chances, keys, "improved")):
        found = found.merge(other, on=list(keys), how="left")
    return found.astype({name: float for name in ("previous", *renamed.values(), "at_target", "improved")})


def _chance(chances: pd.DataFrame, keys: Sequence[str], event: str) -> pd.DataFrame:
    rows = chances.loc[chances["event"].eq(event), [*keys, "probability"]]
    return rows.rename(columns={"probability": event})

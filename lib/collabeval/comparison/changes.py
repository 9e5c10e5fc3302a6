"""Which words about sites are others under another model, by the same rules."""

from __future__ import annotations

import pandas as pd

KEYS = ["measure", "site", "slot"]
WORDS = ["statement_now", "statement_then", "otherwise_now", "otherwise_then"]
COLUMNS = ["alternative", *KEYS, "now", "then", "chance"]


def changes(alternative: str, now: pd.DataFrame, then: pd.DataFrame) -> pd.DataFrame:
    """Words that differ between two tables of statements.

    Returns
    -------
    DataFrame with alternative, measure, site, slot, now, then ("" where the slot has no word), chance: whether either
    word is within Monte Carlo error of the other, so that another seed could bring the change as well.
    """
    said = [table.set_index(KEYS)[["statement", "otherwise"]] for table in (now, then)]
    joined = said[0].add_suffix("_now").join(said[1].add_suffix("_then"), how="outer").fillna("")
    differ = joined[joined["statement_now"] != joined["statement_then"]].reset_index()
    rows = zip(*(differ[name].astype(str) for name in WORDS), strict=True)
    chance = [then in now_may.split("; ") or now in then_may.split("; ") for now, then, now_may, then_may in rows]
    table = differ.rename(columns={"statement_now": "now", "statement_then": "then"})
    return table.assign(alternative=alternative, chance=pd.Series(chance, table.index, dtype=bool))[COLUMNS]

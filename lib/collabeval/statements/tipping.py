"""Which words hang on periods that were not sent in, and on how much."""

from __future__ import annotations

import pandas as pd

from collabeval.disclosure import Published
from collabeval.statements.words import REMARKABLE

FAVOURABLE = frozenset({"better", "close", "improved", "positive_deviant", "emerging", "candidate"})
NOTEWORTHY = REMARKABLE | {"close"}


def shown(published: Published) -> pd.DataFrame:
    """Words that stand out and would be others: favourable ones if what is missing were worse, others if better.

    Those that take the least come first.
    """
    table = published.threats.tipping
    against = table["statement"].isin(FAVOURABLE).map({True: "worse", False: "better"})
    chosen = table["statement"].isin(NOTEWORTHY) & table["towards"].eq(against) & table["delta"].notna()
    return table[chosen].sort_values(["delta", "measure", "site", "slot"], kind="stable").reset_index(drop=True)


def at_stake(published: Published) -> int:
    """How many noteworthy words there are about sites with periods missing now or at baseline."""
    table = published.threats.tipping
    return int((table["statement"].isin(NOTEWORTHY) & table["towards"].eq("worse")).sum())

"""Words that turn on Monte Carlo error: which other words a site would have if a near probability fell the other way.

Probabilities are shares of a finite number of draws. One that lies within `NEAR` of its Monte Carlo standard errors of
a threshold may lie on the other side with another seed, and the words go with it; what they would be follows by the
same rules. `NEAR` is 2, the 95 % range of that error: a probability further off than this ends up on the other side in
fewer than 1 in 40 runs with as many draws that estimate it anew.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from collabeval import words
from collabeval.params import Measure, Rules

NEAR = 2.0


def otherwise(
    signals: pd.DataFrame, errors: pd.DataFrame, unsure: pd.Series, measure: Measure, rules: Rules
) -> pd.DataFrame:
    """The words that sites would have instead, one row each; none where no word is in doubt.

    Parameters
    ----------
    signals : DataFrame, one row per site, as `words.statements` takes them.
    errors : DataFrame, Monte Carlo standard errors of the probabilities of `signals`, under the same names.
    unsure : bool Series, sites whose `enough` turns on Monte Carlo error as well.

    Returns
    -------
    DataFrame with site, slot, otherwise (a slug), in the order of the sites.
    """
    found = [
        _of_site(signals.loc[[site]], errors.loc[site], bool(unsure[site]), measure, rules) for site in signals.index
    ]
    columns = ["site", "slot", "otherwise"]
    filled = [table for table in found if len(table)]
    return pd.concat(filled, ignore_index=True)[columns] if filled else pd.DataFrame(columns=columns, dtype=object)


def listed(statements: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """The statements with a column `otherwise`: other words within Monte Carlo error, "" where there is none."""
    by_word = other.groupby(["site", "slot"])["otherwise"].agg("; ".join)
    keys = pd.MultiIndex.from_frame(statements[["site", "slot"]])
    return statements.assign(otherwise=by_word.reindex(keys).fillna("").astype(object).to_numpy())


def _of_site(signal: pd.DataFrame, error: pd.Series, unsure: bool, measure: Measure, rules: Rules) -> pd.DataFrame:
    """Words of one site (one row of signals) under every combination of what may fall the other way."""
    options = _options(signal.iloc[0], error, unsure, rules)
    variants = [dict(zip(options, chosen, strict=True)) for chosen in product(*options.values())]
    if len(variants) == 1:
        return pd.DataFrame()
    asked = pd.concat([signal.assign(**variant) for variant in variants])
    said = words.statements(asked, measure, rules)[["site", "slot", "statement"]].drop_duplicates()
    now = words.statements(signal, measure, rules).set_index("slot")["statement"]
    return said[said["statement"].ne(said["slot"].map(now))].rename(columns={"statement": "otherwise"})


def _options(signal: pd.Series, error: pd.Series, unsure: bool, rules: Rules) -> dict[str, list[float | bool]]:
    """What is near: its value, then the other values it may have (just below a threshold, or at it)."""
    found: dict[str, list[float | bool]] = {}
    for event, limits in words.thresholds(rules).items():
        chance = signal.get(event, np.nan)
        near = [limit for limit in limits if abs(chance - limit) <= NEAR * error.get(event, np.nan)]
        if near:
            found[event] = [chance, *(limit if chance < limit else np.nextafter(limit, 0) for limit in near)]
    if unsure:
        found["enough"] = [bool(signal["enough"]), not signal["enough"]]
    return found

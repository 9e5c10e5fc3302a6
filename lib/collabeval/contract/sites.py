"""The table of sites, checked."""

from __future__ import annotations

import re

import pandas as pd

from collabeval.contract.header import EXAMPLE, Breach, Stack, breaches
from collabeval.contract.numbers import read_days
from collabeval.contract.schemas import SITES
from collabeval.errors import Problem

NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")


def checked_sites(stack: Stack, problems: list[Problem]) -> pd.DataFrame:
    """Sites with their types; adds what is wrong to `problems` and notes to the log of the stack."""
    rows = stack.rows.copy()
    rows["name"] = rows["name"].where(rows["name"] != "", rows["site"]) if "name" in rows else rows["site"]
    rows["peer_group"] = rows.get("peer_group", "")
    rows["joined"], found = _days(stack)
    found += breaches(SITES, rows)
    example = rows.index[rows["site"] == EXAMPLE]
    found += [(index, "site", "is the example row of the template", "delete this row") for index in example]
    problems += stack.problems(found)
    covariates = [name for name in rows.columns if name not in SITES.columns]
    for name in covariates:
        rows[name] = _covariate(rows[name])
    return rows[["site", "name", "joined", "peer_group", *covariates]].reset_index(drop=True)


def _days(stack: Stack) -> tuple[pd.Series, list[Breach]]:
    if "joined" not in stack.rows:
        return pd.Series(pd.NaT, index=stack.rows.index, dtype="datetime64[ns]"), []
    reading = read_days(stack.rows["joined"])
    stack.log += [f"sites, column joined: {note}" for note in reading.notes]
    days = pd.Series(pd.to_datetime(reading.values), index=stack.rows.index).astype("datetime64[ns]")
    return days, [(index, "joined", what, fix) for index, what, fix in reading.refused]


def _covariate(texts: pd.Series) -> pd.Series:
    """A further column as numbers where every value is plainly one (`007` is not), else as the text it is."""
    given = texts[texts != ""]
    if len(given) and all(NUMBER.fullmatch(text) for text in given):
        return pd.to_numeric(texts.where(texts != ""))
    return texts

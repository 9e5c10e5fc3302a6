"""Which year each row of a further table counts for: years end with the current window of the outcomes."""

from __future__ import annotations

from datetime import date

import pandas as pd

from collabeval import periods as period_texts
from collabeval.panel import windows
from collabeval.params import Params

MONTHS_A_YEAR = 12


def last_day(params: Params, panel: pd.DataFrame, given: pd.Series) -> date:
    """The day after the last of "this year": the end of the current window, as params or the outcomes have it.

    Where the outcomes have no periods it is the end of the further table's own (`given`: its column `ends`).
    """
    length, starts = params.periods.length, params.periods.year_starts
    if length == "none":
        return date.fromisoformat(f"{given.max():%Y-%m-%d}")
    ends = []
    for _, rows in panel.groupby("measure"):
        last = windows(params.periods, rows).current.label.split("/")[-1]
        ends.append(period_texts.parse(last, length, starts).end)
    return max(ends)


def with_years(rows: pd.DataFrame, end: date) -> pd.DataFrame:
    """The rows up to `end` with `back`: 0 for the year that ends there, 1 for the one before, and so on.

    A period counts for the year in which its middle lies, so a year of another start than the window's counts whole for
    the one that holds most of it. Rows after the window are left out.
    """
    middle = rows["starts"] + (rows["ends"] - rows["starts"]) / 2
    edges = [pd.Timestamp(_back(end, years)) for years in range(_years_between(middle.min(), end) + 2)]
    back = sum(middle.lt(edge).astype(int) for edge in edges) - 1
    dated = rows.assign(back=back)
    return pd.DataFrame(dated[dated["back"] >= 0])


def year_label(end: date, back: int, year_starts: int) -> str:
    """The label of a year: `2025` where it is a year of the evaluation, else its first and last month."""
    first, last = _back(end, back + 1), _back(end, back)
    if first.month == year_starts:
        return f"{first.year:04d}"
    before = date(last.year - (last.month == 1), (last.month - 2) % MONTHS_A_YEAR + 1, 1)
    return f"{first:%Y-%m}/{before:%Y-%m}"


def _back(end: date, years: int) -> date:
    return date(end.year - years, end.month, 1)


def _years_between(first: pd.Timestamp, end: date) -> int:
    return 0 if pd.isna(first) else max(end.year - first.year, 0)

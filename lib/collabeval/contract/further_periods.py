"""The periods of a further table: of one length throughout, which need not be that of the outcomes."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from collabeval import periods as period_texts
from collabeval.contract.further_schemas import DAY
from collabeval.contract.header import Breach, Stack
from collabeval.contract.numbers import some_of
from collabeval.params import Params

ANY = "write it like 2025, 2025H1, 2025Q1 or 2025-03, all rows of this table alike"


def read_any_periods(
    stack: Stack, texts: pd.Series, params: Params, found: list[Breach]
) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Labels ("" where empty or unreadable), first days and days after the last, of texts of one table.

    The length is the one most rows are written in; days, as Excel writes them, are read where other rows show it.
    """
    lengths = Counter(length for text in texts if (length := period_texts.length_of(text)) is not None)
    length = lengths.most_common(1)[0][0] if lengths else None
    read: dict[str, period_texts.Period] = {}
    refused: dict[str, tuple[str, str]] = {}
    for text in texts.unique():
        if text and length is None:
            refused[text] = _undecided(text)
        elif text and length is not None:
            _read_one(text, length, params.periods.year_starts, read, refused)
    found += [(index, "period", *refused[text]) for index, text in texts.items() if text in refused]
    otherwise = [f"{text!r} was read as {period.label}" for text, period in read.items() if text != period.label]
    if otherwise:
        stack.log.append(f"{stack.table}, column period: {some_of(otherwise)}")
    labels = pd.Series([read[text].label if text in read else "" for text in texts], index=texts.index, dtype=str)
    starts, ends = (
        pd.Series([getattr(read[text], edge) if text in read else None for text in texts], index=texts.index)
        for edge in ("start", "end")
    )
    return labels, pd.to_datetime(starts).astype(DAY), pd.to_datetime(ends).astype(DAY)


def _read_one(
    text: str,
    length: period_texts.Length,
    year_starts: int,
    read: dict[str, period_texts.Period],
    refused: dict[str, tuple[str, str]],
) -> None:
    other = period_texts.length_of(text)
    try:
        read[text] = period_texts.parse(text, length, year_starts)
    except period_texts.PeriodError as error:
        example = period_texts.EXAMPLES[length]
        if other is not None and other != length:
            refused[text] = f"is not a {_named(length)} like most rows", f"write every period like {example}"
        else:
            refused[text] = error.what, error.fix


def _undecided(text: str) -> tuple[str, str]:
    """What to say of a text where no row shows which length is meant."""
    if period_texts.DAY.fullmatch(text.strip()):
        return "is a day, and may stand for a month, a quarter or a year", f"format the column as Text and {ANY}"
    try:
        period_texts.parse(text, "year")
    except period_texts.PeriodError as error:
        excel = error.fix.startswith("Excel")
        return "is not a period that can be read", f"Excel has made it a date: {ANY}" if excel else ANY
    raise AssertionError(f"{text!r} is a period after all")


def _named(length: period_texts.Length) -> str:
    return "half-year" if length == "half" else length

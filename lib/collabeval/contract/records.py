"""The table of records, checked and collapsed: one row per patient comes in, covariate patterns go on.

Every check is of the distinct values of a column; the rows that have a wrong one are looked up only then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from collabeval import periods as period_texts
from collabeval.casemix.patterns import Coded, Patterns, collapse
from collabeval.contract.columns import TOTALS, advice_on_site
from collabeval.contract.header import EXAMPLE
from collabeval.contract.numbers import MISSING, habit_of, read_days, read_numbers
from collabeval.contract.record_rows import Refusal, Rows, stacked_records
from collabeval.errors import Problem
from collabeval.params import Covariate, Measure, Params
from collabeval.sources import RawTable

BLANK_LEVEL = "(missing)"
LOGICAL = {"true": "1", "false": "0"}


def checked_records(
    tables: Sequence[RawTable], params: Params, sites: Sequence[str] | None, problems: list[Problem], log: list[str]
) -> dict[str, Patterns]:
    """Patterns by measure; adds what is wrong to `problems` and notes to `log`.

    `sites` are the known codes, None where the table of sites could not be read (then codes are not checked).
    """
    rows = stacked_records(tables, params, log)
    site = _sites(rows, sites)
    period, year = _times(rows, params)
    found = {
        name: _measure(rows, name, measure, site, period, year)
        for name, measure in params.measures.items()
        if measure.records is not None
    }
    problems += rows.problems
    return {name: patterns for name, patterns in found.items() if patterns is not None} if not rows.problems else {}


def _sites(rows: Rows, known: Sequence[str] | None) -> Coded:
    column = rows.column("site")
    refused: dict[int, Refusal] = {}
    for code, text in enumerate(map(str, column.values)):
        if text == EXAMPLE:
            refused[code] = ("is the example row of the template", "delete this row")
        elif not text:
            refused[code] = ("is empty", "every row needs the code of its site")
        elif known is not None and text not in known:
            advice = "take rows with totals out" if text.lower() in TOTALS else advice_on_site(text, known)
            refused[code] = ("is not in the table of sites", advice)
    rows.refuse("site", refused)
    return column


def _times(rows: Rows, params: Params) -> tuple[Coded, Coded]:
    """Period and year of each row, out of its period or its date; both blank where there is neither."""
    length, starts = params.periods.length, params.periods.year_starts
    name = "period" if "period" in rows.columns and length != "none" else "date"
    column = rows.column(name)
    if name not in rows.columns:
        return column, column
    refused: dict[int, Refusal] = {}
    days: dict[int, date] = {}
    texts = pd.Series(list(map(str, column.values)))
    if name == "period":
        assert length != "none"
        for code, text in texts.items():
            try:
                days[int(str(code))] = period_texts.parse(text, length, starts).start
            except period_texts.PeriodError as error:
                refused[int(str(code))] = (error.what if text else "is empty", error.fix)
    else:
        reading = read_days(texts.map(lambda text: text[:10] if len(text) > 10 and text[10] in "T " else text))
        refused = {int(str(code)): (what, fix) for code, what, fix in reading.refused}
        for code, day in enumerate(reading.values):
            if day is not None and code not in refused:
                days[code] = day
            elif code not in refused:
                refused[code] = ("is empty", "every row needs its date")
        rows.log += [f"records, column date: {note}" for note in reading.notes]
    rows.refuse(name, refused)
    by_year = {code: period_texts.starting(day, "year", starts).label for code, day in days.items()}
    by_period = dict.fromkeys(days, "")
    if length != "none":
        by_period = {code: period_texts.starting(day, length, starts).label for code, day in days.items()}
    return _mapped(column, by_period), _mapped(column, by_year)


def _mapped(column: Coded, values: dict[int, Any]) -> Coded:
    """A column read: each distinct text by its value (those refused stand as the first, and go no further)."""
    distinct = {value: at for at, value in enumerate(sorted(set(values.values())))} or {"": 0}
    new = np.array([distinct.get(values.get(code), 0) for code in range(len(column.values))], dtype=np.int32)
    return Coded(new[column.codes], list(distinct))


def _measure(rows: Rows, name: str, measure: Measure, site: Coded, period: Coded, year: Coded) -> Patterns | None:
    """The patterns of one measure; records whose outcome is blank are left out, and counted in the log."""
    block = measure.records
    assert block is not None
    outcome = _all_or_none([_numbers(rows, column, _outcome_rule(measure), blank=True) for column in block.outcomes])
    exposure = _numbers(rows, block.exposure, _above_zero, blank=False) if block.exposure else None
    covariates = {column: _covariate(rows, column, how) for column, how in block.covariates.items()}
    if rows.problems:
        return None
    kept = ~np.isnan(outcome)
    if not kept.all():
        rows.log.append(
            f"records: {int((~kept).sum()):,} records without {' or '.join(block.outcomes)}, left out of {name}"
        )
    take: Callable[[Coded], Coded] = lambda column: column if kept.all() else Coded(column.codes[kept], column.values)  # noqa: E731
    return collapse(
        take(site), take(period), take(year), {key: take(column) for key, column in covariates.items()},
        outcome[kept], None if exposure is None else exposure[kept],
    )  # fmt: skip


def _all_or_none(columns: Sequence[np.ndarray]) -> np.ndarray:
    """The outcome itself; of several columns the least that is given, so 1 where all that apply are (none: blank).

    Nolan & Berwick (2006), JAMA 295: 1168: all-or-none measurement.
    """
    return np.fmin.reduce(list(columns))


def _outcome_rule(measure: Measure) -> Callable[[float], Refusal | None]:
    def rule(value: float) -> Refusal | None:
        if measure.family == "binomial" and value not in (0.0, 1.0):
            return "is neither 0 nor 1", "write 1 for a patient with the event, 0 for one without"
        if measure.family == "poisson" and (value < 0 or value % 1):
            return "is not a count", "write a whole number from 0"
        return None

    return rule


def _above_zero(value: float) -> Refusal | None:
    return None if value > 0 else ("must be above 0", "give the exposure of this record")


def _numbers(rows: Rows, name: str, rule: Callable[[float], Refusal | None], blank: bool) -> npt.NDArray[np.float64]:
    """A column of numbers by record; NaN where it is blank, which is refused unless `blank`."""
    column = rows.column(name)
    return _read(rows, name, rule, blank)[column.codes]


def _read(rows: Rows, name: str, rule: Callable[[float], Refusal | None], blank: bool) -> npt.NDArray[np.float64]:
    """The distinct values of a column of numbers."""
    texts = pd.Series([LOGICAL.get(str(text).lower(), str(text)) for text in rows.column(name).values])
    reading = read_numbers(texts, pd.Series(False, index=texts.index), habit_of(texts))
    refused: dict[int, Refusal] = {int(str(code)): (what, fix) for code, what, fix in reading.refused}
    for code, value in enumerate(reading.values):
        if code in refused:
            continue
        if value != value:
            if not blank:
                refused[code] = ("has no value", "give it, or take the row out")
        elif told := rule(value):
            refused[code] = told
    rows.refuse(name, refused)
    rows.log += [f"records, column {name}: {note}" for note in reading.notes]
    return np.array(reading.values, dtype=float)


def _covariate(rows: Rows, name: str, how: Covariate) -> Coded:
    """A covariate: levels as text, or numbers (rounded where params say so)."""
    column = rows.column(name)
    if how.kind != "category":
        values = _read(rows, name, lambda value: None, blank=False)
        rounded = values if how.bin is None else np.round(values / how.bin) * how.bin
        return _mapped(column, {code: value for code, value in enumerate(rounded) if value == value})
    texts = [str(text) for text in column.values]
    missing = {code for code, text in enumerate(texts) if not text or text.lower() in MISSING}
    if how.missing == "refuse":
        fix = f"give it, or set `missing: level` under case_mix.{name}, which makes the blank a level of its own"
        rows.refuse(name, {code: ("has no value", fix) for code in missing})
    elif missing:
        rows.log.append(f"records, column {name}: blank cells count as a level {BLANK_LEVEL}")
    return _mapped(column, {code: BLANK_LEVEL if code in missing else text for code, text in enumerate(texts)})

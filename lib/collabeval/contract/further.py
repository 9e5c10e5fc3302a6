"""The further tables, checked: each column is read by its kind, and the schema says what else must hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

import pandas as pd

from collabeval import periods as period_texts
from collabeval.contract.columns import advice_on_site, duplicates
from collabeval.contract.further_schemas import DAY, FURTHER, FURTHER_KEYS
from collabeval.contract.header import EXAMPLE, Breach, Stack, breaches
from collabeval.contract.numbers import habit_of, read_days, read_numbers, some_of
from collabeval.contract.outcomes import checked_rows
from collabeval.errors import Problem
from collabeval.params import FurtherName, Params
from collabeval.params.indicators import FIVE

LENGTHS: tuple[period_texts.Length, ...] = ("month", "quarter", "half", "year")


def checked_further(
    table: FurtherName, stack: Stack, params: Params, sites: Sequence[str] | None, problems: list[Problem]
) -> pd.DataFrame:
    """One further table with its types; adds what is wrong to `problems` and notes to the log of the stack.

    Columns that the table does not have are there but empty; a table with periods has the days on which each `starts`
    and `ends` (the day after its last), so that yearly costs can be laid beside quarterly outcomes.
    """
    if table == "comparators":
        return _comparators(stack, params, problems)
    found: list[Breach] = []
    rows = pd.DataFrame(index=stack.rows.index)
    for name, column in FURTHER[table].columns.items():
        kind = str(column.dtype)
        if kind == "float64":
            rows[name] = _numbers(stack, name, found)
        elif kind == DAY:
            rows[name] = _days(stack, name, found)
        else:
            rows[name] = stack.rows.get(name, "")
    examples = rows.index[rows[FURTHER_KEYS[table][0]].eq(EXAMPLE)]
    found = [breach for breach in found if breach[0] not in set(examples)]
    found += [
        (index, FURTHER_KEYS[table][0], "is the example row of the template", "delete this row") for index in examples
    ]
    rows = rows.drop(index=examples)
    _codes(table, rows, params, sites, found)
    if "period" in rows:
        rows["period"], rows["starts"], rows["ends"] = _periods(stack, rows["period"], params, found)
    unread = {(index, column) for index, column, *_ in found}
    said = breaches(FURTHER[table], rows, {index for index, _ in unread})
    found += [breach for breach in said if (breach[0], breach[1]) not in unread]
    found += duplicates(stack, rows.drop(index=list({index for index, _ in unread})), FURTHER_KEYS[table])
    problems += stack.problems(found)
    extra = stack.rows.loc[rows.index].drop(columns=list(rows.columns), errors="ignore")
    return rows.join(extra).reset_index(drop=True)


def _comparators(stack: Stack, params: Params, problems: list[Problem]) -> pd.DataFrame:
    """Rows like those of the outcomes, of units that are no sites."""
    stack.rows = stack.rows.rename(columns={"unit": "site"})
    wrong: list[Problem] = []
    rows = checked_rows(stack, params, None, list(params.measures), wrong)
    problems += [
        replace(one, column="unit", what=one.what.replace("site", "unit"), fix=one.fix.replace("site", "unit"))
        if one.column == "site" else one
        for one in wrong
    ]  # fmt: skip
    return rows.rename(columns={"site": "unit"})


def _numbers(stack: Stack, name: str, found: list[Breach]) -> pd.Series:
    """A column of numbers, read file by file, since each file has its own habit of writing them."""
    if name not in stack.rows:
        return pd.Series(float("nan"), index=stack.rows.index)
    files = pd.Series([stack.places[index][0] for index in stack.rows.index], index=stack.rows.index)
    parts = []
    for file, texts in stack.rows[name].groupby(files, sort=False):
        reading = read_numbers(texts, pd.Series(False, index=texts.index), habit_of(texts))
        parts.append(pd.Series(reading.values, index=texts.index, dtype="float64"))
        found += [(index, name, what, fix) for index, what, fix in reading.refused]
        stack.log += [f"{file}, column {name}: {note}" for note in reading.notes]
    return pd.concat(parts)


def _days(stack: Stack, name: str, found: list[Breach]) -> pd.Series:
    texts = stack.rows.get(name, pd.Series("", index=stack.rows.index))
    reading = read_days(texts)
    found += [(index, name, what, fix) for index, what, fix in reading.refused]
    stack.log += [f"{stack.table}, column {name}: {note}" for note in reading.notes]
    return pd.Series(pd.to_datetime(reading.values), index=texts.index).astype(DAY)


def _periods(
    stack: Stack, texts: pd.Series, params: Params, found: list[Breach]
) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Labels, first days and days after the last; all periods of the table are of one length."""
    read: dict[str, period_texts.Period] = {}
    counts = {length: sum(_is(text, length, params) for text in texts) for length in LENGTHS}
    length = max(LENGTHS, key=lambda one: counts[one])
    starts = params.periods.year_starts
    for index, text in texts.items():
        if text == "":  # the schema says so
            continue
        if text not in read and _is(text, length, params):
            read[text] = period_texts.parse(text, length, starts)
        elif text not in read:
            fix = f"write every period of this table alike, as {period_texts.EXAMPLES[length]}"
            found.append((index, "period", f"is not a period like the others, {period_texts.EXAMPLES[length]}", fix))
    otherwise = [f"{text!r} was read as {period.label}" for text, period in read.items() if text != period.label]
    if otherwise:
        stack.log.append(f"{stack.table}, column period: {some_of(otherwise)}")
    labels = texts.map({text: period.label for text, period in read.items()}).fillna("")
    starting = pd.to_datetime(texts.map({text: period.start for text, period in read.items()})).astype(DAY)
    ending = pd.to_datetime(texts.map({text: period.end for text, period in read.items()})).astype(DAY)
    return labels, starting, ending


def _is(text: str, length: period_texts.Length, params: Params) -> bool:
    try:
        period_texts.parse(text, length, params.periods.year_starts)
    except period_texts.PeriodError:
        return False
    return True


def _codes(
    table: FurtherName, rows: pd.DataFrame, params: Params, sites: Sequence[str] | None, found: list[Breach]
) -> None:
    """Codes that must be known: of sites, measures, indicators, questions and features."""
    if "site" in rows and sites is not None:
        strangers = rows.index[rows["site"].ne("") & ~rows["site"].isin(sites)]
        found += [
            (index, "site", "is not in the table of sites", advice_on_site(rows["site"][index], sites))
            for index in strangers
        ]
    indicators = indicator_codes(params)
    known: dict[str, tuple[str, list[str], str]] = {
        "indicators": ("indicator", indicators, "`indicators` of the params file"),
        "ratings": ("feature", list(FIVE), "the five features"),
        "waivers": ("measure", [*params.measures, *indicators], "the measures and indicators of the params file"),
    }
    if params.survey is not None:
        known["survey"] = ("item", list(params.survey.items), "`survey.items` of the params file")
    if table not in known:
        return
    column, codes, where = known[table]
    for index, code in rows[column].items():
        if code and code not in codes:
            near = get_close_matches(code, codes, n=1)
            fix = f"did you mean {near[0]!r}?" if near else f"take the row out, or name it there ({some_of(codes)})"
            found.append((index, column, f"is not one of {where}", fix))


def indicator_codes(params: Params) -> list[str]:
    """The codes of the indicators that params name or define."""
    return [indicator.id for indicator in params.indicators]

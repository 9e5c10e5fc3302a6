"""The further tables, checked: each column is read by its kind, and the schema says what else must hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

import pandas as pd

from collabeval.contract.columns import advice_on_site, duplicates
from collabeval.contract.further_periods import read_any_periods
from collabeval.contract.further_schemas import COUNTS, DAY, FURTHER, FURTHER_KEYS, INDICATOR_NUMBERS
from collabeval.contract.header import EXAMPLE, Breach, Stack, breaches
from collabeval.contract.numbers import habit_of, read_days, read_numbers, some_of
from collabeval.contract.outcomes import checked_rows
from collabeval.contract.schemas import FAMILY
from collabeval.errors import Problem
from collabeval.params import FurtherName, Params
from collabeval.params.catalogue import catalogue
from collabeval.params.indicators import FIVE
from collabeval.periods import length_of, starting


def checked_further(
    table: FurtherName, stack: Stack, params: Params, sites: Sequence[str] | None, problems: list[Problem]
) -> pd.DataFrame:
    """One further table with its types; adds what is wrong to `problems` and notes to the log of the stack.

    Columns that the table does not have are there but empty; a table with periods has the days on which each `starts`
    and `ends` (the day after its last), so that yearly costs can be laid beside quarterly outcomes. `sites` are the
    known codes, None where the table of sites could not be read.
    """
    if table == "comparators":
        return _comparators(stack, params, problems)
    if table == "indicators" and not params.indicators:
        problems.append(_none_named(stack))
        return pd.DataFrame()
    found: list[Breach] = []
    families = _families(table, stack, params)
    rows = _typed(table, stack, families, found)
    marks = _marks(table, rows)
    examples = rows.index[marks.ne("")]
    if "period" in rows:
        rows["period"], rows["starts"], rows["ends"] = read_any_periods(stack, rows["period"], params, found)
    _prices(table, rows, params, found)
    _codes(table, rows, params, sites, found)
    found = [breach for breach in found if breach[0] not in set(examples)]
    found += [(index, marks.loc[index], "is the example row of the template", "delete this row")
              for index in examples]  # fmt: skip
    rows = rows.drop(index=examples)
    if table == "indicators":
        rows = _submitted(stack, rows, found)
    found += _breaches(
        table, stack, rows.assign(**{FAMILY: families.loc[rows.index]}) if table == "indicators" else rows, found
    )
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


def _none_named(stack: Stack) -> Problem:
    """There are indicators, but params name none: which they could name."""
    file = next(iter(stack.places.values()), (stack.table, 1))[0]
    codes = sorted(set(stack.rows["indicator"]) - {"", EXAMPLE})
    known = [code for code in codes if code in catalogue()]
    fix = f"add to it: indicators: [{', '.join(known)}]" if known else "name or define them there: docs/indicators.md"
    return Problem(file, "there are indicators here, but the params file names none", fix, column="indicator")


def _families(table: FurtherName, stack: Stack, params: Params) -> pd.Series:
    """The family of the indicator of each row; "" where it is not known, and for other tables."""
    families: dict[str, str] = {indicator.id: indicator.family for indicator in params.indicators}
    codes = stack.rows["indicator"] if table == "indicators" else pd.Series("", index=stack.rows.index)
    return pd.Series([families.get(code, "") for code in codes], index=stack.rows.index, dtype=str)


def _typed(table: FurtherName, stack: Stack, families: pd.Series, found: list[Breach]) -> pd.DataFrame:
    """Every column of the schema by its kind; an empty one where the table has none."""
    kinds = {name: str(column.dtype) for name, column in FURTHER[table].columns.items()}
    rows = pd.DataFrame(index=stack.rows.index)
    numbers = _numbers(table, stack, [name for name, kind in kinds.items() if kind == "float64"], families, found)
    for name, kind in kinds.items():
        if kind == "float64":
            rows[name] = numbers[name]
        elif kind == DAY:
            rows[name] = _days(stack, name, found)
        else:
            rows[name] = stack.rows.get(name, "")
    return rows


def _numbers(
    table: FurtherName, stack: Stack, names: Sequence[str], families: pd.Series, found: list[Breach]
) -> pd.DataFrame:
    """The columns of numbers, read file by file, since each file has its own habit of writing them."""
    files = pd.Series([stack.places[index][0] for index in stack.rows.index], index=stack.rows.index)
    there = [name for name in names if name in stack.rows]
    parts = [pd.DataFrame(columns=list(names), dtype="float64")]
    for file, rows in stack.rows.groupby(files, sort=False):
        habit = habit_of(text for name in there for text in rows[name].to_list())
        read = pd.DataFrame(float("nan"), index=rows.index, columns=list(names))
        for name in there:
            counts = families.loc[rows.index].isin(COUNTS[table].get(name, ()))
            reading = read_numbers(rows[name], counts, habit)
            read[name] = reading.values
            found += [(index, name, what, fix) for index, what, fix in reading.refused]
            stack.log += [f"{file}, column {name}: {note}" for note in reading.notes]
        parts.append(read)
    return pd.concat([part for part in parts if len(part)] or parts)


def _days(stack: Stack, name: str, found: list[Breach]) -> pd.Series:
    """Days; a period is none, since the first day may be meant or the last."""
    texts = stack.rows.get(name, pd.Series("", index=stack.rows.index))
    spans = texts.map(lambda text: length_of(text) is not None).astype(bool)
    found += [
        (index, name, "is a period and not a day", "write the day, like 2025-04-01") for index in texts.index[spans]
    ]
    reading = read_days(texts.mask(spans, ""))
    found += [(index, name, what, fix) for index, what, fix in reading.refused]
    stack.log += [f"{stack.table}, column {name}: {note}" for note in reading.notes]
    return pd.Series(pd.to_datetime(reading.values), index=texts.index).astype(DAY)


def _prices(table: FurtherName, rows: pd.DataFrame, params: Params, found: list[Breach]) -> None:
    """The first money of each year that the price index lacks, which nothing could bring to the price year."""
    column = {"costs": "amount", "burden": "cost"}.get(table)
    if column is None or params.value is None or params.value.price_index is None:
        return
    told = set(params.value.price_index)
    for index, day in rows.loc[rows[column].notna(), "starts"].dropna().items():
        year = str(starting(day.date(), "year", params.periods.year_starts).start.year)
        if year not in told:
            found.append((index, "period", f"is of {year}, which `value.price_index` lacks", "add that year there"))
            told.add(year)


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
            found.append((index, column, f"is not one of {where}", _meant(code, codes, table == "indicators")))


def _meant(code: str, codes: Sequence[str], of_catalogue: bool) -> str:
    near = get_close_matches(code, codes, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    if of_catalogue and code in catalogue():
        return "it is in the catalogue: name it there, or take the row out"
    return f"take the row out, or name it there ({some_of(list(codes))})"


def _marks(table: FurtherName, rows: pd.DataFrame) -> pd.Series:
    """By row the column in which the example of a template says that it is one; "" where it is none."""
    marks = pd.Series("", index=rows.index)
    for name in reversed(FURTHER_KEYS[table]):
        marks = marks.mask(rows[name].astype(str) == EXAMPLE, name)
    return marks


def _submitted(stack: Stack, rows: pd.DataFrame, found: Sequence[Breach]) -> pd.DataFrame:
    """Without the rows that have no number at all: those were not submitted."""
    touched = {index for index, column, *_ in found if column in INDICATOR_NUMBERS}
    blank = rows[list(INDICATOR_NUMBERS)].isna().all(axis=1) & ~rows.index.isin(touched)
    if blank.any():
        stack.log.append(f"{stack.table}: rows without any value, counted as not submitted: {blank.sum()}")
    return rows[~blank].copy()


def _breaches(table: FurtherName, stack: Stack, rows: pd.DataFrame, unread: Sequence[Breach]) -> list[Breach]:
    """What the schema says, and keys that are there twice, but for cells that could not be read."""
    cells, broken = {(index, column) for index, column, *_ in unread}, {index for index, *_ in unread}
    found = [breach for breach in breaches(FURTHER[table], rows, broken) if (breach[0], breach[1]) not in cells]
    keyless = {index for index, column in cells if column in FURTHER_KEYS[table]}
    return found + duplicates(stack, rows.drop(index=list(keyless), errors="ignore"), FURTHER_KEYS[table])


def indicator_codes(params: Params) -> list[str]:
    """The codes of the indicators that params name or define."""
    return [indicator.id for indicator in params.indicators]

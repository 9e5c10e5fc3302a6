"""The table of outcomes, checked."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from difflib import get_close_matches

import pandas as pd

from collabeval import periods as period_texts
from collabeval.contract.columns import TOTALS, duplicates, read_periods, read_sites
from collabeval.contract.header import EXAMPLE, Breach, Stack, breaches
from collabeval.contract.numbers import habit_of, read_numbers
from collabeval.contract.schemas import FAMILY, NUMBERS, OUTCOMES, USED_BY, WHOLE
from collabeval.errors import Problem
from collabeval.params import Params

KEY = ["site", "period", "measure"]


def checked_outcomes(
    stack: Stack, params: Params, sites: Sequence[str] | None, problems: list[Problem]
) -> pd.DataFrame:
    """Outcomes with their types; adds what is wrong to `problems` and notes to the log of the stack.

    `sites` are the known codes, None where the table of sites could not be read (then codes are not checked).
    """
    rows = checked_rows(stack, params, sites, measures_of(params), problems)
    if not problems:
        file = next(iter(stack.places.values()), ("outcomes", 1))[0]
        problems += too_little(rows, params, measures_of(params), file)
    return rows


def checked_rows(
    stack: Stack, params: Params, sites: Sequence[str] | None, known: Sequence[str], problems: list[Problem]
) -> pd.DataFrame:
    """The rows of a table of outcomes, each by itself; `known` are the measures that it may hold."""
    found: list[Breach] = []
    rows = pd.DataFrame(index=stack.rows.index)
    rows["site"] = read_sites(stack, sites, found)
    no_site = rows.index[[_is_no_site(code, sites) for code in rows["site"]]]
    rows["period"] = read_periods(stack, params, found)
    rows["measure"] = _measures(stack, params, known, found)
    families = rows["measure"].map({code: measure.family for code, measure in params.measures.items()}).fillna("")
    rows[list(NUMBERS)] = _numbers(stack, families, found)
    found = [breach for breach in found if breach[1] == "site" or breach[0] not in set(no_site)]
    rows = _submitted(stack, rows, {index for index, column, *_ in found if column in NUMBERS})
    for column in NUMBERS:  # a column the measure does not use is ignored
        rows[column] = rows[column].where(families.loc[rows.index].isin(USED_BY[column]))
    found += _breaches(stack, rows.drop(index=no_site, errors="ignore"), families, found)
    problems += stack.problems(found)
    extra = stack.rows.loc[rows.index].drop(columns=[*KEY, *NUMBERS], errors="ignore")
    return rows.join(extra).reset_index(drop=True)


def _breaches(stack: Stack, rows: pd.DataFrame, families: pd.Series, unread: Sequence[Breach]) -> list[Breach]:
    """What the schema says of the rows whose measure is known, but for cells that could not be read."""
    cells = {(index, column) for index, column, *_ in unread}
    known = rows.assign(**{FAMILY: families.loc[rows.index]}).query(f"`{FAMILY}` != ''")
    misread = {index for index, column in cells if column in NUMBERS}
    found = [breach for breach in breaches(OUTCOMES, known, misread) if (breach[0], breach[1]) not in cells]
    keyless = {index for index, column in cells if column in KEY}
    return found + duplicates(stack, known.drop(index=list(keyless), errors="ignore"), KEY)


def measures_of(params: Params) -> list[str]:
    """The measures whose numbers come from the table of outcomes."""
    return [code for code, measure in params.measures.items() if measure.records is None]


def _is_no_site(code: str, known: Sequence[str] | None) -> bool:
    """Whether a row stands for no site at all: the template's example, or a total (which a comparator may be)."""
    return code == EXAMPLE or (known is not None and code.lower() in TOTALS and code not in known)


def _measures(stack: Stack, params: Params, known: Sequence[str], found: list[Breach]) -> pd.Series:
    codes = stack.rows["measure"]
    for index, code in codes.items():
        if code in params.measures and code not in known:
            fix = "take the row out, or take the block `records` out of the measure"
            found.append((index, "measure", "is counted from the table of records", fix))
        elif code not in known:
            near = get_close_matches(code, known, n=1)
            listed = f"measures in the params file: {', '.join(known)}"
            fix = f"did you mean {near[0]!r}? ({listed})" if near else listed
            found.append((index, "measure", "is not a measure of the params file" if code else "is empty", fix))
    return codes


def _numbers(stack: Stack, families: pd.Series, found: list[Breach]) -> pd.DataFrame:
    """The columns of numbers as float64, read file by file, since each file has its own habit of writing them."""
    used = [name for name in NUMBERS if name in stack.rows and families.isin(USED_BY[name]).any()]
    files = pd.Series([stack.places[index][0] for index in stack.rows.index], index=stack.rows.index)
    parts = []
    for file, rows in stack.rows.groupby(files, sort=False):
        habit = habit_of(text for column in used for text in rows[column].to_list())
        read = pd.DataFrame(float("nan"), index=rows.index, columns=list(NUMBERS))
        for column in used:
            family = families.loc[rows.index]
            reading = read_numbers(rows[column], family.isin(WHOLE.get(column, ())) | (family == ""), habit)
            read[column] = reading.values
            found += [(index, column, what, fix) for index, what, fix in reading.refused]
            stack.log += [f"{file}, column {column}: {note}" for note in reading.notes]
        parts.append(read)
    return pd.concat(parts) if parts else pd.DataFrame(columns=list(NUMBERS), dtype="float64")


def _submitted(stack: Stack, rows: pd.DataFrame, touched: set[Hashable]) -> pd.DataFrame:
    """Without the rows that have no value at all: those were not submitted."""
    blank = rows[list(NUMBERS)].isna().all(axis=1) & ~rows.index.isin(touched)
    if blank.any():
        stack.log.append(f"{stack.table}: rows without any value, counted as not submitted: {blank.sum()}")
    return rows[~blank].copy()


def too_little(rows: pd.DataFrame, params: Params, measures: Sequence[str], file: str) -> list[Problem]:
    """Which of some measures have no rows, no rows now, or those of a single site."""
    problems = []
    for code in measures:
        mine = rows[rows["measure"] == code]
        if mine.empty:
            fix = "add its rows, or take the measure out of the params file"
            problems.append(Problem(file, f"there are no rows of the measure {code}", fix))
        elif mine["site"].nunique() < 2:
            problems.append(Problem(file, f"only one site has rows of the measure {code}", "a comparison needs two"))
        elif params.periods.current is not None and params.periods.length != "none":
            problems += _not_now(mine, params, code, file)
    return problems


def _not_now(mine: pd.DataFrame, params: Params, code: str, file: str) -> list[Problem]:
    assert params.periods.current is not None
    assert params.periods.length != "none"
    length, starts = params.periods.length, params.periods.year_starts
    first, last = (period_texts.parse(text, length, starts) for text in params.periods.current)
    current = {period.label for period in period_texts.span(first, last)}
    if set(mine["period"]) & current:
        return []
    what = f"the measure {code} has no rows in the current window {first.label} to {last.label}"
    latest = max(period_texts.parse(label, length, starts) for label in mine["period"].unique()).label
    return [Problem(file, what, f"change periods.current (the latest period with rows is {latest}), or add the rows")]

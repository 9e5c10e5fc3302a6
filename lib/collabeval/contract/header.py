"""Files of one table laid on one another: their column names recognised, every row still knowing where it came from."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

import pandas as pd
import pandera.errors
import pandera.pandas as pa

from collabeval.contract.further_schemas import FURTHER
from collabeval.contract.schemas import NEEDED, SCHEMAS
from collabeval.errors import ContractError, Problem
from collabeval.params import Params
from collabeval.sources import RawTable

EXAMPLE = "EXAMPLE"  # the site code of the row that templates carry


OTHER_NAMES = {
    "site": ("hospital", "practice", "centre", "center", "clinic", "facility", "unit", "site_id", "id"),
    "period": ("year", "quarter", "month", "half", "date", "time"),
    "measure": ("indicator", "metric", "outcome", "measure_id"),
    "numerator": ("num", "events", "event", "count", "deaths"),
    "denominator": ("den", "denom", "cases", "total", "patients", "operations", "exposure"),
}
Breach = tuple[Hashable, str, str, str]  # number of the row in its stack, column, what is wrong, how to mend it


@dataclass
class Stack:
    """All rows of one table as text, the file and row of each, and the log of what was read otherwise than written."""

    rows: pd.DataFrame
    places: dict[Hashable, tuple[str, int]]
    table: str
    log: list[str] = field(default_factory=list)

    def problems(self, found: Sequence[Breach]) -> list[Problem]:
        """Breaches in the order of their rows, each told with its file and row and the text that stands there."""
        return [self._problem(*breach) for breach in sorted(found, key=lambda breach: self.places[breach[0]])]

    def _problem(self, index: Hashable, column: str, what: str, fix: str) -> Problem:
        file, row = self.places[index]
        return Problem(
            file, what, fix, row, column, str(self.rows[column].get(index, "")) if column in self.rows else ""
        )


def stacked(tables: Sequence[RawTable], table: str, params: Params) -> Stack:
    """One stack out of the files of a table; ContractError where columns that are needed are missing."""
    needed = needed_columns(table, params)
    frames: list[pd.DataFrame] = []
    places: dict[Hashable, tuple[str, int]] = {}
    log: list[str] = []
    problems: list[Problem] = []
    for raw in tables:
        frame = recognised(raw, table, log)
        problems += [missing_column(raw, frame, column, needed) for column in needed if column not in frame]
        log += raw.log
        numbers = range(len(places), len(places) + len(frame))
        places.update({number: (raw.file, row) for number, row in zip(numbers, frame.index, strict=True)})
        frames.append(frame.set_axis(numbers))
    if problems:
        raise ContractError(problems)
    return Stack(pd.concat(frames).fillna(""), places, table, log)


def needed_columns(table: str, params: Params) -> list[str]:
    """The columns a table must have for these measures and periods."""
    columns = [name for name, column in (SCHEMAS | FURTHER)[table].columns.items() if column.required]
    if table in ("outcomes", "comparators"):
        columns += ["period"] if params.periods.length != "none" else []
        families = {measure.family for measure in params.measures.values() if measure.records is None}
        families = families if table == "outcomes" else set()
        columns += sorted({name for family in families for name in NEEDED[family]})
    return columns


def breaches(schema: pa.DataFrameSchema, rows: pd.DataFrame, already_wrong: Collection[Hashable] = ()) -> list[Breach]:
    """Every breach of a schema: row, column, what is wrong, how to mend it.

    Comparisons are left out for rows that are wrong in themselves or are `already_wrong`.
    """
    try:
        schema.validate(rows, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        if cases["index"].isna().any():  # a breach without a row: the frame itself is not as this module made it
            raise AssertionError(f"unexpected breach of the schema {schema.name}:\n{cases}") from errors
        told = cases["check"].str.split("|", expand=True)  # a breach of a whole row is listed once for each column
        compares = told[3].eq("compares") if 3 in told else pd.Series(False, index=told.index)
        told.insert(0, "row", list(cases["index"]))
        own = list(dict.fromkeys(told.loc[~compares, ["row", 0, 1, 2]].itertuples(index=False, name=None)))
        wrong = {row for row, *_ in own} | set(already_wrong)
        between = dict.fromkeys(told.loc[compares, ["row", 0, 1, 2]].itertuples(index=False, name=None))
        return own + [breach for breach in between if breach[0] not in wrong]
    return []


def plain_name(name: str) -> str:
    """A column's name as the contract writes names: `Peer Group` is peer_group."""
    return "_".join(name.lower().split())


def recognised(raw: RawTable, table: str, log: list[str]) -> pd.DataFrame:
    """The frame with the names of known columns as the contract writes them (`Peer Group` → peer_group)."""
    known = (SCHEMAS | FURTHER)[table].columns
    renamed: dict[str, str] = {}
    for name in raw.frame.columns:
        plain = plain_name(name)
        if plain in known and name != plain and plain not in raw.frame and plain not in renamed.values():
            renamed[name] = plain
            if name.lower() != plain:
                log.append(f"{raw.file}: column {name!r} was read as {plain}")
    return raw.frame.rename(columns=renamed)


def missing_column(raw: RawTable, frame: pd.DataFrame, column: str, needed: Sequence[str]) -> Problem:
    """A missing column: is it there under a near name, or is the header further down?"""
    for row, cells in frame.head(20).iterrows():
        if sum(name in {str(cell).lower() for cell in cells} for name in needed) >= 2:
            fix = f"the column names seem to stand in row {row}: delete the rows above it"
            return Problem(raw.file, "this column is missing", fix, 1, column)
    others = [name for name in frame.columns if name not in needed]
    near = [name for name in others if name.lower() in OTHER_NAMES.get(column, ())] or get_close_matches(
        column, others, n=1
    )
    fix = f"rename {near[0]!r} to {column}?" if near else f"add it (columns found: {', '.join(frame.columns)})"
    return Problem(raw.file, "this column is missing", fix, 1, column)

"""The rows of the table of records: files laid on one another, each column as its distinct texts and a code per row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from collabeval.casemix.patterns import Coded
from collabeval.contract.header import missing_column, plain_name, recognised
from collabeval.contract.schemas import RECORDS
from collabeval.errors import ContractError, Problem
from collabeval.params import Params
from collabeval.sources import Columns, RawTable

Refusal = tuple[str, str]  # what is wrong, how to mend it
MOST_ROWS, MOST_VALUES = 5, 50  # rows told of one wrong value, and wrong values told of one column
LISTED = "mend those listed and check again"


@dataclass
class Rows:
    """All rows of the table: its columns as codes, where each row stands, and what is wrong so far."""

    columns: dict[str, Coded]
    places: list[tuple[str, pd.Index]]
    count: int
    problems: list[Problem]
    log: list[str]

    def column(self, name: str) -> Coded:
        """A column by its name; one that no file has is blank."""
        return self.columns.get(name, Coded(np.zeros(self.count, dtype=np.int32), [""]))

    def refuse(self, name: str, refused: dict[int, Refusal]) -> None:
        """Tell of the rows that have a refused value: the first few rows of each value, and how many more."""
        column = self.column(name)
        counts = np.bincount(column.codes, minlength=len(column.values))
        found = [code for code in refused if counts[code]]
        for code in found[:MOST_VALUES]:
            rows = np.flatnonzero(column.codes == code)
            more = len(rows) - MOST_ROWS
            for at, row in enumerate(rows[:MOST_ROWS]):
                what, fix = refused[code]
                further = f" (and {more:,} more rows like this one)" if more > 0 and at == MOST_ROWS - 1 else ""
                file, number = self.place(int(row))
                self.problems.append(Problem(file, what + further, fix, number, name, str(column.values[code])))
        if len(found) > MOST_VALUES:
            what = f"{len(found) - MOST_VALUES:,} more values of this column are wrong in the same ways"
            self.problems.append(Problem(self.places[0][0], what, LISTED, column=name))

    def place(self, row: int) -> tuple[str, int]:
        """The file of a row, and its number there."""
        for file, numbers in self.places:
            if row < len(numbers):
                return file, int(numbers[row])
            row -= len(numbers)
        raise IndexError(row)


def columns_of(params: Params) -> Columns:
    """The columns of the table of records that these params need, as a reader is to find them."""
    named = _named(params)

    def choose(names: Sequence[str]) -> list[str] | None:
        have = {_known_as(name, names, named): name for name in names}
        chosen = [have[name] for name in dict.fromkeys((*RECORDS.columns, *named)) if name in have]
        return chosen if not _missing(params, list(have)) else None

    return Columns(choose, frozenset({"record"}))


def stacked_records(tables: Sequence[RawTable], params: Params, log: list[str]) -> Rows:
    """Files laid on one another, column by column; ContractError where columns that are needed are missing."""
    named, frames, problems = _named(params), [], []
    for raw in tables:
        log += raw.log
        frame = recognised(raw, "records", log)
        problems += [
            missing_column(raw, frame, column, ["site", *named]) for column in _missing(params, list(frame.columns))
        ]
        frames.append(frame)
    if problems:
        raise ContractError(problems)
    wanted = [name for name in dict.fromkeys((*RECORDS.columns, *named)) if name != "record" or name in named]
    given = [name for name in wanted if any(name in frame for frame in frames)]
    columns = {name: _union([frame.get(name) for frame in frames], frames) for name in given}
    places = [(raw.file, frame.index) for raw, frame in zip(tables, frames, strict=True)]
    rows = Rows(columns, places, sum(map(len, frames)), [], log)
    _check_keys(rows, [frame["record"] for frame in frames if "record" in frame])
    return rows


def _named(params: Params) -> list[str]:
    """The columns that params name: outcomes, exposures and covariates."""
    blocks = [measure.records for measure in params.measures.values() if measure.records is not None]
    names = [name for block in blocks for name in (*block.outcomes, block.exposure, *block.case_mix) if name]
    return list(dict.fromkeys(names))


def _missing(params: Params, have: Sequence[str]) -> list[str]:
    """The columns that are needed and not there; a date or a period will do."""
    missing = [name for name in ["site", *_named(params)] if name not in have]
    timed = params.periods.length == "none" or "date" in have or "period" in have
    return missing if timed else [*missing, "date"]


def _known_as(name: str, names: Sequence[str], named: Sequence[str]) -> str:
    """The name by which the contract knows a column: `Site` is site, unless params name a column like that."""
    plain = plain_name(name)
    return plain if plain in RECORDS.columns and name not in named and plain not in set(names) - {name} else name


def _union(parts: Sequence[pd.Series | None], frames: Sequence[pd.DataFrame]) -> Coded:
    """One column of all files: distinct texts joined; a file without the column has it blank."""
    known: dict[str, int] = {}
    codes = []
    for part, frame in zip(parts, frames, strict=True):
        column = pd.Series("", index=frame.index) if part is None else part.fillna("")
        cells = pd.Categorical(column)
        new = np.array([known.setdefault(str(text), len(known)) for text in cells.categories], dtype=np.int32)
        codes.append(new[cells.codes] if len(new) else np.zeros(0, dtype=np.int32))
    return Coded(np.concatenate(codes), list(known))


def _check_keys(rows: Rows, parts: Sequence[pd.Series]) -> None:
    """No record is there twice. Keys stay text, since nearly all differ, and are looked up only where one repeats."""
    if not parts:
        return
    import pyarrow as pa
    import pyarrow.compute as compute

    texts = [pa.array(part, type=pa.string()) for part in parts]
    keys = pa.chunked_array([chunk for text in texts for chunk in getattr(text, "chunks", [text])])
    blank = compute.sum(compute.equal(keys, "")).as_py() or 0
    if compute.count_distinct(keys).as_py() + max(blank - 1, 0) == len(keys):
        return
    series = pd.Series(keys.to_pylist())
    again = series.duplicated() & series.ne("")
    for row in np.flatnonzero(again)[:MOST_VALUES]:
        first_file, first = rows.place(int(np.argmax(series.eq(series[row]))))
        file, number = rows.place(int(row))
        what = f"the same record as row {first}" + ("" if file == first_file else f" of {first_file}")
        rows.problems.append(Problem(file, what, "keep one of the two rows", number, "record", str(series[row])))
    if again.sum() > MOST_VALUES:
        what = f"{int(again.sum()) - MOST_VALUES:,} more records are there twice"
        rows.problems.append(Problem(rows.places[0][0], what, LISTED, column="record"))

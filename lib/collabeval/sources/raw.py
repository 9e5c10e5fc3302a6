"""A table as it was found: every cell as text, every row with the number it has in its file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from collabeval.errors import ContractError, Problem


@dataclass(frozen=True)
class RawTable:
    """One file's table: `frame` holds text only and its index is the row number in the file (the header is row 1)."""

    file: str
    frame: pd.DataFrame
    log: tuple[str, ...] = ()


def refused(file: str, what: str, fix: str = "", row: int | None = None, column: str = "") -> ContractError:
    """The error for one thing wrong with a file as a whole."""
    return ContractError([Problem(file, what, fix, row, column)])


def from_rows(file: str, rows: Iterable[tuple[int, Sequence[str]]], log: Sequence[str] = ()) -> RawTable:
    """A table out of numbered rows of text: the first row that is not blank is the header, blank rows are skipped."""
    filled = [
        (number, [cell.strip() for cell in cells]) for number, cells in rows if any(cell.strip() for cell in cells)
    ]
    if not filled:
        raise refused(file, "has no rows", "save the table with its column names in the first row")
    (header_row, header), body = filled[0], filled[1:]
    if body and sum(map(bool, header)) == 1 < sum(map(bool, body[0][1])):
        fix = f"delete row {header_row}: the column names stand in the first row, with nothing above them"
        raise refused(file, "this is a title, not the column names", fix, header_row)
    names = list(header)
    unnamed = [at for at, name in enumerate(names) if not name]
    problems = [_too_long(file, number, cells[len(names) :]) for number, cells in body if any(cells[len(names) :])]
    problems += [Problem(file, "two columns have this name", "rename or remove one", header_row, name)
                 for name in sorted({name for name in names if name and names.count(name) > 1})]  # fmt: skip
    if problems:
        raise ContractError(problems)
    lost = [at + 1 for at in unnamed if any(len(cells) > at and cells[at] for _, cells in body)]
    notes = [f"{file}: column {', '.join(map(str, lost))} has no name and was ignored"] if lost else []
    padded = [[*cells, *[""] * (len(names) - len(cells))][: len(names)] for _, cells in body]
    frame = pd.DataFrame(padded, columns=range(len(names)), index=[number for number, _ in body], dtype=str)
    frame = frame.drop(columns=unnamed).rename(columns=dict(enumerate(names)))
    return RawTable(file, frame, (*log, *notes))


def _too_long(file: str, number: int, extra: Sequence[str]) -> Problem:
    beyond = ", ".join(cell for cell in extra if cell)
    fix = "a comma inside a value? Put that value in quotes, or save with semicolons"
    return Problem(file, "the row has more cells than there are column names", fix, number, value=beyond)

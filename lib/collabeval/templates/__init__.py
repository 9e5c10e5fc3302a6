"""Templates of a new collaborative: its params file, its tables as CSV and as one Excel workbook."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from collabeval.contract import EXAMPLE
from collabeval.contract.schemas import SCHEMAS
from collabeval.errors import ParamsError, Problem, UsageError
from collabeval.params import FurtherName
from collabeval.params.types import CODE_PATTERN
from collabeval.params_reference import write_schema
from collabeval.periods import Length, Period, per_year, starting
from collabeval.run_folder import written_whole
from collabeval.templates import further
from collabeval.templates.catalogue import catalogue_guide, write_catalogue_guide
from collabeval.templates.describe import columns_of, columns_table, frictionless, guide, write_guide
from collabeval.templates.params_text import PARAMS
from collabeval.templates.workbook import write_workbook

__all__ = [
    "catalogue_guide", "columns_table", "example_rows", "frictionless", "guide", "write_catalogue_guide", "write_guide",
    "write_templates",
]  # fmt: skip

MEASURES = ("death", "falls", "wait")  # those of the params template that are counted from outcomes


def write_templates(
    collaborative: str,
    params: Path,
    data: Path,
    edition: str = "",
    length: Length = "quarter",
    added: Sequence[FurtherName] = (),
) -> list[Path]:
    """Write everything a new collaborative starts from; nothing that exists is written over.

    `collaborative` is its code, which names the files; `params` and `data` are the folders of the params file and of
    the tables (`params`, `data/<code>`); `added` names further tables. Returns the files written: params, a CSV for
    each table, the workbook, datapackage.json, and schema.json where the folder of params has none.
    """
    if not re.match(CODE_PATTERN, collaborative):
        fix = "use letters, digits, `_`, `-` and `.` only, beginning with a letter or digit"
        raise ParamsError([Problem("new", "is not a code", fix, value=collaborative)])
    year = int(edition) if re.fullmatch(r"\d{4}", edition) else date.today().year - 1
    names = (*SCHEMAS, *added)
    file, tables = params / f"{collaborative}.yml", [data / f"{table}.csv" for table in names]
    workbook, package = data / f"{collaborative}.xlsx", data / "datapackage.json"
    if there := [str(path) for path in (file, *tables, workbook, package) if path.exists()]:
        raise UsageError(f"already there, and not written over: {', '.join(there)} → move them, or take another name")
    examples = example_rows(starting(date(year, 12, 31), length), added)
    _write_text(file, _params_text(file, data, edition or str(year), year, length, added))
    for table, path in zip(names, tables, strict=True):
        _write_csv(path, columns_of(table), examples[table])
    with written_whole(workbook) as part:
        write_workbook(part, {table: (columns_of(table), row) for table, row in examples.items()}, MEASURES)
    _write_text(package, json.dumps(frictionless(collaborative, added), indent=2, ensure_ascii=False) + "\n")
    schema = params / "schema.json"
    return [file, *tables, workbook, package, *([] if schema.exists() else [write_schema(schema)])]


def _params_text(file: Path, data: Path, edition: str, year: int, length: Length, added: Sequence[FurtherName]) -> str:
    """The params template filled in; windows of a year stand in its comments."""
    first, last = starting(date(year - 2, 1, 1), length), starting(date(year, 12, 31), length)
    within = per_year(length) - 1
    return PARAMS.format(
        file=file.as_posix(), collaborative=file.stem, data=data.as_posix(), edition=edition, length=length,
        seed=int(f"{year}1231"), baseline=f'["{first.label}", "{first.shifted(within).label}"]',
        current=f'["{last.shifted(-within).label}", "{last.label}"]',
        tables=further.data_lines(added, data.as_posix()), blocks=further.blocks(added, year),
    )  # fmt: skip


def example_rows(period: Period, added: Sequence[FurtherName] = ()) -> dict[str, list[str | int | float]]:
    """The example row of each table, in the order of its columns; a run refuses it, so it cannot be forgotten."""
    site = {"site": EXAMPLE, "name": "Example Hospital (delete this row)", "joined": f"{period.start:%Y}-04-01"}
    outcome = {"site": EXAMPLE, "period": period.label, "measure": MEASURES[0], "numerator": 4, "denominator": 120}
    record = {"record": "1", "site": EXAMPLE, "date": period.start.isoformat(), "died": 0, "age": 71, "sex": "F"}
    values: dict[str, dict[str, Any]] = {"sites": site, "outcomes": {**outcome, "expected": 5.3}, "records": record}
    values |= {table: further.example(table, period) for table in added}
    return {table: [row.get(name, "") for name in columns_of(table)] for table, row in values.items()}


def _write_text(path: Path, text: str) -> None:
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8")


def _write_csv(path: Path, names: list[str], example: list[str | int | float]) -> None:
    """With a byte order mark: Excel then opens the file as UTF-8."""
    with written_whole(path) as part, part.open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream).writerows([names, example])

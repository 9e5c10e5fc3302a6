"""Made from the schemas: Frictionless descriptors, and the tables of the data guide."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandera.pandas as pa

from collabeval.contract.further_schemas import FURTHER, FURTHER_KEYS, INDICATOR_NUMBERS
from collabeval.contract.schemas import SCHEMAS
from collabeval.params import FurtherName
from collabeval.run_folder import written_whole

TABLES = SCHEMAS | FURTHER
KEYS = {"sites": ["site"], "outcomes": ["site", "period", "measure"], "records": ["record"],
        # a primary key of Frictionless is never empty; of these a part may be
        **{table: key for table, key in FURTHER_KEYS.items() if table not in {"indicators", "waivers"}}}  # fmt: skip
# outcome and covariates of the measure that the params template counts from records
RECORD_COLUMNS = {"died": "number", "age": "number", "sex": "string"}
TYPES = {"float64": "number", "datetime64[ns]": "date"}
MARK = re.compile(r"(<!-- columns: (?P<table>\w+) -->\n)(?P<body>.*?)(<!-- end -->)", re.DOTALL)


def frictionless(collaborative: str, added: Sequence[FurtherName] = ()) -> dict[str, Any]:
    """The Frictionless data package of the CSV templates: fields, types, constraints and keys of every table."""
    return {
        "name": re.sub(r"[^a-z0-9._-]", "-", collaborative.lower()),
        "resources": [
            {
                "name": table,
                "path": f"{table}.csv",
                "encoding": "utf-8",
                "description": schema.description,
                "schema": {
                    "fields": [_field(name, schema.columns.get(name)) for name in columns_of(table)],
                    "missingValues": ["", "N/A"],
                    **({"primaryKey": KEYS[table]} if table in KEYS else {}),
                },
            }
            for table, schema in TABLES.items()
            if table in SCHEMAS or table in added
        ],
    }


def columns_of(table: str) -> list[str]:
    """The columns of a template: those of the schema; for records a date and the columns that the params name."""
    columns = list(TABLES[table].columns)
    return [*(name for name in columns if name != "period"), *RECORD_COLUMNS] if table == "records" else columns


def columns_table(table: str) -> str:
    """The columns of one table as Markdown, for `docs/data.md`."""
    lines = ["| column | takes | needed | what it holds |", "|---|---|---|---|"]
    for name, column in TABLES[table].columns.items():
        needed = "yes" if column.required else "by measure" if table in ("outcomes", "comparators") else "no"
        if table == "indicators" and name in INDICATOR_NUMBERS:
            needed = "by indicator"
        elif name == "period" and table in ("outcomes", "comparators"):
            needed = "unless `periods.length: none`"
        elif table == "records" and name in ("date", "period"):
            needed = "one of the two, unless `periods.length: none`"
        lines.append(f"| `{name}` | {_type(column, 'text')} | {needed} | {column.description} |")
    return "\n".join(lines) + "\n"


def guide(text: str) -> str:
    """The text of the data guide with its tables of columns made anew."""
    return MARK.sub(lambda mark: mark[1] + columns_table(mark["table"]) + mark[4], text)


def write_guide(path: Path) -> Path:
    """Bring the tables of `docs/data.md` up to date."""
    text = guide(path.read_text(encoding="utf-8"))
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8")
    return path


def _type(column: pa.Column, text: str) -> str:
    return TYPES.get(str(column.dtype), text)


def _field(name: str, column: pa.Column | None) -> dict[str, Any]:
    if column is None:
        return {"name": name, "type": RECORD_COLUMNS[name], "description": "named under `records` in the params file"}
    constraints: dict[str, Any] = {"required": True} if column.required else {}
    for check in column.checks:
        if check.name == "greater_than_or_equal_to":
            constraints["minimum"] = check.statistics["min_value"]
        elif check.name == "greater_than":
            constraints["exclusiveMinimum"] = check.statistics["min_value"]
        elif check.name == "in_range":
            constraints |= {edge: check.statistics[f"{edge[:3]}_value"] for edge in ("minimum", "maximum")}
    field = {"name": name, "type": _type(column, "string"), "description": column.description}
    return {**field, "constraints": constraints} if constraints else field

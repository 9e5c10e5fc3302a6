"""The further tables as templates: their example rows, and what of them stands in the params file."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from collabeval.contract import EXAMPLE
from collabeval.errors import UsageError
from collabeval.params import FURTHER_TABLES, FurtherName
from collabeval.periods import Period

ALL = "all"
NAMED = ("data_on_time", "meetings_held", "champion_attendance")  # indicators of the template, out of the catalogue
WHAT = {
    "comparators": "hospitals or regions outside the collaborative",
    "indicators": "how the collaborative works",
    "survey": "its members' answers",
    "ratings": "its five features, rated",
    "audit": "records abstracted twice",
    "burden": "hours that collecting data takes",
    "costs": "what the programme costs",
    "practices": "which site does what",
    "waivers": "what scoring skips",
}
BLOCKS: dict[str, str] = {
    "indicators": f"""
indicators:                               # names out of docs/indicators.md, or blocks; target and others can be set
  - {NAMED[0]}
  - {NAMED[1]}
  - {{id: {NAMED[2]}, target: 80}} # as in the catalogue, but with another target
  # - id: newsletter                      # one of your own
  #   label: Newsletters sent
  #   feature: coordination
  #   family: binomial
  #   better: higher
  #   target: 90
""",
    "survey": """
survey:
  items:                                  # the codes that the column `item` of the survey uses
    trust: {text: We can speak openly about our results.}
""",
}
MONEY = """
value:
  currency: US$                           # of every amount
  price_year: {year}                        # year whose prices the amounts are in
"""


def chosen(names: str) -> tuple[FurtherName, ...]:
    """The further tables that `--with` names: `indicators,survey`, or `all`."""
    asked = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in asked if name not in (*FURTHER_TABLES, ALL)]
    if unknown:
        near = get_close_matches(unknown[0], [*FURTHER_TABLES, ALL], n=1)
        fix = f"did you mean {near[0]}?" if near else f"one or more of {', '.join(FURTHER_TABLES)}; or {ALL}"
        raise UsageError(f"--with {unknown[0]} is no table → {fix}")
    return tuple(table for table in FURTHER_TABLES if table in asked or ALL in asked)


def example(table: FurtherName, period: Period) -> dict[str, Any]:
    """The values of a table's example row by column; one of its key columns says that it is one."""
    when = {"period": period.label}
    site = {"site": EXAMPLE, **when}
    rows: dict[FurtherName, dict[str, Any]] = {
        "comparators": {
            "unit": EXAMPLE,
            **when,
            "measure": "death",
            "numerator": 9,
            "denominator": 240,
            "expected": 10,
        },
        "indicators": {**site, "indicator": NAMED[0], "numerator": 95, "denominator": 100},
        "survey": {"respondent": EXAMPLE, "item": "trust", **when, "role": "clinical champion", "response": 4},
        "ratings": {"rater": EXAMPLE, "feature": "coordination", **when, "score": 4, "rationale": "why, in a sentence"},
        "audit": {**site, "field": "age", "checked": 40, "agreed": 38},
        "burden": {**site, "hours": 120, "cases": 100},
        "costs": {**when, "item": EXAMPLE, "amount": 500000},
        "practices": {**site, "practice": "morning_huddle", "adopted": 1},
        "waivers": {"site": EXAMPLE, "from": period.start.isoformat(), "measure": "death", "reason": "new system"},
    }
    return rows[table]


def data_lines(tables: Sequence[FurtherName], folder: str) -> str:
    """The lines of `data` in the params file."""
    return "".join(f"  {f'{table}: {folder}/{table}.csv':<38}  # {WHAT[table]}\n" for table in tables)


def blocks(tables: Sequence[FurtherName], year: int) -> str:
    """The blocks that go with the tables."""
    money = MONEY.format(year=year) if {"costs", "burden"} & set(tables) else ""
    return "".join(BLOCKS.get(table, "") for table in tables) + money

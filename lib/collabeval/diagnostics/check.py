"""One check of a fit, as a row of the diagnostics table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pandas as pd

ENGINE = ("engine", "engine_reason")  # attributes of draws that the table has in every row of their model
COLUMNS = ("model", "check", "value", "limit", "level", "passed", "advice", "changes", *ENGINE)


@dataclass(frozen=True)
class Check:
    """Value against limit; `changes` names the words in doubt, by site code."""

    model: str
    check: str
    value: float
    limit: float
    level: Literal["blocking", "advisory"]
    passed: bool
    advice: str
    changes: str = ""


def as_table(checks: Iterable[Check], attributes: Mapping[str, Mapping[Any, object]] | None = None) -> pd.DataFrame:
    """Rows in the order given; `attributes` of draws, by model, say which engine made them and why ("" without)."""
    table = pd.DataFrame([asdict(check) for check in checks], columns=list(COLUMNS))
    for column in ENGINE:
        said = {model: str(found.get(column, "")) for model, found in (attributes or {}).items()}
        table[column] = [said.get(model, "") for model in table["model"]]
    return table.astype({"value": float, "limit": float, "passed": bool})

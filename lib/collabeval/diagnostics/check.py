"""One check of a fit, as a row of the diagnostics table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

import pandas as pd

COLUMNS = ("model", "check", "value", "limit", "level", "passed", "advice", "changes")


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


def as_table(checks: Iterable[Check]) -> pd.DataFrame:
    """Rows in the order given."""
    table = pd.DataFrame([asdict(check) for check in checks], columns=list(COLUMNS))
    return table.astype({"value": float, "limit": float, "passed": bool})

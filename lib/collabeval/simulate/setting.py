"""What a complete collaborative is made of, and the form in which its truth is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from collabeval import periods
from collabeval.simulate.draw import Behaviour

Array = npt.NDArray[np.float64]
PER_YEAR = 4
PRACTICES = {"huddle": 0.45, "checklist": 0.7, "shared_dashboard": 0.5, "patient_diary": 0.3, "peer_visit": 0.4}
TRUTH = ["table", "measure", "code", "site", "period", "quantity", "value"]


@dataclass(frozen=True)
class Setting:
    """One collaborative to make up; its `quarters` are whole years.

    `levels` are how well it has each of the five features in the first year, in logits (0: middling), and `drifts`
    by how much each rises in a year. `towns` are where its sites lie, `codes` what it calls them, `names` what they
    are called (left out: after town and size). Of each measure, `Behaviour.improvement` is what joining adds, in full
    a year after joining. `practices` are the practices with the share of sites that do each from the first year on.
    """

    measures: Mapping[str, Behaviour]
    levels: Mapping[str, float]
    drifts: Mapping[str, float]
    towns: tuple[str, ...]
    codes: tuple[str, ...]
    seed: int
    quarters: int = 12
    first: str = "2023Q1"
    comparators: int = 10
    practice_gain: float = 0.45  # of the practice that matters, in the good direction, on the link scale
    money_scale: float = 1.0
    names: tuple[str, ...] = ()
    practices: Mapping[str, float] = field(default_factory=lambda: PRACTICES)

    @property
    def labels(self) -> list[str]:
        """Its quarters."""
        return [self.start.shifted(step).label for step in range(self.quarters)]

    @property
    def start(self) -> periods.Period:
        return periods.parse(self.first, "quarter")

    @property
    def years(self) -> list[str]:
        return [str(self.start.start.year + year) for year in range(self.quarters // PER_YEAR)]

    @property
    def halves(self) -> list[str]:
        return [f"{year}H{half}" for year in self.years for half in (1, 2)]

    def level(self, feature: str, period: str) -> float:
        """How well it has a feature in a period, in logits; 0 for what belongs to none of the five."""
        since = int(period[:4]) - self.start.start.year
        return round(self.levels.get(feature, 0.0) + since * self.drifts.get(feature, 0.0), 6)


@dataclass
class Truth:
    """The truth behind the tables, in long form: every value with the table, code, site and period it is of."""

    rows: list[pd.DataFrame] = field(default_factory=list)

    def add(
        self, table: str, quantity: str, value: float | Sequence[float] | Array | pd.Series, **where: object
    ) -> None:
        """Keep values, one or as many as the `where` columns (measure, code, site, period) are long."""
        columns = {name: np.asarray(column) for name, column in where.items()}
        length = max([np.size(value), *(np.size(column) for column in columns.values())])
        rows = {name: np.broadcast_to(columns.get(name, np.asarray("")), length) for name in TRUTH[1:5]}
        values = np.broadcast_to(np.asarray(value, dtype=float), length)
        self.rows.append(pd.DataFrame({"table": table, **rows, "quantity": quantity, "value": values})[TRUTH])

    def table(self) -> pd.DataFrame:
        return pd.concat(self.rows, ignore_index=True).assign(value=lambda rows: rows["value"].round(6))

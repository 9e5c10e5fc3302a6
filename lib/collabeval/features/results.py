"""Results tables of survey, ratings and audit, put together from draws; and how far each lies from its target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import logit

from collabeval.convergence import Mixing
from collabeval.diagnostics.check import Check
from collabeval.estimates.summaries import SUMMARY, Drawn, summarise
from collabeval.features.checks import blocking
from collabeval.features.waves import Wave
from collabeval.models.grouped import Floats, GroupedDraws

EDGE = 1e-6  # shares are kept this far from 0 and 1 before their log-odds are taken
DISTANCES = ("feature", "part", "period", "years_back", "estimate", "target", "scale", "draw", "distance")
KEPT = 1000  # draws of a distance from target that are kept for the profile


@dataclass(frozen=True)
class Rows:
    """Draws (S, L) of an estimand; `keys` say of what (one value, or one for each of the L), `events` what holds."""

    estimand: str
    keys: Mapping[str, object]
    values: Floats
    events: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass
class Results:
    """What one of the three gives: estimates, probabilities, counts, checks, and distances from target.

    `attributes` are those of the draws of each of its models.
    `keys` are the columns that say of what a row of estimates is; they are "" where a row is of all.
    """

    name: str
    keys: tuple[str, ...]
    counts: pd.DataFrame = field(default_factory=pd.DataFrame)
    checks: list[Check] = field(default_factory=list)
    attributes: dict[str, Mapping[str, str | int | float]] = field(default_factory=dict)
    _estimates: list[pd.DataFrame] = field(default_factory=list)
    _probabilities: list[pd.DataFrame] = field(default_factory=list)
    _distances: list[pd.DataFrame] = field(default_factory=list)

    def add(self, model: str, draws: GroupedDraws, rows: Sequence[Rows]) -> None:
        """Summaries of draws, and the checks of the fit they come from."""
        own = [_table(each, self.keys, _summary(each, draws.mixing)) for each in rows]
        self._estimates += own
        self._probabilities += [
            _table(each, self.keys, found) for each in rows for found in _events(each, draws.mixing)
        ]
        self.checks += blocking(model, draws, pd.concat(own, ignore_index=True))
        self.attributes[model] = draws.attributes

    def place(
        self,
        feature: str,
        part: str,
        target: float,
        waves: Sequence[Wave],
        values: Sequence[Floats],
        ends: tuple[float, float] = (0.0, 100.0),
    ) -> None:
        """Distances from target of a feature's part: log-odds of the value (S,), by wave, less those of the target.

        A value's log-odds are those of its share of the way between the `ends` of its scale.
        """
        low, high = ends
        for wave, drawn in zip(waves, values, strict=True):
            thinned = drawn[:: max(1, len(drawn) // KEPT)][:KEPT]
            share = np.clip((thinned - low) / (high - low), EDGE, 1 - EDGE)
            said = {"feature": feature, "part": part, "period": wave.label, "years_back": wave.years_back}
            measured = {"estimate": float(np.median(drawn)), "target": target, "scale": len(self._distances)}
            distance = logit(share) - logit((target - low) / (high - low))
            own = pd.DataFrame({**said, **measured, "draw": np.arange(len(thinned)), "distance": distance})
            self._distances.append(own[list(DISTANCES)])

    def tables(self) -> dict[str, pd.DataFrame]:
        """The results tables by name."""
        columns = [*self.keys, "estimand", *SUMMARY]
        return {
            f"{self.name}_estimates": _whole(self._estimates, columns),
            f"{self.name}_probabilities": _whole(self._probabilities, [*self.keys, "event", "probability", "mcse"]),
            f"{self.name}_counts": self.counts,
        }

    @property
    def distances(self) -> pd.DataFrame:
        """Draws of the distance of each feature's part from its target."""
        return _whole(self._distances, list(DISTANCES))


def _whole(parts: Sequence[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _table(rows: Rows, keys: Sequence[str], found: pd.DataFrame) -> pd.DataFrame:
    table = found.copy()
    for place, name in enumerate(keys):
        table.insert(place, name, np.broadcast_to(np.asarray(rows.keys.get(name, "")), len(found)))
    return table


def _summary(rows: Rows, mixing: Mixing) -> pd.DataFrame:
    size = rows.values.shape[1]
    drawn = Drawn(rows.estimand, "", np.full(size, ""), np.ascontiguousarray(rows.values.T))
    return summarise([drawn], mixing)[["estimand", *SUMMARY]]


def _events(rows: Rows, mixing: Mixing) -> list[pd.DataFrame]:
    found = []
    for event, happens in rows.events.items():
        error = mixing.error(np.ascontiguousarray(happens.T))
        found.append(pd.DataFrame({"event": event, "probability": happens.mean(axis=0), "mcse": error}))
    return found

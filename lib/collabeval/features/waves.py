"""Now and a year before: which rows of a survey, of ratings or of an audit are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from collabeval.features.indicators_years import last_day, with_years
from collabeval.params import Params, Prior


@dataclass(frozen=True)
class Wave:
    """A wave: its label, and how many years before the current window's it lies."""

    label: str
    years_back: int


@dataclass(frozen=True)
class Waves:
    """The rows of two waves at most: `wave` is 0 in the earlier and 1 in the later; `waves` are in that order."""

    rows: pd.DataFrame
    waves: tuple[Wave, ...]

    @property
    def contrast(self) -> np.ndarray:
        """+½ in rows of the later wave, −½ in those of the earlier; 0 where there is only one (N,)."""
        later = self.rows["wave"].to_numpy()
        return later - 0.5 if len(self.waves) > 1 else np.zeros(len(later))

    @property
    def weights(self) -> tuple[float, ...]:
        """The same by wave."""
        return (-0.5, 0.5) if len(self.waves) > 1 else (0.0,)


def two_waves(
    params: Params, panel: pd.DataFrame, rows: pd.DataFrame, people: tuple[str, int] | None = None
) -> Waves | None:
    """The last wave up to the end of the current window and the last of an earlier year; None without any.

    With `people` (a column and the fewest of them) a wave is a period, and one with fewer people is as if it were not
    there: what so few have said is theirs. Without, all periods of a year are one wave.
    """
    if people is not None:
        column, fewest = people
        rows = rows[rows.groupby("period")[column].transform("nunique").ge(fewest)]
    if rows.empty:
        return None
    dated = with_years(rows, last_day(params, panel, rows["ends"]))
    parts, waves = [], []
    for back in sorted(dated["back"].unique())[:2]:
        own = dated[dated["back"].eq(back)]
        last = own.sort_values("ends", kind="stable")["period"].iloc[-1]
        label = _span(own) if people is None else str(last)
        parts.append(own if people is None else own[own["period"].eq(last)])
        waves.append(Wave(label, int(back)))
    numbered = [part.assign(wave=len(parts) - 1 - place) for place, part in enumerate(parts)]
    return Waves(pd.concat(numbered[::-1], ignore_index=True), tuple(waves[::-1])) if parts else None


def _span(rows: pd.DataFrame) -> str:
    """First and last period of the rows, as a window is written."""
    first, last = rows.sort_values("starts", kind="stable")["period"].iloc[[0, -1]]
    return str(first) if first == last else f"{first}/{last}"


def half_normal(sigma: float) -> Prior:
    """Prior of a standard deviation."""
    return Prior(on="sd", dist="HalfNormal", sigma=sigma)

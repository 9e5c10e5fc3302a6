"""Time across: where periods lie, where the line must break, and which periods are named under the axis."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from collabeval.plots.lettering import widest
from collabeval.plots.page import Page
from collabeval.plots.style import LABEL, MARK, TEXT2

PART_OF_YEAR = re.compile(r"^(\d{4})[ -]?(Q[1-4]|H[12]|0[1-9]|1[0-2])$")
STEPS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 20, 24, 50, 100)


@dataclass(frozen=True)
class Timeline:
    """Periods in order, laid out from `start` to `end` (inches)."""

    periods: tuple[str, ...]
    time: tuple[float, ...]
    start: float
    end: float

    def at(self, periods: Sequence[str] | pd.Series) -> np.ndarray:
        """Place of each period, in inches."""
        first, last = self.time[0], self.time[-1]
        place = dict(zip(self.periods, self.time, strict=True))
        share = [(place[str(period)] - first) / (last - first) if last > first else 0.5 for period in periods]
        return self.start + np.asarray(share) * (self.end - self.start)

    @property
    def step(self) -> float:
        """Inches between neighbouring periods."""
        gaps = np.diff(self.time)
        span = self.time[-1] - self.time[0]
        return float(np.median(gaps)) / span * (self.end - self.start) if span > 0 else self.end - self.start


def timeline(rows: pd.DataFrame, start: float, end: float) -> Timeline:
    """Lay out the periods of a table (columns period and, where periods are missing between others, time in years).

    Without `time` periods follow each other by their labels, one apart: a missing one must be there as a row of NaN
    to show as a gap.
    """
    known = rows.assign(period=rows["period"].astype(str)).drop_duplicates("period")
    known = known.sort_values("time" if "time" in known else "period", kind="stable")
    times = known["time"].astype(float) if "time" in known else range(len(known))
    return Timeline(tuple(known["period"]), tuple(times), start, end)


def runs(line: Timeline, periods: Sequence[str] | pd.Series, values: ArrayLike) -> list[np.ndarray]:
    """Positions of the rows that a line may join: a missing value or a missing period breaks it."""
    there = np.flatnonzero(np.isfinite(np.asarray(values, dtype=float)))
    if len(there) == 0:
        return []
    places = line.at(periods)[there]
    breaks = np.flatnonzero((np.diff(there) > 1) | (np.diff(places) > 1.5 * line.step)) + 1
    return np.split(there, breaks)


def draw_periods(page: Page, line: Timeline, left: float, right: float) -> None:
    """Draw the time axis: a rule, a tick and a name for as many periods as find room."""
    page.line([left, right], [0, 0], color=MARK, lw=0.6)
    chosen = named_periods(line)
    for (period, words), x in zip(chosen, line.at([period for period, _ in chosen]), strict=True):
        page.line([x, x], [-0.042, 0], color=MARK, lw=0.6)
        page.write(x, -0.14, words, ha="center", color=TEXT2, gid=period)


def named_periods(line: Timeline) -> list[tuple[str, str]]:
    """Periods that are named, and their names: years if a year has parts and there are three or more, else periods."""
    firsts = [
        (period, match[1]) for period in line.periods if (match := PART_OF_YEAR.match(period)) and _opens_year(match[2])
    ]
    whole = [(period, period) for period in line.periods]
    if any(len(period) > 4 for period in line.periods) and len(firsts) >= 3:
        whole = firsts
    for step in STEPS:
        some = whole[::step]
        room = float(np.diff(line.at([period for period, _ in some])).min()) if len(some) > 1 else np.inf
        if widest([words for _, words in some], LABEL, 400) + 0.06 <= room:
            return some
    return whole[:1]


def year_of(period: str) -> str:
    """ "2021" of "2021Q3" and "2021-07"; a period that is no part of a year stays as it is."""
    match = PART_OF_YEAR.match(period)
    return match[1] if match else period


def _opens_year(part: str) -> bool:
    return part in ("Q1", "H1", "01")

"""Event study: the difference the programme made by time since joining, and how parallel the courses were before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from collabeval.plots.lettering import widest
from collabeval.plots.marks import GOOD, HOLLOW, NEUTRAL, Look, draw_marks
from collabeval.plots.page import MARGIN, WIDTH, Page, open_page
from collabeval.plots.scales import Axis, Scale, column_for_numbers, draw_upwards, name_across, scale_for
from collabeval.plots.style import ACCENT, BAND, INK, LABEL, MARK, SEMIBOLD, TEXT2, FigureText, styled

BODY = 2.75
STEPS = (1, 2, 4, 6, 12, 24, 48)
MOST_TICKS = 14


@dataclass(frozen=True)
class EventLabels:
    """Words inside the figure: the name of the axis, what stands left and right of joining, and the whole effect.

    `overall` is drawn as a line over the event times from joining on, with `overall_label` at its end; None: no line.
    """

    axis: str
    before: str = "before joining"
    after: str = "since joining"
    overall: float | None = None
    overall_label: str = ""
    found: bool = False  # whether the effect is one that the rules name: it takes the accent's colour


@styled
def event_study(rows: pd.DataFrame, text: FigureText, labels: EventLabels) -> Figure:
    """Draw estimates with 50 and 95% intervals by event time; hollow before joining, a ring at the reference.

    Parameters
    ----------
    rows : one row per event time in order: `event_time` (whole periods, negative before joining), `phase` (`before`,
        `reference` or `after`), `q025, q25, q50, q75, q975` on the display scale.
    """
    if rows.empty:
        raise ValueError("an event study needs at least one event time")
    known = [] if labels.overall is None else [labels.overall]
    upwards = scale_for(Axis("", "value", 0.0), [*rows["q50"], *known], rows[["q025", "q975"]], 0.0, BODY)
    left = MARGIN + column_for_numbers(upwards)
    right = WIDTH - MARGIN - widest([labels.overall_label], LABEL) - 0.10
    page = open_page(text, BODY, above=0.30)
    across = _across(rows, left, right)
    _draw_ground(page, across, upwards, labels, left, right)
    draw_upwards(page, upwards, left, right)
    page.line([left, right], [upwards.place(0.0)] * 2, color=INK, lw=0.7, zorder=1)
    _draw_times(page, across, labels, left, right)
    for phase, look in _looks(labels).items():
        _draw_estimates(page, rows[rows["phase"].eq(phase)], across, upwards, look)
    return page.figure


@dataclass(frozen=True)
class Across:
    """Event times laid from left to right, in inches."""

    first: int
    last: int
    start: float
    end: float

    def at(self, times: np.ndarray | pd.Series | float) -> np.ndarray:
        span = max(self.last - self.first, 1)
        return self.start + (np.asarray(times, dtype=float) - self.first) / span * (self.end - self.start)


def _across(rows: pd.DataFrame, left: float, right: float) -> Across:
    first, last = int(rows["event_time"].min()), int(max(rows["event_time"].max(), 0))
    inset = min(0.25, (right - left) / (2 * (last - first + 1)))
    return Across(first, last, left + inset, right - inset)


def _looks(labels: EventLabels) -> dict[str, Look]:
    after = Look("o", ACCENT, GOOD.thin, decided=True) if labels.found else Look("o", INK, TEXT2, decided=True)
    return {"before": NEUTRAL, "reference": HOLLOW, "after": after}


def _draw_ground(page: Page, across: Across, upwards: Scale, labels: EventLabels, left: float, right: float) -> None:
    """What lies before joining is shaded; the whole effect is a line over what lies after."""
    joining = float(across.at(-0.5)) if across.first < 0 else left
    if across.first < 0:
        page.box(left, joining, 0, page.body, color=BAND, zorder=0)
        page.write((left + joining) / 2, page.body + 0.12, labels.before, ha="center", color=TEXT2)
    page.write((joining + right) / 2, page.body + 0.12, labels.after, ha="center", color=TEXT2)
    if labels.overall is not None:
        y, colour = upwards.place(labels.overall), ACCENT if labels.found else INK
        page.line([joining, right], [y, y], color=colour, lw=0.9, dashes=(4, 2.5), zorder=2)
        page.write(right + 0.08, y, labels.overall_label, color=colour, fontweight=SEMIBOLD, linespacing=1.2)


def _draw_times(page: Page, across: Across, labels: EventLabels, left: float, right: float) -> None:
    step = next((each for each in STEPS if (across.last - across.first) / each <= MOST_TICKS), STEPS[-1])
    page.line([left, right], [0, 0], color=MARK, lw=0.6)
    for time in range(-(-across.first // step) * step, across.last + 1, step):
        x = float(across.at(time))
        page.line([x, x], [-0.042, 0], color=MARK, lw=0.6)
        page.write(x, -0.14, f"{time}".replace("-", "−"), ha="center", color=TEXT2)
    name_across(page, (left + right) / 2, labels.axis)


def _draw_estimates(page: Page, rows: pd.DataFrame, across: Across, upwards: Scale, look: Look) -> None:
    x = across.at(rows["event_time"])
    for low, high, width, colour in (("q025", "q975", 1.0, look.thin), ("q25", "q75", 3.0, look.colour)):
        if not look.hollow:
            ends = np.column_stack([upwards.at(rows[low]), upwards.at(rows[high]), np.full(len(rows), np.nan)])
            page.line(np.repeat(x, 3), ends.ravel(), color=colour, lw=width, zorder=3)
    draw_marks(page, x, upwards.inside(rows["q50"]), look, 5.0)

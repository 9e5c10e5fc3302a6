"""Acceptability: the chance that the programme is worth its cost, by what one event avoided may cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from collabeval.plots.lettering import widest
from collabeval.plots.page import BELOW, MARGIN, WIDTH, Page, open_page
from collabeval.plots.scales import Axis, Scale, column_for_numbers, draw_across, draw_upwards, scale_for
from collabeval.plots.style import ACCENT, ACCENT4, INK, LABEL, SEMIBOLD, TEXT2, FigureText, styled

BODY = 2.4
ABOVE = 0.34
TICKS = (0.0, 25.0, 50.0, 75.0, 100.0)


@dataclass(frozen=True)
class Declared:
    """The declared cost of one event on the axis of the curve: its place, its range (or the same twice), its name."""

    cost: float
    low: float
    high: float
    label: str


@styled
def value_curve(
    curve: pd.DataFrame, text: FigureText, axis: str, at_end: str, declared: Declared | None = None
) -> Figure:
    """Draw the curve, with the declared cost of an event as a line and its range as a band.

    Parameters
    ----------
    curve : `willingness` (on the axis' scale) and `chance`, in 100, in order of willingness.
    axis : what runs across. at_end : the chance at the end of the curve, in words of at most three figures.
    """
    page = open_page(text, BODY, ABOVE, BELOW)
    upwards = Scale("value", 0.0, 100.0, 0.0, BODY, TICKS)
    left = MARGIN + column_for_numbers(upwards)
    across = _across(curve, axis, left, widest([at_end], LABEL))
    if declared is not None:
        _draw_declared(page, declared, across)
    draw_upwards(page, upwards, left, across.end)
    page.write(MARGIN, BODY + 0.12, "chances in 100", color=TEXT2)
    draw_across(page, across, Axis(axis, "value", None), grid_top=0)
    page.line([across.start, across.end], [upwards.place(50)] * 2, color=INK, lw=0.7, dashes=(4, 2.5), zorder=1)
    x, y = across.at(curve["willingness"]), upwards.at(curve["chance"])
    page.line(x, y, color=ACCENT, lw=1.8, zorder=3)
    page.write(x[-1] + 0.06, y[-1], at_end, color=ACCENT, fontweight=SEMIBOLD)
    return page.figure


def _across(curve: pd.DataFrame, axis: str, left: float, room: float) -> Scale:
    ends = curve["willingness"].to_numpy(float)
    right = WIDTH - MARGIN - room - 0.12
    found = scale_for(Axis(axis, "value", None, from_zero=True), ends, [], left, right, apart=0.4)
    return Scale("value", 0.0, float(ends.max()), left, right, tuple(t for t in found.ticks if 0 <= t <= ends.max()))


def _draw_declared(page: Page, declared: Declared, across: Scale) -> None:
    if not across.holds(declared.cost):
        return
    low, high = across.at(np.array([declared.low, declared.high]))
    if high - low > 0.02:
        page.box(low, high, 0, BODY, color=ACCENT4, zorder=0)
    place = across.place(declared.cost)
    page.line([place, place], [0, BODY], color=INK, lw=0.9, zorder=2)
    half = widest([declared.label], LABEL, 400) / 2
    page.write(min(max(place, 1.0 + half), WIDTH - MARGIN - half), BODY + 0.12, declared.label, ha="center")

"""Features of collaboratives: a panel for each of the five, a row for each collaborative."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from collabeval.plots.lettering import shorten, widest
from collabeval.plots.marks import draw_intervals
from collabeval.plots.page import ABOVE, MARGIN, WIDTH, Page, open_page
from collabeval.plots.scales import Scale
from collabeval.plots.style import ACCENT, BAND, GRID, INK, LABEL, PANEL, SEMIBOLD, TEXT2, FigureText, styled

PITCH = 0.2
NAMES = 1.75  # inches for the names of collaboratives, at most
APART = 0.16  # inches between panels
BELOW = 0.26
TICKS = (0.0, 50.0, 100.0)


@styled
def portfolio_features(rows: pd.DataFrame, text: FigureText, panels: Sequence[tuple[str, str]]) -> Figure:
    """Draw the score of every collaborative in every feature, with its intervals and its target.

    Parameters
    ----------
    rows : one per collaborative and feature: `label` (in display order), `panel`, `q025, q25, q50, q75, q975` from 0 to
        100 (NaN where there is none), `target`, `word` (slug of `marks.LOOKS`).
    panels : (panel, title) from left to right.
    """
    labels = list(dict.fromkeys(rows["label"]))
    names = min(NAMES, widest(labels, LABEL, 400))
    body = PITCH * len(labels) + 0.06
    page = open_page(text, body, ABOVE, BELOW)
    heights = {label: body - 0.03 - PITCH * (place + 0.5) for place, label in enumerate(labels)}
    for number, (label, y) in enumerate(heights.items()):
        if number % 2 == 0:
            page.box(0, WIDTH, y - PITCH / 2, y + PITCH / 2, color=BAND, zorder=0)
        page.write(MARGIN + names, y, shorten(label, NAMES, LABEL), ha="right")
    left = MARGIN + names + 0.14
    width = (WIDTH - MARGIN - 0.08 - left - APART * (len(panels) - 1)) / len(panels)
    for number, (panel, title) in enumerate(panels):
        start = left + number * (width + APART)
        _draw_panel(page, rows[rows["panel"].eq(panel)], heights, Scale("value", 0, 100, start, start + width), title)
    return page.figure


def _draw_panel(page: Page, rows: pd.DataFrame, heights: dict[str, float], scale: Scale, title: str) -> None:
    middle = (scale.start + scale.end) / 2
    page.write(middle, page.body + 0.09, title, ha="center", fontsize=PANEL, fontweight=SEMIBOLD, color=INK)
    for tick in TICKS:
        place = scale.place(tick)
        page.line([place, place], [0, page.body], color=GRID, lw=0.6, zorder=0.5)
        page.write(place, -0.12, f"{tick:g}", ha="center", color=TEXT2, fontsize=PANEL)
    y = rows["label"].map(heights).to_numpy(float)
    for target, height in zip(rows["target"], y, strict=True):
        if target == target:
            place = scale.place(target)
            page.line([place, place], [height - PITCH * 0.36, height + PITCH * 0.36], color=ACCENT, lw=1.1, zorder=1.5)
    draw_intervals(page, rows, y, scale, PITCH)

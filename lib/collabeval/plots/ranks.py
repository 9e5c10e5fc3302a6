"""Ranks: how many places each site could hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from collabeval.plots.lettering import widest
from collabeval.plots.marks import draw_marks, look_of
from collabeval.plots.page import MARGIN, Page, open_page
from collabeval.plots.rows import Layout, draw_words, plan
from collabeval.plots.scales import Scale, name_across, number
from collabeval.plots.style import ACCENT, ACCENT2, ACCENT3, INK, LABEL, MARK, PAPER, TEXT2, FigureText, styled

ABOVE, BELOW = 0.26, 0.42
HEADING = "95% interval"
LEAGUE = ("Dashed: what a league", "table would have you believe")
BARS = {"better": (ACCENT3, ACCENT2, ACCENT), "worse": ("#97A2AC", "#66727D", INK), "": ("#D9DFE4", "#A9B3BC", TEXT2)}
STEPS = (1, 2, 3, 4, 5, 6, 10, 20, 25, 50, 100, 200, 500)


@styled
def ranks(
    rows: pd.DataFrame,
    text: FigureText,
    own: str | None = None,
    label: str = "Possible rank",
    places: int | None = None,
) -> Figure:
    """Draw 50% and 95% intervals of each site's rank and its expected rank, against the line of a league table.

    Parameters
    ----------
    rows : one per ranked site, by expected rank: `label, q025, q25, mean, q75, q975` (rank 1 is best), `tag` (the
        interval in words, "1 to 22"). A site stands out if its whole 95% interval lies in one half.
    places : how many sites share the ranks, where more compete than are shown; without a line of a league table then.
    """
    count = places or len(rows)
    half = count / 2
    worse, better = rows["q025"] > half + 0.5, rows["q975"] < half + 0.5
    rows = rows.assign(word=np.select([better, worse], ["better", "worse"], ""))
    layout = plan(rows, text, ABOVE, BELOW, own, HEADING)
    page = open_page(text, layout.body, ABOVE, BELOW)
    scale = Scale("value", 0.4, count + 0.6, layout.left, layout.right)
    _draw_axis(page, scale, count, label)
    _draw_bars(page, layout, scale, count)
    if count == len(rows):
        _draw_league_line(page, layout, scale)
    draw_words(page, layout, ("", ""), text.noun, scale.at(rows["q975"] + 0.5))
    _draw_headings(page, layout, scale, count)
    return page.figure


def _draw_axis(page: Page, scale: Scale, count: int, label: str) -> None:
    page.line([scale.start, scale.end], [0, 0], color=MARK, lw=0.6)
    widths = max(0.42, widest([number(count)], LABEL, 400) + 0.08)
    step = next(step for step in STEPS if scale.place(1 + step) - scale.place(1) >= widths or step >= count)
    inner = [tick for tick in range(step, count, step) if 1 + 0.6 * step < tick < count - 0.6 * step]
    for tick in sorted({1, *inner, count}):
        place = scale.place(tick)
        page.line([place, place], [-0.042, 0], color=MARK, lw=0.6)
        page.write(place, -0.14, number(tick), ha="center", color=TEXT2)
    name_across(page, (scale.start + scale.end) / 2, label)


def _draw_bars(page: Page, layout: Layout, scale: Scale, count: int) -> None:
    thick, size = layout.pitch * 0.66 * 72, min(3.8, max(1.6, layout.pitch * 72 * 0.7))
    places = scale.at(layout.rows[["q025", "q25", "q75", "q975"]].to_numpy(float) + np.array([-0.5, -0.5, 0.5, 0.5]))
    means = scale.at(layout.rows["mean"])
    for word, (light, dark, dot) in BARS.items():
        mine = (layout.rows["word"] == word).to_numpy()
        if not mine.any():
            continue
        low, quarter, three_quarters, high = places[mine].T
        page.spans(low, high, layout.y[mine], color=light, lw=thick, zorder=1)
        page.spans(quarter, three_quarters, layout.y[mine], color=dark, lw=thick, zorder=2)
        draw_marks(page, means[mine], layout.y[mine], replace(look_of(word), colour=dot), size)
    middle = scale.place((count + 1) / 2)
    page.line([middle, middle], [0.01, layout.body], color=PAPER, lw=1.2, zorder=2.5)


def _draw_league_line(page: Page, layout: Layout, scale: Scale) -> None:
    """The line, and its name in the lower left or upper right corner, whichever the bars leave free."""
    if len(layout.rows) < 2:
        return
    page.line(scale.at([1, len(layout.rows)]), layout.y[[0, -1]], lw=0.8, dashes=(4, 2.5), zorder=3)
    width, height = widest(LEAGUE, LABEL, 400) + 0.05, 0.30
    low, high = layout.y < height + layout.pitch, layout.y > layout.body - height - layout.pitch
    if (scale.at(layout.rows["q025"][low] - 0.5) > scale.start + width).all():
        x, y, side = scale.start + 0.03, 0.17, "left"
    elif not layout.compact and (scale.at(layout.rows["q975"][high] + 0.5) < scale.end - width).all():
        x, y, side = scale.end - 0.03, layout.body - 0.17, "right"
    else:
        page.write(MARGIN, -0.325, " ".join(LEAGUE), color=TEXT2)
        return
    for count, words in enumerate(LEAGUE):
        page.write(x, y + 0.065 - 0.13 * count, words, ha=side, zorder=6)


def _draw_headings(page: Page, layout: Layout, scale: Scale, count: int) -> None:
    y = layout.body + 0.09
    page.write(scale.place(1), y, "better half", color=TEXT2)
    page.write(scale.place(count), y, "worse half", ha="right", color=TEXT2)
    if not layout.compact:
        page.write(layout.right + 0.12, y, HEADING)

"""Small multiples: one little line chart for each site, most improved first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from collabeval.plots.lettering import shorten, widest
from collabeval.plots.marks import Look, look_of
from collabeval.plots.page import MARGIN, WIDTH, Page, open_page, room
from collabeval.plots.rows import fit_tag
from collabeval.plots.scales import Axis, Scale, number, scale_for
from collabeval.plots.style import ACCENT, ACCENT3, INK, MARK, PANEL, SMALLEST, TEXT2, THIN, FigureText, styled
from collabeval.plots.timeline import Timeline, runs, timeline, year_of

MOST_COLUMNS, LEAST_COLUMNS = 6, 3
MOST_PANELS = 42
PANEL_HEIGHT = 0.64
BELOW_PANELS = 0.16  # for the years under the first panel, if it is in the last line
LEAST_WORDS, MOST_WORDS = 0.46, 0.54  # room over each panel for the name and the word
ABOVE, BELOW = 0.12, 0.12
GAP = 0.12  # between columns
OVERHANG = 0.09  # of the gap, that a name may take
PANEL_TICKS = 0.13  # least inches between numbers of the little scale
REFERENCE = "#AEB7BF"
BANDS = {ACCENT: ACCENT3, INK: "#CBD2D8", MARK: "#DDE2E6"}


@dataclass(frozen=True)
class Panel:
    """Where one site's chart stands, in inches, and how periods and values are laid out on it."""

    left: float
    right: float
    low: float
    high: float
    line: Timeline
    scale: Scale


@dataclass(frozen=True)
class Grid:
    """How many panels stand beside each other, how high each is, and the room over it for words (inches)."""

    columns: int
    lines: int
    height: float
    words: float

    @property
    def body(self) -> float:
        return self.lines * (self.height + self.words) + BELOW_PANELS


@styled
def small_multiples(rows: pd.DataFrame, text: FigureText, axis: Axis | None = None, total: int | None = None) -> Figure:
    """Draw each site's estimate, its 95% band and the recorded values over time, all on one scale.

    Parameters
    ----------
    rows : one per site and period: `label` (and `site`, if two sites share a label), `period`, `q025, q50, q975` and
        `observed` (NaN where there is none), `word` (slug of the trajectory slot), `tag` ("improved · 97 in 100",
        "no comparison", ""); sites in display order, by first appearance. Optional `time` (years), so that missing
        periods show as gaps, and `size`, by which sites are chosen if there are too many.
    total : how many sites there are, if the caller has already left some out.

    At most 42 sites are drawn: those with a decided word, then the largest; the figure says how many of how many.
    """
    if rows.empty:
        raise ValueError("small multiples need at least one site")
    site = (rows["site"] if "site" in rows else rows["label"]).astype(str)
    rows = rows.assign(site=site, period=rows["period"].astype(str))
    chosen = _choose(rows, list(dict.fromkeys(site)))
    total = max(total or 0, site.nunique())
    above = ABOVE + (0.17 if total > len(chosen) else 0.0)
    grid = _grid(len(chosen), room(text, above, BELOW))
    page = open_page(text, grid.body, above, BELOW)
    if total > len(chosen):
        which = ": those with a word first, then the largest" if "size" in rows else ""
        words = f"{len(chosen)} of {total} {text.noun} are shown{which}. The table lists all."
        page.write(MARGIN, page.body + 0.08, words, color=TEXT2)
    _draw_panels(page, rows[rows["site"].isin(chosen)], chosen, axis or Axis(), grid)
    return page.figure


def _choose(rows: pd.DataFrame, sites: Sequence[str]) -> list[str]:
    first = rows.drop_duplicates("site").set_index("site")
    decided = {site: look_of(first.loc[site, "word"]).decided for site in sites}
    size = rows.groupby("site")["size"].max() if "size" in rows else pd.Series(0.0, index=list(sites))
    ranked = sorted(sites, key=lambda site: (not decided[site], -float(size[site])))
    kept = set(ranked[:MOST_PANELS])
    return [site for site in sites if site in kept]


def _grid(count: int, highest: float) -> Grid:
    """Few panels are wider and higher; many share the page's height."""
    columns = min(MOST_COLUMNS, max(LEAST_COLUMNS, count))
    lines = -(-count // columns)
    wanted = PANEL_HEIGHT * (1 + 0.15 * (MOST_COLUMNS - columns))
    share = (highest - BELOW_PANELS) / lines
    height = min(wanted, share - LEAST_WORDS)
    return Grid(columns, lines, height, min(MOST_WORDS, share - height))


def _draw_panels(page: Page, rows: pd.DataFrame, sites: Sequence[str], axis: Axis, grid: Grid) -> None:
    values = rows[["q50", "q025", "q975"]].to_numpy(float)
    ticks = scale_for(axis, values[:, 0], values, 0.0, grid.height, PANEL_TICKS).ticks
    left = MARGIN + widest([number(tick) for tick in ticks], SMALLEST, 400) + 0.08
    width = (WIDTH - MARGIN - OVERHANG - left - GAP * (grid.columns - 1)) / grid.columns
    for place, site in enumerate(sites):
        down, across = divmod(place, grid.columns)
        start, top = left + across * (width + GAP), page.body - grid.words - down * (grid.height + grid.words)
        scale = scale_for(axis, values[:, 0], values, top - grid.height, top, PANEL_TICKS)
        line = timeline(rows, start + 0.05, start + width - 0.05)
        panel = Panel(start, start + width, top - grid.height, top, line, scale)
        mine = rows[rows["site"] == site]
        _draw_panel(page, panel, mine, axis, look_of(mine["word"].iloc[0]))
        if place == 0:
            _draw_scales(page, panel)


def _draw_panel(page: Page, panel: Panel, mine: pd.DataFrame, axis: Axis, look: Look) -> None:
    if axis.reference is not None and panel.scale.holds(axis.reference):
        page.line(
            [panel.left, panel.right], [panel.scale.place(axis.reference)] * 2, color=REFERENCE, lw=0.6, zorder=0.5
        )
    x = panel.line.at(mine["period"])
    low, middle, high, observed = (panel.scale.at(mine[name]) for name in ("q025", "q50", "q975", "observed"))
    for run in runs(panel.line, mine["period"], middle):
        along = np.array([x[run[0]] - 0.03, x[run[0]] + 0.03]) if len(run) == 1 else x[run]
        pick = np.repeat(run, 2) if len(run) == 1 else run
        page.band(along, low[pick], high[pick], color=BANDS[look.colour], zorder=1)
        page.line(along, middle[pick], color=look.colour, lw=1.9 if look.decided else 1.3, zorder=3)
    size, colour = (1.5 if len(panel.line.periods) > 24 else 2.1), (look.colour if look.decided else THIN)
    page.line(
        x, observed, linestyle="none", marker="o", markersize=size, color=colour, markeredgewidth=0, zorder=2,
    )  # fmt: skip
    _name(page, panel, mine, look)


def _name(page: Page, panel: Panel, mine: pd.DataFrame, look: Look) -> None:
    weight, width = look.text["fontweight"], panel.right + OVERHANG - panel.left
    label, tag = (str(mine[name].fillna("").iloc[0]) for name in ("label", "tag"))
    size = PANEL if shorten(label, width, PANEL, weight) == label else SMALLEST
    name = shorten(label, width, size, weight)
    page.write(panel.left, panel.high + 0.235, name, fontsize=size, **look.text)
    if tag:
        page.write(panel.left, panel.high + 0.12, fit_tag(tag, width, weight, SMALLEST), fontsize=SMALLEST, **look.text)


def _draw_scales(page: Page, panel: Panel) -> None:
    """Only the first panel carries scales: they are the same in all."""
    for tick, place in zip(panel.scale.ticks, panel.scale.at(panel.scale.ticks), strict=True):
        page.write(panel.left - 0.04, float(place), number(tick), fontsize=SMALLEST, ha="right", color=TEXT2)
    first, last = panel.line.periods[0], panel.line.periods[-1]
    for period, side in ((first, "left"), (last, "right")) if first != last else ((first, "center"),):
        x = float(panel.line.at([period])[0])
        page.line([x, x], [panel.low - 0.035, panel.low], color=MARK, lw=0.6)
        page.write(x, panel.low - 0.078, year_of(period), fontsize=SMALLEST, ha=side, color=TEXT2)

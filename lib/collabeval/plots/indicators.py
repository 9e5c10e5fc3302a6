"""Indicators against their targets: estimate with interval, target as a bar, last year as a ring a lane lower."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from collabeval.plots.lettering import shorten, widest, wrap
from collabeval.plots.marks import draw_intervals, look_of
from collabeval.plots.page import ABOVE, MARGIN, WIDTH, Page, open_page, room
from collabeval.plots.scales import Axis, Scale, draw_across, scale_for
from collabeval.plots.style import INK, LABEL, MARK, NOTE, PAPER, SEMIBOLD, TEXT2, FigureText, styled

HEIGHT = 6.4  # of rows and scales together; more would not fit on a page with their words
NAME_COLUMN, WORD_COLUMN, GAP = 2.30, 1.75, 0.14
PITCH, LEAST_PITCH = 0.44, 0.36
LINE = 0.125  # from line to line beside a row
UNDER = 0.50  # from the rule of one scale to the rows of the next
BELOW = 0.42  # room under the last scale
LOWER = 0.095  # from the estimate to last year's ring
BAR = 0.14  # half the height of a target
SIZE = 0.2  # pitch that marks are drawn for


def fit_on_a_page(units: Sequence[str]) -> bool:
    """Whether rows of these units, one for each, fit in one figure: every further unit takes a scale of its own."""
    return LEAST_PITCH * len(units) + UNDER * (len(set(units)) - 1) <= HEIGHT


@styled
def indicators(rows: pd.DataFrame, text: FigureText, axes: Mapping[str, Axis]) -> Figure:
    """Draw indicators, one row each, those of one unit on one scale.

    Parameters
    ----------
    rows : in display order, those of one `unit` together: `label`; `detail` (a line under it); `unit` (key of `axes`);
        `q025, q25, q50, q75, q975` on that axis, NaN where nothing may be shown (q50 alone: a value without interval);
        `target` and `last` (last year's estimate), NaN where there is none; `word` (slug); `value`, `tag` (two lines at
        the right). Not more than fit (`fit_on_a_page`).

    Raises ValueError when there is no row, or too many.
    """
    if rows.empty or not fit_on_a_page(list(rows["unit"])):
        raise ValueError(f"a figure of indicators has at least one row and what fits on a page, not {len(rows)} rows")
    rows = rows.reset_index(drop=True)
    units = list(dict.fromkeys(rows["unit"]))
    between = UNDER * (len(units) - 1)
    pitch = max(LEAST_PITCH, min(PITCH, (room(text, ABOVE, BELOW) - between) / len(rows)))
    page = open_page(text, pitch * len(rows) + between, ABOVE, BELOW)
    names = min(NAME_COLUMN, max(widest(list(rows["label"]), LABEL), widest(list(rows["detail"]), NOTE, 400)))
    tags = min(WORD_COLUMN, max(widest(list(rows["value"]), LABEL), widest(list(rows["tag"]), NOTE, 400)))
    left, right = MARGIN + names + GAP, WIDTH - MARGIN - tags - GAP
    top = page.body
    for unit in units:
        some = rows[rows["unit"] == unit]
        base = top - pitch * len(some)
        y = top - pitch * (np.arange(len(some)) + 0.5)
        scale = scale_for(axes[unit], some[["q50", "target", "last"]], some[["q025", "q975"]], left, right)
        draw_across(page, scale, axes[unit], top, base)
        _draw_rows(page, some, y, scale)
        if unit == units[0]:
            _draw_key(page, some.iloc[0], float(y[0]), scale)
        _draw_words(page, some, y, left, right)
        top = base - UNDER
    return page.figure


def _draw_rows(page: Page, rows: pd.DataFrame, y: np.ndarray, scale: Scale) -> None:
    """The marks of one scale."""
    targets = scale.inside(rows["target"])
    page.line(
        np.column_stack([targets, targets, np.full(len(rows), np.nan)]).ravel(),
        np.column_stack([y - BAR, y + BAR, np.full(len(rows), np.nan)]).ravel(), lw=2.0, color=INK, zorder=2.5,
    )  # fmt: skip
    draw_intervals(page, rows, y, scale, SIZE)
    rings = scale.inside(rows["last"])
    page.line(
        rings, y - LOWER, linestyle="none", marker="o", markersize=4.4, markerfacecolor=PAPER, markeredgecolor=MARK,
        markeredgewidth=1.0, zorder=4,
    )  # fmt: skip


def _draw_key(page: Page, row: pd.Series, y: float, scale: Scale) -> None:
    """Say once, at the first row, what the marks are; "last year" on the side where the target is not in its way."""
    named = [("now", row["q50"]), ("target", row["target"])]
    labels = [(scale.place(at), word, {"fontsize": NOTE, "color": TEXT2}) for word, at in named if scale.holds(at)]
    page.labels_above(y + BAR + 0.015, labels)
    ring = float(scale.inside(row["last"]))
    if not np.isfinite(ring):
        return
    width, target = widest(["last year"], NOTE, 400) + 0.09, float(scale.inside(row["target"]))
    blocked = ring - width < target < ring
    if ring - width >= scale.start and not blocked:
        place, side = ring - 0.08, "right"
    elif ring + width <= scale.end:
        place, side = ring + 0.08, "left"
    else:  # no room at the right: beyond the target
        place, side = target - 0.06, "right"
    page.write(place, y - LOWER - 0.01, "last year", fontsize=NOTE, color=TEXT2, ha=side)


def _draw_words(page: Page, rows: pd.DataFrame, y: np.ndarray, left: float, right: float) -> None:
    """Name and detail at the left; value, word and chance at the right."""
    for row, height in zip(rows.to_dict("records"), y, strict=True):
        look = look_of(row["word"]).text
        room_left, room_right = left - GAP - MARGIN, WIDTH - MARGIN - right - GAP
        names = wrap(row["label"], room_left, LABEL, SEMIBOLD)
        names = [*names[:1], *([shorten(" ".join(names[1:]), room_left, LABEL, SEMIBOLD)] if names[1:] else [])]
        details = [shorten(row["detail"], room_left, NOTE)] if row["detail"] else []
        _stack(page, MARGIN, height, names, details, {"fontweight": SEMIBOLD})
        fitted = shorten(row["value"], room_right, LABEL, SEMIBOLD)
        tags = [shorten(row["tag"], room_right, NOTE)] if row["tag"] else []
        _stack(page, right + GAP, height, [fitted], tags, look)


def _stack(page: Page, x: float, y: float, strong: list[str], plain: list[str], look: dict) -> None:
    """Lines over one another, their middle at `y`."""
    start = y + LINE * (len(strong) + len(plain) - 1) / 2
    for place, line in enumerate([*strong, *plain]):
        shown = look if place < len(strong) else {"fontsize": NOTE, "color": TEXT2}
        page.write(x, start - LINE * place, line, **shown)

"""Scores: a dot with its intervals in each row, the target as a bar, last year's value as a ring one lane lower."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from collabeval.plots.lettering import widest, wrap
from collabeval.plots.marks import Look, draw_intervals, draw_marks, look_of
from collabeval.plots.page import ABOVE, BELOW, MARGIN, WIDTH, Page, open_page, room
from collabeval.plots.scales import Axis, Scale, draw_across, scale_for
from collabeval.plots.style import GRID, INK, LABEL, MARK, PANEL, SEMIBOLD, TEXT2, THIN, FigureText, styled

NAME, VALUE = 9.0, 10.5  # points
PITCH, PITCH_TWO_LINES, PITCH_PLAIN, PITCH_HEADING = 0.45, 0.37, 0.31, 0.26
LABEL_COLUMN, GAP = 2.55, 0.14
LOWER = 0.11  # inches below the dot at which last year's ring stands
LANE = 0.13  # half the height of a target's bar
LINES = 0.075  # half the distance of two lines of words
VALUES = ["q025", "q25", "q50", "q75", "q975"]
RING = Look("o", MARK, THIN, hollow=True)


@styled
def scores(rows: pd.DataFrame, text: FigureText, axis: Axis, last: str = "last year") -> Figure:
    """Draw scores or shares with 50% and 95% intervals, their targets, and what they were before.

    Parameters
    ----------
    rows : in display order: `label`, `detail` (a second line under the name, or ""); `q025, q25, q50, q75, q975`, NaN
        in a row that is only a heading; `previous` and `target`, NaN where there is none; `word` (slug for the mark);
        `value`, `tag` and `chance`: the words at the right, in two lines.
    axis : what the values are. last : what the ring is called.

    Raises ValueError when there is no row.
    """
    if rows.empty:
        raise ValueError("a figure needs at least one row")
    rows = rows.reset_index(drop=True)
    pitches = _pitches(rows, text)
    page = open_page(text, float(pitches.sum()) + 0.04)
    y = page.body - 0.02 - np.cumsum(pitches) + pitches / 2
    words = max(widest(list(rows["value"]), VALUE) + 0.08 + max(widest(list(rows["tag"]), LABEL),
                widest(list(rows["chance"]), PANEL)), 0.3)  # fmt: skip
    scale = _scale(rows, axis, MARGIN + LABEL_COLUMN + GAP, WIDTH - MARGIN - words - GAP)
    draw_across(page, scale, axis)
    known = rows["q50"].notna().to_numpy()
    draw_intervals(page, rows[known], y[known], scale, PITCH_PLAIN)
    _draw_targets(page, rows, y, scale)
    draw_marks(page, scale.inside(rows["previous"]), y - LOWER, RING, 3.9)
    _draw_names(page, rows, y)
    _draw_values(page, rows, y, scale.end + GAP)
    _draw_keys(page, rows[known].iloc[0], float(y[known][0]), scale, last)
    return page.figure


def _pitches(rows: pd.DataFrame, text: FigureText) -> np.ndarray:
    """Height of each row in inches, less where the page would not hold them."""
    heading = rows["q50"].isna()
    plain = PITCH_TWO_LINES if rows["chance"].ne("").mean() > 0.5 else PITCH_PLAIN
    own = np.where(heading, PITCH_HEADING, np.where(rows["detail"].ne(""), PITCH, plain))
    return np.asarray(own * min(1.0, (room(text, ABOVE, BELOW) - 0.04) / own.sum()))


def _scale(rows: pd.DataFrame, axis: Axis, start: float, end: float) -> Scale:
    """The scale that holds everything drawn, within 0 to 100."""
    drawn = rows[["q50", "previous", "target"]].to_numpy(dtype=float).ravel()
    found = scale_for(axis, drawn, rows[["q025", "q975"]], start, end)
    low, high = max(found.low, 0.0), min(found.high, 100.0)
    ticks = tuple(tick for tick in found.ticks if low <= tick <= high)
    return replace(found, low=low, high=high, ticks=ticks)


def _draw_targets(page: Page, rows: pd.DataFrame, y: np.ndarray, scale: Scale) -> None:
    places = scale.at(rows["target"])
    for x, height in zip(places, y, strict=True):
        if np.isfinite(x):
            page.line([x, x], [height - LANE, height + LANE], color=INK, lw=1.8, zorder=3.5, solid_capstyle="butt")


def _draw_names(page: Page, rows: pd.DataFrame, y: np.ndarray) -> None:
    """Names at the left: in two lines of words, or a name with its detail below."""
    for label, detail, middle, height in zip(rows["label"], rows["detail"], rows["q50"], y, strict=True):
        if not np.isfinite(middle):
            page.write(MARGIN, height - 0.02, label, fontsize=NAME, fontweight=SEMIBOLD)
            page.line([MARGIN, WIDTH - MARGIN], [height + PITCH_HEADING / 2] * 2, color=GRID, lw=0.6, zorder=0.1)
        elif detail:
            page.write(MARGIN, height + LINES, label, fontsize=NAME, fontweight=SEMIBOLD)
            page.write(MARGIN, height - LINES, wrap(detail, LABEL_COLUMN, PANEL)[0], fontsize=PANEL, color=TEXT2)
        else:
            lines = wrap(label, LABEL_COLUMN, LABEL)[:2]
            places = [height + LINES * 0.85, height - LINES * 0.85] if len(lines) == 2 else [height]
            for place, line in zip(places, lines, strict=True):
                page.write(MARGIN, place, line)


def _draw_values(page: Page, rows: pd.DataFrame, y: np.ndarray, x: float) -> None:
    """Value, word and chance at the right."""
    beside = x + widest(list(rows["value"]), VALUE) + 0.08
    columns = (rows[name] for name in ("value", "tag", "chance", "word", "q50"))
    for (value, tag, chance, word, middle), height in zip(zip(*columns, strict=True), y, strict=True):
        if not np.isfinite(middle):
            continue
        look = look_of(word).text
        lift = LINES if chance else 0.0
        page.write(x, height + lift, value, fontsize=VALUE, fontweight=SEMIBOLD, color=look["color"])
        page.write(beside, height + lift, tag, **look)
        page.write(beside, height - LINES, chance, fontsize=PANEL, color=TEXT2)


def _draw_keys(page: Page, first: pd.Series, y: float, scale: Scale, last: str) -> None:
    """What dot, bar and ring are, said once, at the first row that has them."""
    labels = [(scale.place(first["q50"]), "now", {"color": TEXT2})]
    if np.isfinite(first["target"]):
        labels.append((scale.place(first["target"]), "target", {"color": INK}))
    page.labels_above(y + LANE + 0.02, labels)
    if np.isfinite(first["previous"]):
        place, width = scale.place(first["previous"]), widest([last], PANEL, 400) + 0.06
        left = place - width > scale.start
        page.write(place + (-0.06 if left else 0.06), y - LOWER, last, ha="right" if left else "left", fontsize=PANEL,
                   color=TEXT2)  # fmt: skip

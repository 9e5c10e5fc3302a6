"""Figures with one row per site: how high rows are, which are named, and where names and tags stand.

Up to 45 rows every row carries its name at the left and its tag at the right. Beyond that rows are a hair apart, only
those with a decided word (and the own site) are named, at the right, tied to their rows by leaders; the table below the
figure names the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from collabeval.plots.lettering import shorten, spread, widest
from collabeval.plots.marks import look_of
from collabeval.plots.page import MARGIN, WIDTH, Page, room
from collabeval.plots.style import ACCENT4, INK, LABEL, NOTE, RULE, SEMIBOLD, TEXT2, FigureText

MOST_NAMED_ROWS = 45
FEW_ROWS = 10
PITCH_FEW, PITCH, PITCH_COMPACT = 0.20, 0.158, 0.068
NAME_COLUMN = 1.60
TAG_COLUMN = 2.2
GAP = 0.12  # between a column of words and the plot
LABEL_STEP = 0.120  # between named rows of the compact form
LEADER = 0.33  # inches from the plot to the names at its right
MOST_LEADERS = 32  # more would run into each other


@dataclass(frozen=True)
class Layout:
    """Where rows and columns lie, in inches: `y` of each row, the plot from `left` to `right`."""

    rows: pd.DataFrame
    compact: bool
    pitch: float
    left: float
    right: float
    own: str | None = None

    @property
    def body(self) -> float:
        return self.pitch * len(self.rows) + 0.06

    @property
    def y(self) -> np.ndarray:
        return self.body - 0.03 - self.pitch * (np.arange(len(self.rows)) + 0.5)

    @property
    def named(self) -> np.ndarray:
        """Which rows carry words in the compact form: a decided word, or the own site."""
        decided = [look_of(word).decided for word in self.rows["word"]]
        return np.asarray(decided) | (self.rows["label"] == self.own).to_numpy()

    def compact_labels(self, places: np.ndarray) -> list[str]:
        """Name and tag in one, for the rows at these places."""
        some = self.rows.iloc[places]
        pairs = zip(some["label"], some["tag"], strict=True)
        return [f"{label}: {in_signs(tag)}" if tag else label for label, tag in pairs]


def plan(
    rows: pd.DataFrame, text: FigureText, above: float, below: float, own: str | None = None, heading: str = ""
) -> Layout:
    """Lay out rows (columns label, word, tag; display order) for a page with this text; `heading` stands over the tags.

    Raises ValueError when there is no row: a section without data is left out, not drawn empty.
    """
    if rows.empty:
        raise ValueError("a figure needs at least one row")
    words = {name: rows[name].fillna("").astype(str).to_list() for name in ("label", "tag")}
    rows = rows.reset_index(drop=True).assign(**words)
    compact = len(rows) > MOST_NAMED_ROWS
    wanted = PITCH_COMPACT if compact else PITCH_FEW if len(rows) <= FEW_ROWS else PITCH
    pitch = min(wanted, (room(text, above, below) - 0.06) / len(rows))
    whole = Layout(rows, compact, pitch, 0, WIDTH, own)
    if compact:
        chosen, left_out = _those_with_room(whole)
        column = min(
            TAG_COLUMN, widest([*whole.compact_labels(chosen), *([_and_more(left_out)] * bool(left_out))], NOTE)
        )
        return Layout(rows, compact, pitch, 1.0, WIDTH - MARGIN - column - LEADER, own)
    names = min(NAME_COLUMN, widest(list(rows["label"]), LABEL))
    tags = min(TAG_COLUMN, widest([*rows["tag"], heading], LABEL))
    left, right = MARGIN + names + GAP, WIDTH - MARGIN - max(tags, 0.2) - GAP
    return Layout(rows, compact, pitch, left, right, own)


def draw_words(page: Page, layout: Layout, ends: tuple[str, str], noun: str, reach: np.ndarray) -> None:
    """Set the names and tags of the rows, and shade the own site's row.

    `ends` name the first and the last row of the compact form; `reach` is how far right each row's marks go, in inches.
    """
    for y in layout.y[(layout.rows["label"] == layout.own).to_numpy()]:
        half = max(layout.pitch, 0.03) / 2
        page.box(layout.left if layout.compact else 0, WIDTH, y - half, y + half, color=ACCENT4, zorder=0.2)
    if layout.compact:
        _draw_ends(page, layout, ends, noun)
        _draw_leaders(page, layout, reach)
        return
    for label, word, tag, y in zip(*(layout.rows[name] for name in ("label", "word", "tag")), layout.y, strict=True):
        look = look_of(word).text
        if label == layout.own and not look_of(word).decided:
            look = {"fontweight": SEMIBOLD, "color": INK}
        weight = look["fontweight"]
        page.write(layout.left - GAP, y, shorten(label, NAME_COLUMN, LABEL, weight), ha="right", **look)
        if tag:
            page.write(layout.right + GAP, y, fit_tag(tag, WIDTH - MARGIN - layout.right - GAP, weight), **look)


def fit_tag(tag: str, width: float, weight: int, size: float = LABEL) -> str:
    """A tag short enough for `width` inches: "more than" as a sign first, a cut only if that is not enough."""
    return tag if widest([tag], size, weight) <= width + 1e-9 else shorten(in_signs(tag), width, size, weight)


def in_signs(tag: str) -> str:
    """`more than 99 in 100` as `>99 in 100`, where room is tight."""
    return re.sub(r"\bfewer\s+than\s+(?=\d)", "<", re.sub(r"\bmore\s+than\s+(?=\d)", ">", tag))


def _draw_ends(page: Page, layout: Layout, ends: tuple[str, str], noun: str) -> None:
    place, middle = layout.left - GAP, layout.body / 2
    look = {"ha": "right", "color": TEXT2}
    page.write(place, layout.body, ends[0], va="top", **look)
    page.write(place, middle + 0.065, f"{len(layout.rows)} {noun},", **look)
    page.write(place, middle - 0.065, "one line each", **look)
    page.write(place, 0.0, ends[1], va="bottom", **look)


def _draw_leaders(page: Page, layout: Layout, reach: np.ndarray) -> None:
    """Name the chosen rows at the right, spread so that names do not touch, each tied to the end of its row's marks."""
    chosen, left_out = _those_with_room(layout)
    places, right = list(layout.y[chosen]), layout.right
    if left_out:  # stands between those named from above and those named from below
        places.append(layout.body / 2)
    heights = spread(places, LABEL_STEP, LABEL_STEP / 2, layout.body - LABEL_STEP / 2)
    starts = np.where(np.isfinite(reach), reach + 0.05, right)[chosen]
    slugs, labels = layout.rows["word"].iloc[chosen], layout.compact_labels(chosen)
    for word, label, start, y, height in zip(slugs, labels, starts, places, heights, strict=False):
        bends = [start, right + 0.08, right + LEADER - 0.07, right + LEADER - 0.03]
        page.line(bends, [y, y, height, height], color=RULE, lw=0.5, zorder=0.4)
        words = shorten(label, WIDTH - MARGIN - right - LEADER, NOTE, SEMIBOLD)
        page.write(right + LEADER, height, words, fontsize=NOTE, **look_of(word).text)
    if left_out:
        page.write(right + LEADER, heights[-1], _and_more(left_out), fontsize=NOTE, color=TEXT2)


def _and_more(number: int) -> str:
    return f"and {number} more"


def _those_with_room(layout: Layout) -> tuple[np.ndarray, int]:
    """Named rows, from both ends inwards until the column is full; and how many were left out."""
    named = np.flatnonzero(layout.named)
    most = min(MOST_LEADERS, int(layout.body / LABEL_STEP))
    if len(named) <= most:
        return named, 0
    inwards = [row for pair in zip(named, named[::-1], strict=True) for row in pair]
    own = [row for row in named if layout.rows["label"].iloc[row] == layout.own]
    chosen = list(dict.fromkeys(own + inwards))[: most - 1]
    return np.array(sorted(chosen)), len(named) - len(chosen)

"""Labels beside points of a scatter: put where they cover neither each other nor a point, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from collabeval.plots.lettering import widest
from collabeval.plots.page import Page
from collabeval.plots.style import LABEL, PAPER

LINE = 0.128  # inches from line to line in a label
Box = tuple[float, float, float, float]  # left, right, low, high


@dataclass(frozen=True)
class Callout:
    """Words that belong to the point at (x, y), in inches, and their look."""

    x: float
    y: float
    lines: tuple[str, ...]
    weight: int
    colour: str

    def boxes(self) -> list[tuple[str, Box]]:
        """Where the words may stand, best first, with the alignment that each place asks for."""
        width, height, off = widest(self.lines, LABEL, self.weight), LINE * len(self.lines), 0.085
        places = [("left", self.x + off, self.y - height / 2), ("right", self.x - off - width, self.y - height / 2)]
        for low in (self.y + off, self.y - off - height):
            places += [
                ("left", self.x - 0.04, low),
                ("center", self.x - width / 2, low),
                ("right", self.x + 0.04 - width, low),
            ]
        return [(side, (left, left + width, low, low + height)) for side, left, low in places]


def place_callouts(
    page: Page, callouts: Sequence[Callout], points: np.ndarray, bounds: Box, soft: np.ndarray | None = None
) -> int:
    """Set as many callouts as find a place inside the bounds, in the order given; return how many did not.

    One that finds none is tried with its first line alone.

    `points`, shape (n, 2), inches: no label covers one. `soft`, likewise: places that labels keep off where they can.
    """
    taken: list[Box] = []
    left_out = 0
    for callout in callouts:
        free = [(side, box) for side, box in callout.boxes() if _fits(box, bounds, taken, points)]
        if not free and len(callout.lines) > 1:
            callout = replace(callout, lines=callout.lines[:1])
            free = [(side, box) for side, box in callout.boxes() if _fits(box, bounds, taken, points)]
        if not free:
            left_out += 1
            continue
        side, box = free[0] if soft is None else min(free, key=lambda place: _covered(place[1], soft, 0.02))
        taken.append(box)
        if soft is not None and _covered(box, soft, 0.02):
            page.box(*box, color=PAPER, alpha=0.8, zorder=1.5)  # the line makes way for the words
        x = {"left": box[0], "right": box[1], "center": (box[0] + box[1]) / 2}[side]
        for count, line in enumerate(callout.lines):
            y = box[3] - LINE * (count + 0.5)
            page.write(x, y, line, ha=side, color=callout.colour, fontweight=callout.weight, zorder=6)
    return left_out


def along(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Points a tenth of an inch or less apart on a line, shape (n, 2), for labels to keep off."""
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if len(x) < 2:
        return np.column_stack([x, y])
    way = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    steps = np.linspace(0, way[-1], max(2, int(way[-1] / 0.05)))
    return np.column_stack([np.interp(steps, way, x), np.interp(steps, way, y)])


def _fits(box: Box, bounds: Box, taken: Sequence[Box], points: np.ndarray) -> bool:
    left, right, low, high = box
    inside = bounds[0] <= left and right <= bounds[1] and bounds[2] <= low and high <= bounds[3]
    free = all(right < a or left > b or high < c or low > d for a, b, c, d in taken)
    return inside and free and not _covered(box, points, 0.035)


def _covered(box: Box, points: np.ndarray, margin: float) -> int:
    left, right, low, high = box
    x, y = points[:, 0], points[:, 1]
    inside = (x > left - margin) & (x < right + margin) & (y > low - margin) & (y < high + margin)
    return int(inside.sum())

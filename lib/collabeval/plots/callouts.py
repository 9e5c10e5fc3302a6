"""Labels beside points of a scatter: put where they cover neither each other nor a point, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from collabeval.plots.lettering import widest
from collabeval.plots.page import Page
from collabeval.plots.style import LABEL, TEXT2

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


def place_callouts(page: Page, callouts: Sequence[Callout], points: np.ndarray, bounds: Box) -> int:
    """Set as many callouts as find a place inside the bounds, in the order given; return how many did not.

    `points`: every point of the plot, shape (n, 2), inches; no label covers one.
    """
    taken: list[Box] = []
    left_out = 0
    for callout in callouts:
        free = [(side, box) for side, box in callout.boxes() if _fits(box, bounds, taken, points)]
        if not free:
            left_out += 1
            continue
        side, box = free[0]
        taken.append(box)
        x = {"left": box[0], "right": box[1], "center": (box[0] + box[1]) / 2}[side]
        for count, line in enumerate(callout.lines):
            y = box[3] - LINE * (count + 0.5)
            page.write(x, y, line, ha=side, color=callout.colour, fontweight=callout.weight, zorder=6)
    return left_out


def say_left_out(page: Page, x: float, y: float, left_out: int, noun: str) -> None:
    """Say how many marked points carry no name, if any."""
    if left_out:
        words = f"and {left_out} more {noun} outside the limits, named in the table"
        page.write(x, y, words, ha="right", color=TEXT2)


def _fits(box: Box, bounds: Box, taken: Sequence[Box], points: np.ndarray) -> bool:
    left, right, low, high = box
    inside = bounds[0] <= left and right <= bounds[1] and bounds[2] <= low and high <= bounds[3]
    free = all(right < a or left > b or high < c or low > d for a, b, c, d in taken)
    x, y = points[:, 0], points[:, 1]
    covered = (x > left - 0.04) & (x < right + 0.04) & (y > low - 0.03) & (y < high + 0.03)
    return inside and free and not bool(covered.any())

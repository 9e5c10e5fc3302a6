"""Setting words: their width, where they break, how they are shortened, how labels keep out of each other's way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

from collabeval.plots.style import SEMIBOLD, families

SLACK = 0.97  # the viewer's typeface may run a little wider than ours
ABBREVIATIONS = (
    ("Medical Center", "MC"),
    ("Medical Centre", "MC"),
    ("Medical Ctr", "MC"),
    ("Med Ctr", "MC"),
    ("Med. Ctr", "MC"),
    ("Hospital", "Hosp"),
    ("University", "Univ"),
    ("Medical", "Med"),
    ("Center", "Ctr"),
    ("Centre", "Ctr"),
    ("Community", "Comm"),
    ("Regional", "Reg"),
    ("Memorial", "Mem"),
    ("General", "Gen"),
    ("Mount ", "Mt "),
)


@cache
def text_width(words: str, size: float, weight: int = 400) -> float:
    """Width of one line of text in inches, as an SVG viewer will set it in the same typeface."""
    face = FontProperties(family=list(families()), size=size, weight=weight)
    width, _, _ = TextToPath().get_text_width_height_descent(words, face, ismath=False)
    return float(width) / 72


def widest(lines: Sequence[str], size: float, weight: int = SEMIBOLD) -> float:
    """Width in inches of the widest of several lines, with slack; 0 when there are none."""
    return max((text_width(line, size, weight) for line in lines), default=0.0) / SLACK


def wrap(words: str, width: float, size: float, weight: int = 400) -> list[str]:
    """Break words into lines no wider than `width` inches; no-break spaces hold."""
    lines: list[str] = []
    for word in words.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size, weight) <= width * SLACK:
            lines[-1] = longer
        elif word:
            lines.append(word)
    return lines


def balance(words: str, width: float, size: float, weight: int = 400) -> list[str]:
    """Break words into as few lines as `width` allows, and those as even as can be."""
    best = wrap(words, width, size, weight)
    low, high = width / 2, width
    for _ in range(8):
        middle = (low + high) / 2
        lines = wrap(words, middle, size, weight)
        if len(lines) <= len(best):
            best, high = lines, middle
        else:
            low = middle
    return best


def shorten(name: str, width: float, size: float, weight: int = 400) -> str:
    """Shorten a name until it fits into `width` inches: usual abbreviations first, then a cut in the middle.

    The middle goes because names of one collaborative tend to differ at their ends ("… North", "… South").
    """
    width = width * SLACK + 1e-9  # a column as wide as its widest word holds it
    if text_width(name, size, weight) <= width:
        return name
    for long, short in ABBREVIATIONS:
        name = name.replace(long, short)
        if text_width(name, size, weight) <= width:
            return name
    about = int(len(name) * width / text_width(name, size, weight)) + 4
    for kept in range(min(len(name) - 1, about), 1, -1):
        head = math.ceil(kept * 0.6)
        cut = f"{name[:head].rstrip()}…{name[len(name) - (kept - head) :].lstrip()}"
        if text_width(cut, size, weight) <= width:
            return cut
    return "…"


def spread(places: Sequence[float], gap: float, low: float = -math.inf, high: float = math.inf) -> np.ndarray:
    """Move places until each is `gap` or more from the next, as little as can be (least squares), within the bounds."""
    order = np.argsort(places, kind="stable")
    steps = gap * np.arange(len(order))
    last = steps[-1] if len(steps) else 0.0
    moved = np.empty(len(order))
    moved[order] = np.clip(_pooled(np.asarray(places, dtype=float)[order] - steps), low, max(low, high - last)) + steps
    return moved


def side_by_side(centres: Sequence[float], widths: Sequence[float], low: float, high: float) -> np.ndarray:
    """Centres moved until boxes of these widths stand side by side in order, without overlap and within the bounds."""
    order = np.argsort(centres, kind="stable")
    ordered = np.asarray(widths, dtype=float)[order]
    middle = np.cumsum(ordered) - ordered / 2
    starts = np.clip(_pooled(np.asarray(centres, dtype=float)[order] - middle), low, max(low, high - ordered.sum()))
    moved = np.empty(len(order))
    moved[order] = starts + middle
    return moved


def _pooled(values: np.ndarray) -> np.ndarray:
    """The nearest rising sequence (isotonic regression): neighbours that are out of order take their mean.

    Places with their gaps or widths taken away must rise for nothing to overlap, hence its use above.
    """
    pools: list[tuple[float, int]] = []
    for value in values:
        mean, count = float(value), 1
        while pools and pools[-1][0] > mean:
            before, size = pools.pop()
            mean, count = (before * size + mean * count) / (size + count), size + count
        pools.append((mean, count))
    return np.repeat([mean for mean, _ in pools], [count for _, count in pools])

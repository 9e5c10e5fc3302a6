"""The page of a figure: title, subtitle and note around a body, everything measured in inches.

A page is one sheet of coordinates: x from the left edge, y from the body's lower edge (words under it have negative y).
All figures are 7 inches wide with the same margins, whatever they show; the height follows the rows, to `MAX_HEIGHT`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from numpy.typing import ArrayLike

from collabeval.plots.lettering import balance, side_by_side, widest, wrap
from collabeval.plots.style import INK, LABEL, NOTE, SEMIBOLD, SUBTITLE, TEXT2, TITLE, FigureText

WIDTH = 7.0
MAX_HEIGHT = 8.6
MARGIN = 0.02  # the figure's edges meet those of the text around it
ABOVE = 0.30  # room over the body for the labels that stand on it
BELOW = 0.42  # room under it for ticks and the name of the axis
STEP = {TITLE: 0.20, SUBTITLE: 0.155, NOTE: 0.125}  # inches from line to line
NOTE_GAP = 0.07


@dataclass(frozen=True)
class Page:
    """A figure with its words set, and the sheet to draw its body on; `body` is the body's height."""

    figure: Figure
    sheet: Axes
    body: float

    def write(self, x: float, y: float, words: str, **look: Any) -> Text:
        """Set words at a place; 8 pt, ink and centred on `y` unless the look says otherwise."""
        look = {"fontsize": LABEL, "color": INK, "va": "center", **look}
        return self.sheet.text(x, y, words, **look)

    def line(self, x: ArrayLike, y: ArrayLike, **look: Any) -> Line2D:
        """Draw a line through places (NaN breaks it), or marks at them."""
        look = {"color": INK, "lw": 0.7, "clip_on": False, **look}
        return self.sheet.plot(x, y, **look)[0]

    def spans(self, left: np.ndarray, right: np.ndarray, y: np.ndarray, **look: Any) -> None:
        """Draw a horizontal line at each height; all are one element of the SVG."""
        x = np.column_stack([left, right, np.full(len(left), np.nan)])
        self.line(x.ravel(), np.repeat(y, 3), **look)

    def band(self, x: ArrayLike, low: ArrayLike, high: ArrayLike, **look: Any) -> FillBetweenPolyCollection:
        """Fill between two lines."""
        return self.sheet.fill_between(x, low, high, **{"lw": 0, "clip_on": False, **look})

    def box(self, left: float, right: float, low: float, high: float, **look: Any) -> None:
        """Fill a rectangle."""
        self.sheet.add_patch(Rectangle((left, low), right - left, high - low, **{"lw": 0, "clip_on": False, **look}))

    def labels_above(self, y: float, labels: Sequence[tuple[float, str, dict[str, Any]]]) -> None:
        """Set labels on one line, each centred near its place, none touching the next, all on the page."""
        widths = [widest([words], LABEL, look.get("fontweight", 400)) + 0.10 for _, words, look in labels]
        centres = side_by_side([place for place, _, _ in labels], widths, MARGIN, WIDTH - MARGIN)
        for centre, (_, words, look) in zip(centres, labels, strict=True):
            self.write(centre, y, words, ha="center", **({"va": "bottom"} | look))


def open_page(text: FigureText, body: float, above: float = ABOVE, below: float = BELOW) -> Page:
    """Make a figure as high as its words and body ask, and set title, subtitle and note."""
    title, subtitle, note = _lines(text)
    base = below + _note_height(note)
    height = base + body + above + _header_height(title, subtitle)
    figure = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(figure)  # something must measure text; saving brings a canvas of its own
    sheet = figure.add_axes((0, 0, 1, 1))
    sheet.set_axis_off()
    sheet.set(xlim=(0, WIDTH), ylim=(-base, height - base), autoscale_on=False)
    page = Page(figure, sheet, body)
    y = height - base - MARGIN
    for line in title:
        page.write(MARGIN, y, line, fontsize=TITLE, fontweight=SEMIBOLD, va="top")
        y -= STEP[TITLE]
    for line in subtitle:
        page.write(MARGIN, y - 0.03, line, fontsize=SUBTITLE, color=TEXT2, va="top")
        y -= STEP[SUBTITLE]
    for count, line in enumerate(note):
        page.write(MARGIN, -below - NOTE_GAP - STEP[NOTE] * (count + 0.5), line, fontsize=NOTE, color=TEXT2)
    return page


def room(text: FigureText, above: float = ABOVE, below: float = BELOW) -> float:
    """The highest body, in inches, that this text leaves on a page of `MAX_HEIGHT`."""
    title, subtitle, note = _lines(text)
    return MAX_HEIGHT - above - below - _header_height(title, subtitle) - _note_height(note)


def _lines(text: FigureText) -> tuple[list[str], list[str], list[str]]:
    width = WIDTH - 2 * MARGIN
    return (
        balance(text.title, width, TITLE, SEMIBOLD),
        wrap(text.subtitle, width, SUBTITLE),
        wrap(text.note, width, NOTE),
    )


def _header_height(title: list[str], subtitle: list[str]) -> float:
    return MARGIN + STEP[TITLE] * len(title) + (0.03 + STEP[SUBTITLE] * len(subtitle) if subtitle else 0)


def _note_height(note: list[str]) -> float:
    return NOTE_GAP + STEP[NOTE] * len(note) + MARGIN if note else MARGIN

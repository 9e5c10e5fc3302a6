"""Palette, type and saving: what all figures share and no figure decides for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, wraps
from importlib import resources, util
from pathlib import Path

import matplotlib.style
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

INK, TEXT2, MARK, THIN = "#17212B", "#4F5B66", "#76828D", "#8A959F"
RULE, GRID, BAND, PAPER = "#BCC5CD", "#E4E8EB", "#F1F3F5", "#FFFFFF"
ACCENT, ACCENT2, ACCENT3, ACCENT4 = "#0B5FA5", "#4F93CE", "#BFD7EC", "#EAF2F9"
FAN_50, FAN_80, FAN_95, FAN_EDGE = "#8FB8DD", "#BAD3EA", "#DCE9F4", "#7FB0DA"

TITLE, SUBTITLE, LABEL, PANEL, NOTE, SMALLEST = 12.5, 9.0, 8.0, 7.5, 7.5, 7.0  # points
SEMIBOLD = 600

FAMILY = "Source Sans Pro"
FALLBACK = "DejaVu Sans"
FONT_PACKAGE = "font_source_sans_pro"


@dataclass(frozen=True)
class FigureText:
    """The words around a figure, all written by rule and past disclosure control before they come here.

    `alt` is not drawn: it travels with the figure to whoever writes the file. `noun` is sites in the plural
    ("hospitals").
    """

    title: str
    subtitle: str = ""
    note: str = ""
    alt: str = ""
    noun: str = "sites"


def font_files() -> list[Path]:
    """Regular and Semibold of the report's typeface; empty when its package is not installed."""
    if util.find_spec(FONT_PACKAGE) is None:
        return []
    folder = resources.files(FONT_PACKAGE) / "files"
    return [Path(str(folder / f"SourceSansPro-{style}.ttf")) for style in ("Regular", "Semibold")]


@cache
def families() -> tuple[str, ...]:
    """Make the typeface known to matplotlib, once, and name the families to ask for, best first.

    The fallback has no semibold, and matplotlib says so at every look-up: its bold is listed under that weight too.
    """
    files = font_files()
    for path in files:
        fontManager.addfont(path)
    bold = [font for font in fontManager.ttflist if font.name == FALLBACK and font.weight == 700]
    fontManager.ttflist.extend(replace(font, weight=SEMIBOLD) for font in bold)
    return (FAMILY, FALLBACK) if files else (FALLBACK,)


@contextmanager
def drawing_style() -> Iterator[None]:
    """Matplotlib's own defaults with ours on top, for one block; the caller's settings come back."""
    ours = {
        "font.family": list(families()),
        "font.size": LABEL,
        "text.color": INK,
        "text.parse_math": False,  # a dollar sign in a name is a dollar sign
        "text.hinting": "none",
        "axes.unicode_minus": True,
        "lines.solid_capstyle": "butt",
        "path.simplify": False,
        "figure.facecolor": PAPER,
        "savefig.facecolor": PAPER,
        "svg.fonttype": "none",
        "svg.hashsalt": "collabeval",
    }
    with matplotlib.style.context(ours, after_reset=True):
        yield


def styled[**P](draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Make a drawing function work under `drawing_style`: every artist takes its typeface when it is made."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with drawing_style():
            return draw(*args, **kwargs)

    return drawn

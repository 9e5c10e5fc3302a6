"""Palette, type and saving: what all figures share and no figure decides for itself."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, wraps
from importlib import resources, util
from pathlib import Path
from typing import IO, ParamSpec

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

    `alt` is not drawn: it travels with the figure to whoever writes the file. `noun` is the plural of a site ("hospitals").
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
    """Matplotlib's own defaults with ours on top, for the length of a block; the caller's settings come back after it."""
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


P = ParamSpec("P")


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw a figure under `drawing_style`, and settle what matplotlib would otherwise leave until it is saved."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with drawing_style():
            figure = draw(*args, **kwargs)
            figure.draw_without_rendering()
        return figure

    return drawn


def svg(figure: Figure) -> str:
    """The figure as SVG with real text; the same figure gives the same text on every call.

    Ids that nothing refers to are dropped and the others carry a digest of the content, so that several figures can stand in one
    HTML page without two elements sharing an id.
    """
    buffer = io.StringIO()
    with drawing_style():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = re.sub(r"<metadata>.*?</metadata>\s*|<!--.*?-->\s*", "", buffer.getvalue(), flags=re.DOTALL)
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', text))
    text = re.sub(r' id="([^"]+)"', lambda match: match[0] if match[1] in used else "", text)
    prefix = "f" + hashlib.sha256(text.encode()).hexdigest()[:8]
    return re.sub(r'(id="|href="#|url\(#)', rf"\1{prefix}-", text)


def save_svg(figure: Figure, target: Path | str | IO[str]) -> None:
    """Write the figure as SVG to a path, or to an open text buffer."""
    if isinstance(target, Path | str):
        Path(target).write_text(svg(figure), encoding="utf-8", newline="\n")
    else:
        target.write(svg(figure))

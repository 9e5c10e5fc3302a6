"""From figure to SVG: real text, the same bytes every time, and no larger than it need be."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path
from typing import IO

from matplotlib.figure import Figure

from collabeval.plots.style import drawing_style, families

DECIMALS = 2  # of a point: finer than any screen or printer


def save_svg(figure: Figure, target: Path | str | IO[str]) -> None:
    """Write the figure as SVG to a path, or to an open text buffer."""
    if isinstance(target, Path | str):
        Path(target).write_text(svg(figure), encoding="utf-8", newline="\n")
    else:
        target.write(svg(figure))


def svg(figure: Figure) -> str:
    """The figure as SVG with real text; the same figure gives the same text on every call."""
    buffer = io.StringIO()
    with drawing_style():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = re.sub(r"<metadata>.*?</metadata>\s*|<!--.*?-->\s*", "", buffer.getvalue(), flags=re.DOTALL)
    return _with_own_ids(_compact(_with_style_on_root(text)))


def _with_style_on_root(text: str) -> str:
    """Give the root element the typeface, and what matplotlib's style sheet says for everything (`*`).

    Inside an HTML page that sheet would reach the whole page.
    """
    sheet = re.search(r"\s*<defs>\s*<style[^>]*>\*\{([^}]*)\}</style>\s*</defs>", text)
    if sheet is None:
        raise ValueError("the SVG does not open with matplotlib's style sheet: its writer has changed")
    family = ", ".join(f"'{name}'" for name in families())
    text = text.replace(sheet[0], "", 1).replace(f" font-family: {family};", "")
    return text.replace("<svg ", f'<svg style="{sheet[1]}; font-family: {family}, sans-serif" ', 1)


def _compact(text: str) -> str:
    """Round what stands inside tags (never what readers see), and give a row of equal marks its style once."""
    text = re.sub(r"<[^>]+>", lambda tag: re.sub(r"\d+\.\d{3,}", _rounded, tag[0]), text)
    text = re.sub(r' d="([^"]*)"', lambda path: f' d="{re.sub(r"\s*([A-Za-z])\s*", r"\1", path[1])}"', text)
    text = re.sub(r' transform="rotate\(-?0 [^"]*\)"', "", text)
    return re.sub(r"(<g[^>]*)>\s*((?:<use [^>]+/>\s*)+)</g>", _styled_once, text)


def _rounded(digits: re.Match[str]) -> str:
    return f"{round(float(digits[0]), DECIMALS):.{DECIMALS}f}".rstrip("0").rstrip(".")


def _styled_once(group: re.Match[str]) -> str:
    styles = set(re.findall(r'<use [^>]*?(?: (style="[^"]*"))', group[2]))
    if len(styles) != 1 or " style=" in group[1]:
        return group[0]
    style = styles.pop()
    return f"{group[1]} {style}>\n{group[2].replace(f' {style}', '')}</g>"


def _with_own_ids(text: str) -> str:
    """Drop ids that nothing refers to; number the others and mark them with a digest of the content.

    So several figures can stand in one HTML page without two elements sharing an id.
    """
    used = dict.fromkeys(re.findall(r'(?:href="|url\()#([^")]+)', text))
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    own = {name: f"f{digest}-{count}" for count, name in enumerate(used)}
    text = re.sub(r' id="([^"]+)"', lambda match: f' id="{own[match[1]]}"' if match[1] in own else "", text)
    return re.sub(r'(href="|url\()#([^")]+)', lambda match: f"{match[1]}#{own[match[2]]}", text)

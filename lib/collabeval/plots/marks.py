"""Words become marks: shape, colour and weight for each slug, so that no meaning rests on colour alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from collabeval.plots.page import Page
from collabeval.plots.scales import Scale
from collabeval.plots.style import ACCENT, ACCENT2, INK, MARK, PAPER, SEMIBOLD, TEXT2, THIN


@dataclass(frozen=True)
class Look:
    """How the mark, the lines and the words of one verdict look. A hollow mark has no thick line."""

    shape: str
    colour: str
    thin: str
    size: float = 1.0
    hollow: bool = False
    decided: bool = False

    @property
    def text(self) -> dict[str, Any]:
        """Colour and weight of the words beside the mark."""
        return {"color": self.colour, "fontweight": SEMIBOLD} if self.decided else {"color": TEXT2, "fontweight": 400}


GOOD = Look("^", ACCENT, ACCENT2, size=1.22, decided=True)
BAD = Look("D", INK, TEXT2, size=0.95, decided=True)
BAD_FEW = Look("D", INK, TEXT2, size=0.95, hollow=True, decided=True)
DOUBT = Look("s", INK, TEXT2, size=0.9, decided=True)
NEUTRAL = Look("o", MARK, THIN)
HOLLOW = Look("o", MARK, THIN, hollow=True)

LOOKS = {
    **dict.fromkeys(("better", "improved", "positive_deviant", "emerging", "at_target"), GOOD),
    **dict.fromkeys(("worse", "worsened", "review", "review_persistent", "off_target", "below_target"), BAD),
    "worse_few_cases": BAD_FEW,
    "award_in_doubt": DOUBT,
    **dict.fromkeys(("", "none", "close", "unclear", "no_clear_change", "candidate", "too_early"), NEUTRAL),
    **dict.fromkeys(("not_enough_data", "joined_later"), HOLLOW),
}


def look_of(word: object) -> Look:
    """The look of a word's slug; missing is neutral, a slug that is not known is an error."""
    slug = "" if word is None or word is pd.NA or word != word else str(word)
    if slug not in LOOKS:
        raise ValueError(f"no mark for the word {slug!r}; known are {', '.join(sorted(filter(None, LOOKS)))}")
    return LOOKS[slug]


def draw_marks(page: Page, x: np.ndarray, y: np.ndarray, look: Look, size: float) -> None:
    """Draw one mark at each place (inches); `size` in points is that of the neutral dot."""
    face, edge = (PAPER, look.colour) if look.hollow else (look.colour, PAPER)
    rim = min(0.8, size * 0.17) if look.hollow else min(0.5, size * 0.11)
    page.line(
        x, y, linestyle="none", marker=look.shape, markersize=size * look.size, markerfacecolor=face,
        markeredgecolor=edge, markeredgewidth=rim, zorder=4,
    )  # fmt: skip


def draw_intervals(page: Page, rows: pd.DataFrame, y: np.ndarray, scale: Scale, pitch: float) -> None:
    """Draw estimate, 50% (thick) and 95% (thin) interval of each row at its height; an arrowhead if it goes beyond.

    Parameters
    ----------
    rows : columns q025, q25, q50, q75, q975 (NaN: nothing is drawn) and word (slug).
    y : height of each row, in inches. pitch : inches from row to row; lines and marks grow with it.
    """
    thin_width, thick_width = min(1.0, pitch * 72 * 0.22), min(3.4, pitch * 72 * 0.34 + 0.25)
    size = min(4.8, max(pitch * 72 * 0.52, min(3.7, pitch * 72 * 0.75), 1.6))
    looks = [look_of(word) for word in rows["word"]]
    for look in dict.fromkeys(looks):
        mine = np.array([other == look for other in looks])
        some, places = rows[mine], y[mine]
        low, quarter, three_quarters, high = (scale.at(some[name]) for name in ("q025", "q25", "q75", "q975"))
        page.spans(low, high, places, color=look.thin, lw=thin_width, zorder=2)
        if not look.hollow:
            thick = look.colour if look.decided else look.thin
            page.spans(quarter, three_quarters, places, color=thick, lw=thick_width, zorder=3)
        _draw_beyond(page, some[["q025", "q975"]].to_numpy(float), places, scale, look, size)
        draw_marks(page, scale.inside(some["q50"]), places, look, size)


def _draw_beyond(page: Page, spans: np.ndarray, y: np.ndarray, scale: Scale, look: Look, size: float) -> None:
    """An arrowhead where an interval goes on beyond the scale."""
    for shape, place, beyond in (
        ("<", scale.start, spans[:, 0] < scale.low),
        (">", scale.end, spans[:, 1] > scale.high),
    ):
        page.line(
            np.full(beyond.sum(), place), y[beyond], linestyle="none", marker=shape, markersize=size * 0.8,
            color=look.thin, markeredgewidth=0, zorder=2,
        )  # fmt: skip

"""Control chart: one measure over time with its limits, and the signals named where they happen."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from collabeval.plots.callouts import Callout, along, place_callouts
from collabeval.plots.lettering import spread, widest
from collabeval.plots.marks import Look, draw_marks, look_of
from collabeval.plots.page import MARGIN, WIDTH, Page, open_page
from collabeval.plots.scales import Axis, Scale, column_for_numbers, draw_upwards, scale_for
from collabeval.plots.style import BAND, INK, LABEL, MARK, SEMIBOLD, TEXT2, FigureText, styled
from collabeval.plots.timeline import Timeline, draw_periods, runs, timeline

BODY = 2.75
SIGNAL = Look("s", INK, TEXT2, decided=True)
LINES = (("upper", "upper limit", TEXT2), ("centre", "average", INK), ("lower", "lower limit", TEXT2))


@styled
def spc(rows: pd.DataFrame, text: FigureText, axis: Axis | None = None) -> Figure:
    """Draw a control chart (XmR, p or u): values in order, centre line, limits, and every signal with its name.

    Parameters
    ----------
    rows : one chart, a row per period in order: `period, value, centre, lower, upper` on the display scale (NaN: a
        gap), `flag` (the rule's slug, "" for none); optional `tag` (words for the flag; else the slug in plain words),
        `word` (improved, worsened: the side of the signal, which gives the mark its shape), `time` (years).
    """
    axis = axis or Axis(kind="value", reference=None)
    if rows.empty:
        raise ValueError("a control chart needs at least one period")
    rows = _completed(rows)
    upwards = scale_for(axis, rows["value"], rows[["lower", "upper"]], 0.0, BODY)
    left = MARGIN + column_for_numbers(upwards)
    right = WIDTH - MARGIN - widest([words for _, words, _ in LINES], LABEL, 400) - 0.08
    line = timeline(rows, left + min(0.20, (right - left) / (2 * len(rows))), right - 0.08)
    page = open_page(text, BODY, above=0.26, below=0.26)
    page.write(MARGIN, BODY + 0.14, axis.label, color=TEXT2)
    draw_upwards(page, upwards, left, right, grid=False)
    draw_periods(page, line, left, right)
    _draw_limits(page, rows, line, upwards, right)
    _draw_values(page, rows, line, upwards)
    return page.figure


def _completed(rows: pd.DataFrame) -> pd.DataFrame:
    flag = rows["flag"].fillna("").astype(str)
    plain = flag.str.replace("_", " ")
    tag = rows["tag"].fillna("").astype(str).where(lambda words: words != "", plain) if "tag" in rows else plain
    word = rows["word"].fillna("").astype(str) if "word" in rows else ""
    return rows.reset_index(drop=True).assign(
        flag=list(flag), tag=list(tag), word=word if isinstance(word, str) else list(word)
    )


def _draw_limits(page: Page, rows: pd.DataFrame, line: Timeline, upwards: Scale, right: float) -> None:
    """Steps, not slopes: a limit holds for its period and may change with the next."""
    x, half = line.at(rows["period"]), line.step / 2
    edges = np.column_stack([np.maximum(x - half, line.start - 0.1), np.minimum(x + half, right)]).ravel()
    low, high = (np.repeat(upwards.at(rows[name]), 2) for name in ("lower", "upper"))
    page.band(edges, low, high, color=BAND, zorder=0)
    ends = []
    for name, words, colour in LINES:
        look = {"color": INK, "lw": 0.8} if name == "centre" else {"color": MARK, "lw": 0.8, "dashes": (4, 2.5)}
        page.line(edges, np.repeat(upwards.at(rows[name]), 2), zorder=1, **look)
        known = rows[name].dropna()
        if len(known):
            ends.append((upwards.place(float(known.iloc[-1])), words, colour))
    for y, (_, words, colour) in zip(spread([end[0] for end in ends], 0.135, 0, BODY), ends, strict=True):
        page.write(right + 0.08, y, words, color=colour)


def _draw_values(page: Page, rows: pd.DataFrame, line: Timeline, upwards: Scale) -> None:
    x, y = line.at(rows["period"]), upwards.at(rows["value"])
    size = 4.6 if len(rows) <= 40 else 3.4
    for run in runs(line, rows["period"], rows["value"]):
        page.line(x[run], y[run], color=MARK, lw=1.0, zorder=2)
    flagged = (rows["flag"] != "").to_numpy()
    draw_marks(page, x[~flagged], y[~flagged], look_of(""), size)
    for word in dict.fromkeys(rows["word"][flagged]):
        mine = flagged & (rows["word"] == word).to_numpy()
        draw_marks(page, x[mine], y[mine], look_of(word) if look_of(word).decided else SIGNAL, size * 1.15)
    points = np.column_stack([x, y])[np.isfinite(y)]
    lines = np.vstack([along(x, y), *(along(x, upwards.at(rows[name])) for name, _, _ in LINES)])
    place_callouts(page, _signals(rows, x, y), points, (line.start - 0.1, line.end + 0.1, 0.02, BODY), lines)


def _signals(rows: pd.DataFrame, x: np.ndarray, y: np.ndarray) -> list[Callout]:
    """One callout for each unbroken run of the same signal, at its most extreme point."""
    callouts = []
    for (tag, word), group in groupby(range(len(rows)), key=lambda i: (rows["tag"][i], rows["word"][i])):
        members = [i for i in group if np.isfinite(y[i])]
        if tag and members:
            away = [abs(rows["value"][i] - rows["centre"][i]) for i in members]
            most = members[int(np.nanargmax(away))] if np.isfinite(away).any() else members[0]
            colour = look_of(word).colour if look_of(word).decided else INK
            callouts.append(Callout(float(x[most]), float(y[most]), (str(tag),), SEMIBOLD, colour))
    return callouts

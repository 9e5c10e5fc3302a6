"""Trend: the collaborative's estimated rate over time as a fan, with what was recorded, against the baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from collabeval.plots.callouts import LINE, Callout, along, place_callouts
from collabeval.plots.lettering import spread, widest
from collabeval.plots.page import MARGIN, WIDTH, Page, open_page
from collabeval.plots.scales import Axis, Scale, column_for_numbers, draw_upwards, scale_for
from collabeval.plots.style import (
    ACCENT,
    BAND,
    FAN_50,
    FAN_80,
    FAN_95,
    FAN_EDGE,
    INK,
    LABEL,
    PAPER,
    SEMIBOLD,
    TEXT2,
    FigureText,
    styled,
)  # fmt: skip
from collabeval.plots.timeline import Timeline, draw_periods, runs, timeline

BODY = 2.75
BELOW = 0.26
FAN = (("q025", "q975", FAN_95), ("q10", "q90", FAN_80), ("q25", "q75", FAN_50))


@dataclass(frozen=True)
class TrendLabels:
    """Words set inside the trend, each "" (or None) for none.

    `estimate` and `baseline` stand at the right ends of their lines; `baseline_level` is the height of the baseline's
    line and `baseline_periods` are shaded; `change` says the change with its interval, in one line or two; `remarkable`
    names one period and what to say beside its dot.
    """

    estimate: str = ""
    baseline: str = ""
    baseline_level: float | None = None
    baseline_periods: tuple[str, ...] = ()
    change: str = ""
    remarkable: tuple[str, str] | None = None


@styled
def trend(
    fan: pd.DataFrame,
    text: FigureText,
    labels: TrendLabels | None = None,
    axis: Axis | None = None,
    body: float = BODY,
) -> Figure:
    """Draw the median with 50, 80 and 95% bands, and the recorded values as dots.

    Parameters
    ----------
    fan : one row per period in order: `period, observed, q025, q10, q25, q50, q75, q90, q975` on the display scale, NaN
        for a gap; `time` (years) if periods are missing between rows.
    axis : by default values from zero, without a name (the subtitle names the unit). body : inches from the lowest to
        the highest value.
    """
    labels, axis = labels or TrendLabels(), axis or Axis(kind="value", reference=None, from_zero=True)
    if fan.empty:
        raise ValueError("a trend needs at least one period")
    upwards = _scale_upwards(fan, labels, axis, body)
    change_y = _place_of_change(fan, upwards, labels.change)
    page = open_page(text, body, above=0.14 if change_y < body or not labels.change else 0.42, below=BELOW)
    left = MARGIN + column_for_numbers(upwards)
    right = WIDTH - MARGIN - max(widest([labels.estimate, labels.baseline], LABEL), 0.2) - 0.08
    inset = min(0.25, (right - left) / (2 * len(fan)))
    line = timeline(fan, left + inset, right - 0.10)
    _draw_baseline(page, line, upwards, labels, left, right)
    draw_upwards(page, upwards, left, right)
    draw_periods(page, line, left, right)
    _draw_fan(page, fan, line, upwards)
    _draw_labels(page, fan, line, upwards, labels)
    page.write(line.end + 0.04, change_y, labels.change, fontsize=8.5, ha="right", linespacing=1.25)
    return page.figure


def _scale_upwards(fan: pd.DataFrame, labels: TrendLabels, axis: Axis, body: float) -> Scale:
    """All that is drawn, with headroom for the word over the baseline."""
    level = [] if labels.baseline_level is None else [labels.baseline_level]
    tight = scale_for(axis, [*fan["observed"], *level], fan[["q025", "q975"]], 0.0, body)
    headroom = [] if axis.kind == "ratio" else [tight.high + 0.12 * (tight.high - tight.low)]
    return scale_for(
        axis, [*fan["observed"], *level], [*fan[["q025", "q975"]].to_numpy(float).ravel(), *headroom], 0.0, body
    )


def _draw_baseline(page: Page, line: Timeline, upwards: Scale, labels: TrendLabels, left: float, right: float) -> None:
    shaded = [period for period in labels.baseline_periods if period in line.periods]
    if shaded:
        places = line.at(shaded)
        start = left if line.periods[0] in shaded else places.min() - line.step / 2
        end = min(places.max() + line.step / 2, right)
        page.box(start, end, 0, page.body, color=BAND, zorder=0)
        page.write(start + 0.08, page.body - 0.09, "Baseline", color=TEXT2)
    if labels.baseline_level is not None:
        y = upwards.place(labels.baseline_level)
        page.line([left, right], [y, y], color=INK, lw=0.7, dashes=(4, 2.5), zorder=2)


def _draw_fan(page: Page, fan: pd.DataFrame, line: Timeline, upwards: Scale) -> None:
    x = line.at(fan["period"])
    for run in runs(line, fan["period"], fan["q50"]):
        along, some = x[run], fan.iloc[run]
        if len(run) == 1:  # a band of no width would not be seen
            along, some = np.array([along[0] - 0.05, along[0] + 0.05]), fan.iloc[[run[0], run[0]]]
        for low, high, colour in FAN:
            page.band(along, upwards.at(some[low]), upwards.at(some[high]), color=colour, zorder=1)
        for edge in ("q025", "q975"):
            page.line(along, upwards.at(some[edge]), color=FAN_EDGE, lw=0.5, zorder=1.5)
        page.line(along, upwards.at(some["q50"]), color=ACCENT, lw=1.8, zorder=2)
    size = 4.7 if len(fan) <= 24 else 3.2
    page.line(
        x, upwards.at(fan["observed"]), linestyle="none", marker="o", markersize=size, markerfacecolor=INK,
        markeredgecolor=PAPER, markeredgewidth=0.6, zorder=3,
    )  # fmt: skip


def _draw_labels(page: Page, fan: pd.DataFrame, line: Timeline, upwards: Scale, labels: TrendLabels) -> None:
    known = fan["q50"].dropna()
    ends: list[tuple[float, str, dict[str, object]]] = []
    if labels.estimate and len(known):
        ends.append((upwards.place(known.iloc[-1]), labels.estimate, {"color": ACCENT, "fontweight": SEMIBOLD}))
    if labels.baseline and labels.baseline_level is not None:
        ends.append((upwards.place(labels.baseline_level), labels.baseline, {"color": INK}))
    start = line.end + 0.10 + 0.08
    for y, (_, words, look) in zip(spread([end[0] for end in ends], 0.16, 0, page.body), ends, strict=True):
        page.write(start, y, words, **look)
    if labels.remarkable:
        _draw_remarkable(page, fan, line, upwards, labels.remarkable)


def _draw_remarkable(
    page: Page, fan: pd.DataFrame, line: Timeline, upwards: Scale, remarkable: tuple[str, str]
) -> None:
    period, words = remarkable
    dots = np.column_stack([line.at(fan["period"]), upwards.at(fan["observed"])])
    x, y = dots[(fan["period"].astype(str) == period).to_numpy()][0]
    soft = np.vstack([along(dots[:, 0], upwards.at(fan[name])) for name in ("q025", "q50", "q975")])
    place_callouts(
        page, [Callout(float(x), float(y), (words,), 400, TEXT2)], dots, (line.start, line.end, 0.0, page.body), soft
    )


def _place_of_change(fan: pd.DataFrame, upwards: Scale, words: str) -> float:
    """Height of the words on change: low or high in the body if the later fan leaves room, else above."""
    half = (LINE * 1.1 * (words.count("\n") + 1)) / 2 + 0.05
    last = upwards.at(fan[["observed", "q025", "q975"]].to_numpy(float)[len(fan) // 3 :])
    if not np.isfinite(last).any() or np.nanmin(last) > 2 * half + 0.08:
        return half + 0.04
    top = upwards.end
    return top - half if np.nanmax(last) < top - 2 * half - 0.04 else top + half

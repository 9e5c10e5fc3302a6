"""Value: what went in and what came out, events on scales of their own and money as a sum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from collabeval.plots.lettering import shorten, widest
from collabeval.plots.page import MARGIN, WIDTH, Page, open_page
from collabeval.plots.scales import Axis, draw_across, number, scale_for
from collabeval.plots.style import (
    ACCENT,
    ACCENT2,
    INK,
    LABEL,
    MARK,
    PAPER,
    RULE,
    SEMIBOLD,
    TEXT2,
    FigureText,
    styled,
)  # fmt: skip

ROW = 0.58  # inches
LEFT, RIGHT = 2.15, 5.45  # of the plot
BAR = 0.20
ABOVE = 0.14
NAMES = LEFT - 0.45
FILLS = {"avoided": RULE, "cost": MARK, "net": ACCENT}
QUANTILES = ("q025", "q25", "q50", "q75", "q975")


@dataclass(frozen=True)
class Bar:
    """One bar of the sum: from where to where, and the interval under it (NaN where there is none)."""

    kind: str
    start: float
    end: float
    ends: np.ndarray  # (5,) quantiles as they lie on the scale


@styled
def value(events: pd.DataFrame, money: pd.DataFrame, text: FigureText, axis: str) -> Figure:
    """Draw events avoided, each on a scale of its own, and below them cost avoided − programme cost = net.

    Parameters
    ----------
    events : `label, sub, q025, q25, q50, q75, q975, value, range, unit`: words at the left, numbers as words at the
        right, and the noun at the end of the scale. May be empty.
    money : the same without `unit`, with `kind`: `avoided`, `cost` or `net`, in this order, on the scale that `axis`
        names; the quantiles of a known cost are NaN but for `q50`.
    """
    if events.empty and money.empty:
        raise ValueError("a figure of value needs events or money")
    body = ROW * (len(events) + len(money)) + (0.12 if len(events) and len(money) else 0)
    page = open_page(text, body, ABOVE, 0.42 if len(money) else 0.05)
    for place, row in events.reset_index(drop=True).iterrows():
        _draw_events(page, row, body - ROW * (int(str(place)) + 0.5))
    if len(money):
        _draw_money(page, money.reset_index(drop=True), axis)
    return page.figure


def _draw_events(page: Page, row: pd.Series, y: float) -> None:
    _draw_words(page, row, y, INK)
    axis = Axis(kind="value", reference=0.0, from_zero=True)
    scale = scale_for(axis, [row["q50"]], row[["q025", "q975"]], LEFT, RIGHT - 0.6)
    base = y - 0.11
    page.line([scale.start, scale.end], [base, base], color=MARK, lw=0.6)
    for tick in scale.ticks:
        page.line([scale.place(tick)] * 2, [base - 0.04, base], color=MARK, lw=0.6)
        page.write(scale.place(tick), base - 0.12, number(tick), ha="center", color=TEXT2)
    last = max((scale.place(tick) + widest([number(tick)], LABEL, 400) / 2 for tick in scale.ticks), default=scale.end)
    page.write(last + 0.08, base - 0.12, row["unit"], color=TEXT2)
    if scale.low < 0:
        page.line([scale.place(0)] * 2, [base, y + 0.16], color=INK, lw=0.7)
    _draw_interval(page, scale.at(row[list(QUANTILES)].to_numpy(float)), y + 0.06, INK, MARK)


def _draw_money(page: Page, money: pd.DataFrame, axis: str) -> None:
    bars = _bars(money)
    ends = [each for bar in bars for each in (bar.start, bar.end)]
    scale = scale_for(
        Axis(axis, "value", 0.0), ends, np.concatenate([bar.ends for bar in bars]), LEFT, RIGHT, apart=0.4
    )
    top = ROW * len(money)
    draw_across(page, scale, Axis(axis, "value", 0.0), grid_top=top)
    for place, (bar, (_, row)) in enumerate(zip(bars, money.iterrows(), strict=True)):
        y = top - ROW * (place + 0.5)
        loss = bar.kind == "net" and row["q50"] < 0
        hot = bar.kind == "net" and not loss
        _draw_words(page, row, y, ACCENT if hot else INK)
        left, right = sorted(scale.at([bar.start, bar.end]))
        page.box(left, right, y + 0.09 - BAR / 2, y + 0.09 + BAR / 2, color=INK if loss else FILLS[bar.kind], zorder=2)
        _draw_interval(page, scale.at(bar.ends), y - 0.10, ACCENT if hot else INK, ACCENT2 if hot else MARK)
        if place + 1 < len(bars):
            page.line([scale.place(bar.end)] * 2, [y + 0.09 - BAR / 2, y - ROW + 0.09 + BAR / 2], lw=0.7, zorder=3)


def _bars(money: pd.DataFrame) -> list[Bar]:
    """The cost hangs from the end of what was avoided, where there is such a bar."""
    found: list[Bar] = []
    for _, row in money.iterrows():
        quantiles = row[list(QUANTILES)].to_numpy(float)
        start = found[-1].end if row["kind"] == "cost" and found else 0.0
        end = start - row["q50"] if row["kind"] == "cost" and found else float(row["q50"])
        found.append(Bar(row["kind"], start, end, np.where(np.isfinite(quantiles[[0]]), quantiles, np.nan)))
    return found


def _draw_interval(page: Page, places: np.ndarray, y: float, colour: str, line: str) -> None:
    """95 and 50% interval and the estimate, at places (5,) in inches; NaN is not drawn."""
    low, quarter, middle, three_quarters, high = places
    page.line([low, high], [y, y], color=line, lw=1.0, zorder=5)
    page.line([quarter, three_quarters], [y, y], color=line, lw=3.4, zorder=5)
    page.line(
        [middle], [y], linestyle="none", marker="o", markersize=4.8, markerfacecolor=colour, markeredgecolor=PAPER,
        markeredgewidth=0.6, zorder=6,
    )  # fmt: skip


def _draw_words(page: Page, row: pd.Series, y: float, colour: str) -> None:
    """What it is at the left, its number and interval at the right."""
    look = {"fontweight": SEMIBOLD, "color": colour}
    page.write(MARGIN, y + 0.08, shorten(row["label"], LEFT - 0.2, 9.5, SEMIBOLD), fontsize=9.5, **look)
    page.write(MARGIN, y - 0.08, shorten(row["sub"], LEFT - 0.2, LABEL), color=TEXT2)
    page.write(WIDTH - MARGIN, y + 0.08, row["value"], fontsize=11, ha="right", **look)
    page.write(WIDTH - MARGIN, y - 0.10, row["range"], ha="right", color=TEXT2)

"""The figures of docs/calibration.md and docs/operating_characteristics.md, in the look of the reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from calibration.uniform import Curve
from collabeval.plots.style import (
    ACCENT,
    ACCENT2,
    ACCENT3,
    BAND,
    GRID,
    LABEL,
    MARK,
    NOTE,
    RULE,
    SEMIBOLD,
    TEXT2,
    TITLE,
    styled,
)

WIDTH = 7.0
OUTSIDE = "#B4500F"  # a curve that leaves its band
SHADES = (ACCENT3, ACCENT2, ACCENT)
CLAIMS = (
    ("better or worse", ("better", "worse"), "95 % interval"),
    ("among the best", ("any of the best",), "best tenth of raw rates"),
    ("improved or worsened", ("improved", "worsened"), "two rates, p < 0.05"),
)


Row = tuple[str, Sequence[tuple[str, Mapping[str, Curve]]]]  # words above a row of panels; name and curves of each
COLUMNS = 3
TOP, ROW_WORDS, PANEL_WORDS, PANEL, TICKS, BOTTOM = 0.4, 0.16, 0.2, 1.25, 0.32, 0.24  # heights, inches
LEFT, STEP, ACROSS = 0.095, 0.318, 0.255  # of panels, in widths of the figure


@styled
def rank_curves(title: str, rows: Sequence[Row], limit: float) -> Figure:
    """ECDF differences of every study, a panel each; a curve is marked where its p-value is below the limit.

    A panel without curves stays empty.
    """
    above = PANEL_WORDS + (ROW_WORDS if any(words for words, _ in rows) else 0)
    each = above + PANEL + TICKS
    height = TOP + BOTTOM + each * len(rows)
    figure = Figure(figsize=(WIDTH, height))
    _titled(figure, title)
    for place, (words, panels) in enumerate(rows):
        top = height - TOP - each * place
        figure.text(0.005, top / height, words, fontsize=LABEL, fontweight=SEMIBOLD, va="top")
        drawn = [(column, name, curves) for column, (name, curves) in enumerate(panels) if curves]
        for column, name, curves in drawn:
            box = (LEFT + STEP * column, (top - above - PANEL) / height, ACROSS, PANEL / height)
            axis = figure.add_axes(box)
            _curves(axis, name, curves, limit)
            if column == drawn[0][0]:
                axis.set_ylabel("ECDF less uniform", fontsize=NOTE, color=TEXT2, labelpad=6)
    words = "Place of the truth among the draws, 0 to 1; one line a quantity, band 95 % over the whole curve"
    figure.text(LEFT, 0.08 / height, words, fontsize=NOTE, color=TEXT2)
    return figure


def _curves(axis: Axes, name: str, curves: Mapping[str, Curve], limit: float) -> None:
    first = next(iter(curves.values()))
    axis.fill_between(first.point, first.low, first.high, color=BAND, lw=0)
    for edge in (first.low, first.high):
        axis.plot(first.point, edge, color=RULE, lw=0.6)
    for quantity, curve in curves.items():
        strays = curve.p_value < limit
        axis.plot(curve.point, curve.difference, color=OUTSIDE if strays else ACCENT2, lw=1.1 if strays else 0.6)
        if strays:
            top = int(np.argmax(np.abs(curve.difference)))
            side = "right" if curve.point[top] > 0.5 else "left"  # the label stays within its panel
            axis.annotate(quantity, (curve.point[top], curve.difference[top]), fontsize=NOTE, color=OUTSIDE, ha=side)
    _plain(axis, name)
    axis.set_title(name, fontsize=NOTE, loc="left", color=TEXT2, pad=4)
    axis.set_xlim(0, 1)
    axis.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    drawn = (first.low, first.high, *(curve.difference for curve in curves.values()))
    reach = 1.08 * max(np.abs(each).max() for each in drawn)
    axis.set_ylim(-reach, reach)
    axis.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))


@styled
def characteristics(counts: pd.DataFrame) -> Figure:
    """Share of the named sites that are wrongly named, and power, by volume and spread; naive rules in grey."""
    spreads, volumes = sorted(counts["spread"].unique()), sorted(counts["volume"].unique())
    figure = Figure(figsize=(WIDTH, 6.6))
    _titled(figure, "Wrong names, and sites found: the rules (blue) and naive rules (grey)")
    axes = figure.subplots(len(CLAIMS), 2, squeeze=False)
    for (title, names, naive), (left, right) in zip(CLAIMS, axes, strict=True):
        for rule in ("naive", "words"):
            part = counts[counts["claim"].isin(names) & counts["rule"].eq(rule)]
            totals = part.groupby(["spread", "volume"])[["named", "wrong", "sought", "found"]].sum()
            for spread, shade in zip(spreads, SHADES, strict=True):
                row = totals.loc[spread].reindex(volumes)
                look = (
                    {"color": shade, "lw": 1.6} if rule == "words" else {"color": MARK, "lw": 0.8, "ls": _dash(shade)}
                )
                left.plot(volumes, _share(row["wrong"], row["named"]), marker="o", ms=2.5, **look)
                right.plot(volumes, _share(row["found"], row["sought"]), marker="o", ms=2.5, **look)
        _plain(left, f"{title}: wrong, %")
        _plain(right, "found, % of those sought")
        left.annotate(
            f"grey: {naive}", (1, 1), xycoords="axes fraction", ha="right", va="top", fontsize=NOTE, color=TEXT2
        )
        for axis in (left, right):
            axis.set_xscale("log")
            axis.set_xticks(volumes, [str(volume) for volume in volumes])
            axis.minorticks_off()
            axis.set_ylim(-3, 103)
    for axis in axes[-1]:
        axis.set_xlabel("events of a site in a year", fontsize=NOTE, color=TEXT2)
    _key(figure, spreads)
    figure.subplots_adjust(left=0.06, right=0.99, bottom=0.075, top=0.87, wspace=0.14, hspace=0.42)
    return figure


def _share(part: pd.Series, whole: pd.Series) -> np.ndarray:
    return 100 * np.divide(
        part.to_numpy(float), whole.to_numpy(float), out=np.full(len(whole), np.nan), where=whole > 0
    )


def _dash(shade: str) -> tuple[int, tuple[float, ...]]:
    return (0, ((1, 2), (4, 2), ())[SHADES.index(shade)])


def _key(figure: Figure, spreads: Sequence[float]) -> None:
    """The three spreads, blue by the rules and grey by naive ones."""
    x = 0.06
    for spread, shade in zip(spreads, SHADES, strict=True):
        for place, look in (
            (0.932, {"color": shade, "lw": 1.6}),
            (0.918, {"color": MARK, "lw": 0.8, "ls": _dash(shade)}),
        ):
            line = figure.add_artist(_line(x, place, **look))
            line.set_transform(figure.transFigure)
        figure.text(x + 0.045, 0.925, f"τ = {spread:g}", fontsize=LABEL, color=TEXT2, va="center")
        x += 0.14
    figure.text(x, 0.925, "τ: sd between sites, log-odds; wrong: % of the named", fontsize=NOTE, color=TEXT2,
                va="center")  # fmt: skip


def _line(x: float, y: float, **look: Any) -> Line2D:
    return Line2D([x, x + 0.035], [y, y], **look)


def _titled(figure: Figure, words: str) -> None:
    size = TITLE - 2
    figure.text(0.005, 0.99, words, fontsize=size, fontweight=SEMIBOLD, va="top")


def _plain(axis: Axes, name: str) -> None:
    axis.set_title(name, fontsize=LABEL, loc="left", fontweight=SEMIBOLD, pad=4)
    axis.tick_params(labelsize=NOTE, length=0, colors=TEXT2)
    axis.grid(axis="y", color=GRID, lw=0.6)
    axis.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.spines["bottom"].set_color(RULE)

"""Funnel plot: what each site reported against how much was expected, and how far chance alone reaches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from collabeval.plots.callouts import Callout, along, place_callouts
from collabeval.plots.lettering import spread, widest
from collabeval.plots.marks import BAD, NEUTRAL, Look, draw_marks
from collabeval.plots.page import ABOVE, BELOW, MARGIN, WIDTH, Page, open_page
from collabeval.plots.scales import Axis, Scale, column_for_numbers, draw_across, draw_upwards, scale_for
from collabeval.plots.style import BAND, INK, LABEL, MARK, SEMIBOLD, TEXT2, FigureText, styled

BODY = 3.2
FAR = 1.5
OUTSIDE = ("above_998", "below_998")
OUTSIDE_PLAIN = Look("o", INK, TEXT2, size=1.1, decided=True)
BEYOND = Look("^", MARK, MARK, hollow=True)  # further up than the scale goes
LIMITS = (
    ("upper_95", "lower_95", "95% limits", {"color": MARK, "lw": 0.8}),
    ("upper_998", "lower_998", "99.8% limits", {"color": MARK, "lw": 1.1}),
    ("upper_od", "lower_od", "99.8%, over-dispersed", {"color": INK, "lw": 1.0, "dashes": (4, 2.5)}),
)


@styled
def funnel(rows: pd.DataFrame, curves: pd.DataFrame, text: FigureText, size: Axis, axis: Axis | None = None) -> Figure:
    """Draw recorded values against size, with control limits, and name the sites outside the 99.8% limits.

    Parameters
    ----------
    rows : one per site: `label`; `expected` (size: expected events, or cases); `ratio` (recorded value; NaN drops the
        dot); `flag` and `flag_overdispersed` (outside: above_998, below_998); `tag` (second line of the label).
    curves : limits over a grid of sizes: `expected, centre, lower_95, upper_95, lower_998, upper_998`, and `lower_od,
        upper_od` (NaN or absent: not drawn).
    size, axis : what runs across ("Expected deaths → larger programmes") and upwards ("Observed ÷ expected").
    """
    axis = axis or Axis(label="Observed ÷ expected", reference_label="as expected")
    rows = rows[np.isfinite(rows["ratio"].astype(float)) & np.isfinite(rows["expected"].astype(float))]
    if rows.empty:
        raise ValueError("a funnel plot needs at least one point")
    page = open_page(text, BODY, ABOVE, BELOW)
    size = replace(size, kind="value", reference=None, from_zero=True)
    upwards = _scale_upwards(rows, curves, axis)
    across = _scale_across(rows, curves, size, axis, MARGIN + column_for_numbers(upwards))
    draw_upwards(page, upwards, across.start, across.end, grid=False)
    draw_across(page, across, size, grid_top=0.0)
    page.write(MARGIN, BODY + 0.14, axis.label, color=TEXT2)
    shown = curves[curves["expected"].between(across.low, across.high)]
    lines = _draw_limits(page, shown, across, upwards, axis)
    left_out = _draw_points(page, rows, across, upwards, lines)
    if left_out:
        words = f"and {left_out} more outside the limits, named in the text"
        page.write(across.end, BODY + 0.14, words, ha="right", color=TEXT2)
    return page.figure


def _drawn(curves: pd.DataFrame, column: str) -> bool:
    return column in curves and bool(curves[column].notna().any())


def _scale_across(rows: pd.DataFrame, curves: pd.DataFrame, size: Axis, axis: Axis, left: float) -> Scale:
    """Sizes from zero, with room at the right for the names of the limits."""
    named = [words for upper, _, words, _ in LIMITS if _drawn(curves, upper)]
    right = WIDTH - MARGIN - widest([*named, axis.reference_label], LABEL, 400) - 0.08
    return scale_for(size, rows["expected"], [], left, right)


def _scale_upwards(rows: pd.DataFrame, curves: pd.DataFrame, axis: Axis) -> Scale:
    """Every site's value, and the limits at their right end; what cannot be negative starts at zero.

    Over-dispersed limits far beyond every site (by more than half of what else is shown) do not flatten the rest.

    A value far above all others does not flatten the rest: beyond three times the usual distance it sits on the edge.
    """
    values = rows["ratio"].to_numpy(float)
    size, centre = float(rows["expected"].max()), float(curves["centre"].median())

    def limit(column: str, at: float) -> list[float]:
        return [float(np.interp(at, curves["expected"], curves[column]))] if _drawn(curves, column) else []

    usual = max(float(np.quantile(values, 0.9)), *limit("upper_998", float(rows["expected"].median())))
    top = min(float(values.max()), centre + 3 * (usual - centre)) if usual > centre else float(values.max())
    ends = [top, *limit("upper_998", size)]
    ends += [value for value in limit("upper_od", size) if value - centre < FAR * (max(ends) - centre)]
    if axis.kind == "value" and not axis.from_zero:
        ends += [float(values.min()), *limit("lower_998", size), *limit("lower_od", size)]
    upwards = Axis(axis.label, "value", axis.reference, from_zero=axis.from_zero or axis.kind == "ratio")
    return scale_for(upwards, [], ends, 0.0, BODY)


def _draw_limits(page: Page, curves: pd.DataFrame, across: Scale, upwards: Scale, axis: Axis) -> np.ndarray:
    """Draw band, limits and centre, named at their right ends; return points on the lines, for labels to keep off."""
    frame = Rectangle((across.start, 0), across.end - across.start, BODY, transform=page.sheet.transData)
    x = across.at(curves["expected"])
    low, high = (_up(curves[name], upwards) for name in ("lower_95", "upper_95"))
    page.band(x, low, high, color=BAND, zorder=0, clip_on=True).set_clip_path(frame)
    ends, lines = [(axis.reference_label, curves["centre"].iloc[-1], INK)], [along(x, _up(curves["centre"], upwards))]
    for upper, lower, words, look in (limit for limit in LIMITS if _drawn(curves, limit[0])):
        for column in (upper, lower):
            values = curves[column].where(curves[column] > 0) if upwards.low >= 0 else curves[column]
            page.line(x, _up(values, upwards), zorder=1, **look, clip_on=True).set_clip_path(frame)
            lines.append(along(x, _up(values, upwards)))
        last = next((value for value in curves[[upper, lower]].iloc[-1] if upwards.holds(value)), None)
        ends += [] if last is None else [(words, last, INK if look["color"] == INK else TEXT2)]
    page.line(x, _up(curves["centre"], upwards), color=INK, lw=0.7, zorder=1)
    heights = spread([upwards.place(value) for _, value, _ in ends], 0.135, 0.0, BODY)
    for y, (words, _, colour) in zip(heights, ends, strict=True):
        page.write(across.end + 0.08, y, words, color=colour)
    return np.vstack(lines)


def _up(values: pd.Series, upwards: Scale) -> np.ndarray:
    """Places without the clipping of `Scale.at`: the curve is cut by the frame, not bent along it."""
    share = (values.to_numpy(float) - upwards.low) / (upwards.high - upwards.low)
    return upwards.start + np.clip(share, -1, 5) * (upwards.end - upwards.start)


def _draw_points(page: Page, rows: pd.DataFrame, across: Scale, upwards: Scale, lines: np.ndarray) -> int:
    """Draw the sites and name those outside; return how many names found no place."""
    x, y = across.at(rows["expected"]), upwards.at(rows["ratio"])
    outside = rows["flag"].isin(OUTSIDE).to_numpy()
    both = outside & rows["flag_overdispersed"].isin(OUTSIDE).to_numpy()
    beyond = (rows["ratio"] > upwards.high).to_numpy()
    y = np.where(beyond, y - 0.03, y)
    kinds = ((~outside & ~beyond, NEUTRAL), (outside & ~both & ~beyond, OUTSIDE_PLAIN), (both & ~beyond, BAD))
    for mine, look in (*kinds, (beyond, BEYOND)):
        draw_marks(page, x[mine], y[mine], look, 4.9)
    far = np.abs(rows["ratio"].to_numpy(float) - float(np.median(rows["ratio"])))
    callouts = []
    for place in sorted(np.flatnonzero(outside), key=lambda place: (not both[place], -far[place])):
        row, weight = rows.iloc[place], SEMIBOLD if both[place] else 400
        words = tuple(words for words in (str(row["label"]), str(row["tag"])) if words)
        callouts.append(Callout(float(x[place]), float(y[place]), words, weight, INK))
    bounds = (across.start, across.end, 0.02, BODY + 0.02)
    return place_callouts(page, callouts, np.column_stack([x, y]), bounds, lines)

"""Funnel plot: what each site reported against how much was expected, and how far chance alone reaches."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from collabeval.plots.callouts import Callout, place_callouts, say_left_out
from collabeval.plots.lettering import spread, widest
from collabeval.plots.marks import BAD, NEUTRAL, Look, draw_marks
from collabeval.plots.page import ABOVE, BELOW, MARGIN, WIDTH, Page, open_page
from collabeval.plots.scales import Axis, Scale, column_for_numbers, draw_across, draw_upwards, scale_for
from collabeval.plots.style import BAND, INK, LABEL, MARK, SEMIBOLD, TEXT2, FigureText, styled

BODY = 3.55
OUTSIDE = ("above_998", "below_998")
OUTSIDE_PLAIN = Look("o", INK, TEXT2, size=1.1, decided=True)
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
    rows : one per site: `label`; `expected` (size: expected events or cases); `ratio` (recorded value; NaN drops the dot);
        `flag` and `flag_overdispersed` (above_998, below_998 are outside; anything else is not); `tag` (second line of the label).
    curves : limits over a grid of sizes: `expected, centre, lower_95, upper_95, lower_998, upper_998`, and `lower_od, upper_od` (NaN or
        absent: not drawn).
    size, axis : what runs across ("Expected deaths → larger programmes") and upwards ("Observed ÷ expected", reference 1).
    """
    axis = axis or Axis(label="Observed ÷ expected", reference_label="as expected")
    rows = rows[np.isfinite(rows["ratio"].astype(float)) & np.isfinite(rows["expected"].astype(float))]
    if rows.empty:
        raise ValueError("a funnel plot needs at least one point")
    page = open_page(text, BODY, ABOVE, BELOW)
    upwards = _scale_upwards(rows, curves, axis)
    left = MARGIN + column_for_numbers(upwards)
    right = WIDTH - MARGIN - widest([words for _, _, words, _ in LIMITS] + [axis.reference_label], LABEL, 400) - 0.08
    across = scale_for(Axis(size.label, "value", None, from_zero=True), rows["expected"], [], left, right)
    draw_upwards(page, upwards, left, right, grid=False)
    draw_across(page, across, Axis(size.label, "value", None), grid_top=0.0)
    page.write(MARGIN, BODY + 0.14, axis.label, color=TEXT2)
    _draw_limits(page, curves[curves["expected"] <= across.high], across, upwards, axis)
    _draw_points(page, rows, across, upwards, text.noun)
    return page.figure


def _scale_upwards(rows: pd.DataFrame, curves: pd.DataFrame, axis: Axis) -> Scale:
    """From zero for what cannot be negative; a value far above all others does not flatten the rest: it sits on the edge."""
    values = rows["ratio"].to_numpy(float)
    typical = np.interp(np.median(rows["expected"]), curves["expected"], curves["upper_998"])
    usual = max(float(np.quantile(values, 0.9)), float(typical))
    centre = float(curves["centre"].median())
    top = min(float(values.max()), centre + 3 * (usual - centre)) if usual > centre else float(values.max())
    ends = [top, np.interp(curves["expected"].max(), curves["expected"], curves["upper_998"])]
    if axis.kind == "value" and not axis.from_zero:
        ends += [float(values.min()), np.interp(curves["expected"].max(), curves["expected"], curves["lower_998"])]
    shown = Axis(axis.label, "value", axis.reference, from_zero=axis.from_zero or axis.kind == "ratio")
    return scale_for(shown, [], ends, 0.0, BODY)


def _draw_limits(page: Page, curves: pd.DataFrame, across: Scale, upwards: Scale, axis: Axis) -> None:
    frame = Rectangle((across.start, 0), across.end - across.start, BODY, transform=page.sheet.transData)
    x = across.at(curves["expected"])
    band = page.sheet.fill_between(
        x, _up(curves["lower_95"], upwards), _up(curves["upper_95"], upwards), color=BAND, lw=0, zorder=0
    )
    band.set_clip_path(frame)
    ends: list[tuple[float, str, str]] = []
    for upper, lower, words, look in LIMITS:
        if upper not in curves or curves[upper].isna().all():
            continue
        for column in (upper, lower):
            values = curves[column].where(curves[column] > 0) if upwards.low >= 0 else curves[column]
            (line,) = page.sheet.plot(x, _up(values, upwards), zorder=1, **look)
            line.set_clip_path(frame)
        last = next((float(v) for v in (curves[upper].iloc[-1], curves[lower].iloc[-1]) if upwards.holds(v)), None)
        if last is not None:
            ends.append((upwards.place(last), words, str(look["color"]) if look["color"] == INK else TEXT2))
    page.line(x, _up(curves["centre"], upwards), color=INK, lw=0.7, zorder=1)
    if axis.reference_label:
        ends.append((upwards.place(float(curves["centre"].iloc[-1])), axis.reference_label, INK))
    for y, (_, words, colour) in zip(spread([end[0] for end in ends], 0.135, 0.0, BODY), ends, strict=True):
        page.write(across.end + 0.08, y, words, color=colour)


def _up(values: pd.Series, upwards: Scale) -> np.ndarray:
    """Places without the clipping of `Scale.at`: the curve is cut by the frame, not bent along it."""
    share = (values.to_numpy(float) - upwards.low) / (upwards.high - upwards.low)
    return upwards.start + np.clip(share, -1, 5) * (upwards.end - upwards.start)


def _draw_points(page: Page, rows: pd.DataFrame, across: Scale, upwards: Scale, noun: str) -> None:
    x, y = across.at(rows["expected"]), upwards.at(rows["ratio"])
    outside = rows["flag"].isin(OUTSIDE).to_numpy()
    both = outside & rows["flag_overdispersed"].isin(OUTSIDE).to_numpy()
    beyond = (rows["ratio"] > upwards.high).to_numpy()
    for mine, look in (
        (~outside & ~beyond, NEUTRAL),
        (outside & ~both & ~beyond, OUTSIDE_PLAIN),
        (both & ~beyond, BAD),
    ):
        draw_marks(page, x[mine], y[mine], look, 4.9)
    draw_marks(page, x[beyond], y[beyond] - 0.03, Look("^", MARK, MARK, hollow=True), 4.9)
    callouts = []
    distance = np.abs(np.log(np.maximum(rows["ratio"].to_numpy(float), 1e-9)))
    for place in sorted(np.flatnonzero(outside), key=lambda i: (not both[i], -distance[i])):
        row = rows.iloc[place]
        weight = SEMIBOLD if both[place] else 400
        lines = tuple(words for words in (str(row["label"]), str(row["tag"])) if words)
        callouts.append(Callout(float(x[place]), float(y[place]), lines, weight, INK))
    bounds = (across.start, across.end, 0.02, BODY + 0.02)
    left_out = place_callouts(page, callouts, np.column_stack([x, y]), bounds)
    say_left_out(page, across.end, BODY - 0.08, left_out, noun)

"""Tornado: the net benefit with one input at either end of its range, the widest bar on top."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from collabeval.plots.lettering import shorten, widest
from collabeval.plots.page import MARGIN, WIDTH, open_page
from collabeval.plots.scales import Axis, draw_across, scale_for
from collabeval.plots.style import ACCENT, ACCENT3, INK, LABEL, NOTE, TEXT2, FigureText, styled

ROW, BAR = 0.32, 0.19
ABOVE, BELOW = 0.28, 0.42
NAMES = 2.3
SIDE = 0.62  # room for the words beside a bar


@styled
def value_tornado(bars: pd.DataFrame, base: float, text: FigureText, axis: str, at_base: str) -> Figure:
    """Draw the bars, light where the input is low and dark where it is high, with the inputs' ends beside them.

    Parameters
    ----------
    bars : in order, `label, net_low, net_high` on the axis' scale (net benefit with the input low, and high),
        `low, high` (these inputs in words).
    base : net benefit at the means; `at_base` names its line.
    """
    page = open_page(text, ROW * len(bars) + 0.04, ABOVE, BELOW)
    names = min(NAMES, widest(list(bars["label"]), LABEL, 400))
    left = MARGIN + names + 0.15 + SIDE
    nets = bars[["net_low", "net_high"]].to_numpy(float)
    scale = scale_for(Axis(axis, "value", 0.0), nets, [base], left, WIDTH - MARGIN - SIDE, apart=0.4)
    draw_across(page, scale, Axis(axis, "value", 0.0))
    line = scale.place(base)
    page.line([line, line], [0, page.body], color=ACCENT, lw=0.9, dashes=(4, 2.5), zorder=3)
    zero = scale.place(0.0)
    labels = [(line, at_base, {"color": ACCENT})]
    if abs(zero - line) > 0.02:
        labels.append((zero, "pays for itself →", {"color": INK}))
    page.labels_above(page.body + 0.07, labels)
    for place, row in enumerate(bars.to_dict("records")):
        y = page.body - 0.02 - ROW * (place + 0.5)
        page.write(MARGIN, y, shorten(row["label"], names, LABEL))
        ends = scale.at([row["net_low"], row["net_high"]])
        for end, colour in zip(ends, (ACCENT3, ACCENT), strict=True):
            near, far = sorted((line, float(end)))
            page.box(near, far, y - BAR / 2, y + BAR / 2, color=colour, zorder=2)
        rising = bool(np.argmax(ends))
        words = (row["low"], row["high"]) if rising else (row["high"], row["low"])
        look = {"fontsize": NOTE, "color": TEXT2}
        page.write(_clear_of(zero, float(min(*ends, line)) - 0.05, words[0], -1), y, words[0], ha="right", **look)
        page.write(_clear_of(zero, float(max(*ends, line)) + 0.05, words[1], 1), y, words[1], **look)
    return page.figure


def _clear_of(zero: float, place: float, words: str, side: int) -> float:
    """Where words that would stand across the line at nothing begin: beyond it."""
    far = place + side * (widest([words], NOTE, 400) + 0.02)
    return zero + side * 0.05 if min(place, far) < zero < max(place, far) else place

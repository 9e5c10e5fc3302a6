"""Change: each site's baseline and current value, and beside them the change with its interval."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from collabeval.plots.marks import Look, draw_intervals, draw_marks, look_of
from collabeval.plots.page import ABOVE, BELOW, Page, open_page
from collabeval.plots.rows import Layout, draw_words, plan
from collabeval.plots.scales import Axis, Scale, draw_across, scale_for
from collabeval.plots.style import SEMIBOLD, FigureText, styled

BETWEEN = 0.22  # inches between the two panels
SHARE = 0.58  # of the plot's width for the left one
DIFFERENCE = Axis(label="better ← change → worse", kind="value", reference=0.0)


@styled
def change(
    rows: pd.DataFrame,
    text: FigureText,
    axis: Axis | None = None,
    change_axis: Axis | None = None,
    own: str | None = None,
) -> Figure:
    """Draw baseline (hollow) to current (filled) for each site, and the change with 50% and 95% intervals.

    Parameters
    ----------
    rows : one per site with data in both windows, most improved first: `label, baseline, current` (on `axis`),
        `q025, q25, q50, q75, q975` of the change (on `change_axis`), `word` (slug of the trajectory slot), `tag`.
    axis, change_axis : by default values on a linear scale and their difference, against 0.
    """
    axis = axis or Axis(kind="value", reference=None)
    change_axis = change_axis or DIFFERENCE
    layout = plan(rows, text, ABOVE, BELOW, own)
    page = open_page(text, layout.body)
    middle = layout.left + (layout.right - layout.left) * SHARE
    rows, edge = layout.rows, BETWEEN / 2
    levels = scale_for(axis, rows[["baseline", "current"]], [], layout.left, middle - edge)
    changes = scale_for(change_axis, rows["q50"], rows[["q025", "q975"]], middle + edge, layout.right)
    for scale, one, heading in ((levels, axis, "Baseline to current"), (changes, change_axis, "Change, with interval")):
        draw_across(page, scale, one)
        page.labels_above(page.body + 0.02, [((scale.start + scale.end) / 2, heading, {"fontweight": SEMIBOLD})])
    _draw_dumbbells(page, layout, levels)
    draw_intervals(page, rows, layout.y, changes, layout.pitch)
    draw_words(page, layout, axis.ends, text.noun, changes.at(rows["q975"]))
    return page.figure


def _draw_dumbbells(page: Page, layout: Layout, scale: Scale) -> None:
    size = min(4.6, max(layout.pitch * 72 * 0.5, min(3.4, layout.pitch * 72 * 0.7)))
    ends = scale.at(layout.rows[["baseline", "current"]])
    looks = [look_of(word) for word in layout.rows["word"]]
    for look in dict.fromkeys(looks):
        mine = np.array([other == look for other in looks])
        y, spans = layout.y[mine], ends[mine]
        colour, width = (look.colour, 2.0) if look.decided else (look.thin, 1.4)
        page.spans(spans[:, 0], spans[:, 1], y, color=colour, lw=min(width, layout.pitch * 72 * 0.22), zorder=2)
        draw_marks(page, spans[:, 0], y, Look("o", look.colour, look.thin, size=0.95, hollow=True), size)
        draw_marks(page, spans[:, 1], y, replace(look, hollow=False), size)

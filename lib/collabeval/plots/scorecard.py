"""Scorecard: the points each site is given, against those that its true rates would have earned."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from collabeval.plots.marks import draw_intervals, look_of
from collabeval.plots.page import ABOVE, BELOW, Page, open_page
from collabeval.plots.rows import Layout, draw_words, plan
from collabeval.plots.scales import Axis, Scale, draw_across, scale_for
from collabeval.plots.style import ACCENT, INK, FigureText, styled

HEADING = "award, chance of another"


@styled
def scorecard(
    rows: pd.DataFrame,
    text: FigureText,
    axis: Axis,
    awards: Sequence[tuple[float, str]] = (),
    own: str | None = None,
) -> Figure:
    """Draw a bar across each row where the points on the data lie, over the intervals of the points in truth.

    Parameters
    ----------
    rows : one per site, most points first: `label`; `q025, q25, q50, q75, q975` of the points its true rates would have
        earned and `points` on the data, NaN where nothing may be shown; `word` ("award_in_doubt" or ""); `tag`.
    awards : points from which each award is given, and its name. own : label of the reader's own site.

    Raises ValueError when there is no row or a word is not known.
    """
    layout = plan(rows, text, ABOVE, BELOW, own, HEADING if awards else "")
    page = open_page(text, layout.body)
    ends = layout.rows[["q025", "q975"]]
    scale = scale_for(axis, [*layout.rows["points"], *(at for at, _ in awards)], ends, layout.left, layout.right)
    draw_across(page, scale, axis)
    for at, _ in awards:
        page.line([scale.place(at)] * 2, [0, page.body + 0.02], color=ACCENT, lw=0.8, dashes=(4, 2.5), zorder=1)
    page.labels_above(page.body + 0.03, [(scale.place(at), name, {"color": ACCENT}) for at, name in awards])
    draw_intervals(page, layout.rows, layout.y, scale, layout.pitch)
    _draw_points(page, layout, scale)
    reach = scale.at(layout.rows[["q975", "points"]].max(axis=1))
    draw_words(page, layout, axis.ends, text.noun, reach)
    if awards and not layout.compact:
        page.write(layout.right + 0.12, page.body + 0.09, HEADING)
    return page.figure


def _draw_points(page: Page, layout: Layout, scale: Scale) -> None:
    """An upright stroke as high as the row where the points on the data lie."""
    places, half = scale.at(layout.rows["points"]), 0.42 * layout.pitch
    for word in dict.fromkeys(layout.rows["word"]):
        mine = (layout.rows["word"] == word).to_numpy()
        colour = INK if look_of(word).decided else ACCENT
        x = [value for place in places[mine] for value in (place, place, float("nan"))]
        y = [value for height in layout.y[mine] for value in (height - half, height + half, float("nan"))]
        page.line(x, y, color=colour, lw=min(2.2, 72 * layout.pitch * 0.22), zorder=5)

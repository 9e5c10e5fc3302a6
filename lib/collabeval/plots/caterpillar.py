"""Caterpillar: each site's estimate with its intervals, best on top."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from collabeval.plots.marks import draw_intervals
from collabeval.plots.page import ABOVE, BELOW, Page, open_page
from collabeval.plots.rows import draw_words, plan
from collabeval.plots.scales import Axis, Scale, draw_across, scale_for
from collabeval.plots.style import ACCENT, ACCENT4, INK, FigureText, styled

QUANTILES = ["q025", "q25", "q50", "q75", "q975"]
Benchmark = float | tuple[float, float]


@styled
def caterpillar(
    rows: pd.DataFrame,
    text: FigureText,
    axis: Axis | None = None,
    benchmark: Benchmark | None = None,
    own: str | None = None,
) -> Figure:
    """Draw estimates of sites with 50% and 95% intervals, and the word of each where a rule gives one.

    Parameters
    ----------
    rows : one per site, in display order (best first): `label`; `q025, q25, q50, q75, q975` on the axis' scale, NaN
        where nothing may be shown; `word` (slug of the level slot); `tag` (the word and its chance, "" for none).
    axis : what the values are; by default ratios against 1. benchmark : a value, or the ends of its interval.
    own : label of the reader's own site, whose row is shaded and always named.

    Raises ValueError when there is no row or a word is not known.
    """
    axis = axis or Axis()
    layout = plan(rows, text, ABOVE, BELOW, own)
    page = open_page(text, layout.body)
    edges = () if benchmark is None else benchmark if isinstance(benchmark, tuple) else (benchmark,)
    estimates = [*layout.rows["q50"], *edges]
    scale = scale_for(axis, estimates, layout.rows[["q025", "q975"]], layout.left, layout.right)
    draw_across(page, scale, axis)
    _draw_lines_to_compare(page, scale, axis, edges)
    draw_intervals(page, layout.rows, layout.y, scale, layout.pitch)
    draw_words(page, layout, axis.ends, text.noun, scale.at(layout.rows["q975"]))
    return page.figure


def _draw_lines_to_compare(page: Page, scale: Scale, axis: Axis, benchmark: tuple[float, ...]) -> None:
    labels = []
    if benchmark:
        low, high = scale.place(min(benchmark)), scale.place(max(benchmark))
        if high - low < 0.02:
            page.line([low, low], [0, page.body], color=ACCENT, lw=0.9, dashes=(4, 2.5), zorder=1)
        else:
            page.box(low, high, 0, page.body, color=ACCENT4, zorder=0)
        labels.append(((low + high) / 2, "benchmark", {"color": ACCENT}))
    if axis.reference is not None and axis.reference_label:
        labels.append((scale.place(axis.reference), axis.reference_label, {"color": INK}))
    page.labels_above(page.body + 0.02, labels)

"""Scales, time axes and lettering of the figures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import plot_tables as tables
from collabeval import plots
from collabeval.plots import lettering, scales, timeline
from collabeval.plots.timeline import year_of
from plot_cases import RATIO, TEXT


def test_a_ratio_scale_is_logarithmic_and_a_value_scale_is_not() -> None:
    ratio = scales.Scale("ratio", 0.25, 4.0, 1.0, 5.0)
    assert ratio.at([0.25, 0.5, 1, 2, 4]) == pytest.approx([1, 2, 3, 4, 5])
    value = scales.Scale("value", 0, 10, 1.0, 5.0)
    assert value.at([0, 2.5, 10]) == pytest.approx([1, 2, 5])
    assert ratio.at([0, np.inf]) == pytest.approx([1, 5])
    assert np.isnan(ratio.at([np.nan])).all()


def test_an_interval_beyond_the_scale_ends_in_an_arrowhead() -> None:
    rows = tables.level_rows(2).assign(q025=[0.0, 0.8], q975=[1.2, np.inf])
    shapes = [line.get_marker() for line in plots.caterpillar(rows, TEXT, RATIO).axes[0].lines if len(line.get_xdata())]
    assert "<" in shapes
    assert ">" in shapes


def test_one_site_far_out_does_not_flatten_the_others() -> None:
    rows = tables.level_rows(12)
    rows.loc[0, ["q025", "q25", "q50", "q75", "q975"]] = [0.0001, 0.0005, 0.001, 0.002, 0.004]
    figure = plots.caterpillar(rows, TEXT, RATIO)
    dots = [float(x) for line in figure.axes[0].lines if line.get_marker() in "oD^" for x in line.get_xdata()]
    seen = [x for x in dots if np.isfinite(x)]
    assert len(seen) == 11  # the one far out is an arrowhead at the edge, not a mark in a wrong place
    assert max(seen) - min(seen) > 0.8


@pytest.mark.parametrize(("low", "high"), [(0.5, 2.0), (0.2, 6.0), (0.9, 1.1), (0.02, 30.0), (0.97, 1.04)])
def test_ratio_ticks_are_few_and_hold_one(low: float, high: float) -> None:
    ticks = scales.scale_for(plots.Axis(), [1.0], [low, high], 0.0, 4.0).ticks
    assert 3 <= len(ticks) <= scales.MOST_TICKS
    assert 1.0 in ticks


def test_numbers_on_scales() -> None:
    assert [scales.number(v) for v in (0.7, 1.0, 1500.0, -2.0, 0.05)] == ["0.7", "1", "1,500", "−2", "0.05"]


def test_lines_break_where_periods_are_missing() -> None:
    rows = pd.DataFrame({"period": ["2010", "2011", "2014", "2015"], "time": [0.0, 1.0, 4.0, 5.0]})
    line = timeline.timeline(rows, 0, 5)
    assert [list(run) for run in timeline.runs(line, rows["period"], [1.0] * 4)] == [[0, 1], [2, 3]]
    line = timeline.timeline(rows.drop(columns="time"), 0, 5)
    assert [list(run) for run in timeline.runs(line, rows["period"], [1.0, np.nan, 1.0, 1.0])] == [[0], [2, 3]]
    uneven = pd.DataFrame({"period": ["2010", "2012", "2014", "2015", "2016"], "time": [0.0, 2.0, 4.0, 5.0, 6.0]})
    line = timeline.timeline(uneven, 0, 5)
    assert [list(run) for run in timeline.runs(line, uneven["period"], [1, 1, 1, np.nan, 1])] == [[0, 1, 2], [4]]


def test_a_period_within_a_year_is_named_by_its_year_where_room_is_tight() -> None:
    assert [year_of(period) for period in ("2021Q3", "2021-07", "2021H2", "2021", "wave 2")] == [
        "2021", "2021", "2021", "2021", "wave 2",
    ]  # fmt: skip


def test_years_stand_for_their_parts_on_a_long_axis() -> None:
    rows = pd.DataFrame({"period": tables.periods(40, "quarter")})
    names = [words for _, words in timeline.named_periods(timeline.timeline(rows, 0, 6))]
    assert names == [str(year) for year in range(2015, 2025)]


@given(st.lists(st.floats(0, 7), min_size=1, max_size=30), st.floats(0.01, 0.2))
def test_spread_keeps_order_gaps_and_bounds(places: list[float], gap: float) -> None:
    moved = lettering.spread(places, gap, 0.0, 7.0)
    order = np.argsort(places, kind="stable")
    assert (np.diff(moved[order]) >= gap - 1e-9).all()
    assert moved.min() >= -1e-9
    assert moved.max() <= 7 + 1e-9
    apart = np.diff(np.asarray(places)[order])
    if (apart >= gap).all():
        assert moved == pytest.approx(np.asarray(places))


@given(st.text(min_size=1, max_size=60, alphabet=st.characters(codec="latin-1", exclude_categories=["C"])))
def test_a_shortened_name_fits(name: str) -> None:
    short = lettering.shorten(name, 1.0, 8)
    assert lettering.text_width(short, 8) <= 1.0
    if lettering.text_width(name, 8) <= 0.97:
        assert short == name


def test_titles_break_evenly() -> None:
    lines = lettering.balance(TEXT.title, 6.96, 12.5, 600)
    widths = [lettering.text_width(line, 12.5, 600) for line in lines]
    assert " ".join(lines) == TEXT.title
    assert len(lines) == 2
    assert min(widths) > 0.8 * max(widths)

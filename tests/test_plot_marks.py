"""What a figure shows of its table: words beside marks, sites named or counted, nothing suppressed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

import plot_tables as tables
from collabeval import plots
from collabeval.plots import marks
from plot_cases import RATIO, TEXT, caterpillar, funnel, words_of

NEW_YORK = Path(__file__).parents[2] / "shared" / "data" / "ny_cabg" / "sites.csv"


def test_shapes_tell_what_colours_tell() -> None:
    looks = [marks.GOOD, marks.BAD, marks.BAD_FEW, marks.NEUTRAL, marks.HOLLOW]
    assert len({(look.shape, look.hollow) for look in looks}) == len(looks)
    assert marks.look_of("better") == marks.GOOD
    assert marks.look_of("worse") == marks.BAD
    assert marks.look_of("not_enough_data").hollow
    assert marks.look_of(None) == marks.look_of(np.nan) == marks.look_of("") == marks.NEUTRAL


@pytest.mark.parametrize("count", [12, 45, 100])
def test_every_decided_row_has_its_mark_and_its_words(count: int) -> None:
    rows = tables.level_rows(count)
    figure = caterpillar(count)
    texts = {text.get_text(): text for text in figure.findobj(Text)}
    drawn = {
        (line.get_marker(), round(float(y), 3))
        for line in figure.axes[0].lines
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
        if line.get_markersize() > 1 and np.isfinite(x)
    }
    heights = sorted({y for marker, y in drawn if marker in ("^", "D", "o")}, reverse=True)
    assert len(heights) == count
    for row, y in zip(rows.itertuples(), heights, strict=True):
        if not marks.look_of(row.word).decided:
            continue
        assert (marks.look_of(row.word).shape, y) in drawn
        if count <= 45:
            assert any(t.get_text() == row.tag and abs(t.get_position()[1] - y) < 0.002 for t in figure.findobj(Text))
            assert texts[row.label].get_fontweight() == 600
        else:
            assert any(words.startswith(f"{row.label}: {row.word} · ") for words in texts)


def test_beyond_45_sites_only_those_with_a_word_are_named() -> None:
    rows = tables.level_rows(100)
    shown = {words.split(":")[0] for words in words_of(caterpillar(100, own=50)) if words.startswith("Hospital ")}
    decided = [marks.look_of(word).decided for word in rows["word"]]
    assert shown == {*rows["label"][decided], rows["label"][50]}


def test_names_that_find_no_room_are_counted() -> None:
    decided = int(tables.level_rows(300)["word"].isin(["better", "worse"]).sum())
    shown = words_of(caterpillar(300))
    left_out = next(int(found[1]) for words in shown if (found := re.fullmatch(r"and (\d+) more", words)))
    assert sum(words.startswith("Hospital ") for words in shown) + left_out == decided


def test_sites_outside_the_funnel_are_named_or_counted() -> None:
    rows = tables.funnel_rows(150, spread=0.7)
    outside = rows[rows["flag"] != ""]
    shown = words_of(funnel(150, spread=0.7))
    named = [label for label in rows["label"] if label in shown]
    assert set(named) <= set(outside["label"])
    counted = [int(match[1]) for words in shown if (match := re.search(r"and (\d+) more outside", words))]
    assert len(named) + sum(counted) == len(outside)


def test_a_crowded_label_is_cut_to_its_name_before_it_is_left_out() -> None:
    rows = tables.funnel_rows(150, spread=0.7).assign(tag="a second line that is far too long for so many labels")
    curves = tables.funnel_curves(float(rows["expected"].max()))
    shown = words_of(plots.funnel(rows, curves, TEXT, plots.Axis("Expected", "value", None)))
    named = sum(label in shown for label in rows["label"])
    assert named > shown.count("a second line that is far too long for so many labels") > 0


def test_over_dispersed_limits_far_out_do_not_flatten_the_sites() -> None:
    rows = tables.funnel_rows(40)
    curves = tables.funnel_curves(float(rows["expected"].max()))
    curves["upper_od"], curves["lower_od"] = 3 * curves["upper_998"], curves["lower_998"] / 2
    axis = plots.Axis("Expected", "value", None)
    plain = words_of(plots.funnel(rows, curves.drop(columns=["upper_od", "lower_od"]), TEXT, axis))
    shown = words_of(plots.funnel(rows, curves, TEXT, axis))
    assert [words for words in shown if "dispersed" not in words] == plain, "same scale, same names"


def test_a_suppressed_value_leaves_no_mark_and_no_word() -> None:
    rows = tables.funnel_rows(12)
    whole, less = (
        plots.funnel(table, tables.funnel_curves(40.0), TEXT, plots.Axis("Expected"))
        for table in (rows, rows.assign(ratio=rows["ratio"].where(rows["label"] != rows["label"][3])))
    )
    dots = [sum(len(line.get_xdata()) for line in f.axes[0].lines if line.get_marker() in "oD^") for f in (whole, less)]
    assert dots == [12, 11]
    assert rows["label"][3] not in words_of(less)


def test_an_interval_without_estimate_has_no_dot() -> None:
    rows = tables.level_rows(12).assign(q50=np.nan, word="", tag="")
    figure = plots.caterpillar(rows, TEXT, RATIO)
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert not any(np.isfinite(np.asarray(line.get_xdata(), dtype=float)).any() for line in dots)


def test_a_hollow_mark_has_no_thick_line() -> None:
    def widths(word: str) -> set[float]:
        return {
            line.get_linewidth() for line in caterpillar(12, word=word).axes[0].lines if line.get_zorder() in (2, 3)
        }

    assert max(widths("")) > 3
    assert max(widths("not_enough_data")) == max(widths("worse_few_cases")) <= 1.5  # 1.5: the default of arrowheads


def test_small_multiples_say_how_many_are_shown() -> None:
    rows = tables.panels(150)
    shown = words_of(plots.small_multiples(rows, TEXT))
    assert any(words.startswith("42 of 150 hospitals are shown") for words in shown)
    decided = rows[rows["word"] != ""]["label"].unique()
    assert set(decided) <= set(shown)
    biggest = rows[rows["word"] == ""].groupby("label")["size"].max().nlargest(42 - len(decided)).index
    assert set(biggest) <= set(shown)


def test_two_sites_of_one_name_keep_their_own_panels() -> None:
    rows = tables.panels(2)
    rows = rows.assign(site=rows["label"], label="Memorial Hospital")
    assert words_of(plots.small_multiples(rows, TEXT)).count("Memorial Hospital") == 2


@pytest.mark.parametrize(
    "draw", [plots.caterpillar, plots.small_multiples, plots.trend, plots.ranks, plots.change, plots.spc]
)
def test_a_figure_of_nothing_is_refused(draw: Callable[..., Figure]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        draw(tables.level_rows(3).head(0).assign(period="", value=0.0, observed=0.0, mean=0.0), TEXT)


def test_a_word_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="'excellent'"):
        caterpillar(3, word="excellent")


@pytest.mark.skipif(not NEW_YORK.exists(), reason="the New York data are not beside the repository")
def test_the_names_of_new_york_fit_uncut() -> None:
    names = pd.read_csv(NEW_YORK)["name"]
    rows = tables.level_rows(len(names)).assign(label=names)
    assert set(names) <= set(words_of(plots.caterpillar(rows, TEXT, RATIO)))
    panels = tables.panels(len(names))
    panels["label"] = np.repeat(names.to_numpy(), 10)
    assert not any("…" in words for words in words_of(plots.small_multiples(panels, TEXT)))

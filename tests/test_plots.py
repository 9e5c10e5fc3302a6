"""Figures: no words cut or overlapping, words beside marks, the same bytes for a table, nothing suppressed shown."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.text import Text

import plot_tables as tables
from collabeval import plots
from collabeval.plots import lettering, marks, page, scales, timeline
from collabeval.plots.style import drawing_style, families
from collabeval.plots.timeline import year_of

NEW_YORK = Path(__file__).parents[2] / "shared" / "data" / "ny_cabg" / "sites.csv"
TEXT = tables.words_around()
RATIO = plots.Axis(
    "fewer deaths than expected ← observed ÷ expected → more deaths than expected",
    reference_label="as expected",
    ends=("fewest deaths", "most deaths"),
)
MEAN = plots.Axis("Days in hospital", "value", 6.2, "average 6.2")
RATE = plots.Axis("deaths per 1,000 operations", "value", None)
LABELS = plots.TrendLabels(
    "estimate 16", "baseline 15", 14.7, ("2010", "2011", "2012"),
    "2017–2019 against baseline: +1 per 1,000\n(95% interval −1 to +3)", ("2013", "18 recorded in 2013"),
)  # fmt: skip
LONG = "Royal Devon and Exeter University Healthcare NHS Foundation Trust, Northern Services"


def caterpillar(count: int, axis: plots.Axis = RATIO, own: int | None = None, **change: object) -> Figure:
    rows = tables.level_rows(count).assign(**change)
    return plots.caterpillar(rows, TEXT, axis, (0.64, 0.78), own=None if own is None else rows["label"][own])


def funnel(count: int, spread: float = 0.25, **change: object) -> Figure:
    rows = tables.funnel_rows(count, spread=spread).assign(**change)
    curves = tables.funnel_curves(float(rows["expected"].max()))
    return plots.funnel(rows, curves, TEXT, plots.Axis("Expected deaths → larger programmes"))


def means(count: int) -> pd.DataFrame:
    rows = tables.level_rows(count)
    return rows.assign(**{name: 6 + np.log(rows[name]) for name in ("q025", "q25", "q50", "q75", "q975")})


def awkward() -> pd.DataFrame:
    """No events (lower ends at 0, upper ends beyond bounds), ties, a long name, nothing but an interval, nothing."""
    rows = tables.level_rows(12)
    rows.loc[0, ["q025", "q25", "q50"]] = [0.0, 0.0, 0.01]
    rows.loc[1, ["q75", "q975"]] = np.inf
    rows.loc[2:5, ["q025", "q25", "q50", "q75", "q975"]] = [0.8, 0.9, 1.0, 1.1, 1.2]
    rows.loc[6, ["label", "word", "tag"]] = [LONG, "worse_few_cases", "signal, few cases · more than 99 in 100"]
    rows.loc[7, "q50"] = np.nan
    rows.loc[8, ["q025", "q25", "q50", "q75", "q975"]] = np.nan
    return rows


def gaps() -> pd.DataFrame:
    rows = tables.panels(8)
    numbers = ["q025", "q50", "q975", "observed"]
    rows.loc[rows["period"].isin(["2013", "2014"]) & rows["label"].eq(tables.NAMES[0]), numbers] = np.nan
    rows.loc[rows["label"].eq(tables.NAMES[1]) & rows["period"].ne("2015"), numbers] = np.nan
    rows.loc[rows["label"].eq(tables.NAMES[2]), "label"] = LONG
    return rows


COUNTS = (1, 12, 150)
CASES: dict[str, Callable[[], Figure]] = {
    **{f"caterpillar of {n}": (lambda n=n: caterpillar(n)) for n in (1, 2, 3, 12, 37, 45, 46, 100, 300)},
    "caterpillar with own site": lambda: caterpillar(12, own=6),
    "caterpillar of 100 with own site": lambda: caterpillar(100, own=50),
    "caterpillar of means": lambda: plots.caterpillar(means(12), TEXT, MEAN, 5.4),
    "caterpillar, awkward": lambda: plots.caterpillar(awkward(), TEXT, RATIO, (0.9, 1.05)),
    "caterpillar, long names": lambda: caterpillar(12, label=[f"{LONG} {n}" for n in range(12)]),
    "caterpillar of 100, long names": lambda: caterpillar(100, label=[f"{LONG} {n}" for n in range(100)]),
    "caterpillar, long tags": lambda: caterpillar(12, tag=f"worse · more than 99 in 100, and much more: {LONG}"),
    "caterpillar, too few data": lambda: caterpillar(12, word="not_enough_data", tag="not enough data"),
    "caterpillar, nothing known": lambda: caterpillar(3, q025=np.nan, q25=np.nan, q50=np.nan, q75=np.nan, q975=np.nan),
    "caterpillar without note": lambda: plots.caterpillar(tables.level_rows(12), plots.FigureText("A title"), RATIO),
    **{f"funnel of {n}": (lambda n=n: funnel(n)) for n in (1, 2, 37)},
    "funnel of 150, many outside": lambda: funnel(150, spread=0.7),
    "funnel, no events": lambda: funnel(12, ratio=0.0),
    "trend": lambda: plots.trend(tables.fan(), TEXT, LABELS),
    "trend of one period": lambda: plots.trend(tables.fan(1), TEXT, plots.TrendLabels("estimate 16")),
    "trend by quarter": lambda: plots.trend(tables.fan(40, kind="quarter"), TEXT, LABELS_BY_QUARTER),
    "trend by month near zero": lambda: plots.trend(tables.fan(60, kind="month", level=0.4), TEXT, LABELS_BY_QUARTER),
    "trend of a mean": lambda: plots.trend(tables.fan(level=130.0), TEXT, ONLY_CHANGE, RATE),
    "trend of a ratio": lambda: plots.trend(tables.fan(level=1.0), TEXT, plots.TrendLabels(), RATIO),
    **{f"small multiples of {n}": (lambda n=n: plots.small_multiples(tables.panels(n), TEXT)) for n in COUNTS},
    "small multiples by month": lambda: plots.small_multiples(tables.panels(30, 60, kind="month"), TEXT),
    "small multiples with gaps": lambda: plots.small_multiples(gaps(), TEXT, total=20),
    **{f"ranks of {n}": (lambda n=n: plots.ranks(tables.rank_rows(n), TEXT)) for n in (1, 2, 12, 35, 46, 300)},
    "ranks among 60": lambda: plots.ranks(tables.rank_rows(35), TEXT, places=60),
    "ranks, sites far apart": lambda: plots.ranks(tables.rank_rows(35, noise=0.01), TEXT),
    **{f"change of {n}": (lambda n=n: plots.change(tables.change_rows(n), TEXT, RATE)) for n in (1, 12, 36, 100)},
    "change of a ratio": lambda: plots.change(ratios_of_change(), TEXT, RATIO, plots.Axis("better ← ratio → worse")),
    **{f"control chart of {n}": (lambda n=n: plots.spc(tables.spc_rows(n), TEXT, RATE)) for n in (1, 12, 24, 60)},
}  # fmt: skip
ONLY_CHANGE = plots.TrendLabels(change=LABELS.change)
LABELS_BY_QUARTER = plots.TrendLabels("estimate 16", "baseline 15", 0.41, ("2015Q1", "2015-01"), LABELS.change)
every_case = pytest.mark.parametrize("draw", CASES.values(), ids=CASES.keys())


def ratios_of_change() -> pd.DataFrame:
    rows = tables.level_rows(12).assign(baseline=1.2, word=["improved", *[""] * 10, "worsened"])
    return rows.assign(current=rows["q50"] * 1.2, tag=rows["word"])


Placed = tuple[str, float, float, float, float, str]


def placed(figure: Figure) -> list[Placed]:
    """Every text: its left, right, low and high edge in inches as laid out, and the side it hangs from."""
    with drawing_style():
        figure.set_dpi(300)
        renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
        boxes = [(text, text.get_window_extent(renderer)) for text in figure.findobj(Text) if text.get_text()]
    return [(t.get_text(), b.x0 / 300, b.x1 / 300, b.y0 / 300, b.y1 / 300, str(t.get_ha())) for t, b in boxes]


def words_of(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


@every_case
def test_words_stay_on_the_page_and_apart_and_the_svg_repeats(draw: Callable[[], Figure]) -> None:
    figure = draw()
    assert figure.get_figwidth() == page.WIDTH
    assert figure.get_figheight() <= page.MAX_HEIGHT + 1e-9
    texts = placed(figure)
    assert_on_the_page(figure, texts)
    assert_apart(texts)
    assert plots.svg(figure) == plots.svg(draw())
    assert_whole(figure)


def assert_on_the_page(figure: Figure, texts: list[Placed]) -> None:
    """Each text is inside, even where the viewer's typeface runs wider by the slack."""
    for words, left, right, low, high, side in texts:
        wider = (1 / lettering.SLACK - 1) * (right - left)
        assert left - wider * {"left": 0, "center": 0.5, "right": 1}[side] >= -0.001, words
        assert right + wider * {"left": 1, "center": 0.5, "right": 0}[side] <= figure.get_figwidth() + 0.001, words
        assert low >= 0, words
        assert high <= figure.get_figheight(), words


def assert_apart(texts: list[Placed]) -> None:
    ink = 0.012  # the box of a line holds a little more than its letters
    for count, (words, left, right, low, high, _) in enumerate(texts):
        for other, a, b, c, d, _ in texts[count + 1 :]:
            apart = right <= a or b <= left or high - ink <= c or d - ink <= low
            assert apart, f"{words!r} and {other!r}"


def assert_whole(figure: Figure) -> None:
    """The SVG is well formed, shows the figure's words and nothing else as text, and no number that is none."""
    svg = plots.svg(figure)
    shown = [element.text for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert sorted(filter(None, shown)) == sorted(line for words in words_of(figure) for line in words.split("\n"))
    assert not re.search(r"\bnan\b|\binf\b", svg, flags=re.IGNORECASE)
    assert "<style" not in svg
    assert "date" not in svg


def test_different_tables_give_different_pictures() -> None:
    assert plots.svg(caterpillar(12)) != plots.svg(plots.caterpillar(tables.level_rows(12, seed=2), TEXT, RATIO))


def test_two_figures_in_one_page_share_no_id() -> None:
    ids = [
        re.findall(r' id="([^"]+)"', plots.svg(draw())) for draw in (CASES["caterpillar of 12"], CASES["funnel of 37"])
    ]
    assert ids[0]
    assert ids[1]
    assert not set(ids[0]) & set(ids[1])
    assert len(set(ids[0])) == len(ids[0])


def test_every_reference_in_an_svg_is_met() -> None:
    svg = plots.svg(CASES["funnel of 37"]())
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', svg)) == set(re.findall(r' id="([^"]+)"', svg))


def test_saving_to_a_path_and_to_a_buffer_is_the_same(tmp_path: Path) -> None:
    figure = caterpillar(3)
    plots.save_svg(figure, tmp_path / "a.svg")
    with (tmp_path / "b.svg").open("w", encoding="utf-8", newline="") as buffer:
        plots.save_svg(figure, buffer)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_settings_of_the_caller_neither_leak_in_nor_out() -> None:
    plain = plots.svg(caterpillar(3))
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "lines.solid_joinstyle": "bevel"}):
        before = dict(matplotlib.rcParams)
        assert plots.svg(caterpillar(3)) == plain
        assert dict(matplotlib.rcParams) == before


def test_pyplot_is_not_imported() -> None:
    code = "import sys, collabeval.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_words_are_set_in_the_typeface_of_the_report() -> None:
    assert families()[0] == "Source Sans Pro"
    for weight, file in zip((400, 600), plots.font_files(), strict=True):
        assert Path(findfont(FontProperties(family=list(families()), weight=weight))).resolve() == file.resolve()


def test_a_name_is_text_whatever_stands_in_it() -> None:
    name = "A & <B> $x_1$"
    assert name in {text.text for text in ElementTree.fromstring(plots.svg(caterpillar(1, label=name))).iter()}


# Words and marks


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


def test_a_period_within_a_year_is_named_by_its_year_where_room_is_tight() -> None:
    assert [year_of(period) for period in ("2021Q3", "2021-07", "2021H2", "2021", "wave 2")] == [
        "2021", "2021", "2021", "2021", "wave 2",
    ]  # fmt: skip


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


# Scales, time and lettering


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


def test_a_figure_stands_in_a_pdf_in_its_own_typeface(tmp_path: Path) -> None:
    typst = pytest.importorskip("typst")
    pikepdf = pytest.importorskip("pikepdf")
    plots.save_svg(caterpillar(12), tmp_path / "figure.svg")
    (tmp_path / "page.typ").write_text('#image("figure.svg", width: 7in, alt: "x")', encoding="utf-8")
    folder = str(plots.font_files()[0].parent)
    (tmp_path / "page.pdf").write_bytes(typst.compile(str(tmp_path / "page.typ"), font_paths=[folder]))
    with pikepdf.open(tmp_path / "page.pdf") as pdf:
        fonts = {str(o["/BaseFont"]) for o in pdf.objects if isinstance(o, pikepdf.Dictionary) and "/BaseFont" in o}
    assert any("SourceSansPro-Semibold" in font for font in fonts)
    assert any("SourceSansPro-Regular" in font for font in fonts)

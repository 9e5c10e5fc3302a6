"""Figures of every kind at many sizes, with awkward data among them, and how to read what they show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

import plot_tables as tables
from collabeval import plots
from collabeval.plots.style import drawing_style

TEXT = tables.words_around()
RATIO = plots.Axis(
    "fewer deaths than expected ← observed ÷ expected → more deaths than expected",
    reference_label="as expected",
    ends=("fewest deaths", "most deaths"),
)
MEAN = plots.Axis("Days in hospital", "value", 6.2, "average 6.2")
RATE = plots.Axis("deaths per 1,000 operations", "value", None)
POINTS = plots.Axis("points of 100", "value", None, ends=("most", "fewest"))
LABELS = plots.TrendLabels(
    "estimate 16", "baseline 15", 14.7, ("2010", "2011", "2012"),
    "2017–2019 against baseline: +1 per 1,000\n(95% interval −1 to +3)", ("2013", "18 recorded in 2013"),
)  # fmt: skip
EFFECT = plots.EventLabels("quarters since joining", overall=-1.6, overall_label="together −1.6", found=True)
LONG = "Royal Devon and Exeter University Healthcare NHS Foundation Trust, Northern Services"


def caterpillar(count: int, axis: plots.Axis = RATIO, own: int | None = None, **change: object) -> Figure:
    rows = tables.level_rows(count).assign(**change)
    return plots.caterpillar(rows, TEXT, axis, (0.64, 0.78), own=None if own is None else rows["label"][own])


def funnel(count: int, spread: float = 0.25, **change: object) -> Figure:
    rows = tables.funnel_rows(count, spread=spread).assign(**change)
    curves = tables.funnel_curves(float(rows["expected"].max()))
    return plots.funnel(rows, curves, TEXT, plots.Axis("Expected deaths → larger programmes"))


def scorecard(count: int, **change: object) -> Figure:
    rows = tables.scorecard_rows(count).assign(**change)
    return plots.scorecard(rows, TEXT, POINTS, [(50, "half award"), (70, "full award")])


def indicators(count: int, units: tuple[str, ...] = ("%", "days"), **change: object) -> Figure:
    rows = tables.indicator_plot_rows(count, units).assign(**change)
    return plots.indicators(rows, TEXT, {unit: plots.Axis(unit, "value", None) for unit in units})


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
    **{f"scorecard of {n}": (lambda n=n: scorecard(n)) for n in (1, 12, 45, 46, 150)},
    "event study": lambda: plots.event_study(tables.event_rows(8, 8), TEXT, EFFECT),
    "event study, no time before": lambda: plots.event_study(tables.event_rows(0, 4), TEXT, EFFECT),
    "event study, one time": lambda: plots.event_study(tables.event_rows(0, 1), TEXT, plots.EventLabels("years")),
    "event study by month": lambda: plots.event_study(tables.event_rows(12, 48, 120.0), TEXT, EFFECT),
    "scorecard, some not shown": lambda: scorecard(12, q25=np.nan, q50=np.nan, q75=np.nan, tag="not shown"),
    "scorecard without awards": lambda: plots.scorecard(tables.scorecard_rows(12), TEXT, POINTS),
    **{f"indicators of {n}": (lambda n=n: indicators(n)) for n in (1, 2, 7, 16)},
    "indicators of four units": lambda: indicators(13, ("%", "days", "minutes", "raters per video")),
    "indicators, long names": lambda: indicators(5, label=LONG, value=LONG, detail=LONG),
    "indicators, nothing known": lambda: indicators(3, q025=np.nan, q25=np.nan, q50=np.nan, q75=np.nan, q975=np.nan,
                                                    last=np.nan),
    "indicators without target": lambda: indicators(3, target=np.nan, detail="", tag="", word=""),
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

"""Figures over time: the collaborative's trend and control chart, sites' small multiples and change."""

from __future__ import annotations

import pandas as pd

from collabeval import plots
from collabeval.periods import parse, years_between
from collabeval.sections.pictures import QUANTILES, site_rows, tag_of
from collabeval.sections.report import Report, figure_text, slug
from collabeval.statements import figures_in_time as figures
from collabeval.statements import numbers, phrases
from collabeval.statements.facts import Facts


def trend_rows(report: Report, facts: Facts) -> pd.DataFrame:
    """The fan of one measure, a row per period in order, with `time` in years."""
    table = report.published.trend
    return in_time(report, table[table["measure"].eq(facts.view.name)])


def in_time(report: Report, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with a `period` put in order, with `time` in years from the first of them."""
    length, starts = report.published.params.periods.length, report.published.params.periods.year_starts
    if length == "none" or rows.empty:
        return rows.assign(time=0.0)
    when = {label: parse(label, length, starts) for label in rows["period"].unique()}
    first = min(when.values())
    rows = rows.assign(time=[years_between(first, when[label]) for label in rows["period"]])
    return rows.sort_values("time", kind="stable", ignore_index=True)


LOW = 1.75  # inches: the body of a trend that shares the first page with the five answers


def trend(report: Report, facts: Facts) -> str:
    """The collaborative's rate over time with 50, 80 and 95% bands; on the first page it is lower."""
    words, view = figures.trend(report.published, facts), facts.view
    fan = trend_rows(report, facts)
    drawn = plots.trend(
        fan,
        figure_text(words, facts.nouns[1]),
        _trend_labels(facts, fan),
        plots.Axis("", "value", None, from_zero=not view.is_mean),
        **({"body": LOW} if facts is report.lead else {}),
    )
    return report.figure(f"trend-{slug(view)}", words, drawn)


def _trend_labels(facts: Facts, fan: pd.DataFrame) -> plots.TrendLabels:
    view, baseline = facts.view, facts.view.windows.baseline
    last = float(fan["q50"].iloc[-1])
    estimate = f"estimate {numbers.decimal(last, phrases.digits(view, last))}"
    if baseline is None or facts.baseline_rate is None or facts.change is None:
        return plots.TrendLabels(estimate=estimate)
    level = facts.baseline_rate.median
    return plots.TrendLabels(
        estimate=estimate,
        baseline=f"baseline {numbers.decimal(level, phrases.digits(view, level))}",
        baseline_level=level,
        baseline_periods=baseline.periods,
        change=_change_line(facts),
        remarkable=_remarkable(facts, fan),
    )


def _change_line(facts: Facts) -> str:
    change, view = facts.change, facts.view
    assert change is not None
    places = phrases.change_digits(view, change)
    size = numbers.signed(change.median, places)
    scale = f" {view.params.unit}".rstrip() if view.is_mean else f" per{numbers.NO_BREAK}{view.base:,}"
    span = numbers.interval_95(change.lower, change.upper, places, sign=True)
    return f"{numbers.period_name(facts.labelled_current)} against baseline: {size}{scale}\n({span})"


def _remarkable(facts: Facts, fan: pd.DataFrame) -> tuple[str, str] | None:
    """The recorded value farthest outside the 95% band, if one lies outside."""
    outside = (fan["observed"] - fan["q975"]).clip(lower=0) + (fan["q025"] - fan["observed"]).clip(lower=0)
    if not outside.gt(0).any():
        return None
    row = fan.iloc[int(outside.to_numpy().argmax())]
    value = numbers.decimal(row["observed"], phrases.digits(facts.view, row["observed"]))
    return row["period"], f"{value} recorded{phrases.in_period(row['period'])}"


def spc_rows(report: Report, facts: Facts) -> pd.DataFrame:
    """The collaborative's XmR chart; empty where it has too few periods for limits or may not be shown."""
    table = report.published.spc
    rows = table[table["measure"].eq(facts.view.name) & table["method"].eq("xmr")]
    return in_time(report, rows[rows["upper"].notna()])


def spc(report: Report, facts: Facts) -> str:
    """The collaborative's control chart."""
    rows = spc_rows(report, facts)
    flagged = rows[rows["flag"].ne("")]
    words = figures.spc(report.published, facts, dict(zip(flagged["period"], flagged["flag"], strict=True)))
    shown = rows.assign(word=rows["signal"].map({"improvement": "improved", "concern": "worsened"}).fillna(""))
    drawn = plots.spc(shown, figure_text(words, facts.nouns[1]))
    return report.figure(f"control-chart-{slug(facts.view)}", words, drawn)


def trajectories(report: Report, facts: Facts) -> pd.DataFrame:
    """One row per site and period, sites in the order of their change, those without comparison last by size."""
    view, published = facts.view, report.published
    rows = published.estimates[
        published.estimates["measure"].eq(view.name) & published.estimates["estimand"].eq("trajectory")
    ]
    rows = rows.merge(published.cells, on=["measure", "site", "period"], how="left").rename(columns={"site": "label"})
    said = {site.site: site for site in facts.trajectory}
    rows = rows[rows["label"].isin(said)]
    order = {label: place for place, label in enumerate(_by_change(report, facts))}
    size = published.counts[published.counts["measure"].eq(view.name) & published.counts["window"].eq("current")]
    rows = rows.assign(
        word=[said[label].slug for label in rows["label"]],
        tag=[tag_of("trajectory", said[label].slug, phrases.chance_of(said[label])) for label in rows["label"]],
        size=rows["label"].map(size.set_index("site")["cases"]).fillna(0.0),
        place=rows["label"].map(order).fillna(len(order)),
    )
    ordered = in_time(report, rows)
    return ordered.sort_values(["place", "size", "label", "time"], ascending=[True, False, True, True])


def _by_change(report: Report, facts: Facts) -> list[str]:
    return list(change_rows(report, facts)["label"])


def small_multiples(report: Report, facts: Facts) -> str:
    """Each site over time."""
    words, view = figures.small_multiples(report.published, facts), facts.view
    rows = trajectories(report, facts)
    columns = ["label", "period", "time", "q025", "q50", "q975", "observed", "word", "tag", "size"]
    axis = plots.Axis("", "value", None) if view.is_mean else plots.Axis("", "ratio", 1.0)
    drawn = plots.small_multiples(rows[columns], figure_text(words, facts.nouns[1]), axis, total=len(facts.trajectory))
    return report.figure(f"sites-over-time-{slug(view)}", words, drawn)


def change_rows(report: Report, facts: Facts) -> pd.DataFrame:
    """Sites with data in both windows, most improved first, with their rates before and now."""
    rows = site_rows(report, facts, "change", "trajectory")
    baseline = facts.view.windows.baseline
    if baseline is None or rows.empty:
        return rows
    for column, label in (("baseline", baseline.label), ("current", facts.labelled_current)):
        rows[column] = rows["label"].map(_rate(report, facts, label))
    return rows


def _rate(report: Report, facts: Facts, window: str) -> pd.Series:
    table = report.published.estimates
    chosen = (
        table["measure"].eq(facts.view.name) & table["estimand"].eq("standardised_rate") & table["period"].eq(window)
    )
    return table[chosen].set_index("site")["q50"]


def change(report: Report, facts: Facts) -> str:
    """Each site before and now, and its change with interval."""
    words, view = figures.change(report.published, facts), facts.view
    rows = change_rows(report, facts)[["label", "baseline", "current", *QUANTILES, "word", "tag"]]
    unit = phrases.unit(view)
    better, worse = ("better ← ", " → worse") if view.params.better == "lower" else ("worse ← ", " → better")
    drawn = plots.change(
        rows,
        figure_text(words, facts.nouns[1]),
        plots.Axis(unit, "value", None),
        plots.Axis(f"{better}change{worse}", "value", 0.0),
    )
    return report.figure(f"change-{slug(view)}", words, drawn)

"""Case-mix, a part of the chapter on measurement: what predicts, how well, and whether it drifts."""

from __future__ import annotations

import math

import pandas as pd

from collabeval.disclosure import MeasureView
from collabeval.sections.report import Report, blocks, slug, text
from collabeval.statements import case_mix as say
from collabeval.statements import numbers


def case_mix(report: Report) -> str:
    """For each measure with a case-mix model of its own: what it is made of, and its fit by year; "" without any."""
    shown = [part for view in report.published.measures if (part := _measure(report, view))]
    return blocks("## Case-mix", *shown) if shown else ""


def _measure(report: Report, view: MeasureView) -> str:
    rows = report.published.case_mix_years
    rows = rows[rows["measure"].eq(view.name)]
    if rows.empty:
        return ""
    label = numbers.lower_first(view.params.label)
    made = f"Predicted from the records for {label}: {say.made_of(view.params, report.lead.nouns, view.has_change)}"
    sentences = (made, say.discrimination(view.params, rows), say.drift(view.params, rows))
    tenths = report.published.case_mix_tenths
    tenths = tenths[tenths["measure"].eq(view.name) & tenths["year"].eq(rows["year"].iloc[-1])]
    return blocks(text(" ".join(filter(None, sentences))), _years(report, view, rows), _tenths(report, view, tenths))


def _years(report: Report, view: MeasureView, rows: pd.DataFrame) -> str:
    table = pd.DataFrame({"Year": [year or "all" for year in rows["year"]], "Cases": _counts(rows["cases"])})
    digits = 1 if view.is_mean else 0
    for name, column in (("Recorded", "observed"), ("Predicted", "expected")):
        values = rows[column] / rows["cases"] if view.is_mean else rows[column]
        table[name] = [numbers.decimal(value, digits) for value in values]
    for name, column in (("Calibration in the large", "in_the_large"), ("Calibration slope", "slope")):
        bounds = zip(rows[column], rows[f"{column}_lower"], rows[f"{column}_upper"], strict=True)
        table[name] = [_with_interval(*found) for found in bounds]
    if view.params.family == "binomial":
        table["C statistic"] = [numbers.decimal(value, 2) for value in rows["c_statistic"]]
        pairs = zip(rows["brier"], rows["brier_of_mean"], strict=True)
        table["Brier (rate alone)"] = [
            f"{numbers.decimal(score, 3)} ({numbers.decimal(alone, 3)})"
            if math.isfinite(score)
            else numbers.NOT_ESTIMATED
            for score, alone in pairs
        ]
    caption = (
        f"The case-mix model of {numbers.lower_first(view.params.label)} by year, with 95% intervals: in the large, "
        "what would have to be added to every prediction on the scale of the model (0 is right); slope, 1 is right"
    )
    return report.table(f"case-mix-{slug(view)}", table, caption, right=list(table.columns[1:]))


def _tenths(report: Report, view: MeasureView, rows: pd.DataFrame) -> str:
    if len(rows) < 2:
        return ""
    digits = 2 if view.is_mean or view.params.family == "poisson" else 3
    size = rows["exposure"] if view.params.family == "poisson" else rows["cases"]
    table = pd.DataFrame({"Tenth by predicted value": [str(group) for group in rows["group"]]})
    table["Cases"] = _counts(rows["cases"])
    table["Recorded per case"] = [numbers.decimal(value, digits) for value in rows["observed"] / size]
    table["Predicted per case"] = [numbers.decimal(value, digits) for value in rows["expected"] / size]
    year = rows["year"].iloc[0]
    label = numbers.lower_first(view.params.label)
    caption = f"Recorded against predicted {label}, by tenths of the predicted value" + (f", {year}" if year else "")
    return report.table(f"case-mix-tenths-{slug(view)}", table, caption, right=list(table.columns[1:]))


def _counts(values: pd.Series) -> list[str]:
    return [numbers.whole(value) if math.isfinite(value) else numbers.NOT_ESTIMATED for value in values]


def _with_interval(value: float, lower: float, upper: float) -> str:
    if not math.isfinite(value):
        return numbers.NOT_ESTIMATED
    return f"{numbers.decimal(value, 2)} ({numbers.interval(lower, upper, 2)})"

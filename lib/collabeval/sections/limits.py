"""Limits of the analysis: each known threat with a line, or "not assessed"."""

from __future__ import annotations

import pandas as pd

from collabeval.sections.report import Report, Section, blocks, text
from collabeval.statements import numbers

NOT_ASSESSED = "Not assessed."


def limits(report: Report) -> Section:
    """The list of threats."""
    table = pd.DataFrame(_threats(report), columns=["Threat", "In this report"])
    return Section(
        blocks(
            "## Limits of this analysis {#sec-limits}", report.table("limits", table, "Threats to these conclusions")
        )
    )


def _threats(report: Report) -> list[tuple[str, str]]:
    params, nouns = report.published.params, report.lead.nouns
    seasonal = params.periods.length in {"month", "quarter", "half"}
    adjusted = [facts.view.adjusted for facts in report.facts]
    return [
        ("No comparators", "Change is shown, not effect: nothing here tells what would have happened without the collaborative."),
        ("Seasonality", "Not modelled: compare like seasons." if seasonal else "Cannot arise: periods are whole years." if params.periods.length == "year" else "Cannot arise: one period."),
        ("Regression to the mean", f"Partial pooling takes most of it out of the estimates of single {nouns[1]}; the choice of whom to look at is not free of it."),
        ("Volume and outcome", f"{NOT_ASSESSED} {numbers.capital(nouns[1])} with few cases are drawn to the common average, not to that of other small ones."),
        ("Case-mix", _case_mix(adjusted)),
        ("Transfers and completeness of follow-up", NOT_ASSESSED),
        (f"Fit at single {nouns[1]}", "Checked for the whole by posterior prediction; see Diagnostics."),
        ("Choice of trend", NOT_ASSESSED if params.periods.length != "none" else "Cannot arise: one period."),
        ("Thresholds moved after the results", "The rules are part of the params file; its hash is kept with the run."),
        ("Small numbers", _small(report)),
    ]  # fmt: skip


def _case_mix(adjusted: list[bool]) -> str:
    if all(adjusted):
        return "Adjusted through the predicted numbers that came with the data; how well those predict is not assessed."
    if any(adjusted):
        return "Adjusted for the measures that came with predicted numbers, not for the others."
    return "Not adjusted: no predicted numbers came with the data."


def _small(report: Report) -> str:
    least = report.published.params.report.minimum_cell
    if not report.published.hides_counts:
        return "No count is hidden."
    return text(
        f"Counts from 1 to {least - 1} are hidden, with what could give them away; hidden counts may still follow from totals."
    )

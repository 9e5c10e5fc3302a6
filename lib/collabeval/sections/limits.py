"""Limits of the analysis: each known threat with a line, or "not assessed"."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pandas as pd

from collabeval.disclosure import MeasureView
from collabeval.disclosure.threats import Threats
from collabeval.sections.report import Report, Section, blocks, text
from collabeval.statements import alternatives, effect, numbers, plan, tipping
from collabeval.statements import threats as say

NOT_ASSESSED = "Not assessed."

OWN_MODELS = "models of the patients' records (how well they predict: see Measurement and feedback)"


def limits(report: Report) -> Section:
    """The list of threats."""
    table = pd.DataFrame(_threats(report), columns=["Threat", "In this report"])
    return Section(
        blocks(
            "## Limits of this analysis {#sec-limits}", report.table("limits", table, "Threats to these conclusions")
        )
    )


def _threats(report: Report) -> list[tuple[str, str]]:
    nouns = report.lead.nouns
    return [
        effect.threat(report.published),
        ("Seasonality", _seasons(report)),
        ("Regression to the mean", _if_periods(report, _regression(report))),
        ("Volume and outcome", _volume(report)),
        ("Periods not sent in", _if_periods(report, _missing(report))),
        ("Case-mix", _case_mix(report)),
        ("Transfers and completeness of follow-up", NOT_ASSESSED),
        (f"Fit at single {nouns[1]}", _joined(_about(report, say.site_prediction, nouns))),
        ("Other shapes of the trend", _if_periods(report, _trends(report))),
        ("Thresholds moved after the results", plan.moved(report.plan) or NOT_ASSESSED),
        ("Small numbers", _small(report)),
    ]


def _each(report: Report) -> list[tuple[MeasureView, Threats]]:
    return [(view, report.published.threats) for view in report.published.measures]


def _about(
    report: Report, sentence: Callable[[MeasureView, Threats, tuple[str, str]], str], nouns: tuple[str, str]
) -> Iterator[str]:
    """A sentence on each measure, which names it where the report has several."""
    for view, threats in _each(report):
        if said := sentence(view, threats, nouns):
            several = len(report.facts) > 1
            yield f"{numbers.capital(view.params.label)}: {numbers.lower_first(said)}" if several else said


def _joined(sentences: Iterable[str]) -> str:
    """Sentences on several measures as one cell; "Not assessed." where there is none."""
    return " ".join(filter(None, sentences)) or NOT_ASSESSED


def _if_periods(report: Report, said: str) -> str:
    return "Cannot arise: one period." if report.published.params.periods.length == "none" else said


def _trends(report: Report) -> str:
    """Agreement of words across the shapes of the trend, where the grid has been run."""
    compared = report.compared
    if compared is None:
        return NOT_ASSESSED
    others = tuple(name for name in compared.others if name.startswith("trend_"))
    words = int(report.published.statements["statement"].ne("none").sum())
    shapes = numbers.listed(alternatives.VALUES[name.removeprefix("trend_")] for name in others)
    changed = compared.changed(others)
    said = f"{changed} of {words}" if changed else f"none of {words}"
    return f"With another trend ({shapes}), {said} words about {report.lead.nouns[1]} would be others."


def _seasons(report: Report) -> str:
    params = report.published.params
    if params.periods.length == "year":
        return "Cannot arise: periods are whole years."
    if any(how.kind == "season" for how in params.model.terms.values()):
        return "The model adjusts for the season; see Methods."
    said = _joined(say.season(*each) for each in _each(report))
    return _if_periods(report, f"{said} Compare like seasons: windows of whole years do.")


def _regression(report: Report) -> str:
    said = " ".join(_about(report, say.regression_to_mean, report.lead.nouns))
    return said or (
        f"Partial pooling takes most of it out of the estimates of single {report.lead.nouns[1]}; a change since a bad "
        "baseline year is not free of it."
    )


def _volume(report: Report) -> str:
    params, nouns = report.published.params, report.lead.nouns
    said = _joined(say.volume(*each, nouns, params.rules.probability_words) for each in _each(report))
    if any(how.kind == "volume" for how in params.model.terms.values()):
        return f"{said} It is in the model: {nouns[1]} with few cases are drawn to what is usual at their volume."
    return f"{said} {numbers.capital(nouns[1])} with few cases are drawn to the average of all, not of their like."


def _missing(report: Report) -> str:
    """How much was not sent in, whether those who leave out do worse, and what hangs on it."""
    threats, params = report.published.threats, report.published.params
    shares = [say.share_submitted(threats, view) for view in report.published.measures]
    if all(share == 1 for share in shares):
        return "Every period that was due arrived."
    said = _joined(say.missing(*each, report.lead.nouns, params.rules.probability_words) for each in _each(report))
    which = (
        " The words that hang on them stand under Measurement and feedback."
        if len(tipping.shown(report.published))
        else ""
    )
    return f"{said}{which}"


def _case_mix(report: Report) -> str:
    """Whether it is adjusted for, and whether the models of this evaluation serve all sites alike."""
    by_site = " ".join(_about(report, say.case_mix, report.lead.nouns))
    return " ".join(filter(None, (_adjusted([facts.view for facts in report.facts]), by_site)))


def _adjusted(views: list[MeasureView]) -> str:
    adjusted = [view.adjusted or view.has_case_mix for view in views]
    if all(view.has_case_mix for view in views):
        return f"Adjusted by {OWN_MODELS}. What is not recorded is not adjusted for."
    if all(adjusted) and any(view.has_case_mix for view in views):
        return f"Adjusted, by predicted numbers that came with the data or by {OWN_MODELS}."
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
        f"Counts from 1 to {least - 1} are hidden, with what could give them away; hidden counts may still follow "
        "from totals."
    )

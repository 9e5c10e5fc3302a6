"""Measurement and feedback: how complete the data are, what is odd, the case-mix models, how much is signal."""

from __future__ import annotations

import math

import pandas as pd

from collabeval.sections import indicators
from collabeval.sections.audit import audit
from collabeval.sections.case_mix import case_mix
from collabeval.sections.missing import missing
from collabeval.sections.narrative import narrated
from collabeval.sections.report import Report, Section, blocks, callout, text
from collabeval.statements import numbers
from collabeval.statements.advice import incomplete

FEATURES = ("measurement", "rigour")  # of the indicators shown here
# the checks of docs/data.md that warn, as a reader would be told of them
WARNINGS = {
    "site vanished": "stopped sending data before the last period (last one sent in brackets)",
    "implausible jump": "a value far from what the model would predict",
    "denominator fell by half": "the number of cases fell by half or more from one period to the next",
    "digit preference": "more cases ending in 0 or 5 than chance gives",
    "identical rows": "the numbers of one period repeat those of another, or of another site",
}


@narrated("measurement")
def measurement(report: Report) -> Section:
    """The chapter: completeness, warnings, reliability of each measure and the cases it would take, indicators."""
    shown = indicators.part(report, "measurement", FEATURES, "measurement and feedback")
    return Section(
        blocks(
            "# Measurement and feedback {#sec-measurement}",
            indicators.opening(report, FEATURES, "measurement and feedback"),
            "## Completeness",
            text(_completeness(report)),
            _incomplete(report),
            missing(report),
            "## What looked odd in the data",
            _warnings(report),
            case_mix(report),
            "## How much of a difference is signal",
            callout("important", "Key message", text(_signal(report))),
            _reliability(report),
            "## Indicators" if shown else "",
            shown,
            audit(report),
        )
    )


def _completeness(report: Report) -> str:
    rows = report.published.quality[report.published.quality["check"].eq("completeness")]
    if rows.empty or report.published.params.periods.length == "none":
        return "The data hold one period only, so completeness over time cannot be judged."
    nouns, least = report.lead.nouns, numbers.percent(float(rows["limit"].iloc[0]))
    short = incomplete(report.published)["site"].nunique()
    said = f"Of the periods due from all {nouns[1]}, {numbers.percent(rows['value'].mean())} arrived."
    if not short:
        return f"{said} Every {nouns[0]} sent at least {least} of its own."
    which = numbers.capital(numbers.counted(short, nouns, of=rows["site"].nunique()))
    return f"{said} {which} sent less than {least} of {'its own' if short == 1 else 'their own'}."


def _incomplete(report: Report) -> str:
    rows = incomplete(report.published)
    if rows.empty:
        return ""
    labels = {view.name: view.params.label for view in report.published.measures}
    table = pd.DataFrame(
        {
            numbers.capital(report.lead.nouns[0]): list(rows["site"]),
            "Measure": [labels.get(name, name) for name in rows["measure"]],
            "Periods sent": [numbers.percent(value) for value in rows["value"]],
        }
    )
    if len(labels) == 1:
        table = table.drop(columns="Measure")
    least = numbers.percent(float(rows["limit"].iloc[0]))
    caption = f"{numbers.capital(report.lead.nouns[1])} with less than {least} of their periods"
    return report.table("completeness", table, caption, right=["Periods sent"])


def _warnings(report: Report) -> str:
    rows = report.published.quality
    rows = rows[rows["level"].eq("warn") & ~rows["passed"].astype(bool) & rows["check"].ne("completeness")]
    if rows.empty:
        return text("Nothing: every check of plausibility passed.")
    lines = [_warning(report, str(check), found) for check, found in rows.groupby("check", sort=False)]
    return blocks(text("These are reasons to look, not errors:"), "\n".join(lines))


def _warning(report: Report, check: str, found: pd.DataFrame) -> str:
    """One line for one check: where it struck, by measure where the report has several."""
    labels = {view.name: view.params.label for view in report.published.measures}
    parts = []
    for measure, rows in found.groupby("measure", sort=False):
        columns = zip(rows["site"].to_list(), rows["period"].to_list(), strict=True)
        where = dict.fromkeys(place for place in (_place(site, period) for site, period in columns) if place)
        about = f" ({numbers.lower_first(labels[str(measure)])})" if len(labels) > 1 else ""
        parts.append(f"{numbers.listed(list(where), 6) or 'the data as a whole'}{about}")
    return f"- {text(f'{numbers.capital(WARNINGS[check])}: {"; ".join(parts)}.')}"


def _place(site: str, period: str) -> str:
    return f"{site} ({numbers.period_name(period)})" if site and period else site or numbers.period_name(period or "")


def _signal(report: Report) -> str:
    """ "Of the difference that a typical hospital shows, about half is real for deaths, …; the rest is chance."."""
    known = [facts for facts in report.facts if math.isfinite(facts.rankability)]
    if not known:
        return "How much of the differences shown is real could not be worked out."
    said = f"Of the difference that a typical {report.lead.nouns[0]} shows, "
    if len(report.facts) == 1:
        return f"{said}{numbers.share_in_words(known[0].rankability)} is real; the rest is chance."
    parts = [
        f"{numbers.share_in_words(facts.rankability)} is real for {numbers.lower_first(facts.view.params.label)}"
        for facts in known
    ]
    return f"{said}{numbers.listed(parts)}; the rest is chance."


def _reliability(report: Report) -> str:
    """One row per measure: how much is signal now, and how many cases would do."""
    target = report.published.params.rules.target_reliability
    rows = []
    for facts in report.facts:
        counts = report.published.counts
        now = counts[counts["measure"].eq(facts.view.name) & counts["window"].eq("current")]["cases"].median()
        needed = facts.denominator_needed
        rows.append(
            {
                "Measure": facts.view.params.label,
                "Signal, typical site": numbers.percent(facts.reliability),
                "Signal in a ranking": numbers.percent(facts.rankability),
                "Cases now, median": numbers.whole(now) if math.isfinite(now) else numbers.NOT_ESTIMATED,
                f"Cases for {numbers.percent(target)} signal": (
                    numbers.estimated_count(needed) if math.isfinite(needed) else "not reachable"
                ),
            }
        )
    table = pd.DataFrame(rows)
    table.columns = [name.replace("typical site", f"typical {report.lead.nouns[0]}") for name in table.columns]
    caption = (
        f"How much of each measure is signal (reliability), and the cases per {report.lead.nouns[0]} it would take"
    )
    return report.table("reliability", table, caption, right=list(table.columns[1:]))

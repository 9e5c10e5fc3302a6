"""Measurement and feedback: how complete the data are, what looked odd in them, how much of a difference is signal."""

from __future__ import annotations

import math

import pandas as pd

from collabeval.sections.report import Report, Section, blocks, callout, text
from collabeval.statements import numbers, phrases
from collabeval.statements.advice import INCOMPLETE, incomplete
from collabeval.statements.facts import Facts

WARNINGS = {
    "vanished_site": "stopped sending data",
    "implausible_jump": "a jump that the model finds hard to explain",
    "denominator_halved": "the number of cases fell by half or more",
    "digit_preference": "last digits that people, not counts, produce",
    "identical_rows": "identical rows in different periods",
    "missingness": "periods without data",
}


def measurement(report: Report) -> Section:
    """The chapter: completeness, warnings, reliability of each measure and the number of cases it would take."""
    return Section(
        blocks(
            "# Measurement and feedback {#sec-measurement}",
            "## Completeness",
            text(_completeness(report)),
            _incomplete(report),
            "## What looked odd in the data",
            _warnings(report),
            "## How much of a difference is signal",
            callout("important", "Key message", text(" ".join(_signal(report, facts) for facts in report.facts))),
            _reliability(report),
        )
    )


def _completeness(report: Report) -> str:
    rows = report.published.quality
    shares = rows[rows["check"].eq("completeness")]["value"].dropna()
    if shares.empty or report.published.params.periods.length == "none":
        return "The data hold one period only, so completeness over time cannot be judged."
    nouns = report.lead.nouns
    short = incomplete(report.published)["site"].nunique()
    all_sites = rows[rows["check"].eq("completeness")]["site"].nunique()
    said = f"Of all {nouns[0]}-periods, {numbers.percent(shares.mean())} arrived."
    if not short:
        return f"{said} Every {nouns[0]} sent at least {numbers.percent(INCOMPLETE)} of its periods."
    which = numbers.capital(numbers.counted(short, nouns, of=all_sites))
    return f"{said} {which} sent less than {numbers.percent(INCOMPLETE)}."


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
    caption = f"{numbers.capital(report.lead.nouns[1])} with less than {numbers.percent(INCOMPLETE)} of their periods"
    return report.table("completeness", table, caption, right=["Periods sent"])


def _warnings(report: Report) -> str:
    rows = report.published.quality
    rows = rows[rows["level"].eq("warn") & ~rows["passed"].astype(bool)]
    if rows.empty:
        return text("Nothing: every check of plausibility passed.")
    labels = {view.name: view.params.label for view in report.published.measures}
    lines = []
    for (check, measure), found in rows.groupby(["check", "measure"], sort=False):
        what = WARNINGS.get(str(check), str(check).replace("_", " "))
        where = [_place(row.site, row.period) for row in found.itertuples()]
        about = f"{labels[str(measure)]}: " if measure in labels and len(labels) > 1 else ""
        lines.append(
            f"- {text(f'{about}{what}: {numbers.listed([place for place in where if place] or ["all"], 8)}.')}"
        )
    return blocks(text("These are reasons to look, not errors:"), "\n".join(lines))


def _place(site: str, period: str) -> str:
    return f"{site} ({numbers.period_name(period)})" if site and period else site or numbers.period_name(period or "")


def _signal(report: Report, facts: Facts) -> str:
    about = f"{facts.view.params.label}: of" if len(report.facts) > 1 else "Of"
    if not math.isfinite(facts.rankability):
        return f"{about} the differences shown, the part that is real could not be worked out."
    said = (
        f"{about} the difference that a typical {facts.nouns[0]} shows, {numbers.share_in_words(facts.rankability)} is real; the "
        "rest is chance."
    )
    return said


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
                f"Cases for {numbers.percent(target)}": (
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

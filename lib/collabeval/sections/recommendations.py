"""Recommendations by rule, each with the rule it follows from."""

from __future__ import annotations

from collabeval.sections.report import Report, Section, blocks, text
from collabeval.statements.advice import Advice, recommendations


def advice(report: Report) -> tuple[Advice, ...]:
    """What to do, most urgent first."""
    return recommendations(report.published, report.facts)


def recommend(report: Report) -> Section:
    """The chapter: numbered actions, the rule of each beneath."""
    items = [f"{number}. {text(item.action)} *{text(item.why)}*" for number, item in enumerate(advice(report), start=1)]
    return Section(
        blocks(
            "# Recommendations {#sec-recommendations}",
            "Each follows from a rule applied to the results; the rule stands beside it. What to do about it is for "
            "those who "
            "know the place.",
            "\n".join(items),
        )
    )

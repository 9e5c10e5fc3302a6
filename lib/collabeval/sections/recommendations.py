"""Recommendations by rule, each with the rule it follows from."""

from __future__ import annotations

from itertools import groupby

from collabeval.sections.narrative import narrated
from collabeval.sections.report import Report, Section, blocks, text
from collabeval.statements.advice import Advice, recommendations


def advice(report: Report) -> tuple[Advice, ...]:
    """What to do, most urgent first."""
    return recommendations(report.published, report.facts)


@narrated("recommendations")
def recommend(report: Report) -> Section:
    """The chapter: numbered actions with the rule of each, by measure where there are several."""
    intro = (
        "Each follows from a rule applied to the results; the rule stands beside it. What to do about it is for "
        "those who "
        "know the place."
    )
    parts, number, several = [], 1, len({item.measure for item in advice(report)}) > 1 or len(report.facts) > 1
    for measure, items in groupby(advice(report), key=lambda item: item.measure):
        heading = f"## {text(measure or 'All measures')}" if several else ""
        lines = [f"{place}. {text(item.action)} *{text(item.why)}*" for place, item in enumerate(items, start=number)]
        number += len(lines)
        parts.append(blocks(heading, "\n".join(lines)))
    return Section(blocks("# Recommendations {#sec-recommendations}", text(intro), *parts))

"""Coordination: meetings, visits, response times, reports on their day."""

from __future__ import annotations

from collabeval.sections import indicators
from collabeval.sections.narrative import narrated
from collabeval.sections.report import Missing, Report, Section, blocks

TITLE, FEATURES = "Coordination", ("coordination",)


def missing(report: Report) -> Missing | None:
    """Why the chapter is left out, if it is."""
    return indicators.missing(report, TITLE, FEATURES, "meetings, visits or response times")


@narrated("coordination")
def coordination(report: Report) -> Section | Missing:
    """The chapter, of the indicators of coordination; left out where none has numbers."""
    return missing(report) or Section(
        blocks(
            f"# {TITLE} {{#sec-coordination}}",
            indicators.opening(report, FEATURES, "coordination"),
            indicators.part(report, "coordination", FEATURES, "coordination"),
        )
    )

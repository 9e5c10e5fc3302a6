"""Leadership and community: what people say, who comes, which roles are filled, and what becomes of signals."""

from __future__ import annotations

from collabeval.sections import indicators
from collabeval.sections.narrative import narrated
from collabeval.sections.report import Missing, Report, Section, blocks
from collabeval.sections.survey import survey

TITLE = "Leadership and community"
ATTENDANCE, ACCOUNTABILITY = ("leadership",), ("accountability",)


def missing(report: Report) -> Missing | None:
    """Why the chapter is left out, if it is."""
    if report.published.survey is not None:
        return None
    return indicators.missing(report, TITLE, (*ATTENDANCE, *ACCOUNTABILITY), "attendance or roles filled")


@narrated("leadership")
def leadership(report: Report) -> Section | Missing:
    """The chapter, of the survey and the indicators of leadership and accountability; left out without any of them."""
    of_accountability = indicators.part(report, "accountability", ACCOUNTABILITY, "accountability")
    return missing(report) or Section(
        blocks(
            f"# {TITLE} {{#sec-leadership}}",
            indicators.opening(report, ATTENDANCE, "leadership and community"),
            indicators.part(report, "leadership", ATTENDANCE, "leadership and community"),
            "## Accountability" if of_accountability else "",
            indicators.opening(report, ACCOUNTABILITY, "accountability"),
            of_accountability,
            survey(report),
        )
    )

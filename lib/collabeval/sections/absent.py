"""What this report does not have, and which data would fill it."""

from __future__ import annotations

import pandas as pd

from collabeval import tables
from collabeval.sections import deviance, levers, outcomes
from collabeval.sections.report import Missing, Report, Section, blocks, text

NOT_SUPPLIED = (
    Missing("Coordination", "no data on meetings, visits or response times", "a table of indicators (indicators.csv)"),
    Missing(
        "Leadership and community", "no survey or attendance", "survey and ratings tables (survey.csv, ratings.csv)"
    ),
    Missing("Burden and value", "no hours and no costs", "tables of burden and costs (burden.csv, costs.csv)"),
)


def absent(report: Report) -> Section:
    """The list of chapters left out."""
    found = [
        part
        for part in (outcomes.missing(report), deviance.missing(report), levers.missing(report), *NOT_SUPPLIED)
        if part
    ]
    table = pd.DataFrame(
        {
            "Chapter": [part.section for part in found],
            "Why it is left out": [part.why for part in found],
            "What would fill it": [part.needs for part in found],
        }
    )
    return Section(
        blocks(
            "# Not in this report {#sec-absent}",
            text("Chapters without data are left out rather than filled with words."),
            tables.wide(tables.pipe_table(table, "Chapters left out, and what would fill them", "absent")),
        )
    )

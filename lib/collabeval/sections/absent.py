"""What this report does not have, and which data would fill it."""

from __future__ import annotations

import pandas as pd

from collabeval import tables
from collabeval.params import FurtherName
from collabeval.sections import coordination, deviance, effect, leadership, levers, outcomes, profile
from collabeval.sections.report import Missing, Report, Section, blocks, text

# what no section shows yet: what is said where its tables are missing, and the tables themselves
NOT_MADE: tuple[tuple[Missing, tuple[FurtherName, ...]], ...] = (
    (
        Missing("Burden and value", "no hours and no costs", "tables of burden and costs (burden.csv, costs.csv)"),
        ("burden", "costs"),
    ),
)
GIVEN = "its data were read and checked, but this version of collabeval makes no chapter of them"


def _not_made(report: Report) -> list[Missing]:
    """These chapters; where their data are given the reason is ours, and no data would fill them."""
    given = set(report.published.params.data.further)
    return [
        Missing(missing.section, GIVEN, "a later version of collabeval") if given & set(needed) else missing
        for missing, needed in NOT_MADE
    ]


def absent(report: Report) -> Section:
    """The list of chapters left out."""
    made = (profile, deviance, coordination, levers, leadership)
    over_time = outcomes.missing(report) or effect.missing(report)
    rest = (chapter.missing(report) for chapter in made)
    found = [part for part in (over_time, *rest, *profile.unassessed(report), *_not_made(report)) if part]
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

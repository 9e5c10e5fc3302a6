"""What this report does not have, and which data would fill it."""

from __future__ import annotations

import pandas as pd

from collabeval import tables
from collabeval.sections import coordination, deviance, effect, leadership, levers, outcomes, profile, value
from collabeval.sections.report import Report, Section, blocks, text


def absent(report: Report) -> Section:
    """The list of chapters left out."""
    made = (profile, deviance, coordination, levers, leadership)
    over_time = outcomes.missing(report) or effect.missing(report)
    rest = (chapter.missing(report) for chapter in made)
    parts = (part for chapter in (deviance, profile, levers, value) for part in chapter.unassessed(report))
    found = [part for part in (over_time, *rest, *parts) if part]
    heading = "# Not in this report {#sec-absent}"
    if not found:
        return Section(blocks(heading, text("Nothing is left out for want of data: every chapter has its own.")))
    table = pd.DataFrame(
        {
            "Chapter or part": [part.section for part in found],
            "Why it is left out": [part.why for part in found],
            "What would fill it": [part.needs for part in found],
        }
    )
    return Section(
        blocks(
            heading,
            text("What has no data is left out rather than filled with words."),
            tables.wide(tables.pipe_table(table, "What is left out, and what would fill it", "absent")),
        )
    )

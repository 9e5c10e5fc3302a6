"""How many are named by chance, the end of the chapter on performance: every list, over sites and over measures."""

from __future__ import annotations

import pandas as pd

from collabeval.sections.report import Report, blocks, text
from collabeval.statements import multiplicity, numbers


def by_chance(report: Report) -> str:
    """Every list of named sites with how many of them chance alone would name; "" where nobody is named."""
    found = [one for facts in report.facts for one in multiplicity.lists(facts)]
    if not found:
        return ""
    rows = [*found, multiplicity.together(found)] if len(found) > 1 else found
    noun = numbers.capital(report.lead.nouns[1])
    table = pd.DataFrame(
        {
            "Measure": [one.measure for one in rows],
            "Word": [one.what for one in rows],
            f"{noun} named": [numbers.whole(one.number) for one in rows],
            "By chance, on average": [multiplicity.count(one) for one in rows],
        }
    )
    if len(report.facts) == 1:
        table = table.drop(columns="Measure")
    intro = (
        "Many words are given at once, and each may be wrong. On average so many of those named owe it to chance "
        "alone, whatever the number of words: the doubts of all of them, added up."
    )
    bold = [False] * len(found) + [True] * (len(rows) - len(found))
    caption = f"Words about single {report.lead.nouns[1]}, and how many of them chance alone would give"
    given = report.table("by-chance", table, caption, bold, right=list(table.columns[-2:]))
    return blocks("## How many are named by chance", text(intro), given)

"""The evaluator's own words, at the end of the chapter they belong to and never mixed with what rules say."""

from __future__ import annotations

import functools
from collections.abc import Callable

from collabeval.narrative import CHAPTERS
from collabeval.sections.report import Missing, Report, Section, blocks

type Chapter = Callable[[Report], Section | Missing]

TITLE = "In the evaluator’s words"


def narrated(name: str) -> Callable[[Chapter], Chapter]:
    """A chapter that ends with the narrative of this name where there is one.

    A chapter without data is made of its narrative alone; it stays on the list of what is missing.
    """
    heading = CHAPTERS[name]

    def with_narrative(make: Chapter) -> Chapter:
        @functools.wraps(make)
        def chapter(report: Report) -> Section | Missing:
            made, words = make(report), report.narrative.get(name, "")
            if not words:
                return made
            begun = made.markdown if isinstance(made, Section) else f"# {heading} {{#sec-{name}}}"
            return Section(blocks(begun, framed(words)))

        return chapter

    return with_narrative


def framed(words: str) -> str:
    """Narrative in its frame, which says whose words these are."""
    return f'::: {{.narrative title="{TITLE}"}}\n\n{words}\n\n:::'

"""How many of the named are named by chance: of every list, over sites and over measures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from collabeval.statements import numbers
from collabeval.statements.facts import Facts, Named, wrongly_named

BEST = ("positive_deviant", "emerging", "candidate")
REVIEW = ("review_persistent", "review")
LISTS = (
    ("level", ("worse", "worse_few_cases"), "worse than average"),
    ("level", ("better",), "better than average"),
    ("trajectory", ("worsened",), "worsened"),
    ("trajectory", ("improved",), "improved"),
    ("deviance", BEST, "worth a visit"),
    ("deviance", REVIEW, "advised for review"),
)
SMALLEST_SHOWN = 0.1  # an expected number below it would be printed as 0.0, which nobody can expect


@dataclass(frozen=True)
class Listed:
    """A list of named sites, and how many of them are there by chance on average (`bounded`: at most)."""

    measure: str
    what: str
    number: int
    by_chance: float
    bounded: bool


def listed(measure: str, what: str, named: Sequence[Named]) -> Listed:
    """A list as it is counted: sites whose word rests on a chance."""
    known = [site for site in named if math.isfinite(site.chance)]
    return Listed(measure, what, len(known), wrongly_named(known), any(site.bounded for site in known))


def lists(facts: Facts) -> Iterator[Listed]:
    """Every list of one measure that names a site."""
    for slot, slugs, what in LISTS:
        found = listed(facts.view.params.label, what, facts.of(slot, *slugs))
        if found.number:
            yield found


def together(found: Sequence[Listed]) -> Listed:
    """All lists as one: the doubts of all words add up, whatever measure and site they are about."""
    return Listed(
        "All measures", "all words", sum(one.number for one in found), sum(one.by_chance for one in found),
        any(one.bounded for one in found),
    )  # fmt: skip


def count(found: Listed) -> str:
    """ "0.3", "fewer than 0.1", "at most 0.4"."""
    if found.by_chance < SMALLEST_SHOWN:
        return f"fewer than {SMALLEST_SHOWN}"
    return f"{'at most ' if found.bounded else ''}{numbers.decimal(found.by_chance, 1)}"


def sentence(what: str, named: Sequence[Named]) -> str:
    """ "On average 0.3 of the three worth a visit would be named by chance alone."; "" for fewer than two."""
    found = listed("", what, named)
    if found.number < 2:
        return ""
    which = f"the {numbers.number_word(found.number)} {what}".rstrip()
    return f"On average {count(found)} of {which} would be named by chance alone."

"""What would improve the chapter on burden and value: each line follows from what is missing or widest."""

from __future__ import annotations

import math
from collections.abc import Iterator

from collabeval.disclosure import Published
from collabeval.statements import numbers
from collabeval.statements.burden import Burden
from collabeval.statements.value import REASONS
from collabeval.statements.value_facts import Worth
from collabeval.statements.value_figures import input_name

COMPARE = {"no_effect_step", "untreated", "before", "after"}
COMPARATORS = "data of sites that are not in the programme (comparators.csv), or from before each joined"


def improvements(published: Published, worth: Worth | None, burdens: tuple[Burden, ...]) -> list[str]:
    """Lines in order of what they would change most."""
    found = [*_of_worth(published, worth), *_of_burden(published, burdens)]
    return found or ["Nothing that these rules look for is missing."]


def _of_worth(published: Published, worth: Worth | None) -> Iterator[str]:
    if worth is None:
        yield (
            "Currency, price year and the cost of an event in params (value), and a table of costs (costs.csv), "
            "would show what the programme is worth."
        )
        return
    if not math.isfinite(worth.cost):
        yield "A table of costs (costs.csv) would show what the programme costs, and whether it pays for itself."
    yield from _of_effect(worth)
    if worth.valued and all(each.cost is None for each in worth.valued):
        yield "What an event costs (value.cost_per_event in params) would show whether the programme pays for itself."
    sure = [each.noun for each in worth.valued if each.cost is not None and not each.cost.lower < each.cost.upper]
    if sure:
        what = numbers.listed(sure)
        yield f"A standard error or range of what {what} cost would keep intervals from being too short."
    if worth.without_costs:
        yield "Costs of every period in which events are counted would bring those periods in."
    found = published.value
    if found is not None and len(found.tornado):
        widest = found.tornado.iloc[0]
        yield f"Knowing {input_name(published, widest)} better would narrow the result most."


def _of_effect(worth: Worth) -> Iterator[str]:
    reasons = set(worth.reasons.values())
    if reasons & COMPARE:
        yield f"To tell an effect from a change takes {COMPARATORS}."
    elif "dates" in reasons:
        yield "To tell an effect from a change takes the day on which each joined (joined in sites.csv)."
    elif worth.basis == "change":
        yield f"To tell an effect from a change takes {COMPARATORS}, and value.basis: effect."
    for reason in sorted(reasons - COMPARE - {"dates"}):
        yield f"Some measures are not valued: {REASONS.get(reason, reason)}."


def _of_burden(published: Published, burdens: tuple[Burden, ...]) -> Iterator[str]:
    noun, nouns = published.params.report.site_noun
    if not burdens:
        yield f"A table of hours by {noun} and period (burden.csv) would show what the collecting of data takes."
        return
    if all(each.what == "hours" for each in burdens):
        yield "A column cost in burden.csv would show what a case costs to collect."
    if all(each.benchmark is None for each in burdens):
        yield f"A benchmark (value.burden.hours) would tell which {nouns} take more than they should."
    silent = sorted({site for each in burdens for site in each.none})
    if silent:
        yield f"Hours of {numbers.listed(silent, 4)}, where none are recorded, would complete the picture."

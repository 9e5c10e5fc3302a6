"""Phrases about one measure: its rate, its change, what a site is compared with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from collabeval.disclosure import MeasureView
from collabeval.statements import numbers
from collabeval.statements.facts import Estimate, Facts, Named
from collabeval.statements.numbers import NO_BREAK

if TYPE_CHECKING:
    import pandas as pd

CHANGE_NOT_EFFECT = "Nothing here is compared with places outside: this is change, not the effect of a programme."


def unit(view: MeasureView) -> str:
    """ "deaths per 1,000 operations"; for means the unit params give."""
    measure = view.params
    if view.is_mean:
        return measure.unit
    if measure.unit and view.base == measure.per:
        return measure.unit
    return f"{measure.events} per{NO_BREAK}{view.base:,} {measure.cases}"


def quantity(view: MeasureView) -> str:
    """What goes up or down: "rate" for shares and counts, "average" for means."""
    return "average" if view.is_mean else "rate"


def digits(view: MeasureView, value: float) -> int:
    """Decimals that a value of this measure deserves: three significant figures for means, two or three for rates."""
    size = abs(value)
    if not math.isfinite(size):
        return 0
    if view.is_mean:
        return 0 if size >= 100 else 1 if size >= 10 else 2
    return 0 if size >= 20 else 1


def rate(view: MeasureView, estimate: Estimate) -> str:
    """ "about 15 deaths in every 1,000 operations"."""
    if view.is_mean:
        return f"about {with_unit(view, estimate.median)}"
    return (
        f"about {numbers.whole(estimate.median)} {view.params.events} in every{NO_BREAK}{view.base:,} "
        f"{view.params.cases}"
    )


def with_unit(view: MeasureView, value: float) -> str:
    """A mean with its unit: "31.4 minutes"."""
    text = numbers.decimal(value, digits(view, value))
    return f"{text}{NO_BREAK}{view.params.unit}" if view.params.unit else text


def rate_interval(view: MeasureView, estimate: Estimate) -> str:
    """ "95% interval 5.2 to 9.9"."""
    return numbers.interval_95(estimate.lower, estimate.upper, digits(view, estimate.median))


def direction(facts: Facts, words: Mapping[str, float]) -> str:
    """The verb of the change, with its probability word and number: "very probably fell (97 in 100)"; "" if unclear."""
    for verb, probability in (("fell", facts.fell), ("rose", 1 - facts.fell)):
        word = numbers.probability_word(probability, words)
        if word:
            return f"{word} {verb} ({numbers.chance(probability)})"
    return ""


def events_a_year(facts: Facts) -> str:
    """ "about 16 fewer deaths a year (95% interval 2 to 30)"; across zero "(95% interval 30 fewer to 4 more)"."""
    change, view = facts.change, facts.view
    if change is None or view.is_mean or not facts.years > 0 or not math.isfinite(facts.cases):
        return ""
    scale = facts.cases / facts.years / view.base
    middle, lower, upper = (value * scale for value in (change.median, change.lower, change.upper))
    more = "more" if middle > 0 else "fewer"
    first, last = sorted((abs(lower), abs(upper))) if lower * upper > 0 else (lower, upper)
    if lower * upper > 0:
        span = f"{_end(first)}{NO_BREAK}to{NO_BREAK}{_end(last)}"
    else:
        span = f"{_end(abs(lower))}{NO_BREAK}fewer to {_end(upper)}{NO_BREAK}more"
    return f"about {_few(abs(middle))} {more} {view.params.events} a year (95%{NO_BREAK}interval {span})"


def _few(number: float) -> str:
    """A number of events a year: one decimal below three, where rounding would change the story."""
    return numbers.decimal(number, 1) if 0 < number < 2.95 else numbers.estimated_count(number)


def _end(number: float) -> str:
    """An end of an interval of events a year: the same without a decimal that is 0."""
    return _few(number).removesuffix(".0")


def change_on_scale(facts: Facts) -> str:
    """ "−1.2 deaths per 100 operations (95% interval −3.0 to +0.4)"."""
    change, view = facts.change, facts.view
    if change is None:
        return ""
    places = change_digits(view, change)
    size = f"{numbers.signed(change.median, places)} {unit(view)}".rstrip()
    return f"{size} ({numbers.interval_95(change.lower, change.upper, places, sign=True)})"


def change_digits(view: MeasureView, change: Estimate) -> int:
    """Decimals for a change: enough that its interval does not collapse, no more."""
    width = change.upper - change.lower
    return 0 if width >= (20 if view.is_mean else 6) else 1 if width >= 0.6 else 2


def difference_digits(lower: pd.Series, upper: pd.Series) -> int:
    """Decimals at which the shortest of several intervals of a difference still has two digits."""
    width = float((upper - lower).min())
    return 0 if not width < 10 else 1 if width >= 1 else 2


def worse_than(view: MeasureView, nouns: Sequence[str], worse: bool = True) -> str:
    """What "worse" (or "better") means for one site: "has more deaths than the average hospital would have had …"."""
    higher = worse == (view.params.better == "lower")
    if view.is_mean:
        label = numbers.lower_first(view.params.label)
        return f"lies {'above' if higher else 'below'} the average {nouns[0]} in {label}"
    many = f"has {'more' if higher else 'fewer'} {view.params.events}"
    if view.adjusted:
        return f"{many} than the average {nouns[0]} would have had with the same {view.params.cases}"
    return f"{many}, for the number of {view.params.cases}, than the average {nouns[0]}"


def who(named: Sequence[Named], at_most: int = 4) -> str:
    """ "Hospital H (99 in 100) and Hospital K (98 in 100)"."""
    return numbers.listed([f"{site.site} ({chance_of(site)})" for site in named], at_most)


def names(named: Sequence[Named], at_most: int = 4) -> str:
    """The same without chances."""
    return numbers.listed([site.site for site in named], at_most)


def chance_of(named: Named) -> str:
    """The chance that a site's word is right; for sites with a hidden count only that it reaches a threshold."""
    if named.bounded and math.isfinite(named.chance):
        return f"at least {math.floor(100 * named.chance + 1e-9)}{NO_BREAK}in{NO_BREAK}100"
    return numbers.chance(named.chance)


def lowest_chance(named: Sequence[Named]) -> str:
    """ "at least 97 chances in 100": the weakest of a list, rounded down."""
    lowest = min(site.chance for site in named)
    return f"at least {min(99, math.floor(100 * lowest + 1e-9))} chances in{NO_BREAK}100"


def out_of(number: int, total: int, nouns: Sequence[str]) -> str:
    """ "32 of 35 hospitals", "eight of 11 hospitals", "all 35 hospitals", "none of 35 hospitals"."""
    if number == total and total > 1:
        return f"all{NO_BREAK}{numbers.whole(total)}{NO_BREAK}{nouns[1]}"
    which = "none" if number == 0 else numbers.number_word(number)
    return f"{which} of{NO_BREAK}{numbers.whole(total)}{NO_BREAK}{numbers.plural(total, nouns)}"


def in_period(label: str) -> str:
    """ " in 2017–2019"; nothing where the data have no periods."""
    return f" in {numbers.period_name(label)}" if label else ""


def short_rate(view: MeasureView, estimate: Estimate) -> str:
    """The second of two rates, its unit understood: "about 16"."""
    if view.is_mean:
        return f"about {numbers.decimal(estimate.median, digits(view, estimate.median))}"
    return f"about {numbers.whole(estimate.median)}"


def chances(threshold: float) -> str:
    """ "at least 97.5 chances in 100"."""
    return numbers.chances_at_least(threshold)

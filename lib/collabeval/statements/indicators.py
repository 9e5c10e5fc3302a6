"""Indicators as the report speaks of them: a word by rule (at target, short of it, we cannot tell), and numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import pandas as pd

from collabeval.disclosure import Published
from collabeval.params import Indicator
from collabeval.statements import numbers
from collabeval.statements.numbers import NO_BREAK

AT, SHORT, UNCLEAR, RECORDED, NO_TARGET, NO_DATA = "at_target", "off_target", "unclear", "recorded", "", "no_data"


@dataclass(frozen=True)
class Reading:
    """One indicator as the report speaks of it: its row after disclosure, and its word by the rules."""

    indicator: Indicator
    row: Mapping[str, float]
    word: str  # slug
    said: str = ""  # the word for the chance of being at the target, or of falling short: "very probably"
    chance: float = math.nan  # of what `said` says

    @property
    def name(self) -> str:
        return numbers.lower_first(self.indicator.label)


def read(published: Published, features: Sequence[str]) -> list[Reading]:
    """The indicators of some features that params name, in their order; those without numbers too."""
    table = published.indicators
    listed = [] if table is None else table.rows.to_dict("records")
    rows = {str(row["indicator"]): cast(Mapping[str, float], row) for row in listed}
    words = published.params.rules.probability_words
    return [
        _reading(indicator, rows.get(indicator.id), words)
        for indicator in published.params.indicators
        if indicator.feature in features
    ]


def _reading(indicator: Indicator, row: Mapping[str, float] | None, words: Mapping[str, float]) -> Reading:
    if row is None or not row["now"]:
        return Reading(indicator, row or {}, NO_DATA)
    if indicator.target is None:
        return Reading(indicator, row, NO_TARGET)
    chance = row["at_target"]
    if math.isnan(chance):
        return Reading(indicator, row, RECORDED)
    for word, probability in ((AT, chance), (SHORT, 1 - chance)):
        said = numbers.probability_word(probability, words)
        if said:
            return Reading(indicator, row, word, said, probability)
    return Reading(indicator, row, UNCLEAR, "", chance)


def of(readings: Sequence[Reading], *words: str) -> list[Reading]:
    """Those with one of some words."""
    return [reading for reading in readings if reading.word in words]


def has_numbers(published: Published, features: Sequence[str]) -> bool:
    """Whether some indicator of these features has numbers this year."""
    return any(reading.word != NO_DATA for reading in read(published, features))


def chance_of(reading: Reading) -> str:
    """The chance of the reading's word; of a hidden count only that it reaches a threshold."""
    said = numbers.chance(reading.chance)
    return f"at least {said}" if reading.row["hidden"] and reading.word in (AT, SHORT) else said


def value(reading: Reading, prefix: str = "") -> str:
    """The estimate with its unit, "92%" or "41 days"; as recorded where there is none; a range where it is hidden."""
    row, indicator = reading.row, reading.indicator
    middle = row[f"{prefix}q50"]
    if math.isnan(middle) and row[f"{prefix}hidden"]:
        return with_unit(indicator, numbers.coarse_interval(row[f"{prefix}q025"], row[f"{prefix}q975"]))
    return number(indicator, row[f"{prefix}recorded"] if math.isnan(middle) else middle)


def interval(reading: Reading, prefix: str = "") -> str:
    """ "92% (88 to 95)"; without interval "41 days, as recorded"; "–" without anything."""
    row, indicator = reading.row, reading.indicator
    middle = row[f"{prefix}q50"]
    if math.isnan(middle):
        if row[f"{prefix}hidden"]:
            return value(reading, prefix)
        known = not math.isnan(row[f"{prefix}recorded"])
        return f"{value(reading, prefix)}, as recorded" if known else numbers.NOT_ESTIMATED
    places = digits(indicator, middle, row[f"{prefix}q975"] - row[f"{prefix}q025"])
    ends = numbers.interval(row[f"{prefix}q025"], row[f"{prefix}q975"], places)
    return f"{with_unit(indicator, numbers.decimal(middle, places))} ({ends})"


def target(indicator: Indicator) -> str:
    """ "at least 95%" or "at most 30 days"."""
    assert indicator.target is not None
    least = "least" if indicator.better == "higher" else "most"
    return f"at{NO_BREAK}{least} {with_unit(indicator, f'{indicator.target:,g}'.replace('-', numbers.MINUS))}"


def against(reading: Reading) -> str:
    """ "81%, target at least 95%; 99 in 100"."""
    return f"{value(reading)}, target {target(reading.indicator)}; {chance_of(reading)}"


def number(indicator: Indicator, found: float) -> str:
    """A value with its unit."""
    return with_unit(indicator, numbers.decimal(found, digits(indicator, found)))


def with_unit(indicator: Indicator, shown: str) -> str:
    """ "92%", "41 days", "0.71"."""
    unit = indicator.shown_unit
    return f"{shown}%" if unit == "%" else f"{shown}{NO_BREAK}{unit}" if unit else shown


def digits(indicator: Indicator, found: float, width: float = math.inf) -> int:
    """Decimals: none for percentages unless their interval is narrow, three figures for values."""
    if indicator.shown_unit == "%":
        return 1 if width < 2 else 0
    return 0 if abs(found) >= 20 else 1 if abs(found) >= 2 else 2


def recorded(reading: Reading) -> str:
    """What was recorded: "1,940 of 2,100", "274 for 24", "4 values"; a hidden count is said to be so."""
    row, indicator = reading.row, reading.indicator
    if row["hidden"]:
        return "not shown"
    if indicator.family == "normal":
        return f"{numbers.whole(row['values'])}{NO_BREAK}{numbers.plural(row['values'], ('value', 'values'))}"
    cases = row["denominator"]
    size = numbers.whole(cases) if cases == round(cases) else numbers.decimal(cases, 1)
    between = "of" if indicator.family == "binomial" else "for"
    return f"{numbers.whole(row['numerator'])}{NO_BREAK}{between}{NO_BREAK}{size}"


def year_of(published: Published) -> str:
    """The label of this year."""
    table = published.indicators
    labels = pd.Series(dtype=str) if table is None else table.rows["now"]
    return next((numbers.period_name(str(label)) for label in labels if label), "")

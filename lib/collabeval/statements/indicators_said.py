"""Sentences on indicators, by rule: the finding of a chapter, what changed, and what would improve what falls short."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from collabeval.disclosure import Published
from collabeval.statements import numbers
from collabeval.statements.figures import Words
from collabeval.statements.figures import words as figure_words
from collabeval.statements.indicators import (
    AT,
    NO_DATA,
    SHORT,
    UNCLEAR,
    Reading,
    against,
    chance_of,
    of,
    target,
    value,
)  # fmt: skip
from collabeval.statements.numbers import NO_BREAK

SMALLEST_SHOWN = 0.1  # an expected number below it would be printed as 0.0


def finding(readings: Sequence[Reading], of_what: str, words: Mapping[str, float]) -> str:
    """The finding of a chapter in one sentence."""
    judged = of(readings, AT, SHORT, UNCLEAR)
    if not judged:
        return f"The indicators of {of_what} have no target and numbers enough to be judged by."
    if len(judged) == 1:
        return f"{judged[0].indicator.label}: {_one(judged[0])}."
    parts = []
    for word, verbs in ((AT, ("is at target", "are at target")), (SHORT, ("falls short", "fall short"))):
        some = of(judged, word)
        if some:
            parts.append(f"{numbers.number_word(len(some))} {numbers.plural(len(some), verbs)}{_strength(some, words)}")
    unclear = len(of(judged, UNCLEAR))
    if unclear:
        parts.append(f"for {numbers.number_word(unclear)} we cannot tell")
    return f"Of {numbers.number_word(len(judged))} indicators of {of_what} with a target, {numbers.listed(parts)}."


def headline(readings: Sequence[Reading], of_what: str) -> str:
    """The title of the figure: how many fall short, how many are at target."""
    judged = of(readings, AT, SHORT, UNCLEAR)
    if not judged:
        return f"Indicators of {of_what}"
    if len(judged) == 1:
        label, word = judged[0].indicator.label, judged[0].word
        verdicts = {AT: " is at target", SHORT: " falls short of target"}
        return f"{label}{verdicts.get(word, ': we cannot tell whether it is at target')}"
    short, reached = len(of(judged, SHORT)), len(of(judged, AT))
    which = numbers.counted(short, (f"indicator of {of_what}", f"indicators of {of_what}"), of=len(judged))
    verbs = ("falls", "fall")
    first = f"{numbers.capital(which)} {verbs[0] if short == 1 else verbs[1]} short of target"
    return f"{first}; {numbers.number_word(reached)} {numbers.verb(reached, ('is', 'are'))} at target"


def _one(reading: Reading) -> str:
    against = f"{value(reading)} against a target of {target(reading.indicator)}"
    if reading.word == UNCLEAR:
        return f"we cannot tell whether it is at target ({against}; {numbers.chance(reading.chance)} that it is)"
    verb = "at target" if reading.word == AT else "short of its target"
    return f"{reading.said} {verb} ({chance_of(reading)}): {against}"


def _strength(some: Sequence[Reading], words: Mapping[str, float]) -> str:
    """ "(very probably or more)": the weakest word of several."""
    weakest = min(some, key=lambda reading: reading.chance)
    alone = len(some) == 1 or words[weakest.said] == max(words.values())
    return f" ({weakest.said}{'' if alone else ' or more'})"


def details(readings: Sequence[Reading], words: Mapping[str, float]) -> str:
    """Which they are, where the finding has not said so: furthest from target first; then what changed on last year."""
    sentences = []
    short = sorted(of(readings, SHORT), key=lambda reading: -reading.chance)
    if short and len(of(readings, AT, SHORT, UNCLEAR)) > 1:
        named = numbers.listed([f"{reading.name} ({against(reading)})" for reading in short], 3)
        sentences.append(f"Short of target: {named}.")
    for direction, verb in ((1, "better"), (-1, "worse")):
        moved = [reading for reading in readings if _moved(reading, words) == direction]
        if moved:
            named = numbers.listed([f"{reading.name} ({_moved_by(reading, words)})" for reading in moved], 4)
            sentences.append(f"{numbers.capital(verb)} than last year: {named}.")
    return " ".join(sentences)


def _moved(reading: Reading, words: Mapping[str, float]) -> int:
    """1 where it is better than last year by the words for chances, −1 where worse, 0 where we cannot tell."""
    better = reading.row.get("better", math.nan)
    return int(bool(numbers.probability_word(better, words))) - int(bool(numbers.probability_word(1 - better, words)))


def _moved_by(reading: Reading, words: Mapping[str, float]) -> str:
    better, hidden = reading.row["better"], reading.row["hidden"] or reading.row["last_hidden"]
    chance = max(better, 1 - better)
    number = f"at least {numbers.chance(chance)}" if hidden else numbers.chance(chance)
    return f"{numbers.probability_word(chance, words)}, {number}"


def improvements(published: Published, readings: Sequence[Reading], noun: tuple[str, str]) -> list[tuple[str, str]]:
    """What would improve the feature: for each indicator that falls short its gap, its sites, and what usually helps.

    Each is the indicator's label, and the rest of the paragraph.
    """
    short = sorted(of(readings, SHORT), key=lambda reading: -reading.chance)
    return [
        (
            reading.indicator.label,
            " ".join(filter(None, (f"{against(reading)}.", _gap(reading), _sites(published, reading, noun),
                                   reading.indicator.improve))),
        )
        for reading in short
    ]  # fmt: skip


def _gap(reading: Reading) -> str:
    """How many more (or fewer) of those recorded would have reached the target."""
    row, indicator = reading.row, reading.indicator
    if indicator.family != "binomial" or row["hidden"] or indicator.target is None:
        return ""
    asked = indicator.target / indicator.scale * row["denominator"]
    higher = indicator.better == "higher"
    missing = math.ceil(asked - row["numerator"] - 1e-9) if higher else math.ceil(row["numerator"] - asked - 1e-9)
    if missing <= 0:
        return ""
    change = f"{numbers.whole(missing)} {'more' if higher else 'fewer'}"
    return f"With {change} of {numbers.whole(row['denominator'])} it would have been reached."


def _sites(published: Published, reading: Reading, noun: tuple[str, str]) -> str:
    """The sites that fall short by the rule of "worse", and how many of them chance alone would name."""
    assert published.indicators is not None
    table, least = published.indicators.sites, published.params.rules.level
    own = table[table["indicator"].eq(reading.indicator.id) & (1 - table["at_target"]).ge(least)]
    if own.empty:
        return ""
    own = own.sort_values(["at_target", "site"])
    which = f"{numbers.listed(list(own['site']), 6)} {numbers.plural(len(own), ('falls', 'fall'))} short of it"
    wrong = max(float(own["at_target"].sum()), SMALLEST_SHOWN)
    most = "fewer than" if own["at_target"].sum() < SMALLEST_SHOWN else "at most" if own["hidden"].any() else "about"
    chance = f"{numbers.chances_at_least(least)} each"
    expected = f"; {most} {numbers.decimal(wrong, 1)} of them would be named by chance" if len(own) > 1 else ""
    return f"Of {reading.row['sites']:.0f} {noun[1]}, {which} ({chance}{expected})."


def without_numbers(readings: Sequence[Reading], year: str) -> str:
    """Which indicators params name that have no numbers this year."""
    missing = [reading.name for reading in of(readings, NO_DATA)]
    return f"Without numbers in {year}: {numbers.listed(missing, 6)}." if missing else ""


def figure(published: Published, readings: Sequence[Reading], title: str, year: str, left_out: int) -> Words:
    """What stands around the figure of some indicators; `title` is the finding of their chapter."""
    least = min(published.params.rules.probability_words.values())
    note = (
        f"Dot: estimate; thick and thin line: 50 and 95{NO_BREAK}in{NO_BREAK}100 chances that the truth is inside.",
        "Triangle: at target; diamond: short of it; ring: last year; bar: target.",
        f"Either word needs {numbers.chances_at_least(least)}.",
        "A dot without line: one value a year or too few, shown as recorded." if _any_alone(readings) else "",
        "Rows without dot: counts too small to be shown." if any(reading.row["hidden"] for reading in readings) else "",
        f"{numbers.capital(numbers.number_word(left_out))} more stand in the table alone." if left_out else "",
    )
    alt = " ".join(f"{reading.indicator.label}: {value(reading)}{_alt_word(reading)}." for reading in readings)
    subtitle = f"Indicators of {year}, against their targets." if year else "Indicators against their targets."
    return figure_words(published, title.rstrip("."), subtitle, note, alt)


def _any_alone(readings: Sequence[Reading]) -> bool:
    return any(math.isnan(reading.row["q025"]) and not math.isnan(reading.row["recorded"]) for reading in readings)


def _alt_word(reading: Reading) -> str:
    words = {AT: ", at target", SHORT: ", short of target", UNCLEAR: ", cannot tell"}
    return words.get(reading.word, "")

"""Numbers as words a reader takes in at once: counts, rates, intervals, chances, lists, periods.

The rules are those of docs/glossary.md: chances as natural frequencies that never reach 0 or 100, intervals with "to",
a true minus sign, no-break spaces inside what belongs together, whole numbers up to ten in words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

NO_BREAK = "\u00a0"
MINUS = "\u2212"
EN_DASH = "\u2013"
WORD_JOINER = "\u2060"
NOT_ESTIMATED = EN_DASH

_WORDS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SHARES = (
    (0.1, "a tenth"), (0.2, "a fifth"), (0.25, "a quarter"), (1 / 3, "a third"), (0.4, "two fifths"), (0.5, "half"),
    (0.6, "three fifths"), (2 / 3, "two thirds"), (0.75, "three quarters"), (0.8, "four fifths"), (0.9, "nine tenths"),
)  # fmt: skip
_OPENS = {"": "", "Q1": "Q4", "H1": "H2", "-01": "-12"}  # the first part of a year and its last
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip


def capital(text: str) -> str:
    """The text with its first letter raised."""
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """The text as it stands inside a sentence: the first letter lowered, unless the first word is an abbreviation."""
    first = text.split(" ", 1)[0]
    return text if any(letter.isupper() or letter.isdigit() for letter in first[1:]) else text[:1].lower() + text[1:]


def whole(number: float) -> str:
    """A whole number with thousands separators."""
    return f"{round(number):,}"


def number_word(number: int) -> str:
    """A count in words up to ten, in figures beyond."""
    return _WORDS[number] if number <= 10 else whole(number)


def plural(number: float, nouns: Sequence[str]) -> str:
    """The noun that goes with the number; `nouns` is (singular, plural)."""
    return nouns[0] if number == 1 else nouns[1]


def verb(number: int, verbs: Sequence[str]) -> str:
    """The verb after `counted`: "no hospital has", "one hospital has", "two hospitals have"."""
    return verbs[0] if number <= 1 else verbs[1]


def counted(number: int, nouns: Sequence[str], of: int | None = None) -> str:
    """ "two hospitals", "12 hospitals", "no hospital"; with `of`: "two of 12 hospitals", "none of 12 hospitals"."""
    if of is not None:
        return f"{number_word(number)} of{NO_BREAK}{whole(of)}{NO_BREAK}{plural(of, nouns)}"
    if number == 0:
        return f"no {nouns[0]}"
    return f"{number_word(number)} {plural(number, nouns)}"


def estimated_count(number: float) -> str:
    """An estimated count: whole, and above 100 rounded to tens, since the last digit would claim too much."""
    size = abs(number)
    return whole(round(size / 10) * 10) if size >= 100 else whole(size)


def estimated_total(number: float) -> str:
    """The same of a number that may be below zero or unknown."""
    if not math.isfinite(number):
        return NOT_ESTIMATED
    return f"{MINUS if round(number) < 0 else ''}{estimated_count(abs(number))}"


def total_interval(lower: float, upper: float) -> str:
    """ "−40 to 200", unbroken, both ends as `estimated_total`."""
    return f"{estimated_total(lower)}{NO_BREAK}to{NO_BREAK}{estimated_total(upper)}"


def decimal(number: float, digits: int) -> str:
    """A number with a fixed number of decimals, a true minus sign and no negative zero."""
    if not math.isfinite(number):
        return NOT_ESTIMATED
    rounded = round(number, digits) + 0.0
    return f"{rounded:,.{digits}f}".replace("-", MINUS)


def signed(number: float, digits: int) -> str:
    """A change: "+1.2", "−0.4", "0"."""
    text = decimal(number, digits)
    return text if round(number, digits) == 0 or text.startswith(MINUS) or text == NOT_ESTIMATED else f"+{text}"


def interval(lower: float, upper: float, digits: int, sign: bool = False) -> str:
    """ "0.39 to 1.06", unbroken; with `sign` "−1 to +3"."""
    write = signed if sign else decimal
    if not (math.isfinite(lower) and math.isfinite(upper)):
        return NOT_ESTIMATED
    return f"{write(lower, digits)}{NO_BREAK}to{NO_BREAK}{write(upper, digits)}"


def interval_95(lower: float, upper: float, digits: int, sign: bool = False) -> str:
    """ "95% interval 0.39 to 1.06"."""
    return f"95%{NO_BREAK}interval {interval(lower, upper, digits, sign)}"


def coarse_interval(lower: float, upper: float) -> str:
    """An interval rounded to a coarse grid, with no more digits than it has: "0.3 to 1.5"."""
    if not (math.isfinite(lower) and math.isfinite(upper)):
        return NOT_ESTIMATED
    return f"{lower:g}{NO_BREAK}to{NO_BREAK}{upper:g}".replace("-", MINUS)


def chance(probability: float) -> str:
    """A probability as a natural frequency: "16 in 100"; never 0, never 100, never a decimal."""
    if not math.isfinite(probability):
        return NOT_ESTIMATED
    if probability >= 0.995:
        return f"more than 99{NO_BREAK}in{NO_BREAK}100"
    if probability < 0.005:
        return f"fewer than 1{NO_BREAK}in{NO_BREAK}100"
    return f"{math.floor(100 * probability + 0.5)}{NO_BREAK}in{NO_BREAK}100"


def chance_short(probability: float) -> str:
    """The same for tables and tight labels: ">99 in 100"."""
    return chance(probability).replace("more than ", ">").replace("fewer than ", "<")


def chances_at_least(threshold: float) -> str:
    """A threshold as a reader meets it: "at least 97.5 chances in 100"."""
    return f"at least {100 * threshold:g} chances in{NO_BREAK}100"


def percent(share: float) -> str:
    """A share of something: "54%"."""
    return NOT_ESTIMATED if not math.isfinite(share) else f"{round(100 * share)}%"


def share_in_words(share: float) -> str:
    """ "about half", "less than a tenth", "nearly all"."""
    if share < 0.075:
        return "less than a tenth"
    if share > 0.945:
        return "nearly all"
    return "about " + min(_SHARES, key=lambda known: abs(known[0] - share))[1]


def probability_word(probability: float, words: Mapping[str, float]) -> str:
    """The strongest word whose threshold the probability reaches; "" where we cannot tell."""
    reached = [(threshold, word) for word, threshold in words.items() if probability >= threshold]
    return max(reached)[1] if reached else ""


def listed(names: Iterable[str], at_most: int = 0) -> str:
    """ "A", "A and B", "A, B and C"; with `at_most`, the rest as "and four more"."""
    shown = list(names)
    if at_most and len(shown) > at_most:
        rest = len(shown) - at_most
        return f"{', '.join(shown[:at_most])} and {number_word(rest)} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""


def period_name(label: str) -> str:
    """A period or a window as a reader writes it: "2017/2019" is "2017–2019", "2025Q1/2025Q2" is "Q1 to Q2 2025".

    A window of whole years is named by its years: "2025Q1/2025Q4" is "2025".
    """
    first, _, last = label.partition("/")
    if not last:
        return _one_period(first)
    if first[4:] in _OPENS and last[4:] == _OPENS[first[4:]]:
        return first[:4] if first[:4] == last[:4] else f"{first[:4]}{EN_DASH}{last[:4]}"
    if first[:4] == last[:4]:
        return f"{_one_period(first).rsplit(NO_BREAK, 1)[0]} to {_one_period(last)}"
    return f"{_one_period(first)} to {_one_period(last)}"


def _one_period(label: str) -> str:
    month = re.fullmatch(r"(\d{4})-(\d{2})", label)
    if month:
        return f"{_MONTHS[int(month[2]) - 1]}{NO_BREAK}{month[1]}"
    part = re.fullmatch(r"(\d{4})([QH]\d)", label)
    return f"{part[2]}{NO_BREAK}{part[1]}" if part else label


def unbroken_years(text: str) -> str:
    """Keep year ranges on one line: a word joiner on both sides of the dash (body text only; figures have no glyph)."""
    return re.sub(rf"(\d{{4}}){EN_DASH}(\d{{4}})", rf"\1{WORD_JOINER}{EN_DASH}{WORD_JOINER}\2", text)

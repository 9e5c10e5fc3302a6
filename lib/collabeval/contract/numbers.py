"""Numbers and days out of text: read where only one reading is possible, refused with advice where not."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pandas as pd

from collabeval.periods import PATTERNS, parse

Answer = tuple[float, bool, tuple[str, str] | None]
MISSING = {"na", "n/a", "n.a.", "#n/a", "nan", "null", "missing", "not available", "-", "–", "—", ".", ".."}
PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
SPACED = re.compile(r"[+-]?\d{1,3}([ \u00a0\u2009\u202f'’]\d{3})+(\.\d+)?")
COMMA_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3}){2,}(\.\d+)?|[+-]?[1-9]\d{0,2}(,\d{3})+\.\d+")
DOT_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3}){2,}(,\d+)?|[+-]?[1-9]\d{0,2}(\.\d{3})+,\d+")
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
EITHER_COMMA = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
DECIMAL_POINT = re.compile(r"[+-]?(\d+\.\d+|\.\d+)")
EITHER_POINT = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
ADVICE = (
    (re.compile(r"<.*|\*+|suppressed|s", re.IGNORECASE),
     "a hidden small count cannot be analysed: ask for the true number, or take the row out"),
    (re.compile(r".*%"), "give counts (numerator and denominator), not a percentage"),
    (re.compile(r"#.*"), "a formula failed in Excel: mend it, or put the number itself there"),
    (re.compile(r"[\dOoIl]+"), "is a letter O or l standing for a 0 or 1?"),
    (re.compile(r"\d{4}-\d{2}-\d{2}.*|.*\d[/.-]\d+[/.-]\d+.*|\d+-[A-Za-z]{3}|[A-Za-z]{3}-\d+"),
     "has Excel turned it into a date? Format the column as Number and type it again"),
)  # fmt: skip


@dataclass(frozen=True)
class Habit:
    """How one file writes numbers: whether a decimal comma, whether a decimal point is seen for certain."""

    comma: bool = False
    point: bool = False


@dataclass
class Reading:
    """What came out of one column: values, refusals (row, what, fix) and notes for the log."""

    values: list[Any]
    refused: list[tuple[Hashable, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def habit_of(texts: Iterable[str]) -> Habit:
    """The habit of a file, from all its numbers; `1,234` and `1.234` show nothing, since both can be either."""
    distinct = set(texts)
    comma = any(DOT_GROUPS.fullmatch(text) or _is_certain(text, DECIMAL_COMMA, EITHER_COMMA) for text in distinct)
    point = any(COMMA_GROUPS.fullmatch(text) or _is_certain(text, DECIMAL_POINT, EITHER_POINT) for text in distinct)
    return Habit(comma, point)


def read_numbers(texts: pd.Series, whole: pd.Series, habit: Habit) -> Reading:
    """Numbers of one column of one file; `whole` says in which rows only whole numbers can be meant.

    A comma or point before exactly three digits (`1,234`, `1.234`) can separate thousands or decimals. It is read where
    the habit of the file or the need of a whole number settles it, else refused; `1.234` where no whole number is meant
    and the file shows no decimal comma is an ordinary decimal number.
    """
    written = texts.to_list()
    read_once = {(text, counts): _number(text, counts, habit) for text in set(written) for counts in (True, False)}
    reading, read_as = Reading([]), set()
    for row, text, counts in zip(texts.index, written, whole, strict=True):
        value, how, refusal = read_once[text, bool(counts)]
        reading.values.append(value)
        if how:
            read_as.add(f"{text!r} was read as {value:.15g}" if value == value else f"{text!r} counts as missing")
        if refusal:
            reading.refused.append((row, *refusal))
    if read_as:
        reading.notes.append(some_of(sorted(read_as)))
    return reading


def some_of(notes: Sequence[str]) -> str:
    """The first few notes, and how many more there are."""
    more = f" (and {len(notes) - 3} more like these)" if len(notes) > 3 else ""
    return "; ".join(notes[:3]) + more


def _is_certain(text: str, pattern: re.Pattern[str], either: re.Pattern[str]) -> bool:
    return bool(pattern.fullmatch(text)) and not either.fullmatch(text)


def _number(text: str, whole: bool, habit: Habit) -> Answer:
    """One value; whether it was read otherwise than as written; why it is refused."""
    if not text:
        return float("nan"), False, None
    if text.lower() in MISSING:
        return float("nan"), True, None
    if EITHER_COMMA.fullmatch(text):
        return _either(text, ",", thousands=habit.point or whole, decimal=habit.comma)
    if EITHER_POINT.fullmatch(text):
        plain = not whole and not habit.comma
        return (float(text), False, None) if plain else _either(text, ".", thousands=habit.comma, decimal=habit.point)
    if PLAIN.fullmatch(text):
        if whole and "e" in text.lower():
            fix = "Excel has shortened a long number: format the column as Number and save again"
            return float("nan"), False, ("is not written out", fix)
        return float(text), False, None
    if SPACED.fullmatch(text):
        return float(re.sub(r"[^\d.+-]", "", text)), True, None
    if COMMA_GROUPS.fullmatch(text):
        return float(text.replace(",", "")), True, None
    if DOT_GROUPS.fullmatch(text) or DECIMAL_COMMA.fullmatch(text):
        return float(text.replace(".", "").replace(",", ".")), True, None
    fix = next((advice for pattern, advice in ADVICE if pattern.fullmatch(text)), "write digits only, like 12 or 12.5")
    return float("nan"), False, ("is not a number", fix)


def _either(text: str, mark: str, thousands: bool, decimal: bool) -> Answer:
    """A mark before three digits: thousands or decimals, where exactly one of them is possible."""
    joined, pointed = text.replace(mark, ""), text.replace(mark, ".")
    if thousands != decimal:
        return float(joined if thousands else pointed), True, None
    fix = f"write {joined} or {pointed.rstrip('0').rstrip('.')}, whichever is meant"
    return float("nan"), False, ("can be read in two ways", fix)


def read_days(texts: pd.Series) -> Reading:
    """Days of one column: `2019-04-01`, a period (its first day), or with slashes where one order fits all."""
    slashed = {text for text in texts if re.fullmatch(r"\d{1,2}[/.]\d{1,2}[/.]\d{4}", text)}
    orders = [order for order in ("%d/%m/%Y", "%m/%d/%Y") if all(_day(text, order) for text in slashed)]
    reading = Reading([])
    for row, text in texts.items():
        value, refusal = _one_day(text, slashed, orders)
        reading.values.append(value)
        if refusal:
            reading.refused.append((row, *refusal))
    if slashed and len(orders) == 1:
        order = "day/month/year" if orders[0].startswith("%d") else "month/day/year"
        reading.notes.append(f"days like {min(slashed)!r} were read as {order}")
    return reading


def _one_day(text: str, slashed: set[str], orders: list[str]) -> tuple[date | None, tuple[str, str] | None]:
    if not text or text.lower() in MISSING:
        return None, None
    length = next((length for length, pattern in PATTERNS.items() if pattern.fullmatch(text)), None)
    if length is not None:
        return parse(text, length).start, None
    if text in slashed:
        readings = {_day(text, order) for order in orders}
        if len(readings) == 1:
            return readings.pop(), None
        return None, ("can be read as two days" if readings else "is no day", "write it like 2019-04-01")
    try:
        return datetime.fromisoformat(text).date(), None
    except ValueError:
        return None, ("is not a day that can be read", "write it like 2019-04-01")


def _day(text: str, order: str) -> date | None:
    try:
        return datetime.strptime(text.replace(".", "/"), order).date()
    except ValueError:
        return None

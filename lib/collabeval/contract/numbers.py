"""Numbers and days out of text: read where only one reading is possible, refused with advice where not."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pandas as pd

from collabeval.periods import PATTERNS, parse

MISSING = {"na", "n/a", "n.a.", "#n/a", "nan", "null", "missing", "not available", "-", "–", "—", ".", ".."}
PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
SPACED = re.compile(r"[+-]?\d{1,3}([ \u00a0\u2009\u202f'’]\d{3})+(\.\d+)?")
COMMA_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3}){2,}(\.\d+)?|[+-]?[1-9]\d{0,2}(,\d{3})+\.\d+")
DOT_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3}){2,}(,\d+)?|[+-]?[1-9]\d{0,2}(\.\d{3})+,\d+")
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
EITHER_COMMA = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
EITHER_DOT = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
ADVICE = (
    (re.compile(r"<.*|\*+|suppressed|s", re.IGNORECASE),
     "a hidden small count cannot be analysed: ask for the true number, or take the row out"),
    (re.compile(r".*%"), "give counts (numerator and denominator), not a percentage"),
    (re.compile(r"#.*"), "a formula failed in Excel: mend it, or put the number itself there"),
    (re.compile(r"[\dOoIl]+"), "is a letter O or l standing for a 0 or 1?"),
    (re.compile(r"\d{4}-\d{2}-\d{2}.*|.*\d[/.-]\d+[/.-]\d+.*|\d+-[A-Za-z]{3}|[A-Za-z]{3}-\d+"),
     "has Excel turned it into a date? Format the column as Number and type it again"),
)  # fmt: skip


@dataclass
class Reading:
    """What came out of one column: values, refusals (row, what, fix) and notes for the log."""

    values: list[Any]
    refused: list[tuple[Hashable, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_numbers(texts: pd.Series, whole: pd.Series) -> Reading:
    """Numbers of one column of one file; `whole` says in which rows only whole numbers can be meant.

    A comma before exactly three digits (`1,234`) can be a thousands separator or a decimal comma: read where whole
    numbers are meant, or where other values of the column settle it; else it is refused.
    """
    written = texts.to_list()
    distinct = set(written)
    thousands = any(COMMA_GROUPS.fullmatch(text) for text in distinct)
    decimal = any(_is_decimal_comma(text) or DOT_GROUPS.fullmatch(text) for text in distinct)
    read_once = {
        (text, counts): _number(text, counts, thousands, decimal) for text in distinct for counts in (True, False)
    }
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


def _is_decimal_comma(text: str) -> bool:
    return bool(DECIMAL_COMMA.fullmatch(text)) and not EITHER_COMMA.fullmatch(text)


def _number(text: str, whole: bool, thousands: bool, decimal: bool) -> tuple[float, bool, tuple[str, str] | None]:
    """One value; whether it was read otherwise than as written; why it is refused."""
    if not text:
        return float("nan"), False, None
    if text.lower() in MISSING:
        return float("nan"), True, None
    if PLAIN.fullmatch(text):
        return _plain(text, whole, decimal)
    if SPACED.fullmatch(text):
        return float(re.sub(r"[^\d.+-]", "", text)), True, None
    if COMMA_GROUPS.fullmatch(text):
        return float(text.replace(",", "")), True, None
    if DOT_GROUPS.fullmatch(text):
        return float(text.replace(".", "").replace(",", ".")), True, None
    if EITHER_COMMA.fullmatch(text) and (whole or thousands != decimal):
        return float(text.replace(",", "" if whole or thousands else ".")), True, None
    if EITHER_COMMA.fullmatch(text):
        fix = f"write {text.replace(',', '')} or {text.replace(',', '.')}, whichever is meant"
        return float("nan"), False, ("can be read in two ways", fix)
    if DECIMAL_COMMA.fullmatch(text):
        return float(text.replace(",", ".")), True, None
    fix = next((advice for pattern, advice in ADVICE if pattern.fullmatch(text)), "write digits only, like 12 or 12.5")
    return float("nan"), False, ("is not a number", fix)


def _plain(text: str, whole: bool, decimal: bool) -> tuple[float, bool, tuple[str, str] | None]:
    if whole and "e" in text.lower():
        fix = "Excel has shortened a long number: format the column as Number and save again"
        return float("nan"), False, ("is not written out", fix)
    if decimal and not whole and EITHER_DOT.fullmatch(text):
        fix = "other values of this column have decimal commas: write it without a point, or with a decimal comma"
        return float("nan"), False, ("can be read in two ways", fix)
    return float(text), False, None


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

"""Periods: months, quarters, half-years and years as ordered values, in calendar or fiscal years.

A fiscal year is named after the calendar year in which it starts: with `year_starts: 4`, `2025` runs from April 2025 to
March 2026 and `2025Q1` is April to June 2025. Months are always calendar months.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

Length = Literal["month", "quarter", "half", "year"]
MONTHS: dict[Length, int] = {"month": 1, "quarter": 3, "half": 6, "year": 12}
EXAMPLES: dict[Length, str] = {"month": "2025-03", "quarter": "2025Q1", "half": "2025H1", "year": "2025"}
PATTERNS: dict[Length, re.Pattern[str]] = {
    "month": re.compile(r"(?P<year>\d{4})-(?P<part>0[1-9]|1[0-2])"),
    "quarter": re.compile(r"(?P<year>\d{4})[ -]?[Qq](?P<part>[1-4])"),
    "half": re.compile(r"(?P<year>\d{4})[ -]?[Hh](?P<part>[12])"),
    "year": re.compile(r"(?P<year>\d{4})"),
}
MARKS: dict[Length, str] = {"quarter": "Q", "half": "H"}
DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]00:00(?::00)?)?")
EXCEL_DATE = re.compile(r"[A-Za-z]{3}[ -]\d{2,4}|\d{1,2}[ -][A-Za-z]{3}(-\d+)?|\d{1,4}[./-]\d{1,2}[./-]\d{1,4}.*")
FIRST_YEAR, LAST_YEAR = 1900, 2199


class PeriodError(ValueError):
    """A text that is no period of the length asked for: `what` is wrong and `fix` says how to write it."""

    def __init__(self, what: str, fix: str) -> None:
        self.what, self.fix = what, fix
        super().__init__(f"{what} → {fix}")


@dataclass(frozen=True, order=True)
class Period:
    """One period: its first day, how long it is, and its label as written (`2025-03`, `2025Q1`, `2025H1`, `2025`)."""

    start: date
    length: Length
    label: str
    year_starts: int = 1

    def shifted(self, by: int) -> Period:
        """The period `by` periods later (earlier where negative)."""
        months = self.start.year * 12 + self.start.month - 1 + by * MONTHS[self.length]
        return starting(date(months // 12, months % 12 + 1, 1), self.length, self.year_starts)

    @property
    def end(self) -> date:
        """The first day after the period."""
        return self.shifted(1).start


def per_year(length: Length) -> int:
    """How many periods of this length make a year."""
    return 12 // MONTHS[length]


def length_of(text: str) -> Length | None:
    """The length a text is written in, or None where it is no period at all."""
    return next((length for length, pattern in PATTERNS.items() if pattern.fullmatch(text.strip())), None)


def starting(day: date, length: Length, year_starts: int = 1) -> Period:
    """The period of this length that contains `day`."""
    if length == "month":
        return Period(day.replace(day=1), length, f"{day.year:04d}-{day.month:02d}", year_starts)
    months_into_year = (day.month - year_starts) % 12
    part = months_into_year // MONTHS[length]
    year = day.year if day.month >= year_starts else day.year - 1
    label = f"{year:04d}" + (f"{MARKS[length]}{part + 1}" if length in MARKS else "")
    return Period(_first_day(year, part, length, year_starts), length, label, year_starts)


def parse(text: str, length: Length, year_starts: int = 1) -> Period:
    """Read one period of a known length; a day counts where it is the first day of such a period (Excel writes those).

    Raises
    ------
    PeriodError
        if the text is no period, a period of another length, or a day inside one.
    """
    written = text.strip()
    if match := PATTERNS[length].fullmatch(written):
        year = int(match["year"])
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise PeriodError(f"the year {year} is not between {FIRST_YEAR} and {LAST_YEAR}", _advice(length))
        part = int(match.groupdict().get("part") or 1) - 1
        first = date(year, part + 1, 1) if length == "month" else _first_day(year, part, length, year_starts)
        return starting(first, length, year_starts)
    if DAY.fullmatch(written):
        return _from_day(written, length, year_starts)
    if other := length_of(written):
        name = {"half": "half-year"}.get(length, length)
        fix = f"write every period as a {name}, like {EXAMPLES[length]}, or change `periods.length`"
        raise PeriodError(f"is a {other.replace('half', 'half-year')}, but `periods.length` is {length}", fix)
    excel = "Excel has made it a date: format the column as Text and " if EXCEL_DATE.fullmatch(written) else ""
    raise PeriodError("is not a period that can be read", excel + _advice(length))


def span(first: Period, last: Period) -> list[Period]:
    """Every period from `first` to `last`, both included; empty where `last` comes before `first`."""
    periods, period = [], first
    while period.start <= last.start:
        periods.append(period)
        period = period.shifted(1)
    return periods


def years_between(earlier: Period, later: Period) -> float:
    """Years from the start of one period to the start of another; a month is a twelfth of a year."""
    months = (later.start.year - earlier.start.year) * 12 + later.start.month - earlier.start.month
    return months / 12


def _first_day(year: int, part: int, length: Length, year_starts: int) -> date:
    months = year_starts - 1 + part * MONTHS[length]
    return date(year + months // 12, months % 12 + 1, 1)


def _from_day(written: str, length: Length, year_starts: int) -> Period:
    """The period that starts on a day written `2025-04-01`."""
    try:
        day = date.fromisoformat(written[:10])
    except ValueError as unreadable:
        raise PeriodError("is not a day of any calendar", _advice(length)) from unreadable
    period = starting(day, length, year_starts)
    if period.start != day:
        raise PeriodError(f"is a day inside a {length.replace('half', 'half-year')}, not a period",
                          f"{_advice(length)}; this day lies in {period.label}")  # fmt: skip
    return period


def _advice(length: Length) -> str:
    return f"write it like {EXAMPLES[length]}"

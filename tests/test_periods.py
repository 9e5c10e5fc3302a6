"""Periods: written, read, ordered, in calendar and fiscal years."""

from contextlib import suppress
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collabeval.periods import LAST_YEAR, MONTHS, PeriodError, parse, per_year, span, starting, years_between

lengths = st.sampled_from(sorted(MONTHS))
days = st.dates(date(1901, 1, 1), date(LAST_YEAR - 2, 12, 31))
year_starts = st.integers(1, 12)


@pytest.mark.parametrize(
    ("text", "length", "year_start", "first", "end"),
    [
        ("2025", "year", 1, date(2025, 1, 1), date(2026, 1, 1)),
        ("2025", "year", 4, date(2025, 4, 1), date(2026, 4, 1)),
        ("2025H2", "half", 1, date(2025, 7, 1), date(2026, 1, 1)),
        ("2025H2", "half", 10, date(2026, 4, 1), date(2026, 10, 1)),
        ("2025Q1", "quarter", 4, date(2025, 4, 1), date(2025, 7, 1)),
        ("2025Q4", "quarter", 4, date(2026, 1, 1), date(2026, 4, 1)),
        ("2025-03", "month", 4, date(2025, 3, 1), date(2025, 4, 1)),
        ("2025-12", "month", 1, date(2025, 12, 1), date(2026, 1, 1)),
    ],
)
def test_a_period_starts_and_ends_where_the_calendar_says(text, length, year_start, first, end):
    period = parse(text, length, year_start)
    assert (period.start, period.end, period.label) == (first, end, text)


@given(days, lengths, year_starts)
def test_a_label_reads_back_as_the_same_period(day, length, year_start):
    period = starting(day, length, year_start)
    assert parse(period.label, length, year_start) == period


@given(days, lengths, year_starts)
def test_every_day_lies_in_the_period_it_belongs_to_and_in_no_other(day, length, year_start):
    period = starting(day, length, year_start)
    assert period.start <= day < period.end
    assert starting(period.end, length, year_start) == period.shifted(1)
    assert starting(period.start - timedelta(days=1), length, year_start) == period.shifted(-1)


@given(days, days, lengths, year_starts)
def test_periods_are_ordered_as_time_is(one, other, length, year_start):
    first, second = starting(one, length, year_start), starting(other, length, year_start)
    assert (first < second) == (first.start < second.start)
    assert (first == second) == (first.label == second.label)


@given(days, st.integers(0, 60), lengths, year_starts)
def test_a_span_holds_every_period_once_and_its_years_add_up(day, steps, length, year_start):
    first = starting(day, length, year_start)
    last = first.shifted(steps)
    periods = span(first, last)
    assert len(periods) == steps + 1
    assert all(one.end == next_one.start for one, next_one in pairwise(periods))
    assert years_between(first, last) == pytest.approx(steps / per_year(length))


def test_a_span_backwards_is_empty():
    assert span(parse("2025", "year"), parse("2024", "year")) == []


@pytest.mark.parametrize(
    ("text", "length", "label"),
    [
        (" 2025q1 ", "quarter", "2025Q1"),
        ("2025 Q1", "quarter", "2025Q1"),
        ("2025-h2", "half", "2025H2"),
        ("2025-03-01", "month", "2025-03"),
        ("2025-01-01", "year", "2025"),
        ("2025-04-01T00:00:00", "quarter", "2025Q2"),
    ],
)
def test_what_can_mean_one_period_only_is_read(text, length, label):
    assert parse(text, length).label == label


@pytest.mark.parametrize(
    ("text", "length", "what", "fix"),
    [
        ("2025Q1", "year", "is a quarter, but `periods.length` is year", "2025"),
        ("2025", "month", "is a year, but `periods.length` is month", "2025-03"),
        ("2025-03-15", "month", "is a day inside a month", "this day lies in 2025-03"),
        ("2025-02-30", "month", "is not a day of any calendar", "2025-03"),
        ("2025-13", "month", "is not a period", "2025-03"),
        ("2025Q5", "quarter", "is not a period", "2025Q1"),
        ("Mar-25", "month", "is not a period", "format the column as Text"),
        ("01/03/2025", "month", "is not a period", "format the column as Text"),
        ("1025", "year", "the year 1025 is not between", "2025"),
        ("", "year", "is not a period", "2025"),
    ],
)
def test_what_cannot_be_read_says_why_and_how_to_write_it(text, length, what, fix):
    with pytest.raises(PeriodError) as error:
        parse(text, length)
    assert error.value.what.startswith(what)
    assert fix in error.value.fix


@given(st.text(max_size=12), lengths, year_starts)
def test_no_text_breaks_the_reader(text, length, year_start):
    with suppress(PeriodError):  # any other error is a failure
        period = parse(text, length, year_start)
        assert parse(period.label, length, year_start) == period

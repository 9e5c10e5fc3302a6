"""The contract: every stopping check by hand, all at once, told to a person."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collabeval.contract.numbers import habit_of, read_numbers
from small_tables import SITES, complaints, read

DEATH = "site,period,measure,numerator,denominator,expected\n"
WAIT = "site,period,measure,mean,sd,n,se\n"


def test_good_rows_come_through_with_their_types(tmp_path):
    inputs = read(tmp_path, DEATH + "A,2024,death,1,20,1.5\nB,2024,death,0,30,2\n", "site,name,joined,beds\n"
                  "A,Alpha,2019-04-01,100\nB,,,250\n")  # fmt: skip
    assert inputs.outcomes[["site", "period", "measure"]].to_numpy().tolist() == [
        ["A", "2024", "death"],
        ["B", "2024", "death"],
    ]
    assert inputs.outcomes["expected"].tolist() == [1.5, 2.0]
    assert inputs.outcomes["mean"].isna().all()
    assert inputs.sites["name"].tolist() == ["Alpha", "B"]
    assert str(inputs.sites["joined"][0].date()) == "2019-04-01"
    assert inputs.sites["joined"].isna().tolist() == [False, True]
    assert inputs.sites["beds"].tolist() == [100, 250]
    assert [len(source.sha256) for source in inputs.sources] == [64, 64]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("A,2024,death,21,20,1", "outcomes.csv:4 numerator '21' → is above the denominator"),
        ("A,2024,death,-1,20,1", "outcomes.csv:4 numerator '-1' → is below 0"),
        ("A,2024,death,1.5,20,1", "outcomes.csv:4 numerator '1.5' → is not a whole number"),
        ("A,2024,death,1,20.5,1", "outcomes.csv:4 denominator '20.5' → is not a whole number"),
        ("A,2024,death,0,0,1", "outcomes.csv:4 denominator '0' → must be above 0"),
        ("A,2024,death,1,20,0", "outcomes.csv:4 expected '0' → must be above 0"),
        ("A,2024,death,1,20,20", "outcomes.csv:4 expected '20' → is not below the denominator"),
        ("A,2024,death,1,20,", "outcomes.csv:4 expected → is given in some rows of this measure and not in others"),
        ("A,2024,death,,20,1", "outcomes.csv:4 numerator → has no value"),
        ("A,2024,death,1,,1", "outcomes.csv:4 denominator → has no value"),
        ("A,2023,death,1,20,1", "outcomes.csv:4 site 'A' → the same site, period and measure as row 2"),
        ("Z,2024,death,1,20,1", "outcomes.csv:4 site 'Z' → is not in the table of sites"),
        (",2024,death,1,20,1", "outcomes.csv:4 site → is empty"),
        ("A,,death,1,20,1", "outcomes.csv:4 period → is empty → write it like 2025"),
        ("A,soon,death,1,20,1", "outcomes.csv:4 period 'soon' → is not a period that can be read"),
        ("A,2024Q1,death,1,20,1", "outcomes.csv:4 period '2024Q1' → is a quarter, but `periods.length` is year"),
        ("A,2024,deaths,1,20,1", "outcomes.csv:4 measure 'deaths' → is not a measure of the params file → did"),
        ("A,2024,death,one,20,1", "outcomes.csv:4 numerator 'one' → is not a number"),
        ("A,2024,death,<5,20,1", "outcomes.csv:4 numerator '<5' → is not a number → a hidden small count"),
        ("EXAMPLE,2024,death,1,20,1", "outcomes.csv:4 site 'EXAMPLE' → is the example row of the template → delete"),
    ],
)  # fmt: skip
def test_each_breach_stops_the_run_and_says_where(tmp_path, row, said):
    found = complaints(tmp_path, DEATH + f"A,2023,death,1,20,1\nB,2023,death,1,20,1\n{row}\n")
    assert len(found) == 1
    assert found[0].startswith(said)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("A,2024,wait,5,0,30,", "sd '0' → is 0 although n is above 1"),
        ("A,2024,wait,5,-1,30,", "sd '-1' → is below 0"),
        ("A,2024,wait,5,,30,", "mean '5' → has neither se nor both sd and n"),
        ("A,2024,wait,,2,30,", "mean → has no value"),
        ("A,2024,wait,5,2,1.5,", "n '1.5' → is not a whole number"),
        ("A,2024,wait,5,2,0,", "n '0' → must be above 0"),
        ("A,2024,wait,5,,,0.5", "se '0.5' → is given in some rows of this measure and not in others"),
    ],
)
def test_means_need_their_spread(tmp_path, row, said):
    found = complaints(tmp_path, WAIT + f"A,2023,wait,5,2,30,\nB,2023,wait,5,2,30,\n{row}\n", measures="wait")
    assert len(found) == 1
    assert found[0].startswith(f"outcomes.csv:4 {said}")


def test_one_observation_needs_no_sd_and_a_mean_may_be_negative(tmp_path):
    inputs = read(tmp_path, WAIT + "A,2024,wait,-5,,1,\nB,2024,wait,5,2,30,\n", measures="wait")
    assert inputs.outcomes["mean"].tolist() == [-5, 5]


def test_a_poisson_numerator_may_exceed_its_exposure(tmp_path):
    inputs = read(tmp_path, DEATH + "A,2024,falls,12,3.5,\nB,2024,falls,1,2,\n", measures="falls")
    assert inputs.outcomes["denominator"].tolist() == [3.5, 2]


def test_every_problem_of_both_files_is_told_at_once(tmp_path):
    found = complaints(
        tmp_path,
        DEATH + "A,2023,death,30,20,1\nQ,2023,death,x,20,1\nA,23,death,1,0,1\n",
        "site,name,joined\nA,Alpha,soon\nA,Again,\n,Nobody,\n",
    )
    places = [complaint.split(" → ")[0].rsplit(" '", 1)[0] for complaint in found]
    assert places == [
        "sites.csv:2 joined", "sites.csv:3 site", "sites.csv:4 site", "outcomes.csv:2 numerator",
        "outcomes.csv:3 site", "outcomes.csv:3 numerator", "outcomes.csv:4 period", "outcomes.csv:4 denominator",
    ]  # fmt: skip


def test_codes_stay_text(tmp_path):
    sites = "site,name\n007,Bond\n1e3,Thousand\nNO,Norway\nTRUE,Truth\n"
    rows = "".join(f"{code},2024,death,1,20,\n" for code in ("007", "1e3", "NO", "TRUE"))
    inputs = read(tmp_path, DEATH + rows, sites)
    assert list(inputs.outcomes["site"]) == list(inputs.sites["site"]) == ["007", "1e3", "NO", "TRUE"]


def test_lost_zeros_and_changed_case_are_recognised(tmp_path):
    rows = DEATH + "7,2024,death,1,20,\na,2024,death,1,20,\nTotal,2024,death,2,40,\n"
    found = complaints(tmp_path, rows, "site,name\n007,Bond\nA,Alpha\n")
    assert "is it '007'? Excel drops leading zeros" in found[0]
    assert "did you mean 'A'?" in found[1]
    assert "take rows with totals out" in found[2]


def test_extra_columns_are_kept_and_ignored(tmp_path):
    rows = "site,period,measure,numerator,denominator,remark\nA,2024,death,1,20,late\nB,2024,death,1,20,\n"
    assert read(tmp_path, rows).outcomes["remark"].tolist() == ["late", ""]


def test_blank_rows_are_nothing_and_rows_without_values_were_not_submitted(tmp_path):
    rows = DEATH + "A,2024,death,1,20,\n,,,,,\nB,2024,death,1,20,\nB,2025,death,N/A,,\n\n  ,,,,,\n\n"
    inputs = read(tmp_path, rows)
    assert len(inputs.outcomes) == 2
    assert "outcomes: rows without any value, counted as not submitted: 1" in inputs.log


def test_missing_columns_are_named_with_what_they_may_be_called(tmp_path):
    found = complaints(tmp_path, "hospital,year,measure,numerator,denominatr\nA,2024,death,1,20\n")
    assert found == [
        "outcomes.csv:1 site → this column is missing → rename 'hospital' to site?",
        "outcomes.csv:1 period → this column is missing → rename 'year' to period?",
        "outcomes.csv:1 denominator → this column is missing → rename 'denominatr' to denominator?",
    ]


def test_a_header_is_recognised_however_it_is_typed(tmp_path):
    inputs = read(tmp_path, "Site, PERIOD ,Measure,Numerator,Denominator\nA,2024,death,1,20\nB,2024,death,1,20\n",
                  "SITE,Peer Group\nA,x\nB,y\n")  # fmt: skip
    assert inputs.outcomes["numerator"].tolist() == [1, 1]
    assert inputs.sites["peer_group"].tolist() == ["x", "y"]
    assert inputs.log == [f"{tmp_path}/sites.csv: column 'Peer Group' was read as peer_group"]


def test_a_title_above_the_header_is_seen(tmp_path):
    found = complaints(tmp_path, "Deaths in 2024,,\n" + DEATH + "A,2024,death,1,20,\n")
    assert found[0].startswith("outcomes.csv:1 → this is a title, not the column names → delete row 1")


def test_periods_where_there_are_none_and_none_where_there_are(tmp_path):
    with_periods = DEATH + "A,2024,death,1,20,\nB,2024,death,1,20,\n"
    assert "there are periods, but `periods.length` is none" in complaints(tmp_path, with_periods, length="none")[0]
    without = "site,measure,numerator,denominator\nA,death,1,20\nB,death,1,20\n"
    assert read(tmp_path, without, length="none").outcomes["period"].tolist() == ["", ""]
    assert complaints(tmp_path, without) == [
        "outcomes.csv:1 period → this column is missing → add it (columns found: site, measure, numerator, denominator)"
    ]


def test_measures_without_rows_or_without_rows_now_stop(tmp_path):
    rows = DEATH + "A,2023,death,1,20,\nB,2023,death,1,20,\n"
    assert "there are no rows of the measure falls" in complaints(tmp_path, rows, measures="death falls")[0]
    now = 'periods: {length: year, current: ["2024", "2025"]}'
    assert "no rows in the current window 2024 to 2025" in complaints(tmp_path, rows, more=now)[0]
    assert "only one site has rows" in complaints(tmp_path, DEATH + "A,2023,death,1,20,\n")[0]


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected", "said"),
    [
        ("1", '"1,234"', "4.5", "'1,234' was read as 1234"),
        ("1", "1 234", "4.5", "'1 234' was read as 1234"),
        ("1", "1'234", "4.5", "was read as 1234"),
        ("1", '"1,234,567"', "4.5", "was read as 1234567"),
        ("1", "1234", '"4,5"', "'4,5' was read as 4.5"),
        ("1", "1234", '"0,123"', "'0,123' was read as 0.123"),
        ("1", "9999", '"1.234,5"', "'1.234,5' was read as 1234.5"),
        ("1", "9999", '"1,234.5"', "'1,234.5' was read as 1234.5"),
    ],
)
def test_numbers_with_one_reading_are_read_and_logged(tmp_path, numerator, denominator, expected, said):
    rows = DEATH + f"A,2024,death,{numerator},{denominator},{expected}\nB,2024,death,1,2000,4\n"
    assert any(said in line for line in read(tmp_path, rows).log)


def test_numbers_with_two_readings_are_refused(tmp_path):
    found = complaints(tmp_path, DEATH + 'A,2024,death,1,9999,"1,234"\nB,2024,death,1,20,4\n')
    assert found == [
        "outcomes.csv:2 expected '1,234' → can be read in two ways → write 1234 or 1.234, whichever is meant"
    ]


def test_other_values_of_the_file_settle_what_a_comma_or_point_means(tmp_path):
    decimal = read(tmp_path, DEATH + 'A,2024,death,1,9999,"1,234"\nB,2024,death,1,20,"4,5"\n')
    assert decimal.outcomes["expected"].tolist() == [1.234, 4.5]
    thousands = read(tmp_path, DEATH + 'A,2024,death,1,9999,"1,234"\nB,2024,death,1,99999,"12,345.5"\n')
    assert thousands.outcomes["expected"].tolist() == [1234, 12345.5]
    points = read(tmp_path, DEATH + 'A,2024,death,1,9.999,1.234\nB,2024,death,1,1.000,"4,5"\n')
    assert points.outcomes[["denominator", "expected"]].to_numpy().tolist() == [[9999, 1234], [1000, 4.5]]
    plain = read(tmp_path, DEATH + "A,2024,death,1,9999,1.234\nB,2024,death,1,20,4.5\n")
    assert plain.outcomes["expected"].tolist() == [1.234, 4.5]
    both = complaints(tmp_path, DEATH + 'A,2024,death,1,9999,1.234\nB,2024,death,1,20,"4,5"\nA,2025,death,1,20,4.25\n')
    assert both[0].startswith("outcomes.csv:2 expected '1.234' → can be read in two ways")


def test_a_count_with_a_point_before_three_digits_is_never_taken_for_a_small_one(tmp_path):
    found = complaints(tmp_path, DEATH + "A,2024,death,1,1.000,\nB,2024,death,1,20,\n")
    assert found == [
        "outcomes.csv:2 denominator '1.000' → can be read in two ways → write 1000 or 1, whichever is meant"
    ]


def test_a_shortened_count_is_refused(tmp_path):
    found = complaints(tmp_path, DEATH + "A,2024,death,1,1.23E+05,\nB,2024,death,1,20,\n")
    assert found[0].startswith("outcomes.csv:2 denominator '1.23E+05' → is not written out → Excel has shortened")


def test_semicolons_and_decimal_commas(tmp_path):
    rows = "site;period;measure;numerator;denominator;expected\nA;2024;death;1;20;1,5\nB;2024;death;1;20;2,25\n"
    inputs = read(tmp_path, rows)
    assert inputs.outcomes["expected"].tolist() == [1.5, 2.25]
    assert any("separated by semicolons" in line for line in inputs.log)


@pytest.mark.parametrize(
    ("days", "read_as"),
    [
        (["25/12/2019", "01/02/2020"], ["2019-12-25", "2020-02-01"]),
        (["12/25/2019", "02/01/2020"], ["2019-12-25", "2020-02-01"]),
    ],
)
def test_days_with_slashes_are_read_where_one_order_fits_all(tmp_path, days, read_as):
    inputs = read(tmp_path, DEATH + "A,2024,death,1,20,\nB,2024,death,1,20,\n",
                  f"site,name,joined\nA,a,{days[0]}\nB,b,{days[1]}\n")  # fmt: skip
    assert [str(day.date()) for day in inputs.sites["joined"]] == read_as


def test_days_with_two_readings_are_refused(tmp_path):
    found = complaints(tmp_path, DEATH, "site,name,joined\nA,a,01/02/2020\nB,b,03/03/2020\n")
    assert "sites.csv:2 joined '01/02/2020' → can be read as two days → write it like 2019-04-01" in found


def test_sites_checks(tmp_path):
    found = complaints(tmp_path, DEATH + "A,2024,death,1,20,\n", "site,name\nA,a\nA,b\n,c\nEXAMPLE,d\n")
    assert [text.split(" → ")[1] for text in found] == [
        "is there twice",
        "is empty",
        "is the example row of the template",
    ]


def test_a_report_of_unknown_sites_does_not_follow_from_an_unreadable_table_of_sites(tmp_path):
    found = complaints(tmp_path, DEATH + "A,2024,death,1,20,\nB,2024,death,1,20,\n", b"site,name\nA,\xff\xfe\x9d\n")
    assert all(text.startswith("sites.csv") for text in found)
    assert SITES.startswith("site,name")


def test_columns_that_no_measure_uses_are_anyones_own(tmp_path):
    rows = "site,period,measure,numerator,denominator,n,mean\nA,2024,death,1,20,see note,-\nB,2024,death,1,20,,x\n"
    inputs = read(tmp_path, rows)
    assert inputs.outcomes[["n", "mean"]].isna().all(axis=None)


def test_numbers_in_a_column_of_another_family_are_ignored(tmp_path):
    rows = "site,period,measure,numerator,denominator,mean,sd,n\nA,2024,death,1,20,7,,\nB,2024,death,1,20,,,\n"
    rows += "A,2024,wait,,,5,2,9\nB,2024,wait,-3,,5,2,9\n"
    inputs = read(tmp_path, rows, measures="death wait")
    assert inputs.outcomes["mean"].isna().tolist() == [True, True, False, False]
    assert inputs.outcomes["numerator"].isna().tolist() == [False, False, True, True]


def test_a_row_without_site_is_one_problem_only(tmp_path):
    good = DEATH + "A,2024,death,1,20,\nB,2024,death,1,20,\n"
    assert len(complaints(tmp_path, good + "Total,,,x,40,\n")) == 1
    assert len(complaints(tmp_path, good + "EXAMPLE,soon,deth,x,0,\n")) == 1


def test_rows_whose_period_is_unread_are_no_duplicates(tmp_path):
    found = complaints(tmp_path, DEATH + "A,Mar-24,death,1,20,\nA,Apr-24,death,1,20,\nB,2024,death,1,20,\n")
    assert len(found) == 2
    assert all("is not a period that can be read" in text for text in found)


@given(
    st.lists(st.decimals(0, 9_999_999, places=3), min_size=1, max_size=6),
    st.sampled_from([("", "."), (",", "."), (".", ","), ("", ","), (" ", "."), ("'", ".")]),
    st.integers(0, 3),
)
@settings(max_examples=500)
def test_a_number_is_read_as_what_was_meant_or_refused(numbers, style, places):
    """Whatever the habit of a file, no value is ever taken for another one."""
    group, point = style
    meant = [round(number, places) for number in numbers]
    plain = [f"{number:,.{places}f}" for number in meant]
    texts = [text.translate(str.maketrans({",": group, ".": point})) for text in plain]
    reading = read_numbers(pd.Series(texts), pd.Series([places == 0] * len(texts)), habit_of(texts))
    refused = {row for row, _, _ in reading.refused}
    for row, (value, number) in enumerate(zip(reading.values, meant, strict=True)):
        assert row in refused or value == float(number), texts

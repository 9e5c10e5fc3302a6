"""The panel and its windows."""

from pathlib import Path

import pandas as pd
import pytest

from collabeval import contract, panel, params_file
from collabeval.panel import Window
from collabeval.params import Periods
from small_tables import params_of, read

NEW_YORK = Path(__file__).parents[2] / "shared" / "data" / "ny_cabg"
ROWS = "site,period,measure,numerator,denominator,mean,sd,n,se\n"


def built(folder, rows, **options):
    inputs = read(folder, ROWS + rows, **options)
    return panel.build(params_of(folder, **options), inputs.sites, inputs.outcomes)


def rows_of(*labels):
    return pd.DataFrame({"period": labels, "site": "A"})


def test_rows_are_sorted_in_time_with_years_from_each_measures_first_period(tmp_path):
    rows = (
        "B,2024Q3,death,1,20,,,,\nA,2025Q1,death,2,30,,,,\nA,2024Q1,death,3,40,,,,\n"
        "B,2025Q1,wait,,,5,2,9,\nA,2024Q3,wait,,,6,1,8,\n"
    )
    table = built(tmp_path, rows, measures="death wait", length="quarter")
    assert list(table.columns) == list(panel.COLUMNS)
    assert table[["measure", "site", "period", "time", "weight"]].to_numpy().tolist() == [
        ["death", "A", "2024Q1", 0.0, 40.0],
        ["death", "A", "2025Q1", 1.0, 30.0],
        ["death", "B", "2024Q3", 0.5, 20.0],
        ["wait", "A", "2024Q3", 0.0, 8.0],
        ["wait", "B", "2025Q1", 0.5, 9.0],
    ]
    assert {str(table[name].dtype) for name in panel.VALUES} == {"float64"}
    assert table["sd"].isna().tolist() == [True, True, True, False, False]


def test_a_mean_of_known_error_weighs_one(tmp_path):
    table = built(tmp_path, "A,2024,wait,,,5,,,0.5\nB,2024,wait,,,6,,,0.5\n", measures="wait")
    assert table["weight"].tolist() == [1, 1]


def test_without_periods_there_is_one_window_and_no_time(tmp_path):
    rows = "site,measure,numerator,denominator\nB,death,1,20\nA,death,2,30\n"
    inputs = read(tmp_path, rows, length="none")
    table = panel.build(params_of(tmp_path, length="none"), inputs.sites, inputs.outcomes)
    assert table[["site", "period", "time"]].to_numpy().tolist() == [["A", "", 0.0], ["B", "", 0.0]]
    assert panel.windows(Periods(), table) == panel.Windows(Window("", ("",)), None, ())


def test_declared_windows_keep_the_periods_that_have_rows():
    periods = Periods(length="year", baseline=("2010", "2012"), current=("2017", "2019"))
    found = panel.windows(periods, rows_of("2010", "2012", "2014", "2015", "2017", "2019", "2019"))
    assert found.current == Window("2017/2019", ("2017", "2019"))
    assert found.baseline == Window("2010/2012", ("2010", "2012"))
    assert found.earlier == (Window("2014/2016", ("2014", "2015")), Window("2011/2013", ("2012",)))


def test_earlier_windows_are_as_long_as_now_nearest_first_and_only_where_there_are_rows():
    periods = Periods(length="quarter", current=("2025Q1", "2025Q2"))
    found = panel.windows(periods, rows_of("2024Q1", "2024Q3", "2024Q4", "2025Q1"))
    assert [window.label for window in found.earlier] == ["2024Q3/2024Q4", "2024Q1/2024Q2"]
    found = panel.windows(periods, rows_of("2024Q1", "2025Q1"))
    assert [window.label for window in found.earlier] == ["2024Q1/2024Q2"]


@pytest.mark.parametrize(
    ("length", "labels", "current", "baseline"),
    [
        ("year", ["2017", "2018", "2019"], "2019", "2017"),
        ("quarter", ["2018Q1", "2018Q2", "2019Q3", "2019Q4"], "2019Q1/2019Q4", "2018Q1/2018Q4"),
        ("quarter", ["2019Q2", "2019Q3", "2019Q4", "2020Q1"], "2019Q2/2020Q1", None),
        ("quarter", ["2019Q3", "2019Q4"], "2019Q3/2019Q4", None),
        ("quarter", ["2019Q1", "2019Q2", "2019Q3", "2019Q4", "2020Q1"], "2019Q2/2020Q1", None),
        ("month", ["2019-01", "2020-12"], "2020-01/2020-12", "2019-01/2019-12"),
        ("year", ["2019"], "2019", None),
    ],
)
def test_left_out_windows_are_the_last_year_and_the_first_if_they_do_not_overlap(length, labels, current, baseline):
    found = panel.windows(Periods(length=length), rows_of(*labels))
    assert found.current.label == current
    assert (found.baseline and found.baseline.label) == baseline


def test_a_baseline_before_the_measure_began_is_none():
    periods = Periods(length="year", baseline=("2010", "2011"), current=("2019", "2019"))
    assert panel.windows(periods, rows_of("2012", "2019")).baseline is None


def test_fiscal_years_are_windows_too():
    periods = Periods(length="quarter", year_starts=4)
    found = panel.windows(
        periods, rows_of(*(f"{year}Q{quarter}" for year in (2023, 2024, 2025) for quarter in range(1, 5)))
    )
    assert (found.current.label, found.baseline.label) == ("2025Q1/2025Q4", "2023Q1/2023Q4")


@pytest.mark.skipif(not NEW_YORK.is_dir(), reason="the New York tables are not here")
def test_new_york():
    overrides = [f"data.sites={NEW_YORK}/sites.csv", f"data.outcomes={NEW_YORK}/outcomes.csv"]
    params = params_file.load(Path(__file__).parents[1] / "params" / "ny_cabg.yml", overrides)
    inputs = contract.read_inputs(params)
    table = panel.build(params, inputs.sites, inputs.outcomes)
    assert len(table) == 380
    assert (table["numerator"].sum(), table["time"].max()) == (inputs.outcomes["numerator"].sum(), 9.0)
    windows = panel.windows(params.periods, table)
    assert (windows.current.label, windows.baseline.label) == ("2019", "2010/2012")
    assert [window.label for window in windows.earlier] == ["2018", "2017"]

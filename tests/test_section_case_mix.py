"""The part of the report on case-mix: what it says by rule, and what it hides."""

import pandas as pd
import pytest

from collabeval.disclosure.case_mix import of_totals
from collabeval.disclosure.view import MeasureView
from collabeval.panel import Window, Windows
from collabeval.params import Measure
from collabeval.statements import case_mix as say


def measure_of(family="binomial", **records) -> Measure:
    block = {
        "outcome": "died",
        "case_mix": {"age": "spline", "sex": {"kind": "category", "missing": "level"}},
        **records,
    }
    words = {"label": "Deaths", "events": "deaths", "cases": "operations", "family": family, "better": "lower"}
    return Measure.model_validate({**words, "records": block})


def view_of(family="binomial") -> MeasureView:
    return MeasureView("death", measure_of(family), 100, True, Windows(Window("2024", ("2024",)), None, ()))


def years(**changes) -> pd.DataFrame:
    row = {
        "measure": "death", "year": "2024", "cases": 900.0, "exposure": 900.0, "observed": 60.0, "expected": 70.0,
        "in_the_large": -0.2, "in_the_large_lower": -0.5, "in_the_large_upper": 0.1, "slope": 0.9, "slope_lower": 0.7,
        "slope_upper": 1.1, "c_statistic": 0.78, "brier": 0.06, "brier_of_mean": 0.065,
    }  # fmt: skip
    return pd.DataFrame([{**row, "year": "2023", "c_statistic": 0.81}, {**row, **changes}])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "agree within chance in 2024. Predictions are neither too extreme nor too alike"),
        ({"in_the_large_upper": -0.1}, "Recorded numbers were less than predicted in 2024: care may have changed"),
        ({"in_the_large": 0.3, "in_the_large_lower": 0.1}, "Recorded numbers were more than predicted in 2024"),
        ({"slope_upper": 0.95}, "Predictions differ more between patients than outcomes do"),
        ({"slope_lower": 1.05}, "Predictions differ less between patients than outcomes do"),
    ],
)
def test_drift_is_said_by_rule(changes, said):
    assert said in say.drift(measure_of(), years(**changes))


def test_discrimination_is_told_in_pairs():
    said = say.discrimination(measure_of(), years())
    assert "the one with it had the higher predicted risk in 81% of pairs in 2023 and 78% in 2024" in said.replace(
        "\xa0", " "
    )
    assert say.discrimination(measure_of("normal"), years(c_statistic=float("nan")).iloc[1:]) == ""


def test_what_a_model_is_made_of_is_said():
    said = say.made_of(measure_of(sites="none", expected="recalibrated"), ("hospital", "hospitals"), True)
    assert "age (spline) and sex (category, blanks as a level); fitted to the baseline" in said
    assert "differences between hospitals may be taken for case-mix" in said
    assert "say nothing about change" in said
    assert "all records" in say.made_of(measure_of(), ("hospital", "hospitals"), False)


@pytest.mark.parametrize(("changes", "hidden"), [({}, False), ({"observed": 4.0}, True), ({"observed": 895.0}, True)])
def test_a_year_of_few_events_or_few_without_shows_none_of_its_numbers(changes, hidden):
    row = of_totals(years(**changes), (view_of(),), 11).iloc[1]
    assert row[["observed", "expected", "in_the_large", "slope", "c_statistic", "brier"]].isna().all() == hidden
    assert row["cases"] == 900


def test_one_small_tenth_hides_all_of_its_year():
    tenths = pd.DataFrame(
        {"measure": "death", "year": ["2023", "2023", "2024", "2024"], "group": [1, 2, 1, 2], "cases": 500.0,
         "exposure": 500.0, "observed": [20.0, 60.0, 3.0, 60.0], "expected": [19.0, 61.0, 20.0, 60.0]}
    )  # fmt: skip
    shown = of_totals(tenths, (view_of(),), 11)
    assert shown["observed"].isna().tolist() == [False, False, True, True]
    assert of_totals(tenths, (view_of(),), 0)["observed"].notna().all()


def test_nothing_is_said_without_records():
    assert of_totals(None, (view_of(),), 11).empty

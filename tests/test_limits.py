"""Limits of the analysis: each threat has its line where its numbers are there, and says where it was not assessed."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

import fake_run
from collabeval import sections
from collabeval.analysis_plan import Entry
from collabeval.statements import numbers
from fake_run import Fake

TITLES = [
    "No comparison with places outside", "Seasonality", "Regression to the mean", "Volume and outcome",
    "Periods not sent in", "Case-mix", "Transfers and completeness of follow-up", "Fit at single hospitals",
    "Other shapes of the trend", "Thresholds moved after the results", "Small numbers",
]  # fmt: skip
CASE_MIX = {"sites": 14, "not_assessed": 2, "apart": 1, "slope": 0.97, "slope_sd": 0.2}
NOT_ASSESSED = "Not assessed."
SENTENCES = {  # threat in the results: its line, how it begins with its rows, and without
    "season": ("Seasonality", "No season stands out beyond chance; farthest from the mean of all is the first quarter "
               "with 1.08 times the odds of deaths within 30 days of surgery (95% interval 0.94 to 1.12).",
               NOT_ASSESSED),
    "regression_to_mean": ("Regression to the mean", "For the three hospitals that were worst at baseline, the ratio "
                           "of deaths to typical changed by −0.31 as recorded and by −0.12 (95% interval −0.25 to "
                           "+0.01) in the estimates", "Partial pooling takes most of it out of the estimates"),
    "volume": ("Volume and outcome", "Hospitals with twice as many operations have 0.93 times the odds of deaths "
               "within 30 days of surgery (95% interval 0.85 to 1.02): ", NOT_ASSESSED),
    "missing": ("Periods not sent in", "Hospitals that left out a tenth more of their periods have 1.12 times the odds "
                "of deaths within 30 days of surgery (95% interval 0.89 to 1.42): ", NOT_ASSESSED),
    "case_mix": ("Case-mix", "Not adjusted: no predicted numbers came with the data. Calibration slopes of the "
                 "case-mix model at 14 hospitals differ more than chance would make them (mean 0.97, where 1 is "
                 "right;", "Not adjusted: no predicted numbers came with the data."),
    "site_prediction": ("Fit at single hospitals", "One of 16 hospitals lies outside 99 in 100 of what the model makes "
                        "of hospitals like them (0.2 would by chance).", NOT_ASSESSED),
}  # fmt: skip


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report in whose tables every threat has its rows."""
    folder = tmp_path_factory.mktemp("limits")
    run = fake_run.make(folder, Fake(years=10, quarters=True, sites=16, cases=300, gaps=4))
    rows = [{"part": part, "value": value} for part, value in CASE_MIX.items()]
    rows += [{"part": "any", "value": 30.0, "probability": 0.01}]
    rows[4] |= {"lower": 0.1, "upper": 0.3}
    found = run.read(run.table("threats"))
    added = pd.DataFrame(rows).assign(measure="death", threat="case_mix")
    run.write_tables({"threats": pd.concat([found, added], ignore_index=True)[list(found.columns)]})
    return sections.open_report(str(folder))


def lines(report):
    """Each threat's line, as it is printed."""
    assert "{#sec-limits}" in sections.limits(report).markdown
    table = pd.read_csv(report.run.tables / "limits.csv", dtype=str)
    return {threat: said.replace(numbers.NO_BREAK, " ") for threat, said in table.itertuples(index=False)}


def without(report, threat):
    threats = report.published.threats
    found = threats.found[threats.found["threat"].ne(threat)]
    return replace(report, published=replace(report.published, threats=replace(threats, found=found)))


def test_every_known_threat_has_its_line_in_its_place(report):
    assert list(lines(report)) == TITLES


@pytest.mark.parametrize("threat", SENTENCES)
def test_a_threat_says_what_was_found_and_where_it_was_not_looked_at_says_that(report, threat):
    title, there, absent = SENTENCES[threat]
    whole, bare = lines(report), lines(without(report, threat))
    assert whole[title].startswith(there)
    assert bare[title].startswith(absent)
    assert there[:40] not in bare[title] or threat == "case_mix"
    assert "Calibration slopes" not in bare["Case-mix"] or threat != "case_mix"
    assert {name: said for name, said in bare.items() if name != title} == {
        name: said for name, said in whole.items() if name != title
    }, "only its own line changes"


def test_what_is_never_assessed_says_so(report):
    assert lines(report)["Transfers and completeness of follow-up"] == NOT_ASSESSED


def test_other_shapes_of_the_trend_are_counted_where_the_grid_has_been_run(report):
    assert lines(report)["Other shapes of the trend"] == NOT_ASSESSED
    asked = []
    compared = SimpleNamespace(
        others=["trend_none", "trend_linear", "prior_wide"], changed=lambda names: asked.append(names) or 2
    )
    words = int((report.published.statements["statement"] != "none").sum())
    assert lines(replace(report, compared=compared))["Other shapes of the trend"] == (
        f"With another trend (none and straight line), 2 of {words} words about hospitals would be others."
    )
    assert asked == [("trend_none", "trend_linear")]


def test_a_plan_that_was_registered_says_when(report):
    assert lines(report)["Thresholds moved after the results"] == NOT_ASSESSED
    entry = Entry("2026-03-02", "0123456789abcdef", {}, registered=True, after_results=False)
    assert lines(replace(report, plan=(entry,)))["Thresholds moved after the results"] == (
        "The plan, measures, periods, rules and model (fingerprint 0123456789ab), was registered on 2 March 2026, "
        "before this edition had results. Nothing in it has changed since."
    )


@pytest.mark.parametrize(("least", "said"), [(0, "No count is hidden."), (11, "Counts from 1 to 10 are hidden")])
def test_small_numbers_say_what_is_hidden(report, least, said):
    params = report.published.params
    shown = params.model_copy(update={"report": params.report.model_copy(update={"minimum_cell": least})})
    hiding = replace(report, published=replace(report.published, params=shown))
    assert lines(hiding)["Small numbers"].startswith(said)


def test_all_that_was_due_is_said_to_have_arrived(report):
    threats = report.published.threats
    rows = threats.missingness
    full = replace(threats, missingness=rows.assign(submitted=rows["due"]))
    arrived = replace(report, published=replace(report.published, threats=full))
    assert lines(report)["Periods not sent in"] != lines(arrived)["Periods not sent in"]
    assert lines(arrived)["Periods not sent in"] == "Every period that was due arrived."


def test_one_period_and_whole_years_cannot_have_what_needs_several(tmp_path):
    fake_run.make(tmp_path / "once", Fake(sites=8))
    once = lines(sections.open_report(str(tmp_path / "once")))
    for title in ("Seasonality", "Regression to the mean", "Periods not sent in", "Other shapes of the trend"):
        assert once[title] == "Cannot arise: one period."
    fake_run.make(tmp_path / "years", Fake(years=4, sites=8))
    assert lines(sections.open_report(str(tmp_path / "years")))["Seasonality"] == (
        "Cannot arise: periods are whole years."
    )

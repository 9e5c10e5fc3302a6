"""The chapter on burden and value: what it says where tables are left out, and of which time its costs are."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

import fake_run
from collabeval import sections
from collabeval.sections.report import Missing, Report
from fake_run import Fake
from value_stand_ins import VALUE

TABLES = {"sites": "sites.csv", "outcomes": "outcomes.csv"}
EFFECT = {"words": {"death": "better"}}
COSTS, VALUED, HOURS = "cost of the programme", "value of the events avoided", "hours of collecting data"


def opened(folder: Path, given: tuple[str, ...], value: dict[str, Any] | None = VALUE, **own: Any) -> Report:
    data = TABLES | {name: f"{name}.csv" for name in given}
    fake = Fake(years=16, quarters=True, sites=6, cases=200, change=-0.3,
                blocks={"data": data, **({} if value is None else {"value": value})})  # fmt: skip
    fake_run.make(folder, dataclasses.replace(fake, **own))
    return sections.open_report(str(folder))


def plain(section: Any) -> str:
    return str(section._repr_markdown_()).replace("\N{NO-BREAK SPACE}", " ").replace("\\", "")


def chapter(report: Report) -> str:
    return plain(sections.burden_and_value(report))


@pytest.mark.parametrize(
    ("given", "value", "effect", "lacking", "told"),
    [
        (("costs", "burden"), VALUE, EFFECT, (), ("Cost avoided", "Collecting data took", "Benefit–cost ratio")),
        (("costs",), VALUE, EFFECT, (HOURS,), ("Cost avoided", "Benefit–cost ratio")),
        (("burden",), VALUE, EFFECT, (COSTS,), ("Cost avoided", "Collecting data took")),
        (("burden",), None, None, (COSTS, VALUED), ("Collecting data took",)),
        (("costs", "burden"), VALUE, None, (VALUED,), ("What the programme cost", "no return on investment")),
        (("costs",), VALUE | {"cost_per_event": {}}, EFFECT, (VALUED, HOURS), ("for each event avoided",)),
    ],
)
def test_what_is_left_out_is_said_in_the_chapter_and_on_the_list(tmp_path, given, value, effect, lacking, told):
    report = opened(tmp_path, given, value, effect=effect)
    text, absent = chapter(report), sections.absent(report).markdown
    for said in told:
        assert said in text
    for part in (COSTS, VALUED, HOURS):
        assert (part in text.partition("Not assessed, for lack of data:")[2].partition("\n")[0]) == (part in lacking)
        assert (part.capitalize() in absent) == (part in lacking)


def test_without_any_of_it_the_whole_chapter_is_on_the_list_and_the_card_says_so(tmp_path):
    report = opened(tmp_path, (), None)
    assert isinstance(sections.burden_and_value(report), Missing)
    assert "Burden and value" in sections.absent(report).markdown
    assert "No costs were supplied" in sections.summary(report).markdown


def test_only_what_is_lacking_is_asked_for(tmp_path):
    """Prices and comparators are given, costs are not: neither card nor list asks for what is there."""
    report = opened(tmp_path, (), VALUE, effect=EFFECT)
    assert "## What came out in" in chapter(report)
    assert "went in" not in chapter(report)
    asked = "a table of costs (costs.csv)"
    assert re.search(rf"\| {re.escape(asked)} +\|", plain(sections.absent(report)))
    assert f"No costs were supplied. {asked.capitalize()} would fill this card." in plain(sections.summary(report))


def test_without_comparators_only_they_are_asked_for(tmp_path):
    absent = plain(sections.absent(opened(tmp_path, ("costs", "burden"), VALUE, effect=None)))
    assert re.search(
        r"these data cannot tell the programme’s effect .*\| a table of comparators \(comparators.csv\) +\|", absent
    )


def test_costs_without_a_currency_are_on_the_list_with_what_to_do(tmp_path):
    report = opened(tmp_path, (), None)
    params = report.published.params
    data = params.data.model_copy(update={"costs": ("costs.csv",)})
    published = dataclasses.replace(report.published, params=params.model_copy(update={"data": data}))
    absent = sections.absent(dataclasses.replace(report, published=published)).markdown
    assert "what the costs are counted in is not declared" in absent


def test_what_was_spent_on_starting_is_told_with_its_time(tmp_path):
    """The stand-in of the effect is of the first three quarters of 2023; costs begin in 2019."""
    text = chapter(opened(tmp_path, ("costs",), VALUE, effect=EFFECT))
    assert "of cost avoided in Q1 to Q3 2023, US$" in text.replace("\N{WORD JOINER}", "")
    assert "spent in Q1 2019 to Q3 2023" in text
    assert "on starting, is set against the events avoided too" in text


def test_hours_that_are_asked_for_as_a_cost_and_not_given_are_missed(tmp_path):
    said = "The cost of collecting data, which params ask to add, is not in them"
    value = VALUE | {"add_burden": True}
    assert said in chapter(opened(tmp_path / "without", ("costs",), value, effect=EFFECT))
    assert said not in chapter(opened(tmp_path / "with", ("costs", "burden"), value, effect=EFFECT))

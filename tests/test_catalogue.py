"""The catalogue of ready indicators: every entry stands by itself, params name, change and add to it."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from collabeval import params_file
from collabeval.errors import ParamsError
from collabeval.params import Indicator, Params
from collabeval.params.catalogue import FILE, catalogue
from collabeval.params.indicators import Feature

BASE = """
collaborative: t
title: T
edition: "2025"
sampling: {seed: 1}
measures: {death: {label: Deaths, family: binomial, better: lower}}
data: {sites: s.csv, outcomes: o.csv}
indicators:
"""
# what an evaluation of a collaborative asks for, each with a code that answers it
ASKED = {
    "sustained positive deviance": "high_performers", "share studied": "high_performers_studied",
    "practices written up": "practices_written_up", "adopted in 12 months": "practices_adopted",
    "raters per operator": "video_raters", "rater agreement": "video_agreement", "meetings": "meetings_held",
    "days from lock to report": "days_to_report", "site visits": "site_visits", "queries": "query_turnaround",
    "abstractor training": "abstractors_trained", "abstractor turnover": "abstractor_turnover",
    "locked on time": "data_on_time", "30-day follow-up": "follow_up_30_days", "completeness": "field_completeness",
    "audit disagreement": "audit_disagreement", "audit agreement": "audit_agreement", "kappa": "audit_kappa",
    "reliability": "measure_reliability", "report opens": "report_opens", "points": "points_earned",
    "money": "money_earned", "ceiling": "ceiling_share", "champion": "champion_attendance",
    "manager": "manager_attendance", "abstractor": "abstractor_attendance", "champion turnover": "champion_turnover",
    "presenters": "presenting_sites", "mentoring": "mentoring_links", "trust": "trust_score",
    "culture": "culture_positive", "action plan in 60 days": "signals_with_plan", "resolved": "signals_resolved",
    "minutes per case": "minutes_per_case", "posts used": "abstraction_posts_used", "fields dropped": "fields_dropped",
    "filled automatically": "fields_automatic", "waivers": "sites_with_waiver",
}  # fmt: skip


def load(folder: Path, entries: str) -> Params:
    file = folder / "t.yml"
    file.write_text(f"{BASE}{entries}\n", encoding="utf-8")
    return params_file.load(file)


def complaints(folder: Path, entries: str) -> list[str]:
    with pytest.raises(ParamsError) as error:
        load(folder, entries)
    return [str(problem).split("t.yml:")[1] for problem in error.value.problems]


@pytest.mark.parametrize("code", list(catalogue()))
def test_an_entry_is_whole(code: str) -> None:
    entry = Indicator.model_validate(catalogue()[code])
    for text in (entry.definition, entry.numerator, entry.source, entry.why, entry.improve):
        assert text, f"{code} lacks a text"
    assert entry.denominator or entry.family == "normal"
    assert entry.definition.endswith(".")
    assert entry.why.endswith(".")
    assert entry.improve.endswith(".")
    assert len(entry.label) <= 56, "the label is the name of a row in figures"
    assert "doi:10." in entry.source or entry.source == "coordinating centres' practice"
    for found in re.findall(r"doi:(\S+)", entry.source):
        assert re.fullmatch(r"10\.\d{4,5}/[^\s,;]+[,;]?", found), found


def test_the_catalogue_has_what_an_evaluation_asks_for() -> None:
    assert len(catalogue()) >= 40
    assert not set(ASKED.values()) - set(catalogue())
    assert {entry["feature"] for entry in catalogue().values()} == set(Feature.__args__)


def test_the_catalogue_ships_with_the_package() -> None:
    assert resources.files("collabeval.params").joinpath(FILE).is_file()


def test_params_name_change_and_define(tmp_path: Path) -> None:
    own = "- {id: calls, label: Calls, feature: coordination, family: poisson, better: lower, per: 1, target: 3}"
    params = load(tmp_path, f"- data_on_time\n- {{id: audit_agreement, target: 97, label: Agreed}}\n{own}")
    first, second, third = params.indicators
    assert (first.target, first.shown_unit) == (95, "%")
    assert (second.target, second.label, second.feature) == (97, "Agreed", "measurement")
    assert second.why == catalogue()["audit_agreement"]["why"]
    assert (third.label, third.scale, third.shown_unit) == ("Calls", 1, "")


def test_params_as_resolved_hold_the_definitions_themselves(tmp_path: Path) -> None:
    """A later version of the catalogue changes nothing in a run that has been made."""
    params = load(tmp_path, "- data_on_time")
    run = params_file.RunFolder(tmp_path / "run")
    params_file.write_resolved(params, run)
    assert "cases locked by the date" in run.params.read_text(encoding="utf-8")
    code = (
        "import sys; from pathlib import Path; from collabeval import params_file\n"
        "from collabeval.params.catalogue import catalogue\n"
        f"params = params_file.read_resolved(Path({str(run.params)!r}))\n"
        "assert params.indicators[0].target == 95, params\n"
        "assert catalogue.cache_info().currsize == 0, 'the catalogue was read'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            "data_on_tme",
            "0 'data_on_tme' → is not the name of an indicator in the catalogue → did you mean data_on_time",
        ),
        ("xyz", "0 'xyz' → is not the name of an indicator in the catalogue → see docs/indicators.md, or define it"),
        (
            "{id: data_on_tme, target: 90}",
            "0 → is not the name of an indicator in the catalogue → did you mean data_on",
        ),
        ("{id: data_on_time, targt: 90}", "0.targt → unknown key → did you mean 'target'?"),
        ("{id: data_on_time, target: 100}", "0.target '100' → no number of cases can show that a share is 100 or bey"),
        ("{id: data_on_time, target: 0}", "0.target '0' → no number of cases can show that a share is 0 or beyond"),
        ("{id: video_raters, target: 0}", "0.target '0' → no number of events can show that a rate is 0"),
        ("{id: mine, label: Mine, feature: levers, family: normal}", "0.better → is missing → add it: Which direction"),
        ("{id: mine, label: Mine, feature: lever, family: normal, better: lower}", "0.feature 'lever' → is not one of"),
        ("[data_on_time]", "0 → is neither a name nor a block"),
        ("", "0 → is neither a name nor a block"),
    ],
)
def test_what_is_not_an_indicator_is_refused_with_near_matches(tmp_path: Path, entry: str, said: str) -> None:
    found = complaints(tmp_path, f"- {entry}")
    assert len(found) == 1, found
    assert found[0].startswith(f"9 indicators.{said}"), found[0]


def test_a_code_stands_for_one_thing(tmp_path: Path) -> None:
    assert "data_on_time: is there twice" in complaints(tmp_path, "- data_on_time\n- data_on_time")[0]
    twin = "- {id: death, label: Deaths, feature: levers, family: normal, better: lower}"
    assert "death: is the code of a measure too" in complaints(tmp_path, twin)[0]


def test_editors_are_offered_the_names() -> None:
    items = params_file.schema()["properties"]["indicators"]["items"]
    assert items["anyOf"][0]["enum"] == list(catalogue())
    assert params_file.schema()["$defs"]["Indicator"]["required"] == ["id"]

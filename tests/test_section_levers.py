"""Motivational levers: what the report says of scorecards by rule, and what it hides."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import fake_run
from collabeval import further, sections
from collabeval.disclosure.scorecards import PublishedScorecard, hides, publish_scorecards
from collabeval.params import Params
from collabeval.scorecard.evaluate import NAMES
from collabeval.scorecard.signals import COLUMNS as SIGNALS
from collabeval.sections.levers import MISSING, figure_rows
from collabeval.statements import scorecards as say
from fake_run import Fake
from scorecard_examples import HOSPITAL, card_of, line, params_with, text_of

NOUNS = ("hospital", "hospitals")


def published(text: str = HOSPITAL, lines: list[dict[str, Any]] | None = None, **summary: float) -> PublishedScorecard:
    """A scorecard with these numbers in its summary: 60 sites, a noise share of a half, and awards, unless said."""
    values = {"sites": 60, "points": 71.2, "expected_points": 70.9, "noise_share": 0.5, "misclassified": 0.2,
              "noise_share_pooled": 0.48, "noise_share_lines": 0.48, "full_marks": 0.1, "money": 0,
              **summary}  # fmt: skip
    rows = [
        (*reversed(name.split("__", 1)), value) if "__" in name else ("", name, value) for name, value in values.items()
    ]
    table = pd.DataFrame(rows, columns=["volume", "estimand", "value"])
    empty = pd.DataFrame(columns=["part", "site", "signal", "value"])
    found = pd.DataFrame(lines or [], columns=["part", "noise_share", "variance_share"])
    return PublishedScorecard("hospital", card_of(text), {"infection": "Infections"}, empty, empty, found, table, empty)


def plain(words: str) -> str:
    return words.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        ({}, "About half of the differences in points between hospitals under the hospital performance index 2025 is "
             "chance, and about 12 of 60 hospitals would have another award if their true rates were known."),
        ({"noise_share": 0.03, "misclassified": 0.01},
         "Less than a tenth of the differences in points between hospitals under the hospital performance index 2025 "
         "is chance, and fewer than one of 60 hospitals would have another award if their true rates were known."),
        ({"misclassified": np.nan}, "2025 is chance."),
        ({"noise_share": np.nan},
         "Under the hospital performance index 2025 all 60 hospitals earn 71 of 100 points; the chance that true rates "
         "would have brought another award is 20 in 100."),
        ({"noise_share": np.nan, "sites": 0}, "No hospital could be scored under the hospital performance index 2025."),
    ],
)  # fmt: skip
def test_the_finding_is_one_sentence_by_rule(summary, said):
    found = plain(say.finding(published(**summary), NOUNS))
    assert found.endswith(said)
    assert found.count(". ") == 0


def test_money_is_told_to_two_figures_and_not_where_there_is_none():
    found = say.money(published(money=6_312_400, money_too_much=318_700, money_too_little=46.2), NOUNS)
    assert "Of $6.3 million paid on the data, about $320,000 is more" in plain(found)
    assert "miss about $46." in found
    assert say.money(published(), NOUNS) == ""


@pytest.mark.parametrize(
    ("summary", "lines", "said"),
    [
        ({}, [], []),
        ({"noise_share_pooled": 0.44}, [], ["would fall from 50% to 44%"]),
        ({"noise_share_pooled": 0.46}, [], []),
        ({"noise_share_lines": 0.31}, [], ["Let points rise evenly between thresholds"]),
        ({}, [{"part": "infection", "noise_share": 0.5, "variance_share": 0.1}], ["Infections: 50% of"]),
        ({}, [{"part": "infection", "noise_share": 0.49, "variance_share": 0.9}], []),
        ({}, [{"part": "infection", "noise_share": 0.9, "variance_share": 0.09}], []),
        ({"noise_share__small": 0.61, "noise_share__large": 0.5}, [], ["The smallest third of hospitals"]),
        ({"noise_share__small": 0.59, "noise_share__large": 0.5}, [], []),
        ({"full_marks": 0.9}, [], ["90% of hospitals have full points"]),
        ({"full_marks": 0.89}, [], []),
    ],
)  # fmt: skip
def test_what_would_improve_an_index_follows_from_rules(summary, lines, said):
    found = say.improvements(published(lines=lines, **summary), NOUNS)
    assert len(found) == len(said)
    assert all(words in sentence for words, sentence in zip(said, found, strict=True))


def test_signals_are_told_by_line_and_kind_with_numbers_only_where_they_may_be_shown():
    card = published()
    rows = [("infection", "Hospital 1", "fewer_cases", 0.61), ("infection", "Hospital 2", "fewer_cases", np.nan),
            ("infection", "Hospital 3", "gaps", 0.25), ("infection", "", "crowding", 0.8),
            ("infection", "Hospital 4", "sicker_cases", 1.31)]  # fmt: skip
    card.signals[["part", "site", "signal", "value"]] = rows
    fewer, gaps, crowd, sicker = say.signals(card)
    assert fewer == "Infections: fewer cases than before, against all together: Hospital 1 (61%) and Hospital 2."
    assert "Hospital 3 (25% of periods missing)" in gaps
    assert "80% lie on its good side, more than chance gives" in crowd
    assert "Hospital 4 (1.31 times)" in sicker


# --- what may be shown


def tables(params: Params, events: list[float], cases: float = 200.0, tier: int = 1) -> dict[str, pd.DataFrame]:
    """Results of the one scorecard of `params` as a run leaves them; every line has the same numbers."""
    sites = [f"S{number}" for number in range(len(events))]
    ((name, card),) = params.scorecards.items()
    per_event = 100 / cases
    parts = pd.DataFrame(
        [
            {"scorecard": name, "part": code, "site": site, "kind": part.kind, "unit": part.unit, "status": "scored",
             "weight": part.worth, "observed": count * per_event, "events": count, "cases": cases,
             "per_event": per_event, "points": 5.0, "tier": tier}
            for code, part in card.parts.items()
            for site, count in zip(sites, events, strict=True)
        ]
    )  # fmt: skip
    spread = {"q025": 3.2, "q25": 4.0, "q50": 5.0, "q75": 6.0, "q975": 8.3, "sd": 1.0, "expected_points": 5.1}
    whole = pd.DataFrame({"scorecard": name, "site": sites, "points": 5.0, **spread, "award": "none",
                          "misclassified": 0.37, "money": 500.0, "expected_money": 510.0, "closed": ""})  # fmt: skip
    tiers = parts[["scorecard", "part", "site"]].assign(
        tier=1, name="x", at=8.0, probability=0.4, away=2.0, events=3.0, gain=5.0
    )
    summary = pd.DataFrame([(name, part, "", "noise_share", 0.4, np.nan, np.nan) for part in ("", *card.parts)],
                           columns=["scorecard", "part", "volume", "estimand", "value", "q025", "q975"])  # fmt: skip
    signals = pd.DataFrame([(name, next(iter(card.parts)), site, "gaps", 0.25, 0.0, 0.9, True) for site in sites],
                           columns=list(SIGNALS))  # fmt: skip
    return dict(zip(NAMES, (whole, tiers, parts, summary, signals), strict=True))


def shown(text: str, events: list[float], **more: Any) -> PublishedScorecard:
    blocks = {"report": {"sites": "coded", "minimum_cell": 11, **more.pop("report", {})}}
    params = params_with(text, **blocks)
    (found,) = publish_scorecards(tables(params, events, **more), params, {f"S{n}": f"Hospital {n}" for n in range(9)})
    return found


STEPS = text_of(line("measure: complication", (8, 10), (12, 5)), ", awards: [{name: full, at: 10}]")
EVENLY = text_of(line("measure: complication", (8, 10), (12, 5), more=", between: line"))
ATTENDED = text_of(line("measure: complication", (8, 10), (12, 5), more=", kind: participation"))


def test_sites_with_a_hidden_count_keep_points_in_steps_but_no_digits():
    card = shown(STEPS, [22.0, 7.0, 195.0, 0.0])
    sites = card.sites.set_index("site")
    assert sites["hidden"].tolist() == [False, True, True, False]  # 195 of 200: five without
    assert sites["silent"].tolist() == [False, False, False, False]
    row = sites.loc["Hospital 1"]
    assert row["points"] == 5
    assert row[["q025", "q975", "misclassified"]].tolist() == [3.0, 8.5, 0.25]
    assert row[["expected_points", "q25", "q50", "q75", "sd", "expected_money"]].isna().all()
    assert sites.loc["Hospital 0", ["q025", "misclassified", "expected_points"]].tolist() == [3.2, 0.37, 5.1]
    assert set(card.steps["site"]) == {"Hospital 0", "Hospital 3"}  # how far it is would tell the count
    assert card.signals.set_index("site")["value"].isna().to_dict() == {
        "Hospital 0": False, "Hospital 1": True, "Hospital 2": True, "Hospital 3": False,
    }  # fmt: skip


def test_points_that_would_tell_the_count_are_not_shown():
    silent = shown(EVENLY, [7.0, 22.0]).sites.set_index("site")
    assert silent["silent"].tolist() == [True, False]
    assert silent.loc["Hospital 0", ["points", "money", "misclassified"]].isna().all()
    assert silent.loc["Hospital 0", "award"] == ""
    # of 12 cases, one or none is below 12 per 100 and above 8: tier 1 says the count is just one
    few = shown(STEPS, [1.0, 1.0], cases=12.0).sites
    assert few["silent"].all()


def test_what_happened_at_meetings_is_not_hidden():
    assert not shown(ATTENDED, [7.0]).sites["hidden"].any()


def test_nothing_is_hidden_where_nothing_is_to_be():
    assert not shown(EVENLY, [7.0], report={"minimum_cell": 0}).sites["hidden"].any()


def test_what_a_coded_hospital_can_earn_would_name_it():
    text = text_of(line("measure: complication", (8, 10)), ", money: {column: potential}")
    assert shown(text, [30.0]).sites["money"].isna().all()
    assert shown(text, [30.0], report={"sites": "named"}).sites["money"].notna().all()


def test_a_small_region_hides_its_count_and_a_large_one_of_small_sites_does_not():
    params = params_with(STEPS.replace("tiers", "unit: region, tiers"), report={"minimum_cell": 11})
    parts = tables(params, [7.0, 40.0])["scorecard_parts"]
    assert hides(parts, params.scorecards["x"], params).tolist() == [True, False]


# --- the chapter


def test_without_a_scorecard_the_chapter_is_missing_and_named(tmp_path: Path):
    fake_run.make(tmp_path, Fake(sites=4))
    report = sections.open_report(str(tmp_path))
    assert sections.levers(report) is MISSING
    assert "Motivational levers" in sections.absent(report).markdown


INDEX = {
    "label": "Index",
    "parts": {"present": {"indicator": "champion_attendance", "tiers": [{"at": 75, "points": 10}]}},
}
OWN = {"label": "Own", "parts": {"death": {"measure": "death", "tiers": [{"at": 5, "points": 10}]}}}
WITHOUT = {"data": {"indicators": None}, "indicators": ["champion_attendance"]}


def test_without_a_table_of_indicators_an_index_of_them_is_told_as_missing(tmp_path: Path):
    blocks = {**WITHOUT, "scorecards": {"index": INDEX}}
    fake_run.make(tmp_path, Fake(sites=4, blocks=blocks))
    report = sections.open_report(str(tmp_path))
    why = "Index looks at indicators, and no table of them was given"
    assert sections.levers(report).why == why
    assert why in sections.absent(report).markdown
    assert "no performance index is declared" not in sections.absent(report).markdown
    asked = "a table of indicators with rows of champion_attendance (indicators.csv; docs/indicators.md)"
    assert asked in sections.absent(report).markdown.replace("\\", "")


def test_an_index_of_indicators_is_missing_beside_one_that_is_scored(tmp_path: Path):
    blocks = {**WITHOUT, "scorecards": {"index": INDEX, "own": OWN}}
    fake_run.make(tmp_path, Fake(sites=14, blocks=blocks))
    report = sections.open_report(str(tmp_path))
    chapter = sections.levers(report)._repr_markdown_().replace("\\", "")
    assert "Not scored: Index looks at indicators, and no table of them was given (indicators.csv)." in chapter
    assert "tbl-levers-lines-own" in chapter
    assert "no line is waived for any hospital" in chapter
    assert re.search(r"^\| Index +\| Index looks", sections.absent(report).markdown, re.M)


def test_the_step_makes_the_tables_that_scoring_makes():
    step = next(step for step in further.FURTHER if step.name == "scorecards")
    assert step.makes == NAMES


def test_a_collaborative_paid_alike_gets_its_targets_and_no_figure(tmp_path: Path):
    card = {"label": "Targets", "parts": {"death": {"measure": "death", "unit": "collaborative",
            "tiers": [{"at": 6, "points": 10}]}}}  # fmt: skip
    fake_run.make(tmp_path, Fake(sites=8, blocks={"scorecards": {"targets": card}}))
    report = sections.open_report(str(tmp_path))
    section = sections.levers(report)
    assert "tbl-levers-targets-targets" in section._repr_markdown_()
    assert "fig-" not in section._repr_markdown_()
    assert "Motivational levers" not in sections.absent(report).markdown


def test_figure_rows_lie_from_most_points_to_fewest_and_doubt_stands_out(tmp_path: Path):
    card = {"label": "Index", "awards": [{"name": "full", "at": 5}], "parts": {"death": {"measure": "death",
            "tiers": [{"at": 5, "points": 10}, {"at": 7, "points": 5}]}}}  # fmt: skip
    fake_run.make(tmp_path, Fake(sites=14, blocks={"scorecards": {"index": card}}))
    report = sections.open_report(str(tmp_path))
    (shown,) = report.published.scorecards
    rows = figure_rows(shown)
    assert rows["points"].is_monotonic_decreasing
    assert (rows["word"].eq("award_in_doubt") == rows["misclassified"].ge(0.5)).all()
    markdown = sections.levers(report)._repr_markdown_()
    assert len(re.findall(r"!\[", markdown)) == 1
    assert markdown.index("Key message") < markdown.index("![") < markdown.index("What would improve this")

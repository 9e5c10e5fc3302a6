"""Indicators in the report: what is hidden of them, and what is said of them by rule."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import fake_run
from collabeval import sections
from collabeval.disclosure.indicators import PublishedIndicators, indicators
from collabeval.disclosure.suppress import FLOORS
from collabeval.features import evaluate_indicators
from collabeval.params import Indicator, Params
from collabeval.statements import advice
from collabeval.statements import indicators as read
from collabeval.statements import indicators_said as say
from collabeval.statements.indicators import Reading
from fake_run import Fake
from indicator_tables import indicator_rows

WORDS = {"almost certainly": 0.99, "very probably": 0.95, "probably": 0.8}
BLOCK = {"label": "Staff trained", "feature": "leadership", "family": "binomial", "better": "higher", "target": 97,
         "level": "collaborative"}  # fmt: skip
PEOPLE = {"id": "staff", "people": True, **BLOCK}
OPEN = {"id": "sheets", **BLOCK, "label": "Sheets sent"}
LEAVERS = {"id": "leavers", "label": "Staff who left", "feature": "leadership", "family": "binomial", "better": "lower",
           "target": 20, "people": True}  # fmt: skip
CODED = {"sites": "coded", "minimum_cell": 11}


def published(*blocks: object) -> tuple[PublishedIndicators, dict[str, pd.DataFrame]]:
    params = Params.model_validate(
        {"collaborative": "c", "title": "t", "edition": "1", "sampling": {"seed": 3}, "indicators": blocks,
         "data": {"sites": "s", "outcomes": "o", "indicators": "i"}, "periods": {"length": "none"}, "report": CODED,
         "measures": {"m": {"label": "M", "family": "binomial", "better": "lower"}}}
    )  # fmt: skip
    sites = [f"S{number:02d}" for number in range(10)]
    rows = indicator_rows(params, sites, 2024, np.random.default_rng(8))
    tables = evaluate_indicators(params, pd.DataFrame({"measure": []}), {"indicators": rows})
    found = indicators(params, tables, {site: f"Site {site[1:]}" for site in sites})
    assert found is not None
    return found, tables


def steps(chances: pd.Series) -> set[float]:
    return {round(chance, 6) for chance in chances.dropna()}


def test_small_counts_of_people_are_hidden_with_all_that_follows_from_them() -> None:
    """58 of 60 tells of two people; the same numbers of sheets of paper tell of nobody."""
    found, tables = published(PEOPLE, OPEN)
    rows = found.rows.set_index("indicator")
    raw = tables["feature_counts"].query("indicator == 'staff' and years_back == 0").iloc[0]
    assert 0 < raw["denominator"] - raw["numerator"] < 11
    hidden, shown = rows.loc["staff"], rows.loc["sheets"]
    assert hidden["hidden"]
    assert not shown["hidden"]
    assert hidden[["numerator", "denominator", "recorded", "q25", "q50", "q75", "change_q50"]].isna().all()
    for end in hidden[["q025", "q975"]]:
        assert float(f"{end:.1g}") == end
    allowed = {round(step, 6) for floor in FLOORS for step in (floor, 1 - floor)}
    assert steps(pd.Series([hidden["at_target"], hidden["better"]])) <= allowed
    assert shown[["numerator", "denominator", "recorded", "q50", "change_q50"]].notna().all()


def test_chances_of_sites_with_hidden_counts_only_reach_a_threshold() -> None:
    found, tables = published(LEAVERS)
    hidden = found.sites[found.sites["hidden"]]
    assert len(hidden) > 0
    allowed = {round(step, 6) for floor in FLOORS for step in (floor, 1 - floor)}
    assert steps(hidden["at_target"]) <= allowed
    raw = tables["feature_probabilities"].query("event == 'at_target' and years_back == 0 and site != ''")
    exact = {f"Site {site[1:]}": chance for site, chance in zip(raw["site"], raw["probability"], strict=True)}
    for row in hidden.itertuples():
        assert abs(row.at_target - 0.5) <= abs(exact[row.site] - 0.5) + 1e-9
    assert set(found.sites["site"]) == {f"Site {number:02d}" for number in range(10)}


def test_the_report_names_no_hidden_count(tmp_path: Path) -> None:
    """Of six indicators of staff some have counts to hide; what is not hidden stands there, with the same look."""
    several = [
        {**PEOPLE, "id": f"staff_{place}", "label": f"Staff trained {place}", "target": 95} for place in "abcdef"
    ]
    run = fake_run.make(tmp_path, Fake(cases=300, blocks={"indicators": [*several, OPEN, LEAVERS]}, report=CODED))
    said = _plain(sections.leadership(sections.open_report(str(tmp_path)))._repr_markdown_())
    files = "".join(path.read_text(encoding="utf-8") for path in [*run.tables.iterdir(), *run.figures.iterdir()])
    counts = run.read(run.table("feature_counts")).query("site == '' and years_back == 0").set_index("indicator")
    without = counts["denominator"] - counts["numerator"]
    hidden = counts.index[counts.index.str.startswith("staff") & without.between(1, 10)]
    assert len(hidden) >= 2
    for code in [*hidden, "sheets"]:
        row = counts.loc[code]
        recorded = f"{row['numerator']:.0f} of {row['denominator']:.0f}"
        if code == "sheets":
            assert f"Sheets sent (at least 97%) | {recorded} |" in said
            continue
        label = f"Staff trained {code[-1]} (at least 95%)"
        line = next(line for line in said.splitlines() if label in line)
        assert line.startswith(f"| {label} | not shown |")
        assert recorded not in line
        assert not re.search(rf"Staff trained {code[-1]}\b[^\n]*\b{recorded}", _plain(files))
        assert not re.search(rf"(?<!to ){row['recorded']:.0f}%", line.replace("at least 95%", ""))


def _plain(text: str) -> str:
    return re.sub(" +", " ", text.replace("\N{NO-BREAK SPACE}", " ").replace("\\", "").replace("**", ""))


# --- words and sentences by rule -----------------------------------------------------------------------------------


def reading(chance: float, label: str = "Cases locked on time", better: float = 0.5, **change: object) -> Reading:
    """An indicator of 920 of 1,000 against 95%, with a chance of being at target."""
    indicator = Indicator.model_validate(
        {"id": "i", "label": label, "feature": "measurement", "family": "binomial", "better": "higher", "target": 95,
         "improve": "Remind sites.", **change}
    )  # fmt: skip
    row = {"now": "2025", "hidden": False, "last_hidden": False, "recorded": 92.0, "numerator": 920.0, "q50": 92.0,
           "denominator": 1000.0, "q025": 90.0, "q975": 94.0, "last_q50": 90.0, "at_target": chance, "better": better,
           "values": 2, "sites": 4}  # fmt: skip
    return read._reading(indicator, row, WORDS)


@pytest.mark.parametrize(
    ("chance", "word", "said"),
    [
        (0.995, read.AT, "almost certainly"),
        (0.8, read.AT, "probably"),
        (0.79, read.UNCLEAR, ""),
        (0.21, read.UNCLEAR, ""),
        (0.19, read.SHORT, "probably"),
        (0.04, read.SHORT, "very probably"),
        (math.nan, read.RECORDED, ""),
    ],
)
def test_words_follow_the_chances_of_params(chance: float, word: str, said: str) -> None:
    found = reading(chance)
    assert (found.word, found.said) == (word, said)


def test_an_indicator_without_target_gets_no_word_and_one_without_numbers_is_named() -> None:
    assert reading(0.99, target=None).word == read.NO_TARGET
    none = read._reading(reading(0.5).indicator, None, WORDS)
    assert none.word == read.NO_DATA
    assert _plain(say.without_numbers([none], "2025")) == "Without numbers in 2025: cases locked on time."


def test_the_finding_counts_words_and_names_the_weakest() -> None:
    several = [reading(0.995), reading(0.9, "Reports"), reading(0.01, "Forms"), reading(0.5, "Calls")]
    assert _plain(say.finding(several, "measurement", WORDS)) == (
        "Of four indicators of measurement with a target, two are at target (probably or more), one falls short "
        "(almost certainly) and for one we cannot tell."
    )
    assert _plain(say.headline(several, "measurement")) == (
        "One of 4 indicators of measurement falls short of target; two are at target"
    )
    assert "none is at target" in say.headline([reading(0.01), reading(0.01, "Forms")], "measurement")


@pytest.mark.parametrize(
    ("chance", "title", "finding"),
    [
        (0.97, "Cases locked on time is at target", "very probably at target (97 in 100)"),
        (0.03, "Cases locked on time falls short of target", "very probably short of its target (97 in 100)"),
        (0.5, "Cases locked on time: we cannot tell whether it is at target", "we cannot tell whether it is at target"),
    ],
)
def test_a_single_indicator_is_named_and_not_counted(chance: float, title: str, finding: str) -> None:
    alone = [reading(chance)]
    assert say.headline(alone, "accountability") == title
    assert f"Cases locked on time: {finding}" in _plain(say.finding(alone, "accountability", WORDS))
    assert "Short of target" not in say.details(alone, WORDS)


def test_details_say_what_is_short_worst_first_and_what_changed() -> None:
    several = [reading(0.1, "Forms", better=0.97), reading(0.01, "Calls", better=0.1), reading(0.9, "Visits")]
    assert _plain(say.details(several, WORDS)) == (
        "Short of target: calls (92%, target at least 95%; 99 in 100) and forms (92%, target at least 95%; 90 in 100). "
        "Better than last year: forms (very probably, 97 in 100). Worse than last year: calls (probably, 90 in 100)."
    )


def test_what_would_improve_it_says_the_gap_the_sites_and_what_helps(tmp_path: Path) -> None:
    fake_run.make(tmp_path, Fake(cases=300, blocks={"indicators": ["data_on_time"]}))
    view = sections.open_report(str(tmp_path)).published
    sites = pd.DataFrame(
        {"indicator": "i", "site": ["A", "B", "C"], "at_target": [0.001, 0.02, 0.4], "reliability": 0.7,
         "hidden": False}
    )  # fmt: skip
    assert view.indicators is not None
    object.__setattr__(view.indicators, "sites", sites)
    ((label, rest),) = say.improvements(view, [reading(0.01)], ("hospital", "hospitals"))
    assert label == "Cases locked on time"
    assert _plain(rest) == (
        "92%, target at least 95%; 99 in 100. With 30 more of 1,000 it would have been reached. Of 4 hospitals, A and "
        "B fall short of it (at least 97.5 chances in 100 each; fewer than 0.1 of them would be named by chance). "
        "Remind sites."
    )


def test_a_count_over_an_exposure_is_not_called_a_share() -> None:
    assert _plain(read.recorded(reading(0.5))) == "920 of 1,000"
    assert _plain(read.recorded(reading(0.5, family="poisson", per=1, target=3))) == "920 for 1,000"


@pytest.mark.parametrize(("chances", "advised"), [((0.02, 0.026), 1), ((0.02, 0.001), 2), ((0.03, 0.99), 0)])
def test_what_helps_is_recommended_where_an_indicator_falls_short_by_the_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chances: tuple[float, ...], advised: int
) -> None:
    fake_run.make(tmp_path, Fake(cases=300))
    report = sections.open_report(str(tmp_path))
    found = [reading(chance, label) for chance, label in zip(chances, ("Calls", "Forms"), strict=True)]
    monkeypatch.setattr("collabeval.statements.advice.read", lambda published, features: found)
    works = [one for one in advice.recommendations(report.published, report.facts) if one.measure == advice.WORKS]
    assert [one.action for one in works] == ["Remind sites."] * advised
    if works:
        assert _plain(works[0].why).startswith("Calls falls short: 92%, target at least 95%; 98 in 100.")
        assert "Falling short needs at least 97.5 chances in 100." in _plain(works[-1].why)
        assert ("On average" in works[-1].why) == (advised > 1)
        assert f"## {advice.WORKS}" in sections.recommend(report).markdown

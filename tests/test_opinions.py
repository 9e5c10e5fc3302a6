"""Survey, ratings, audit and the scores of the features: shares are recovered, small groups hidden, words by rule."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import fake_run
from collabeval import sections
from collabeval.disclosure.survey import shown_groups
from collabeval.features.agreement import krippendorff_alpha
from collabeval.features.audit import kappa
from collabeval.features.checks import borderline
from collabeval.features.opinions import evaluate_opinions
from collabeval.features.profile import evaluate_profile, score
from collabeval.params import FurtherName
from collabeval.sections.report import Report
from collabeval.statements import audit, features, ratings
from collabeval.statements import profile as say
from fake_run import Fake
from opinion_tables import AGREE, BEFORE, BLOCKS, FIELDS, SCORES, TABLES, opinions

CODED = {"sites": "coded", "minimum_cell": 11}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("opinions")
    fake_run.make(path, Fake(sites=8, years=3, cases=300, blocks=BLOCKS, report=CODED))
    return path


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    return sections.open_report(str(folder))


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(folder / "results" / f"{name}.parquet")


def plain(text: str) -> str:
    return re.sub(" +", " ", text.replace("\N{NO-BREAK SPACE}", " ").replace("\\", "").replace("**", ""))


# --- what is estimated ---


def test_shares_agreeing_are_those_of_the_answers(folder: Path) -> None:
    """Shares of all people, known exactly; the question put the other way round counts turned."""
    rows = table(folder, "survey_estimates")
    whole = rows[rows["site"].eq("") & rows["role"].eq("") & rows["years_back"].eq(0)]
    now = whole[whole["estimand"].eq("agree")].set_index("item")
    for item, share in AGREE.items():
        assert now.loc[item, "q50"] == pytest.approx(100 * share, abs=5), item
        assert now.loc[item, "q025"] < 100 * share < now.loc[item, "q975"], item
    change = whole[whole["estimand"].eq("change")].set_index("item")
    assert change.loc["heard", "q025"] < 100 * BEFORE < change.loc["heard", "q975"]
    assert change.loc["slow", "q025"] < 0 < change.loc["slow", "q975"]


def test_severity_is_taken_out_of_the_scores(folder: Path) -> None:
    """Every other rater is about a point more severe: those come out so, and the features keep their order."""
    rows = table(folder, "ratings_estimates")
    severity = rows[rows["estimand"].eq("severity")].set_index("rater")["q50"]
    odd = severity.index.str[-1].astype(int) % 2 == 1
    assert severity[odd].min() > severity[~odd].max()
    now = rows[rows["estimand"].eq("score") & rows["years_back"].eq(0)].set_index("feature")["q50"]
    by_score = sorted(SCORES, key=lambda name: SCORES[name])
    assert now[by_score[0]] == now.min()
    assert now[by_score[-1]] == now.max()


def test_agreement_of_audits_is_recovered_and_kappa_only_where_chance_is_known(folder: Path) -> None:
    rows = table(folder, "audit_estimates").query("site == '' and years_back == 0")
    agreement = rows[rows["estimand"].eq("agreement")].set_index("field")
    for field, share in FIELDS.items():
        assert agreement.loc[field, "q50"] == pytest.approx(100 * share, abs=5), field
    known = rows[rows["estimand"].eq("kappa")].set_index("field")
    assert list(known.index) == ["diagnosis"]
    assert known.loc["diagnosis", "q50"] == pytest.approx(
        (agreement.loc["diagnosis", "q50"] / 100 - 0.6) / 0.4, abs=0.02
    )


def test_all_checks_of_these_fits_pass(folder: Path) -> None:
    checks = table(folder, "opinion_checks")
    checks = checks[checks["level"] == "blocking"]
    assert set(checks["model"]) == {"survey: leadership", "survey: coordination", "ratings", "audit"}
    assert checks["passed"].all(), checks[~checks["passed"]]
    assert set(zip(checks["engine"], checks["engine_reason"], strict=True)) == {("quadrature", "its own check passed")}


@pytest.mark.parametrize(
    ("event", "site", "probability", "near"),
    [
        ("above", "A", 0.974, 1), ("above", "A", 0.95, 0), ("above", "A", 0.026, 1), ("at_target", "A", 0.974, 1),
        ("at_target", "A", 0.9, 0), ("at_target", "", 0.901, 1), ("at_target", "", 0.974, 0),
        ("improved", "", 0.049, 1),
    ],
)  # fmt: skip
def test_words_within_monte_carlo_error_of_their_own_threshold_are_counted(event, site, probability, near) -> None:
    rows = pd.DataFrame([{"event": event, "site": site, "probability": probability, "mcse": 0.002}])
    params = fake_run.parameters(Fake(blocks=BLOCKS))
    assert (params.rules.level, params.rules.trajectory, params.profile.at_target) == (0.975, 0.95, 0.9)
    check = borderline("survey", rows, params)
    assert (check.value, check.passed, check.level) == (near, not near, "advisory")


def test_kappa_is_cohens() -> None:
    """Cohen (1960): agreement of .70 where chance gives .41 is a kappa of .49."""
    assert kappa(np.array([0.70, 0.41, 1.0]), np.array(0.41)) == pytest.approx([0.4915, 0, 1], abs=1e-4)


def test_alpha_is_the_published_one() -> None:
    """Krippendorff (2011), section C: four observers, twelve units, missing data; ordinal alpha .815."""
    rows = ["123321412...", "12332241 25.3".replace(" ", ""), ".33323422 51.".replace(" ", ""), "12332441251."]
    values = np.array([[np.nan if mark == "." else float(mark) for mark in row] for row in rows])
    assert krippendorff_alpha(values) == pytest.approx(0.815, abs=5e-4)
    assert np.isnan(krippendorff_alpha(np.full((3, 4), 2.0)))


# --- the scores ---


def distances(**parts: tuple[str, float]) -> pd.DataFrame:
    """Draws of the distance from target, all alike: feature and distance of each part."""
    rows = [
        {"feature": feature, "part": part, "period": "2025", "years_back": 0, "estimate": 1.0, "target": 1.0,
         "scale": 0, "draw": draw, "distance": distance + 1e-9 * draw}
        for part, (feature, distance) in parts.items()
        for draw in range(50)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def scored(report: Report, parts: pd.DataFrame, **profile: object) -> dict[str, pd.DataFrame]:
    params = report.published.params
    chosen = params.profile.model_validate({**params.profile.model_dump(), **profile})
    return evaluate_profile(params.model_copy(update={"profile": chosen}), {"opinion_distances": parts})


def test_a_feature_whose_parts_are_at_target_has_the_targets_score(report: Report) -> None:
    assert score(np.array([0.0, -1.0, 1.0]), 75) == pytest.approx([75, 52.46, 89.08], abs=0.01)
    found = scored(report, distances(survey=("leadership", 0.0), ratings=("leadership", 0.0)), target=60)
    assert found["feature_profile"]["q50"].to_list() == pytest.approx([60], abs=1e-4)
    assert found["feature_profile_probabilities"]["probability"].to_list() == [1.0]


def test_parts_count_by_their_weights_and_never_beyond_two(report: Report) -> None:
    parts = distances(survey=("leadership", 50.0), ratings=("leadership", -1.0))
    alike = scored(report, parts)["feature_profile"]["q50"].iloc[0]
    assert alike == pytest.approx(score(np.array([0.5]), 75)[0], abs=1e-4)
    found = scored(report, parts, weights={"leadership": {"survey": 1, "ratings": 3}})
    assert found["feature_profile"]["q50"].iloc[0] == pytest.approx(score(np.array([-0.25]), 75)[0], abs=1e-4)
    assert found["feature_parts"].set_index("part")["weight"].to_dict() == {"survey": 0.25, "ratings": 0.75}


def test_a_total_is_made_only_of_weights_that_were_given(report: Report) -> None:
    parts = distances(survey=("leadership", 0.0), audit=("measurement", 1.0))
    assert "total" not in set(scored(report, parts)["feature_profile"]["feature"])
    rows = scored(report, parts, total={"leadership": 3, "measurement": 1})["feature_profile"].set_index("feature")
    assert rows.loc["total", "q50"] == pytest.approx((3 * 75 + score(np.array([1.0]), 75)[0]) / 4, abs=1e-4)
    without = scored(report, parts, total={"leadership": 3, "levers": 1})["feature_profile"]
    assert "total" not in set(without["feature"])


# --- what is hidden ---


@pytest.mark.parametrize(
    ("respondents", "shown"),
    [
        ([8, 9, 10], [8, 9, 10]),
        ([3, 8, 9, 10], [9, 10]),  # 3 would follow from the total less the others
        ([2, 2, 8, 9, 10], [9, 10]),  # two that have 4 together
        ([4, 4, 8, 9], [8, 9]),
        ([3, 8, 9], []),  # a single one left would be the whole less the hidden
        ([1, 2], []),
    ],
)
def test_few_respondents_are_hidden_with_all_that_follows(respondents: list[int], shown: list[int]) -> None:
    groups = pd.Series(respondents, index=[f"S{n}" for n in range(len(respondents))])
    assert shown_groups(groups, 5).to_list() == shown


def test_the_report_hides_the_small_site_and_single_raters(folder: Path, report: Report) -> None:
    view = report.published.survey
    assert view is not None
    shown = view.groups[view.groups["kind"].eq("site")]["label"].nunique()
    assert (shown, view.hidden["site"]) == (6, 2)
    assert view.groups["respondents"].min() >= 5
    said = "".join(cell(report)._repr_markdown_() for cell in (sections.profile, sections.leadership))
    files = "".join(path.read_text(encoding="utf-8") for path in (folder / "figures").glob("*.txt"))
    assert "rater 1" in set(table(folder, "ratings_estimates")["rater"])
    assert not re.search(r"rater [0-9]", plain(said) + files)
    assert "at least 5 people must have answered" in plain(said)


# --- words by rule ---


@pytest.mark.parametrize(
    ("chance", "slug"),
    [(0.9, "at_target"), (0.89, "too_early"), (0.11, "too_early"), (0.1, "below_target"), (np.nan, "too_early")],
)
def test_a_target_is_reached_or_missed_only_beyond_the_threshold(chance: float, slug: str) -> None:
    assert features.against_target(chance, 0.9) == slug


def test_words_about_a_site_need_as_much_as_worse_does(report: Report) -> None:
    published = report.published
    assert published.params.profile.at_target < 0.95 < published.params.rules.level
    assert audit.verdict(published, 0.05) == "below_target"
    assert audit.verdict(published, 0.05, of_site=True) == "too_early"
    assert audit.verdict(published, 0.025, of_site=True) == "below_target"


def test_the_finding_counts_features() -> None:
    count = ["at_target", "at_target", "below_target", "too_early", "too_early"]
    nouns = ("feature", "features")
    assert features.targets_met(count, nouns) == (
        "Two of five features are at target and one is below; for two we cannot tell"
    )
    assert features.targets_met(["too_early"] * 5, nouns).startswith("For no feature of five can we tell")
    assert features.targets_met(["below_target"] * 5, nouns) == "All five features are below target"
    assert features.targets_met(["below_target", "too_early"], nouns) == (
        "No feature of two is at target and one is below; for one we cannot tell"
    )
    assert features.targets_met(["at_target"], nouns, " with data") == "The only feature with data is at target"
    assert features.targets_met(["too_early"], nouns, " with data") == (
        "For the only feature with data we cannot tell whether it is at target"
    )


def test_agreement_of_raters_is_told_by_krippendorffs_limits(report: Report) -> None:
    view = report.published.ratings
    assert view is not None
    for alpha, words in ((0.81, "alike ("), (0.7, "tentative"), (0.6, "too little"), (np.nan, "cannot be told")):
        object.__setattr__(view, "alpha", alpha)
        assert words in ratings.agreement(view)


def test_the_chapters_say_what_was_found(report: Report) -> None:
    said = plain(sections.profile(report)._repr_markdown_())
    view = report.published.profile
    assert view is not None
    assert plain(say.finding(report.published, view)) in said
    assert "The five features" not in plain(sections.absent(report)._repr_markdown_())
    assert "Audited records" in plain(sections.measurement(report)._repr_markdown_())
    people = plain(sections.leadership(report)._repr_markdown_())
    assert "I feel part of a community." in people
    assert "how many were asked is not known" in people


# --- what is not there ---


@pytest.mark.parametrize("left_out", TABLES)
def test_a_table_left_out_is_told_as_not_assessed(report: Report, left_out: FurtherName) -> None:
    published = report.published
    data = published.params.data.model_copy(update={left_out: None})
    params = published.params.model_copy(update={"data": data})
    less = replace(report, published=replace(published, params=params, **{left_out: None}))
    what = {"survey": "what people say", "ratings": "how raters saw it", "audit": "audited records"}[left_out]
    assert f"; {what}, no table was given ({left_out}.csv)." in plain(sections.profile(less).markdown)
    assert re.search(rf"{what} +\| +not assessed: no table", plain(sections.absent(less).markdown), re.IGNORECASE)
    assert what not in plain(sections.absent(report).markdown).lower()
    told = plain(sections.profile(report).markdown)
    assert "Not assessed: indicators of how the collaborative works, no table was given (indicators.csv)." in told


def test_audits_alone_make_results_and_a_score(folder: Path, report: Report) -> None:
    panel, sites = (pd.read_parquet(folder / "data" / f"{name}.parquet") for name in ("panel", "sites"))
    given = {"audit": opinions(list(sites["site"]), int(table(folder, "audit_counts")["period"].max()))["audit"]}
    found = evaluate_opinions(report.published.params, panel, sites, given)
    assert found["survey_estimates"].empty
    assert found["ratings_counts"].empty
    scores = evaluate_profile(report.published.params, found)["feature_profile"]
    assert set(scores["feature"]) == {"measurement"}

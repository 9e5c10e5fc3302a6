"""The effect of the programme in the report: what is said by rule, what is hidden, what is drawn."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import effect_stand_ins
import fake_run
from collabeval import further, sections
from collabeval.disclosure import effect as shown
from collabeval.effect.estimate import Effects
from collabeval.sections.effect import MISSING
from collabeval.sections.report import Report
from collabeval.statements import effect as say
from collabeval.statements import effect_detail as detail
from fake_run import Fake

YEARS = {"years": 8, "quarters": True, "sites": 16, "cases": 200}


def opened(folder: Path, measure: str = "death", word: str = "better", report: dict | None = None, **effect) -> Report:
    """A report on a run with this word about one measure."""
    fake = Fake((measure,), report=report, effect={"words": {measure: word}, **effect}, **YEARS)
    fake_run.make(folder, fake)
    return sections.open_report(str(folder))


def finding(report: Report) -> say.Finding:
    found = say.find(report.published, report.lead.view)
    assert found is not None
    return found


def plain(words: str) -> str:
    return words.replace("\N{NO-BREAK SPACE}", " ").replace("\\", "")


def part(report: Report) -> str:
    """The part of the chapter on outcomes that tells of the effect."""
    markdown = plain(sections.outcomes_over_time(report)._repr_markdown_())
    return markdown.split("What is due to the programme\n")[1]


@pytest.mark.parametrize(
    ("word", "said", "after"),
    [
        ("better", "deaths within 30 days of surgery improved: −16 deaths per 1,000 operations "
         "(95% interval −24 to −8), or about 380 deaths avoided "
         "(95% interval 200 to 570). The chance that it improved is 99 in 100.",
         "Attributable to the programme: −16 deaths per 1,000 operations"),
        ("worse", "worsened: +11 deaths per 1,000 operations (95% interval +3 to +19), or about 260 more deaths "
         "(95% interval 76 to 450).", "Attributable to the programme: +11 deaths"),
        ("close", "The programme made little difference to deaths within 30 days of surgery: +1 deaths",
         "Little of it, if any, is due to the programme: +1 deaths"),
        ("unclear", "Whether the programme changed deaths within 30 days of surgery cannot be told",
         "What of it is due to the programme cannot be told: −4 deaths"),
        ("in_doubt", "courses differed before joining already, so this is change against comparators and not",
         "Whether it is due to the programme is in doubt"),
        ("not_reliable", "did not pass its own check, so nothing is said of it", "did not pass its own check"),
        ("not_estimable", "This is change, not effect; the effect of the programme is not estimable: needs "
         "comparators, or hospitals that join later", "this is change, not the effect of a programme"),
    ],
)  # fmt: skip
def test_each_word_has_its_sentence_and_the_chapter_says_it(tmp_path: Path, word: str, said: str, after: str):
    report = opened(tmp_path, word=word)
    assert said in part(report)
    assert after in plain(say.after_change(report.published, report.lead.view))
    assert ("fig-effect-death" in part(report)) == (word not in ("not_reliable", "not_estimable"))


def test_only_what_is_found_is_called_attributable_on_the_first_page(tmp_path: Path):
    said = {}
    for word in effect_stand_ins.SIZE:
        report = opened(tmp_path / word, word=word)
        said[word] = plain(sections.summary(report)._repr_markdown_())
    assert {word for word, text in said.items() if "Attributable to the programme: " in text} == {"better", "worse"}


def test_comparators_that_do_not_help_are_never_said_to_be_missing(tmp_path: Path):
    report = opened(tmp_path, word="not_estimable", basis={"comparators": 3, "needs": "expected"})
    said = plain(say.after_change(report.published, report.lead.view))
    assert "needs predicted numbers both for hospitals and for comparators, or for neither" in said
    assert "Nothing here is compared" not in said


def test_where_more_is_better_events_are_gained_not_avoided(tmp_path: Path):
    report = opened(tmp_path / "more", "on_time")
    assert "about 380 more patients treated on time (95% interval 200 to 570)" in plain(say.finding(finding(report)))
    assert re.search(r"More patients treated on time +\| +384 ", part(report))
    assert "avoided" not in part(report)
    fewer = plain(say.finding(finding(opened(tmp_path / "fewer", "on_time", "worse"))))
    assert "about 260 fewer patients treated on time (95% interval 76 to 450)" in fewer


def test_means_count_no_events(tmp_path: Path):
    report = opened(tmp_path, "stay")
    assert "avoided" not in part(report)
    assert re.search(
        r"length of stay improved: −0\.16 days \(95% interval −0\.2\d to −0\.0\d\)\. The chance", part(report)
    )


def test_who_is_compared_and_who_is_left_out_is_told(tmp_path: Path):
    report = opened(tmp_path, basis={"undated": 1, "without_before": 2, "uncompared": 5})
    said = plain(detail.rests_on(finding(report), "quarter"))
    assert "Estimated for 16 hospitals" in said
    assert "held against 12 comparators outside the programme and hospitals that had not joined yet" in said
    assert said.endswith(
        "Left out: one hospital without a date of joining, two hospitals with no data from before joining and five "
        "single results with nobody left to be held against."
    )


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("not_seen", "cannot be seen: too few periods before joining"),
        ("diverging", "Before joining the courses were not parallel: a straight line"),
        ("parallel", "parallel as far as it matters"),
        ("unclear", "no difference in course is clear, nor excluded"),
    ],
)
def test_the_course_before_joining_has_its_sentence(tmp_path: Path, before: str, said: str):
    assert said in plain(detail.before_joining(finding(opened(tmp_path, before=before))))


# --- what is hidden


def test_small_counts_hide_the_effect_everywhere(tmp_path: Path):
    """60 cases, 7 deaths since joining: neither the effect, nor any event time, nor the cases are shown."""
    coded = {"sites": "coded", "minimum_cell": 11}
    report = opened(tmp_path, report=coded, basis={"cases": 60.0})
    found = finding(report)
    assert found.hidden
    assert found.summary[["mean", "sd", "q50"]].isna().all(axis=None)
    effect = report.published.effect
    assert effect is not None
    assert effect.event_time["hidden"].all()
    assert effect.event_time[["q025", "q50", "cases"]].isna().all(axis=None)
    said = part(report)
    assert "too small to be shown" in said
    assert "fig-effect" not in said
    assert not re.search(r"−16|60 operations", said)
    assert "16" not in plain(say.after_change(report.published, report.lead.view))
    assert "observed" not in effect.event_time
    assert "observed" not in effect.basis


def test_event_times_of_few_sites_are_hidden_where_sites_are_coded(tmp_path: Path):
    """A single hidden one would follow from the whole and the rest, so that another goes with it."""
    fake_run.make(tmp_path, Fake(("death",), report={"sites": "coded", "minimum_cell": 5},
                                 effect={"words": {"death": "better"}}, **YEARS))  # fmt: skip
    run = sections.RunFolder(tmp_path)
    times = run.read(run.table("effect_event_time"))
    times.loc[times["event_time"].eq(2), "sites"] = 2
    times.loc[times["event_time"].eq(0), "cases"] = 9_000.0
    run.write(times, run.table("effect_event_time"))
    effect = sections.open_report(str(tmp_path)).published.effect
    assert effect is not None
    hidden = effect.event_time.set_index("event_time")["hidden"]
    assert set(hidden.index[hidden]) == {1, 2}  # 2 by its sites, 1 since it has fewer cases than 0
    named = fake_run.parameters(Fake(("death",), effect={"words": {"death": "better"}}, **YEARS))
    views = sections.open_report(str(tmp_path)).published.measures
    tables = {name: run.read(run.table(f"effect_{name}")) for name in ("summary", "event_time", "statements", "basis")}
    all_of_it = shown.shown({f"effect_{name}": table for name, table in tables.items()}, views, named)
    assert all_of_it is not None
    assert not all_of_it.event_time["hidden"].any()


def test_rates_are_shown_on_the_base_of_the_report(tmp_path: Path):
    """Infections per 1,000 in params may be told per 10,000: effect, rates and leads alike, counts and ratios not."""
    report = opened(tmp_path, "infection")
    run = sections.RunFolder(tmp_path)
    raw = run.read(run.table("effect_summary")).set_index("estimand")["q50"]
    told = finding(report).summary.set_index("estimand")["q50"]
    factor = report.lead.view.base / report.lead.view.params.per
    assert factor != 1
    assert told["effect"] == pytest.approx(raw["effect"] * factor)
    assert told["rate_with"] == pytest.approx(raw["rate_with"] * factor)
    assert told["events_avoided"] == pytest.approx(raw["events_avoided"])


# --- the chapter


def test_what_nobody_asked_for_is_named_among_what_is_left_out(tmp_path: Path):
    fake_run.make(tmp_path, Fake(years=4, sites=8))
    report = sections.open_report(str(tmp_path))
    assert report.published.effect is None
    assert MISSING.section in sections.absent(report).markdown
    assert MISSING.section not in sections.outcomes_over_time(report)._repr_markdown_()
    asked = opened(tmp_path / "asked")
    assert MISSING.section not in sections.absent(asked).markdown


def test_the_step_makes_the_tables_that_estimating_makes():
    step = next(step for step in further.FURTHER if step.name == "effect")
    empty = pd.DataFrame()
    assert set(step.makes) == set(Effects(empty, empty, empty, empty, empty).tables())


def test_the_step_is_there_for_comparators_or_where_it_is_asked_for():
    step = next(step for step in further.FURTHER if step.name == "effect")
    plain_params = fake_run.parameters(Fake(years=4))
    assert not step.there(plain_params)
    assert step.there(fake_run.parameters(Fake(years=4, effect={})))
    data = plain_params.data.model_copy(update={"comparators": "comparators.csv"})
    assert step.there(plain_params.model_copy(update={"data": data}))


def test_every_event_time_is_drawn_once_with_a_ring_at_the_reference(tmp_path: Path, monkeypatch):
    drawn = {}

    def noted(rows, text, labels):
        drawn["rows"], drawn["labels"] = rows.copy(), labels
        return original(rows, text, labels)

    original = sections.effect.plots.event_study
    monkeypatch.setattr(sections.effect.plots, "event_study", noted)
    part(opened(tmp_path))
    rows = drawn["rows"]
    assert list(rows["event_time"]) == [-4, -3, -2, -1, 0, 1, 2]
    assert list(rows["phase"]) == ["before"] * 3 + ["reference"] + ["after"] * 3
    assert drawn["labels"].found
    assert drawn["labels"].overall == pytest.approx(-16)
    assert np.isfinite(rows["q50"]).all()

"""How many are named by chance: the table of a report, line by line and in all, against sums made by hand."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

import fake_run
from collabeval import sections
from collabeval.run_folder import RunFolder
from collabeval.sections.by_chance import by_chance
from collabeval.sections.report import Report
from collabeval.statements.facts import Named
from fake_run import Fake
from test_statements import DEATH, STAY, facts

WORDS = {  # what a list is called: the slot and its words
    "worse than average": ("level", ("worse", "worse_few_cases")), "better than average": ("level", ("better",)),
    "worsened": ("trajectory", ("worsened",)), "improved": ("trajectory", ("improved",)),
    "worth a visit": ("deviance", ("positive_deviant", "emerging", "candidate")),
    "advised for review": ("deviance", ("review_persistent", "review")),
}  # fmt: skip


def sites(slug, *chances, bounded=False):
    return tuple(Named(f"{slug} {place}", slug, chance, bounded) for place, chance in enumerate(chances))


def table(folder, *measures):
    """The table's lines of a report on these facts, and its Markdown."""
    markdown = by_chance(Report(None, RunFolder(folder), measures))
    rows = pd.read_csv(folder / "tables" / "by-chance.csv", dtype=str) if markdown else pd.DataFrame()
    return [tuple(row) for row in rows.itertuples(index=False)], markdown


def test_every_list_and_their_total_add_up_the_doubts_of_their_words(tmp_path):
    deaths = facts(
        DEATH,
        level=sites("worse", 0.98, 0.99) + sites("worse_few_cases", 0.6) + sites("better", 0.8, float("nan"))
        + sites("unclear", 0.5),
        trajectory=sites("improved", 0.75, 0.75), deviance=sites("candidate", 0.81) + sites("review", 0.99),
    )  # fmt: skip
    stays = facts(STAY, level=sites("worse", 0.975, bounded=True), trajectory=sites("worsened", 0.7, bounded=True))
    lines, markdown = table(tmp_path, deaths, stays)
    assert lines == [
        ("Deaths after surgery", "worse than average", "3", "0.4"),  # 0.02 + 0.01 + 0.4
        ("Deaths after surgery", "better than average", "1", "0.2"),  # a word without a chance is not counted
        ("Deaths after surgery", "improved", "2", "0.5"),
        ("Deaths after surgery", "worth a visit", "1", "0.2"),
        ("Deaths after surgery", "advised for review", "1", "fewer than 0.1"),
        ("Length of stay", "worse than average", "1", "fewer than 0.1"),
        ("Length of stay", "worsened", "1", "at most 0.3"),
        ("All measures", "all words", "10", "at most 1.7"),  # 0.43 + 0.2 + 0.5 + 0.19 + 0.01 + 0.025 + 0.3
    ]
    assert "the doubts of all of them, added up" in markdown


def test_one_list_has_no_total_and_one_measure_no_name(tmp_path):
    lines, markdown = table(tmp_path, facts(level=sites("better", 0.6, 0.7)))
    assert lines == [("better than average", "2", "0.7")]
    assert "## How many are named by chance" in markdown


def test_where_nobody_is_named_there_is_no_table(tmp_path):
    assert table(tmp_path, facts(level=sites("unclear", 0.6))) == ([], "")


@pytest.mark.parametrize("fake", [
    Fake(("death", "stay"), years=5, sites=14, cases=400, worsened=2, site_sd=0.7),
    Fake(years=5, sites=14, cases=400, worsened=2, site_sd=0.7),
], ids=["two measures", "one measure"])  # fmt: skip
def test_the_table_of_a_report_is_the_sum_over_the_run_s_own_words(tmp_path, fake):
    run = fake_run.make(tmp_path, fake)
    report = sections.open_report(str(tmp_path))
    assert by_chance(report)
    shown = pd.read_csv(run.tables / "by-chance.csv", dtype=str)
    said, expected, total = run.read(run.table("site_statements")), [], [0, 0.0]
    for view in report.published.measures:
        for what, (slot, slugs) in WORDS.items():
            own = said[said["measure"].eq(view.name) & said["slot"].eq(slot) & said["statement"].isin(slugs)]
            if len(own):
                wrong = float((1 - own["probability"]).sum())
                expected.append((view.params.label, what, str(len(own)), written(wrong)))
                total = [total[0] + len(own), total[1] + wrong]
    assert len(expected) > 2
    expected.append(("All measures", "all words", str(total[0]), written(total[1])))
    if len(fake.measures) == 1:
        expected = [line[1:] for line in expected]
    assert [tuple(row) for row in shown.itertuples(index=False)] == expected


def written(wrong):
    return "fewer than 0.1" if wrong < 0.1 else f"{wrong:.1f}"


def test_a_chance_that_is_only_bounded_makes_the_line_and_the_total_bounds(tmp_path):
    known = facts(level=sites("worse", 0.6), trajectory=sites("worsened", 0.7))
    (_, _, sure), (_, _, also), (_, _, total) = table(tmp_path, known)[0]
    assert (sure, also, total) == ("0.4", "0.3", "0.7")
    bounded = replace(known, trajectory=sites("worsened", 0.7, bounded=True))
    assert [line[-1] for line in table(tmp_path, bounded)[0]] == ["0.4", "at most 0.3", "at most 0.7"]

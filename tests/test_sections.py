"""Whole reports on simulated runs: what is said, what is left out, in which words, and the same on every run."""

from __future__ import annotations

import importlib
import re
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

import fake_run
from collabeval import plots, sections
from collabeval.sections.deviance import _wrongly
from collabeval.sections.pictures import outside_limits
from collabeval.sections.report import Missing, slug
from collabeval.statements.facts import Named
from fake_run import Fake
from opinion_tables import BLOCKS as OPINIONS
from value_stand_ins import VALUE

CELLS = (
    sections.kicker, sections.summary, sections.outcomes_over_time, sections.site_performance,
    sections.profile, sections.positive_deviance, sections.coordination, sections.measurement, sections.levers,
    sections.leadership, sections.burden_and_value, sections.recommend, sections.absent, sections.methods,
    sections.limits, sections.diagnostics, sections.provenance,
)  # fmt: skip
ALL = ("death", "on_time", "infection", "stay")
SCORECARDS = {
    "index": {
        "label": "Performance index",
        "awards": [{"name": "full", "at": 30, "amount": 1000}, {"name": "half", "at": 20}],
        "parts": {
            "death": {
                "measure": "death",
                "minimum": 30,
                "tiers": [{"at": 3, "points": 40}, {"at": 5, "points": 25}, {"at": 7, "points": 10}],
            }
        },
    },
    "targets": {
        "label": "Targets of the collaborative",
        "rule": "k_of_m",
        "needed": 2,
        "parts": {
            name: {"measure": name, "unit": "collaborative", "tiers": [{"at": at, "points": 1}]}
            for name, at in (("on_time", 75), ("infection", 9), ("stay", 6))
        },
    },
}
VOLUME = {"volume": ("volume", {"kind": "volume", "amount": 2.0, "mean": -0.1, "sd": 0.04, "q025": -0.18, "q975": -0.02,
                                "probability": 0.01})}  # fmt: skip
COMPOSITES = {"all": {"label": "All measures", "measures": {"death": 2, "on_time": 1, "infection": 1, "stay": 1}}}
INDICATORS = [
    "high_performers_studied", "practices_adopted", "operators_reviewed", "meetings_held", "days_to_report",
    "data_on_time", "points_earned", "champion_attendance", "signals_with_plan", "minutes_per_case",
]  # fmt: skip
PAIR = {"pair": {"label": "Both measures", "measures": ["death", "stay"]}}
WITH_PRACTICES = {"sites": "sites.csv", "outcomes": "outcomes.csv", "practices": "practices.csv"}
WITH_COSTS = {"sites": "sites.csv", "outcomes": "outcomes.csv", "costs": "costs.csv", "burden": "burden.csv"}
VALUES = VALUE | {"cost_per_event": VALUE["cost_per_event"] | {"infection": 9_000, "stay": 800}}
FAKES = {
    "one period": Fake(cases=400, site_sd=0.6),
    "one measure": Fake(years=10, sites=12, cases=300, change=-0.4, worsened=2, expected=True, site_sd=0.3),
    "all families": Fake(ALL, years=4, sites=11, cases=200, change=0.1),
    "all families once": Fake(ALL, sites=10, cases=300, site_sd=0.6),
    "hidden": Fake(years=4, sites=12, cases=300, report={"sites": "coded", "minimum_cell": 11}),
    "gaps": Fake(("death", "stay"), years=10, quarters=True, sites=16, cases=300, gaps=4, site_sd=0.6,
                 covariates=VOLUME),
    "composites": Fake(ALL, years=4, sites=14, cases=300, site_sd=0.6, blocks={"composites": COMPOSITES}),
    "composites, hidden": Fake(("death", "stay"), years=4, sites=12, cases=300, blocks={"composites": PAIR},
                               report={"sites": "coded", "minimum_cell": 11}),
    "practices": Fake(("death", "stay"), sites=16, cases=600, site_sd=0.6, blocks={"data": WITH_PRACTICES}),
    "practices, few sites": Fake(sites=6, cases=600, blocks={"data": WITH_PRACTICES}),
    "indicators": Fake(("death", "stay"), years=4, sites=12, cases=300, blocks={"indicators": INDICATORS}),
    "indicators, hidden": Fake(years=4, sites=12, cases=300, blocks={"indicators": INDICATORS},
                               report={"sites": "coded", "minimum_cell": 11}),
    "opinions": Fake(years=4, sites=8, cases=300, blocks={"indicators": INDICATORS, **OPINIONS}),
    "few sites": Fake(years=3, sites=3, cases=300),
    "scored": Fake(ALL, years=4, sites=18, cases=120, expected=True, blocks={"scorecards": SCORECARDS}),
    "scored, few sites": Fake(sites=3, cases=300, blocks={"scorecards": {"i": SCORECARDS["index"]}}),
    "effect": Fake(ALL, years=8, quarters=True, sites=16, cases=200, change=-0.3,
                   effect={"words": {"death": "better", "on_time": "unclear", "infection": "worse", "stay": "close"}}),
    "effect, doubts": Fake(ALL, years=4, sites=16, cases=200, effect={
        "words": {"death": "in_doubt", "on_time": "not_estimable", "infection": "not_reliable", "stay": "unclear"},
        "before": "diverging", "basis": {"undated": 1, "without_before": 2, "uncompared": 5}}),
    "effect, hidden": Fake(years=4, sites=12, cases=300, report={"sites": "coded", "minimum_cell": 11},
                           effect={"words": {"death": "better"}, "before": "not_seen", "basis": {"cases": 60.0}}),
    "valued": Fake(("death", "infection", "stay"), years=16, quarters=True, sites=16, cases=200, change=-0.3,
                   effect={"words": {"death": "better", "infection": "unclear", "stay": "in_doubt"}},
                   blocks={"data": WITH_COSTS, "value": VALUES, "indicators": INDICATORS}),
    "valued, hidden": Fake(years=16, quarters=True, sites=12, cases=300, blocks={"data": WITH_COSTS, "value": VALUE},
                           report={"sites": "coded", "minimum_cell": 11},
                           effect={"words": {"death": "better"}, "before": "not_seen", "basis": {"cases": 60.0}}),
    "valued, change": Fake(years=8, sites=14, cases=300, change=-0.35,
                           blocks={"data": WITH_COSTS, "value": VALUE | {"basis": "change"}}),
    "provisional": Fake(sites=8, failed=("rhat", "influence")),
}  # fmt: skip
NOT_SAID = {
    "a word that claims too much": r"\b(sure|surely|outliers?|failing|poor|non-significant|significant|proves?)\b",
    "expected for typical": r"\bexpected\b",
    "a bare zero": r"\bzero (hospitals?|sites?)\b|(?<!change is )\b0 (hospitals?|sites?|patients|deaths)\b",
    "a wrong singular": r"\b([Oo]ne|1) hospitals\b|\b(two|three|ten|1[0-9]|[2-9]) hospital\b",
    "a wrong verb": (
        r"\b([Oo]ne|[Nn]o) hospital (are|have|lie|show)\b|\b(two|three|four|five|ten) hospitals (is|has|lies|shows)\b"
    ),
    "two spaces or a stray stop": r"[a-z,.]  +[A-Za-z]|\.\.|,,| \.(?=\s)| ,|\(\)",
    "a number that is none": r"\bnan\b|\bNone\b(?! (better|improved|outside))|\binf\b",
    "a hyphen for a minus": r"[( ]-\d",
    "a decimal chance": r"\d\.\d+\sin\s100\b(?! (hospitals|would))(?<!97\.5\sin\s100)",
    "none or certain": r"(?<![\d.])(0|100)\sin\s100\b",
}
ALLOWED = ("How sure are we?", "a candidate, not a proof", "nothing here proves", "How sure")


def told(folder: Path, fake: Fake) -> tuple[str, list[str]]:
    """Markdown of the report, and the alt texts and titles of its figures."""
    run = fake_run.make(folder, fake)
    report = sections.open_report(str(folder))
    markdown = "\n\n".join(cell(report)._repr_markdown_() for cell in CELLS)
    title = sections.front_matter(report).values["title"]
    alts = [path.read_text(encoding="utf-8").strip() for path in sorted(run.figures.glob("*.txt"))]
    return f"{title}\n\n{markdown}", alts


@pytest.fixture(scope="module")
def made():
    """Reports by name: pytest may come back to one after another, and each takes a quarter of a minute."""
    return {}


@pytest.fixture(scope="module", params=FAKES, ids=lambda name: name)
def report(request, made, tmp_path_factory):
    name = request.param
    if name not in made:
        folder = tmp_path_factory.mktemp("report")
        made[name] = (name, folder, *told(folder, FAKES[name]))
    return made[name]


def sentences(markdown: str) -> str:
    """What a reader reads: without raw blocks, attributes, escapes and code, and without the rules of the models."""
    text = re.sub(r"```.*?```", "", markdown, flags=re.DOTALL)
    text = re.sub(r"`[^`\n]+`", "§", re.sub(r"\{[^}\n]*\}|\]\([^)]*\)", "", text)).replace("\\", "")
    text = re.sub(r"^\|[-: |]+\|$", "", text, flags=re.MULTILINE)
    text = re.sub(r" *\| *", " ¦ ", text)
    for phrase in ALLOWED:
        text = text.replace(phrase, "§")
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("what", NOT_SAID)
def test_every_sentence_keeps_to_the_words(report, what):
    _, _, markdown, alts = report
    for text in (sentences(markdown), *(alt.replace("\N{NO-BREAK SPACE}", " ") for alt in alts)):
        found = re.search(NOT_SAID[what], text)
        assert found is None, text[max(found.start() - 80, 0) : found.end() + 40]


def test_alt_texts_are_short_and_end_as_sentences(report):
    _, _, _, alts = report
    assert alts
    for alt in alts:
        assert len(alt) <= 350
        assert alt.endswith(".")


def test_every_reference_has_its_target_and_every_figure_its_files(report):
    _, folder, markdown, _ = report
    names = re.findall(r"\{#((?:fig|tbl|sec)-[\w-]+)", markdown)
    assert len(names) == len(set(names))
    assert set(re.findall(r"(?<![\w.])@((?:fig|tbl|sec)-[\w-]+)", markdown)) <= set(names)
    for picture in re.findall(r"\]\((figures/[\w-]+\.svg)\)", markdown):
        assert (folder / picture).exists()
        assert (folder / picture).with_suffix(".txt").exists()


def test_every_site_outside_the_funnel_is_named_beside_it(report):
    _, folder, markdown, _ = report
    opened = sections.open_report(str(folder))
    for facts in opened.facts:
        far, both = outside_limits(opened, facts)
        found = re.search(rf"In @fig-funnel-{slug(facts.view)} lie outside .*", markdown)
        assert bool(found) == (bool(far) and f"#fig-funnel-{slug(facts.view)}" in markdown)
        if found:
            first, _, wider = found.group().replace("\\", "").partition("Outside the over-dispersed")
            assert all(site in first for site in far)
            assert all((site in wider) == (site in both) for site in far)


def test_citations_are_in_the_bibliography(report):
    _, _, markdown, _ = report
    known = set(re.findall(r"@\w+\{(\w+),", (Path(__file__).parents[1] / "reports" / "references.bib").read_text()))
    cited = {key for group in re.findall(r"\[(@[^\]]+)\]", markdown) for key in re.findall(r"@(\w+)", group)}
    assert cited
    assert cited <= known


def test_headings_do_not_skip_a_level(report):
    _, _, markdown, _ = report
    levels = [len(marks) for marks in re.findall(r"^(#+) ", re.sub(r"```.*?```", "", markdown, flags=re.S), re.M)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_no_word_contradicts_the_interval_beside_it(report):
    """Better or worse stands exactly where the 95% interval against the average leaves 1 (for means 0) out."""
    _, folder, _, _ = report
    run = sections.RunFolder(folder)
    estimates, words = run.read(run.table("site_estimates")), run.read(run.table("site_statements"))
    rows = estimates[estimates["estimand"].eq("against_average")]
    rows = rows.merge(words[words["slot"].eq("level")], on=["measure", "site"])
    rows = rows[rows["statement"].ne("not_enough_data")]
    same = rows["measure"].map(lambda name: 0.0 if name == "stay" else 1.0)
    apart = rows["q025"].gt(same) | rows["q975"].lt(same)
    near = ((rows["q025"] - same).abs() < 0.01) | ((rows["q975"] - same).abs() < 0.01)
    decided = rows["statement"].isin(("better", "worse", "worse_few_cases"))
    assert len(rows)
    assert (apart == decided)[~near].all()


# --- what is left out, and what is told besides --------------------------------------------------------------------


def markdown_of(tmp_path: Path, fake: Fake) -> str:
    return told(tmp_path, fake)[0]


def test_without_periods_outcomes_are_left_out_and_named(tmp_path):
    fake_run.make(tmp_path, Fake())
    report = sections.open_report(str(tmp_path))
    assert isinstance(sections.outcomes_over_time(report), Missing)
    assert sections.outcomes_over_time(report)._repr_markdown_() == ""
    absent = sections.absent(report)._repr_markdown_()
    for chapter in ("Outcomes over time", "Coordination", "Motivational levers", "Burden and value"):
        assert chapter in absent
    assert "Leadership and community" in absent
    assert "Learning from positive deviance" not in absent


def test_with_periods_outcomes_are_told_with_interval_chance_and_caution(tmp_path):
    markdown = markdown_of(tmp_path, Fake(years=5, sites=10, cases=500, change=-0.5)).replace("\N{NO-BREAK SPACE}", " ")
    assert re.search(r"about [\d,]+ fewer deaths a year \(95% interval \d[\d,]* to [\d,]+\)", markdown)
    assert "almost certainly fell (more than 99 in 100)" in markdown
    assert "this is change, not the effect of a programme" in markdown
    assert "Outcomes over time" not in markdown.split("# Not in this report")[1].split("# Methods")[0]


def test_a_failed_blocking_check_puts_a_banner_first(tmp_path):
    markdown = markdown_of(tmp_path, Fake(sites=6, failed=("rhat",)))
    first = markdown.split("\n\n")[1]
    assert first.startswith("::: {.banner}\n[Provisional: a check failed]{.banner-title}")
    assert "Do not circulate." in markdown
    assert "agreement of independent chains (R-hat)" in markdown.split(":::")[1] + markdown.split(":::")[2]
    assert "this report is provisional" in markdown


def test_a_failed_advisory_check_gives_an_amber_note_and_no_banner(tmp_path):
    markdown = markdown_of(tmp_path, Fake(sites=6, failed=("influence",)))
    assert "{.callout-warning" in markdown
    assert ".banner" not in markdown
    assert "Single rows that carry the result" in markdown.split("# Diagnostics")[1]


def test_all_checks_passed_says_so_and_no_more(tmp_path):
    markdown = markdown_of(tmp_path, Fake(sites=6))
    assert ".banner" not in markdown
    assert "callout-warning" not in markdown
    assert re.search(r"All \d+ checks passed\.", markdown)


def test_the_leading_outcome_leads_whatever_the_order_of_params(tmp_path):
    markdown = markdown_of(tmp_path, Fake(("on_time", "death"), sites=6))
    assert markdown.splitlines()[0].startswith("Deaths within 30 days of surgery")
    others = markdown.split("The other measures:")[1].split("![")[0]
    assert "Antibiotics given on time" in others
    assert "Higher is better." in others
    assert "Deaths" not in others


def test_a_ranking_that_would_mislead_is_refused_with_its_reason(tmp_path):
    markdown = markdown_of(tmp_path, Fake(cases=250, site_sd=0.2, sites=12)).replace("\N{NO-BREAK SPACE}", " ")
    assert re.search(r"No ranking is shown\. .* is real \(\d+%\); a ranking needs at least 50%", markdown)
    assert re.search(r"About [\d,]+ operations per hospital would make 70% of a shown difference real\.", markdown)
    assert "Publish no ranking." in markdown
    assert not (tmp_path / "figures" / "ranks-death.svg").exists()


def test_too_few_sites_with_data_enough_are_not_ranked(tmp_path):
    markdown = markdown_of(tmp_path, Fake(cases=40, site_sd=0.15, sites=12))
    assert "No ranking is shown: no hospital has data enough for a rank." in markdown


def test_quarters_are_drawn_in_time_with_their_own_labels(tmp_path, monkeypatch):
    """Periods go to the figures as they are: "2020Q2" lies after "2020Q1", whatever a reader calls them."""
    drawn = {}
    for name in ("trend", "small_multiples", "spc"):
        monkeypatch.setattr(plots, name, _noting(name, getattr(plots, name), drawn))
    markdown_of(tmp_path, Fake(years=12, quarters=True, sites=6, cases=400))
    assert set(drawn) == {"trend", "small_multiples", "spc"}
    labels = [f"{year}Q{quarter}" for year in (2020, 2021, 2022) for quarter in (1, 2, 3, 4)]
    for rows in drawn.values():
        one = rows[rows["label"].eq(rows["label"].iloc[0])] if "label" in rows else rows
        assert list(one["period"]) == labels
        assert list(one["time"]) == [number / 4 for number in range(12)]


def _noting(name, draw, drawn):
    def noted(rows, *args, **kwargs):
        drawn[name] = rows.copy()
        return draw(rows, *args, **kwargs)

    return noted


def test_recommendations_stand_by_measure_and_count_through(tmp_path):
    markdown = markdown_of(tmp_path, Fake(("death", "stay"), sites=10, cases=400, site_sd=0.7))
    chapter = markdown.split("# Recommendations")[1].split("\n# ")[0]
    assert re.findall(r"^## (.+)$", chapter, re.M) == ["Deaths within 30 days of surgery", "Length of stay"]
    numbered = [int(number) for number in re.findall(r"^(\d+)\. ", chapter, re.M)]
    assert numbered == list(range(1, len(numbered) + 1))


def test_five_cards_in_the_readers_order(report):
    _, _, markdown, _ = report
    questions = re.findall(r"^\[([^\]]+)\]\{\.question\}$", markdown, re.M)
    assert questions == ["Did it work?", "For whom?", "How sure are we?", "What did it cost?", "What should we do?"]


def test_a_report_is_the_same_to_the_byte_when_written_again(tmp_path):
    fake = Fake(("death", "stay"), years=4, sites=6)
    fake_run.make(tmp_path / "run", fake)
    first, second = (_written(tmp_path / "run") for _ in range(2))
    assert first == second


def _written(folder: Path) -> dict[str, str]:
    report = sections.open_report(str(folder))
    written = {str(number): cell(report)._repr_markdown_() for number, cell in enumerate(CELLS)}
    for path in sorted([*(folder / "figures").iterdir(), *(folder / "tables").iterdir()]):
        written[path.name] = path.read_text(encoding="utf-8")
    return written


def test_tables_are_written_as_csv_too(report):
    _, folder, markdown, _ = report
    for name in re.findall(r"\{#tbl-([\w-]+)\}", markdown):
        if name != "absent":
            assert len(pd.read_csv(folder / "tables" / f"{name}.csv"))


def test_the_report_template_calls_every_section_once():
    template = (Path(__file__).parents[1] / "reports" / "evaluation.qmd").read_text(encoding="utf-8")
    called = re.findall(r"sections\.(\w+)\(", template)
    assert called == ["open_report", "front_matter", *(cell.__name__ for cell in CELLS)]
    assert not re.findall(r"(?<!`)`(r |\{python\})", template)


@pytest.mark.parametrize(
    ("chances", "said"),
    [((0.998, 0.999), "fewer than 0.1 of the two"), ((0.6, 0.5, 0.58), "1.3 of the three")],
)
def test_the_number_wrongly_named_is_one_a_reader_can_expect(chances, said):
    class Reviewed:
        def of(self, slot: str, *wanted: str) -> list[Named]:
            named = [Named(f"Hospital {place}", "review", chance) for place, chance in enumerate(chances)]
            return [site for site in named if site.slug in wanted]

    assert said in _wrongly(Reviewed())


def test_indicators_alone_make_their_chapters(tmp_path):
    """Where no site has data enough and no scorecard is declared, the indicators are told all the same."""
    markdown = markdown_of(tmp_path, Fake(sites=6, cases=2, blocks={"indicators": INDICATORS}))
    for chapter in ("deviance", "coordination", "levers", "leadership"):
        assert f"{{#sec-{chapter}}}" in markdown
        assert f"{{#tbl-indicators-{chapter}}}" in markdown
    assert "No performance index is declared" in markdown
    for chapter in ("Coordination", "Motivational levers", "Leadership and community"):
        assert not re.search(rf"^\| {chapter}", markdown, re.M)


def test_chapters_ask_for_their_tables_and_nothing_is_asked_for_where_all_are_given(tmp_path, monkeypatch):
    report = sections.open_report(str(fake_run.make(tmp_path, Fake(years=4, cases=300)).path))
    asked = sections.absent(report).markdown
    for words in ("no survey, no ratings and no audit", "no hours and no costs", "no data on meetings, visits",
                  "no table of practices was given"):  # fmt: skip
        assert words in asked
    for chapter in ("outcomes", "effect", "deviance", "coordination", "levers", "leadership", "profile"):
        monkeypatch.setattr(importlib.import_module(f"collabeval.sections.{chapter}"), "missing", lambda report: None)
    for chapter in ("deviance", "profile", "levers", "value"):
        monkeypatch.setattr(importlib.import_module(f"collabeval.sections.{chapter}"), "unassessed", lambda report: [])
    assert "`" not in asked  # cells are read literally
    full = sections.absent(report).markdown
    assert "Nothing is left out" in full
    assert "|" not in full

"""The report of a portfolio: every chapter stands, words fit numbers, and no site can be told from any of it."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from collabeval import params_file, portfolio_file, render
from collabeval.diagnostics.check import as_table
from collabeval.disclosure.portfolio import _by_number, _overlap
from collabeval.execute import read_notebook
from collabeval.params.indicators import FIVE
from collabeval.portfolio.association import DRAWS, SLOPES, provisional
from collabeval.run_folder import RunFolder
from collabeval.sections import portfolio, portfolio_end, portfolio_features, portfolio_index, portfolio_parts
from collabeval.statements import portfolio_parts as parts
from collabeval.statements.portfolio_facts import PortfolioFacts
from portfolio_case import Case, gathered, make_funder, numbers, ten, without
from small_project import ROOT

CHAPTERS = (
    portfolio.kicker, portfolio.summary, portfolio.outcomes, portfolio_features.features,
    portfolio_features.association, portfolio_parts.practices, portfolio_parts.value, portfolio_end.shared_sites,
    portfolio_end.multiplicity, portfolio_end.absent, portfolio_end.methods, portfolio_end.diagnostics,
    portfolio_end.provenance,
)  # fmt: skip
CASES = {
    **ten(births=without(Case(sites=5, change=0.2), "effect", "value"), falls=Case(sites=2)),
    "lost": Case(status="failed"), "bare": Case(sites=14, has=(), status="provisional"),
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """A report that was written: its run, Markdown of report and index page, and every file beside them."""

    run: RunFolder
    report: portfolio.FunderReport
    markdown: str
    index: str
    files: str


def write(folder: Path, cases: dict[str, Case], slopes: int = 0, **params: object) -> Told:
    run = make_funder(folder, cases, **params)
    tables = gathered(run)
    run.write_tables({"diagnostics": as_table(provisional(tables["portfolio_members"])), **associated(slopes)})
    report = portfolio.open_portfolio(str(run.path))
    markdown = "\n\n".join(chapter(report)._repr_markdown_() for chapter in CHAPTERS)
    index = "\n\n".join(part(report)._repr_markdown_() for part in (portfolio_index.kicker, portfolio_index.members))
    written = [*sorted(run.figures.iterdir()), *sorted(run.tables.iterdir())]
    files = "\n".join(f"{path.name}\n{path.read_text(encoding='utf-8')}" for path in written)
    title = portfolio.front_matter(report).values["title"]
    return Told(run, report, f"{title}\n\n{markdown}", index, files)


def associated(collaboratives: int) -> dict[str, pd.DataFrame]:
    """What the fit across collaboratives leaves: slopes from `collaboratives` of them, or (0) word of too few."""
    if not collaboratives:
        rows = pd.DataFrame([{"feature": "", "basis": "effect", "collaboratives": 3}])
    else:
        rows = pd.DataFrame([
            {"feature": feature, "basis": "effect", "collaboratives": collaboratives, "estimand": "slope",
             **numbers(0.2 - 0.05 * place, 0.05), "event": "positive", "probability": 0.97 - 0.1 * place}
            for place, feature in enumerate(FIVE)
        ])  # fmt: skip
    return {
        "portfolio_association": rows.reindex(columns=SLOPES),
        "portfolio_association_draws": pd.DataFrame(columns=DRAWS),
    }


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    return write(tmp_path_factory.mktemp("funder"), CASES, slopes=24)


@pytest.fixture(scope="module")
def rendered(told, tmp_path_factory):
    """The text of the report as HTML (its source) and as PDF (its text layer, and its metadata)."""
    folder = tmp_path_factory.mktemp("rendered")
    front = portfolio.front_matter(told.report).values
    head = "---\n" + "".join(f'{key}: "{value}"\n' for key, value in front.items() if value) + "---"
    cells = [nbformat.v4.new_raw_cell(head)]
    output = nbformat.v4.new_output("display_data", {"text/markdown": told.markdown, "text/plain": ""})
    cells.append(nbformat.v4.new_code_cell("#| echo: false", outputs=[output], execution_count=1))
    notebook = folder / "report.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), notebook)
    render.render(notebook, told.run.figures, folder / "out", ("html", "pdf"), "embedded")
    pdf = folder / "out" / "report.pdf"
    tools = [["pdftotext", str(pdf), "-"], ["pdfinfo", str(pdf)]]
    text = "".join(subprocess.run(tool, capture_output=True, text=True, check=True).stdout for tool in tools)
    return (folder / "out" / "report.html").read_text(encoding="utf-8"), text


def sites(told: Told) -> tuple[set[str], set[str]]:
    """Codes (of collaboratives and national) and names of every site of every collaborative."""
    codes, names = set(pd.read_csv(told.report.published.params.site_register, dtype=str)["national"]), set()
    for outcome in portfolio_file.read_members(told.run):
        if outcome.folder:
            own = RunFolder(Path(outcome.folder))
            rows = own.read(own.sites)
            codes |= set(rows["site"])
            names |= set(rows["name"])
            assert params_file.read_resolved(own.params).report.sites == "coded"
    return codes, names


# --- no site can be told ------------------------------------------------------------------------------------------


def test_no_site_is_named_in_text_tables_figures_or_alt_texts(told):
    codes, names = sites(told)
    assert len(codes) > 20
    everything = "\n".join((told.markdown, told.index.replace(str(told.run.path.parent), ""), told.files))
    for code in codes:
        assert not re.search(rf"(?<!\w){re.escape(code)}(?!\w)", everything), code
    assert not [name for name in names if name in everything]


@pytest.mark.skipif(not any((Path(p) / "pdftotext").exists() for p in ("/usr/bin", "/usr/local/bin")),
                    reason="pdftotext (poppler-utils) is not installed")  # fmt: skip
def test_no_site_is_named_in_the_finished_html_and_pdf(told, rendered):
    codes, names = sites(told)
    for text in rendered:
        assert "Sites in several" in " ".join(text.split()) or "in several" in text
        assert not [name for name in names if name in text]
        words = re.sub(r"(src|href)=\"data:[^\"]*\"", "", text)  # encoded pictures and fonts are any letters
        assert not [code for code in codes if re.search(rf"(?<![\w/+=.#-]){re.escape(code)}(?![\w/+=-])", words)]


def test_why_a_collaborative_was_refused_stays_in_its_log(told):
    assert "sites.csv" not in told.markdown + told.index + told.files


def test_nothing_rests_on_too_few_sites(told):
    assert not told.report.published.member("falls").views
    assert "Not shown, since it rests on fewer than four hospitals" in told.markdown
    table = pd.read_csv(told.run.tables / "portfolio-changes.csv", dtype=str)
    assert "Falls" not in set(table["Collaborative"])
    for name in ("features", "indicators", "value", "practices", "words", "improvements"):
        assert "falls" not in set(getattr(told.report.published, name)["collaborative"]), name
    assert "births" in told.report.published.words["collaborative"].to_list()


def test_small_numbers_of_shared_sites_are_hidden_and_the_others_rounded():
    pairs = pd.DataFrame(
        {"collaborative": ["a", "a", "a", "a"], "other": ["a", "b", "c", "d"], "sites": [17, 4, 0, 13]}
    )
    assert _overlap(pairs, 5)["sites"].fillna(-1).to_list() == [17, -1, 0, 15]


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([23, 11, 8], [(1, 25, False), (2, 10, False), (3, 10, False)]),
        ([23, 11, 2], [(1, 25, False), (2, 15, True)]),
        ([23, 3, 1], [(1, 25, True)]),
        ([3, 11], []),
    ],
)
def test_sites_by_number_never_tell_how_many_a_row_hides(counts, shown):
    table = _by_number(pd.DataFrame({"collaboratives": range(1, len(counts) + 1), "sites": counts}), 5)
    assert [tuple(row) for row in table.itertuples(index=False)] == shown


def test_the_published_view_has_no_table_of_sites(told):
    for table in vars(told.report.published).values():
        if isinstance(table, pd.DataFrame):
            assert not {"site", "national", "name", "reason"} & set(table.columns)


# --- chapters -----------------------------------------------------------------------------------------------------


def test_every_chapter_stands_with_its_finding_its_figure_and_what_would_improve_it(told):
    headings = re.findall(r"^# (.+?) \{#", told.markdown, re.MULTILINE)
    assert headings[:5] == ["Outcomes side by side", "The five features", "What goes with improvement", "Practices",
                            "Value"]  # fmt: skip
    figures = {path.stem for path in told.run.figures.glob("*.svg")}
    assert figures == {f"portfolio-{name}" for name in ("outcomes", "features", "association", "value")}
    for alt in told.run.figures.glob("*.txt"):
        assert alt.read_text(encoding="utf-8").strip().endswith((".", "…"))
    assert told.markdown.count("What would improve this") == 6


def test_indicators_at_target_are_counted_by_feature_and_lead_where_there_are_no_scores(told, tmp_path):
    table = pd.read_csv(told.run.tables / "portfolio-indicators.csv", dtype=str).set_index("Collaborative")
    assert set(table.loc["Hips"]) == {"1 of 3, 1 short"}
    bare = make_funder(tmp_path, {"a": Case(), "b": Case()})
    for outcome in portfolio_file.read_members(bare):
        for name in ("feature_profile", "feature_profile_probabilities"):
            RunFolder(Path(outcome.folder)).table(name).unlink()
    tables = gathered(bare)
    bare.write_tables({"diagnostics": as_table(provisional(tables["portfolio_members"])), **associated(0)})
    chapter = portfolio_features.features(portfolio.open_portfolio(str(bare.path)))._repr_markdown_()
    assert "Ten of 30 indicators with a target are probably at it and ten probably short of it" in chapter
    assert "fig-portfolio-features" not in chapter
    said = parts.actions(portfolio.open_portfolio(str(bare.path)).facts)
    assert "Work on learning from positive deviance, where most indicators fall short of target." in said


def test_what_was_given_is_never_asked_for(told):
    assert "practices.csv is there" not in portfolio_end.absent(told.report)._repr_markdown_()
    births = told.report.published.member("births")
    given = replace(births, given=("costs", "comparators"))
    members = tuple(given if one is births else one for one in told.report.published.members)
    facts = PortfolioFacts(replace(told.report.published, members=members))
    without = [action for action in parts.actions(facts) if "table of costs" in action]
    assert any("Births" in action for action in parts.actions(told.report.facts))
    assert not any("Births" in action for action in without)
    report = portfolio.FunderReport(facts, told.run)
    assert "costs.csv is there, but its own run has no result of it" in portfolio_end.absent(report)._repr_markdown_()


def test_what_is_lacking_is_said_with_what_would_fill_it(told):
    absent = portfolio_end.absent(told.report)._repr_markdown_()
    assert "lost" in absent
    assert re.search(r"\| Births +\| Effect +\| would take comparators", absent)
    assert re.search(r"\| Births +\| Value", absent)


def test_a_provisional_collaborative_makes_a_draft_that_says_which(told):
    banner = portfolio.banner(told.report)
    assert "Do not circulate" in banner
    label = told.report.published.member("bare").label
    assert label in banner


def test_sentences_have_no_number_that_is_none_and_no_wrong_singular(told):
    text = re.sub(r"`[^`]*`", "", told.markdown + told.index)
    for pattern in (
        r"\bnan\b",
        r"\bNone\b",
        r"\binf\b",
        r"\b([Oo]ne|1) (hospitals|collaboratives)\b",
        r"\w\.\.\s",
        r" ,",
    ):
        assert not re.search(pattern, text), re.search(f".{{60}}{pattern}.{{20}}", text)


def test_the_index_leads_to_every_report(told):
    for name, case in CASES.items():
        if case.status != "failed":
            assert f"report/{name}-2024.html" in told.index
    assert "It could not be evaluated" in told.index
    assert "A draft that must not circulate".lower() in told.index.lower()


def test_a_portfolio_of_bare_collaboratives_stands_and_says_what_is_missing(tmp_path):
    told = write(tmp_path, {"a": Case(has=()), "b": Case(has=(), change=0.1)}, register=False)
    absent = portfolio_end.absent(told.report)._repr_markdown_()
    for chapter in ("The five features", "What goes with improvement", "Practices", "Value", "Sites in several"):
        assert chapter in absent
    assert "# The five features" not in told.markdown
    assert "improved since baseline" in told.markdown


@pytest.mark.parametrize(("slopes", "figure", "said"), [
    (0, False, "Not estimated: three collaboratives have"), (10, False, "probably improved more"),
    (24, True, "probably improved more")])  # fmt: skip
def test_a_figure_of_features_and_improvement_needs_twenty(tmp_path, slopes, figure, said):
    told = write(tmp_path, {"a": Case(), "b": Case(change=-0.4)}, slopes=slopes)
    assert (told.run.figures / "portfolio-association.svg").exists() is figure
    assert said in told.markdown
    assert ("Exploratory" in told.markdown) is bool(slopes)


NAMING = ("better", "worse", "worse_few_cases", "improved", "worsened", "positive_deviant", "emerging", "candidate",
          "review", "review_persistent")  # fmt: skip


def by_hand(told: Told) -> dict[str, tuple[int, float]]:
    """Of each collaborative, how many words name a site, and their doubts added up, from its own run's tables."""
    found = {}
    for outcome in portfolio_file.read_members(told.run):
        if outcome.status == "failed":
            continue
        shown = [view.name for view in told.report.published.member(outcome.name).views]
        own = RunFolder(Path(outcome.folder))
        words = own.read(own.table("site_statements"))
        words = words[words["statement"].isin(NAMING) & words["measure"].isin(shown)]
        if len(words):
            doubts = [1 - chance for chance in words["probability"] if chance == chance]
            found[told.report.published.member(outcome.name).label] = (len(words), sum(doubts))
    return found


def test_names_that_are_chance_are_the_sum_over_measures_of_every_collaborative(told):
    chapter = portfolio_end.multiplicity(told.report)._repr_markdown_().replace("\N{NO-BREAK SPACE}", " ")
    expected = by_hand(told)
    assert len(expected) > 5
    table = pd.read_csv(told.run.tables / "portfolio-words.csv", dtype=str).set_index("Collaborative")
    assert {label: tuple(row) for label, row in table[["Words that name", "By chance, expected"]].iterrows()} == {
        label: (f"{words:,}", f"{wrong:,.1f}") for label, (words, wrong) in expected.items()
    }
    total, wrong = (sum(numbers) for numbers in zip(*expected.values(), strict=True))
    assert wrong > 0.3
    about = f"about {wrong:.1f}" if wrong < 10 else f"about {wrong:.0f}"
    assert (
        f"The reports of the collaboratives name hospitals {total:,} times. "
        f"Of these {total:,} words {about} can be expected to be chance."
    ) in chapter


def test_every_collaborative_says_which_engines_its_numbers_came_from(tmp_path):
    several = (("laplace", "passed"), ("nuts", "failed"))
    cases = {"a": Case(), "b": Case(status="provisional", engines=several), "c": Case(engines=()), "d": Case()}
    run = write(tmp_path, cases, register=False).run
    members = json.loads((run.path / "members.json").read_text(encoding="utf-8"))
    del members[3]["engines"]  # as one wrote it that did not know of engines
    (run.path / "members.json").write_text(json.dumps(members), encoding="utf-8")
    markdown = portfolio_end.provenance(portfolio.open_portfolio(str(run.path)))._repr_markdown_()
    table = pd.read_csv(run.tables / "portfolio-runs.csv", dtype=str)
    assert table["Engines of its measures"].to_list() == [
        "nested Laplace for one measure; checks passed",
        "nested Laplace for one measure and the No-U-Turn sampler for one measure; checks failed for one measure",
        "not recorded",
        "not recorded",
    ]
    assert markdown.count("not recorded") == 2


@pytest.mark.parametrize("name", ["portfolio", "portfolio_index"])
def test_a_template_calls_what_there_is_and_hides_its_code(name):
    notebook = read_notebook(ROOT / "reports" / f"{name}.qmd")
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    for module, function in re.findall(r"(portfolio\w*)\.(\w+)\(", code):
        parts = {one.__name__.rsplit(".", 1)[-1]: one for one in
                 (portfolio, portfolio_end, portfolio_features, portfolio_parts, portfolio_index)}  # fmt: skip
        assert callable(getattr(parts[module], function))
    called = set(re.findall(r"\.(\w+)\(report\)", code))
    expected = {chapter.__name__ for chapter in CHAPTERS} if name == "portfolio" else {"kicker", "members"}
    assert called == expected | {"front_matter"}

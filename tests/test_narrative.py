"""The evaluator's own words: what a file may hold, where it goes, and that no hidden name slips through it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

import fake_run
from collabeval import narrative, sections
from collabeval.errors import InputError
from collabeval.pipeline import tidy
from collabeval.run_folder import RunFolder
from collabeval.sections.narrative import TITLE
from fitting import params_for

TEMPLATE = Path(__file__).parents[1] / "reports" / "evaluation.qmd"
BROKEN = {
    "a picture": ("Before.\n\n![ward](ward.png)\n", 3, "a picture"),
    "a block of HTML": ("<div>\nbig\n</div>\n", 1, "HTML"),
    "HTML in a line": ("One\ntwo <b>three</b>\n", 2, "HTML"),
    "a cell that would run": ("One.\n\n```{python}\n1\n```\n", 3, "code"),
    "inline code that would run": ("One.\n\nTwo `{python} 1`.\n", 3, "code"),
    "a shortcode": ("One.\n\n{{< include secret.md >}}\n", 3, "shortcode"),
    "a link that acts": ("[click](javascript:alert)\n", 1, "link"),
    "a deep heading": ("# One\n\n### Three\n", 3, "heading of level 3"),
}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "narrative"
    made.mkdir()
    return made


def params_of(folder):
    params = params_for()
    return params.model_copy(update={"report": params.report.model_copy(update={"narrative": str(folder)})})


@pytest.mark.parametrize("case", BROKEN)
def test_what_no_report_can_carry_is_refused_with_its_line(folder, case):
    text, row, said = BROKEN[case]
    (folder / "summary.md").write_text(text)
    with pytest.raises(InputError) as caught:
        narrative.check(params_of(folder))
    problems = caught.value.problems
    assert {problem.row for problem in problems} == {row}
    assert said in problems[0].what
    assert problems[0].fix


def test_every_problem_of_every_file_is_told_at_once(folder):
    (folder / "summary.md").write_text("![a](b.png)\n\n<b>c</b>\n")
    (folder / "deviance.md").write_text("```\ncode\n```\n")
    (folder / "sumary.md").write_text("lost")
    (folder / "notes.docx").write_bytes(b"\x00")
    (folder / "levers.md").write_bytes("Zürich".encode("latin-1"))
    with pytest.raises(InputError) as caught:
        narrative.check(params_of(folder))
    found = str(caught.value)
    for said in ("summary.md:1", "summary.md:3", "deviance.md:1", "sumary.md", "rename it summary.md", "notes.docx",
                 "levers.md", "UTF-8"):  # fmt: skip
        assert said in found


def test_a_folder_that_params_name_must_be_there_the_usual_one_need_not(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        narrative.check(params_of(tmp_path / "nowhere"))
    narrative.check(params_for())


def test_marks_that_mean_something_to_quarto_or_pandoc_are_plain_text(tmp_path):
    (tmp_path / "value.md").write_text("Saved $5 to $6 per case, see @fig-trend and ::: {.card} [x]{.bar}.\n")
    (made,) = narrative.read(tmp_path).values()
    for mark in (r"\$5", r"\@fig-trend", r"\[x\]"):
        assert mark in made
    assert not made.startswith(":::")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return sections.open_report(str(fake_run.make(tmp_path_factory.mktemp("run")).path))


def test_the_words_stand_framed_at_the_end_of_their_chapter(plain):
    report = replace(plain, narrative={"measurement": "Audits were *hard* won."})
    made, without = (sections.measurement(each).markdown for each in (report, plain))
    assert made.startswith(without)
    assert made.removeprefix(without) == f'\n\n::: {{.narrative title="{TITLE}"}}\n\nAudits were *hard* won.\n\n:::'
    assert TITLE not in sections.levers(report)._repr_markdown_()
    assert "measurement and feedback" in sections.provenance(report).markdown.lower()


def test_a_chapter_without_data_is_made_of_its_words(plain):
    report = replace(plain, narrative={"levers": "No money was paid this year."})
    made = sections.levers(report).markdown
    assert made.startswith("# Motivational levers {#sec-levers}")
    assert "No money was paid this year." in made
    assert "Motivational levers" in sections.absent(report).markdown


def test_every_chapter_ends_with_its_own_words(plain):
    """In the report as it is made: the cells of its notebook, in their order."""
    cells = re.findall(r"^sections\.(\w+)\(report\)$", TEMPLATE.read_text(encoding="utf-8"), re.MULTILINE)
    report = replace(plain, narrative={name: f"Words on {name}." for name in narrative.CHAPTERS})
    shown = [getattr(sections, cell)(report) for cell in cells if cell != "front_matter"]
    endings = [re.search(r"Words on (\w+)\.\n\n:::$", chapter._repr_markdown_()) for chapter in shown]
    assert [ending[1] for ending in endings if ending] == list(narrative.CHAPTERS)
    for chapter, ending in zip(shown, endings, strict=True):
        assert chapter._repr_markdown_().count("Words on") == bool(ending)


@pytest.mark.parametrize("written", ["Mercy Hospital led", "MERCY\nhospital led", "*Mercy* Hospital led"])
def test_a_coded_report_names_no_site_in_its_words(tmp_path, written):
    (tmp_path / "summary.md").write_text(f"This year:\n\n{written} the way.\n")
    with pytest.raises(InputError) as caught:
        narrative.check_hidden(tmp_path, {"Mercy Hospital": "Hospital 07", "7": "Hospital 07", "led on": "Hospital 08"})
    (problem,) = caught.value.problems
    assert (problem.row, problem.value) == (3, "Mercy Hospital")
    assert "Hospital 07" in problem.fix
    narrative.check_hidden(tmp_path, {"Merc": "Hospital 01", "Hospitals": "Hospital 02", "7": "Hospital 07"})


def test_a_run_keeps_its_own_copy(folder, tmp_path):
    (folder / "summary.md").write_text("We met twice.\n")
    run = RunFolder(tmp_path / "run")
    tidy.keep_narrative(params_of(folder), run)
    (folder / "summary.md").write_text("We met three times.\n")
    assert narrative.read(run.narrative) == {"summary": "We met twice."}
    (folder / "summary.md").unlink()
    tidy.keep_narrative(params_of(folder), run)
    assert narrative.read(run.narrative) == {}


def test_a_report_that_hides_names_is_not_opened_where_its_words_name_a_site(tmp_path):
    run = fake_run.make(tmp_path, fake_run.Fake(report={"sites": "coded"}))
    run.narrative.mkdir()
    (run.narrative / "deviance.md").write_text("Ashby General shared its checklist.\n")
    with pytest.raises(InputError, match="shows sites by code"):
        sections.open_report(str(run.path))
    (run.narrative / "deviance.md").write_text("One of them shared its checklist.\n")
    assert sections.open_report(str(run.path)).narrative == {"deviance": "One of them shared its checklist."}

"""Rendering: which renderer, the same bytes for the same input, and what a report may not hold."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from collabeval import render
from collabeval.errors import RenderError
from reading import captions, page_of, pdf_pages, text_of
from report_fixture import FIXTURE, FRONT, embedded, write_fixture


def fake_quarto(folder: Path, says: str) -> None:
    program = folder / "quarto"
    program.write_text(f"#!/bin/sh\n{says}\n", encoding="utf-8")
    program.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for Quarto is a shell script")
@pytest.mark.parametrize(
    ("says", "name", "why"),
    [
        ("echo 1.9.12", "quarto", "found at"),
        ("echo 99.9.9", "quarto", "found at"),
        ("echo 1.8.27", "embedded", "1.8.27 is older than 1.9"),
        ("echo broken >&2; exit 3", "embedded", "does not run: broken"),
        (None, "embedded", "not on PATH"),
    ],
)
def test_auto_takes_quarto_where_it_can_be_used(tmp_path, monkeypatch, says, name, why):
    if says:
        fake_quarto(tmp_path, says)
    monkeypatch.setenv("PATH", str(tmp_path))
    chosen = render.choose("auto")
    assert chosen.name == name
    assert why in chosen.why


def test_quarto_asked_for_but_absent_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RenderError, match="Quarto is not on PATH"):
        render.choose("quarto")
    assert render.choose("embedded").name == "embedded"


def test_result_names_its_files_and_what_made_them(tmp_path):
    notebook, figures = write_fixture(tmp_path / "in")
    made = render.render(notebook, figures, tmp_path / "report", ["html"], "embedded", "evaluation")
    assert made.files == (tmp_path / "report" / "evaluation.html",)
    assert made.renderer == "embedded"
    assert re.search(r"typst \d", made.version)


def test_same_notebook_and_date_give_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767571200")
    first, second = embedded(tmp_path / "one"), embedded(tmp_path / "two")
    for name in ("report.html", "report.pdf"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_two_collaboratives_keep_their_own_figures(tmp_path):
    made = {}
    for town in ("Aachen", "Bergen"):
        notebook, figures = write_fixture(tmp_path / town / "in")
        drawing = figures / "trend.svg"
        drawing.write_text(drawing.read_text(encoding="utf-8").replace("estimate 16", town), encoding="utf-8")
        made[town] = render.render(notebook, figures, tmp_path / town / "report", ["html", "pdf"], "embedded").files
    for town, other in (("Aachen", "Bergen"), ("Bergen", "Aachen")):
        html, pdf = made[town]
        for text in (html.read_text(encoding="utf-8"), "".join(pdf_pages(pdf))):
            assert town in text
            assert other not in text


def test_working_folder_is_made_anew(tmp_path):
    notebook, figures = write_fixture(tmp_path / "in")
    stale = tmp_path / "report" / "source" / "figures" / "old.svg"
    stale.parent.mkdir(parents=True)
    stale.write_text("<svg/>", encoding="utf-8")
    render.render(notebook, figures, tmp_path / "report", ["html"], "embedded")
    assert not stale.exists()
    assert (tmp_path / "report" / "source" / "_quarto.yml").exists()


def test_picture_from_a_cell_takes_the_cell_options(tmp_path):
    notebook, figures = write_fixture(tmp_path / "in", FRONT + "See @fig-own.\n")
    content = json.loads(notebook.read_text(encoding="utf-8"))
    svg = (FIXTURE / "figures" / "change.svg").read_text(encoding="utf-8")
    options = (
        '#| label: fig-own\n#| fig-cap: "What it shows."\n#| fig-alt: "Two sites, \\"A\\" and B."\n#| echo: true\n'
    )
    output = {"output_type": "display_data", "metadata": {}, "data": {"image/svg+xml": svg}}
    content["cells"].append({"cell_type": "code", "metadata": {}, "execution_count": 1, "source": options + "draw(1)",
                             "outputs": [output]})  # fmt: skip
    notebook.write_text(json.dumps(content), encoding="utf-8")
    made = render.render(notebook, figures, tmp_path / "report", ["html", "pdf"], "embedded")
    page = page_of(made.files[0])
    assert captions(page) == ["Figure 1: What it shows."]
    assert page.xpath("//*[local-name()='svg']/@aria-label") == ['Two sites, "A" and B.']
    assert text_of(page.find(".//pre")) == "draw(1)"


@pytest.mark.parametrize(
    ("markdown", "named"),
    [
        ("{{< video x.mp4 >}}", "shortcode"),
        ("The rate is `{python} rate`.", "inline code"),
        ("```{python}\n1\n```", "code cell"),
        ("::: {.column-margin}\nx\n:::", "column-margin"),
        ("[x]{.fancy}", "fancy"),
        ("Bare $x^2$ here.", r"\$x\^2\$"),
        ("```{=html}\n<video src='x'></video>\n```", "raw html"),
        ("See @fig-nowhere.", "@fig-nowhere"),
        ("![a](figures/trend.svg){#fig-a}\n\n![b](figures/change.svg){#fig-a}", "@fig-a is given twice"),
        ("![a](figures/none.svg){#fig-a}", "figures/none.svg"),
        ("![](figures/trend.svg){#fig-a}", "neither fig-alt nor a caption"),
        ("Text ![a](figures/trend.svg) in a line.", "inside a line"),
        ("[@nobody2020]", "nobody2020"),
        ("::: {.callout-tip title=x}\nx\n:::", "callout-tip"),
    ],
)
def test_what_a_report_may_not_hold_is_refused_by_name(tmp_path, markdown, named):
    with pytest.raises(RenderError, match=named):
        embedded(tmp_path, FRONT + markdown + "\n", ("html",))
    assert not (tmp_path / "report" / "report.html").exists()


@pytest.mark.parametrize(
    ("source", "output", "named"),
    [
        (
            "1/0",
            {"output_type": "error", "ename": "ZeroDivisionError", "evalue": "x", "traceback": []},
            "ZeroDivisionError",
        ),
        ("print(1)", {"output_type": "stream", "name": "stdout", "text": "17"}, "printed text.*17"),
        ("x", {"output_type": "execute_result", "data": {"text/plain": "x"}, "metadata": {}}, "text/plain"),
        ("#| fig-width: 3\nx", None, "fig-width"),
        ("#| label: [", None, "cell options cannot be read"),
    ],
)
def test_what_a_cell_may_not_leave_is_refused_by_name(tmp_path, source, output, named):
    notebook, figures = write_fixture(tmp_path / "in", FRONT + "Text.\n")
    content = json.loads(notebook.read_text(encoding="utf-8"))
    content["cells"].append({"cell_type": "code", "metadata": {}, "execution_count": 1, "source": source,
                             "outputs": [output] if output else []})  # fmt: skip
    notebook.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(RenderError, match=rf"(?s)cell 3.*{named}"):
        render.render(notebook, figures, tmp_path / "report", ["html"], "embedded")


def test_a_failed_rendering_leaves_no_older_report(tmp_path):
    out = embedded(tmp_path, FRONT + "Fine.\n", ("html",))
    assert (out / "report.html").exists()
    notebook, figures = write_fixture(tmp_path / "again", FRONT + "See @fig-nowhere.\n")
    with pytest.raises(RenderError):
        render.render(notebook, figures, out, ["html"], "embedded")
    assert not (out / "report.html").exists()

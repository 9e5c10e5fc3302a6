"""The embedded renderer: one HTML file that asks nothing of any network, one tagged PDF, the same text in both."""

from __future__ import annotations

import itertools
import json
import os
import re
from pathlib import Path

import pikepdf
import pytest

from collabeval import render
from collabeval.errors import RenderError
from reading import captions, headings, html_blocks, inner_links, page_of, pdf_pages, squeezed, tables, text_of
from report_fixture import FIXTURE, write_fixture

TITLE = "Deaths have not fallen, and two hospitals have worsened"
FRONT = f'---\ntitle: "{TITLE}"\nlang: en\ndate: "2026-01-05"\n---\n\n'


def embedded(folder: Path, markdown: str | None = None, formats: tuple[str, ...] = ("html", "pdf")) -> Path:
    notebook, figures = write_fixture(folder / "in", markdown)
    render.render(notebook, figures, folder / "report", formats, "embedded")
    return folder / "report"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The fixture rendered once: the folder with report.html and report.pdf."""
    return embedded(tmp_path_factory.mktemp("report"))


@pytest.fixture
def page(report):
    return page_of(report / "report.html")


@pytest.fixture(scope="module")
def pdf(report):
    with pikepdf.open(report / "report.pdf") as opened:
        yield opened


# HTML -----------------------------------------------------------------------------------------------------------------


def test_result_names_its_files_and_what_made_them(tmp_path):
    notebook, figures = write_fixture(tmp_path / "in")
    made = render.render(notebook, figures, tmp_path / "report", ["html"], "embedded", "evaluation")
    assert made.files == (tmp_path / "report" / "evaluation.html",)
    assert made.renderer == "embedded"
    assert re.search(r"typst \d", made.version)


def test_html_loads_nothing(page, report):
    loading = page.xpath("//script | //iframe | //object | //embed | //link | //base | //img | //video | //audio")
    assert loading == []
    text = (report / "report.html").read_text(encoding="utf-8")
    assert [url for url in re.findall(r"url\(([^)]*)\)", text) if not url.startswith(("data:", "#"))] == []
    assert "@import" not in text
    hrefs = [value for value in page.xpath("//*[local-name()!='a']/@*[local-name()='href']") if value[:1] != "#"]
    assert hrefs == []
    assert page.xpath("//@src | //@srcset | //@style[contains(., 'url')]") == []


def test_html_carries_its_font(report):
    text = (report / "report.html").read_text(encoding="utf-8")
    assert text.count("@font-face") == 2
    assert 20_000 < len("".join(re.findall(r"data:font/woff2;base64,([\w+/=]+)", text))) < 60_000


def test_headings_step_down_one_at_a_time(page):
    levels = [level for level, _ in headings(page)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in itertools.pairwise(levels))
    assert (2, "Outcomes over time") in headings(page)
    assert (3, "What the table shows") in headings(page)


def test_html_has_landmarks_and_a_way_to_skip(page):
    assert [child.tag for child in page.body] == ["a", "header", "main", "footer"]
    assert page.body[0].get("href") == "#content"
    assert page.get_element_by_id("content").tag == "main"
    assert page.get("lang") == "en"
    assert text_of(page.find(".//title")) == TITLE


def test_ids_are_unique_and_links_arrive(page):
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert [target for target, _ in inner_links(page) if target[1:] not in ids] == []


def test_pictures_are_inline_and_described(page):
    drawings = page.xpath("//*[local-name()='svg']")
    assert len(drawings) == 2
    for drawing in drawings:
        assert drawing.get("role") == "img"
        assert drawing.get("aria-label")
        references = re.findall(r"url\(#([^)]+)\)", " ".join(drawing.xpath(".//@*")))
        assert set(references) <= set(drawing.xpath(".//@id"))
    assert "estimate 16" in drawings[0].text_content()


def test_references_and_captions_carry_the_same_numbers(page):
    links = inner_links(page)
    for expected in (("#fig-trend", "Figure 1"), ("#tbl-sites", "1"), ("#sec-methods", "Methods"),
                     ("#fig-change", "Figure 2"), ("#tbl-sites", "Table 1"), ("#tbl-rules", "Table 2")):  # fmt: skip
        assert expected in links
    assert captions(page) == [
        "Figure 1: Line: estimated rate. Dots: rates as recorded. Source: invented numbers (Spiegelhalter 2005).",
        "Table 1: Deaths after bypass surgery, 2017–2019",
        "Figure 2: Hollow: baseline; filled: now.",
        "Table 2: Words and their rules",
    ]


def test_tables_say_what_their_cells_are(page):
    assert tables(page)[0][1] == ["Hospital A", "1,054", "<11", "0.68", "0.39 to 1.06", "as expected", "–"]
    for cell in page.xpath("//th"):
        assert cell.get("scope") == ("col" if cell.xpath("ancestor::thead") else "row")
    assert page.xpath("//td[contains(@class, 'interval')]")
    for frame in page.xpath("//table/.. | //figure/div"):
        assert (frame.get("tabindex"), frame.get("role")) == ("0", "group")
        assert frame.get("aria-label")


def test_banner_stands_above_the_title(page):
    head = [element.get("class") or element.tag for element in page.find(".//header")]
    assert head == ["banner", "kicker", "h1", "lead"]


def test_cards_show_their_chance(page):
    assert [text_of(card) for card in page.find_class("question")] == [
        "Did it work?", "For whom?", "How sure are we?", "What did it cost?", "What should we do?"]  # fmt: skip
    assert page.xpath("//*[@class='track']/span/@style") == ["width:15.7%", "width:98.9%", "width:54.1%"]


# PDF ------------------------------------------------------------------------------------------------------------------


def structure(node):
    """Yield every structure element below `node`, depth first."""
    kids = node.get("/K", [])
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            yield kid
            yield from structure(kid)


def test_pdf_says_that_it_is_pdf_ua_1(pdf):
    assert pdf.Root.MarkInfo.Marked
    assert str(pdf.Root.Lang) == "en"
    assert pdf.Root.ViewerPreferences.DisplayDocTitle
    with pdf.open_metadata() as metadata:
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"] == TITLE


def test_pdf_is_tagged_and_its_pictures_are_described(pdf):
    elements = list(structure(pdf.Root.StructTreeRoot))
    kinds = [str(element.S) for element in elements]
    for kind in ("/H1", "/H2", "/H3", "/P", "/Table", "/TH", "/TD", "/L", "/Caption", "/Link", "/Note"):
        assert kind in kinds, kind
    described = [str(element.Alt) for element in elements if str(element.S) in ("/Figure", "/Formula")]
    assert len(described) == 3
    assert described[0].startswith("Line chart of deaths per 1,000 operations")
    assert "eta equals mu plus u" in described


def test_pdf_headings_step_down_one_at_a_time(pdf):
    kinds = [str(element.S) for element in structure(pdf.Root.StructTreeRoot)]
    levels = [int(kind[2]) for kind in kinds if re.fullmatch(r"/H\d", kind)]
    assert levels[0] == 1
    assert all(below <= above + 1 for above, below in itertools.pairwise(levels))


def test_pdf_reads_each_card_as_a_whole(report):
    first = squeezed(pdf_pages(report / "report.pdf")[0])
    order = [
        "Did it work?",
        "Chance that the rate fell",
        "For whom?",
        "Chance that hospital B worsened",
        "How sure are we?",
    ]
    places = [first.index(squeezed(text)) for text in order]
    assert places == sorted(places)


def test_pdf_has_an_outline_of_the_chapters(pdf):
    with pdf.open_outline() as outline:
        chapters = [item.title for item in outline.root[0].children]
    assert chapters == ["Outcomes over time", "Methods", "Provenance", "References"]


def test_pdf_uses_the_report_font_only(pdf):
    fonts = {str(font.BaseFont) for page in pdf.pages for font in page.resources.Font.values()}
    names = {name.split("+")[-1] for name in fonts}
    assert any("SourceSansPro-Semibold" in name for name in names)
    assert {name for name in names if not re.match(r"SourceSansPro|DejaVuSansMono|NewCMMath", name)} == set()


def test_every_page_of_a_provisional_pdf_says_so(report):
    pages = pdf_pages(report / "report.pdf")
    assert len(pages) >= 2
    assert all("Provisional: a check failed" in text for text in pages)


def test_a_complete_report_says_nothing_of_provisional(tmp_path):
    made = embedded(tmp_path, FRONT + "# One\n\nText.\n")
    assert "rovisional" not in "".join(pdf_pages(made / "report.pdf"))
    assert not page_of(made / "report.html").find_class("banner")


def test_pdf_says_all_that_the_html_says(report, page):
    said = squeezed("".join(pdf_pages(report / "report.pdf")))
    blocks = html_blocks(page)
    assert len(blocks) > 80
    assert [block for block in blocks if squeezed(block) not in said] == []


# Both -----------------------------------------------------------------------------------------------------------------


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


# Which renderer -------------------------------------------------------------------------------------------------------


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

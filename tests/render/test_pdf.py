"""The PDF: tagged, described, in the report's typeface, and with the text of the HTML."""

from __future__ import annotations

import itertools
import re

import pikepdf

from reading import html_blocks, page_of, pdf_pages, squeezed
from report_fixture import FRONT, TITLE, embedded


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

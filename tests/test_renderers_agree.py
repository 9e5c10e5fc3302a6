"""Quarto and the embedded renderer give the same report of the same notebook (needs Quarto on PATH)."""

from __future__ import annotations

import re

import pytest

from collabeval import render
from collabeval.render import quarto
from reading import captions, headings, html_blocks, inner_links, page_of, pdf_pages, references, squeezed, tables
from report_fixture import write_fixture

FOUND = quarto.describe()
pytestmark = pytest.mark.skipif(not FOUND.usable, reason=f"both renderers are needed: {FOUND.why}")


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The fixture's HTML and PDF by each renderer."""
    made = {}
    for name in ("quarto", "embedded"):
        folder = tmp_path_factory.mktemp(name)
        notebook, figures = write_fixture(folder / "in")
        result = render.render(notebook, figures, folder / "report", ["html", "pdf"], name)
        assert result.renderer == name
        made[name] = result.files
    return made


@pytest.fixture
def pages(both):
    return [page_of(files[0]) for files in both.values()]


def without_page_ranges(text: str) -> str:
    """The text with only the first page of ranges: Pandoc's versions shorten 1185–1202 differently."""
    return re.sub(r"(\d{2,})–\d+", r"\1", text)


@pytest.mark.parametrize("reading", [headings, captions, tables, inner_links])
def test_html_reads_the_same(pages, reading):
    by_quarto, by_embedded = (reading(page) for page in pages)
    assert len(by_embedded) > 1
    assert by_quarto == by_embedded


@pytest.mark.parametrize("reading", [references, html_blocks])
def test_html_says_the_same(pages, reading):
    by_quarto, by_embedded = ([without_page_ranges(text) for text in reading(page)] for page in pages)
    assert len(by_embedded) > 1
    assert by_quarto == by_embedded


def test_html_carries_the_same_pictures(pages):
    by_quarto, by_embedded = (page.xpath("//*[local-name()='svg']/@aria-label") for page in pages)
    assert by_quarto == by_embedded


def test_neither_html_loads_anything(pages):
    for page in pages:
        assert page.xpath("//script | //link | //img | //iframe") == []


def test_pdf_reads_the_same(both):
    by_quarto, by_embedded = (without_page_ranges(squeezed("".join(pdf_pages(files[1])))) for files in both.values())
    assert by_quarto == by_embedded

"""What a reader finds in a rendered report, read back from the HTML and the PDF."""

from __future__ import annotations

import re
from pathlib import Path

import pypdf
from lxml import html

BLOCKS = ["h1", "h2", "h3", "h4", "p", "li", "td", "th", "figcaption", "caption", "summary", "dt", "dd"]


def page_of(path: Path) -> html.HtmlElement:
    return html.document_fromstring(path.read_bytes().decode("utf-8"))


def text_of(element: html.HtmlElement) -> str:
    return re.sub(r"\s+", " ", element.text_content()).strip()


def headings(page: html.HtmlElement) -> list[tuple[int, str]]:
    return [(int(element.tag[1]), text_of(element)) for element in page.iter("h1", "h2", "h3", "h4", "h5", "h6")]


def tables(page: html.HtmlElement) -> list[list[list[str]]]:
    return [
        [[text_of(cell) for cell in row.iter("td", "th")] for row in table.iter("tr")] for table in page.iter("table")
    ]


def captions(page: html.HtmlElement) -> list[str]:
    return [text_of(element) for element in page.iter("figcaption", "caption")]


def inner_links(page: html.HtmlElement) -> list[tuple[str, str]]:
    """Target and text of every link to a place in the report: cross-references and citations."""
    return [(link.get("href"), text_of(link)) for link in page.xpath("//main//a[starts-with(@href, '#')]")]


def references(page: html.HtmlElement) -> list[str]:
    return [text_of(entry) for entry in page.find_class("csl-entry")]


def html_blocks(page: html.HtmlElement) -> list[str]:
    """The text of every block that a reader sees (equations and the way back from a footnote aside)."""
    for unseen in page.xpath("//math | //a[contains(@class, 'footnote-back')] | //a[@class='skip-link'] | //nav"):
        unseen.drop_tree()
    leaves = [e for e in page.iter(*BLOCKS, "text") if not any(True for _ in e.iterdescendants(*BLOCKS))]
    return [text for text in map(text_of, leaves) if text]


def pdf_pages(path: Path) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(path).pages]


def squeezed(text: str) -> str:
    """The text without white space and soft hyphens: lines break elsewhere in a PDF."""
    return re.sub(r"[\s\u00ad\u200b\u2060]+", "", text)

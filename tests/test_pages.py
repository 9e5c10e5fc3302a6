"""The pages of the PDF: tall figures leave none half empty or leave their section; the first page keeps its key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collabeval import render
from reading import pdf_pages, squeezed
from report_fixture import write_fixture

FRONT = '---\ntitle: "Pages"\nlang: en\ndate: "2026-01-05"\n---\n\n'
NOTE = '::: {.callout-note appearance="simple" icon=false title="How to read this page"}\n\nThe key.\n\n:::'


def picture(folder: Path, name: str, height: float) -> str:
    """Write a picture that is so many millimetres high where it is as wide as the text; give the Markdown for it."""
    points = height / 176 * 504
    (folder / f"{name}.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 504 {points:.1f}" width="504pt" height="{points:.1f}pt">'
        f'<rect width="504" height="{points:.1f}" fill="#EAF2F9"/></svg>'
    )
    return f'![Caption of {name}.](figures/{name}.svg){{#fig-{name} fig-alt="A box."}}'


def table(rows: int, name: str) -> str:
    lines = "\n".join(f"| Row {name}{number} | {number} |" for number in range(rows))
    return f"::: {{.wide-table}}\n\n| Site | Cases |\n|:--|--:|\n{lines}\n\n: A table {{#tbl-{name}}}\n\n:::"


def pages_of(tmp_path: Path, body: str, pictures: dict[str, float]) -> list[str]:
    """The text of each page, white space left out, of a report whose pictures are that many millimetres high."""
    drawn = tmp_path / "drawn"
    drawn.mkdir()
    for name, height in pictures.items():
        body = body.replace(f"<{name}>", picture(drawn, name, height))
    notebook, _ = write_fixture(tmp_path / "in", FRONT + body)
    render.render(notebook, drawn, tmp_path / "out", ["pdf"], "embedded")
    return [squeezed(page) for page in pdf_pages(tmp_path / "out" / "report.pdf")]


def page_with(pages: list[str], words: str) -> int:
    found = [number for number, page in enumerate(pages) if squeezed(words) in page]
    assert len(found) == 1, f"{words!r} stands on {len(found)} pages"
    return found[0]


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    """Two sections of three tall figures, each before its long table."""
    body = "\n\n".join(
        f"# Chapter {name}\n\nText of {name}.\n\n<{name}tall>\n\n<{name}half>\n\n<{name}other>\n\n{table(60, name)}"
        for name in "ab"
    )
    heights = {f"{name}{kind}": height for name in "ab" for kind, height in
               (("tall", 170), ("half", 118), ("other", 150))}  # fmt: skip
    return pages_of(tmp_path_factory.mktemp("pages"), body, heights)


def test_the_table_runs_on_around_tall_figures(sections):
    first = page_with(sections, "Text of a.")
    assert squeezed("Row a0") in sections[first], "the table begins on the page of its heading"
    assert page_with(sections, "Caption of atall.") == first
    assert len(sections) <= 7, "in line the same takes nine pages, three of them half empty"


def test_two_tall_figures_share_a_page(sections):
    assert page_with(sections, "Caption of ahalf.") == page_with(sections, "Caption of aother.")


def test_no_figure_leaves_its_section(sections):
    for name, after in (("a", "Text of b."), ("b", "")):
        for kind in ("tall", "half", "other"):
            shown = page_with(sections, f"Caption of {name}{kind}.")
            assert shown >= page_with(sections, f"Text of {name}.")
            assert not after or shown <= page_with(sections, after)
    together = "".join(sections)
    assert together.index(squeezed("Caption of aother.")) < together.index(squeezed("Text of b."))


def test_a_heading_waits_for_the_figures_of_the_section_before_it(tmp_path):
    body = f"# Chapter a\n\nText of a.\n\n<one>\n\n<two>\n\n{table(3, 'a')}\n\n# Chapter b\n\nText of b.\n"
    pages = pages_of(tmp_path, body, {"one": 150, "two": 200})
    assert page_with(pages, "Caption of two.") > page_with(pages, "Caption of one.")
    assert page_with(pages, "Text of b.") >= page_with(pages, "Caption of two.")


def test_text_goes_before_a_figure_that_would_leave_its_page_half_empty(tmp_path):
    body = "# Chapter a\n\n<one>\n\nBefore it.\n\n<two>\n\nAfter it.\n\n# Chapter b\n\nText of b.\n"
    pages = pages_of(tmp_path, body, {"one": 120, "two": 200})
    assert page_with(pages, "After it.") == page_with(pages, "Caption of one.") == 0
    assert page_with(pages, "Caption of two.") == page_with(pages, "Text of b.") == 1


def test_a_part_goes_before_a_figure_of_its_chapter_with_all_that_it_says(tmp_path):
    body = "# Chapter a\n\n<one>\n\n<two>\n\n## A part\n\nText of the part.\n\n# Chapter b\n\nText of b.\n"
    pages = pages_of(tmp_path, body, {"one": 120, "two": 200})
    assert page_with(pages, "A part") == page_with(pages, "Text of the part.") == page_with(pages, "Caption of one.")
    assert page_with(pages, "Caption of two.") == page_with(pages, "Chapter b") == 1


def test_a_heading_stays_with_the_figure_that_it_announces(tmp_path):
    body = "# Chapter a\n\n<one>\n\n<two>\n\n## A part\n\n<three>\n"
    pages = pages_of(tmp_path, body, {"one": 120, "two": 200, "three": 30})
    assert page_with(pages, "A part") == page_with(pages, "Caption of three.") == page_with(pages, "Caption of two.")


@pytest.mark.parametrize(("one", "two"), [(60, 145), (110, 100)])  # by itself; with the figure before it
def test_a_figure_that_nearly_fits_is_made_smaller_and_stays_with_its_text(tmp_path, one, two):
    body = "# Chapter a\n\n<one>\n\nWhat the second shows.\n\n<two>\n\nAfter it.\n"
    pages = pages_of(tmp_path, body, {"one": one, "two": two})
    assert page_with(pages, "Caption of two.") == page_with(pages, "What the second shows.") == 0


def test_figures_stand_in_the_order_of_their_numbers(sections):
    numbers = [int(number) for number in re.findall(r"Figure(\d):Captionof", "".join(sections))]
    assert numbers == sorted(numbers)
    assert len(numbers) == 6


@pytest.mark.parametrize("height", [100, 200, 240])  # the last does not fit in its full size
def test_the_figure_of_the_first_page_makes_room_for_its_key(tmp_path, height):
    body = f"Lead in.\n\n<first>\n\n{NOTE}\n\n# Chapter\n\nText.\n"
    pages = pages_of(tmp_path, body, {"first": height})
    assert page_with(pages, "Caption of first.") == page_with(pages, "The key.") == 0


def test_a_list_goes_on_numbering_in_one_look(tmp_path):
    notebook, figures = write_fixture(tmp_path / "in", FRONT + "# One\n\n1. First\n2. Second\n\n# Two\n\n3. Third\n")
    render.render(notebook, figures, tmp_path / "out", ["pdf"], "embedded")
    source = (tmp_path / "out" / "source" / "report.typ").read_text(encoding="utf-8")
    assert "#set enum(start: 3)" in source
    assert 'numbering: "1."' not in source
    assert squeezed("3. Third") in squeezed("".join(pdf_pages(tmp_path / "out" / "report.pdf")))

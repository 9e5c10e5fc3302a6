"""The HTML: one file that asks nothing of any network, and that everybody can find their way in."""

from __future__ import annotations

import itertools
import re

from reading import captions, headings, inner_links, tables, text_of
from report_fixture import TITLE


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

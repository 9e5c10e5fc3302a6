"""Tables are Pandoc tables that say exactly what their cells say; equations exist in both notations with words."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pandas as pd
import pypandoc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collabeval import equations as eq
from collabeval import tables

TABLE = pd.DataFrame({"Hospital": ["A|B", "The *Mary*"], "Deaths": ["<11", "12"], "Chance": ["–", ">99 in 100"]})


def html(markdown: str) -> str:
    return pypandoc.convert_text(markdown, "html", format="markdown", extra_args=["--wrap=none"])


def test_numbers_stand_right_and_words_left():
    header = tables.pipe_table(TABLE, right=["Deaths"]).splitlines()[1]
    left, right, _ = header.strip("|").split("|")
    assert left.startswith(":-")
    assert right.endswith("-:")
    assert not right.startswith(":")


def test_cells_read_as_they_are_written():
    shown = html(tables.pipe_table(TABLE, right=["Deaths"]))
    assert shown.count("<tr") == 3
    for cell in ("A|B", "The *Mary*", "&lt;11", "&gt;99 in 100", "–"):
        assert f">{cell}</td>" in shown


def test_rows_that_stand_out_are_bold_and_no_others():
    shown = html(tables.pipe_table(TABLE, bold=[False, True]))
    assert shown.count("<strong>") == 3
    assert "<strong>12</strong>" in shown
    assert "<strong>&lt;11" not in shown


def test_a_caption_carries_the_name_to_refer_to():
    assert tables.pipe_table(TABLE, "Deaths, 2019", "sites").endswith("\n\n: Deaths, 2019 {#tbl-sites}")
    assert ": " not in tables.pipe_table(TABLE).splitlines()[-1][:2]


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp", "Zs"), max_codepoint=0x2FF), max_size=30))
def test_any_text_stays_what_it_is(text):
    source = f"x{tables.escaped(text)}x"
    read = pypandoc.convert_text(source, "plain", format="markdown-smart", extra_args=["--wrap=none"])
    assert read.rstrip("\n") == f"x{text}x"


def test_a_line_break_cannot_end_a_table():
    assert "\n" not in tables.cell("two\nlines")


@pytest.fixture
def block() -> str:
    rate = eq.below(eq.symbol("p"), eq.join(eq.symbol("j"), eq.symbol("t")))
    formula = eq.join(
        eq.word("logit"), eq.SPACE, rate, "=", eq.symbol("η", "eta"), "(", eq.averaged(eq.symbol("t")), ")"
    )
    return eq.block(eq.join(formula, "~", eq.over(rate, eq.root(rate))), 'the logit of "p" is eta')


def test_an_equation_is_mathml_with_words(block):
    math = block.split("```{=html}\n")[1].split("\n```")[0]
    element = ElementTree.fromstring(math)
    assert element.tag.endswith("math")
    assert element.get("alttext") == "the logit of 'p' is eta"
    assert {"msub", "mover", "mfrac", "msqrt"} <= {part.tag.split("}")[1] for part in element.iter()}


def test_an_equation_is_typst_with_words_and_compiles(block):
    import typst

    source = block.split("```{=typst}\n")[1].split("\n```")[0]
    assert "alt: \"the logit of 'p' is eta\"" in source
    assert typst.compile(source.encode(), format="svg")


def test_there_is_no_bare_dollar_outside_raw_blocks(block):
    outside = block.split("```")[0] + block.split("```")[2]
    assert "$" not in outside

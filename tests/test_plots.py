"""Figures as files: no words cut or overlapping, the same bytes for a table, nothing from or into other figures."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont

import plot_tables as tables
from collabeval import plots
from collabeval.plots import lettering, page
from collabeval.plots.style import families
from plot_cases import CASES, RATIO, TEXT, Placed, caterpillar, every_case, indicators, placed, words_of


@every_case
def test_words_stay_on_the_page_and_apart_and_the_svg_repeats(draw: Callable[[], Figure]) -> None:
    figure = draw()
    assert figure.get_figwidth() == page.WIDTH
    assert figure.get_figheight() <= page.MAX_HEIGHT + 1e-9
    texts = placed(figure)
    assert_on_the_page(figure, texts)
    assert_apart(texts)
    assert plots.svg(figure) == plots.svg(draw())
    assert_whole(figure)


def assert_on_the_page(figure: Figure, texts: list[Placed]) -> None:
    """Each text is inside, even where the viewer's typeface runs wider by the slack."""
    for words, left, right, low, high, side in texts:
        wider = (1 / lettering.SLACK - 1) * (right - left)
        assert left - wider * {"left": 0, "center": 0.5, "right": 1}[side] >= -0.001, words
        assert right + wider * {"left": 1, "center": 0.5, "right": 0}[side] <= figure.get_figwidth() + 0.001, words
        assert low >= 0, words
        assert high <= figure.get_figheight(), words


def assert_apart(texts: list[Placed]) -> None:
    ink = 0.012  # the box of a line holds a little more than its letters
    for count, (words, left, right, low, high, _) in enumerate(texts):
        for other, a, b, c, d, _ in texts[count + 1 :]:
            apart = right <= a or b <= left or high - ink <= c or d - ink <= low
            assert apart, f"{words!r} and {other!r}"


def assert_whole(figure: Figure) -> None:
    """The SVG is well formed, shows the figure's words and nothing else as text, and no number that is none."""
    svg = plots.svg(figure)
    shown = [element.text for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert sorted(filter(None, shown)) == sorted(line for words in words_of(figure) for line in words.split("\n"))
    assert not re.search(r"\bnan\b|\binf\b", svg, flags=re.IGNORECASE)
    assert "<style" not in svg
    assert "date" not in svg


def test_different_tables_give_different_pictures() -> None:
    assert plots.svg(caterpillar(12)) != plots.svg(plots.caterpillar(tables.level_rows(12, seed=2), TEXT, RATIO))


def test_two_figures_in_one_page_share_no_id() -> None:
    ids = [
        re.findall(r' id="([^"]+)"', plots.svg(draw())) for draw in (CASES["caterpillar of 12"], CASES["funnel of 37"])
    ]
    assert ids[0]
    assert ids[1]
    assert not set(ids[0]) & set(ids[1])
    assert len(set(ids[0])) == len(ids[0])


def test_every_reference_in_an_svg_is_met() -> None:
    svg = plots.svg(CASES["funnel of 37"]())
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', svg)) == set(re.findall(r' id="([^"]+)"', svg))


def test_saving_to_a_path_and_to_a_buffer_is_the_same(tmp_path: Path) -> None:
    figure = caterpillar(3)
    plots.save_svg(figure, tmp_path / "a.svg")
    with (tmp_path / "b.svg").open("w", encoding="utf-8", newline="") as buffer:
        plots.save_svg(figure, buffer)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_settings_of_the_caller_neither_leak_in_nor_out() -> None:
    plain = plots.svg(caterpillar(3))
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "lines.solid_joinstyle": "bevel"}):
        before = dict(matplotlib.rcParams)
        assert plots.svg(caterpillar(3)) == plain
        assert dict(matplotlib.rcParams) == before


def test_pyplot_is_not_imported() -> None:
    code = "import sys, collabeval.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_words_are_set_in_the_typeface_of_the_report() -> None:
    assert families()[0] == "Source Sans Pro"
    for weight, file in zip((400, 600), plots.font_files(), strict=True):
        assert Path(findfont(FontProperties(family=list(families()), weight=weight))).samefile(file)


def test_a_name_is_text_whatever_stands_in_it() -> None:
    name = "A & <B> $x_1$"
    assert name in {text.text for text in ElementTree.fromstring(plots.svg(caterpillar(1, label=name))).iter()}


def test_a_figure_stands_in_a_pdf_in_its_own_typeface(tmp_path: Path) -> None:
    typst = pytest.importorskip("typst")
    pikepdf = pytest.importorskip("pikepdf")
    plots.save_svg(caterpillar(12), tmp_path / "figure.svg")
    (tmp_path / "page.typ").write_text('#image("figure.svg", width: 7in, alt: "x")', encoding="utf-8")
    folder = str(plots.font_files()[0].parent)
    (tmp_path / "page.pdf").write_bytes(typst.compile(str(tmp_path / "page.typ"), font_paths=[folder]))
    with pikepdf.open(tmp_path / "page.pdf") as pdf:
        fonts = {str(o["/BaseFont"]) for o in pdf.objects if isinstance(o, pikepdf.Dictionary) and "/BaseFont" in o}
    assert any("SourceSansPro-Semibold" in font for font in fonts)
    assert any("SourceSansPro-Regular" in font for font in fonts)


def test_more_indicators_than_fit_are_refused_and_every_further_unit_takes_room() -> None:
    assert plots.fit_on_a_page(["%"] * 17)
    assert not plots.fit_on_a_page(["%"] * 18)
    assert not plots.fit_on_a_page(["%"] * 14 + ["days", "minutes", "raters"])
    with pytest.raises(ValueError, match="what fits on a page"):
        indicators(18, ("%",))

"""The figure of docs/benchmarks.md: seconds to the same goal on a logarithmic axis, a row for each case and engine."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.engines_aims import GENERAL
from collabeval.plots.page import MARGIN, WIDTH, Page, open_page
from collabeval.plots.style import ACCENT, GRID, INK, MARK, SEMIBOLD, TEXT2, FigureText, styled
from collabeval.statements.numbers import listed

ROW, GAP = 0.19, 0.30  # inches
LEFT, RIGHT = 2.35, WIDTH - 1.2  # of the axis
NAMES = {"laplace": "laplace", "nuts": "nuts (nutpie)", "stan": "Stan", "pymc": "PyMC's own NUTS", "bambi": "bambi"}


@styled
def draw(result: dict[str, Any]) -> Figure:
    """A filled mark is the median of warm runs, a ring the cold one, a line with an open end a goal not reached."""
    groups = [(about, [row for row in result["summaries"] if row["case"] == case])
              for case, about in result["cases"].items()]  # fmt: skip
    groups = [(about, rows) for about, rows in groups if rows]
    height = sum(GAP + ROW * len(rows) for _, rows in groups)
    text = FigureText(
        title=_title(groups),
        subtitle=f"Seconds from start to draws on disk, every reported quantity with {result['goal']:,} effective "
        "draws. Logarithmic axis.",
        note="Filled: median of warm runs. Ring: nothing compiled. ‘more than’: short of it. Compare within a case.",
    )
    page = open_page(text, height, above=0.05)
    seconds = [row[key] for _, rows in groups for row in rows for key in ("seconds", "cold", "longest") if row[key]]
    low, high = np.floor(np.log10(min(seconds))), np.ceil(np.log10(max(seconds)))

    def x(value: float) -> float:
        return LEFT + (RIGHT - LEFT) * (np.log10(value) - low) / (high - low)

    for power in np.arange(low, high + 1):
        page.line([x(10**power)] * 2, [0, height], color=GRID)
        page.write(x(10**power), -0.12, f"{10**power:,g} s", ha="center", color=TEXT2)
    y = height
    for about, rows in groups:
        y -= GAP - ROW / 2
        page.write(MARGIN, y, f"{about['words'][0].upper()}{about['words'][1:]}, {about['size']}", fontweight=SEMIBOLD)
        for row in rows:
            y -= ROW
            _row(page, row, y, x)
        y -= ROW / 2
    return page.figure


@styled
def draw_growth(rows: list[dict[str, Any]]) -> Figure:
    """Processor seconds and memory of the fast engine as sites, periods and measures double; both axes logarithmic."""
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    remembered = all(row["memory"] is not None for row in rows)
    also = " (upper line) and memory (lower)" if remembered else ""
    text = FigureText(
        title="What the fast engine takes as data grow",
        subtitle=f"Processor seconds from start to draws on disk{also}, logarithmic.",
        note="Grey: in proportion to size, from the first point on. Below some size starting Python is most of it.",
    )
    height, low = (2.6, 1.45) if remembered else (1.6, 0.3)
    wide = (WIDTH - 2 * MARGIN) / len(kinds)
    page = open_page(text, height, above=0.05)
    for place, kind in enumerate(kinds):
        mine = sorted((row for row in rows if row["kind"] == kind), key=lambda row: row["number"])
        left, right = MARGIN + place * wide + 0.45, MARGIN + (place + 1) * wide - 0.5
        page.write(left, height - 0.02, f"Number of {kind}", fontweight=SEMIBOLD)
        _curve(page, mine, "processor", "s", (left, right), (low, height - 0.3))
        if remembered:
            _curve(page, mine, "memory", "MiB", (left, right), (0.3, 1.1))
    return page.figure


def _curve(
    page: Page, rows: list[dict[str, Any]], name: str, unit: str, across: tuple[float, float], up: tuple[float, float]
) -> None:
    """One line in its own box of inches, with a line in proportion to size beside it."""
    number = np.log([row["number"] for row in rows])
    share = (number - number[0]) / max(number[-1] - number[0], 1e-9)
    values = np.log([row[name] for row in rows])
    proportion = values[0] + number - number[0]
    low, high = min(values.min(), proportion.min()), max(values.max(), proportion.max())

    def y(value: np.ndarray) -> np.ndarray:
        return up[0] + (up[1] - up[0]) * (value - low) / max(high - low, 1e-9)

    x = across[0] + (across[1] - across[0]) * share
    page.line(x, y(proportion), color=GRID, lw=1.2)
    page.line(x, y(values), color=ACCENT, marker="o", ms=4, mfc=ACCENT, mec=ACCENT)
    for place, row in zip(x, rows, strict=True):
        page.write(place, up[0] - 0.16, f"{row['number']:,}", ha="center", color=TEXT2)
    for place in (0, -1):
        page.write(x[place], y(values)[place] + 0.1, f"{_three(rows[place][name])} {unit}", ha="center", color=INK)


def _row(page: Page, row: dict[str, Any], y: float, x: Any) -> None:
    own = row["engine"] == "laplace"
    colour = ACCENT if own else MARK
    page.write(MARGIN + 0.12, y, NAMES[row["engine"]], color=INK if own else TEXT2)
    ends = []
    if row["cold"]:
        page.line([x(row["cold"])], [y], marker="o", ms=4.5, mfc="white", mec=colour, mew=0.9, ls="")
        ends.append(row["cold"])
    if row["seconds"] is None:
        page.write(x(max([row["longest"], *ends])) + 0.08, y, f"more than {row['longest']:,.0f} s", color=TEXT2)
        page.line([LEFT, x(row["longest"])], [y, y], color=colour, lw=0.7, ls=(0, (2, 2)))
        return
    page.line([x(row["seconds"])], [y], marker="o", ms=5, mfc=colour, mec=colour, ls="")
    ratio = "" if own or not row["wall_ratio"] else f"  × {row['wall_ratio']:,.0f}" if row["wall_ratio"] >= 10 else \
        f"  × {row['wall_ratio']:.1f}"  # fmt: skip
    page.write(x(max([row["seconds"], *ends])) + 0.08, y, f"{_three(row['seconds'])} s{ratio}", color=TEXT2)


def _three(value: float) -> str:
    """Three digits, or all before the point where they are more."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _title(groups: list[tuple[dict[str, Any], list[dict[str, Any]]]]) -> str:
    """The least and the most that the fast engine is ahead of Stan, PyMC and bambi, those that reached the goal."""
    found = [row for _, rows in groups for row in rows if row["engine"] in GENERAL and row["wall_ratio"]]
    if not found:
        return "Seconds to the same precision"
    ratios, engines = [row["wall_ratio"] for row in found], dict.fromkeys(row["engine"] for row in found)
    names, take = listed([NAMES[engine].split("'")[0] for engine in engines]), "takes" if len(engines) == 1 else "take"
    return f"{names} {take} {min(ratios):,.1f} to {max(ratios):,.1f} times as long as laplace"

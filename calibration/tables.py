"""Tables of the pages in docs/, and filling a page's text with numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from string import Template

import pandas as pd

TEXT = Path(__file__).parent / "text"


def table_of(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f}" if whole else "–"


def p_value(value: float) -> str:
    """A p-value with three decimals."""
    return f"{value:.3f}" if value >= 0.001 else "<0.001"


def listed(numbers: Sequence[float]) -> str:
    return ", ".join(f"{number:g}" for number in numbers[:-1]) + f" or {numbers[-1]:g}"


def scenarios(frame: pd.DataFrame, cell: Callable[[pd.DataFrame], str]) -> list[list[str]]:
    """A row per volume, a column per spread."""
    spreads = sorted(frame["spread"].unique())
    return [
        [str(volume), *(cell(part[part["spread"] == spread]) for spread in spreads)]
        for volume, part in frame.groupby("volume")
    ]


def spread_heads(frame: pd.DataFrame) -> list[str]:
    return [f"τ = {spread:g}" for spread in sorted(frame["spread"].unique())]


def filled(name: str, numbers: dict[str, str], docs: Path) -> None:
    text = Template((TEXT / name).read_text(encoding="utf-8")).substitute(numbers)
    (docs / name).write_text(text, encoding="utf-8", newline="\n")

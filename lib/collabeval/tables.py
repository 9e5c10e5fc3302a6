"""Tables as Markdown that both renderers read: pipe tables with alignment, bold rows, a caption and a name."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from tabulate import tabulate


def pipe_table(
    table: pd.DataFrame,
    caption: str = "",
    name: str = "",
    bold: Sequence[bool] | None = None,
    right: Sequence[str] = (),
) -> str:
    """A pipe table of texts.

    Parameters
    ----------
    table : cells as they are to be read; column names are the header.
    caption, name : `name` makes the table one to refer to (`@tbl-name`).
    bold : which rows stand out; right : columns of numbers, aligned at the right.
    """
    rows = [[cell(value) for value in row] for row in table.itertuples(index=False)]
    for number, strong in enumerate(bold if bold is not None else [False] * len(rows)):
        if strong:
            rows[number] = [f"**{value}**" if value else "" for value in rows[number]]
    align = ["right" if column in right else "left" for column in table.columns]
    text = tabulate(rows, [cell(column) for column in table.columns], "pipe", colalign=align, disable_numparse=True)
    if not caption:
        return text
    return f"{text}\n\n: {caption}" + (f" {{#tbl-{name}}}" if name else "")


def wide(markdown: str) -> str:
    """The same table in a block that may use the full column and scrolls sideways on a phone."""
    return f"::: {{.wide-table}}\n\n{markdown}\n\n:::"


def cell(value: object) -> str:
    """One cell's text, safe inside a pipe table: no bar, no line break; markup characters stay what they are."""
    return escaped(" ".join(str(value).split("\n")))


def escaped(text: str) -> str:
    """Text from data (names, labels) as Markdown reads it literally."""
    for mark in "\\`*_{}[]<>|#~^$@":
        text = text.replace(mark, f"\\{mark}")
    return text

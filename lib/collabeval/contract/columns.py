"""Columns that several tables share: sites, periods, numbers, and the key no two rows may have in common."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from difflib import get_close_matches

import pandas as pd

from collabeval import periods as period_texts
from collabeval.contract.header import EXAMPLE, Breach, Stack
from collabeval.contract.numbers import some_of
from collabeval.params import Params

TOTALS = {"total", "totals", "all", "sum", "overall", "all sites", "mean", "average"}


def read_sites(stack: Stack, known: Sequence[str] | None, found: list[Breach], column: str = "site") -> pd.Series:
    """The codes of sites; `known` is None where they cannot be checked."""
    codes, codes_known = stack.rows[column], set(known or ())
    for index, code in codes.items():
        if code == EXAMPLE:
            found.append((index, column, "is the example row of the template", "delete this row"))
        elif not code:
            found.append((index, column, "is empty", f"every row needs the code of its {column}"))
        elif known is not None and code not in codes_known:
            found.append((index, column, "is not in the table of sites", advice_on_site(code, known)))
    return codes


def advice_on_site(code: str, known: Sequence[str]) -> str:
    stripped = {other.lstrip("0"): other for other in known}
    if code.lstrip("0") in stripped:
        return f"is it {stripped[code.lstrip('0')]!r}? Excel drops leading zeros: format the column as Text"
    if code.lower() in TOTALS:
        return "take rows with totals out"
    same = [other for other in known if other.lower() == code.lower()] or get_close_matches(
        code, known, n=1, cutoff=0.7
    )
    return f"did you mean {same[0]!r}?" if same else "add the site to that table, or mend the code"


def read_periods(stack: Stack, params: Params, found: list[Breach]) -> pd.Series:
    """Periods of the length that params declare, as labels; "" where there are none."""
    texts = stack.rows.get("period", pd.Series("", index=stack.rows.index))
    length = params.periods.length
    if length == "none":
        first = next((index for index, text in texts.items() if text), None)
        if first is not None:
            fix = "set periods.length in the params file (month, quarter, half or year), or take the column out"
            found.append((first, "period", "there are periods, but `periods.length` is none", fix))
        return pd.Series("", index=texts.index)
    labels: dict[str, str] = {}
    refused: dict[str, tuple[str, str]] = {}
    for text in texts.unique():
        try:
            labels[text] = period_texts.parse(text, length, params.periods.year_starts).label
        except period_texts.PeriodError as error:
            refused[text] = (error.what if text else "is empty", error.fix)
    found += [(index, "period", *refused[text]) for index, text in texts.items() if text in refused]
    otherwise = [f"{text!r} was read as {label}" for text, label in labels.items() if text != label]
    if otherwise:
        stack.log.append(f"{stack.table}, column period: {some_of(otherwise)}")
    return texts.map(lambda text: labels.get(text, ""))


def duplicates(stack: Stack, rows: pd.DataFrame, key: Sequence[str]) -> list[Breach]:
    """Rows whose key another row has already; a part of the key that is empty everywhere is not spoken of."""
    first: dict[tuple[str, ...], Hashable] = {}
    found: list[Breach] = []
    spoken = [name for name in key if rows[name].astype(str).ne("").any()]
    named = f"{', '.join(spoken[:-1])} and {spoken[-1]}" if len(spoken) > 1 else "".join(spoken)
    for index, *values in rows[list(key)].itertuples(name=None):
        earlier = first.setdefault(tuple(values), index)
        if earlier != index:
            file, row = stack.places[earlier]
            here = "" if file == stack.places[index][0] else f" of {file}"
            found.append((index, spoken[0], f"the same {named} as row {row}{here}", "keep one of the two rows"))
    return found

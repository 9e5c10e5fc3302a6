"""The part of the chapter on value that says what the collecting of data takes, by site."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from collabeval.sections import value_pictures as pictures
from collabeval.sections.report import Report, blocks, text
from collabeval.statements import burden as burden_words
from collabeval.statements import numbers, phrases
from collabeval.statements.burden import Burden

WORD = "Word"


def collecting(report: Report, burdens: tuple[Burden, ...], told: tuple[Burden, ...]) -> str:
    """Hours and cost per case: what they are (but for those told above), all sites, their table."""
    if not burdens:
        return ""
    shown = [found for found in burdens if len(found.sites)]
    notes = [burden_words.notes(found, report.lead.nouns) for found in burdens if not len(found.sites)]
    said = [burden_words.finding(report.published, found) for found in burdens if found not in told]
    return blocks(
        "## Burden of collecting data",
        text(" ".join(filter(None, [*said, *notes]))),
        pictures.burden(report, shown[0]) if shown else "",
        *[_burden_table(report, group) for group in _tables(shown)],
    )


def _tables(burdens: list[Burden]) -> list[list[Burden]]:
    """One table of hours and cost, two where cost too has a benchmark: they would not fit side by side."""
    together = len(burdens) < 2 or burdens[-1].benchmark is None
    return [burdens] if together and burdens else [[found] for found in burdens]


def _burden_table(report: Report, burdens: list[Burden]) -> str:
    """A row for each site in the order of the figure."""
    first = burdens[0].sites
    order = list(first["site"]) + [site for site in burdens[-1].sites["site"] if site not in set(first["site"])]
    cells: dict[str, list[str]] = {numbers.capital(report.lead.nouns[0]): order}
    for found in burdens:
        cells |= {
            name: list(column.reindex(order).fillna(numbers.NOT_ESTIMATED))
            for name, column in _cells(found, found is burdens[0])
        }
    above = first.set_index("site")["word"].eq("worse").reindex(order, fill_value=False)
    what = " and ".join(numbers.capital(found.what) if found is burdens[0] else found.what for found in burdens)
    caption = f"{what} of collecting data{phrases.in_period(burdens[0].period)}, by {report.lead.nouns[0]}"
    words = {WORD, next(iter(cells)), *map(_against, burdens)}
    right = [name for name in cells if name not in words]
    return report.table(f"value-burden-{burdens[0].what}", pd.DataFrame(cells), caption, list(above), right=right)


def _cells(found: Burden, main: bool) -> Iterator[tuple[str, pd.Series]]:
    """Columns of the table by their headings, each by site; the change of the main one only, since they move alike."""
    sites, per = found.sites.set_index("site"), numbers.capital(found.what)
    values = [found.written(value) if value == value else numbers.NOT_ESTIMATED for value in sites["q50"]]
    yield f"{per} a case", pd.Series(values, sites.index)
    spans = [found.span(low, high) for low, high in zip(sites["q025"], sites["q975"], strict=True)]
    yield "95% interval" if main else "Its interval", pd.Series(spans, sites.index)
    if found.benchmark is not None:
        rows = zip(sites["word"], sites["chance"], sites["hidden"], strict=True)
        yield _against(found), pd.Series([burden_words.against(*row) for row in rows], sites.index)
    if main and sites["change_q975"].notna().any():
        changes = [burden_words.change(found, row) for _, row in sites.iterrows()]
        yield "Since last year", pd.Series(changes, sites.index)
        rows = zip(sites["change"], sites["change_chance"], sites["hidden"], strict=True)
        yield WORD, pd.Series([burden_words.changed(*row) for row in rows], sites.index)


def _against(found: Burden) -> str:
    return f"Benchmark of {found.written(found.benchmark or 0.0)}"

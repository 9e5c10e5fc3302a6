"""Composites, a part of the chapter on site performance: several measures together."""

from __future__ import annotations

import math

import pandas as pd

from collabeval import plots
from collabeval.params import Composite
from collabeval.plots import Axis
from collabeval.sections.pictures import QUANTILES, tag_of
from collabeval.sections.report import Report, blocks, callout, figure_text, slugged, text
from collabeval.statements import composites as say
from collabeval.statements import numbers, phrases
from collabeval.statements import words as slugs
from collabeval.statements.facts import Named


def composites(report: Report) -> str:
    """Every composite: who stands out, of what it is made, all sites; and how measures hang together; "" without."""
    found = report.published.composites
    if found is None:
        return ""
    params = report.published.params
    parts = [_composite(report, name, one) for name, one in params.composites.items()]
    together = text(say.correlation(params, found.correlations, report.lead.nouns)) if len(found.correlations) else ""
    return blocks("## Measures together", together, *parts)


def _composite(report: Report, name: str, composite: Composite) -> str:
    found, params, nouns = report.published.composites, report.published.params, report.lead.nouns
    assert found is not None
    tables = [table[table["composite"].eq(name)] for table in (found.statements, found.parts, found.estimates)]
    statements, parts, estimates = tables
    heading = f"### {text(composite.label)}" if len(params.composites) > 1 else ""
    made = text(say.made_of(params, composite, parts))
    if estimates.empty:
        return blocks(heading, made, text(f"No {nouns[0]} has data enough in all of its measures."))
    rows = _rows(estimates, statements)
    words = say.figure(composite, statements, nouns, params.data.note)
    axis = Axis(kind="value", reference=0.0, reference_label="average", ends=("best", "worst"))
    drawn = plots.caterpillar(rows, figure_text(words, nouns[1]), axis)
    return blocks(
        heading,
        callout("important", "Key message", text(say.finding(composite, statements, nouns))),
        made,
        report.figure(f"composite-{slugged(name)}", words, drawn),
        _table(report, name, composite, rows, estimates),
    )


def _rows(estimates: pd.DataFrame, statements: pd.DataFrame) -> pd.DataFrame:
    """One row per site, best first, as `plots.caterpillar` takes them."""
    rows = estimates[estimates["estimand"].eq("advantage")][["site", "hidden", *QUANTILES]]
    rows = rows.merge(statements[["site", "statement", "probability"]], on="site")
    named = [Named(*row) for row in rows[["site", "statement", "probability", "hidden"]].itertuples(index=False)]
    chances = ["" if math.isnan(site.chance) else phrases.chance_of(site) for site in named]
    rows = rows.assign(
        label=rows["site"],
        word=rows["statement"],
        tag=[tag_of("level", word, chance) for word, chance in zip(rows["statement"], chances, strict=True)],
        chance=[c if word in slugs.REMARKABLE else "" for word, c in zip(rows["statement"], chances, strict=True)],
    )
    rows = rows.assign(place=rows["q50"].fillna((rows["q025"] + rows["q975"]) / 2))
    return rows.sort_values(["place", "label"], ascending=[False, True]).reset_index(drop=True)


def _table(report: Report, name: str, composite: Composite, rows: pd.DataFrame, estimates: pd.DataFrame) -> str:
    wide = estimates.pivot(index="site", columns="estimand", values="q50").reindex(rows["label"])
    opportunity = composite.method == "opportunity"
    places = 1 if opportunity else 2
    table = pd.DataFrame({numbers.capital(report.lead.nouns[0]): list(rows["label"])})
    if opportunity:
        table["Score (%)"] = [numbers.decimal(value, 1) for value in wide["composite"]]
    table["Better than average by"] = [numbers.signed(value, places) for value in rows["q50"]]
    ends = zip(rows["q025"], rows["q975"], rows["hidden"], strict=True)
    table["95% interval"] = [
        numbers.coarse_interval(low, high) if hidden else numbers.interval(low, high, places, sign=True)
        for low, high, hidden in ends
    ]
    table["Signal"] = [
        numbers.percent(value) if value == value else numbers.NOT_ESTIMATED for value in wide["reliability"]
    ]
    table["Word"] = [slugs.word("level", word) for word in rows["word"]]
    table["Chance"] = [chance or numbers.NOT_ESTIMATED for chance in rows["chance"]]
    unit = "percentage points" if opportunity else "standard deviations between sites"
    caption = f"{composite.label}: how much better than average, in {unit}; signal: share that is no chance"
    bold = [word in slugs.REMARKABLE for word in rows["word"]]
    right = [heading for heading in table.columns[1:] if heading != "Word"]
    return report.table(f"composite-{slugged(name)}", table, caption, bold, right=right)

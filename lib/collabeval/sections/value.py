"""Burden and value: what the programme and its data cost, what the events it avoided were worth, how sure that is."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from collabeval.sections import indicators
from collabeval.sections import value_pictures as pictures
from collabeval.sections.narrative import narrated
from collabeval.sections.report import Missing, Report, Section, blocks, callout, text
from collabeval.statements import burden as burden_words
from collabeval.statements import numbers, phrases, value_facts, value_figures
from collabeval.statements import value as say
from collabeval.statements.burden import Burden
from collabeval.statements.facts import Estimate
from collabeval.statements.money import money, money_interval
from collabeval.statements.value_advice import improvements
from collabeval.statements.value_facts import Events, Worth

TITLE = "Burden and value"
MOST_ITEMS = 12
FEATURE = "burden"  # of indicators
WORD = "Word"
SMALL = 0.0005  # of the sum of all costs: less makes no difference to what is shown


def missing(report: Report) -> Missing | None:
    """Why the chapter is left out, if it is."""
    published = report.published
    if published.params.value is None and "costs" in published.params.data.further and not _told(report):
        return Missing(TITLE, "what the costs are counted in is not declared", "a block `value` in the params file")
    if _has_worth(value_facts.gather(published)) or _told(report):
        return None
    return Missing(TITLE, "no hours and no costs", "tables of burden and costs (burden.csv, costs.csv)")


@narrated("value")
def burden_and_value(report: Report) -> Section | Missing:
    """The chapter: finding, what went in and out, acceptability, sensitivity, costs, burden, what would improve it."""
    left_out = missing(report)
    if left_out is not None:
        return left_out
    worth, burdens = value_facts.gather(report.published), _burdens(report)
    worth = worth if _has_worth(worth) else None
    first = [say.finding(report.published, worth)] if worth else []
    first += [burden_words.finding(report.published, each) for each in burdens[:1]]
    return Section(
        blocks(
            f"# {TITLE} {{#sec-value}}",
            callout("important", "Key message", text(first[0])) if first else "",
            _worth(report, worth) if worth else "",
            _collecting(report, burdens, () if worth else burdens[:1]),
            _improve(report, worth, burdens) if first else "",
            indicators.added(report, FEATURE, (FEATURE,), FEATURE),
        )
    )


def _told(report: Report) -> bool:
    """Whether something is known of the collecting of data: hours by site, or indicators."""
    return bool(_burdens(report)) or indicators.there(report, (FEATURE,))


def _has_worth(worth: Worth | None) -> bool:
    return worth is not None and (math.isfinite(worth.cost) or bool(worth.valued) or bool(worth.told))


def _burdens(report: Report) -> tuple[Burden, ...]:
    found = (burden_words.gather(report.published, what) for what in ("hours", "cost"))
    return tuple(each for each in found if each is not None)


def _worth(report: Report, worth: Worth) -> str:
    said = [say.returns(worth), *[say.break_even(worth, each) for each in worth.valued]]
    said += [say.told(each) for each in worth.told]
    valued, figure = bool(worth.valued), pictures.main(report, worth)
    return blocks(
        f"## {text(value_figures.heading(worth))}" if valued else "",
        figure,
        text(" ".join(filter(None, said))),
        _sums(report, worth) if valued else "",
        _costs(report, worth, explained=bool(figure)),
        _depends(report, worth),
    )


def _depends(report: Report, worth: Worth) -> str:
    """What the result depends on: on what an event may cost, and on each input by itself."""
    figures = [pictures.curve(report, worth, each) for each in worth.valued]
    figures = [figure for figure in (*figures, pictures.tornado(report, worth)) if figure]
    return blocks("## What the result depends on", *figures) if figures else ""


def _sums(report: Report, worth: Worth) -> str:
    """Every number of the sum with its interval."""
    rows: list[tuple[str, str, str]] = []
    for each in worth.valued:
        rows += _of_measure(worth, each)
    currency = worth.params.currency
    rows += _amount_row("Cost avoided", worth.saved, currency)
    if math.isfinite(worth.cost):
        rows.append(("Programme cost", money(worth.cost, currency), ""))
    rows += _amount_row("Net benefit", worth.net, currency)
    for name, estimate in (("Benefit–cost ratio", worth.ratio), ("Return on investment", worth.gain)):
        if estimate is not None:
            places = say.digits(worth)
            span = numbers.interval(estimate.lower, estimate.upper, places)
            rows.append((name, numbers.decimal(estimate.median, places), span))
    if math.isfinite(worth.chance):
        rows.append(("Chance of a net benefit", numbers.chance_short(worth.chance), ""))
    table = pd.DataFrame(rows, columns=["", "Best estimate", "95% interval"])
    caption = say.hedged(f"Value of the programme, {numbers.period_name(worth.span)}", worth.basis)
    return report.table("value", table, caption, right=["Best estimate", "95% interval"])


def _of_measure(worth: Worth, each: Events) -> list[tuple[str, str, str]]:
    currency, name = worth.params.currency, numbers.capital(each.noun)
    span = numbers.total_interval(each.events.lower, each.events.upper)
    rows = [(f"{name} avoided", numbers.estimated_total(each.events.median), span)]
    rows += _amount_row(f"{name}: cost of one", each.cost, currency)
    if each.spans_zero:
        return [*rows, (f"{name}: break-even cost of one", "not summarised", "its divisor may be none")]
    ratio = each.break_even
    if ratio is None:
        return rows
    span = say.least_interval(ratio, currency)
    return [*rows, (f"{name}: break-even cost of one", say.least(ratio.median, currency), span)]


def _amount_row(name: str, estimate: Estimate | None, currency: str) -> list[tuple[str, str, str]]:
    if estimate is None:
        return []
    known = math.isfinite(estimate.lower) and estimate.lower < estimate.upper
    span = money_interval(estimate.lower, estimate.upper, currency) if known else ""
    return [(name, money(estimate.median, currency), span)]


def _costs(report: Report, worth: Worth, explained: bool) -> str:
    """Costs by item and year, in prices of the price year; `explained`: a caption has said which these are."""
    assert report.published.value is not None
    costs, currency = report.published.value.costs, worth.params.currency
    if costs.empty:
        return ""
    amounts = costs.pivot_table(index="item", columns="year", values="price_year_amount", aggfunc="sum")
    amounts = amounts.loc[amounts.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    if len(amounts) > MOST_ITEMS:
        rest = amounts.iloc[MOST_ITEMS - 1 :].sum(min_count=1).rename("Other items").to_frame().T
        amounts = pd.concat([amounts.iloc[: MOST_ITEMS - 1], rest])
    total = amounts.sum().rename("All items").to_frame().T
    shown = pd.concat([amounts, total]).assign(Total=lambda table: table.sum(axis=1))
    cells = {str(year): [money(value, currency) for value in shown[year]] for year in shown.columns}
    table = pd.DataFrame({"Item": list(shown.index), **cells})
    caption = f"What the programme cost, by item and year, in {currency} of {worth.params.price_year}"
    bold = [False] * len(amounts) + [True]
    return blocks(
        "## What the programme cost",
        text(_cost_text(worth, costs, explained)),
        report.table("value-costs", table, caption, bold, right=list(cells)),
    )


def _cost_text(worth: Worth, costs: pd.DataFrame, explained: bool) -> str:
    real, outside = float(costs["price_year_amount"].sum()), float(costs["not_counted"].sum())
    said = [] if explained else [say.counted(worth)]
    if worth.valued and abs(outside) > SMALL * abs(real):
        left = money(outside, worth.params.currency)
        said.append(f"Of these costs, {left} lie outside {numbers.period_name(worth.span)} and are not set against it.")
    if abs(worth.cost - (real - outside)) > SMALL * abs(real):
        present = money(worth.cost, worth.params.currency)
        said.append(f"Discounted, the costs that count come to {present}.")
    return " ".join(said)


def _collecting(report: Report, burdens: tuple[Burden, ...], told: tuple[Burden, ...]) -> str:
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


def _improve(report: Report, worth: Worth | None, burdens: tuple[Burden, ...]) -> str:
    lines = improvements(report.published, worth, burdens)
    return blocks("## What would improve this chapter", "\n".join(f"- {text(line)}" for line in lines))

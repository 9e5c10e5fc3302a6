"""Burden and value: what the programme and its data cost, what the events it avoided were worth, how sure that is."""

from __future__ import annotations

import math

import pandas as pd

from collabeval.sections import indicators, value_burden
from collabeval.sections import value_pictures as pictures
from collabeval.sections.narrative import narrated
from collabeval.sections.report import Missing, Report, Section, blocks, callout, text
from collabeval.statements import burden as burden_words
from collabeval.statements import numbers, value_facts, value_figures, value_notes
from collabeval.statements import value as say
from collabeval.statements.burden import Burden
from collabeval.statements.facts import Estimate
from collabeval.statements.money import money, money_interval
from collabeval.statements.value_advice import improvements
from collabeval.statements.value_facts import Events, Worth
from collabeval.value.costs import COLLECTING

TITLE = "Burden and value"
MOST_ITEMS = 12
FEATURE = "burden"  # of indicators
SMALL = 0.0005  # of the sum of all costs: less makes no difference to what is shown


def missing(report: Report) -> Missing | None:
    """Why the chapter is left out, if it is."""
    published = report.published
    if published.params.value is None and "costs" in published.params.data.further and not _told(report):
        return Missing(TITLE, "what the costs are counted in is not declared", "a block “value” in the params file")
    if _has_worth(value_facts.gather(published)) or _told(report):
        return None
    return Missing(TITLE, "no hours and no costs", "tables of burden and costs (burden.csv, costs.csv)")


def unassessed(report: Report) -> list[Missing]:
    """The parts of the chapter that lack data; where all do, the chapter itself."""
    whole = missing(report)
    if whole is not None:
        return [whole]
    worth, found = value_facts.gather(report.published), []
    if worth is None or not math.isfinite(worth.cost):
        found.append(_missing("Cost of the programme", value_notes.without_cost(report.published)))
    if worth is None or worth.saved is None:
        found.append(_missing("Value of the events avoided", value_notes.without_worth(report.published, worth)))
    if not _burdens(report):
        found.append(Missing("Hours of collecting data", "no hours by site", "a table of burden (burden.csv)"))
    return found


def _missing(part: str, lacks: tuple[str, list[str]]) -> Missing:
    why, needed = lacks
    return Missing(part, why, numbers.listed(needed))


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
            text(value_notes.not_assessed([part.section for part in unassessed(report)])),
            _worth(report, worth) if worth else "",
            value_burden.collecting(report, burdens, () if worth else burdens[:1]),
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
    caption = say.hedged(f"Value of the programme, {numbers.period_name(worth.cost_span)}", worth.basis)
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
    table = pd.DataFrame({"Item": [value_notes.item_name(item) for item in shown.index], **cells})
    caption = f"What the programme cost, by item and year, in {currency} of {worth.params.price_year}"
    bold = [False] * len(amounts) + [True]
    return blocks(
        "## What the programme cost",
        text(_cost_text(worth, costs, explained)),
        report.table("value-costs", table, caption, bold, right=list(cells)),
    )


def _cost_text(worth: Worth, costs: pd.DataFrame, explained: bool) -> str:
    real, outside = float(costs["price_year_amount"].sum()), float(costs["not_counted"].sum())
    said = [] if explained else [value_notes.counted(worth)]
    if worth.valued and abs(outside) > SMALL * abs(real):
        left = money(outside, worth.params.currency)
        when = numbers.period_name(worth.cost_span)
        said.append(f"Of these costs, {left} lie outside {when} and are not set against it.")
    if worth.valued and worth.cost_span != worth.span:
        when = numbers.period_name(worth.span)
        said.append(f"What was spent before {when}, on starting, is set against the events avoided too.")
    present, undiscounted = (money(amount, worth.params.currency) for amount in (worth.cost, real - outside))
    if present != undiscounted:
        said.append(f"The costs that count come to {undiscounted}, discounted to {present}.")
    if worth.params.add_burden and COLLECTING not in set(costs["item"]):
        said.append("The cost of collecting data, which params ask to add, is not in them: no table gives it.")
    return " ".join(said)


def _improve(report: Report, worth: Worth | None, burdens: tuple[Burden, ...]) -> str:
    lines = improvements(report.published, worth, burdens)
    return blocks("## What would improve this chapter", "\n".join(f"- {text(line)}" for line in lines))

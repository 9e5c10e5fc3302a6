"""Figures of burden and value: rows from the published tables, words by rule, drawn by `plots`."""

from __future__ import annotations

import math

import pandas as pd

from collabeval import plots
from collabeval.sections.report import Report, figure_text, slug
from collabeval.statements import burden as burden_words
from collabeval.statements import numbers, value_figures
from collabeval.statements.burden import Burden
from collabeval.statements.facts import Estimate
from collabeval.statements.money import money, money_interval, scale_of
from collabeval.statements.value_facts import Events, Worth

QUANTILES = ["q025", "q25", "q50", "q75", "q975"]


def main(report: Report, worth: Worth) -> str:
    """What went in and what came out; "" where there is nothing but coarse intervals to draw."""
    events = pd.DataFrame([_events_row(worth, each) for each in worth.valued if math.isfinite(each.events.median)])
    amounts = _money_rows(worth)
    if events.empty and len(amounts) < 2:
        return ""
    rows = pd.DataFrame(amounts)
    by, axis = scale_of(list(rows[QUANTILES].to_numpy(float).ravel()) if amounts else [], worth.params.currency)
    rows[QUANTILES] = rows.reindex(columns=QUANTILES) / by
    words = value_figures.main(report.published, worth)
    drawn = plots.value(events, rows, figure_text(words, report.lead.nouns[1]), axis)
    return report.figure("value", words, drawn)


def _events_row(worth: Worth, each: Events) -> dict[str, object]:
    against = "than without the programme" if each.basis == "effect" else "change, not effect"
    when = f", {numbers.period_name(each.span)}" if each.span else ""
    estimate = each.events
    return {
        "label": numbers.capital(f"{each.noun} avoided"),
        "sub": f"{against}{when}",
        **_quantiles(estimate),
        "value": numbers.estimated_total(estimate.median),
        "range": numbers.total_interval(estimate.lower, estimate.upper),
        "unit": each.noun,
    }


def _quantiles(estimate: Estimate) -> dict[str, float]:
    ends = (estimate.lower, estimate.inner_lower, estimate.median, estimate.inner_upper, estimate.upper)
    return dict(zip(QUANTILES, ends, strict=True))


def _money_rows(worth: Worth) -> list[dict[str, object]]:
    """Cost avoided, programme cost, net; those that are known."""
    currency, rows = worth.params.currency, []
    if worth.saved is not None and math.isfinite(worth.saved.median):
        rows.append(_money_row("avoided", "Cost avoided", "events × cost of one", worth.saved, currency))
    if math.isfinite(worth.cost):
        spent = Estimate(worth.cost, math.nan, math.nan)
        when = f"{numbers.period_name(worth.cost_span)}, with its start"
        when = "of the same time" if worth.cost_span == worth.span else when
        row = _money_row("cost", "Programme cost", when, spent, currency)
        minus = numbers.MINUS if rows else ""
        rows.append(row | {"value": f"{minus}{money(worth.cost, currency)}", "range": ""})
    if worth.net is not None and math.isfinite(worth.net.median):
        label = "Net benefit" if worth.basis == "effect" else "Net, if due to it"
        rows.append(_money_row("net", label, "cost avoided − programme cost", worth.net, currency))
    return rows


def _money_row(kind: str, label: str, sub: str, estimate: Estimate, currency: str) -> dict[str, object]:
    return {
        "kind": kind, "label": label, "sub": sub, **_quantiles(estimate), "value": money(estimate.median, currency),
        "range": money_interval(estimate.lower, estimate.upper, currency),
    }  # fmt: skip


def curve(report: Report, worth: Worth, each: Events) -> str:
    """The acceptability curve of one measure; "" without one."""
    assert report.published.value is not None
    table = report.published.value.curve
    points = table[table["measure"].eq(each.view.name)].reset_index(drop=True)
    if points.empty:
        return ""
    by, axis = scale_of([float(points["willingness"].max())], worth.params.currency)
    words = value_figures.curve(report.published, worth, each, points)
    declared = None
    if each.cost is not None:
        label = f"declared: {money(each.cost.median, worth.params.currency)}"
        middle, low, high = (end / by for end in (each.cost.median, each.cost.lower, each.cost.upper))
        known = math.isfinite(low)
        declared = plots.Declared(middle, low if known else middle, high if known else middle, label)
    drawn = plots.value_curve(
        pd.DataFrame({"willingness": points["willingness"] / by, "chance": 100 * points["probability"]}),
        figure_text(words, report.lead.nouns[1]),
        f"what may be paid for one event avoided, {axis}",
        numbers.chance_short(float(points["probability"].iloc[-1])).split(numbers.NO_BREAK)[0],
        declared,
    )
    return report.figure(f"value-curve-{slug(each.view)}", words, drawn)


def tornado(report: Report, worth: Worth) -> str:
    """What the result depends on; "" without a net benefit."""
    assert report.published.value is not None
    bars, currency = report.published.value.tornado, worth.params.currency
    if bars.empty:
        return ""
    words = value_figures.tornado(report.published, worth, bars)
    bars = bars[value_figures.of_weight(bars)]
    by, axis = scale_of([*bars["net_low"], *bars["net_high"]], currency)
    named = [(_, row) for _, row in bars.iterrows()]
    rows = pd.DataFrame(
        {
            "label": [numbers.capital(value_figures.input_name(report.published, row)) for _, row in named],
            "low": [value_figures.input_end(row, "low", currency) for _, row in named],
            "high": [value_figures.input_end(row, "high", currency) for _, row in named],
            "net_low": bars["net_low"] / by,
            "net_high": bars["net_high"] / by,
        }
    )
    base = float(bars["base"].iloc[0])
    name = f"net benefit, {axis}" if worth.basis == "effect" else f"net if all change were due to it, {axis}"
    drawn = plots.value_tornado(
        rows, base / by, figure_text(words, report.lead.nouns[1]), name, f"at the means: {money(base, currency)}"
    )
    return report.figure("value-tornado", words, drawn)


def burden(report: Report, found: Burden) -> str:
    """Hours (or cost) per case of all sites, least first."""
    sites = found.sites
    words = burden_words.figure(report.published, found)
    said = zip(sites["word"], sites["chance"], sites["hidden"], strict=True)
    tags = [burden_words.tag(*row) for row in said]
    rows = sites.rename(columns={"site": "label"}).assign(tag=tags)
    name = "hours a case" if found.what == "hours" else f"{found.currency} a case"
    label = "" if found.benchmark is None else f"benchmark {found.written(found.benchmark)}"
    axis = plots.Axis(name, "value", found.benchmark, label, from_zero=True, ends=("least", "most"))
    drawn = plots.caterpillar(
        rows[["label", *QUANTILES, "word", "tag"]], figure_text(words, report.lead.nouns[1]), axis
    )
    return report.figure(f"value-burden-{found.what}", words, drawn)

"""Chapters of a portfolio's report: practices, and value."""

from __future__ import annotations

import pandas as pd

from collabeval import plots
from collabeval.disclosure.portfolio import MemberView
from collabeval.sections.portfolio import FunderReport, quantiles
from collabeval.sections.report import Missing, Section, blocks, callout, text
from collabeval.statements import numbers
from collabeval.statements import portfolio as say
from collabeval.statements import portfolio_parts as parts
from collabeval.statements.money import money, money_interval, scale_of
from collabeval.statements.portfolio_facts import Worth

SAME_CODES = "One list of codes for practices, used by all: practices are taken as the same where their codes are."
TOTALS = ("programme_cost", "cost_avoided", "net_benefit", "benefit_cost_ratio")


def practices(report: FunderReport) -> Section | Missing:
    """Which practice is usual where, and how each has spread."""
    table = report.published.practices
    if table.empty:
        return Missing(
            "Practices", "no collaborative told which site does what", "a table of practices (practices.csv)"
        )
    last = table[table["order"].eq(table.groupby("collaborative")["order"].transform("max"))]
    first = table[table["order"].eq(0)]
    return Section(
        blocks(
            "# Practices {#sec-practices}",
            callout("important", "Key message", text(parts.practices_message(report.facts, last))),
            _practices_table(report, first, last),
            _spread_table(report, last),
            text(parts.lacking(report.facts, "practices", f"Not told which {report.facts.nouns[0]} does what")),
            callout("note", "What would improve this", text(SAME_CODES)),
        )
    )


def _practices_table(report: FunderReport, first: pd.DataFrame, last: pd.DataFrame) -> str:
    rows = []
    for practice, own in last.groupby("practice", sort=False):
        began = first[first["practice"].eq(practice)].set_index("collaborative")["share"]
        risen = (own.set_index("collaborative")["share"] - began).dropna()
        ends = f"{numbers.NO_BREAK}to{numbers.NO_BREAK}".join(
            numbers.percent(own["share"].agg(end)) for end in ("min", "max")
        )
        used = int(own["share"].gt(0).sum())
        rows.append({
            "Practice": parts.label(str(practice)),
            "In use in": f"{used} of {len(own)}",
            f"Share of {report.facts.nouns[1]}": ends,
            "In the middle": numbers.percent(own["share"].median()),
            "Since the first year": f"{numbers.signed(100 * risen.median(), 0)} points" if len(risen) else "–",
        })  # fmt: skip
    right = ("In use in", f"Share of {report.facts.nouns[1]}", "In the middle", "Since the first year")
    caption = "Practices over all collaboratives: lowest to highest share, the collaborative in the middle, its rise"
    return report.table("portfolio-practices", pd.DataFrame(rows), caption, right)


def _spread_table(report: FunderReport, last: pd.DataFrame) -> str:
    labels = {member.name: member.label for member in report.published.members}
    wide = last.pivot(index="collaborative", columns="practice", values="share")
    wide = wide.reindex([name for name in labels if name in wide.index])
    shown = wide.map(lambda share: "–" if share != share else numbers.percent(share))
    shown.columns = [parts.label(str(practice)) for practice in shown.columns]
    shown.insert(0, "Collaborative", [labels[str(name)] for name in wide.index])
    caption = f"Share of {report.facts.nouns[1]} that do each practice, latest year"
    return report.table("portfolio-spread", shown.reset_index(drop=True), caption, tuple(shown.columns[1:]))


def value(report: FunderReport) -> Section | Missing:
    """What each collaborative cost and was worth."""
    facts = report.facts
    members = [member for member in facts.published.members if facts.worth(member, "programme_cost") is not None]
    if not members:
        needs = "tables of costs (costs.csv), and what an event costs, under value in params"
        return Missing("Value", "no collaborative's own run has a result of costs", needs)
    better = "What an event costs, in one currency and the prices of one year for all collaboratives."
    return Section(
        blocks(
            "# Value {#sec-value}",
            callout("important", "Key message", text(_value_message(report, members))),
            _value_figure(report, members),
            _value_table(report, members),
            text(parts.lacking(report.facts, "value", "No value")),
            callout("note", "What would improve this", text(better)),
        )
    )


def _value_message(report: FunderReport, members: list[MemberView]) -> str:
    facts = report.facts
    net = [worth for member in members if (worth := facts.worth(member, "net_benefit")) is not None]
    total, count = say.total_money(facts, members, "programme_cost"), numbers.number_word(len(members))
    said = f"All {count} together cost {total}. " if total and len(members) > 1 else ""
    if not net:
        return f"{said}What was avoided has no value yet."
    saved = sum(worth.chance >= say.SAVES for worth in net)
    said += (
        f"{numbers.capital(numbers.number_word(saved))} of {numbers.number_word(len(net))} with a value of what was "
    )
    return f"{said}avoided probably saved more than they cost."


def _value_figure(report: FunderReport, members: list[MemberView]) -> str:
    """Net benefits, where two or more are told in one currency and the prices of one year."""
    found = [(member, worth) for member in members if (worth := report.facts.worth(member, "net_benefit")) is not None]
    if len(found) < 2 or len({(worth.currency, worth.price_year) for _, worth in found}) > 1:
        return ""
    found.sort(key=lambda pair: -pair[1].estimate.median)
    ends = [end for _, worth in found for end in (worth.estimate.lower, worth.estimate.upper)]
    by, unit = scale_of(ends, found[0][1].currency)
    rows = [{"label": member.label, **{name: at / by for name, at in quantiles(worth.estimate).items()},
             "word": _saving(worth), "tag": f"saves · {numbers.chance_short(worth.chance)}"}
            for member, worth in found]  # fmt: skip
    words = parts.value_figure(report.facts, [member for member, _ in found], unit)
    axis = plots.Axis(label=f"costs more ← net benefit, {unit} → saves more", kind="value", reference=0.0)
    drawn = plots.caterpillar(pd.DataFrame(rows), report.words_of(words), axis)
    return report.figure("portfolio-value", words, drawn)


def _saving(worth: Worth) -> str:
    """The mark of a net benefit."""
    return "better" if worth.chance >= say.SAVES else "worse" if worth.chance <= 1 - say.SAVES else "unclear"


def _value_table(report: FunderReport, members: list[MemberView]) -> str:
    rows = []
    for member in members:
        cost, avoided, net, ratio = (report.facts.worth(member, name) for name in TOTALS)
        rows.append({
            "Collaborative": member.label,
            "Cost": "–" if cost is None else money(cost.estimate.median, cost.currency),
            "Cost avoided": _amount(avoided),
            "Net benefit": _amount(net),
            "Benefit–cost ratio": "–" if ratio is None else f"{numbers.decimal(ratio.estimate.median, 1)} "
                                  f"({numbers.interval(ratio.estimate.lower, ratio.estimate.upper, 1)})",
            "Chance of a net saving": "–" if net is None else numbers.chance_short(net.chance),
        })  # fmt: skip
    right = tuple(rows[0])[1:]
    return report.table("portfolio-value", pd.DataFrame(rows), "Cost and value, with 95% intervals", right)


def _amount(worth: Worth | None) -> str:
    if worth is None:
        return numbers.NOT_ESTIMATED
    found = worth.estimate
    return f"{money(found.median, worth.currency)} ({money_interval(found.lower, found.upper, worth.currency)})"

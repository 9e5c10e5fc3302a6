"""What stands around the figures of value, by rule."""

from __future__ import annotations

import math

import pandas as pd

from collabeval.disclosure import Published
from collabeval.statements import numbers, phrases, value, value_notes
from collabeval.statements.figures import Words, words
from collabeval.statements.money import money, money_interval
from collabeval.statements.value_facts import Events, Worth

LEAST_WIDTH = 0.005  # of the widest bar: narrower ones are named and not drawn
LINES = f"Lines: 50 and 95 in{numbers.NO_BREAK}100 chances that the truth is inside."


def main(published: Published, worth: Worth) -> Words:
    """What went in and what came out."""
    title = _title(published, worth)
    when = numbers.period_name(worth.cost_span) if worth.cost_span else "All costs given"
    note = (
        "Events avoided are those that there would have been without the programme, as the chapter on outcomes "
        "estimates them from those that had not joined, less those there were."
        if worth.basis == "effect" else
        "Events avoided are the change since the baseline, times the cases now: not proof of an effect."
        if worth.basis == "change" else "",
        value_notes.counted(worth),
        value_notes.left_out(worth),
    )  # fmt: skip
    return words(published, title, f"{when}. Bars: best estimates. {LINES}", note, _alt(worth))


def _title(published: Published, worth: Worth) -> str:
    if worth.net is None:
        return value.finding(published, worth).removesuffix(".")
    slug, word, chance = value.verdict(worth, published.params.rules.probability_words)
    said = f"the chance is {numbers.chance(chance)}"
    if worth.basis == "change":
        what = {"saved": f"{word} worth more than the programme cost", "unclear": "what it was worth we cannot tell",
                "cost_more": f"{word} worth less than the programme cost"}[slug]  # fmt: skip
        return value.hedged(f"{what}: {said}", "change")
    what = {"saved": f"The programme {word} saved more than it cost",
            "unclear": "Whether the programme saved more than it cost we cannot tell",
            "cost_more": f"The programme {word} cost more than it saved"}[slug]  # fmt: skip
    return f"{what}: {said}"


def _alt(worth: Worth) -> str:
    currency, parts = worth.params.currency, []
    for each in worth.valued:
        parts.append(f"{numbers.capital(value.fewer(each))}{value.interval(each)}.")
    if worth.saved is not None:
        parts.append(f"Cost avoided {value.amount(worth.saved, currency)}.")
    if math.isfinite(worth.cost):
        parts.append(f"Programme cost {money(worth.cost, currency)}.")
    if worth.net is not None:
        net = f"Net {value.amount(worth.net, currency)}; chance of a net saving {numbers.chance(worth.chance)}."
        parts.append(net)
    return value.hedged(" ".join(parts), worth.basis)


def curve(published: Published, worth: Worth, each: Events, points: pd.DataFrame) -> Words:
    """The chance that the programme is worth its cost, by what an event may cost."""
    currency, noun = worth.params.currency, each.noun
    declared = each.cost is not None
    if declared and each.cost is not None:
        at = _chance_at(points, each.cost.median)
        title = (
            f"If one of the {noun} costs exactly {money(each.cost.median, currency)}, the chance that the programme is "
        )
        title += f"worth its cost is {numbers.chance(at)}"
    else:
        half = points[points["probability"].ge(0.5)]
        title = (
            f"The programme is more likely than not worth its cost from {money(half['willingness'].iloc[0], currency)} "
            f"on for one of the {noun} avoided" if len(half) else
            f"At no cost of the {noun} shown here is the programme more likely than not worth its cost"
        )  # fmt: skip
    subtitle = (
        f"Cost-effectiveness acceptability curve, {_when(worth)}: what may be paid for one event avoided ({noun})."
    )
    ends = [float(points["probability"].iloc[place]) for place in (0, -1)]
    band = " and its range" if declared and each.cost is not None and each.cost.lower < each.cost.upper else ""
    note = (
        f"Line: the declared cost of one event{band}." if declared else "",
        "A curve that stays below 100 says that events may not have been avoided at all." if ends[1] < 0.995 else "",
        "What the other measures saved is counted." if len(worth.valued) > 1 else "",
    )
    top = money(float(points["willingness"].iloc[-1]), currency)
    alt = (
        f"Curve from {numbers.chance(ends[0])} at nothing to {numbers.chance(ends[1])} at {top} for one event. {title}."
    )
    return words(published, value.hedged(title, each.basis), subtitle, note, value.hedged(alt, each.basis))


def _chance_at(points: pd.DataFrame, cost: float) -> float:
    """The curve at the point nearest to a cost."""
    return float(points["probability"].iloc[(points["willingness"] - cost).abs().argmin()])


def of_weight(bars: pd.DataFrame) -> pd.Series:
    """Which bars of the tornado could be seen beside the widest."""
    width = (bars["net_high"] - bars["net_low"]).abs()
    return width >= LEAST_WIDTH * width.max()


def tornado(published: Published, worth: Worth, all_bars: pd.DataFrame) -> Words:
    """What the net benefit depends on."""
    seen = of_weight(all_bars)
    weightless = [input_name(published, row) for _, row in all_bars[~seen].iterrows()]
    bars = all_bars[seen]
    currency, first = worth.params.currency, bars.iloc[0]
    turns = bars[(bars["net_low"] > 0) != (bars["net_high"] > 0)]
    title = f"The result depends most on {input_name(published, first)}"
    if len(turns):
        named = numbers.listed([input_name(published, row) for _, row in turns.iterrows()], 3)
        title += f"; whether the programme pays for itself turns on {named}"
    else:
        pays = "pays" if first["net_low"] > 0 else "does not pay"
        title += f"; over every range shown, on its own, the programme {pays} for itself"
    subtitle = f"Net benefit, {_when(worth)}, with one input at either end of its range and the others at their means."
    note = (
        f"Light: the input low; dark: the input high. Ranges: events avoided, 95{numbers.NO_BREAK}in"
        f"{numbers.NO_BREAK}100 chances; the others as params declare them.",
        "One input at a time: several may be off at once, which the intervals of the first figure allow for.",
        f"Of no weight here: {numbers.listed(weightless)}." if weightless else "",
        value_notes.middles(worth, float(first["base"])),
    )
    spans = [
        f"{input_name(published, row)} {money_interval(min(nets), max(nets), currency)}"
        for (_, row), nets in zip(bars.iterrows(), bars[["net_low", "net_high"]].to_numpy(float), strict=True)
    ]
    alt = f"Net benefit at the means {money(first['base'], currency)}. {numbers.capital('; '.join(spans))}."
    return words(
        published, value.hedged(title, worth.basis), subtitle, note, value.hedged(numbers.capital(alt), worth.basis)
    )


def _when(worth: Worth) -> str:
    return numbers.period_name(worth.cost_span)


def input_name(published: Published, row: pd.Series) -> str:
    """What a bar of the tornado is about, inside a sentence."""
    named = {"discount_rate": "the discount rate", "inflation": "inflation", "programme_cost": "the programme’s cost"}
    if row["input"] in named:
        return named[row["input"]]
    view = next(view for view in published.measures if view.name == row["measure"])
    noun = (view.params.unit or "units") if view.is_mean else view.params.events
    return f"the number of {noun} avoided" if row["input"] == "events_avoided" else f"the cost of one of the {noun}"


def input_end(row: pd.Series, end: str, currency: str) -> str:
    """The end of an input's range in words."""
    if row["input"] in {"discount_rate", "inflation"}:
        return f"{numbers.decimal(100 * row[end], 1).removesuffix('.0')}%"
    return numbers.estimated_total(row[end]) if row["input"] == "events_avoided" else money(row[end], currency)


def heading(worth: Worth) -> str:
    """What the sum of the main figure is: over which time; without costs nothing is known to have gone in."""
    what = "What went in and what came out" if math.isfinite(worth.cost) else "What came out"
    return f"{what}{phrases.in_period(worth.cost_span)}"

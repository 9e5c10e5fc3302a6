"""What stands around a figure over time, by rule: the trend, sites over time, change, the control chart."""

from __future__ import annotations

import math
from collections.abc import Mapping

from collabeval.disclosure import Published
from collabeval.spc import SHIFT, TREND
from collabeval.statements import effect, numbers, phrases
from collabeval.statements.facts import Facts
from collabeval.statements.figures import Words, hidden_note, number_or_none, words
from collabeval.statements.headline import change_clause
from collabeval.statements.numbers import NO_BREAK


def trend(published: Published, facts: Facts) -> Words:
    """The collaborative over time."""
    view, quantity = facts.view, phrases.quantity(facts.view)
    periods = list(published.trend[published.trend["measure"].eq(view.name)]["period"])
    span = f"{numbers.period_name(periods[0])} to {numbers.period_name(periods[-1])}"
    unit = phrases.unit(view) or numbers.lower_first(view.params.label)
    adjusted = "" if view.is_mean else "; not adjusted for case-mix"
    note = (
        f"Line: estimated {quantity}.",
        f"Shading, from dark to light: 50, 80 and 95 in{NO_BREAK}100 chances that the truth is inside.",
        f"Dots: {quantity}s as recorded.",
        effect.under_trend(published, view),
    )
    title, said = _trend_title(published, facts, span)
    return words(
        published,
        title,
        f"{unit}, all {facts.nouns[1]} together{adjusted}.",
        note,
        f"Line chart of {unit}, {span}.{said}",
    )


def _trend_title(published: Published, facts: Facts, span: str) -> tuple[str, str]:
    """The title, and what the alt text says of the change."""
    view, baseline = facts.view, facts.view.windows.baseline
    if baseline is None or not math.isfinite(facts.improved):
        return f"{view.params.label}, {span}", ""
    lower, chance = view.params.better == "lower", numbers.chance(facts.improved)
    title = (
        f"{view.params.label} {_bare_change(published, facts)} since {numbers.period_name(baseline.label)}: the "
        "chance that "
        f"the {phrases.quantity(view)} is now {'lower' if lower else 'higher'} is {chance}"
    )
    said = ""
    if facts.baseline_rate is not None and facts.rate is not None:
        before, after = (phrases.short_rate(view, rate) for rate in (facts.baseline_rate, facts.rate))
        said = f" {numbers.capital(before)} at baseline and {after}{phrases.in_period(facts.labelled_current)}."
    return title, f"{said} The chance that it {'fell' if lower else 'rose'} is {chance}."


def _bare_change(published: Published, facts: Facts) -> str:
    """The change without its number, where the number follows in the same sentence."""
    return change_clause(published, facts).split(" (")[0]


def small_multiples(published: Published, facts: Facts) -> Words:
    """Each site over time."""
    flat, later = (facts.of("trajectory", slug) for slug in ("no_clear_change", "joined_later"))
    title = changed(facts)
    if flat and len(flat) + len(later) < len(facts.trajectory):
        title += f"; for {numbers.number_word(len(flat))} the change could be chance"
    view = facts.view
    scale = view.params.unit or "mean"
    if not view.is_mean:
        scale = "observed ÷ predicted" if view.adjusted else "ratio to the average of all in the same period"
    subtitle = f"{view.params.label}, {scale}. Sorted from most improved (top left) to most worsened."
    note = (
        "Line: estimate after partial pooling.",
        "Band: 95% interval.",
        "Dots: recorded values; those beyond the scale sit on its edge.",
        "The top left panel shows the scale for all.",
        f"Improved or worsened needs {phrases.chances(published.params.rules.trajectory)}.",
        "Periods with small counts show no dot and no line." if published.hides_counts else "",
    )
    alt = (
        f"{len(facts.trajectory)} small line charts of {facts.nouns[1]}, most improved first. {_counts(facts)}, "
        f"{number_or_none(len(flat))} could be chance, {number_or_none(len(later))} without comparison."
    )
    return words(published, title, subtitle, note, alt)


def change(published: Published, facts: Facts) -> Words:
    """Each site before and now."""
    view, nouns = facts.view, facts.nouns
    assert view.windows.baseline is not None
    flat = len(facts.of("trajectory", "no_clear_change"))
    compared = len(facts.trajectory) - len(facts.of("trajectory", "joined_later"))
    title = changed(facts)
    if 0 < flat < compared:
        title += f"; for {numbers.number_word(flat)} of{NO_BREAK}{compared} the change could be chance"
    before, after = (numbers.period_name(label) for label in (view.windows.baseline.label, facts.labelled_current))
    subtitle = f"{phrases.unit(view) or view.params.label}: from {before} (hollow) to {after} (filled)."
    note = (
        "Estimates after partial pooling.",
        "Right: change with 50 and 95% intervals.",
        f"Improved or worsened needs {phrases.chances(published.params.rules.trajectory)}.",
        f"Only {nouns[1]} with data in both periods." if compared < len(facts.trajectory) else "",
        hidden_note(facts),
    )
    alt = (
        f"{view.params.label} at baseline and now for {compared} {numbers.plural(compared, nouns)}. "
        f"{_counts(facts)}; for "
        f"{number_or_none(flat)} the change could be chance."
    )
    return words(published, title, subtitle, note, alt)


SIGNALS = {
    "outside_limits": "outside limits: a point beyond a dashed line",
    "shift": f"shift: {SHIFT} or more points in a row on one side of the mean",
    "trend": f"trend: {TREND} or more points in a row rising or falling",
    "two_of_three": "two of three: two of three points in a row near the same dashed line",
}


def spc(published: Published, facts: Facts, signals: Mapping[str, str]) -> Words:
    """The collaborative's control chart; `signals` are the periods that break a rule, each with its rule."""
    view, number = facts.view, len(signals)
    title = f"{view.params.label}: the ups and downs from period to period are no more than usual"
    if signals:
        points = f"{numbers.number_word(number)} {numbers.plural(number, ('point', 'points'))}"
        signal = numbers.plural(number, ("signals", "signal"))
        title = f"{view.params.label}: {points} of the control chart {signal} more than the usual ups and downs"
    note = (
        "Individuals (XmR) chart with the rules of NHS England’s Making Data Count.",
        "Line: mean. Dashed: limits within which nearly all points of a steady process fall.",
        _signals_explained(signals),
        "A signal says that something changed, not what.",
    )
    where = f": {numbers.listed([numbers.period_name(label) for label in signals], 6)}" if signals else ""
    unit = phrases.unit(view) or numbers.lower_first(view.params.label)
    said = (
        "No point signals" if not number else f"{number} {numbers.plural(number, ('point signals', 'points signal'))}"
    )
    alt = f"Control chart of {unit}. {said}{where}."
    return words(published, title, f"{unit}, all {facts.nouns[1]} together, as recorded.", note, alt)


def _signals_explained(signals: Mapping[str, str]) -> str:
    """What the words in the chart mean, of those that occur in it."""
    found = set(signals.values())
    said = "; ".join(meaning for rule, meaning in SIGNALS.items() if rule in found)
    return f"{numbers.capital(said)}." if said else ""


def changed(facts: Facts) -> str:
    """ "Two hospitals worsened and none clearly improved"."""
    worse, better = (len(facts.of("trajectory", slug)) for slug in ("worsened", "improved"))
    if not worse and not better:
        return f"No {facts.nouns[0]} clearly improved or worsened"
    if worse and better:
        return f"{numbers.counted(worse, facts.nouns)} worsened and {numbers.number_word(better)} improved"
    number, verb, other = (worse, "worsened", "improved") if worse else (better, "improved", "worsened")
    return f"{numbers.counted(number, facts.nouns)} {verb} and none clearly {other}"


def _counts(facts: Facts) -> str:
    worse, better = (len(facts.of("trajectory", slug)) for slug in ("worsened", "improved"))
    return f"{numbers.capital(number_or_none(better))} improved, {number_or_none(worse)} worsened"

"""What stands around a figure, by rule: title, subtitle, note (its caption), and alt text of at most 350 characters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from collabeval.disclosure import Published
from collabeval.statements import numbers, phrases
from collabeval.statements.facts import Facts, Named
from collabeval.statements.headline import IS, WORSE, change_clause
from collabeval.statements.numbers import NO_BREAK

ALT_LIMIT = 350


@dataclass(frozen=True)
class Words:
    """The words of one figure; the note is its caption, the alt text goes where the picture cannot."""

    title: str
    subtitle: str
    note: str
    alt: str


def words(published: Published, title: str, subtitle: str, note: str, alt: str) -> Words:
    """The four together: the source closes the note, the alt text keeps to its limit."""
    source = published.params.data.note.strip()
    note = f"{note} {source}".strip()
    return Words(numbers.capital(title), subtitle, note, shortened(alt))


def shortened(alt: str) -> str:
    """Alt text cut at a sentence where it runs too long; what it says in full stands in the table."""
    if len(alt) <= ALT_LIMIT:
        return alt
    whole = alt[: ALT_LIMIT + 1].rfind(". ")
    return alt[: whole + 1] if whole > 0 else alt[: ALT_LIMIT - 1].rsplit(" ", 1)[0] + "…"


def caterpillar(published: Published, facts: Facts) -> Words:
    view, nouns = facts.view, facts.nouns
    worse, better = facts.of("level", *WORSE), facts.of("level", "better")
    apart, few = facts.of("level", "unclear", "close"), facts.of("level", "not_enough_data")
    title = f"{_differ(facts)}; {numbers.number_word(len(apart))} cannot be told apart"
    if few:
        title += (
            f", and {numbers.number_word(len(few))} {numbers.plural(len(few), ('has', 'have'))} too few data to say"
        )
    subtitle = f"{_measure(facts)}{_now(facts)}, best first. Chances in 100 that the word is right."
    need = phrases.chances(published.params.rules.level)
    note = (
        "Dot: estimate after partial pooling, which draws small numbers towards the average. Thick line: 1 chance in 2 "
        f"that the truth is inside; thin line: 95 in{NO_BREAK}100. Triangle: better; diamond: worse; hollow: not enough "
        f"data. Better or worse needs {need}. {hidden_note(facts)}"
    )
    alt = (
        f"{len(facts.level)} {numbers.plural(len(facts.level), nouns)} in order of {numbers.lower_first(view.params.label)}"
        f"{_now(facts)}, with 95% intervals. {numbers.capital(_none(len(better)))} better and {_none(len(worse))} worse "
        f"than the average, {_none(len(apart))} not told apart, {_none(len(few))} with too few data."
    )
    return words(published, title, subtitle, note, alt)


def _differ(facts: Facts) -> str:
    worse, better = len(facts.of("level", *WORSE)), len(facts.of("level", "better"))
    if not worse and not better:
        return f"No {facts.nouns[0]} is clearly better or worse than average"
    if worse and better:
        return (f"{numbers.counted(worse, facts.nouns)} {numbers.plural(worse, IS)} worse than average and "
                f"{numbers.number_word(better)} {numbers.plural(better, IS)} better")  # fmt: skip
    number, word, other = (worse, "worse", "better") if worse else (better, "better", "worse")
    return f"{numbers.counted(number, facts.nouns)} {numbers.plural(number, IS)} {word} than average and none is clearly {other}"


def funnel(published: Published, facts: Facts, outside: Sequence[str], outside_both: Sequence[str]) -> Words:
    nouns, view = facts.nouns, facts.view
    one, both = len(outside), len(outside_both)
    if not one:
        title = f"No {nouns[0]} lies outside the 99.8% limits of chance"
    else:
        title = (
            f"{numbers.counted(one, nouns)} {numbers.plural(one, ('lies', 'lie'))} outside the 99.8% limits of chance; "
        )
        title += _still(one, both) + f" once the limits allow for ordinary differences between {nouns[1]}"
    subtitle = f"{_measure(facts, recorded=True)}{_now(facts)}, against {_size(facts)}."
    note = (
        f"Solid lines: where 95 and 99.8 in{NO_BREAK}100 {nouns[1]} would fall if all performed alike. Dashed: the 99.8% "
        "limits widened for over-dispersion (additive; lowest and highest tenth left out of its estimate). Diamond: "
        f"outside both. A point outside is a reason to look, not a verdict. {hidden_note(facts)}"
    )
    names = f": {numbers.listed(outside_both, 4)}" if outside_both else ""
    alt = (
        f"{view.params.label} against {_size(facts)} for {facts.sites} {numbers.plural(facts.sites, nouns)}. "
        f"{numbers.capital(_none(one))} outside the 99.8% limits, {_none(both)} outside the over-dispersed limits{names}."
    )
    return words(published, title, subtitle, note, alt)


def _still(one: int, both: int) -> str:
    if one == both:
        return "it still does" if one == 1 else "all still do"
    if one == 1:
        return "it no longer does"
    return f"{numbers.number_word(both)} of them still {numbers.plural(both, ('does', 'do'))}"


def _size(facts: Facts) -> str:
    view = facts.view
    if view.is_mean:
        return f"the number of {view.params.cases}"
    return f"the number of {view.params.events} predicted" + (" for its patients" if view.adjusted else "")


def trend(published: Published, facts: Facts) -> Words:
    view, baseline = facts.view, facts.view.windows.baseline
    periods = list(published.trend[published.trend["measure"].eq(view.name)]["period"])
    first, last = (numbers.period_name(label) for label in (periods[0], periods[-1]))
    label, quantity = view.params.label, phrases.quantity(view)
    verb = "lower" if view.params.better == "lower" else "higher"
    if baseline is None or not math.isfinite(facts.improved):
        title, chance = f"{label}, {first} to {last}", ""
    else:
        now = numbers.chance(facts.improved)
        title = f"{label} {_bare_change(published, facts)} since {numbers.period_name(baseline.label)}: the chance that the "
        title += f"{quantity} is now {verb} is {now}"
        chance = f" The chance that it {'fell' if verb == 'lower' else 'rose'} is {now}."
    subtitle = (
        f"{numbers.capital(phrases.unit(view)) or label}, all {facts.nouns[1]} together; not adjusted for case-mix."
    )
    note = (
        f"Line: estimated {quantity}. Shading, from dark to light: 50, 80 and 95 in{NO_BREAK}100 chances that the truth is "
        f"inside. Dots: {quantity}s as recorded. No comparators: this is change, not the effect of a programme."
    )
    levels = ""
    if baseline is not None and facts.baseline_rate is not None and facts.rate is not None:
        levels = f" {numbers.capital(phrases.short_rate(view, facts.baseline_rate))} at baseline and "
        levels += f"{phrases.short_rate(view, facts.rate)}{phrases.in_period(facts.labelled_current)}."
    alt = f"Line chart of {phrases.unit(view) or numbers.lower_first(label)}, {first} to {last}.{levels}{chance}"
    return words(published, title, subtitle, note, alt)


def _bare_change(published: Published, facts: Facts) -> str:
    """The change without its number, where the number follows in the same sentence."""
    return change_clause(published, facts).split(" (")[0]


def small_multiples(published: Published, facts: Facts) -> Words:
    nouns = facts.nouns
    title = _changed(facts)
    flat = facts.of("trajectory", "no_clear_change")
    if flat:
        title += f"; for {numbers.number_word(len(flat))} the change could be chance"
    scale = (
        "mean" if facts.view.is_mean else "ratio to the average" if not facts.view.adjusted else "observed ÷ predicted"
    )
    subtitle = f"{facts.view.params.label}, {scale}. Sorted from most improved (top left) to most worsened."
    need = phrases.chances(published.params.rules.trajectory)
    note = (
        "Line: estimate after partial pooling. Band: 95% interval. Dots: recorded values; those beyond the scale sit on "
        f"its edge. The top left panel shows the scale for all. Words need {need}. {hidden_note(facts)}"
    )
    later = facts.of("trajectory", "joined_later")
    alt = (
        f"{len(facts.trajectory)} small line charts of {nouns[1]}, most improved first. {numbers.capital(_none(_number(facts, 'improved')))} "
        f"improved, {_none(_number(facts, 'worsened'))} worsened, {_none(len(flat))} could be chance, {_none(len(later))} "
        "without comparison."
    )
    return words(published, title, subtitle, note, alt)


def change(published: Published, facts: Facts) -> Words:
    view, nouns = facts.view, facts.nouns
    assert view.windows.baseline is not None
    title = _changed(facts)
    flat = facts.of("trajectory", "no_clear_change")
    compared = len(facts.trajectory) - len(facts.of("trajectory", "joined_later"))
    if flat:
        title += f"; for {numbers.number_word(len(flat))} of{NO_BREAK}{compared} the change could be chance"
    before, now = (numbers.period_name(label) for label in (view.windows.baseline.label, facts.labelled_current))
    subtitle = f"{phrases.unit(view) or view.params.label}: from {before} (hollow) to {now} (filled)."
    need = phrases.chances(published.params.rules.trajectory)
    note = (
        f"Estimates after partial pooling. Right: change with 50 and 95% intervals. Improved or worsened needs {need}. Only "
        f"{nouns[1]} with data in both periods. {hidden_note(facts)}"
    )
    alt = (
        f"{numbers.capital(numbers.lower_first(view.params.label))} at baseline and now for {compared} "
        f"{numbers.plural(compared, nouns)}. {numbers.capital(_none(_number(facts, 'improved')))} improved, "
        f"{_none(_number(facts, 'worsened'))} worsened; for {_none(len(flat))} the change could be chance."
    )
    return words(published, title, numbers.capital(subtitle), note, alt)


def ranks(published: Published, facts: Facts) -> Words:
    nouns, view = facts.nouns, facts.view
    title = (
        f"{_ranks_say(facts)}: {facts.either_half} of{NO_BREAK}{facts.ranked} {nouns[1]} could belong in either half"
    )
    subtitle = f"Where each {nouns[0]} could rank on {numbers.lower_first(view.params.label)}{_now(facts)} (1 = best)."
    note = (
        f"Bars: 50 and 95 in{NO_BREAK}100 chances that the true rank is inside. Dot: mean rank, the average over all "
        f"rankings that fit the data. {numbers.capital(nouns[1])} with too few data have no rank. {hidden_note(facts)}"
    )
    alt = (
        f"95% intervals of rank for {facts.ranked} {numbers.plural(facts.ranked, nouns)}; {_none(facts.either_half)} could "
        f"be in either half; a typical interval spans {numbers.whole(facts.rank_width)} places."
    )
    return words(published, title, subtitle, note, alt)


def _ranks_say(facts: Facts) -> str:
    share = facts.either_half / max(facts.ranked, 1)
    return (
        "Ranks say little here" if share > 0.6 else "Ranks say something here" if share > 0.3 else "Ranks say much here"
    )


def spc(published: Published, facts: Facts, signals: Sequence[str]) -> Words:
    view = facts.view
    if signals:
        title = f"{view.params.label}: {numbers.number_word(len(signals))} {numbers.plural(len(signals), ('point', 'points'))} "
        title += "of the run chart signal more than the usual ups and downs"
    else:
        title = f"{view.params.label}: the ups and downs from period to period are no more than usual"
    subtitle = f"{numbers.capital(phrases.unit(view))}, all {facts.nouns[1]} together, as recorded."
    note = (
        "Individuals (XmR) chart with the rules of the NHS Making Data Count programme. Line: mean. Dashed: limits within "
        "which nearly all points of a steady process fall. A signal says that something changed, not what."
    )
    where = f": {numbers.listed([numbers.period_name(label) for label in signals], 6)}" if signals else ""
    alt = f"Control chart of {phrases.unit(view)}. {numbers.capital(_none(len(signals)))} signalled{where}."
    return words(published, title, subtitle, note, alt)


def _changed(facts: Facts) -> str:
    """ "Two hospitals worsened and none clearly improved"."""
    worse, better = _number(facts, "worsened"), _number(facts, "improved")
    if not worse and not better:
        return f"No {facts.nouns[0]} clearly improved or worsened"
    if worse and better:
        return f"{numbers.counted(worse, facts.nouns)} worsened and {numbers.number_word(better)} improved"
    number, verb, other = (worse, "worsened", "improved") if worse else (better, "improved", "worsened")
    return f"{numbers.counted(number, facts.nouns)} {verb} and none clearly {other}"


def hidden_note(facts: Facts) -> str:
    """Which rows lack their dot because a count is hidden; "" where none is."""
    number = facts.view.hidden
    if not number:
        return ""
    return (f"{numbers.capital(numbers.counted(number, facts.nouns))} with small counts "
            f"{numbers.plural(number, ('is', 'are'))} shown without dot, with a rounded interval.")  # fmt: skip


def _measure(facts: Facts, recorded: bool = False) -> str:
    view = facts.view
    if view.is_mean:
        return f"{view.params.label}, {view.params.unit}" if view.params.unit else view.params.label
    if view.adjusted:
        return f"{view.params.label}, {'observed' if recorded else 'estimated'} ÷ predicted for the same {view.params.cases}"
    return (
        f"{view.params.label}, {'recorded' if recorded else 'estimated'} ratio to the average of all {facts.nouns[1]}"
    )


def _now(facts: Facts) -> str:
    return f", {numbers.period_name(facts.labelled_current)}" if facts.labelled_current else ""


def _number(facts: Facts, slug: str) -> int:
    return len(facts.of("trajectory", slug))


def _none(number: int) -> str:
    return "none" if number == 0 else numbers.whole(number)


def tag(named: Named, word: str, remarkable: bool) -> str:
    """The text at the right end of a row: the word and its chance where a rule gives one."""
    return f"{word} · {phrases.chance_of(named)}" if remarkable else ""

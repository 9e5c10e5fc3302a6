"""What stands around a figure of sites, by rule: title, subtitle, note (its caption), alt text up to 350 characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from collabeval.disclosure import Published
from collabeval.statements import numbers, phrases
from collabeval.statements.facts import Facts
from collabeval.statements.headline import IS, SHOWS
from collabeval.statements.numbers import NO_BREAK

ALT_LIMIT = 350


@dataclass(frozen=True)
class Words:
    """The words of one figure; the note is its caption, the alt text goes where the picture cannot."""

    title: str
    subtitle: str
    note: str
    alt: str


def words(published: Published, title: str, subtitle: str, note: Sequence[str], alt: str) -> Words:
    """The four together: sentences of the note that are not "", the source last; the alt text within its limit."""
    return words_with_source(published.params.data.note, title, subtitle, note, alt)


def words_with_source(source: str, title: str, subtitle: str, note: Sequence[str], alt: str) -> Words:
    """The same where the source is known."""
    sentences = " ".join(sentence for sentence in (*note, source.strip()) if sentence)
    return Words(numbers.capital(title), numbers.capital(subtitle), sentences, shortened(alt))


def shortened(alt: str) -> str:
    """Alt text cut at a sentence where it runs too long; what it says in full stands in the table."""
    if len(alt) <= ALT_LIMIT:
        return alt
    whole = alt[: ALT_LIMIT + 1].rfind(". ")
    return alt[: whole + 1] if whole > 0 else alt[: ALT_LIMIT - 1].rsplit(" ", 1)[0] + "…"


def caterpillar(published: Published, facts: Facts, benchmark: bool) -> Words:
    """Estimates of all sites, best first."""
    nouns, label = facts.nouns, numbers.lower_first(facts.view.params.label)
    worse, better, signal, few = (len(facts.of("level", slug)) for slug in
                                  ("worse", "better", "worse_few_cases", "not_enough_data"))  # fmt: skip
    apart = len(facts.of("level", "unclear", "close"))
    title = _differ(facts, worse, better)
    if signal:
        title += f", {numbers.number_word(signal)} {numbers.plural(signal, SHOWS)} a signal on few cases"
    title += f"; {numbers.number_word(apart)} cannot be told apart"
    if few:
        title += f", and {numbers.number_word(few)} {numbers.plural(few, ('has', 'have'))} too few data to say"
    kind = "difference from" if facts.view.is_mean else "ratio to"
    same = f" with the same {facts.view.params.cases}" if facts.view.adjusted else ""
    subtitle = f"{facts.view.params.label}{now(facts)}: {kind} the average {nouns[0]}{same}, best first."
    note = (
        "Dot: estimate after partial pooling, which draws small numbers towards the average.",
        f"Thick line: 1 chance in 2 that the truth is inside; thin line: 95 in{NO_BREAK}100.",
        "Triangle: better; diamond: worse; hollow: not enough data.",
        _benchmark_note(facts) if benchmark else "",
        f"Better or worse needs {phrases.chances(published.params.rules.level)}; the chance stands beside the word.",
        hidden_note(facts),
    )
    alt = (
        f"{len(facts.level)} {numbers.plural(len(facts.level), nouns)} in order of {label}{now(facts)}, with 95% "
        "intervals. "
        f"{numbers.capital(number_or_none(better))} better and {number_or_none(worse)} worse than the average, "
        + (f"{signal} with a signal on few cases, " if signal else "")
        + f"{number_or_none(apart)} not told apart, {number_or_none(few)} with too few data."
    )
    return words(published, title, subtitle, note, alt)


def _benchmark_note(facts: Facts) -> str:
    if facts.view.params.benchmark is not None:
        return "Benchmark: the value that the params file sets."
    cases = facts.view.params.cases
    return (
        f"Benchmark: what the best {facts.nouns[1]}, together a tenth of all {cases}, achieve (range: 1 chance in 2)."
    )


def _differ(facts: Facts, worse: int, better: int) -> str:
    nouns = facts.nouns
    if not worse and not better:
        return f"No {nouns[0]} is clearly better or worse than average"
    number, word, other = (worse, "worse", "better") if worse else (better, "better", "worse")
    clause = f"{numbers.counted(number, nouns)} {numbers.plural(number, IS)} {word} than average and "
    if worse and better:
        return f"{clause}{numbers.number_word(better)} {numbers.plural(better, IS)} better"
    return f"{clause}none is clearly {other}"


def funnel(published: Published, facts: Facts, outside: Sequence[str], outside_both: Sequence[str]) -> Words:
    """Recorded values against the limits of chance; `outside` and `outside_both` name sites."""
    nouns, one, both = facts.nouns, len(outside), len(outside_both)
    title = f"No {nouns[0]} lies outside the 99.8% limits of chance"
    if one:
        lies = numbers.plural(one, ("lies", "lie"))
        title = f"{numbers.counted(one, nouns)} {lies} outside the 99.8% limits of chance; {_still(one, both)}"
        title += f" once the limits allow for ordinary differences between {nouns[1]}"
    subtitle = f"{_recorded(facts)}{now(facts)}, against {_size(facts)}."
    note = (
        f"Solid lines: where 95 and 99.8 in{NO_BREAK}100 {nouns[1]} would fall if all performed alike.",
        f"Dashed: the 99.8% limits widened for ordinary differences between {nouns[1]} (over-dispersion).",
        "Diamond: outside both.",
        "A point outside is a reason to look, not a verdict.",
        hidden_note(facts, dot_only=True),
    )
    named = f": {numbers.listed(outside_both, 4)}" if outside_both else ""
    alt = (
        f"{facts.view.params.label} against {_size(facts)} for {facts.sites} {numbers.plural(facts.sites, nouns)}. "
        f"{numbers.capital(number_or_none(one))} outside the 99.8% limits, {number_or_none(both)} outside the "
        "over-dispersed "
        f"limits{named}."
    )
    return words(published, title, subtitle, note, alt)


def _still(one: int, both: int) -> str:
    if one == both:
        return "it still does" if one == 1 else "both still do" if one == 2 else "all still do"
    if one == 1:
        return "it no longer does"
    still = ("does", "do")
    return f"{numbers.number_word(both)} of them still {numbers.plural(both, still)}"


def _size(facts: Facts) -> str:
    view = facts.view
    return f"the number of {view.params.cases}" if view.is_mean else f"the number of {view.params.events} predicted"


def ranks(published: Published, facts: Facts) -> Words:
    """Where each site could rank."""
    nouns = facts.nouns
    half = phrases.out_of(facts.either_half, facts.ranked, nouns)
    title = f"{_ranks_say(facts)}: {half} could belong in either half"
    subtitle = (
        f"Where each {nouns[0]} could rank on {numbers.lower_first(facts.view.params.label)}{now(facts)} (1 = best)."
    )
    note = (
        f"Bars: 50 and 95 in{NO_BREAK}100 chances that the true rank is inside.",
        "Dot: mean rank, the average over all rankings that fit the data.",
        _unranked(facts),
        hidden_note(facts),
    )
    alt = (
        f"95% intervals of rank for {facts.ranked} {numbers.plural(facts.ranked, nouns)}; "
        f"{number_or_none(facts.either_half)} could be in either half; a typical interval spans "
        f"{numbers.whole(facts.rank_width)} places."
    )
    return words(published, title, subtitle, note, alt)


def _unranked(facts: Facts) -> str:
    if facts.ranked < facts.competing:
        return f"Ranks are among {facts.competing} {facts.nouns[1]}; those with too few data compete but are not shown."
    return f"{numbers.capital(facts.nouns[1])} with too few cases have no rank." if facts.ranked < facts.sites else ""


def _ranks_say(facts: Facts) -> str:
    share = facts.either_half / max(facts.ranked, 1)
    return (
        "Ranks say little here" if share > 0.6 else "Ranks say something here" if share > 0.3 else "Ranks say much here"
    )


def hidden_note(facts: Facts, dot_only: bool = False) -> str:
    """Which rows lack their dot because a count is hidden; "" where none is."""
    number = facts.view.hidden
    if not number:
        return ""
    shown = "not drawn" if dot_only else "drawn without dot, with a rounded interval"
    which = numbers.capital(numbers.counted(number, facts.nouns))
    return f"{which} with small counts {numbers.plural(number, IS)} {shown}."


def _recorded(facts: Facts) -> str:
    """What a funnel shows: the measure as recorded, and its scale."""
    view = facts.view
    if view.is_mean:
        return f"{view.params.label}, {view.params.unit}" if view.params.unit else view.params.label
    if view.adjusted:
        return f"{view.params.label}, observed ÷ predicted"
    return f"{view.params.label}, ratio to the rate of all {facts.nouns[1]} together"


def now(facts: Facts) -> str:
    """ ", 2017–2019"; "" where the data have no periods."""
    return f", {numbers.period_name(facts.labelled_current)}" if facts.labelled_current else ""


def number_or_none(number: int) -> str:
    """A count in figures, 0 as "none"."""
    return "none" if number == 0 else numbers.whole(number)

"""The five questions of the first page, answered by rule."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from collabeval.disclosure import Published
from collabeval.statements import effect, numbers, phrases, value_card, value_facts
from collabeval.statements.facts import Facts, Named
from collabeval.statements.headline import IS, SHOWS

QUESTIONS = ("Did it work?", "For whom?", "How sure are we?", "What did it cost?", "What should we do?")


@dataclass(frozen=True)
class Bar:
    """One number of a card, drawn: a chance (accent, "n in 100") or a share (grey, "n%")."""

    label: str
    value: str
    share: float
    kind: str = "chance"


@dataclass(frozen=True)
class Card:
    """A question, its answer in at most eight words, at most three short sentences, and at most one bar."""

    question: str
    answer: str
    text: str = ""
    bar: Bar | None = None
    items: tuple[str, ...] = ()


def cards(published: Published, facts: Facts, actions: Sequence[str]) -> tuple[Card, ...]:
    """The five cards in the readers' order; `actions` are the first recommendations."""
    return (
        _did_it_work(published, facts),
        _for_whom(facts) if facts.change is not None else for_whom_now(facts),
        _how_sure(facts),
        _what_it_cost(published),
        Card(QUESTIONS[4], "", items=tuple(actions[:3])),
    )  # fmt: skip


def _what_it_cost(published: Published) -> Card:
    worth = value_facts.gather(published)
    found = value_card.card(published, worth)
    if found is None:
        return Card(QUESTIONS[3], "Not in this report.", value_card.without_costs(published, worth))
    answer, said, label, chance = found
    return Card(QUESTIONS[3], answer, said, _chance_bar(label, chance))


def _did_it_work(published: Published, facts: Facts) -> Card:
    if facts.change is None:
        return Card(QUESTIONS[0], "These data cannot say.",
                    "They hold one period only, so nothing can be said about change. The same table with a period "
                    "column (years, quarters or months) would fill this card.")  # fmt: skip
    verb = "fell" if facts.view.params.better == "lower" else "rose"
    label = f"Chance that the {phrases.quantity(facts.view)} {verb}"
    text = f"{change_sentence(facts)} {effect.after_change(published, facts.view)}"
    return Card(QUESTIONS[0], _verdict(published, facts), text, _chance_bar(label, facts.improved))


def change_sentence(facts: Facts) -> str:
    """From baseline to now, with the change and its interval: two sentences at most."""
    view, baseline = facts.view, facts.view.windows.baseline
    assert baseline is not None
    levels = ""
    if facts.baseline_rate is not None and facts.rate is not None:
        before, now = phrases.rate(view, facts.baseline_rate), phrases.short_rate(view, facts.rate)
        levels = f"{before}{phrases.in_period(baseline.label)} and {now}{phrases.in_period(facts.labelled_current)}"
        levels = numbers.capital(levels)
    size = phrases.events_a_year(facts) or phrases.change_on_scale(facts)
    size = f"{size}, not adjusted for case-mix"
    return f"{levels}: {size}." if levels else f"{numbers.capital(size)}."


def _verdict(published: Published, facts: Facts) -> str:
    """The answer to "did it work": a word only where the rule gives one; its number stands in the bar."""
    words, quantity = published.params.rules.probability_words, phrases.quantity(facts.view)
    for verb, probability in (("fell", facts.fell), ("rose", 1 - facts.fell)):
        word = numbers.probability_word(probability, words)
        if word:
            against = "" if (verb == "fell") == (facts.view.params.better == "lower") else "No sign of it: "
            sentence = f"the {quantity} {word} {verb}."
            return against + sentence if against else numbers.capital(sentence)
    return "We cannot tell yet."


def _chance_bar(label: str, probability: float) -> Bar | None:
    return Bar(label, numbers.chance(probability), probability) if math.isfinite(probability) else None


def _for_whom(facts: Facts) -> Card:
    """By trajectory: who changed since the baseline."""
    worse, better = facts.of("trajectory", "worsened"), facts.of("trajectory", "improved")
    rest = _could_be_chance(facts)
    if not worse and not better:
        return Card(QUESTIONS[1], f"No {facts.nouns[0]} clearly changed.", rest)
    named, verb, other = (worse, "worsened", "improved") if worse else (better, "improved", "worsened")
    answer = f"{numbers.capital(numbers.counted(len(named), facts.nouns))} {verb}; "
    answer += f"{numbers.number_word(len(better))} improved." if worse and better else f"none clearly {other}."
    sentences = [f"{numbers.capital(verb)}: {phrases.who(named, 3)}."]
    if worse and better:
        sentences.append(f"Improved: {phrases.who(better, 3)}.")
    return Card(QUESTIONS[1], answer, " ".join([*sentences, rest]).strip(), _named_bar(named[0], verb))


def _could_be_chance(facts: Facts) -> str:
    """ "For the other 32 hospitals with data in both periods the change could be chance."."""
    flat, changed = len(facts.of("trajectory", "no_clear_change")), len(facts.of("trajectory", "improved", "worsened"))
    if not flat:
        return ""
    which = "the other" if changed else "all" if flat > 1 else "the only"
    number = f"{numbers.number_word(flat)} " if flat > 1 else ""
    return (
        f"For {which} {number}{numbers.plural(flat, facts.nouns)} with data in both periods the change could be chance."
    )


def _named_bar(named: Named, what: str) -> Bar | None:
    """The chance of the site named first; no bar where only a threshold may be told."""
    return None if named.bounded else _chance_bar(f"Chance that {named.site} {what}", named.chance)


def for_whom_now(facts: Facts) -> Card:
    """By level: who differs from the average, where the data hold one period."""
    worse, better = facts.of("level", "worse"), facts.of("level", "better")
    few = facts.of("level", "worse_few_cases")
    signal = f"Signal on few cases: {phrases.who(few, 3)}." if few else ""
    rest = f"{signal} {level_rest(facts)}".strip()
    if not worse and not better:
        answer = f"No {facts.nouns[0]} stands apart from the average."
        if few:
            shows = numbers.plural(len(few), SHOWS)
            answer = numbers.capital(f"{numbers.counted(len(few), facts.nouns)} {shows} a signal on few cases.")
            rest = f"The signal: {phrases.who(few, 3)}. {level_rest(facts)}"
        return Card(QUESTIONS[1], answer, rest)
    named, word = (worse, "worse") if worse else (better, "better")
    answer = f"{numbers.capital(numbers.counted(len(named), facts.nouns))} {numbers.plural(len(named), IS)} {word}"
    answer += f", {numbers.number_word(len(better))} better than average." if worse and better else " than average."
    sentences = [f"{numbers.capital(word)}: {phrases.who(named, 3)}."]
    if worse and better:
        sentences.append(f"Better: {phrases.who(better, 3)}.")
    return Card(
        QUESTIONS[1], answer, " ".join([*sentences, rest]).strip(), _named_bar(named[0], f"is {word} than average")
    )


def level_rest(facts: Facts) -> str:
    """ "The other ten cannot be told apart from the average." and how many have too few data."""
    apart, few = len(facts.of("level", "unclear", "close")), len(facts.of("level", "not_enough_data"))
    sentences = []
    if apart:
        which = "the other " if apart + few < len(facts.level) else "all " if apart == len(facts.level) > 1 else ""
        sentences.append(f"{which}{numbers.number_word(apart)} cannot be told apart from the average.")
    if few:
        sentences.append(f"{numbers.number_word(few)} {numbers.plural(few, ('has', 'have'))} too few data to say.")
    return " ".join(numbers.capital(sentence) for sentence in sentences)


def _how_sure(facts: Facts) -> Card:
    sentences = []
    if facts.rate is not None:
        middle = numbers.decimal(facts.rate.median, phrases.digits(facts.view, facts.rate.median))
        sentences.append(
            f"The {phrases.quantity(facts.view)} of all {facts.nouns[1]} together is {middle} "
            f"{phrases.unit(facts.view)} "
            f"({phrases.rate_interval(facts.view, facts.rate)})."
        )
    if facts.ranked:
        half = phrases.out_of(facts.either_half, facts.ranked, facts.nouns)
        sentences.append(f"{numbers.capital(half)} with data enough could belong in either half of a ranking.")
    share = facts.rankability
    if not math.isfinite(share):
        return Card(QUESTIONS[2], "Of the whole more than of its parts.", " ".join(sentences))
    sentences.append(
        f"Of the difference that a typical {facts.nouns[0]} shows, {numbers.share_in_words(share)} is real; the rest "
        "is "
        "chance."
    )
    bar = Bar("Share of a typical difference that is real", numbers.percent(share), share, "share")
    return Card(QUESTIONS[2], _certainty(facts), " ".join(sentences), bar)


def _certainty(facts: Facts) -> str:
    if facts.rankability >= 0.7:
        return f"Differences between {facts.nouns[1]} are mostly real."
    if facts.rankability >= 0.5:
        return f"Differences between {facts.nouns[1]} are partly chance."
    return f"Single {facts.nouns[1]} can hardly be told apart."

"""Recommendations, each following from a rule and saying which."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

import pandas as pd

from collabeval.disclosure import Published
from collabeval.params.indicators import Feature
from collabeval.statements import multiplicity, numbers, phrases
from collabeval.statements.facts import Facts, Named
from collabeval.statements.headline import WORSE
from collabeval.statements.indicators import SHORT, Reading, against, of, read

WORKS = "How the collaborative works"


@dataclass(frozen=True)
class Advice:
    """What to do, the rule it follows from, and the measure it is about ("" for all, `WORKS` for none)."""

    action: str
    why: str
    measure: str = ""


def recommendations(published: Published, everything: Sequence[Facts]) -> tuple[Advice, ...]:
    """What to do: the leading measure first; talk, ask, visit, rank or not, collect; then how the collaborative works.

    The completeness of the data comes last.
    """
    found = [
        replace(advice, measure=facts.view.params.label)
        for facts in everything
        for rule in RULES
        for advice in rule(published, facts)
    ]
    found += [*_works(published), *_complete(published)]
    if not found:
        found.append(Advice("Keep measuring: nothing in these data calls for a visit or a change.", "No rule applies."))
    return tuple(found)


def first_three(found: Sequence[Advice], leading: str) -> list[str]:
    """The actions of the first page; one about another measure than the leading one names it."""
    return [
        f"{numbers.capital(advice.measure)}: {numbers.lower_first(advice.action)}"
        if advice.measure not in {"", leading}
        else advice.action
        for advice in found[:3]
    ]


def _talk(published: Published, facts: Facts) -> list[Advice]:
    worse = facts.of("level", *WORSE)
    if not worse:
        return []
    each = "it" if len(worse) == 1 else "each"
    action = (
        f"Talk first with {phrases.names(worse, 6)}: {each} "
        f"{phrases.worse_than(facts.view, facts.nouns)}, with {phrases.lowest_chance(worse)}."
    )
    why = f"Worse than average needs {phrases.chances(published.params.rules.level)}."
    why = _with_doubt(why, worse)
    few = facts.of("level", "worse_few_cases")
    if few:
        why += f" {phrases.names(few, 6)}: the signal rests on few cases, so begin with the cases themselves."
    return [Advice(action, why)]


def _ask(published: Published, facts: Facts) -> list[Advice]:
    worsened, baseline = facts.of("trajectory", "worsened"), facts.view.windows.baseline
    if not worsened or baseline is None:
        return []
    since = numbers.period_name(baseline.label.split("/")[-1])
    action = f"Ask {phrases.names(worsened, 6)} what has changed since {since}."
    why = f"Worsened needs {phrases.chances(published.params.rules.trajectory)}."
    return [Advice(action, _with_doubt(why, worsened))]


def _visit(published: Published, facts: Facts) -> list[Advice]:
    found = []
    proven = facts.of("deviance", "positive_deviant")
    if proven:
        action = f"Visit {phrases.names(proven, 6)} and learn what they do differently."
        why = "Consistently high performer"
        found.append(
            Advice(action, _with_doubt(f"{why}: best share now, and better in the earlier windows too.", proven))
        )
    early = facts.of("deviance", "emerging", "candidate")
    if early:
        action = f"Consider a visit to {phrases.names(early, 6)}: {_candidates(len(early))}."
        need = phrases.chances(published.params.rules.candidate)
        found.append(Advice(action, _with_doubt(f"A candidate needs {need} of being among the best.", early)))
    improved = facts.of("trajectory", "improved")
    if improved:
        action = f"Ask {phrases.names(improved, 6)} what made the difference."
        why = f"Improved needs {phrases.chances(published.params.rules.trajectory)}."
        found.append(Advice(action, _with_doubt(why, improved)))
    return found


def _with_doubt(why: str, named: Sequence[Named]) -> str:
    """The rule, and how many of the named chance alone would name."""
    return " ".join(filter(None, (why, multiplicity.sentence("", named))))


def _candidates(number: int) -> str:
    return "a candidate, not a proof" if number == 1 else "candidates, not proofs"


def _rank(published: Published, facts: Facts) -> list[Advice]:
    if not math.isfinite(facts.rankability) or facts.rankability >= published.params.rules.minimum_rankability:
        return []
    return [
        Advice(
            f"Publish no ranking. Share each {facts.nouns[0]}’s interval with its own team instead.",
            f"{numbers.percent(facts.rankability)} of a typical difference is real; a ranking needs "
            f"{numbers.percent(published.params.rules.minimum_rankability)}.",
        )
    ]


def _collect(published: Published, facts: Facts) -> list[Advice]:
    few = facts.of("level", "not_enough_data")
    if not few or len(few) * 4 < len(facts.level):
        return []
    target = published.params.rules.target_reliability
    need = facts.denominator_needed
    cases = facts.view.params.cases
    how = f"; about {numbers.estimated_count(need)} {cases} each would do" if math.isfinite(need) else ""
    return [
        Advice(
            f"Pool more {cases} before judging single {facts.nouns[1]}: "
            f"{numbers.counted(len(few), facts.nouns)} {numbers.plural(len(few), ('has', 'have'))} too few{how}.",
            f"Aim: at least {numbers.percent(target)} of a shown difference is real.",
        )
    ]


def _works(published: Published) -> list[Advice]:
    """What usually helps each indicator that falls short of its target by the rule of "worse"."""
    least = published.params.rules.level
    short = [one for one in of(read(published, get_args(Feature)), SHORT) if one.chance >= least]
    found = [Advice(_mend(one), f"{one.indicator.label} falls short: {against(one)}.", WORKS) for one in short]
    if found:
        named = [Named(one.name, one.word, one.chance, bool(one.row["hidden"])) for one in short]
        doubt = _with_doubt(f"Falling short needs {phrases.chances(least)}.", named)
        found[-1] = replace(found[-1], why=f"{found[-1].why} {doubt}")
    return found


def _mend(reading: Reading) -> str:
    return reading.indicator.improve or f"Agree on what would bring this to its target: {reading.name}."


def _complete(published: Published) -> list[Advice]:
    short = incomplete(published)
    if short.empty:
        return []
    names = numbers.listed(sorted(set(short["site"])), 6)
    least = numbers.percent(float(short["limit"].iloc[0]))
    return [Advice(f"Complete the data of {names}.", f"Less than {least} of their periods arrived.")]


def incomplete(published: Published) -> pd.DataFrame:
    """Completeness rows of sites below the share that is asked for."""
    rows = published.quality[published.quality["check"].eq("completeness")]
    return rows[~rows["passed"].astype(bool)]


RULES = (_talk, _ask, _visit, _rank, _collect)

"""Words that the five features, survey, ratings and audit share: names, targets, change."""

from __future__ import annotations

import math
from collections.abc import Sequence

from collabeval.disclosure import Published
from collabeval.statements import numbers
from collabeval.statements.headline import IS
from collabeval.statements.numbers import NO_BREAK

NAMES = {
    "positive_deviance": "Learning from positive deviance",
    "coordination": "High-quality coordination",
    "measurement": "Measurement and feedback",
    "levers": "Motivational levers",
    "leadership": "Leadership and community",
    "rigour": "Rigorous measurement",
    "accountability": "Accountability",
    "burden": "Relief from burden",
}
TARGET_WORDS = {"at_target": "at target", "below_target": "below target", "too_early": "cannot tell"}
CHANGE_WORDS = {"improved": "rose", "worsened": "fell", "no_clear_change": "no clear change"}


def name(feature: str) -> str:
    """A feature as a heading; a scale of another name as it is."""
    return NAMES.get(feature, feature)


def against_target(chance: float, level: float) -> str:
    """Slug: at target or below it where the chance of that is at least `level`, else nobody can tell yet."""
    if not math.isfinite(chance):
        return "too_early"
    return "at_target" if chance >= level else "below_target" if 1 - chance >= level else "too_early"


def change_of(chance: float, level: float) -> str:
    """Slug: improved or worsened where the chance is at least `level`; "" where there is nothing to compare."""
    if not math.isfinite(chance):
        return ""
    return "improved" if chance >= level else "worsened" if 1 - chance >= level else "no_clear_change"


def chance_of(slug: str, chance: float) -> str:
    """ "98 in 100": the chance of what the word says; where it says nothing, of being at target or having risen."""
    return numbers.chance_short(1 - chance if slug in ("worsened", "below_target") else chance)


def chance_line(slug: str, chance: float) -> str:
    """The line under a word against a target: "chance 98 in 100"; where we cannot tell, "11 in 100 at target"."""
    said = chance_of(slug, chance)
    return f"{said} at target" if slug == "too_early" else f"chance {said}"


def targets_met(slugs: Sequence[str], nouns: tuple[str, str], with_data: str = "") -> str:
    """ "Two of five features are at target and two are below; for one we cannot tell"."""
    total = len(slugs)
    met, below, early = (slugs.count(slug) for slug in ("at_target", "below_target", "too_early"))
    every = (
        f"The only {nouns[0]}{with_data}" if total == 1 else f"All {numbers.number_word(total)} {nouns[1]}{with_data}"
    )
    of = f"{numbers.number_word(total)} {numbers.plural(total, nouns)}{with_data}"
    if early == total == 1:
        return f"For {numbers.lower_first(every)} we cannot tell whether it is at target"
    if early == total:
        return f"For no {nouns[0]} of {numbers.number_word(total)}{with_data} can we tell whether it is at target"
    if total in (met, below):
        return f"{every} {numbers.verb(total, IS)} {'at' if met else 'below'} target"
    said = f"{numbers.capital(numbers.number_word(met))} of {of} {numbers.verb(met, IS)} at target"
    if not met:
        said = f"No {nouns[0]} of {numbers.number_word(total)}{with_data} is at target"
    if below:
        said += f" and {numbers.number_word(below)} {numbers.verb(below, IS)} below"
    return f"{said}; for {numbers.number_word(early)} we cannot tell" if early else said


def with_interval(middle: float, low: float, high: float, digits: int = 0, sign: bool = False) -> str:
    """ "72 (65 to 79)"; – where there is none."""
    if not math.isfinite(middle):
        return numbers.NOT_ESTIMATED
    write = numbers.signed if sign else numbers.decimal
    return f"{write(middle, digits)} ({numbers.interval(low, high, digits, sign)})"


def since(label: str) -> str:
    """ " since 2024"; "" without an earlier wave."""
    return f" since{NO_BREAK}{numbers.period_name(label)}" if label else ""


def models(published: Published) -> list[str]:
    """How survey, ratings, audits and scores were made, a sentence for each that the report has."""
    target = published.params.profile.target
    said = {
        "survey": "Survey: a cumulative logit model for each group of questions, with cut points of each question, "
        "effects of sites, roles and the year, and one effect of each person for all questions; shares are averages "
        "over persons.",
        "ratings": "Ratings: a many-facet model of neighbouring scores, with the severity of each rater taken out.",
        "audit": "Audits: a binomial model in which sites, fields and their changes since last year are drawn "
        "together.",
        "profile": "Scores: each part’s distance from its target (log-odds of shares, logarithms or standard "
        "deviations of other values), at most 2 to either side, averaged by weight; with all parts at target a feature "
        f"has {target:g} of 100.",
    }
    return [sentence for name, sentence in said.items() if getattr(published, name) is not None]

"""The finding as a headline, and the line under it."""

from __future__ import annotations

from collabeval.disclosure import Published
from collabeval.statements import numbers, phrases
from collabeval.statements.facts import Facts

WORSE = ("worse", "worse_few_cases")
IS = ("is", "are")
SHOWS = ("shows", "show")


def headline(published: Published, facts: Facts) -> str:
    """The report's title: what happened to the leading measure, and which sites stand out. No full stop."""
    label = facts.view.params.label
    if facts.change is None:
        return numbers.capital(f"{label}: {level_clause(facts)}")
    return numbers.capital(
        f"{label} {change_clause(published, facts)}; {trajectory_clause(facts) or level_clause(facts)}"
    )


def change_clause(published: Published, facts: Facts) -> str:
    """ "very probably fell (97 in 100)" or "did not clearly change"."""
    return phrases.direction(facts, published.params.rules.probability_words) or "did not clearly change"


def level_clause(facts: Facts) -> str:
    """Who differs from the average: "one of 12 hospitals is worse than average and one is better"."""
    worse, better, few = (len(facts.of("level", slug)) for slug in ("worse", "better", "worse_few_cases"))
    if not worse and not better:
        if few:
            return f"{numbers.counted(few, facts.nouns)} {numbers.plural(few, SHOWS)} a signal on few cases"
        return f"no {facts.nouns[0]} can be told apart from the average"
    first, word, second, other = (worse, "worse", better, "better") if worse else (better, "better", worse, "worse")
    clause = f"{numbers.counted(first, facts.nouns, of=facts.sites)} {numbers.plural(first, IS)} {word} than average"
    return f"{clause} and {numbers.number_word(second)} {numbers.plural(second, IS)} {other}" if second else clause


def trajectory_clause(facts: Facts) -> str:
    """Which sites changed: "two hospitals worsened and one improved"; "" where none clearly did."""
    worse, better = len(facts.of("trajectory", "worsened")), len(facts.of("trajectory", "improved"))
    if not worse and not better:
        return ""
    first, verb, second, other = (
        (worse, "worsened", better, "improved") if worse else (better, "improved", worse, "worsened")
    )
    clause = f"{numbers.counted(first, facts.nouns)} {verb}"
    return f"{clause} and {numbers.number_word(second)} {other}" if second else clause


def lead(published: Published, facts: Facts) -> str:
    """ "37 hospitals, 85,591 operations from 2010 to 2019. Five questions, answered; the chapters show how."."""
    view = facts.view
    rows = published.totals[published.totals["measure"].eq(view.name) & published.totals["window"].eq("all")].iloc[0]
    parts = [f"{numbers.whole(rows['sites'])} {numbers.plural(rows['sites'], facts.nouns)}"]
    if rows["cases"] == rows["cases"]:
        parts.append(f"{numbers.whole(rows['cases'])} {view.params.cases}")
    periods = list(published.trend[published.trend["measure"].eq(view.name)]["period"])
    span = f" from {numbers.period_name(periods[0])} to {numbers.period_name(periods[-1])}" if len(periods) > 1 else ""
    return f"{', '.join(parts)}{span}. Five questions, answered; the chapters show how."


def line_on(published: Published, facts: Facts) -> str:
    """One line on a further measure: its change if there is one, who stands out, and which direction is good."""
    return f"{headline(published, facts)}. {numbers.capital(facts.view.params.better)} is better."

"""The message of each chapter of a portfolio, its recommendations, and what stands around its figures; by rule."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from collabeval.disclosure.portfolio import MemberView
from collabeval.params.indicators import FIVE
from collabeval.portfolio.association import MINIMUM
from collabeval.statements import numbers
from collabeval.statements.figures import Words, shortened
from collabeval.statements.numbers import NO_BREAK
from collabeval.statements.portfolio import CHANGE, EFFECT, SAVES, headline, less, needed, share_less
from collabeval.statements.portfolio_facts import COLLABORATIVES, Line, PortfolioFacts

FEATURES = {
    "positive_deviance": "Learning from positive deviance",
    "coordination": "Coordination",
    "measurement": "Measurement and feedback",
    "levers": "Motivational levers",
    "leadership": "Leadership and community",
}
SHORT = {"positive_deviance": "Positive deviance", "coordination": "Coordination", "measurement": "Measurement",
         "levers": "Levers", "leadership": "Leadership"}  # fmt: skip
BELOW = 0.05  # chance of being at target below which a feature is clearly short of it
FEW_DO = 0.5  # share of sites below which a practice has room to spread


def features_message(facts: PortfolioFacts) -> str:
    """Which feature falls short of its target in most collaboratives, and which are reached."""
    members = with_features(facts)
    short = {feature: [m for m in members if facts.feature_chance(m, feature) <= BELOW] for feature in FIVE}
    worst = max(FIVE, key=lambda feature: len(short[feature]))
    reached = sum(facts.feature_chance(m, feature) >= 0.8 for m in members for feature in FIVE)
    scored = sum(facts.score(m, feature) is not None for m in members for feature in FIVE)
    said = f"{_number(reached)} of {numbers.whole(scored)} scores "
    said += f"{numbers.verb(reached, ('is', 'are'))} probably at target"
    if not short[worst]:
        return f"{said}; none is clearly below."
    which = numbers.counted(len(short[worst]), COLLABORATIVES, of=len(members))
    return f"{said}; most often short of it is {numbers.lower_first(FEATURES[worst])}, clearly below in {which}."


def indicators_message(facts: PortfolioFacts) -> str:
    """How many indicators are at target, and the feature where most fall short."""
    members = with_indicators(facts)
    counts = {feature: [facts.at_target(member, feature) for member in members] for feature in FIVE}
    at, short, judged = (sum(of[place] for found in counts.values() for of in found) for place in range(3))
    said = f"{_number(at)} of {numbers.whole(judged)} indicators with a target {numbers.verb(at, ('is', 'are'))} "
    said += f"probably at it and {numbers.number_word(short)} probably short of it"
    missed = {feature: sum(of[1] for of in found) for feature, found in counts.items()}
    worst = max(FIVE, key=lambda feature: missed[feature])
    every = sum(of[2] for of in counts[worst])
    if not short:
        return f"{said}."
    name = numbers.lower_first(FEATURES[worst])
    return f"{said}, most often those of {name} ({numbers.whole(missed[worst])} of {numbers.whole(every)})."


def with_indicators(facts: PortfolioFacts) -> list[MemberView]:
    """Collaboratives with an indicator of the five features that has a target."""
    rows = facts.published.indicators
    there = set(rows[rows["feature"].isin(FIVE)]["collaborative"])
    return [member for member in facts.published.members if member.name in there]


def with_features(facts: PortfolioFacts) -> list[MemberView]:
    """Collaboratives with a score of any feature."""
    there = set(facts.published.features["collaborative"])
    return [member for member in facts.published.members if member.name in there]


def lacking(facts: PortfolioFacts, part: str, what: str) -> str:
    """A sentence on the collaboratives that lack a part; "" where none does."""
    names = [member.label for member in facts.published.members if part in member.lacks]
    return f"{what}: {numbers.listed(names, 6)}." if names else ""


def practices_message(facts: PortfolioFacts, now: pd.DataFrame) -> str:
    """How far practices have spread: the one that differs most between collaboratives, and the least usual."""
    spread = now.groupby("practice")["share"].agg(["min", "max", "median"])
    widest = str((spread["max"] - spread["min"]).idxmax())
    rare = str(spread["median"].idxmin())
    low, high = (numbers.percent(spread[end].to_dict()[widest]) for end in ("min", "max"))
    said = f"{label(widest)} differs most: {low} of {facts.nouns[1]} do it in one collaborative and {high} in another."
    if rare != widest:
        middle = numbers.percent(spread["median"].to_dict()[rare])
        said += f" Least usual is {numbers.lower_first(label(rare))}: {middle} in the collaborative in the middle."
    return said


def label(practice: str) -> str:
    """A practice's code as words: `shared_dashboard` is "Shared dashboard"."""
    return numbers.capital(practice.replace("_", " "))


def association_message(facts: PortfolioFacts) -> str:
    """What goes with improvement, where anything does; or that there are too few collaboratives."""
    rows = facts.published.association
    if rows["feature"].eq("").all():
        count, needs = int(rows["collaboratives"].iloc[0]), MINIMUM
        have = numbers.counted(count, COLLABORATIVES)
        return (f"Not estimated: {have} {numbers.verb(count, ('has', 'have'))} both a score of every feature and a "
                f"measured improvement, and it takes {numbers.number_word(needs)}.")  # fmt: skip
    words = facts.published.params.rules.probability_words
    said = []
    for row in rows.sort_values("probability", ascending=False).to_dict("records"):
        word = numbers.probability_word(row["probability"], words)
        if word:
            said.append(f"{numbers.lower_first(FEATURES[row['feature']])} ({numbers.chance(row['probability'])})")
    if not said:
        return "We cannot tell whether any of the five features goes with improvement."
    return f"Collaboratives with more of {numbers.listed(said)} probably improved more."


EXPLORATORY = (
    "Exploratory. Collaboratives were not drawn by lot to work as they do: what goes with a feature here may have "
    "other causes, and a few collaboratives decide it. Scores and improvements both enter with their errors; most "
    "slopes are drawn towards none, since few features can be told apart with so few collaboratives: a slope near none "
    "is no sign that a feature does not matter."
)


def less_for_points(row: pd.Series) -> str:
    """A slope as a reader takes it in: how much less of what is not wanted goes with ten points more."""
    ends = [round(100 * (1 - math.exp(-row[name]))) for name in ("q50", "q025", "q975")]
    middle, low, high = (f"{numbers.signed(-value, 0)}%" for value in ends)
    return f"{middle} ({high}{NO_BREAK}to{NO_BREAK}{low})"


def actions(facts: PortfolioFacts) -> list[str]:
    """Recommendations by rule, the most pressing first."""
    found = []
    for name, kind in facts.published.left_out:
        said = "its params or data were refused" if kind == "refused" else "a step of its evaluation failed"
        found.append(f"Evaluate {name} and run the portfolio again: {said}.")
    worse = [line.member.label for line in facts.leading if line.bad]
    if worse:
        found.append(f"Ask why {numbers.listed(worse, 3)} did worse, before any money follows.")
    if facts.basis == "change":
        lacking = [member.label for member in facts.published.members
                   if "effect" in member.lacks and "comparators" not in member.given]  # fmt: skip
        if lacking:
            found.append(f"Find comparators for {numbers.listed(lacking, 3)}, so that effect can be told from change.")
    found += _short_of_target(facts)
    for part, table in (("features", "indicators"), ("value", "costs")):
        members = facts.published.members
        without = [member.label for member in members if part in member.lacks and table not in member.given]
        found += [f"Ask {numbers.listed(without, 3)} for a table of {table}."] if without else []
    return found or ["Go on as now, and look again next year."]


def _short_of_target(facts: PortfolioFacts) -> list[str]:
    """The feature to work on: where most scores are short of target or, without scores, most indicators."""
    members = with_features(facts)
    if not members:
        found = [(sum(facts.at_target(member, feature)[1] for member in with_indicators(facts)), feature)
                 for feature in FIVE]  # fmt: skip
        most, feature = max(found, key=lambda pair: pair[0])
        name = numbers.lower_first(FEATURES[feature])
        return [f"Work on {name}, where most indicators fall short of target."] if most else []
    short = {feature: [m.label for m in members if facts.feature_chance(m, feature) <= BELOW] for feature in FIVE}
    worst = max(FIVE, key=lambda feature: len(short[feature]))
    if not short[worst]:
        return []
    name = numbers.lower_first(FEATURES[worst])
    return [f"Work on {name} with {numbers.listed(short[worst], 3)}, clearly below target."]


def outcomes_figure(facts: PortfolioFacts) -> Words:
    """The leading measure of every collaborative."""
    effect = facts.basis == "effect"
    against = "what it would have been without the programme" if effect else "what it was at baseline"
    note = (
        "Dot: estimate. Thick line: 1 chance in 2 that the truth is inside; thin line: 95 in 100.",
        f"Not wanted: the events, or where more is better the cases without them; the ratio is to {against}.",
        f"A word needs {numbers.chances_at_least(needed(facts))}.",
        EFFECT if effect else CHANGE,
    )
    subtitle = f"What is not wanted, ratio to {against}; leading measure of each collaborative, best first."
    compared = [line for line in facts.leading if line.ratio is not None]
    told = [f"{line.member.label} {less(line.ratio)}" for line in compared if line.ratio is not None]
    alt = f"{len(facts.leading)} collaboratives in order of improvement. {headline(facts)}. {'; '.join(told)}."
    return Words(_from_to(compared), subtitle, " ".join(note), shortened(alt))


def _from_to(lines: Sequence[Line]) -> str:
    """ "What is not wanted: from 53% less in Hips to 28% more in Births"."""
    ends = [f"{share_less(one.ratio)} in {one.member.label}" for one in (lines[0], lines[-1]) if one.ratio is not None]
    return f"What is not wanted: {'from ' if len(lines) > 1 else ''}{' to '.join(dict.fromkeys(ends))}"


def features_figure(facts: PortfolioFacts) -> Words:
    """Five panels of scores."""
    members = with_features(facts)
    note = "Dot: score from 0 to 100. Thick line: 1 chance in 2 that the truth is inside; thin line: 95 in 100. "
    note += "Blue bar: target. " if any(math.isfinite(facts.target(member)) for member in members) else ""
    note += "Hollow: clearly below target, with at most 5 chances in 100 of being there."
    told = []
    for member in members:
        scores = [f"{SHORT[feature].lower()} {round(score.median)}" for feature in FIVE
                  if (score := facts.score(member, feature)) is not None]  # fmt: skip
        told.append(f"{member.label}: {', '.join(scores)}")
    alt = f"Scores of {len(members)} collaboratives in five features. {'; '.join(told)}."
    title = features_message(facts).rstrip(".").split(";")[0]
    subtitle = "Scores of the five features, 0 to 100; collaboratives in the order of their improvement."
    return Words(title, subtitle, note, shortened(alt))


def value_figure(facts: PortfolioFacts, members: Sequence[MemberView], unit: str) -> Words:
    """Net benefit of every collaborative."""
    found = [(member, worth) for member in members if (worth := facts.worth(member, "net_benefit")) is not None]
    saved = sum(worth.chance >= SAVES for _, worth in found)
    title = f"{_number(saved)} of {numbers.whole(len(found))} collaboratives probably saved more than they cost"
    note = (
        "Net benefit: cost avoided less programme cost. Thick line: 1 chance in 2 that the truth is inside; thin line: "
        "95 in 100. The chance beside a row is that of a net saving."
    )
    told = [f"{member.label} chance of a net saving {numbers.chance(worth.chance)}" for member, worth in found]
    alt = f"Net benefit of {len(found)} collaboratives. {'; '.join(told)}."
    return Words(title, f"Net benefit in {unit}, best first.", note, shortened(alt))


def association_figure(facts: PortfolioFacts) -> Words:
    """Slopes of the five features."""
    rows = facts.published.association
    told = [f"{FEATURES[row['feature']]}: chance that it goes with improvement {numbers.chance(row['probability'])}"
            for row in rows.to_dict("records")]  # fmt: skip
    note = (f"{int(rows['collaboratives'].iloc[0])} collaboratives. Dot: estimate, drawn towards none. Thick line: 1 "
            "chance in 2 that the truth is inside; thin line: 95 in 100. Exploratory.")  # fmt: skip
    title = association_message(facts).rstrip(".")
    subtitle = "What is not wanted, ratio for ten points more of a feature."
    return Words(title, subtitle, note, shortened(f"{'; '.join(told)}."))


def _number(count: int) -> str:
    return numbers.capital(numbers.number_word(count))

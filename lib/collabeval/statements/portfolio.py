"""Sentences about a portfolio, by rule: the finding, the five answers, and a message for each chapter."""

from __future__ import annotations

import math

from collabeval.disclosure.portfolio import MemberView
from collabeval.statements import numbers
from collabeval.statements.cards import QUESTIONS, Bar, Card
from collabeval.statements.facts import Estimate
from collabeval.statements.money import money
from collabeval.statements.numbers import NO_BREAK
from collabeval.statements.portfolio_facts import COLLABORATIVES, Line, PortfolioFacts, wrongly

SAID = {"effect": "did better than they would have without it", "change": "improved since baseline"}
SAID_OF_ONE = {"effect": "did better than it would have without it", "change": "improved since baseline"}
WORSE = {"effect": "did worse than without it", "change": "worsened"}
SAVES = 0.8  # chance of a net saving from which a collaborative probably saved more than it cost
CHANGE = (
    "This is change since each baseline, not effect: the effect of the programme is not known of every collaborative."
)
EFFECT = "Held against what would have happened without the programme, as comparators and sites yet to join show it."


def headline(facts: PortfolioFacts) -> str:
    """The report's title: in how many collaboratives the leading measure is better. No full stop."""
    good, bad, rest = split(facts.leading)
    total, basis = len(facts.leading), facts.basis
    clause = f"{_of(len(good), total)} {SAID[basis] if len(good) != 1 else SAID_OF_ONE[basis]}"
    if bad:
        clause += f", {numbers.number_word(len(bad))} {WORSE[basis]}"
    if rest:
        clause += f"; for {numbers.number_word(len(rest))} we cannot tell"
    return numbers.capital(clause)


def split(lines: tuple[Line, ...]) -> tuple[list[Line], list[Line], list[Line]]:
    """Those for the better, for the worse, and the others."""
    good, bad = [line for line in lines if line.good], [line for line in lines if line.bad]
    return good, bad, [line for line in lines if not line.good and not line.bad]


def _of(number: int, total: int) -> str:
    if number == total and total > 1:
        return f"all {numbers.number_word(total)} collaboratives"
    return numbers.counted(number, COLLABORATIVES, of=total)


def lead(facts: PortfolioFacts) -> str:
    """How much lies behind the page: collaboratives, sites, time, and what is left out."""
    members = facts.published.members
    places = sum(member.sites for member in members)
    said = f"{numbers.capital(numbers.counted(len(members), COLLABORATIVES))}, {_sites(facts, places)}"
    years = sorted({member.first[:4] for member in members} | {member.last[:4] for member in members})
    said += f", {years[0]} to {years[-1]}." if len(years) > 1 else "."
    if facts.published.left_out:
        names = numbers.listed([label for label, _ in facts.published.left_out], 4)
        said += f" Left out, since it could not be evaluated: {names}." if len(facts.published.left_out) == 1 else (
            f" Left out, since they could not be evaluated: {names}.")  # fmt: skip
    return said


def _sites(facts: PortfolioFacts, places: int) -> str:
    """ "about 90 hospitals, about 30 of them in several": by the register; without one, places are not sites."""
    rows = facts.published.by_number
    if rows.empty:
        return f"{numbers.whole(places)} places of {facts.nouns[1]} (one that takes part in two counts twice)"
    total = int(rows["sites_counted"].sum())
    several = int(rows.loc[rows["collaboratives"].gt(1) | rows["more"], "sites_counted"].sum())
    alone = bool(len(rows)) and int(rows["collaboratives"].iloc[0]) == 1 and not rows["more"].iloc[0]
    more = f", about {numbers.whole(several)} of them in several" if several and alone else ""
    return f"about {numbers.whole(total)} {numbers.plural(total, facts.nouns)}{more}"


def cards(facts: PortfolioFacts, actions: list[str]) -> tuple[Card, ...]:
    """The five questions, answered for the portfolio."""
    return (_did_it_work(facts), _for_whom(facts), _how_sure(facts), _what_cost(facts),
            Card(QUESTIONS[4], "", items=tuple(actions[:3])))  # fmt: skip


def _did_it_work(facts: PortfolioFacts) -> Card:
    good, bad, rest = split(facts.leading)
    total = len(facts.leading)
    which = f"all {numbers.number_word(total)}" if len(good) == total > 1 else (
        f"{numbers.number_word(len(good))} of {numbers.whole(total)}")  # fmt: skip
    answer = f"In {which}, by their leading measure."
    parts = [f"{numbers.capital(word)}: {_who(lines)}." for word, lines in (("better", good), ("worse", bad)) if lines]
    parts += [f"We cannot tell: {numbers.listed([line.member.label for line in rest], 4)}."] if rest else []
    return Card(QUESTIONS[0], answer, " ".join([*parts, EFFECT if facts.basis == "effect" else CHANGE]))


def _who(lines: list[Line], at_most: int = 3) -> str:
    """Collaboratives with the chance of their word, the surest first."""
    ordered = sorted(lines, key=lambda line: -max(line.chance, 1 - line.chance))
    named = [f"{line.member.label} ({numbers.chance(max(line.chance, 1 - line.chance))})" for line in ordered]
    return numbers.listed(named, at_most)


def _for_whom(facts: PortfolioFacts) -> Card:
    """Sites of all collaboratives by trajectory, in their leading measures."""
    leading = {(line.member.name, line.view.name) for line in facts.leading}
    rows = facts.published.words
    rows = rows[rows["slot"].eq("trajectory")]
    rows = rows[[key in leading for key in zip(rows["collaborative"], rows["measure"], strict=True)]]
    counts = rows.groupby("statement")["sites"].sum()
    better, worse = int(counts.get("improved", 0)), int(counts.get("worsened", 0))
    compared = int(counts.drop("joined_later", errors="ignore").sum())
    if not compared:
        return Card(QUESTIONS[1], "These data cannot say.", f"No {facts.nouns[0]} has data before and now.")
    wrong = float(rows.loc[rows["statement"].isin(["improved", "worsened"]), "wrongly"].sum())
    answer = f"{numbers.capital(numbers.counted(better, facts.nouns))} clearly improved, {_number(worse)} worsened."
    text = (
        f"Counted in the leading measure of each collaborative, where {numbers.whole(compared)} places of "
        f"{facts.nouns[1]} can be compared with their baseline; for the others the change could be chance. "
    )
    return Card(QUESTIONS[1], answer, text + expected_wrong(wrong, better + worse))


def _number(count: int) -> str:
    return numbers.number_word(count)


def expected_wrong(wrong: float, named: int) -> str:
    """ "Of these 24 words about two can be expected to be chance."."""
    if not named:
        return ""
    words = "this one word" if named == 1 else f"these {numbers.whole(named)} words"
    return f"Of {words} {about(wrong)} can be expected to be chance."


def about(wrong: float) -> str:
    """An expected number wrongly named: "about 2.3", "fewer than 0.1"."""
    return "fewer than 0.1" if wrong < 0.05 else f"about {numbers.decimal(wrong, 1 if wrong < 10 else 0)}"


def _how_sure(facts: PortfolioFacts) -> Card:
    named = [line for line in facts.leading if line.good or line.bad]
    text = f"A word needs {numbers.chances_at_least(needed(facts))}. "
    text += expected_wrong(wrongly(facts.leading), len(named))
    every = facts.published.words
    said = every[every["statement"].isin(["better", "worse", "improved", "worsened", "positive_deviant", "review"])]
    total = int(said["sites"].sum())
    if total:
        text += f" Over all measures and collaboratives {numbers.whole(total)} words name a {facts.nouns[0]}; "
        text += f"{about(float(said['wrongly'].sum()))} of them can be expected to be chance."
    share = len(named) / len(facts.leading) if facts.leading else 0.0
    answer = "Sure enough for most of them." if share > 0.5 else "Not sure enough for most of them."
    bar = Bar("Collaboratives with a clear answer", numbers.percent(share), share, "share")
    return Card(QUESTIONS[2], answer, text.strip(), bar)


def needed(facts: PortfolioFacts) -> float:
    """The chance that a word about a collaborative needs."""
    rules = facts.published.params.rules
    return rules.level if facts.basis == "effect" else rules.trajectory


def _what_cost(facts: PortfolioFacts) -> Card:
    known = [member for member in facts.published.members if facts.worth(member, "programme_cost") is not None]
    if not known:
        return Card(QUESTIONS[3], "Not in this report.",
                    "No collaborative's own run has a result of costs. A table of costs (costs.csv) and a cost for "
                    "each event avoided would fill this card.")  # fmt: skip
    total = total_money(facts, known, "programme_cost")
    answer = f"{total} over all." if total else "Told in several currencies."
    sentences = [f"{numbers.capital(numbers.counted(len(known), COLLABORATIVES))} told what it cost."
                 if len(known) == 1 else
                 f"{numbers.capital(numbers.number_word(len(known)))} collaboratives told what they cost."]  # fmt: skip
    worth = [one for member in known if (one := facts.worth(member, "net_benefit")) is not None]
    saved = [one for one in worth if one.chance >= SAVES]
    if worth:
        sentences.append(f"Of {numbers.number_word(len(worth))} with a value of what was avoided, "
                         f"{numbers.number_word(len(saved))} probably saved more than that.")  # fmt: skip
    return Card(QUESTIONS[3], answer, " ".join(sentences))


def total_money(facts: PortfolioFacts, members: list[MemberView], estimand: str) -> str:
    """The sum over collaboratives of a known amount; "" where their currencies or prices differ."""
    found = [one for member in members if (one := facts.worth(member, estimand)) is not None]
    kinds = {(one.currency, one.price_year) for one in found}
    return money(sum(one.estimate.median for one in found), next(iter(kinds))[0]) if len(kinds) == 1 else ""


def less(ratio: Estimate) -> str:
    """ "18% less (9% to 26%)", "4% more (10% less to 20% more)": what is not wanted, against what it was."""
    if not math.isfinite(ratio.median):
        return numbers.NOT_ESTIMATED
    middle, low, high = (round(100 * (1 - value)) for value in (ratio.median, ratio.upper, ratio.lower))
    if low > 0 or high < 0:
        first, last = sorted((abs(low), abs(high)))
        span = f"{first}%{NO_BREAK}to{NO_BREAK}{last}%"
    else:
        span = f"{_share(low)}{NO_BREAK}to{NO_BREAK}{_share(high)}"
    return f"{_share(middle)} ({span})"


def share_less(ratio: Estimate) -> str:
    """The middle of the same: "18% less"."""
    return _share(round(100 * (1 - ratio.median)))


def _share(points: int) -> str:
    return f"{abs(points)}%{NO_BREAK}{'less' if points >= 0 else 'more'}"

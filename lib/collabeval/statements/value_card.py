"""The first page's answer to "what did it cost", by rule."""

from __future__ import annotations

import math

from collabeval.disclosure import Published
from collabeval.statements import numbers, value, value_notes
from collabeval.statements.money import money
from collabeval.statements.value_facts import Worth


def card(published: Published, worth: Worth | None) -> tuple[str, str, str, float] | None:
    """Answer and text of the first page's card, and a chance with its name (NaN for none); None without costs."""
    if worth is None or (worth.net is None and not math.isfinite(worth.cost)):
        return None
    currency = worth.params.currency
    if worth.net is None or worth.saved is None:
        return f"It cost {money(worth.cost, currency)}.", value.finding(published, worth), "", math.nan
    slug, word, _ = value.verdict(worth, published.params.rules.probability_words)
    effects = {"saved": f"It {word} saved more than it cost.", "unclear": "We cannot tell whether it paid.",
               "cost_more": f"It {word} cost more than it saved."}  # fmt: skip
    changes = {"saved": f"Change, not effect: {word} worth its cost.", "unclear": "Change, not effect: we cannot tell.",
               "cost_more": f"Change, not effect: {word} not worth it."}  # fmt: skip
    answer = (effects if worth.basis == "effect" else changes)[slug]
    sums = f"{value.in_and_out(worth)}."
    label = "Chance that it saved more than it cost"
    label = label if worth.basis == "effect" else "Chance that the change is worth the cost"
    said = " ".join(filter(None, [value.hedged(numbers.capital(sums), worth.basis), value.returns(worth)]))
    return answer, said, label, worth.chance


def without_costs(published: Published, worth: Worth | None) -> str:
    """The text of the card where no costs are known: what would fill it."""
    why, needed = value_notes.without_cost(published)
    if worth is None or worth.saved is None:
        needed += value_notes.without_worth(published, worth)[1]
    return f"{numbers.capital(why)}. {numbers.capital(numbers.listed(needed))} would fill this card."

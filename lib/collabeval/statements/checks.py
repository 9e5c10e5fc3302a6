"""The checks of a fit, as a reader is told of them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from collabeval.statements import features, numbers
from collabeval.statements.words import WORDS, word

NAMES = {
    "divergences": "Steps of the sampler that failed (divergences)",
    "energy": "Free movement of the sampler (E-BFMI)",
    "pareto_k": "Closeness of the fast engine to the model (Pareto k̂)",
    "proposals_lost": "Share of the fast engine's proposals without a weight",
    "site_share": "Closeness to the worst single site (share of effective proposals)",
    "not_a_number": "Draws that are not numbers",
    "rhat": "Agreement of independent chains (R-hat)",
    "ess_bulk": "Effective draws behind the estimates",
    "ess_tail": "Effective draws behind the intervals",
    "predictive_dispersion": "Spread of the data, as the model would make them",
    "predictive_extreme_row": "Most extreme row, as the model would make it",
    "predictive_extreme_site": "Most extreme site, as the model would make it",
    "predictive_extreme_period": "Most extreme period, as the model would make it",
    "predictive_zeros": "Rows without events, as the model would make them",
    "influence": "Single rows that carry the result (leave-one-out)",
    "borderline": "Words that turn on the number of draws (Monte Carlo error)",
    "prior_sensitivity": "Weight of the priors in the result (power-scaling)",
}


def name(check: str) -> str:
    """A check by its name in words; one not known by its own."""
    return NAMES.get(check, numbers.capital(check.replace("_", " ")))


def model_name(model: str, labels: Mapping[str, str]) -> str:
    """What was fitted: a measure by its label, a scale of the survey by its name."""
    kind, colon, scale = model.partition(": ")
    return labels.get(model) or f"{numbers.capital(kind)}{colon}{features.name(scale)}"


def figure(value: float) -> str:
    """A value or limit of a check: whole numbers as such, others with three decimals below a hundred."""
    if math.isinf(value):
        return "infinite"
    if math.isnan(value):
        return numbers.NOT_ESTIMATED
    if value == round(value):
        return numbers.whole(value)
    return numbers.decimal(value, 0 if abs(value) >= 100 else 3)


def message(number: int, failed: int, blocking: bool) -> str:
    """Whether the results can be trusted, in one or two sentences."""
    if not failed:
        return f"All {numbers.whole(number)} checks passed."
    did = numbers.capital(numbers.number_word(failed))
    said = f"{did} of {numbers.whole(number)} checks did not pass."
    if blocking:
        return f"{said} At least one of them is blocking: this report is provisional."
    return f"{said} {numbers.plural(failed, ('It is', 'They are'))} advisory: the results stand, with care."


def doubts(changes: str) -> list[str]:
    """What a failed check puts in doubt, one for each line "site<tab>what" of its changes."""
    return [doubt(*line.split("\t")) for line in changes.splitlines()]


def doubt(site: str, what: str) -> str:
    """What a failed check puts in doubt: "Hospital H (worse than average → cannot be told apart)", or a period."""
    slot, _, change = what.partition(": ")
    before, arrow, after = change.partition(" → ")
    if arrow and slot in WORDS:
        return f"{site} ({word(slot, before) or 'no word'} → {word(slot, after) or 'no word'})"
    return f"{site} ({numbers.period_name(what)})" if what else site

"""Notes beside the figures and tables of value: in which money, what is counted, what is left out."""

from __future__ import annotations

from collabeval.disclosure import Published
from collabeval.params import Value
from collabeval.statements import numbers, value
from collabeval.statements.money import money
from collabeval.statements.value_facts import Worth

COSTS = "a table of costs (costs.csv)"
COMPARATORS = "a table of comparators (comparators.csv)"
PRICES = "the cost of an event (value.cost_per_event)"


def item_name(item: str) -> str:
    """An item of the costs as a table says it: "data_platform" is "Data platform"."""
    return numbers.capital(item.replace("_", " "))


def not_assessed(parts: list[str]) -> str:
    """What the chapter does not assess, so that silence is not taken for nothing found."""
    if not parts:
        return ""
    return f"Not assessed, for lack of data: {numbers.listed([numbers.lower_first(part) for part in parts])}."


def not_valued(worth: Worth) -> str:
    """Why no events avoided have a value."""
    return "no cost of an event is given" if worth.valued else value.why_not(worth, "the programme’s")


def without_cost(published: Published) -> tuple[str, list[str]]:
    """Why it is not known what the programme cost, and what would tell."""
    given, declared = "costs" in published.params.data.further, published.params.value is not None
    if given and declared:
        return "no costs of the years that count", ["costs of those years (costs.csv)"]
    why = "what the costs are counted in is not declared" if given else "no costs were supplied"
    needed = ("" if given else COSTS, "" if declared else "a block “value” in the params file")
    return why, list(filter(None, needed))


def without_worth(published: Published, worth: Worth | None) -> tuple[str, list[str]]:
    """Why the events avoided have no value, and what would give them one."""
    priced = published.params.value is not None and bool(published.params.value.cost_per_event)
    needed = ["" if published.effect is not None else COMPARATORS, "" if priced else PRICES]
    why = "no cost of an event is given" if worth is None else not_valued(worth)
    return why, list(filter(None, needed)) or ["data that tell an effect from a change (comparators.csv)"]


def middles(worth: Worth, at_the_means: float) -> str:
    """Why the net benefit at the means is another than the best estimate, where both are shown and differ."""
    currency = worth.params.currency
    if worth.net is None or money(at_the_means, currency) == money(worth.net.median, currency):
        return ""
    best = money(worth.net.median, currency)
    return f"The best estimate of the first figure, {best}, is the median, which a long upper end does not draw up."


def counted(worth: Worth) -> str:
    """In which money, discounted how, seen from where."""
    params = worth.params
    said = f"Amounts are in {params.currency} of {params.price_year}{_prices(params)}, {_discounting(params)}"
    return f"{said}; perspective: {params.perspective}."


def _prices(params: Value) -> str:
    if params.price_index is not None:
        return ", those of other years brought there by the price index that params declare"
    if params.inflation is not None:
        return f", those of other years brought there at {_rate(params.inflation)} a year"
    return ", as they were given"


def _discounting(params: Value) -> str:
    if params.discount_rate == 0:
        return "not discounted"
    base = "the first year that is counted" if params.discount_to is None else str(params.discount_to)
    return f"discounted to {base} at {_rate(params.discount_rate)} a year"


def _rate(rate: float) -> str:
    return f"{numbers.decimal(100 * rate, 1).removesuffix('.0')}%"


def left_out(worth: Worth) -> str:
    """Periods that count for nothing since they have no costs, and the warning on counting the same money twice."""
    said = []
    if worth.without_costs:
        periods = numbers.listed([numbers.period_name(period) for period in worth.without_costs], 4)
        said.append(f"Events of {periods} are not counted, since no costs are given for all of that time.")
    if sum(each.saved is not None for each in worth.valued) > 1:
        said.append("The sum over measures holds where the cost of one event is not part of the cost of another.")
    return " ".join(said)

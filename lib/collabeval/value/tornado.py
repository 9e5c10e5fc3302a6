"""One-way sensitivity: the net benefit with one input at either end of its range, the others at their means."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from collabeval.value import unit_costs
from collabeval.value.ledger import Ledger, with_events

COLUMNS = ("input", "measure", "low", "high", "net_low", "net_high", "base")
Range = tuple[float, float]


def table(ledger: Ledger | None) -> pd.DataFrame:
    """The results table `value_tornado`, the widest bar first; none without costs, events and a cost per event."""
    if ledger is None or ledger.rows is None or not np.isfinite(ledger.unit_costs).any():
        return pd.DataFrame(columns=list(COLUMNS))
    rows = [(name, measure, *ends, *nets, net_benefit(ledger)) for name, measure, ends, nets in _bars(ledger)]
    found = pd.DataFrame(rows, columns=list(COLUMNS))
    width = (found["net_high"] - found["net_low"]).abs()
    return found.loc[width.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)


def net_benefit(
    ledger: Ledger,
    events: np.ndarray | None = None,
    costs: np.ndarray | None = None,
    rate: float | None = None,
    inflation: float | None = None,
    times: float = 1.0,
) -> float:
    """Net benefit at the means, but for what is given; which, events and unit costs being independent,
    is its own mean but for Monte Carlo error.

    Parameters
    ----------
    events, costs : other values of events avoided and of the cost per event (M,). times : what the programme's cost is
        multiplied by.
    """
    at = with_events(
        ledger,
        ledger.events.mean(axis=1) if events is None else events,
        _central(ledger) if costs is None else costs,
    )
    saved = float(np.nansum(at.events[:, 0] * at.present_share(rate) * at.unit_costs[:, 0]))
    return saved - times * (ledger.programme_cost(rate, inflation) or 0.0)


def _bars(ledger: Ledger) -> Iterator[tuple[str, str, Range, Range]]:
    """Each input with its range, and the net benefit at both ends."""
    yield from _of_measures(ledger)
    ranges, value = ledger.value.ranges, ledger.value
    if ranges.discount_rate is not None:
        low, high = (net_benefit(ledger, rate=end) for end in ranges.discount_rate)
        yield "discount_rate", "", ranges.discount_rate, (low, high)
    if ranges.inflation is not None and value.inflation is not None:
        low, high = (net_benefit(ledger, inflation=end) for end in ranges.inflation)
        yield "inflation", "", ranges.inflation, (low, high)
    if ranges.programme_cost is not None:
        low, high = (net_benefit(ledger, times=end) for end in ranges.programme_cost)
        cost = ledger.programme_cost() or 0.0
        yield "programme_cost", "", (ranges.programme_cost[0] * cost, ranges.programme_cost[1] * cost), (low, high)


def _of_measures(ledger: Ledger) -> Iterator[tuple[str, str, Range, Range]]:
    """Events avoided over their 95% interval, the cost per event over its range; only of measures with such a cost."""
    events, costs = ledger.events.mean(axis=1), _central(ledger)
    counted = ledger.shares.sum(axis=1)
    for place, measure in enumerate(ledger.measures):
        if not np.isfinite(costs[place]):
            continue
        low, high = map(float, np.quantile(ledger.events[place], [0.025, 0.975]))
        nets = [net_benefit(ledger, events=_with(events, place, end)) for end in (low, high)]
        yield "events_avoided", measure, (low * counted[place], high * counted[place]), (nets[0], nets[1])
        ends = unit_costs.ends(ledger.value.unit_costs[measure], ledger.value)
        if ends[0] < ends[1]:
            nets = [net_benefit(ledger, costs=_with(costs, place, end)) for end in ends]
            yield "cost_per_event", measure, ends, (nets[0], nets[1])


def _central(ledger: Ledger) -> np.ndarray:
    """The mean cost per event of each measure (M,), NaN where none is declared."""
    declared, value = ledger.value.unit_costs, ledger.value
    return np.array([unit_costs.central(declared[name], value) if name in declared else np.nan
                     for name in ledger.measures])  # fmt: skip


def _with(values: np.ndarray, place: int, value: float) -> np.ndarray:
    changed = values.copy()
    changed[place] = value
    return changed

"""Cost-effectiveness acceptability: the chance that the programme is worth its cost, by what an event may cost."""

from __future__ import annotations

import numpy as np
import pandas as pd

from collabeval.value.ledger import Ledger

POINTS = 101
COLUMNS = ("measure", "willingness", "probability")


def table(ledger: Ledger | None) -> pd.DataFrame:
    """The results table `value_curve`: rows for each measure; none without costs or events."""
    cost = None if ledger is None else ledger.programme_cost()
    if ledger is None or cost is None:
        return pd.DataFrame(columns=list(COLUMNS))
    parts = []
    for place, measure in enumerate(ledger.measures):
        left = cost - np.nansum(np.delete(ledger.worth, place, axis=0), axis=0)
        upper = _upper(ledger, place, left)
        if np.isfinite(upper):
            ladder = np.linspace(0.0, upper, POINTS)
            chances = acceptability(ledger.present_events[place], left, ladder)
            parts.append(pd.DataFrame({"measure": measure, "willingness": ladder, "probability": chances}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))


def acceptability(events: np.ndarray, cost: np.ndarray, willingness: np.ndarray) -> np.ndarray:
    """P(λ · events avoided − cost > 0) at each willingness to pay λ (W,), from draws (S,) of both.

    The net monetary benefit of van Hout et al., Health Econ 1994; 3: 309-319, and Fenwick, Claxton & Sculpher, Health
    Econ 2001; 10: 779-787.
    """
    return np.array([float((each * events - cost > 0).mean()) for each in willingness])


def _upper(ledger: Ledger, place: int, left: np.ndarray) -> float:
    """How far the curve goes: past the declared cost per event, and where that can be told past the break-even."""
    declared = ledger.unit_costs[place]
    events, cost = ledger.present_events[place], float(np.median(left))
    ends = [2 * float(np.quantile(declared, 0.975))] if np.isfinite(declared).all() else []
    middle, high = np.quantile(events, [0.5, 0.975])
    if cost > 0 and high > 0:
        ends.append(min(3 * cost / middle, 20 * cost / high) if middle > 0 else 5 * cost / high)
    return max(ends, default=np.nan)

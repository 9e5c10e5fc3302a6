"""What the programme was worth: the results tables `value_costs`, `value_summary`, `value_curve`, `value_tornado`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from collabeval.estimates.summaries import QUANTILES
from collabeval.params import Params
from collabeval.value import costs, curve, tornado
from collabeval.value.events import Avoided, Found, avoided
from collabeval.value.given import Given
from collabeval.value.ledger import Ledger, open_ledger

NUMBERS = ("mean", "sd", *QUANTILES)
SUMMARY = ("measure", "basis", "period", "estimand", *NUMBERS, "event", "probability")
SPANS_ZERO = "denominator_spans_0"


@dataclass(frozen=True)
class About:
    """What a row is about: measure ("" for the programme), basis ("" for costs), period or span."""

    measure: str = ""
    basis: str = ""
    period: str = ""


NOTHING = About()


def worth_tables(params: Params, given: Given) -> dict[str, pd.DataFrame]:
    """All tables but that of burden; empty ones where params have no block `value`."""
    if params.value is None:
        return {"value_costs": pd.DataFrame(columns=list(costs.COSTS)), "value_summary": _table([]),
                "value_curve": curve.table(None), "value_tornado": tornado.table(None)}  # fmt: skip
    found = avoided(params, given)
    ledger = open_ledger(params, given, found.valued)
    usable = ledger if len(ledger.periods) else None  # else no period has both events and costs
    return {
        "value_costs": costs.table(params.value, ledger.rows, ledger.base),
        "value_summary": _table([*_totals(ledger), *_measures(ledger), *_aside(found, ledger)]),
        "value_curve": curve.table(usable),
        "value_tornado": tornado.table(usable),
    }


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(SUMMARY))
    texts = {name: str for name in ("measure", "basis", "period", "estimand", "event")}
    return table.astype({**texts, **{name: float for name in (*NUMBERS, "probability")}})


def _row(
    estimand: str, values: np.ndarray | None, about: About = NOTHING, event: str = "", probability: float = np.nan
) -> dict[str, Any]:
    """A row of `value_summary`; without values only its event, a single one without spread."""
    numbers = dict.fromkeys(NUMBERS, np.nan)
    if values is not None and values.size > 1:
        drawn = np.quantile(values, list(QUANTILES.values()))
        numbers = dict(zip(NUMBERS, (values.mean(), values.std(ddof=1), *drawn), strict=True))
    elif values is not None:
        numbers |= {"mean": float(values), "q50": float(values)}
    return {**asdict(about), "estimand": estimand, **numbers, "event": event, "probability": probability}


def _totals(ledger: Ledger) -> Iterator[dict[str, Any]]:
    """Cost, cost avoided, net benefit and the two ratios of the programme as a whole."""
    cost, about = ledger.programme_cost(), About("", ledger.basis, ledger.span)
    if cost is not None:
        yield _row("programme_cost", np.array(cost), About(period=ledger.cost_span))
    worth = total_worth(ledger)
    if worth is None:
        return
    yield _row("cost_avoided", worth, about)
    if cost is None:
        return
    net = worth - cost
    yield _row("net_benefit", net, about, event="positive", probability=float((net > 0).mean()))
    if cost > 0:  # a programme that earns has no such ratio
        yield _row("benefit_cost_ratio", worth / cost, about)
        yield _row("return_on_investment", worth / cost - 1, about)


def total_worth(ledger: Ledger) -> np.ndarray | None:
    """Cost avoided over all measures with a cost per event (S,); None where there is none, or no period counts."""
    known = np.isfinite(ledger.unit_costs).all(axis=1)
    return ledger.worth[known].sum(axis=0) if known.any() and len(ledger.periods) else None


def _measures(ledger: Ledger) -> Iterator[dict[str, Any]]:
    """Events avoided of each measure, what one costs, and what all of them cost; the break-even cost of one."""
    if not len(ledger.periods):
        return
    cost = ledger.programme_cost()
    for place, measure in enumerate(ledger.measures):
        about = About(measure, ledger.basis, ledger.span)
        events = ledger.counted_events[place]
        yield _row("events_avoided", events, about, event="avoided", probability=float((events > 0).mean()))
        if np.isfinite(ledger.unit_costs[place]).all():
            yield _row("cost_per_event", ledger.unit_costs[place], About(measure))
            yield _row("cost_avoided", ledger.worth[place], about)
        if cost is not None:
            yield _break_even(ledger, place, cost, about)


def _break_even(ledger: Ledger, place: int, cost: float, about: About) -> dict[str, Any]:
    """What an event of this measure must cost for the programme to save what it cost, the others at their own cost.

    (programme cost − cost avoided of the others) / events avoided, discounted alike. Where the interval of the events
    spans 0, or lies below, the ratio has no mean and its quantiles no order (Briggs, O'Brien & Blackhouse, Annu Rev
    Public Health 2002; 23: 377-401): it is not summarised, and the acceptability curve stands in its place.
    """
    events = ledger.present_events[place]
    others = np.delete(ledger.worth, place, axis=0)
    left = cost - np.nansum(others, axis=0)
    positive = float((events > 0).mean())
    if not np.quantile(events, QUANTILES["q025"]) > 0:
        return _row("break_even", None, about, event=SPANS_ZERO, probability=positive)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(events > 0, left / events, np.where(left > 0, np.inf, -np.inf))
    made = _row("break_even", None, about, "events_avoided", positive)
    ends = np.quantile(ratio, list(QUANTILES.values()), method="inverted_cdf")
    made |= dict(zip(QUANTILES, ends, strict=True))
    if np.isfinite(ratio).all():
        made |= {"mean": float(ratio.mean()), "sd": float(ratio.std(ddof=1))}
    return made


def _aside(found: Found, ledger: Ledger) -> Iterator[dict[str, Any]]:
    """What is change only, why there is no effect, and which periods have events and no costs."""
    for change in found.told:
        label = "/".join(dict.fromkeys((change.cases.index[0], change.cases.index[-1])))
        yield _told(change, label)
    for measure, reason in found.reasons.items():
        yield _row("not_valued", None, About(measure), reason)
    for period in ledger.not_covered:
        yield _row("without_costs", None, About(period=period), "not_counted")


def _told(change: Avoided, label: str) -> dict[str, Any]:
    fewer = float((change.events > 0).mean())
    return _row("events_avoided", change.events, About(change.measure, "change", label), "avoided", fewer)

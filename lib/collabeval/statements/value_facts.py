"""The numbers that sentences on value are made of, looked up once in the published tables."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from collabeval.disclosure import MeasureView, Published
from collabeval.disclosure.value import PublishedValue
from collabeval.params import Value
from collabeval.statements.facts import Estimate, as_estimate
from collabeval.value import unit_costs

SPANS_ZERO = "denominator_spans_0"


@dataclass(frozen=True)
class Events:
    """Events avoided of one measure: `basis` is effect or change, `span` the periods, `chance` that any were.

    ``break_even`` is the cost at which one event pays for the programme; None where there are no costs, or where
    ``spans_zero``: the events' interval reaches 0, so that the ratio is not summarised.
    """

    view: MeasureView
    basis: str
    span: str
    events: Estimate
    chance: float
    cost: Estimate | None
    saved: Estimate | None
    break_even: Estimate | None
    spans_zero: bool

    @property
    def noun(self) -> str:
        """What is counted: "deaths"; for means their unit: "days"."""
        return (self.view.params.unit or "units") if self.view.is_mean else self.view.params.events


@dataclass(frozen=True)
class Worth:
    """The programme as a whole, and the measures: those that are valued, and those that are told as change only.

    ``cost`` is NaN without costs; ``saved`` and what follows from it None without a cost per event or an effect.
    ``cost_span`` begins before ``span`` where what was spent on starting counts too.
    ``reasons`` say why a measure is not valued, by its name. ``without_costs`` are periods with events and no costs.
    """

    params: Value
    cost: float
    span: str
    cost_span: str
    basis: str
    saved: Estimate | None
    net: Estimate | None
    chance: float
    ratio: Estimate | None
    gain: Estimate | None
    valued: tuple[Events, ...]
    told: tuple[Events, ...]
    reasons: dict[str, str]
    without_costs: tuple[str, ...]


def gather(published: Published) -> Worth | None:
    """Look up everything; None where the run has no such results or params have no block `value`."""
    found, params = published.value, published.params.value
    if found is None or params is None:
        return None
    totals = found.summary[found.summary["measure"].eq("")].set_index("estimand")
    valued = [each for view in published.measures if (each := _events(found, params, view, asked=True))]
    told = [each for view in published.measures if (each := _events(found, params, view, asked=False))]
    left_out = found.summary[found.summary["estimand"].eq("not_valued")]
    missing = found.summary[found.summary["estimand"].eq("without_costs")]
    cost = float(totals["mean"].get("programme_cost", math.nan))
    saved = _one(totals, "cost_avoided")
    spans = totals["period"].reindex(["cost_avoided", "programme_cost"]).dropna()
    span = next((each.span for each in valued), "") or (str(spans.iloc[0]) if len(spans) else "")
    return Worth(
        params=params,
        cost=cost,
        span=span,
        cost_span=str(totals["period"].get("programme_cost", span)),
        basis=str(totals["basis"].get("cost_avoided", "")) or next((each.basis for each in valued), ""),
        saved=saved,
        net=_one(totals, "net_benefit"),
        chance=float(totals["probability"].get("net_benefit", math.nan)),
        ratio=_one(totals, "benefit_cost_ratio"),
        gain=_one(totals, "return_on_investment"),
        valued=tuple(valued),
        told=tuple(told),
        reasons=dict(zip(left_out["measure"], left_out["event"], strict=True)),
        without_costs=tuple(missing["period"]),
    )


def _one(rows: pd.DataFrame, estimand: str) -> Estimate | None:
    found = rows[rows.index == estimand]
    return as_estimate(found.iloc[0]) if len(found) else None


def _declared(params: Value, view: MeasureView) -> Estimate | None:
    """What one event costs, as declared, in prices of the price year: mean and range (the mean twice where known)."""
    cost = params.unit_costs.get(view.name)
    return None if cost is None else Estimate(unit_costs.central(cost, params), *unit_costs.ends(cost, params))


def _events(found: PublishedValue, params: Value, view: MeasureView, asked: bool) -> Events | None:
    """Events of one measure, those that are valued or those that are told only."""
    own = found.summary[found.summary["measure"].eq(view.name)]
    rows = own[own["estimand"].ne("not_valued")].drop_duplicates("estimand").set_index("estimand")
    if "events_avoided" not in rows.index or own["estimand"].eq("not_valued").any() == asked:
        return None
    avoided, ratio = rows.loc[["events_avoided"]].iloc[0], rows[rows.index == "break_even"]
    spans_zero = bool(ratio["event"].eq(SPANS_ZERO).any())
    return Events(
        view=view,
        basis=avoided["basis"],
        span=avoided["period"],
        events=as_estimate(avoided),
        chance=avoided["probability"],
        cost=_declared(params, view),
        saved=_one(rows, "cost_avoided"),
        break_even=None if spans_zero else _one(rows, "break_even"),
        spans_zero=spans_zero,
    )

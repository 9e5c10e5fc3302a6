"""The ledger of one evaluation: events avoided, what each costs, and the programme's costs, all of the same periods."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from collabeval import periods as period_texts
from collabeval.params import Params, Value
from collabeval.value import costs as programme
from collabeval.value import unit_costs
from collabeval.value.events import Avoided, aligned, period_days
from collabeval.value.given import Given
from collabeval.value.money import discount_factors


@dataclass(frozen=True)
class Ledger:
    """M measures, S draws, T periods that count.

    ``rows`` are the costs with `counted`, the share of each that belongs to these periods (or, for an effect, to the
    time before them); None without costs. ``base`` is the year that is not discounted. ``shares`` (M, T) say which
    share of a measure's events lies in each period; where periods without costs are left out they sum to less than 1.
    ``not_covered`` are those periods. ``started`` is the period of the first cost that counts where that lies before
    all events, "" elsewhere.
    """

    value: Value
    measures: tuple[str, ...]
    basis: str
    events: np.ndarray  # (M, S) in all periods, undiscounted
    shares: np.ndarray  # (M, T)
    periods: pd.DataFrame  # T rows: starts, ends, year, by label
    unit_costs: np.ndarray  # (M, S), NaN where none is declared
    rows: pd.DataFrame | None
    base: int
    not_covered: tuple[str, ...]
    started: str

    @property
    def counted_events(self) -> np.ndarray:
        """Events avoided (M, S) in the periods that count, undiscounted."""
        return self.events * self.shares.sum(axis=1, keepdims=True)

    def present_share(self, rate: float | None = None) -> np.ndarray:
        """What one event of each measure comes to (M,), discounted to the base year over the periods that count."""
        factors = discount_factors(self.value.discount_rate if rate is None else rate, self.periods["year"], self.base)
        return self.shares @ factors

    @property
    def present_events(self) -> np.ndarray:
        """Events avoided (M, S), discounted."""
        return self.events * self.present_share()[:, None]

    @property
    def worth(self) -> np.ndarray:
        """Cost avoided (M, S), discounted, in prices of the price year; NaN without a cost per event."""
        return self.present_events * self.unit_costs

    def programme_cost(self, rate: float | None = None, inflation: float | None = None) -> float | None:
        """What of the programme's cost counts, discounted, in prices of the price year."""
        if self.rows is None:
            return None
        return float(programme.present_values(self.value, self.rows, self.base, rate, inflation).sum())

    @property
    def span(self) -> str:
        """First and last period that count, `2021Q1/2024Q4`; without events those of the costs."""
        labels = list(self.periods.index) if len(self.periods) else list(dict.fromkeys(_of_costs(self.rows)))
        return "/".join(dict.fromkeys((labels[0], labels[-1]))) if labels else ""

    @property
    def cost_span(self) -> str:
        """The same of the costs that count, which begin with what was spent on starting."""
        return f"{self.started}/{self.span.split('/')[-1]}" if self.started else self.span


def _of_costs(rows: pd.DataFrame | None) -> list[str]:
    return [] if rows is None else list(rows.loc[rows["counted"] > 0, "period"])


def open_ledger(params: Params, given: Given, avoided: tuple[Avoided, ...]) -> Ledger:
    """Lay events and costs of the same time side by side.

    Events count in the periods that the costs cover wholly, since a benefit without its cost would flatter. Costs count
    in those periods and, for an effect, before them: what was spent on starting. Without events all costs count.
    """
    value = params.value
    assert value is not None
    rows = programme.cost_rows(value, given.costs, given.burden, params.periods.year_starts)
    periods, shares = _periods(params, avoided)
    missing: tuple[str, ...] = ()
    if rows is not None and len(periods):
        there = programme.covered(rows, periods)
        missing = tuple(periods.index[~there])
        periods, shares = periods[there], shares[:, there]
    if rows is not None:
        before = bool(avoided) and avoided[0].basis == "effect"
        rows = rows.assign(counted=programme.counted(rows, periods, before) if len(periods) else 1.0)
    return Ledger(
        value=value,
        measures=tuple(each.measure for each in avoided),
        basis=avoided[0].basis if avoided else "",
        events=aligned([each.events for each in avoided]) if avoided else np.zeros((0, 1)),
        shares=shares,
        periods=periods,
        unit_costs=_unit_costs(params, avoided),
        rows=rows,
        base=_base(value, rows, periods),
        not_covered=missing,
        started=_started(params, rows, periods),
    )


def _periods(params: Params, avoided: tuple[Avoided, ...]) -> tuple[pd.DataFrame, np.ndarray]:
    """The periods of all measures in time, and the shares of each measure's events in them."""
    labels = pd.Series([label for each in avoided for label in each.cases.index], dtype=str)
    if labels.empty:
        return pd.DataFrame({"starts": [], "ends": [], "year": []}), np.zeros((len(avoided), 0))
    periods = period_days(params, labels).sort_values("starts")
    return periods, np.stack([each.shares.reindex(periods.index).fillna(0.0).to_numpy() for each in avoided])


def _unit_costs(params: Params, avoided: tuple[Avoided, ...]) -> np.ndarray:
    value = params.value
    assert value is not None
    size = min((len(each.events) for each in avoided), default=1)
    random = np.random.default_rng(params.sampling.seed)
    declared = {name: unit_costs.drawn(cost, value, size, random) for name, cost in value.unit_costs.items()}
    nothing = np.full(size, np.nan)
    return np.array([declared.get(each.measure, nothing) for each in avoided]).reshape(len(avoided), size)


def _started(params: Params, rows: pd.DataFrame | None, periods: pd.DataFrame) -> str:
    """The period of the outcomes in which the first cost that counts begins, "" where no event comes later."""
    length = params.periods.length
    if rows is None or not len(periods) or length == "none":
        return ""
    first = rows.loc[rows["counted"] > 0, "starts"].min()
    before = first < periods["starts"].min()
    return period_texts.starting(first.date(), length, params.periods.year_starts).label if before else ""


def _base(value: Value, rows: pd.DataFrame | None, periods: pd.DataFrame) -> int:
    """The year that is not discounted: as params say, else the first that counts."""
    if value.discount_to is not None:
        return value.discount_to
    years = list(periods["year"]) + ([] if rows is None else list(rows.loc[rows["counted"] > 0, "year"]))
    return int(min(years, default=value.price_year))


def with_events(ledger: Ledger, events: np.ndarray, costs: np.ndarray) -> Ledger:
    """The same ledger at single values of events and unit costs, each (M,)."""
    return replace(ledger, events=events[:, None], unit_costs=costs[:, None])

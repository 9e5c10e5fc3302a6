"""The effect of the programme on every measure, as the tables of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from collabeval.convergence import ESS, RHAT, Mixing
from collabeval.diagnostics.check import ENGINE
from collabeval.effect.found import Found, estimands, fit_both, rate_difference
from collabeval.effect.judge import Judged, judged
from collabeval.effect.layout import Layout, lay_out
from collabeval.estimates.summaries import SUMMARY, Drawn, summarise
from collabeval.params import Params
from collabeval.params.effect import Effect

EVENT_TIME = ("measure", "event_time", "estimand", "sites", "cases", "observed", *SUMMARY)
SUMMARISED = ("measure", "estimand", *SUMMARY)
STATEMENTS = ("measure", "slot", "statement", "probability", "rule")
BASIS = ("measure", "needs", "sites", "comparators", "undated", "without_before", "uncompared", "first", "last",
         "cells", "cases", "observed", "anticipation", "engine", "engine_reason", "leads_engine",
         "leads_engine_reason")  # fmt: skip
DRAWS = ("measure", "draw", "events_avoided", "treated_cases")
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Effects:
    """The results tables of all measures: columns as above (docs/data.md)."""

    event_time: pd.DataFrame
    summary: pd.DataFrame
    statements: pd.DataFrame
    basis: pd.DataFrame
    draws: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """By the names they have in a run's `results/`."""
        return {
            f"effect_{name}": getattr(self, name) for name in ("event_time", "summary", "statements", "basis", "draws")
        }


def estimate(
    params: Params,
    panel: pd.DataFrame,
    sites: pd.DataFrame,
    comparators: pd.DataFrame | None,
    tell: Tell | None = None,
) -> Effects:
    """Effect of joining on every measure of `effect.measures` (all, where none are named).

    Parameters
    ----------
    panel : the analysed rows; sites : with `joined`; comparators : units outside the programme, or None.
    tell : told in a few words what is being done.
    """
    chosen = (params.effect or Effect()).measures or tuple(params.measures)
    parts = [_of_measure(params, name, panel, sites, comparators, tell or (lambda message: None)) for name in chosen]
    columns = {
        "event_time": EVENT_TIME,
        "summary": SUMMARISED,
        "statements": STATEMENTS,
        "basis": BASIS,
        "draws": DRAWS,
    }
    tables = {}
    for table, names in columns.items():
        rows = [getattr(part, table) for part in parts if len(getattr(part, table))]
        tables[table] = pd.concat(rows, ignore_index=True)[list(names)] if rows else pd.DataFrame(columns=list(names))
    return Effects(**tables)


def _of_measure(
    params: Params, name: str, panel: pd.DataFrame, sites: pd.DataFrame, comparators: pd.DataFrame | None, tell: Tell
) -> Effects:
    layout = lay_out(params, name, panel, sites, comparators)
    if layout.needs:
        said, nothing = judged(Judged(needs=layout.needs), params.rules), pd.DataFrame()
        return Effects(nothing, nothing, said.assign(measure=name), _basis(params, name, layout, None), nothing)
    found = fit_both(params, name, layout, tell)
    times, summary = _event_times(found, name), _summary(found, name)
    said = _statements(found, params, failing(found, pd.concat([times, summary]))).assign(measure=name)
    return Effects(times, summary, said, _basis(params, name, layout, found), _draws(found, name))


def failing(found: Found, reported: pd.DataFrame) -> str:
    """Why the draws cannot be relied on, by the gates of every fit (diagnostics/sampling.py); "" if they can."""
    diverged = sum(int(fitted.attributes.get("divergences", 0)) for fitted in (found.parallel, found.leading))
    varying = reported[reported["sd"] > 0]
    least = min(varying["ess_bulk"].fillna(0.0).min(), varying["ess_tail"].fillna(0.0).min())
    if diverged:
        return f"{diverged} divergent transitions after retries"
    if varying["rhat"].max() > RHAT:
        return f"R-hat {varying['rhat'].max():.2f}, above {RHAT}"
    return f"{least:.0f} effective draws, below {ESS:.0f}" if least < ESS else ""


def _draws(found: Found, name: str) -> pd.DataFrame:
    """Draws of the events avoided, for what is worked out from them; none where cases are not counted."""
    table = pd.DataFrame({"measure": name, "draw": np.arange(len(found.avoided)), "events_avoided": found.avoided})
    return table.assign(treated_cases=found.cases) if found.counted else table.iloc[:0]


def _event_times(found: Found, name: str) -> pd.DataFrame:
    """Effect at every event time from joining on, and leads before it."""
    by_time, measure, mixing = found.by_time, found.measure, found.parallel.mixing
    unit = 1.0 if found.counted else np.nan
    tables = [_table("effect", by_time.groups, rate_difference(by_time, measure), mixing).assign(
        sites=by_time.sites, cases=by_time.weight * unit, observed=by_time.observed)]  # fmt: skip
    if found.trend is not None:
        leads = measure.scale * found.trend.leads
        tables.append(_table("pre_trend", found.trend.event_times, leads, found.leading.mixing).assign(
            sites=found.trend.sites, cases=found.trend.weight * unit, observed=found.trend.observed))  # fmt: skip
    table = pd.concat(tables, ignore_index=True).assign(measure=name)
    return table.sort_values("event_time", ignore_index=True)


def _table(estimand: str, groups: np.ndarray, values: np.ndarray, mixing: Mixing) -> pd.DataFrame:
    rows = summarise([Drawn(estimand, "", groups, values)], mixing)
    return rows.rename(columns={"site": "event_time"}).drop(columns="period")


def _summary(found: Found, name: str) -> pd.DataFrame:
    rows = [
        summarise([Drawn(estimand, "", np.array([""]), values[None])], mixing)
        for estimand, values, mixing in estimands(found)
    ]
    return pd.concat(rows, ignore_index=True).drop(columns=["site", "period"]).assign(measure=name)


def _statements(found: Found, params: Params, failed: str) -> pd.DataFrame:
    good = 1 if found.measure.better == "higher" else -1
    trend, minimal = found.trend, found.measure.minimal_difference
    carried = found.carried
    return judged(
        Judged(
            gain=good * found.effect,
            failed=failed,
            minimal=minimal,
            slope=None if trend is None else trend.slope,
            carried=carried,
            tail=None if trend is None else trend.tail,
        ),
        params.rules,
    )


def _basis(params: Params, name: str, layout: Layout, found: Found | None) -> pd.DataFrame:
    """What the estimate of one measure rests on: counts of units and cells, what was left out, and the engine."""
    rows, chosen = layout.rows, layout.imputed
    row = {
        "measure": name,
        "needs": layout.needs,
        "sites": chosen["unit"].nunique(),
        "comparators": rows.loc[rows["site"].eq(""), "unit"].nunique(),
        "undated": layout.undated,
        "without_before": layout.without_before,
        "uncompared": layout.uncompared,
        "first": "" if chosen.empty else chosen["period"].iloc[int(chosen["step"].argmin())],
        "last": "" if chosen.empty else chosen["period"].iloc[int(chosen["step"].argmax())],
        "cells": len(chosen),
        "cases": found.cases if found else np.nan,
        "observed": float(found.all_times.observed[0]) if found else np.nan,
        "anticipation": (params.effect or Effect()).anticipation,
        **_engines(found),
    }
    return pd.DataFrame([row])


def _engines(found: Found | None) -> dict[str, str]:
    """Which engine made the draws of each of the two fits, and why; blank without."""
    said: dict[str, dict[str, str | int | float]] = {"": {}, "leads_": {}}
    if found:
        said = {"": found.parallel.attributes, "leads_": found.leading.attributes}
    return {f"{prefix}{name}": str(own.get(name, "")) for prefix, own in said.items() for name in ENGINE}

"""The effect of the programme with what may not be shown taken out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from collabeval.disclosure import suppress as rule
from collabeval.disclosure.results import SUMMARY, factor
from collabeval.disclosure.view import MeasureView
from collabeval.params import Params

RATES = ("effect", "pre_trend", "rate_with", "rate_without", "effect_from_reference", "pre_trend_carried_forward",
         "effect_beyond_pre_trend")  # fmt: skip
OF_SUMMARY = tuple(name for name in RATES if name != "pre_trend")  # there the slope of the link scale
FEWEST_SITES = 3  # behind one event time: with fewer it would tell of single sites


@dataclass(frozen=True)
class Effect:
    """What may be shown of the effect; rates per `base` of the measure. Columns: docs/data.md, and `hidden`."""

    event_time: pd.DataFrame
    summary: pd.DataFrame
    statements: pd.DataFrame
    basis: pd.DataFrame

    def of(self, table: str, view: MeasureView) -> pd.DataFrame:
        """Rows of one measure."""
        rows: pd.DataFrame = getattr(self, table)
        return rows[rows["measure"].eq(view.name)]


def shown(further: Mapping[str, pd.DataFrame], views: tuple[MeasureView, ...], params: Params) -> Effect | None:
    """The tables of the effect after disclosure control; None where the run has none."""
    if "effect_summary" not in further:
        return None
    basis, smallest = further["effect_basis"], params.report.minimum_cell
    small = {view.name for view in views if _small(basis[basis["measure"].eq(view.name)], view, smallest).any()}
    summary = _rescaled(further["effect_summary"], views, OF_SUMMARY)
    hidden = summary["measure"].isin(small)
    summary = rule.coarsen(summary, hidden).assign(hidden=hidden)
    times = _rescaled(further["effect_event_time"], views, RATES)
    hidden = _hidden_times(times, views, params) | times["measure"].isin(small)
    times.loc[hidden, [*_of(times), "cases"]] = np.nan
    basis = basis.assign(hidden=basis["measure"].isin(small))
    basis.loc[basis["hidden"], "cases"] = np.nan
    return Effect(
        times.drop(columns="observed").assign(hidden=hidden), summary, further["effect_statements"],
        basis.drop(columns="observed"),
    )  # fmt: skip


def _rescaled(table: pd.DataFrame, views: tuple[MeasureView, ...], rates: tuple[str, ...]) -> pd.DataFrame:
    """Rates from the display scale of params to the base of the report."""
    by = table["measure"].map({view.name: factor(view) for view in views}).where(table["estimand"].isin(rates), 1.0)
    return table.assign(**{name: table[name] * by for name in _of(table)})


def _of(table: pd.DataFrame) -> list[str]:
    return [name for name in SUMMARY if name in table]


def _small(rows: pd.DataFrame, view: MeasureView, smallest: int) -> pd.Series:
    """Which rows, with `cases` and `observed`, rest on counts that may not be shown."""
    if view.is_mean:
        return rule.small(rows["cases"], smallest)
    counts = pd.DataFrame({"numerator": rows["observed"], "denominator": rows["cases"]})
    return rule.hides_numerator(counts, view.params.family == "binomial", smallest)


def _hidden_times(times: pd.DataFrame, views: tuple[MeasureView, ...], params: Params) -> pd.Series:
    """Event times with small counts or too few sites; a single one would follow from the whole, so another goes too."""
    hidden = times["sites"].lt(FEWEST_SITES) & (params.report.sites == "coded")
    for view in views:
        own = times["measure"].eq(view.name)
        hidden[own] |= _small(times[own], view, params.report.minimum_cell)
    for _, rows in times[times["estimand"].eq("effect")].groupby("measure"):
        if hidden[rows.index].sum() == 1 and len(rows) > 1:
            hidden |= times.index == rows.loc[~hidden[rows.index], "cases"].idxmin()
    return hidden

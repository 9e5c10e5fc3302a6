"""From the confidential tables of a run to the view that may be shown."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from collabeval.classical import funnel_curves
from collabeval.disclosure import case_mix, composites, effect, indicators, practices, results, value
from collabeval.disclosure import suppress as rule
from collabeval.disclosure.audit import publish_audit, publish_ratings
from collabeval.disclosure.codes import site_labels
from collabeval.disclosure.command import publish_command
from collabeval.disclosure.profile import publish_profile
from collabeval.disclosure.scorecards import publish_scorecards
from collabeval.disclosure.survey import publish_survey
from collabeval.disclosure.threats import publish_threats
from collabeval.disclosure.view import MeasureView, Published, Run
from collabeval.panel import windows
from collabeval.params import Measure, Params
from collabeval.periods import per_year

BASES = (100, 1_000, 10_000, 100_000)


def publish(run: Run, params: Params) -> Published:
    """Apply the disclosure rules of `params.report` to every table of a run; nothing downstream sees `run`."""
    views = views_of(run.panel, params)
    labels = site_labels(run.sites, run.panel, params)
    counts = pd.concat([_counts(run, params, view, labels) for view in views], ignore_index=True)
    views = tuple(_with_hidden(view, counts) for view in views)
    keys = results.hidden_counts(run.panel, params, views, labels)
    statements = results.statements(run.site_statements, views, labels, keys)
    totals = pd.concat([_totals(run, params, view) for view in views], ignore_index=True)
    shown_effect, fingerprint = effect.shown(run.further, views, params), _fingerprint(run.panel, params)
    return Published(
        params=params,
        measures=views,
        counts=counts,
        cells=pd.concat([_cells(run, params, view, labels) for view in views], ignore_index=True),
        totals=totals,
        estimates=results.estimates(run.site_estimates, views, labels, keys),
        statements=statements,
        probabilities=results.probabilities(run.site_probabilities),
        programme=results.rescaled(run.programme_estimates, views),
        trend=results.trend(run.programme_trend, run.panel, params, views),
        funnel=results.funnel(run.funnel, params, views, labels),
        curves={view.name: funnel_curves(params, run.panel, view.name) for view in views},
        spc=results.spc(run.spc, run.panel, params, views),
        diagnostics=results.diagnostics(_checks(run), labels, statements),
        quality=results.quality(run.quality, labels),
        fingerprint=fingerprint,
        case_mix_years=case_mix.of_totals(run.case_mix_calibration, views, params.report.minimum_cell),
        case_mix_tenths=case_mix.of_totals(run.case_mix_deciles, views, params.report.minimum_cell),
        composites=composites.composites(run.further, views, labels, keys),
        practices=practices.practices(run.further),
        scorecards=publish_scorecards(run.further, params, labels),
        threats=publish_threats(run.threats, labels, keys, params.report.sites == "coded"),
        indicators=indicators.indicators(params, run.further, labels),
        effect=shown_effect,
        value=value.of_run(run, params, labels, _too_small(totals, shown_effect)),
        command=publish_command(run.command, params.collaborative, hides=not fingerprint),
        **_features(run, params, labels),
    )


def _too_small(totals: pd.DataFrame, found: effect.Effect | None) -> frozenset[str]:
    """The measures whose counts, all together or behind the effect of the programme, may not be told."""
    small = set(totals.loc[totals["hidden"], "measure"])
    return frozenset(small if found is None else small | set(found.basis.loc[found.basis["hidden"], "measure"]))


def _features(run: Run, params: Params, labels: dict[str, str]) -> dict[str, Any]:
    """What people and audits say, and the scores of the features."""
    return {
        "survey": publish_survey(run, params, labels),
        "ratings": publish_ratings(run),
        "audit": publish_audit(run, params, labels),
        "profile": publish_profile(run),
    }


def _checks(run: Run) -> pd.DataFrame:
    """The checks of the measures' fits and of those of the further analyses."""
    others = [table for name, table in run.further.items() if name.endswith("_checks") and len(table)]
    return pd.concat([run.diagnostics, *others], ignore_index=True)


def views_of(panel: pd.DataFrame, params: Params) -> tuple[MeasureView, ...]:
    """Each measure as a report speaks of it, in the report's order."""
    return tuple(_view(panel, params, name) for name in _order(params))


def _fingerprint(panel: pd.DataFrame, params: Params) -> str:
    """SHA-256 of the analysed rows as CSV, where nothing about them is hidden: else it would let guesses be checked."""
    if params.report.sites != "named" or params.report.minimum_cell > 1:
        return ""
    return hashlib.sha256(panel.to_csv(index=False, float_format="%.12g").encode()).hexdigest()


def _order(params: Params) -> list[str]:
    """The leading outcome first, then the others as params list them."""
    names = list(params.measures)
    lead = next((name for name in names if params.measures[name].role == "outcome"), names[0])
    return [lead, *[name for name in names if name != lead]]


def _view(panel: pd.DataFrame, params: Params, name: str) -> MeasureView:
    rows = panel[panel["measure"].eq(name)]
    measure, compared = params.measures[name], windows(params.periods, rows)
    return MeasureView(
        name=name,
        params=measure,
        base=_base(measure, rows, compared.baseline is not None),
        adjusted=bool(len(rows)) and bool(rows["expected"].notna().all()),
        windows=compared,
    )


def _with_hidden(view: MeasureView, counts: pd.DataFrame) -> MeasureView:
    now = counts["measure"].eq(view.name) & counts["window"].eq("current")
    return replace(view, hidden=int((now & counts["hidden"]).sum()))


def _base(measure: Measure, rows: pd.DataFrame, compares: bool) -> int:
    """`per` where the rate is then a whole number of one or two digits to speak of, else the base at which it is.

    Where now is compared with a baseline the whole number needs two digits: "5 and 5" would hide a change by a tenth.
    """
    if measure.family == "normal":
        return 1
    rate = rows["numerator"].sum() / max(rows["denominator"].sum(), 1e-12)
    if (9.5 if compares else 3.0) <= rate * measure.per < 99.5:
        return measure.per
    return next((base for base in BASES if rate * base >= 9.5), BASES[-1] if rate > 0 else measure.per)


def _in_window(run: Run, view: MeasureView, window: str) -> pd.DataFrame:
    chosen = {"current": view.windows.current, "baseline": view.windows.baseline}.get(window)
    rows = run.panel[run.panel["measure"].eq(view.name)]
    return rows if chosen is None else rows[rows["period"].isin(chosen.periods)]


def _windows_of(view: MeasureView) -> list[str]:
    return ["current", "baseline"] if view.has_change else ["current"]


def _counts(run: Run, params: Params, view: MeasureView, labels: dict[str, str]) -> pd.DataFrame:
    """One row per site and window with its counts, hidden where the rule says so."""
    tables = []
    for window in _windows_of(view):
        rows = _in_window(run, view, window)
        sums = rows.groupby("site", sort=True)[["numerator", "denominator", "expected", "n"]].sum(min_count=1)
        table = sums.reset_index().assign(measure=view.name, window=window)
        tables.append(_hide(table, view, params.report.minimum_cell))
    table = pd.concat(tables, ignore_index=True)
    return table.assign(site=table["site"].map(labels))


def _hide(table: pd.DataFrame, view: MeasureView, minimum_cell: int) -> pd.DataFrame:
    """Blank what may not be shown; `cases` is the denominator, for means the number of cases behind the mean."""
    table = table.assign(cases=table["n"] if view.is_mean else table["denominator"])
    few = rule.small(table["cases"], minimum_cell)
    hidden = results.hidden_rows(table, view, minimum_cell)
    table["low"] = table["numerator"].lt(minimum_cell)
    table.loc[hidden, "numerator"] = np.nan
    table.loc[few, ["cases", "denominator", "expected"]] = np.nan
    return table.assign(hidden=hidden, few=few).drop(columns="n")


def _cells(run: Run, params: Params, view: MeasureView, labels: dict[str, str]) -> pd.DataFrame:
    """Recorded values by site and period, on the scale of `trajectory`: a ratio, or for means the mean."""
    rows = _in_window(run, view, "all").copy()
    hidden, observed = results.hidden_rows(rows, view, params.report.minimum_cell), rows["mean"]
    if not view.is_mean:
        sums = rows.groupby("period")[["numerator", "denominator"]].transform("sum")
        expected = rows["expected"] if view.adjusted else rows["denominator"] * sums["numerator"] / sums["denominator"]
        observed = rows["numerator"] / expected.where(expected > 0)
    table = pd.DataFrame({"measure": view.name, "site": rows["site"].map(labels), "period": rows["period"]})
    return table.assign(observed=observed.mask(hidden))


def _totals(run: Run, params: Params, view: MeasureView) -> pd.DataFrame:
    """Counts of the collaborative as a whole, by window."""
    tables = []
    for window in (*_windows_of(view), "all"):
        rows = _in_window(run, view, window)
        sums = rows[["numerator", "denominator", "n"]].sum(min_count=1)
        length = params.periods.length
        years = math.nan if length == "none" else rows["period"].nunique() / per_year(length)
        tables.append({"measure": view.name, "window": window, "sites": rows["site"].nunique(), **sums, "years": years})
    table = pd.DataFrame(tables)
    return _hide(table, view, params.report.minimum_cell)

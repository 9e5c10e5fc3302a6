"""Each results table of a run, with what may not be shown taken out and rates on the base of the report."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from collabeval.disclosure import suppress as rule
from collabeval.disclosure.view import MeasureView
from collabeval.params import Params

Views = tuple[MeasureView, ...]
Labels = Mapping[str, str]
Keys = set[tuple[str, str, str]]  # measure, site label, period or window

# estimands on the display scale of params, which the report turns to its own base
RATES = ("rate", "standardised_rate", "indirect_rate", "trend", "change", "change_same_sites", "benchmark")
SUMMARY = ("mean", "sd", "q025", "q10", "q25", "q50", "q75", "q90", "q975")
# estimands that depend on a site's own count; the others tell at most how many cases it has
OF_COUNTS = (
    "rate", "standardised_rate", "indirect_rate", "observed_expected_ratio", "predicted_expected_ratio", "site_effect",
    "against_average", "trajectory", "change", "percentile", "reliability",
)  # fmt: skip


def factor(view: MeasureView) -> float:
    """What turns a value on the display scale of params into one on the base of the report."""
    return 1.0 if view.is_mean else view.base / view.params.per


def hidden_counts(panel: pd.DataFrame, params: Params, views: Views, labels: Labels) -> Keys:
    """Every count of a site that is hidden, by period and by window."""
    found: Keys = set()
    for view in views:
        rows = panel[panel["measure"].eq(view.name)]
        found |= _hidden_keys(rows, view, params, labels)
        for window in (view.windows.current, view.windows.baseline, *view.windows.earlier):
            if window is not None:
                inside = rows[rows["period"].isin(window.periods)]
                sums = inside.groupby("site")[["numerator", "denominator", "n"]].sum(min_count=1).reset_index()
                found |= _hidden_keys(sums.assign(period=window.label), view, params, labels)
    return found


def hidden_rows(rows: pd.DataFrame, view: MeasureView, minimum_cell: int) -> pd.Series:
    """Which rows of counts of one measure may not show them (means: too few cases behind the mean)."""
    if view.is_mean:
        return rule.small(rows["n"], minimum_cell)
    return rule.hides_numerator(rows, view.params.family == "binomial", minimum_cell)


def _hidden_keys(rows: pd.DataFrame, view: MeasureView, params: Params, labels: Labels) -> Keys:
    hidden = hidden_rows(rows, view, params.report.minimum_cell)
    found = rows[hidden]
    return {(view.name, labels[site], period) for site, period in zip(found["site"], found["period"], strict=True)}


def rescaled(table: pd.DataFrame, views: Views) -> pd.DataFrame:
    """Turn rates from the display scale of params to the base of the report."""
    factors = {view.name: factor(view) for view in views}
    by = table["measure"].map(factors).where(table["estimand"].isin(RATES), 1.0)
    return table.assign(**{name: table[name] * by for name in SUMMARY if name in table})


def _is_hidden(table: pd.DataFrame, keys: Keys) -> pd.Series:
    """Whether the count of the row's own measure, site and period (or window) is hidden."""
    rows = zip(table["measure"], table["site"], table["period"], strict=True)
    return pd.Series([key in keys for key in rows], table.index, dtype=bool)


def _was_hidden(table: pd.DataFrame, views: Views, keys: Keys) -> pd.Series:
    """Whether the count of the row's site in the baseline window is hidden."""
    baseline = {view.name: view.windows.baseline.label for view in views if view.windows.baseline is not None}
    before = [baseline.get(str(measure), "no baseline") for measure in table["measure"]]
    return _is_hidden(table.assign(period=before), keys)


def estimates(table: pd.DataFrame, views: Views, labels: Labels, keys: Keys) -> pd.DataFrame:
    """Estimates of sites; those that rest on a hidden count keep only a coarse 95% interval."""
    table = rescaled(table, views).assign(site=table["site"].map(labels))
    hidden = _is_hidden(table, keys)
    hidden |= _was_hidden(table, views, keys) & table["estimand"].eq("change")
    table = rule.coarsen(table, hidden & table["estimand"].isin(OF_COUNTS))
    return _coarse_ranks(table, hidden).assign(hidden=hidden)


def _coarse_ranks(table: pd.DataFrame, hidden: pd.Series) -> pd.DataFrame:
    """Ranks of sites with a hidden count keep an interval widened to steps of about an eighth of all ranks."""
    ranks = table["estimand"].eq("rank")
    for _, own in table[ranks].groupby("measure"):
        rows = own.index[hidden[own.index]]
        last, step = len(own), max(2, round(len(own) / 8))
        table.loc[rows, [name for name in rule.POINTS if name in table]] = np.nan
        table.loc[rows, "q025"] = 1 + step * ((table.loc[rows, "q025"] - 1) // step)
        table.loc[rows, "q975"] = (step * np.ceil(table.loc[rows, "q975"] / step)).clip(upper=last)
    return table


def statements(table: pd.DataFrame, views: Views, labels: Labels, keys: Keys) -> pd.DataFrame:
    """Words with their chances; where the count they rest on is hidden, a chance is only said to reach a threshold.

    Its digits would tell the count to someone who knows the number of cases and the model.
    """
    now = {view.name: view.windows.current.label for view in views}
    table = table.assign(site=table["site"].map(labels))
    hidden = _is_hidden(table.assign(period=table["measure"].map(now)), keys)
    hidden |= _was_hidden(table, views, keys) & table["slot"].eq("trajectory")
    shown = table.drop(columns="otherwise", errors="ignore")  # named, where it may be, by the checks of the fit
    return shown.assign(hidden=hidden, probability=table["probability"].where(~hidden, floors(table)))


def floors(table: pd.DataFrame) -> pd.Series:
    """The highest step that the probability of each row reaches; NaN below all."""
    reached = [[step for step in rule.FLOORS if value >= step] for value in table["probability"]]
    return pd.Series([max(steps, default=math.nan) for steps in reached], index=table.index, dtype=float)


def probabilities(table: pd.DataFrame) -> pd.DataFrame:
    """Events of the collaborative as a whole (site blank)."""
    return table[table["site"].eq("")].reset_index(drop=True)


def trend(table: pd.DataFrame, panel: pd.DataFrame, params: Params, views: Views) -> pd.DataFrame:
    """The collaborative's rate by period; where a period's total is small its recorded rate goes."""
    if table.empty:
        return pd.DataFrame(columns=["measure", "period", "observed", "observed_expected", *SUMMARY])
    factors = {view.name: factor(view) for view in views}
    by = table["measure"].map(factors)
    columns = [name for name in ("observed", *SUMMARY) if name in table]
    table = table.assign(**{name: table[name] * by for name in columns})
    hidden = _of_small_total(table, panel, params, views)
    ratio = _recorded_ratio(table, panel).mask(hidden)
    return rule.coarsen(table.assign(observed=table["observed"].mask(hidden), observed_expected=ratio), hidden)


def _recorded_ratio(table: pd.DataFrame, panel: pd.DataFrame) -> pd.Series:
    """Recorded over predicted events of all sites together, in the row's period; NaN without predicted numbers."""
    sums = panel.groupby(["measure", "period"])[["numerator", "expected"]].sum(min_count=1)
    ratio = (sums["numerator"] / sums["expected"]).to_dict()
    keys = zip(table["measure"], table["period"], strict=True)
    return pd.Series([ratio.get(key, math.nan) for key in keys], index=table.index, dtype=float)


def _of_small_total(table: pd.DataFrame, panel: pd.DataFrame, params: Params, views: Views) -> pd.Series:
    """Whether the collaborative's own total of the row's measure and period may not be shown."""
    small: set[tuple[str, str]] = set()
    for view in views:
        rows = panel[panel["measure"].eq(view.name)]
        sums = rows.groupby("period")[["numerator", "denominator", "n"]].sum(min_count=1).reset_index()
        small |= {(view.name, period) for period in sums[hidden_rows(sums, view, params.report.minimum_cell)]["period"]}
    return pd.Series(
        [key in small for key in zip(table["measure"], table["period"], strict=True)], table.index, dtype=bool
    )


def spc(table: pd.DataFrame, panel: pd.DataFrame, params: Params, views: Views) -> pd.DataFrame:
    """Control charts of the collaborative; a chart with one hidden value goes whole, since its mean would tell it."""
    if table.empty:
        return pd.DataFrame(
            columns=["measure", "site", "period", "value", "centre", "lower", "upper", "method", "flag"]
        )
    table = table[table["site"].eq("")]
    by = table["measure"].map({view.name: factor(view) for view in views})
    table = table.assign(**{name: table[name] * by for name in ("value", "centre", "lower", "upper")})
    hidden = set(table[_of_small_total(table, panel, params, views)]["measure"])
    return table[~table["measure"].isin(hidden)].reset_index(drop=True)


def funnel(table: pd.DataFrame, params: Params, views: Views, labels: Labels) -> pd.DataFrame:
    """Funnel rows; a site whose count is hidden keeps its flag and loses its dot."""
    if table.empty:
        return pd.DataFrame(
            columns=["measure", "site", "observed", "expected", "denominator", "method", "flag", "hidden"]
        )
    table = table.assign(site=table["site"].map(labels))
    hidden = pd.Series(False, index=table.index)
    for view in views:
        own = table["measure"].eq(view.name)
        rows = table[own].rename(columns={"observed": "numerator"}).assign(n=table["denominator"])
        hidden[own] = hidden_rows(rows, view, params.report.minimum_cell)
    table.loc[hidden, ["observed", "expected", "denominator"]] = np.nan
    return table.assign(hidden=hidden)


def quality(table: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """Data checks without their messages (which may quote counts and codes) and without values but completeness."""
    share = table["check"].eq("completeness")
    site = table["site"].map({**labels, "": ""}).fillna("")
    return table.assign(site=site, value=table["value"].where(share), limit=table["limit"].where(share)).drop(
        columns="message"
    )


def diagnostics(table: pd.DataFrame, labels: Labels, said: pd.DataFrame) -> pd.DataFrame:
    """Checks of the fit; what a failed one puts in doubt stands by site label instead of site code, one to a line.

    A word within Monte Carlo error of its threshold tells its chance to two digits, which of a hidden count is not told
    (`statements`): such sites are counted there and not named. `said` are the statements as published.
    """
    changes = table["changes"].fillna("") if "changes" in table else pd.Series("", index=table.index)
    table = table.assign(changes=changes.map(lambda found: _relabelled(str(found), labels)))
    hidden = said[said["hidden"]]
    silent = set(zip(hidden["measure"], hidden["site"], hidden["slot"], strict=True))
    for row in table.index[table["check"].eq("borderline")]:
        model, lines = table.loc[row, "model"], str(table.loc[row, "changes"]).splitlines()
        named = [line for line in lines if (model, *line.split(":")[0].split("\t")) not in silent]
        if len(named) < len(lines):
            table.loc[row, "changes"] = "\n".join(named)
            table.loc[row, "advice"] += " Sites whose counts are not shown are not named here."
    return table


def _relabelled(changes: str, labels: Labels) -> str:
    """ "S1 level: worse → unclear; …" as lines "label<tab>level: …"; what begins with no known code is dropped."""
    found = []
    for change in changes.split("; "):
        codes = [code for code in labels if change == code or change.startswith(f"{code} ")]
        if codes:
            code = max(codes, key=len)
            found.append(f"{labels[code]}\t{change[len(code) :].strip()}")
    return "\n".join(found)

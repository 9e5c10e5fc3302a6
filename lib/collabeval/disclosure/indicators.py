"""Indicators with what may not be shown taken out: a row for each, and one for each of its sites."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from collabeval.disclosure import suppress as rule
from collabeval.params import Indicator, Params

QUANTILES = ("q025", "q25", "q50", "q75", "q975")
COUNTS = ("numerator", "denominator", "recorded")


@dataclass(frozen=True)
class PublishedIndicators:
    """What may be shown of the indicators that have numbers.

    Attributes
    ----------
    rows : one per indicator, in the order of params: indicator, feature, now and before (labels of this year and the
        last); recorded, numerator, denominator, values (their number), sites (how many gave numbers; 0: the
        collaborative did); quantiles of the estimate; the same with ``last_`` of the year before and with ``change_``;
        at_target and better, chances; reliability of the median site; hidden, last_hidden. NaN where there is none.
    sites : indicator, site (label), at_target, reliability, hidden: of this year, the sites' own.

    Where a count is hidden, its estimate keeps a coarse interval and a chance says only that it reaches a threshold.
    """

    rows: pd.DataFrame
    sites: pd.DataFrame


def indicators(
    params: Params, tables: Mapping[str, pd.DataFrame], labels: Mapping[str, str]
) -> PublishedIndicators | None:
    """Apply the disclosure rules to the results of the indicators; None where the run has none."""
    if "feature_indicators" not in tables or tables["feature_counts"].empty:
        return None
    by_code = {indicator.id: indicator for indicator in params.indicators}
    counts = tables["feature_counts"]
    counts = counts.assign(hidden=_hidden(counts, by_code, params.report.minimum_cell))
    estimates = tables["feature_indicators"].query("years_back < 2")
    chances = tables["feature_probabilities"].query("years_back == 0")
    given = set(counts["indicator"])
    rows = [
        _row(indicator, counts[counts["indicator"].eq(code)], estimates, chances)
        for code, indicator in by_code.items()
        if code in given
    ]
    return PublishedIndicators(pd.DataFrame(rows), _sites(counts, estimates, chances, labels))


def _hidden(counts: pd.DataFrame, by_code: Mapping[str, Indicator], minimum_cell: int) -> pd.Series:
    """Which counts are too small to be shown: of patients and staff alone; meetings and fields are nobody's secret."""
    hidden = pd.Series(False, index=counts.index)
    for code, indicator in by_code.items():
        own = counts["indicator"].eq(code)
        if indicator.people and indicator.family != "normal" and own.any():
            hidden[own] = rule.hides_numerator(counts[own], indicator.family == "binomial", minimum_cell)
    return hidden


def _row(indicator: Indicator, counts: pd.DataFrame, estimates: pd.DataFrame, chances: pd.DataFrame) -> dict:
    """One indicator of the collaborative: recorded, estimated, this year and last."""
    recorded = counts[counts["site"].eq("")].set_index("years_back")
    mine = estimates[estimates["indicator"].eq(indicator.id) & estimates["site"].eq("")]
    now, before = (recorded.loc[back] if back in recorded.index else None for back in (0, 1))
    row: dict[str, object] = {"indicator": indicator.id, "feature": indicator.feature}
    for prefix, found, back in (("", now, 0), ("last_", before, 1)):
        hidden = found is not None and bool(found["hidden"])
        row |= {f"{prefix}hidden": hidden, "before" if prefix else "now": "" if found is None else found["period"]}
        row |= {f"{prefix}{name}": np.nan if found is None or hidden else found[name] for name in COUNTS}
        row |= _quantiles(mine[mine["years_back"].eq(back)], "value", prefix, hidden)
    either = bool(row["hidden"] or row["last_hidden"])
    row |= _quantiles(mine[mine["years_back"].eq(0)], "change", "change_", either)
    row["values"] = 0 if now is None else now["values"]
    row["sites"] = int((counts["years_back"].eq(0) & counts["site"].ne("")).sum())
    signal = mine[mine["estimand"].eq("reliability") & mine["years_back"].eq(0)]["mean"]
    row["reliability"] = signal.iloc[0] if len(signal) else np.nan
    own = chances[chances["indicator"].eq(indicator.id) & chances["site"].eq("")].set_index("event")["probability"]
    row["at_target"] = _bounded(own.get("at_target", np.nan), bool(row["hidden"]))
    row["better"] = _bounded(own.get("better_than_last_year", np.nan), either)
    return row


def _quantiles(mine: pd.DataFrame, estimand: str, prefix: str, hidden: bool) -> dict[str, float]:
    """The quantiles of one estimand; of a hidden count only the coarse ends of its 95 % interval."""
    found = mine[mine["estimand"].eq(estimand)]
    if found.empty:
        return {f"{prefix}{name}": np.nan for name in QUANTILES}
    shown = rule.coarsen(found, pd.Series(hidden, index=found.index)).iloc[0]
    return {f"{prefix}{name}": float(shown[name]) for name in QUANTILES}


def _sites(
    counts: pd.DataFrame, estimates: pd.DataFrame, chances: pd.DataFrame, labels: Mapping[str, str]
) -> pd.DataFrame:
    """The chance of each site to be at the target, under its label."""
    keys = ["indicator", "site"]
    now = counts[counts["years_back"].eq(0) & counts["site"].ne("")].set_index(keys)
    at = chances[chances["event"].eq("at_target") & chances["site"].ne("")].set_index(keys)["probability"]
    of_now = estimates[estimates["years_back"].eq(0) & estimates["estimand"].eq("reliability")]
    found = now[["hidden"]].join(at.rename("at_target")).join(of_now.set_index(keys)["mean"].rename("reliability"))
    found["at_target"] = [
        _bounded(value, hidden) for value, hidden in zip(found["at_target"], found["hidden"], strict=True)
    ]
    found = found.reset_index()
    return found.assign(site=found["site"].map(dict(labels)))


def _bounded(probability: float, hidden: bool) -> float:
    """A chance, or where a count is hidden the last threshold that it, or its opposite, reaches (NaN: none)."""
    if not hidden or np.isnan(probability):
        return float(probability)
    if probability < min(rule.FLOORS):
        return 1 - _bounded(1 - probability, hidden)
    return max(step for step in rule.FLOORS if probability >= step)

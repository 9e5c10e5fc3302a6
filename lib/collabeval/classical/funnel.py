"""The funnel of each measure: its sites in the current window, their flags, and the curves of the figure."""

from __future__ import annotations

import numpy as np
import pandas as pd

from collabeval import panel as panels
from collabeval.classical.limits import METHODS, Funnel, Method, fit_funnel, funnel_limits
from collabeval.params import Params

COLUMNS = (
    "measure", "site", "period", "observed", "expected", "denominator", "centre",
    "lower_95", "upper_95", "lower_998", "upper_998", "method", "flag",
)  # fmt: skip
ROUNDING = 1e-9  # a ratio that equals its limit but for rounding is not beyond it


def funnel_table(params: Params, panel: pd.DataFrame) -> pd.DataFrame:
    """Every site of the current window against the limits of every method: the columns of `results/funnel.parquet`."""
    tables = []
    for name, measure in params.measures.items():
        window, rows = funnel_rows(params, panel, name)
        funnel = fit_funnel(rows, measure.family)
        for method in METHODS:
            tables.append(_flagged(rows, funnel, method).assign(measure=name, period=window, method=method))
    return pd.concat(tables, ignore_index=True)[list(COLUMNS)]


def funnel_curves(params: Params, panel: pd.DataFrame, measure: str, points: int = 200) -> pd.DataFrame:
    """Smooth limits for the figure of one measure, from nearly nothing expected to a little beyond the largest site.

    Columns: `expected` (cases for means), `centre`, `lower_95`, `upper_95`, `lower_998`, `upper_998`, and the
    over-dispersed 99.8 % limits `lower_od`, `upper_od` (additive). Empty where nothing is expected anywhere.
    """
    _, rows = funnel_rows(params, panel, measure)
    funnel = fit_funnel(rows, params.measures[measure].family)
    size = rows["denominator" if funnel.family == "normal" else "expected"]
    last = 1.05 * size.max()
    grid = np.geomspace(min(size.min(), last / 100), last, points) if last > 0 else np.array([])
    curves: dict[str, object] = {"expected": grid, "centre": np.full(grid.shape, funnel.centre)}
    curves["lower_95"], curves["upper_95"] = funnel_limits(grid, funnel, 0.95)
    curves["lower_998"], curves["upper_998"] = funnel_limits(grid, funnel, 0.998)
    curves["lower_od"], curves["upper_od"] = funnel_limits(grid, funnel, 0.998, "additive")
    return pd.DataFrame(curves)


def funnel_rows(params: Params, panel: pd.DataFrame, measure: str) -> tuple[str, pd.DataFrame]:
    """Label of the current window of one measure, and its sites: `site, observed, expected, denominator` [, `sd`].

    Without an expectation from outside, expected events are cases × the overall rate of the window. For means,
    `observed` and `expected` are means, and `denominator` is n, or the precision 1/se² where only a standard error is
    known (`sd` is then 1).
    """
    rows = panel[panel["measure"] == measure]
    window = panels.windows(params.periods, rows).current
    rows = rows[rows["period"].isin(window.periods)]
    if params.measures[measure].family == "normal":
        return window.label, _mean_rows(rows)
    sums = rows.groupby("site")[["numerator", "denominator", "expected"]].sum(min_count=1)
    overall = sums["numerator"].sum() / sums["denominator"].sum()
    expected = sums["expected"].fillna(sums["denominator"] * overall)
    table = sums.assign(observed=sums["numerator"], expected=expected)
    return window.label, table[["observed", "expected", "denominator"]].reset_index()


def _mean_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Means of sites over the window, weighted by cases (or precision), and the pooled sd of single cases."""
    only_errors = bool(rows["n"].isna().all())
    weight = rows["se"] ** -2 if only_errors else rows["n"]
    spare = rows["n"] - 1
    sd = 1.0 if only_errors else float(np.sqrt((spare * rows["sd"].fillna(0) ** 2).sum() / spare.sum()))
    sums = rows.assign(weight=weight, total=rows["mean"] * weight).groupby("site")[["weight", "total"]].sum()
    table = pd.DataFrame({"observed": sums["total"] / sums["weight"], "denominator": sums["weight"], "sd": sd})
    return table.assign(expected=sums["total"].sum() / sums["weight"].sum()).reset_index()


def _flagged(rows: pd.DataFrame, funnel: Funnel, method: Method) -> pd.DataFrame:
    size = rows["denominator" if funnel.family == "normal" else "expected"]
    shown = rows["observed"] if funnel.family == "normal" else rows["observed"] / rows["expected"]
    lower_95, upper_95 = funnel_limits(size, funnel, 0.95, method)
    lower_998, upper_998 = funnel_limits(size, funnel, 0.998, method)
    slack = ROUNDING * abs(funnel.centre)
    beyond = [shown > upper_998 + slack, shown < lower_998 - slack, shown > upper_95 + slack, shown < lower_95 - slack]
    flag = np.select(beyond, ["above_998", "below_998", "above_95", "below_95"], "")
    return rows.assign(
        centre=funnel.centre,
        lower_95=lower_95,
        upper_95=upper_95,
        lower_998=lower_998,
        upper_998=upper_998,
        flag=flag,
    )

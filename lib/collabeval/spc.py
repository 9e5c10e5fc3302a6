"""Shewhart charts (XmR, p, u) of the collaborative and of each site, with the rules NHS England teaches.

Rules of "Making Data Count": a point outside the limits; a shift, 7 or more points in a row on one side of the mean; a
trend, 6 or more rising or falling in a row; two of three points in a row in the outer third on one side. A period
without data is skipped: the points before and after it count as neighbours. Methods and sources: docs/classical.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from collabeval.params import Measure, Params

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
ChartMethod = Literal["xmr", "p", "u"]

COLUMNS = ("measure", "site", "period", "value", "centre", "lower", "upper", "method", "flag", "signal")
RULES = ("outside_limits", "shift", "trend", "two_of_three")  # the order in which a point that breaks several is named
XMR = 2.66  # 3 / 1.128, rounded as the NHS charts do
SCREEN = 3.267  # a moving range beyond this many mean ranges does not widen the limits
SHIFT, TREND = 7, 6
MINIMUM_POINTS = 10  # limits from fewer move with every new point, so none are drawn


@dataclass(frozen=True)
class Chart:
    """One chart: its values in time, the mean, and the sd of each point by chance alone."""

    values: Array
    centre: Array
    sigma: Array

    @property
    def lower(self) -> Array:
        """Three sd below the mean."""
        return self.centre - 3 * self.sigma

    @property
    def upper(self) -> Array:
        """Three sd above the mean."""
        return self.centre + 3 * self.sigma


def xmr(values: npt.ArrayLike) -> Chart:
    """Individuals chart: mean ± 2.66 × mean moving range, ranges beyond 3.267 × the mean range screened out once.

    No screening where it would leave only zeros (a site with a few events in a long row of none): limits without width
    would call every event a signal.
    """
    points = np.asarray(values, dtype=float)
    ranges = np.abs(np.diff(points))
    if ranges.size and (kept := ranges[ranges <= SCREEN * ranges.mean()]).any():
        ranges = kept
    sigma = XMR / 3 * ranges.mean() if ranges.size else np.nan
    return Chart(points, np.full(points.shape, points.mean()), np.full(points.shape, sigma))


def attribute_chart(observed: Array, expected: Array, cases: Array | None, rate: float) -> Chart:
    """p chart (with `cases`) or u chart (without) of the rate (observed ÷ expected) × `rate`.

    Without risk adjustment `expected` is cases × `rate`, which makes this the textbook chart of observed ÷ cases.
    Limits by Shewhart: three binomial or Poisson sd at the chart's own mean, wider where less is expected.
    """
    ratio = observed.sum() / expected.sum()
    variance = ratio * expected * (1 if cases is None else np.clip(1 - ratio * expected / cases, 0, None))
    values = observed / expected * rate
    return Chart(values, np.full(values.shape, ratio * rate), np.sqrt(variance) / expected * rate)


def broken_rules(chart: Chart) -> dict[str, Array]:
    """For each rule and point: +1 where it signals upwards, −1 downwards, 0 where it is kept."""
    distance = chart.values - chart.centre
    side = np.where(np.isclose(chart.values, chart.centre, rtol=1e-9, atol=1e-12), 0, np.sign(distance))
    step = np.concatenate([[0.0], np.sign(np.diff(chart.values))])
    result = {rule: np.zeros(distance.shape) for rule in RULES}
    for sign in (1, -1):
        far = (side == sign) & (np.abs(distance) > 2 * chart.sigma)
        result["outside_limits"][(side == sign) & (np.abs(distance) > 3 * chart.sigma)] = sign
        result["shift"][_in_runs(side == sign, SHIFT)] = sign
        result["trend"][_with_first_point(_in_runs(step == sign, TREND - 1))] = sign
        result["two_of_three"][_two_of_three(far)] = sign
    return result


def spc_table(params: Params, panel: pd.DataFrame) -> pd.DataFrame:
    """Every chart of a run: the collaborative (`site` is "") and each site, on the display scale, in time order.

    Each measure has an XmR chart, and a p chart (binomial) or u chart (poisson) beside it. `flag` names the first rule
    a point breaks, `signal` says whether it is an `improvement` or a `concern`. Series of fewer than 10 points have a
    mean and no limits. Empty where params have no periods.
    """
    if params.periods.length == "none":
        return pd.DataFrame(columns=list(COLUMNS))
    tables = []
    for name, measure in params.measures.items():
        rows = with_expected(panel[panel["measure"] == name], measure)
        rate = 1.0 if measure.family == "normal" else rows["numerator"].sum() / rows["denominator"].sum()
        series = [("", _together(rows, measure)), *((str(site), group) for site, group in rows.groupby("site"))]
        for site, points in series:
            tables += [table.assign(measure=name, site=site) for table in _charts(points, measure, rate)]
    return pd.concat(tables, ignore_index=True)[list(COLUMNS)]


def with_expected(rows: pd.DataFrame, measure: Measure) -> pd.DataFrame:
    """Rows with expected events filled in: cases × the overall rate where there is no expectation from outside."""
    if measure.family == "normal":
        return rows
    overall = rows["numerator"].sum() / rows["denominator"].sum()
    return rows.assign(expected=rows["expected"].fillna(rows["denominator"] * overall))


def _together(rows: pd.DataFrame, measure: Measure) -> pd.DataFrame:
    """The collaborative's own row for each period: sums of counts, or the mean of means by cases (or precision).

    Its chart is of the recorded rate, not the risk-adjusted one: registries recalibrate what they expect every year
    (New York's expected deaths sum to the observed ones in each), and then all sites together are flat by construction.
    """
    if measure.family != "normal":
        sums = rows.groupby(["time", "period"])[["numerator", "denominator"]].sum().reset_index()
        return sums.assign(expected=sums["denominator"] * sums["numerator"].sum() / sums["denominator"].sum())
    weight = rows["n"].fillna(rows["se"] ** -2)
    sums = (
        rows.assign(weight=weight, total=rows["mean"] * weight).groupby(["time", "period"])[["weight", "total"]].sum()
    )
    return sums.assign(mean=sums["total"] / sums["weight"]).reset_index()


def _charts(points: pd.DataFrame, measure: Measure, rate: float) -> list[pd.DataFrame]:
    points = points.sort_values("time")
    if measure.family == "normal":
        return [_as_table(points, xmr(points["mean"]), "xmr", measure)]
    observed, expected, cases = (points[c].to_numpy(float) for c in ("numerator", "expected", "denominator"))
    if expected.sum() == 0:  # nothing ever happened anywhere: a flat line at zero
        expected, rate = cases, 1.0
    binomial = measure.family == "binomial"
    chart = attribute_chart(observed, expected, cases if binomial else None, rate)
    own: ChartMethod = "p" if binomial else "u"
    return [_as_table(points, xmr(chart.values), "xmr", measure), _as_table(points, chart, own, measure)]


def _as_table(points: pd.DataFrame, chart: Chart, method: ChartMethod, measure: Measure) -> pd.DataFrame:
    flag, direction = _first_broken(broken_rules(chart))
    good = 1 if measure.better == "higher" else -1
    table = pd.DataFrame(
        {
            "period": points["period"].to_numpy(),
            "value": chart.values * measure.scale,
            "centre": chart.centre * measure.scale,
            "lower": chart.lower * measure.scale,
            "upper": chart.upper * measure.scale,
            "method": method,
            "flag": flag,
            "signal": np.select([direction == good, direction == -good], ["improvement", "concern"], ""),
        }
    )
    if len(table) < MINIMUM_POINTS:
        return table.assign(lower=np.nan, upper=np.nan, flag="", signal="")
    if measure.family != "normal":  # a rate cannot lie below zero, nor a share above one
        table["lower"] = table["lower"].clip(lower=0)
        table["upper"] = table["upper"].clip(upper=measure.scale if measure.family == "binomial" else None)
    return table


def _first_broken(broken: dict[str, Array]) -> tuple[npt.NDArray[np.str_], Array]:
    signals = [broken[rule] != 0 for rule in RULES]
    return np.select(signals, list(RULES), ""), np.select(signals, [broken[rule] for rule in RULES], 0.0)


def _in_runs(state: Flags, least: int) -> Flags:
    """Whether each point lies in a run of at least `least` true points."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], state, [False]]).astype(int)))
    inside = np.zeros(state.shape, dtype=bool)
    for start, end in edges.reshape(-1, 2):
        inside[start:end] = end - start >= least
    return inside


def _with_first_point(steps: Flags) -> Flags:
    """Points that a run of steps joins: every step's end, and the first one's start."""
    return steps | np.concatenate([steps[1:], [False]])


def _two_of_three(far: Flags) -> Flags:
    """Far points that have another far point within two places."""
    padded = np.concatenate([[False, False], far, [False, False]])
    near = padded[:-4] | padded[1:-3] | padded[3:-1] | padded[4:]
    return far & near

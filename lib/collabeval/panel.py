"""The panel: one analysed row per measure, site and period; and the windows of time that are compared."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from collabeval import periods as period_texts
from collabeval.covariates import columns, with_covariates
from collabeval.params import Params, Periods
from collabeval.periods import Period

VALUES = ("numerator", "denominator", "expected", "mean", "sd", "n", "se")
COLUMNS = ("measure", "site", "period", "time", *VALUES, "weight")


@dataclass(frozen=True)
class Window:
    """A stretch of time: its label (`2017/2019`, or the one period) and those of its periods that have rows."""

    label: str
    periods: tuple[str, ...]


@dataclass(frozen=True)
class Windows:
    """What is compared: now, the baseline, and up to two windows before now (nearest first, as long as now)."""

    current: Window
    baseline: Window | None
    earlier: tuple[Window, ...]


def build(params: Params, sites: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Lay out the checked outcomes as the panel every model reads.

    Parameters
    ----------
    sites, outcomes : DataFrame, as `contract.read_inputs` gives them.

    Returns
    -------
    DataFrame with `COLUMNS`, sorted by measure, site and period (in time), and a column for each covariate of the
    models. `time` is in years from the start of the first period of the measure; `weight` is the denominator, or n for
    means (1 where only their se is known).

    Raises
    ------
    ContractError
        A covariate cannot be used.
    """
    panel = outcomes[outcomes["site"].isin(sites["site"])].copy()
    for column in VALUES:
        panel[column] = panel[column].astype("float64") if column in panel else float("nan")
    panel["period"] = panel["period"].fillna("") if "period" in panel else ""
    panel["time"] = 0.0
    if params.periods.length != "none":
        panel["time"] = _years(panel, params.periods)
    normal = panel["measure"].map(lambda measure: params.measures[measure].family == "normal")
    panel["weight"] = panel["denominator"].where(~normal, panel["n"].fillna(1.0))
    panel = panel.sort_values(["measure", "site", "time"], kind="stable", ignore_index=True)
    panel = panel.astype({"measure": str, "site": str, "period": str})
    panel = with_covariates(params, panel, sites, outcomes)
    return panel[[*COLUMNS, *columns(params.model, *params.compare.values())]]


def windows(periods: Periods, panel_of_measure: pd.DataFrame) -> Windows:
    """The windows of one measure: those params name, else the last year as current and the first as baseline.

    A window keeps only periods in which the measure has rows; a baseline without any is None.
    """
    if periods.length == "none":
        return Windows(Window("", ("",)), None, ())
    observed = sorted({_parse(label, periods) for label in panel_of_measure["period"]})
    present = {period.label for period in observed}
    year = period_texts.per_year(periods.length)
    current = _declared(periods.current, periods) or _ending(observed[-1], year, observed[0])
    baseline = _declared(periods.baseline, periods)
    if baseline is None:
        first_year = period_texts.span(observed[0], observed[0].shifted(year - 1))
        baseline = first_year if first_year[-1] < current[0] else []
    earlier = [[period.shifted(-step * len(current)) for period in current] for step in (1, 2)]
    return Windows(
        _window(current, present),
        _window(baseline, present) if any(period.label in present for period in baseline) else None,
        tuple(_window(span, present) for span in earlier if any(period.label in present for period in span)),
    )


def _years(panel: pd.DataFrame, periods: Periods) -> pd.Series:
    """Years from the first period of each measure to the period of each row."""
    parsed = {label: _parse(label, periods) for label in panel["period"].unique()}
    groups = panel.groupby("measure")["period"]
    origin = {measure: min(parsed[label] for label in rows.unique()) for measure, rows in groups}
    pairs = zip(panel["measure"], panel["period"], strict=True)
    return pd.Series(
        [period_texts.years_between(origin[measure], parsed[label]) for measure, label in pairs],
        index=panel.index, dtype="float64",
    )  # fmt: skip


def _parse(label: str, periods: Periods) -> Period:
    assert periods.length != "none"
    return period_texts.parse(label, periods.length, periods.year_starts)


def _declared(window: tuple[str, str] | None, periods: Periods) -> list[Period] | None:
    return None if window is None else period_texts.span(_parse(window[0], periods), _parse(window[1], periods))


def _ending(last: Period, count: int, first: Period) -> list[Period]:
    """The `count` periods up to `last`, but none before the first period with data."""
    return period_texts.span(max(last.shifted(1 - count), first), last)


def _window(span: list[Period], present: set[str]) -> Window:
    first, last = span[0].label, span[-1].label
    label = first if first == last else f"{first}/{last}"
    return Window(label, tuple(period.label for period in span if period.label in present))

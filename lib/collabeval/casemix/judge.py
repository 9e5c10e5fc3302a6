"""How well a case-mix model predicts, year by year: calibration and discrimination, from patterns and exactly.

Terms as in Steyerberg (2019), Clinical Prediction Models, chapter 15.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from collabeval.casemix.design import Design, Slope
from collabeval.casemix.model import CaseMixModel
from collabeval.casemix.patterns import merged
from collabeval.casemix.regression import NoFitError, Task, fit, mean_of
from collabeval.params import Family

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.integer]
GROUPS = 10
Z95 = 1.959963984540054
CALIBRATION = (
    "year", "cases", "exposure", "observed", "expected", "in_the_large", "in_the_large_lower", "in_the_large_upper",
    "slope", "slope_lower", "slope_upper", "c_statistic", "brier", "brier_of_mean",
)  # fmt: skip
DECILES = ("year", "group", "cases", "exposure", "observed", "expected")


def calibration(model: CaseMixModel, cells: pd.DataFrame) -> pd.DataFrame:
    """One row for each year (`CALIBRATION`).

    `in_the_large` is what would have to be added to every prediction on the link scale (log-odds, log rate, the unit
    of a mean) for observed and expected to be equal, `slope` the factor of the linear predictor that fits the year best
    (below 1: predictions too extreme); both with 95 % limits. `c_statistic` and Brier scores are of binomial measures;
    `brier_of_mean` is the score of predicting every case the year's own rate. NaN where a year does not tell.
    """
    rows = [_judged(model, str(year), sums) for year, sums in _years(cells)]
    return pd.DataFrame(rows, columns=list(CALIBRATION))


def deciles(model: CaseMixModel, cells: pd.DataFrame) -> pd.DataFrame:
    """Observed and expected outcomes by tenths of predicted risk in each year (`DECILES`); ties stay together."""
    tables = []
    for year, sums in _years(cells):
        eta = model.linear_predictor[sums["pattern"]]
        ordered = (
            sums.assign(eta=eta, expected=expected_of(model, sums))
            .groupby("eta", sort=True)[["cases", "exposure", "total", "expected"]]
            .sum()
        )
        middle = (ordered["cases"].cumsum() - ordered["cases"] / 2) / ordered["cases"].sum()
        group = np.minimum((middle.to_numpy() * GROUPS).astype(int), GROUPS - 1) + 1
        table = ordered.groupby(group).sum().rename(columns={"total": "observed"})
        tables.append(table.rename_axis("group").reset_index().assign(year=str(year)))
    return pd.concat(tables, ignore_index=True)[list(DECILES)]


def c_statistic(eta: Array, total: Array, cases: Array) -> float:
    """The chance that a case with the event had the higher prediction than one without; ties count half."""
    values, at = np.unique(eta, return_inverse=True)
    events = np.bincount(at, total, minlength=len(values))
    others = np.bincount(at, cases, minlength=len(values)) - events
    pairs = float(events.sum()) * float(others.sum())
    below = np.cumsum(others) - others
    return float(events @ (below + others / 2)) / pairs if pairs > 0 else math.nan


def _years(cells: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    sums = merged(cells, ["year", "pattern"])
    return [(str(year), part) for year, part in sums.groupby("year", observed=True, sort=True)]


def expected_of(model: CaseMixModel, sums: pd.DataFrame) -> Array:
    """What the model expects of each row of sums."""
    return np.asarray(model.expected[sums["pattern"]] * size_of(model.family, sums))


def _judged(model: CaseMixModel, year: str, sums: pd.DataFrame) -> dict[str, object]:
    eta, total = model.linear_predictor[sums["pattern"]], sums["total"].to_numpy()
    row: dict[str, object] = {
        "year": year, "cases": sums["cases"].sum(), "exposure": sums["exposure"].sum(), "observed": total.sum(),
        "expected": expected_of(model, sums).sum(), "c_statistic": math.nan, "brier": math.nan,
        "brier_of_mean": math.nan,
    }  # fmt: skip
    row |= interval("in_the_large", *in_the_large(model.family, eta, sums, model.dispersion))
    row |= interval("slope", *slope(model.family, eta, sums, model.dispersion))
    if model.family == "binomial":
        cases, mean = sums["cases"].to_numpy(), mean_of("binomial", eta)
        overall = total.sum() / cases.sum()
        row["c_statistic"] = c_statistic(eta, total, cases)
        row["brier"] = float(np.sum(total * (1 - 2 * mean) + cases * mean**2) / cases.sum())
        row["brier_of_mean"] = float(overall * (1 - overall))
    return row


def interval(name: str, value: float, error: float, quantile: float = Z95) -> dict[str, float]:
    """A number and its 95 % limits as columns."""
    return {name: value, f"{name}_lower": value - quantile * error, f"{name}_upper": value + quantile * error}


def in_the_large(family: Family, eta: Array, sums: pd.DataFrame, dispersion: float) -> tuple[float, float]:
    """The shift of the linear predictor that makes observed and expected sums equal, and its standard error."""
    total = float(sums["total"].sum())
    size = size_of(family, sums)
    scale = math.sqrt(dispersion) if family != "binomial" else 1.0
    if family == "normal":
        return (total - float(size @ eta)) / float(size.sum()), scale / math.sqrt(size.sum())
    if total <= 0 or (family == "binomial" and total >= size.sum()):
        return math.nan, math.nan
    if family == "poisson":
        return math.log(total / float(size @ np.exp(eta))), scale / math.sqrt(total)
    shift = 0.0
    for _ in range(100):
        mean = mean_of("binomial", eta + shift)
        step = (total - float(size @ mean)) / float(size @ (mean * (1 - mean)))
        shift += max(-1.0, min(1.0, step))
        if abs(step) < 1e-12:
            break
    mean = mean_of("binomial", eta + shift)
    return shift, 1 / math.sqrt(float(size @ (mean * (1 - mean))))


def slope(family: Family, eta: Array, sums: pd.DataFrame, dispersion: float) -> tuple[float, float]:
    """The slope of outcomes on the linear predictor, with its own intercept, and its standard error."""
    if np.ptp(eta) == 0:
        return math.nan, math.nan
    centre = float(np.average(eta, weights=sums["cases"]))
    group = np.zeros(len(eta), dtype=np.int64)
    task = on_linear_predictor(family, eta - centre, group, sums["total"].to_numpy(), size_of(family, sums))
    try:
        found = fit(task)
    except NoFitError:  # no events, or predictions that part them perfectly: there is no slope: NaN says so
        return math.nan, math.nan
    scale = dispersion if family != "binomial" else 1.0
    return float(found.values[0]), math.sqrt(float(found.covariance[0, 0]) * scale)


def size_of(family: Family, sums: pd.DataFrame) -> Array:
    """What an expected outcome is multiplied by: exposure of counts, else cases."""
    return (sums["exposure"] if family == "poisson" else sums["cases"]).to_numpy(float)


def on_linear_predictor(family: Family, eta: Array, group: Codes, total: Array, size: Array) -> Task:
    """Outcomes regressed on the linear predictor, with an intercept for each group."""
    design = Design((Slope("linear predictor"),), ("linear predictor",))
    return Task(family, design, pd.DataFrame({"linear predictor": eta}), np.arange(len(eta)), group, size, total)

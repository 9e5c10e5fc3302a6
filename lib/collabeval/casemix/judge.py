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
            sums.assign(eta=eta, expected=_expected(model, sums))
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


def _expected(model: CaseMixModel, sums: pd.DataFrame) -> Array:
    size = sums["exposure"] if model.family == "poisson" else sums["cases"]
    return np.asarray(model.expected[sums["pattern"]] * size)


def _judged(model: CaseMixModel, year: str, sums: pd.DataFrame) -> dict[str, object]:
    eta, total = model.linear_predictor[sums["pattern"]], sums["total"].to_numpy()
    row: dict[str, object] = {
        "year": year, "cases": sums["cases"].sum(), "exposure": sums["exposure"].sum(), "observed": total.sum(),
        "expected": _expected(model, sums).sum(), "c_statistic": math.nan, "brier": math.nan, "brier_of_mean": math.nan,
    }  # fmt: skip
    row |= _interval("in_the_large", *_in_the_large(model, eta, sums)) | _interval("slope", *_slope(model, eta, sums))
    if model.family == "binomial":
        cases, mean = sums["cases"].to_numpy(), mean_of("binomial", eta)
        overall = total.sum() / cases.sum()
        row["c_statistic"] = c_statistic(eta, total, cases)
        row["brier"] = float(np.sum(total * (1 - 2 * mean) + cases * mean**2) / cases.sum())
        row["brier_of_mean"] = float(overall * (1 - overall))
    return row


def _interval(name: str, value: float, error: float) -> dict[str, float]:
    return {name: value, f"{name}_lower": value - Z95 * error, f"{name}_upper": value + Z95 * error}


def _in_the_large(model: CaseMixModel, eta: Array, sums: pd.DataFrame) -> tuple[float, float]:
    """The shift of the linear predictor that makes the year's sums equal, and its standard error."""
    total = float(sums["total"].sum())
    size = (sums["exposure"] if model.family == "poisson" else sums["cases"]).to_numpy()
    scale = math.sqrt(model.dispersion) if model.family != "binomial" else 1.0
    if model.family == "normal":
        return (total - float(size @ eta)) / float(size.sum()), scale / math.sqrt(size.sum())
    if total <= 0 or (model.family == "binomial" and total >= size.sum()):
        return math.nan, math.nan
    if model.family == "poisson":
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


def _slope(model: CaseMixModel, eta: Array, sums: pd.DataFrame) -> tuple[float, float]:
    """The slope of outcomes on the linear predictor, with its own intercept, and its standard error."""
    if np.ptp(eta) == 0:
        return math.nan, math.nan
    centre = float(np.average(eta, weights=sums["cases"]))
    size = (sums["exposure"] if model.family == "poisson" else sums["cases"]).to_numpy()
    task = _on_linear_predictor(model.family, eta - centre, sums["total"].to_numpy(), size)
    try:
        found = fit(task)
    except NoFitError:  # a year without events, or one that predictions part perfectly, has no slope: NaN says so
        return math.nan, math.nan
    scale = model.dispersion if model.family != "binomial" else 1.0
    return float(found.values[0]), math.sqrt(float(found.covariance[0, 0]) * scale)


def _on_linear_predictor(family: Family, eta: Array, total: Array, size: Array) -> Task:
    design = Design((Slope("linear predictor"),), ("linear predictor",))
    count = len(eta)
    rows = pd.DataFrame({"linear predictor": eta})
    return Task(family, design, rows, np.arange(count), np.zeros(count, dtype=np.int64), size, total)

"""The case-mix model of one measure: fitted to the baseline, and what it expects of any patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq

from collabeval.casemix.design import Design, make_design
from collabeval.casemix.patterns import Patterns, merged
from collabeval.casemix.regression import Coefficients, NoFitError, Task, fit, mean_of, pearson_dispersion
from collabeval.params import Family, Measure, Records

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.integer]


@dataclass(frozen=True)
class CaseMixModel:
    """A fitted case-mix model.

    `linear_predictor` is by row of the patterns' covariates; a site of the baseline as a whole has as many events
    expected as it had. `coefficients` has `term, estimate, se`; `dispersion` is Pearson's (means: residual variance).
    """

    family: Family
    linear_predictor: Array
    coefficients: pd.DataFrame
    dispersion: float
    log_likelihood: float

    @property
    def expected(self) -> Array:
        """Expected outcome of one case (or unit of exposure) of each pattern."""
        return mean_of(self.family, self.linear_predictor)


def fit_case_mix(measure: Measure, patterns: Patterns, baseline: npt.NDArray[np.bool_]) -> CaseMixModel:
    """Fit the model that params ask for to the baseline cells, and extend it to all patterns.

    The effects of covariates are those within sites where `sites` is `fixed` or `mundlak`; the level is then set so
    that expected and observed outcomes of the baseline are equal in sum.

    Raises
    ------
    NoFitError
        where levels are too rare or new since the baseline, or coefficients cannot be found.
    """
    assert measure.records is not None
    cells = merged(patterns.cells[baseline], ["site", "pattern"]).sort_values("pattern", ignore_index=True)
    cases = np.bincount(cells["pattern"], cells["cases"], minlength=len(patterns.covariates))
    _check_levels(measure, patterns, cells, cases)
    design = make_design(measure.records.covariates, patterns.covariates, cases)
    task = _task(measure.family, measure.records, design, patterns.covariates, cells)
    found = fit(task)
    used = found.values[: len(design.names)]
    slopes = _over_patterns(design, patterns.covariates, used)
    per_pattern = merged(cells, ["pattern"])
    level = found.free[0] if measure.records.sites == "none" else _level(measure.family, slopes, per_pattern)
    eta = level + slopes
    parameters = len(found.values) + len(found.free)
    within = _fitted(task, found)
    dispersion = pearson_dispersion(measure.family, within, _rows_of(measure, cells), parameters)
    table = _coefficients(measure, found, level, dispersion)
    return CaseMixModel(measure.family, eta, table, dispersion, found.log_likelihood)


def _rows_of(measure: Measure, cells: pd.DataFrame) -> pd.DataFrame:
    assert measure.records is not None
    return cells[_informative(measure.family, measure.records, cells)]


def _task(family: Family, records: Records, design: Design, covariates: pd.DataFrame, cells: pd.DataFrame) -> Task:
    """What is regressed: with one intercept, the sites' covariate means besides, or an intercept for each site."""
    cells = cells[_informative(family, records, cells)]
    if cells.empty:
        raise NoFitError("no site of the baseline has both cases with and without the event", "set `sites: none`")
    site = pd.factorize(cells["site"].cat.codes.to_numpy())[0]
    group = site if records.sites == "fixed" else np.zeros(len(cells), dtype=np.int64)
    pattern = cells["pattern"].to_numpy()
    size = cells["exposure"] if family == "poisson" else cells["cases"]
    means = _site_means(design, covariates, pattern, site, cells) if records.sites == "mundlak" else None
    return Task(
        family, design, covariates, pattern, group, size.to_numpy(), cells["total"].to_numpy(),
        site if means is not None else None, means,
    )  # fmt: skip


def _informative(family: Family, records: Records, cells: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """With a term for each site, a site where nothing (or everything) happened says nothing about the covariates."""
    if records.sites != "fixed" or family == "normal":
        return np.ones(len(cells), dtype=bool)
    sums = cells.groupby("site", observed=True)[["total", "cases"]].transform("sum")
    keep = sums["total"] > 0
    return (keep & (sums["total"] < sums["cases"]) if family == "binomial" else keep).to_numpy()


def _site_means(design: Design, covariates: pd.DataFrame, pattern: Codes, site: Codes, cells: pd.DataFrame) -> Array:
    """Mean of every column of the design over the cases of each site, shape (sites, columns)."""
    weights = cells["cases"].to_numpy()
    sites = int(site.max()) + 1
    sums = np.zeros((sites, len(design.names)))
    every = design.rows(covariates)
    for column in range(every.shape[1]):
        sums[:, column] = np.bincount(site, weights * every[pattern, column], minlength=sites)
    return np.asarray(sums / np.bincount(site, weights, minlength=sites)[:, None])


def _over_patterns(design: Design, covariates: pd.DataFrame, values: Array, chunk: int = 100_000) -> Array:
    """The part of the linear predictor that covariates make, by pattern."""
    parts = [design.rows(covariates.iloc[start : start + chunk]) @ values for start in range(0, len(covariates), chunk)]
    return np.concatenate(parts)


def _fitted(task: Task, found: Coefficients) -> Array:
    """The linear predictor of every row that was fitted."""
    return np.concatenate([found.free[task.group[rows]] + columns @ found.values for rows, columns in task.chunks()])


def _level(family: Family, slopes: Array, cells: pd.DataFrame) -> float:
    """The intercept at which expected and observed outcomes of these cells are equal in sum."""
    slope, total = slopes[cells["pattern"]], float(cells["total"].sum())
    size = (cells["exposure"] if family == "poisson" else cells["cases"]).to_numpy()
    if family == "normal":
        return (total - float(size @ slope)) / float(size.sum())
    if family == "poisson":
        return float(np.log(total / (size @ np.exp(slope))))
    surplus = lambda level: float(size @ mean_of(family, level + slope)) - total  # noqa: E731
    reach = float(np.abs(slope).max()) + 40.0
    return float(brentq(surplus, -reach, reach, xtol=1e-12, rtol=1e-14))


def _check_levels(measure: Measure, patterns: Patterns, cells: pd.DataFrame, cases: Array) -> None:
    """Every level of a category must have been there in the baseline, with and without the event."""
    assert measure.records is not None
    total = np.bincount(cells["pattern"], cells["total"], minlength=len(cases))
    problems = []
    for name, how in measure.records.covariates.items():
        if how.kind != "category":
            continue
        sums = pd.DataFrame({"cases": cases, "total": total}).groupby(patterns.covariates[name].to_numpy()).sum()
        if how.reference and how.reference not in sums.index:
            problems.append(f"{name} has no level {how.reference!r}, which is to be the reference")
        for level, size, events in zip(sums.index, sums["cases"], sums["total"], strict=True):
            if size == 0:
                problems.append(f"{name} = {level} comes up only after the baseline")
            elif measure.family != "normal" and events == 0:
                problems.append(f"{name} = {level} has no event in the baseline")
            elif measure.family == "binomial" and events == size:
                problems.append(f"{name} = {level} has nothing but events in the baseline")
    if problems:
        raise NoFitError("; ".join(problems), "join such a level with another, or take a longer baseline")


def _coefficients(measure: Measure, found: Coefficients, level: float, dispersion: float) -> pd.DataFrame:
    """Terms with their estimates and standard errors; the intercept's own where it was estimated with them."""
    assert measure.records is not None
    spread = np.sqrt(dispersion) if measure.family == "normal" else 1.0
    intercept_se = float(found.free_se[0]) * spread if measure.records.sites == "none" else np.nan
    return pd.DataFrame(
        {
            "term": ["intercept", *found.names],
            "estimate": [level, *found.values],
            "se": [intercept_se, *(np.sqrt(np.diag(found.covariance)) * spread)],
        }
    )

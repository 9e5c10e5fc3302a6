"""What the case-mix model expects of each site: indirect and direct standardisation, and the rows the models take."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq

from collabeval.casemix.model import CaseMixModel
from collabeval.casemix.patterns import Patterns
from collabeval.casemix.regression import NoFitError, mean_of
from collabeval.params import Measure

Array = npt.NDArray[np.float64]
FINE = 1e-3  # of the linear predictor, to which the standard population is rounded for direct standardisation
FARTHEST = 40.0  # on the link scale, from any prediction: no site is as far


def expected_rows(measure: Measure, patterns: Patterns, model: CaseMixModel | None) -> pd.DataFrame:
    """Each site and period: `site, period, cases, exposure, observed, frozen, recalibrated, spread`.

    `frozen` is what the baseline's model expects; `recalibrated` has been brought to the period's observed outcomes in
    sum: times ΣO/Σe (for means: plus the difference of the means). Both are NaN without a model. `spread` (means) is
    the sum of squared deviations of outcomes from what was expected of each case, about their mean in site and period.
    """
    cells = patterns.cells
    size = cells["exposure"] if measure.family == "poisson" else cells["cases"]
    mean = np.zeros(len(cells)) if model is None else model.expected[cells["pattern"]]
    away = cells["squares"] - 2 * mean * cells["total"] + mean**2 * cells["cases"]
    table = cells[["site", "period", "cases", "exposure"]].assign(
        observed=cells["total"], frozen=mean * size, away=away
    )
    sums = table.groupby(["site", "period"], observed=True, sort=True).sum().reset_index()
    sums["spread"] = sums["away"] - (sums["observed"] - sums["frozen"]) ** 2 / sums["cases"]
    periods = sums.groupby("period", observed=True)[["observed", "frozen", "cases"]].transform("sum")
    if measure.family == "normal":
        shift = (periods["observed"] - periods["frozen"]) / periods["cases"]
        sums["recalibrated"] = sums["frozen"] + sums["cases"] * shift
    else:
        sums["recalibrated"] = sums["frozen"] * (periods["observed"] / periods["frozen"])
    if model is None:
        sums[["frozen", "recalibrated"]] = np.nan
    columns = ["site", "period", "cases", "exposure", "observed", "frozen", "recalibrated", "spread"]
    return sums[columns].astype({"site": str, "period": str})


def outcome_rows(name: str, measure: Measure, rows: pd.DataFrame, level: float) -> pd.DataFrame:
    """The rows of one measure as the table of outcomes would have them, with the expected numbers params choose.

    Means are adjusted instead: mean of what each case differs from its expectation, plus `level` (the baseline's mean).
    """
    assert measure.records is not None
    table = pd.DataFrame({"site": rows["site"], "period": rows["period"], "measure": name})
    chosen = rows[measure.records.expected]
    if measure.family == "normal":
        away = rows["observed"] - chosen + level * rows["cases"]
        adjusted = (away if chosen.notna().all() else rows["observed"]) / rows["cases"]
        spare = (rows["cases"] - 1).where(rows["cases"] > 1)
        return table.assign(mean=adjusted, n=rows["cases"], sd=np.sqrt(rows["spread"].clip(lower=0) / spare))
    size = rows["exposure"] if measure.family == "poisson" else rows["cases"]
    if chosen.notna().all():
        _check_expected(measure, rows.assign(expected=chosen, denominator=size))
    return table.assign(numerator=rows["observed"], denominator=size, expected=chosen)


def _check_expected(measure: Measure, rows: pd.DataFrame) -> None:
    """Expected numbers a model can take: above 0, and for shares of cases below the cases."""
    fix = "set `expected: frozen`, or longer periods"
    for period in rows.loc[~(rows["expected"] > 0), "period"].unique():
        raise NoFitError(f"nothing happened anywhere in {period or 'the data'}: recalibrated numbers would be 0", fix)
    if measure.family == "binomial":
        beyond = rows[rows["expected"] >= rows["denominator"]]
        for site, period in zip(beyond["site"], beyond["period"], strict=True):
            raise NoFitError(f"recalibrated numbers reach the number of cases (site {site}, {period})", fix)


def standardised(measure: Measure, patterns: Patterns, model: CaseMixModel, periods: list[str]) -> pd.DataFrame:
    """Indirect and direct standardisation of each site over some periods, without any pooling.

    Columns: `site, cases, exposure, observed, expected, ratio` (O/E), `indirect_rate` (ratio × the rate of all sites)
    and `direct_rate`: what all cases of all sites would have had at this site, its difference from the model taken as
    the same for every case on the link scale. Rates are outcomes per case or unit of exposure; NaN where a site had no
    events, or nothing but events (the difference is then infinite).
    """
    cells = patterns.cells[patterns.cells["period"].isin(periods)]
    size = (cells["exposure"] if measure.family == "poisson" else cells["cases"]).to_numpy()
    eta = np.round(model.linear_predictor[cells["pattern"]] / FINE) * FINE
    values, at = np.unique(eta, return_inverse=True)
    site, codes = pd.factorize(cells["site"].astype(str), sort=True)[0], sorted(cells["site"].astype(str).unique())
    case_mix = np.zeros((len(codes), len(values)))
    np.add.at(case_mix, (site, at), size)
    table = cells.assign(size=size, expected=model.expected[cells["pattern"]] * size)
    columns = ["cases", "exposure", "total", "expected", "size"]
    sums = table.groupby(table["site"].astype(str), sort=True)[columns].sum()
    overall = sums["total"].sum() / sums["size"].sum()
    population = case_mix.sum(axis=0)
    pairs = zip(sums["total"].to_numpy(), case_mix, strict=True)
    direct = [_rate_at(measure.family, values, own, total, population) for total, own in pairs]
    ratio = sums["total"] / sums["expected"]
    rates = {"ratio": ratio, "indirect_rate": ratio * overall, "direct_rate": direct}
    if measure.family == "normal":  # a ratio of means says nothing: their difference is added to the mean of all
        difference = (sums["total"] - sums["expected"]) / sums["size"]
        rates = {"ratio": np.nan, "indirect_rate": difference + overall, "direct_rate": direct}
    table = pd.concat([sums, pd.DataFrame(rates, index=sums.index)], axis=1)
    return table.rename(columns={"total": "observed"}).drop(columns="size").rename_axis("site").reset_index()


def _rate_at(family: str, values: Array, own: Array, total: float, population: Array) -> float:
    """The population's rate at a site with this case-mix and total."""
    if family == "normal":
        return float(population @ values / population.sum() + (total - own @ values) / own.sum())
    if family == "poisson":
        return float(population @ np.exp(values) / population.sum() * total / (own @ np.exp(values)))
    if total <= 0 or total >= own.sum():
        return float("nan")
    surplus = lambda shift: float(own @ mean_of("binomial", values + shift)) - total  # noqa: E731
    reach = float(np.abs(values).max()) + FARTHEST
    shift = brentq(surplus, -reach, reach, xtol=1e-10)
    return float(population @ mean_of("binomial", values + shift) / population.sum())

"""What a model sees of one measure's panel: indices, offsets, units, and which terms it has. Numpy only, no PyMC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from collabeval.models.covariates import Covariates, read_covariates
from collabeval.params import Family, Model, Prior

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

OVERDISPERSION_FROM = 4  # periods at the median site from which `overdispersion: auto` is on
SCALE_WITHOUT_SD = 2.0  # pooled sd per sd of the reported means, where a measure gives no within-site sd


@dataclass(frozen=True)
class Design:
    """One measure's rows as arrays: N cells (site-periods, in the panel's row order), J sites, T observed periods.

    ``trend``, ``trajectory`` and ``overdispersion`` say which terms the data can carry and the params ask for.
    """

    family: Family
    settings: Model
    sites: NDArray[np.str_]  # (J,) sorted codes
    periods: NDArray[np.str_]  # (T,) labels in order of time
    site_index: Indices  # (N,)
    period_index: Indices  # (N,)
    time: Floats  # (T,) years
    columns: dict[str, Floats]  # numerator, denominator, expected, mean, sd, n, se, weight; each (N,)
    covariates: Covariates

    @cached_property
    def cells(self) -> int:
        """Number of rows."""
        return len(self.site_index)

    @cached_property
    def mean_time(self) -> float:
        """Mean over the cells of the time of their period, in years: where level and trajectory meet."""
        return float(self.time[self.period_index].mean())

    @cached_property
    def years(self) -> Floats:
        """Time of each cell from `mean_time`, in years (N,)."""
        return self.time[self.period_index] - self.mean_time

    @cached_property
    def has_expected(self) -> bool:
        """Whether the registry gives expected events; the data contract has refused a mixture."""
        return bool(np.isfinite(self.columns["expected"]).all())

    @cached_property
    def periods_per_site(self) -> Indices:
        """Rows of each site (J,)."""
        return np.bincount(self.site_index, minlength=len(self.sites))

    @cached_property
    def own_sd(self) -> bool:
        """Whether the standard error of some means follows from their site's own sd, which the model then has."""
        return self.family == "normal" and not np.isfinite(self.columns["se"]).all()

    @cached_property
    def pooled_squares(self) -> tuple[Floats, Floats]:
        """Degrees of freedom Σ(n − 1) and squares Σ(n − 1)sd² of each site's own sd (J,), 0 where it has none."""
        n, sd = self.columns["n"], self.columns["sd"]
        seen = np.isfinite(sd) & (n > 1)
        freedom = np.bincount(self.site_index[seen], (n - 1)[seen], len(self.sites))
        return freedom, np.bincount(self.site_index[seen], ((n - 1) * sd**2)[seen], len(self.sites))

    @cached_property
    def trend(self) -> str:
        """`none`, `linear` or `random_walk`; none with a single period."""
        return self.settings.trend if len(self.periods) > 1 else "none"

    @cached_property
    def trajectory(self) -> bool:
        """Whether sites have their own slope: asked for, and at least two sites seen at two times."""
        return self.settings.trajectory and int((self.periods_per_site > 1).sum()) >= 2

    @cached_property
    def overdispersion(self) -> bool:
        """Whether cells vary beyond level and slope; `auto`: from 4 periods at the median site."""
        if self.settings.overdispersion == "auto":
            return bool(np.median(self.periods_per_site) >= OVERDISPERSION_FROM)
        return bool(self.settings.overdispersion)

    @cached_property
    def site_covariates(self) -> Floats:
        """Covariates that explain a site's level (J, P); 0 in the columns that are adjusted for."""
        _, first = np.unique(self.site_index, return_index=True)
        return np.where(self.covariates.adjusted, 0.0, self.covariates.values[first])

    @cached_property
    def cell_covariates(self) -> Floats:
        """Covariates that are adjusted for (N, P); 0 in the columns that explain a site's level."""
        return np.where(self.covariates.adjusted, self.covariates.values, 0.0)

    @cached_property
    def offset(self) -> Floats:
        """What is known of the linear predictor before the data (N,)."""
        return known_predictor(self.family, self.columns, self.has_expected)

    @cached_property
    def scale(self) -> float:
        """Unit of the random effects on the linear predictor: 1, or for `normal` the pooled within-site sd."""
        if self.family != "normal":
            return 1.0
        sd, n = self.columns["sd"], self.columns["n"]
        seen = np.isfinite(sd) & (n > 1)
        if seen.any():
            return float(np.sqrt(np.sum((n - 1)[seen] * sd[seen] ** 2) / np.sum((n - 1)[seen])))
        spread = float(np.std(self.columns["mean"]))
        return SCALE_WITHOUT_SD * spread if spread > 0 else float(np.mean(self.columns["se"]))

    @cached_property
    def typical(self) -> float:
        """Centre of the intercept's default prior: log-odds, log-rate or mean of all cells together."""
        if self.family == "normal":
            return float(np.average(self.columns["mean"], weights=self.columns["weight"]))
        if self.has_expected:
            return 0.0
        share = (self.columns["numerator"].sum() + 0.5) / (self.columns["denominator"].sum() + 1)
        return float(np.log(share / (1 - share)) if self.family == "binomial" else np.log(share))

    @cached_property
    def information(self) -> Floats:
        """Fisher information of each cell about its own linear predictor, in units of `scale`, at the centre (N,)."""
        if self.family == "normal":
            n, se = self.columns["n"], self.columns["se"]
            return self.scale**2 / np.where(np.isfinite(se), se**2, self.scale**2 / np.where(np.isfinite(n), n, 1.0))
        predictor = self.offset + self.typical
        if self.family == "poisson":
            return np.exp(predictor)
        chance = 1 / (1 + np.exp(-predictor))
        return self.columns["denominator"] * chance * (1 - chance)

    @cached_property
    def score(self) -> Floats:
        """What each cell lies above the centre, as `information` × its effect on the linear predictor (N,)."""
        if self.family == "normal":
            return self.information * (self.columns["mean"] - self.typical) / self.scale
        predictor = self.offset + self.typical
        if self.family == "poisson":
            return self.columns["numerator"] - np.exp(predictor)
        return self.columns["numerator"] - self.columns["denominator"] / (1 + np.exp(-predictor))


def read_design(panel: pd.DataFrame, family: Family, settings: Model) -> Design:
    """Turn the rows of one measure into arrays; row order decides `cell`, nothing else.

    Parameters
    ----------
    panel : DataFrame
        Rows of one measure: `site, period, time` (years), the columns of its family (docs/data.md), and those of the
        model's covariates (`collabeval.covariates`).
    """
    site_index, sites = pd.factorize(panel["site"].astype(str), sort=True)
    order = panel[["period", "time"]].drop_duplicates().sort_values("time")
    periods = order["period"].astype(str).to_numpy(dtype=str)
    names = ("numerator", "denominator", "expected", "mean", "sd", "n", "se", "weight")
    absent = np.full(len(panel), np.nan)
    columns = {name: panel[name].to_numpy(dtype=float) if name in panel else absent for name in names}
    return Design(
        family=family,
        settings=settings,
        sites=np.asarray(sites, dtype=str),
        periods=periods,
        site_index=site_index.astype(np.int64),
        period_index=pd.Index(periods).get_indexer(panel["period"].astype(str)).astype(np.int64),
        time=order["time"].to_numpy(dtype=float),
        columns=columns,
        covariates=read_covariates(panel, family, settings),
    )


def known_predictor(family: Family, columns: Mapping[str, Floats], has_expected: bool) -> Floats:
    """What is known of the linear predictor of cells before their outcomes (N,): logit(e/n), log e, log exposure, or 0.

    `columns` has `denominator` and `expected`, (N,) each.
    """
    expected, denominator = columns["expected"], columns["denominator"]
    if family == "poisson":
        return np.log(expected if has_expected else denominator)
    if family == "binomial" and has_expected:
        return np.log(expected) - np.log(denominator - expected)
    return np.zeros(len(denominator))


def default_intercept(design: Design) -> Prior:
    """Normal about the overall level: sd 1.5 on a link scale, 1 against expected, 2.5 pooled sd for `normal`."""
    if design.family == "normal":
        return Prior(dist="Normal", mu=design.typical, sigma=2.5 * design.scale)
    return Prior(dist="Normal", mu=design.typical, sigma=1.0 if design.has_expected else 1.5)

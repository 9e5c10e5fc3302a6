"""The posterior of one measure as flat arrays: what every estimand is computed from, one draw at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import expit

from collabeval.convergence import Mixing
from collabeval.errors import CollabevalError
from collabeval.models.correlation import CORRELATION
from collabeval.panel import Windows, windows
from collabeval.params import Measure, Params

HYPERPARAMETERS = ("site_sd", "trajectory_sd", "site_correlation", "overdispersion_sd", "degrees_of_freedom")


@dataclass(frozen=True)
class Posterior:
    """Draws and data of one measure. Sizes: N cells (rows of the panel), J sites, T periods, S draws, chain by chain.

    The linear predictor is ``offset + base + scale * (adjustment + effect)``: `base` (T, S) is the intercept and
    programme trend, `adjustment` (see `adjusted`) what covariates that are adjusted for make, and the effect of a site
    in a period is ``level + slope * (time - mean_time) + overdispersion`` (log-odds, log rate, or in pooled within-site
    sd for means). What other covariates explain is part of `level`, and so of the effect.
    """

    name: str
    measure: Measure
    windows: Windows
    mixing: Mixing
    sites: np.ndarray  # (J,) text
    periods: np.ndarray  # (T,) text, in time
    site: np.ndarray  # (N,) position in `sites`
    period: np.ndarray  # (N,) position in `periods`
    observed: np.ndarray  # (N,) events, or n times the mean
    cases: np.ndarray  # (N,) denominator or n; NaN where unknown
    weight: np.ndarray  # (N,) the same, 1 where unknown
    expected: np.ndarray  # (N,) the registry's expectation, NaN without one
    known_se: np.ndarray  # (N,) standard error of a mean where it is given, NaN elsewhere
    offset: np.ndarray  # (N,)
    years: np.ndarray  # (T,) time less the mean time
    scale: float
    covariate_values: np.ndarray  # (N, P), standardised; P may be 0
    covariate_adjusted: np.ndarray  # (P,) which are taken out of the sites' effects
    covariate_effects: np.ndarray  # (P, S)
    base: np.ndarray  # (T, S)
    level: np.ndarray  # (J, S)
    slope: np.ndarray | None  # (J, S) per year
    overdispersion: np.ndarray | None  # (S, N), as stored: it is large
    residual_sd: np.ndarray | None  # (J, S)
    hyperparameters: dict[str, np.ndarray]  # each (S,)

    @property
    def draws(self) -> int:
        """S, the number of draws of all chains."""
        return self.level.shape[1]

    @property
    def good(self) -> int:
        """+1 where more is better, -1 where less is."""
        return 1 if self.measure.better == "higher" else -1

    @property
    def has_registry_expectation(self) -> bool:
        return bool(np.isfinite(self.expected).all())

    def cells_of(self, labels: tuple[str, ...]) -> np.ndarray:
        """Positions of the cells in these periods, site by site."""
        cells = np.flatnonzero(np.isin(self.periods[self.period], labels))
        return cells[np.argsort(self.site[cells], kind="stable")]

    def effect(self, cells: np.ndarray) -> np.ndarray:
        """Site effects u of these cells (n, S)."""
        effect = self.level[self.site[cells]]
        if self.slope is not None:
            effect = effect + self.slope[self.site[cells]] * self.years[self.period[cells], None]
        if self.overdispersion is not None:
            effect = effect + self.overdispersion[:, cells].T
        return effect

    def known(self, cells: np.ndarray) -> np.ndarray:
        """Offset of these cells with what covariates are adjusted for (n, S); (n, 1) where none is."""
        adjusted = self.covariate_adjusted
        if not adjusted.any():
            return self.offset[cells, None]
        adjustment = self.covariate_values[np.ix_(cells, adjusted)] @ self.covariate_effects[adjusted]
        return self.offset[cells, None] + self.scale * adjustment

    @cached_property
    def explained(self) -> np.ndarray:
        """Part of each site's level that covariates explain (J, S), those adjusted for left out."""
        _, first = np.unique(self.site, return_index=True)
        inside = ~self.covariate_adjusted
        return self.covariate_values[np.ix_(first, inside)] @ self.covariate_effects[inside]

    def totals(self, cells: np.ndarray, effect: np.ndarray | float) -> np.ndarray:
        """Mean number of events of these cells (n, S), or n times the mean, under site effects (n, S) or 0."""
        predictor = self.known(cells) + self.base[self.period[cells]] + self.scale * effect
        if self.measure.family == "poisson":
            return np.exp(predictor)
        per_case = expit(predictor) if self.measure.family == "binomial" else predictor
        return self.weight[cells, None] * per_case

    def by_site(self, cells: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Sums of cell values (n, ...) over each site (J, ...); NaN for a site with none. `cells` lie site by site."""
        sums = np.full((len(self.sites), *values.shape[1:]), np.nan)
        present, starts = np.unique(self.site[cells], return_index=True)
        if len(present):
            sums[present] = np.add.reduceat(values, starts, axis=0)
        return sums


def read(params: Params, name: str, panel: pd.DataFrame, tree: xr.DataTree) -> Posterior:
    """Flatten the draws of one measure.

    Parameters
    ----------
    panel : DataFrame, the analysed rows (of this measure, or of all measures).
    tree : the fit of this measure, with the names and dims of docs/methods.md.

    Raises
    ------
    CollabevalError
        if the draws were not made from these rows, or the current window is empty.
    """
    rows = panel[panel["measure"] == name].reset_index(drop=True)
    posterior, constant = tree["posterior"].to_dataset(), tree["constant_data"].to_dataset()
    _check_same_rows(name, rows, posterior, constant)
    measure, compared = params.measures[name], windows(params.periods, rows)
    if not compared.current.periods:
        raise CollabevalError(
            f"{name} has no data in the current window {compared.current.label}: set `periods.current`"
        )
    return Posterior(
        name=name,
        measure=measure,
        windows=compared,
        **_recorded(rows, normal=measure.family == "normal"),
        **_known(posterior, constant),
        **_drawn(posterior, constant, mixing_of(tree)),
    )


def _recorded(rows: pd.DataFrame, normal: bool) -> dict[str, Any]:
    """The fields that the panel gives."""
    weight = rows["weight"].to_numpy(float)
    return {
        "observed": rows["mean"].to_numpy(float) * weight if normal else rows["numerator"].to_numpy(float),
        "cases": rows["n" if normal else "denominator"].to_numpy(float),
        "weight": weight,
        "expected": rows["expected"].to_numpy(float),
        "known_se": rows["se"].to_numpy(float),
    }


def _known(posterior: xr.Dataset, constant: xr.Dataset) -> dict[str, Any]:
    """The fields that say how draws are to be read."""
    return {
        "sites": posterior["site"].to_numpy().astype(str),
        "periods": constant["period"].to_numpy().astype(str),
        "site": constant["site_index"].to_numpy(),
        "period": constant["period_index"].to_numpy(),
        "offset": constant["offset"].to_numpy().astype(float),
        "years": constant["time"].to_numpy() - float(constant["mean_time"]),
        "scale": float(constant["scale"]),
    }


def mixing_of(tree: xr.DataTree) -> Mixing:
    """How its draws hang together: chains, or draws of the fast engine with the proposal each was resampled from."""
    chains = tree["posterior"].sizes["chain"]
    statistics = tree["sample_stats"].to_dataset() if "sample_stats" in tree.children else xr.Dataset()
    return Mixing(chains, statistics["proposal"].to_numpy().ravel() if "proposal" in statistics else None)


def _drawn(posterior: xr.Dataset, constant: xr.Dataset, mixing: Mixing) -> dict[str, Any]:
    """The fields that are draws, chain by chain."""
    names = [str(name) for name in posterior.data_vars if name not in ("overdispersion", CORRELATION)]
    found = {name: flat(posterior[name]) for name in names}
    trend = found.get("trend", np.zeros((constant.sizes["period"], 1)))
    return {
        **_covariates(posterior, constant, found["site_level"].shape[1]),
        "mixing": mixing,
        "base": found["intercept"][None, :] + float(constant["scale"]) * trend,
        "level": found["site_level"],
        "slope": found.get("site_slope"),
        "overdispersion": _stacked(posterior["overdispersion"]) if "overdispersion" in posterior else None,
        "residual_sd": found.get("residual_sd"),
        "hyperparameters": {name: found[name] for name in HYPERPARAMETERS if name in found},
    }


def _covariates(posterior: xr.Dataset, constant: xr.Dataset, draws: int) -> dict[str, Any]:
    """The fields about covariates."""
    if "covariates" not in posterior or "covariate_values" not in constant:
        values, adjusted, effects = np.zeros((constant.sizes["cell"], 0)), np.zeros(0, bool), np.zeros((0, draws))
    else:
        values, effects = constant["covariate_values"].to_numpy(), flat(posterior["covariates"])
        adjusted = constant["covariate_adjusted"].to_numpy().astype(bool)
    return {"covariate_values": values, "covariate_adjusted": adjusted, "covariate_effects": effects}


def _check_same_rows(name: str, rows: pd.DataFrame, posterior: xr.Dataset, constant: xr.Dataset) -> None:
    sites = posterior["site"].to_numpy().astype(str)
    periods = constant["period"].to_numpy().astype(str)
    same = (
        constant.sizes["cell"] == len(rows)
        and (sites[constant["site_index"].to_numpy()] == rows["site"].to_numpy(str)).all()
        and (periods[constant["period_index"].to_numpy()] == rows["period"].to_numpy(str)).all()
    )
    if not same:
        raise CollabevalError(f"the draws of {name} were not made from the rows of this panel: fit the measure again")


def _stacked(variable: xr.DataArray) -> np.ndarray:
    """(chain, draw, ...) as (chain x draw, ...), without a copy where it lies so in memory."""
    values = variable.transpose("chain", "draw", ...).to_numpy()
    return values.reshape(values.shape[0] * values.shape[1], *values.shape[2:])


def flat(variable: xr.DataArray) -> np.ndarray:
    """(chain, draw, ...) as (..., chain x draw), in one piece of memory."""
    return np.ascontiguousarray(np.moveaxis(_stacked(variable), 0, -1), dtype=float)

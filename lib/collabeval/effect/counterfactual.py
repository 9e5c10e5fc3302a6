"""Outcomes that treated site-periods would have had without the programme, draw by draw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from collabeval.effect.untreated import Untreated
from collabeval.models.design import known_predictor

CELLS_AT_ONCE = 500  # 16 MB of 4,000 draws


@dataclass(frozen=True)
class Imputed:
    """Sums over groups of treated cells: G groups, S draws. Events, or for means n times the mean.

    ``without`` are the outcomes without the programme, imputed; ``drift`` is by how much they would rise if the joiners
    went on by 1 a year (link scale, in units of the design's scale) relative to the others, from where they were.
    """

    groups: np.ndarray  # (G,)
    cells: np.ndarray  # (G,) number of cells
    sites: np.ndarray  # (G,) number of sites
    weight: np.ndarray  # (G,) cases or exposure; of means without a count the number of cells
    observed: np.ndarray  # (G,)
    without: np.ndarray  # (G, S)
    drift: np.ndarray  # (G, S)

    def total(self, chosen: np.ndarray | None = None) -> Imputed:
        """All groups (or those chosen) as one; `sites` is the most that any of them has."""
        each = slice(None) if chosen is None else chosen
        sums = {name: getattr(self, name)[each].sum(axis=0, keepdims=True)
                for name in ("cells", "weight", "observed", "without", "drift")}  # fmt: skip
        return Imputed(groups=np.array([""]), sites=self.sites[each].max(keepdims=True), **sums)


def impute(fitted: Untreated, rows: pd.DataFrame, before: pd.DataFrame, group: np.ndarray, seed: int) -> Imputed:
    """Impute the untreated outcome of each treated row from its posterior predictive distribution (Rubin 1978).

    Parameters
    ----------
    rows : treated rows that are estimable (`layout.COLUMNS`); before : the untreated rows.
    group : (n,) what the sums are taken over.
    """
    groups, position = np.unique(group, return_inverse=True)
    design, family = fitted.design, fitted.design.family
    weight = rows["weight"].to_numpy(float)
    observed = recorded(rows, family)
    draws = len(fitted.values("intercept"))
    without, drift = np.zeros((len(groups), draws)), np.zeros((len(groups), draws))
    years = _years_since_before(rows, before)
    random = np.random.default_rng(seed)
    for part, predictor in _predictors(fitted, rows, random):
        rate = _mean_outcome(family, predictor, weight[part])
        slope = _slope(family, predictor, rate, weight[part]) * (design.scale * years[part, None])
        outcome = _replicate(fitted, rows.iloc[part], predictor, rate, random)
        np.add.at(without, position[part], outcome)
        np.add.at(drift, position[part], slope)
    return Imputed(
        groups=groups,
        cells=np.bincount(position),
        sites=pd.Series(rows["unit"].to_numpy()).groupby(position).nunique().to_numpy(),
        weight=np.bincount(position, weight),
        observed=np.bincount(position, observed),
        without=without,
        drift=drift,
    )


def recorded(rows: pd.DataFrame, family: str) -> np.ndarray:
    """Recorded events of each row (n,), or n times its mean."""
    return (rows["weight"] * rows["mean"] if family == "normal" else rows["numerator"]).to_numpy(float)


def predicted(
    fitted: Untreated, rows: pd.DataFrame, shifts: np.ndarray, which: np.ndarray, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Positions of some rows, and their mean outcomes (n, S) without and with their shift.

    Parameters
    ----------
    shifts : (K, S) in units of the design's scale; which : (N,) the one of each row.
    """
    weight = rows["weight"].to_numpy(float)
    for part, predictor in _predictors(fitted, rows, np.random.default_rng(seed)):
        moved = predictor + fitted.design.scale * shifts[which[part]]
        without, shifted = (_mean_outcome(fitted.design.family, each, weight[part]) for each in (predictor, moved))
        yield part, without, shifted


def _years_since_before(rows: pd.DataFrame, before: pd.DataFrame) -> np.ndarray:
    """Years of each row (n,) from the middle of its unit's own untreated rows, weighted by their cases."""
    weighted = (before["time"] * before["weight"]).groupby(before["unit"]).sum()
    middle = weighted / before["weight"].groupby(before["unit"]).sum()
    return (rows["time"] - rows["unit"].map(middle)).to_numpy(float)


def _predictors(
    fitted: Untreated, rows: pd.DataFrame, random: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Positions of some rows, and their linear predictors without the programme (n, S), single cells varying."""
    design, waves = fitted.design, fitted.waves
    unit = pd.Index(design.sites).get_indexer(pd.Index(rows["unit"]))
    period = pd.Index(design.periods).get_indexer(pd.Index(rows["period"]))
    years = rows["time"].to_numpy(float) - design.mean_time
    columns = {name: rows[name].to_numpy(float) for name in ("expected", "denominator")}
    offset = known_predictor(design.family, columns, design.has_expected)
    base, secular = fitted.values("intercept") / design.scale, fitted.values("secular")  # (S,)
    trend = fitted.values("trend").T if "trend" in fitted.posterior else np.zeros((len(design.periods), 1))
    level = fitted.values("site_level").T
    slope = fitted.values("site_slope").T if "site_slope" in fitted.posterior else None
    wave = np.zeros((1, len(base)))
    if waves.labels:
        wave = np.vstack([wave, fitted.values("wave").T])
    for start in range(0, len(rows), CELLS_AT_ONCE):
        part = np.arange(start, min(start + CELLS_AT_ONCE, len(rows)))
        own = (
            base + secular * years[part, None] + trend[period[part]] + wave[waves.wave[unit[part]]] + level[unit[part]]
        )
        if slope is not None:
            own = own + slope[unit[part]] * years[part, None]
        if design.overdispersion:
            own = own + fitted.values("overdispersion_sd") * random.standard_normal(own.shape)
        yield part, offset[part, None] + design.scale * own


def _mean_outcome(family: str, predictor: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Expected events of each cell (n, S), or n times the expected mean."""
    if family == "poisson":
        return np.exp(predictor)
    return weight[:, None] * (expit(predictor) if family == "binomial" else predictor)


def _slope(family: str, predictor: np.ndarray, rate: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Derivative of the expected outcome (n, S or 1) by the linear predictor."""
    if family == "normal":
        return weight[:, None]
    return rate if family == "poisson" else rate * expit(-predictor)


def _replicate(
    fitted: Untreated, rows: pd.DataFrame, predictor: np.ndarray, rate: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """An outcome of each cell (n, S) drawn about its mean."""
    family = fitted.design.family
    if family == "poisson":
        return random.poisson(rate).astype(float)
    if family == "binomial":
        cases = rows["denominator"].to_numpy(np.int64)[:, None]
        return random.binomial(cases, expit(predictor)).astype(float)
    weight = rows["weight"].to_numpy(float)[:, None]
    return rate + weight * _standard_error(fitted, rows) * random.standard_normal(rate.shape)


def _standard_error(fitted: Untreated, rows: pd.DataFrame) -> np.ndarray:
    """Standard error of each cell's mean (n, S or 1), known or from its site's own standard deviation."""
    known = rows["se"].to_numpy(float)[:, None]
    if "residual_sd" not in fitted.posterior:
        return known
    unit = pd.Index(fitted.design.sites).get_indexer(pd.Index(rows["unit"]))
    own = fitted.values("residual_sd").T[unit] / np.sqrt(rows["n"].to_numpy(float)[:, None])
    return np.where(np.isfinite(known), known, own)

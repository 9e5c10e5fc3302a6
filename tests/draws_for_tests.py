"""A fit that was never fitted: draws of chosen values under the names, dims and coordinates of a real one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import logit

from collabeval import estimates
from collabeval.params import Params

CHAINS, DRAWS = 4, 250
SIZE = CHAINS * DRAWS


def params(measure: Mapping[str, Any] | None = None, length: str = "year", **blocks: Any) -> Params:
    """Params with one measure, `m`; blocks such as `rules` or `periods` as dictionaries."""
    declared = {"label": "Deaths", "family": "binomial", "better": "lower", "minimum_denominator": 1, **(measure or {})}
    return Params.model_validate(
        {
            "collaborative": "c", "title": "t", "edition": "1", "data": {"sites": "s", "outcomes": "o"},
            "sampling": {"seed": 1}, "measures": {"m": declared},
            "periods": {"length": length, **blocks.pop("periods", {})}, **blocks,
        }
    )  # fmt: skip


def panel_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Panel rows of measure `m` from what matters to a test; denominators of 100 and no events unless said."""
    table = pd.DataFrame(rows)
    defaults: dict[str, Any] = {"measure": "m", "period": "", "numerator": 0.0, "denominator": 100.0}
    for column, value in defaults.items():
        table[column] = table[column].fillna(value) if column in table else value
    for column in ("expected", "mean", "sd", "n", "se"):
        table[column] = table[column].astype(float) if column in table else np.nan
    if "weight" not in table:
        table["weight"] = table["denominator"]
    if "time" not in table:
        years = table["period"].str[:4]
        table["time"] = pd.to_numeric(years).sub(pd.to_numeric(years).min()).fillna(0.0) if (years != "").all() else 0.0
    return table


@dataclass
class Draws:
    """Posterior variables by name as arrays (draws, ...): draws are all chains one after the other."""

    panel: pd.DataFrame
    family: str = "binomial"
    intercept: float | np.ndarray = 0.0
    level: Mapping[str, Any] = field(default_factory=dict)  # site -> number or (draws,)
    slope: Mapping[str, Any] | None = None
    trend: Mapping[str, Any] | None = None
    overdispersion: np.ndarray | None = None  # (draws, cells)
    residual_sd: Mapping[str, Any] | None = None
    scale: float = 1.0
    hyperparameters: Mapping[str, Any] = field(default_factory=lambda: {"site_sd": 0.4})
    chains: int = CHAINS
    draws: int = DRAWS

    def tree(self) -> xr.DataTree:
        """The DataTree a fit of these rows would leave behind."""
        sites, periods = sorted(set(self.panel["site"])), sorted(set(self.panel["period"]))
        variables = {"intercept": self._one(self.intercept)}
        variables["site_level"] = self._many(self.level, sites, "site")
        if self.slope is not None:
            variables["site_slope"] = self._many(self.slope, sites, "site")
        if self.trend is not None:
            variables["trend"] = self._many(self.trend, periods, "period")
        if self.residual_sd is not None:
            variables["residual_sd"] = self._many(self.residual_sd, sites, "site")
        if self.overdispersion is not None:
            shaped = np.asarray(self.overdispersion, dtype=float).reshape(self.chains, self.draws, -1)
            variables["overdispersion"] = (("chain", "draw", "cell"), shaped)
        variables |= {name: self._one(value) for name, value in self.hyperparameters.items()}
        coords = {"site": sites, "period": periods, "cell": np.arange(len(self.panel))}
        return xr.DataTree.from_dict(
            {"posterior": xr.Dataset(variables, coords=coords), "constant_data": self._constants(sites, periods)}
        )

    def _one(self, value: Any) -> tuple[tuple[str, ...], np.ndarray]:
        flat = np.broadcast_to(np.asarray(value, dtype=float), (self.chains * self.draws,))
        return ("chain", "draw"), flat.reshape(self.chains, self.draws)

    def _many(self, values: Mapping[str, Any], names: list[str], dim: str) -> tuple[tuple[str, ...], np.ndarray]:
        columns = [self._one(values.get(name, 0.0))[1] for name in names]
        return ("chain", "draw", dim), np.stack(columns, axis=-1)

    def _constants(self, sites: list[str], periods: list[str]) -> xr.Dataset:
        time = self.panel.groupby("period")["time"].first().reindex(periods).to_numpy()
        weight = self.panel["weight"].to_numpy(float)
        mean_time = float(np.average(self.panel["time"], weights=weight))
        cells = {
            "site_index": np.array([sites.index(site) for site in self.panel["site"]]),
            "period_index": np.array([periods.index(period) for period in self.panel["period"]]),
            "offset": self._offset(),
        }
        variables: dict[str, Any] = {name: ("cell", values) for name, values in cells.items()}
        variables |= {"time": ("period", time), "mean_time": mean_time, "scale": self.scale}
        coords = {"site": sites, "period": periods, "cell": np.arange(len(self.panel))}
        return xr.Dataset(variables, coords=coords)

    def _offset(self) -> np.ndarray:
        expected, denominator = self.panel["expected"].to_numpy(float), self.panel["denominator"].to_numpy(float)
        given = np.isfinite(expected).all()
        if self.family == "poisson":
            return np.log(expected if given else denominator)
        return logit(expected / denominator) if given and self.family == "binomial" else np.zeros(len(expected))


def value(table: pd.DataFrame, estimand: str, site: str, period: str = "", column: str = "mean") -> float:
    """One number of a table of site estimates; exactly one row must have it."""
    chosen = table["estimand"].eq(estimand) & table["site"].eq(site) & table["period"].eq(period)
    assert chosen.sum() == 1, f"{chosen.sum()} rows of {estimand} for {site} in {period!r}"
    return float(table.loc[chosen, column].iloc[0])


def evaluate(settings: Params, draws: Draws) -> pd.DataFrame:
    """The site estimates of these draws."""
    return estimates.evaluate_sites(settings, draws.panel, {"m": draws.tree()}).estimates


def spread(mean: float, sd: float, seed: int = 0) -> np.ndarray:
    """Draws with exactly this mean and standard deviation."""
    raw = np.random.default_rng(seed).normal(size=SIZE)
    return mean + sd * (raw - raw.mean()) / raw.std(ddof=1)

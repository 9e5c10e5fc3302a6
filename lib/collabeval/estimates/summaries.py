"""From draws to the rows of a results table: mean, sd, quantiles, R-hat, effective sample sizes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from collabeval.convergence import Mixing, quantiles

QUANTILES = {"q025": 0.025, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q975": 0.975}
SUMMARY = ("mean", "sd", *QUANTILES, "rhat", "ess_bulk", "ess_tail")


@dataclass(frozen=True)
class Drawn:
    """Draws of one estimand in one period or window: a row per site (one row, site "", for the collaborative).

    Values of shape (R, 1) are known numbers without draws (a reliability): their table row has a mean and a median,
    and blanks for what only draws have.
    """

    estimand: str
    period: str
    sites: np.ndarray  # (R,) text
    values: np.ndarray  # (R, S)


def summarise(drawn: Iterable[Drawn], mixing: Mixing) -> pd.DataFrame:
    """One row per estimand, period and site with `SUMMARY` columns; R-hat and ESS blank for constants."""
    tables = [_summary(item, mixing) for item in drawn if len(item.sites)]
    columns = ["site", "period", "estimand", *SUMMARY]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def _summary(item: Drawn, mixing: Mixing) -> pd.DataFrame:
    values = item.values
    table = pd.DataFrame({"site": item.sites, "period": item.period, "estimand": item.estimand})
    table[list(SUMMARY)] = np.nan
    table["mean"] = values.mean(axis=1)
    if values.shape[1] == 1:
        table["q50"] = values[:, 0]
        return table
    # A constant such as 14/15 is rarely its own mean to the last bit: unless said, its deviation were 1e-16, not none.
    table["sd"] = np.where(np.ptp(values, axis=1) > 0, values.std(axis=1, ddof=1), 0.0)
    table[list(QUANTILES)] = quantiles(values, list(QUANTILES.values()))
    found = mixing.convergence(values)
    table["rhat"], table["ess_bulk"], table["ess_tail"] = found.rhat, found.ess_bulk, found.ess_tail
    return table


def as_dataset(drawn: Iterable[Drawn], chains: int, of: str) -> xr.Dataset:
    """The same draws as a Dataset (chain, draw, row), one variable `of estimand[period]` each, to check sampling."""
    variables = {}
    for item in drawn:
        if item.values.shape[1] > 1 and len(item.sites):
            name = f"{of} {item.estimand}" + (f"[{item.period}]" if item.period else "")
            values = item.values.T.reshape(chains, -1, len(item.sites))
            variables[name] = xr.DataArray(values, dims=("chain", "draw", f"{name} row"))
    return xr.Dataset(variables)

"""The goal all engines have in common: every reported quantity precise enough, the chains agreeing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from collabeval.convergence import RHAT, Mixing
from collabeval.draws import ENGINE

QUANTITIES = (
    "intercept",
    "trend",
    "trend_sd",
    "trend_slope",
    "site_level",
    "site_sd",
    "site_slope",
    "trajectory_sd",
    "site_correlation",
    "overdispersion_sd",
)


@dataclass(frozen=True)
class Precision:
    """The worst of all quantities: effective draws (bulk or tail), R-hat (NaN for independent draws)."""

    effective: float
    rhat: float

    def suffices(self, goal: float) -> bool:
        """Whether results may be reported from these draws."""
        return self.effective >= goal and not self.rhat > RHAT


def reported(posterior: xr.Dataset) -> xr.Dataset:
    """What reports are made from: all but the effects of single cells."""
    return posterior[[name for name in QUANTITIES if name in posterior]]


def precision(folder: Path) -> Precision:
    """The worst of what the draws in all netCDF files of a folder say."""
    found = [_of_file(path) for path in sorted(folder.glob("draws-*.nc"))]
    return Precision(min(each.effective for each in found), max(each.rhat for each in found))


def _of_file(path: Path) -> Precision:
    with xr.open_datatree(path, engine=ENGINE) as tree:
        posterior = reported(tree["posterior"].to_dataset()).load()
        statistics = tree["sample_stats"].to_dataset() if "sample_stats" in tree else xr.Dataset()
        family = statistics["proposal"].to_numpy().ravel() if "proposal" in statistics else None
    draws = posterior.sizes["chain"] * posterior.sizes["draw"]
    rows = [array.transpose(..., "chain", "draw").to_numpy().reshape(-1, draws) for array in posterior.values()]
    found = Mixing(posterior.sizes["chain"], family).convergence(np.concatenate(rows).astype(float))
    sizes = np.concatenate([found.ess_bulk, found.ess_tail])
    rhat = found.rhat[np.isfinite(found.rhat)]
    return Precision(float(np.nanmin(sizes)), float(rhat.max()) if rhat.size else float("nan"))

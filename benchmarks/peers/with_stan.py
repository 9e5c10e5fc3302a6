"""Stan, through pystan, on the textbook form (site_performance.stan)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import stan
import xarray as xr

from benchmarks.peers.named import dataset, prior_scales
from collabeval.models.design import Design
from collabeval.params import Sampling

PROGRAM = Path(__file__).with_name("site_performance.stan")


def data_of(design: Design) -> dict[str, Any]:
    """What the program's data block asks for."""
    return prior_scales(design) | {
        "N": design.cells,
        "J": len(design.sites),
        "T": len(design.periods),
        "site": design.site_index + 1,
        "period": design.period_index + 1,
        "numerator": design.columns["numerator"].astype(int),
        "denominator": design.columns["denominator"].astype(int),
        "known": design.offset,
        "years": design.years,
        "time": design.time,
        "has_line": int(design.trend == "linear"),
        "has_walk": int(design.trend == "random_walk"),
        "has_slopes": int(design.trajectory),
        "has_cells": int(design.overdispersion),
    }


def sample(design: Design, sampling: Sampling) -> xr.Dataset:
    """Draws by Stan's NUTS with its own defaults; the program is compiled unless httpstan has it in its cache."""
    model = stan.build(PROGRAM.read_text(), data=data_of(design), random_seed=sampling.seed)
    found = model.sample(num_chains=sampling.chains, num_samples=sampling.draws, num_warmup=sampling.tune)
    return dataset({name: _chains(found[name], sampling) for name in reported(design)}, design)


def reported(design: Design) -> list[str]:
    """Names of the design's parameters, without the cells' own effects."""
    names = ["intercept", "site_sd", "site_level"]
    names += ["trajectory_sd", "site_correlation", "site_slope"] if design.trajectory else []
    names += ["overdispersion_sd"] if design.overdispersion else []
    names += ["trend"] if design.trend != "none" else []
    names += {"linear": ["trend_slope"], "random_walk": ["trend_sd"], "none": []}[design.trend]
    return names


def _chains(values: np.ndarray, sampling: Sampling) -> np.ndarray:
    """From pystan's (..., draws × chains), the chains fastest, to (chain, draw, ...)."""
    shaped = values.reshape(-1, sampling.draws, sampling.chains)
    return np.squeeze(shaped.transpose(2, 1, 0), axis=2) if len(shaped) == 1 else shaped.transpose(2, 1, 0)

"""bambi, by formula. It has no random walk and no correlation of effects: a line over time, levels and slopes apart."""

from __future__ import annotations

import bambi
import numpy as np
import pandas as pd
import xarray as xr

from benchmarks.peers.named import dataset, prior_scales
from collabeval.models.design import Design
from collabeval.params import Sampling

NAMES = {
    "Intercept": "intercept",
    "1|site_sigma": "site_sd",
    "1|site": "site_level",
    "line": "trend_slope",
    "years|site_sigma": "trajectory_sd",
    "years|site": "site_slope",
    "1|cell_sigma": "overdispersion_sd",
}


def bambi_model(design: Design) -> bambi.Model:
    """The nearest that bambi has to the design's model; the same where its trend is linear and the correlation 0."""
    scale = prior_scales(design)

    def effect(name: str) -> bambi.Prior:
        return bambi.Prior("Normal", mu=0, sigma=bambi.Prior("HalfNormal", sigma=scale[f"{name}_scale"]))

    terms = ["1", "offset(known)", "(1|site)"]
    priors = {
        "Intercept": bambi.Prior("Normal", mu=scale["intercept_mean"], sigma=scale["intercept_scale"]),
        "1|site": effect("site"),
    }
    if design.trend != "none":
        terms.append("line")
        priors["line"] = bambi.Prior("Normal", mu=0, sigma=scale["line_scale"])
    if design.trajectory:
        terms.append("(0 + years|site)")
        priors["years|site"] = effect("trajectory")
    if design.overdispersion:
        terms.append("(1|cell)")
        priors["1|cell"] = effect("cell")
    formula = f"p(numerator, denominator) ~ {' + '.join(terms)}"
    return bambi.Model(formula, _table(design), family="binomial", priors=priors, center_predictors=False)


def _table(design: Design) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "site": design.sites[design.site_index],
            "cell": [f"{cell:06d}" for cell in range(design.cells)],
            "numerator": design.columns["numerator"].astype(int),
            "denominator": design.columns["denominator"].astype(int),
            "known": design.offset,
            "line": (design.time - design.time.mean())[design.period_index],
            "years": design.years,
        }
    )


def sample(design: Design, sampling: Sampling) -> xr.Dataset:
    """Draws with bambi's own defaults, in the order of the design's sites."""
    tree = bambi_model(design).fit(
        draws=sampling.draws, tune=sampling.tune, chains=sampling.chains, random_seed=sampling.seed, progressbar=False
    )
    posterior = tree["posterior"].to_dataset()
    found = {ours: np.asarray(posterior[theirs]) for theirs, ours in NAMES.items() if theirs in posterior}
    return dataset(found, design)

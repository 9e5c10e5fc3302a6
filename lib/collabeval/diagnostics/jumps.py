"""Rows of the data that the model finds implausible: jumps beyond five predictive standard deviations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy import special, stats

from collabeval.draws import linear_predictor
from collabeval.params import Family, Params

LIMIT = 5.0
MOST_DRAWS = 500
CHECK = "implausible_jump"


def with_jumps(
    quality: pd.DataFrame, params: Params, panel: pd.DataFrame, trees: Mapping[str, xr.DataTree]
) -> pd.DataFrame:
    """The data checks, and those that need the model: `data/quality.parquet` as a run leaves it."""
    found = jumps(params, panel, trees)[list(quality.columns)]
    return pd.concat([quality[quality["check"] != CHECK], found], ignore_index=True)


def jumps(params: Params, panel: pd.DataFrame, trees: Mapping[str, xr.DataTree]) -> pd.DataFrame:
    """Implausible rows of each measure, or one row that says there are none, in the columns of the data checks.

    A row is judged by what the model predicts for its site and period before seeing how that one row deviates: the
    effect of the single cell is drawn anew. The distance is in standard deviations of a normal with the same tail
    probability, which for means is the ordinary one and for small counts is not fooled by their skewness.
    """
    tables = []
    for name, tree in trees.items():
        rows = panel[panel["measure"] == name].reset_index(drop=True)
        distance = distances(params.measures[name].family, rows, tree, params.sampling.seed)
        far = np.flatnonzero(np.abs(distance) > LIMIT)
        found = rows.loc[far, ["site", "period"]].assign(value=distance[far], passed=False)
        found["message"] = [_message(value) for value in found["value"]]
        if found.empty:
            none = "No row lies further from what the model predicts for it than 5 standard deviations."
            largest = float(distance[np.abs(distance).argmax()])
            found = pd.DataFrame({"site": [""], "period": "", "value": largest, "passed": True, "message": none})
        tables.append(found.assign(measure=name))
    return pd.concat(tables, ignore_index=True).assign(check=CHECK, level="warn", limit=LIMIT)


def distances(family: Family, rows: pd.DataFrame, tree: xr.DataTree, seed: int) -> npt.NDArray[np.float64]:
    """How far each row lies above (+) or below (−) its prediction, in normal standard deviations."""
    posterior = tree["posterior"].to_dataset()
    chains, draws = posterior.sizes["chain"], posterior.sizes["draw"]
    posterior = posterior.isel(draw=slice(None, None, max(1, chains * draws // MOST_DRAWS)))
    eta = _predictor_with_new_cells(posterior, tree["constant_data"].to_dataset(), seed)
    if family == "normal":
        high, low = _normal_tails(rows, posterior, tree, eta)
    else:
        observed, cases = rows["numerator"].to_numpy(), rows["denominator"].to_numpy()
        law = stats.poisson(np.exp(eta)) if family == "poisson" else stats.binom(cases, special.expit(eta))
        high, low = law.sf(observed - 1).mean(axis=0), law.cdf(observed).mean(axis=0)
    smallest = np.finfo(float).tiny
    return np.where(high < low, 1, -1) * stats.norm.isf(np.clip(np.minimum(high, low), smallest, 0.5))


def _normal_tails(
    rows: pd.DataFrame, posterior: xr.Dataset, tree: xr.DataTree, eta: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Probability of a mean at least as high, and at least as low (cell,)."""
    error = rows["se"].to_numpy()
    if "residual_sd" in posterior:
        spread = posterior["residual_sd"].to_numpy()[..., tree["constant_data"]["site_index"].to_numpy()]
        own = spread.reshape(eta.shape) / np.sqrt(rows["n"].to_numpy())
        error = np.where(np.isfinite(error), error, own)
    law = stats.norm(eta, error)
    observed = rows["mean"].to_numpy()
    return law.sf(observed).mean(axis=0), law.cdf(observed).mean(axis=0)


def _predictor_with_new_cells(posterior: xr.Dataset, constant: xr.Dataset, seed: int) -> npt.NDArray[np.float64]:
    """Linear predictor (draw, cell) with the cells' own effects drawn anew from their distribution."""
    if "overdispersion" in posterior:
        sd = posterior["overdispersion_sd"].to_numpy()[..., None]
        fresh = sd * np.random.default_rng(seed).standard_normal(posterior["overdispersion"].shape)
        posterior = posterior.assign(overdispersion=(posterior["overdispersion"].dims, fresh))
    eta = linear_predictor(posterior, constant)
    return eta.reshape(-1, eta.shape[-1])


def _message(distance: float) -> str:
    side = "above" if distance > 0 else "below"
    return (
        f"lies {abs(distance):.1f} standard deviations {side} what the model predicts for this site and period: check "
        "it against the source"
    )

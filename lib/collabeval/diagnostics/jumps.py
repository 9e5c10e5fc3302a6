"""Rows of the data that the model finds implausible: jumps beyond five predictive standard deviations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from scipy import special, stats

from collabeval.diagnostics.effects import Array, predictor_with_new_rows, standard_error, thinned
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


def distances(family: Family, rows: pd.DataFrame, tree: xr.DataTree, seed: int) -> Array:
    """How far each row lies above (+) or below (−) its prediction, in normal standard deviations (cell,)."""
    posterior, constant = thinned(tree, MOST_DRAWS), tree["constant_data"].to_dataset()
    eta = predictor_with_new_rows(posterior, constant, np.random.default_rng(seed))
    if family == "normal":
        observed = rows["mean"].to_numpy(float)
        law = stats.norm(eta, standard_error(rows, posterior, constant))
        high, low = law.sf(observed).mean(axis=0), law.cdf(observed).mean(axis=0)
    else:
        observed, cases = rows["numerator"].to_numpy(float), rows["denominator"].to_numpy(float)
        law = stats.poisson(np.exp(eta)) if family == "poisson" else stats.binom(cases, special.expit(eta))
        high, low = law.sf(observed - 1).mean(axis=0), law.cdf(observed).mean(axis=0)
    smallest = np.finfo(float).tiny
    return np.where(high < low, 1, -1) * stats.norm.isf(np.clip(np.minimum(high, low), smallest, 0.5))


def _message(distance: float) -> str:
    side = "above" if distance > 0 else "below"
    return (
        f"lies {abs(distance):.1f} standard deviations {side} what the model predicts for this site and period: check "
        "it against the source"
    )

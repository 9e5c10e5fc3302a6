"""Could the model have produced these data? Posterior predictive checks, all advisory.

Data are made anew for other sites of the same collaborative (mixed replication; Marshall & Spiegelhalter 2003): effects
that were fitted to the very rows they are compared with could explain anything.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from collabeval.diagnostics.check import Check
from collabeval.diagnostics.effects import predictor_with_new_sites, replicated, standard_error, thinned
from collabeval.params import Family

Array = npt.NDArray[np.float64]
LIMITS = (0.005, 0.995)
MOST_DRAWS = 2000
MEANING = {
    "predictive_dispersion": ("the scatter of the rows around what the model expects", "`overdispersion: true`"),
    "predictive_extreme_row": ("the most extreme row", "a look at that row, which may be an error in the data"),
    "predictive_extreme_site": ("the most extreme site over all its periods", "`site_effects: student_t`"),
    "predictive_zeros": ("the number of rows without any event", "`overdispersion: true`"),
}


def predictive(model: str, family: Family, rows: pd.DataFrame, tree: xr.DataTree, seed: int) -> list[Check]:
    """Posterior predictive p of a few features of the data: how often data made by the model show as much, or more."""
    return [_check(model, name, p) for name, p in predictive_p(family, rows, tree, seed)]


def predictive_p(family: Family, rows: pd.DataFrame, tree: xr.DataTree, seed: int) -> Iterator[tuple[str, float]]:
    """Name and p of each feature; ties count half. `rows` in the order of the fit's cells."""
    posterior, constant = thinned(tree, MOST_DRAWS), tree["constant_data"].to_dataset()
    random = np.random.default_rng(seed)
    eta = predictor_with_new_sites(posterior, constant, random)
    error = standard_error(rows, posterior, constant) if family == "normal" else np.array(np.nan)
    made = replicated(family, rows, eta, error, random)
    observed = rows["mean" if family == "normal" else "numerator"].to_numpy(float)
    centre = made.mean(axis=0)
    z, made_z = (_standardised(values - centre, made.std(axis=0)) for values in (observed, made))
    yield "predictive_dispersion", _p((made_z**2).sum(axis=1), (z**2).sum())
    yield "predictive_extreme_row", _p(np.abs(made_z).max(axis=1), np.abs(z).max())
    site = constant["site_index"].to_numpy()
    if site.max() + 1 < len(observed):
        weight = rows["weight"].to_numpy() if family == "normal" else np.ones(len(rows))
        sums = by_group((made - centre) * weight, site)
        own = by_group(((observed - centre) * weight)[None], site)
        spread = sums.std(axis=0)
        largest = np.abs(_standardised(sums, spread)).max(axis=1)
        yield "predictive_extreme_site", _p(largest, np.abs(_standardised(own, spread)).max())
    if family != "normal" and ((made == 0).any() or (observed == 0).any()):
        yield "predictive_zeros", _p((made == 0).sum(axis=1), (observed == 0).sum())


def _check(model: str, name: str, p: float) -> Check:
    passed = LIMITS[0] <= p <= LIMITS[1]
    feature, remedy = MEANING[name]
    advice = f"Data made by the model show {feature} about as the real data do."
    if not passed:
        more, ends = ("larger", "short") if p < 0.5 else ("smaller", "long")
        advice = (
            f"Data made by the model hardly ever show {feature} as the real data do: it is {more} than the model "
            f"allows. Intervals may be too {ends}; try {remedy}."
        )
    return Check(model, name, p, LIMITS[0] if p <= 0.5 else LIMITS[1], "advisory", passed, advice)


def _standardised(distance: Array, sd: Array) -> Array:
    """Distance in standard deviations; 0 where the prediction is certain and met, infinite where it is not met."""
    return np.divide(distance, sd, out=np.where(distance == 0, 0.0, np.inf), where=sd > 0)


def _p(made: Array, observed: float) -> float:
    return float(np.mean(made > observed) + np.mean(np.isclose(made, observed)) / 2)


def by_group(values: Array, group: npt.NDArray[np.int64]) -> Array:
    """Sums of cells (draw, cell) over groups (draw, group)."""
    order = np.argsort(group, kind="stable")
    _, starts = np.unique(group[order], return_index=True)
    return np.add.reduceat(values[:, order], starts, axis=1)

"""Could the model have produced these data? Posterior predictive checks, all advisory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import xarray as xr

from collabeval.diagnostics.check import Check

Array = npt.NDArray[np.float64]
PREDICTIVE = (0.005, 0.995)
MOST_DRAWS = 2000
MEANING = {
    "predictive_dispersion": ("the scatter of the rows around what the model expects", "`overdispersion: true`"),
    "predictive_extreme_row": ("the most extreme row", "a look at that row, which may be an error in the data"),
    "predictive_extreme_site": ("the most extreme site over all its periods", "`site_effects: student_t`"),
    "predictive_extreme_period": ("the most extreme period over all its sites", "`trend: random_walk`"),
    "predictive_zeros": ("the number of rows without any event", "`overdispersion: true`"),
}


def predictive(model: str, tree: xr.DataTree) -> list[Check]:
    """Posterior predictive p of a few features of the data: how often replicated data show as much of it, or more.

    The p-values are conservative (the model has seen the data), so one beyond .005 or .995 is a clear sign of misfit.
    """
    return [_predictive(model, name, p) for name, p in predictive_p(tree)]


def predictive_p(tree: xr.DataTree) -> Iterator[tuple[str, float]]:
    """Name and p of each feature; ties count half."""
    observed = tree["observed_data"]["outcome"].to_numpy().astype(float)
    replicated = thinned(tree["posterior_predictive"].to_dataset()["outcome"])
    constant = tree["constant_data"]
    mean, sd = replicated.mean(axis=0), replicated.std(axis=0)
    z, z_replicated = standardised(observed, mean, sd), standardised(replicated, mean, sd)
    yield "predictive_dispersion", _p((z_replicated**2).sum(axis=1), (z**2).sum())
    yield "predictive_extreme_row", _p(np.abs(z_replicated).max(axis=1), np.abs(z).max())
    for name, index in (("site", constant["site_index"]), ("period", constant["period_index"])):
        group = index.to_numpy()
        if 1 < group.max() + 1 < len(observed):
            sums, own = _by_group(replicated - mean, group), _by_group((observed - mean)[None], group)
            spread = np.where(sums.std(axis=0) > 0, sums.std(axis=0), np.inf)
            yield f"predictive_extreme_{name}", _p(np.abs(sums / spread).max(axis=1), np.abs(own / spread).max())
    if (replicated == 0).any() or (observed == 0).any():
        yield "predictive_zeros", _p((replicated == 0).sum(axis=1), (observed == 0).sum())


def thinned(draws: xr.DataArray) -> Array:
    """At most 2,000 evenly spaced draws, (draw, cell)."""
    values = draws.transpose("chain", "draw", ...).to_numpy()
    flat = values.reshape(-1, *values.shape[2:]).astype(float)
    return flat[:: max(1, -(-len(flat) // MOST_DRAWS))]


def standardised(values: Array, mean: Array, sd: Array) -> Array:
    """Distance from the predictive mean in predictive sd; 0 where the prediction is certain and met."""
    return np.divide(values - mean, sd, out=np.zeros(np.broadcast_shapes(values.shape, sd.shape)), where=sd > 0)


def _predictive(model: str, name: str, p: float) -> Check:
    passed = PREDICTIVE[0] <= p <= PREDICTIVE[1]
    feature, remedy = MEANING[name]
    limit = PREDICTIVE[0] if p <= 0.5 else PREDICTIVE[1]
    advice = f"Data made by the model show {feature} about as the real data do."
    if not passed:
        more = "larger" if p < 0.5 else "smaller"
        advice = (
            f"Data made by the model hardly ever show {feature} as the real data do: it is {more} than the model "
            f"allows. Intervals may be too {'short' if p < 0.5 else 'long'}; try {remedy}."
        )
    return Check(model, name, p, limit, "advisory", passed, advice)


def _p(replicated: Array, observed: float) -> float:
    return float(np.mean(replicated > observed) + np.mean(np.isclose(replicated, observed)) / 2)


def _by_group(values: Array, group: npt.NDArray[np.int64]) -> Array:
    """Sums of cells (draw, cell) over groups (draw, group)."""
    order = np.argsort(group, kind="stable")
    _, starts = np.unique(group[order], return_index=True)
    return np.add.reduceat(values[:, order], starts, axis=1)

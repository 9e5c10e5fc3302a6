"""Fits by the fast engine: more proposals until every reported quantity is precise, or why it cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from collabeval.convergence import Mixing
from collabeval.errors import CollabevalError, UsageError
from collabeval.fit.predictive import completed, constant_data
from collabeval.models.correlation import CORRELATION
from collabeval.models.design import Design
from collabeval.own_model import own_function
from collabeval.params import Params, Sampling

SHORTFALL = 1.1
ROOM = 1.05  # the least of many noisy sizes falls short of what was aimed at; to draw all anew costs more than this
PASSED, ASKED = "its own check passed", "model.engine: laplace"
Reported = Callable[[xr.DataTree], xr.Dataset]
Progress = Callable[[str], None]


def fast_fit(
    design: Design, name: str, params: Params, reported: Reported | None, tell: Progress
) -> tuple[xr.DataTree | None, str]:
    """The fast engine's draws, unless `auto` has a reason, which is returned, to go on to NUTS."""
    from collabeval.laplace.engine import Sampler
    from collabeval.laplace.problem import pose, refusal

    asked, sampling = params.model.engine == "laplace", params.sampling
    own = own_function(params.model, name)
    reason = f"{Path(own).name} is a model of your own, which only NUTS can fit" if own else refusal(design)
    if reason:
        _refuse(asked, reason)
        return None, reason
    try:
        sampler = Sampler(pose(design), sampling, lambda message: tell(f"{name}: {message}"))
    except CollabevalError as error:
        if asked:
            raise
        return None, str(error)
    effective = ROOM * sampling.minimum_ess
    for _ in range(_rounds(sampling)):
        found = sampler.fitted(effective)
        if found.failure and not asked:
            return None, found.failure
        least = _least_effective(found.posterior, found.statistics, design, reported)
        if found.failure or least >= sampling.minimum_ess:
            break
        effective = SHORTFALL * effective * sampling.minimum_ess / least
    tree = completed(found.posterior, found.statistics, design, sampling.seed)
    tree.attrs = {**found.attributes, "engine_reason": ASKED if asked else PASSED}
    return tree, ""


def fast_together(
    designs: Mapping[str, Design], params: Params, reported: Mapping[str, Reported], tell: Progress
) -> tuple[dict[str, xr.DataTree], str]:
    """Draws of several measures whose levels correlate, unless `auto` has a reason, which is returned, for NUTS."""
    from collabeval.laplace.problem import pose, refusal
    from collabeval.laplace.together import MOST_MEASURES, Together

    asked, sampling = params.model.engine == "laplace", params.sampling
    reasons = [reason for design in designs.values() if (reason := refusal(design))]
    if len(designs) > MOST_MEASURES:
        reasons.append(f"it fits at most {MOST_MEASURES} measures together, and params name {len(designs)}")
    if reasons:
        _refuse(asked, reasons[0])
        return {}, reasons[0]
    try:
        sampler = Together({name: pose(design) for name, design in designs.items()}, sampling, tell)
    except CollabevalError as error:
        if asked:
            raise
        return {}, str(error)
    effective = ROOM * sampling.minimum_ess
    for _ in range(_rounds(sampling)):
        found = sampler.fitted(effective)
        if found.failure and not asked:
            return {}, found.failure
        matrices = found.correlation.transpose("measure", "other", "chain", "draw").to_numpy()[:, :, 0]
        least = _size(matrices[np.tril_indices(len(designs), -1)], found.picked)
        for name, fitted in found.measures.items():
            least = min(least, _least_effective(fitted.posterior, fitted.statistics, designs[name], reported[name]))
        if found.failure or least >= sampling.minimum_ess:
            break
        effective = SHORTFALL * effective * sampling.minimum_ess / least
    why, trees = ASKED if asked else PASSED, {}
    for name, fitted in found.measures.items():
        posterior = fitted.posterior.assign({CORRELATION: found.correlation})
        trees[name] = completed(posterior, fitted.statistics, designs[name], sampling.seed)
        trees[name].attrs = {**fitted.attributes, "together": ", ".join(designs), "engine_reason": why}
    return trees, ""


def _rounds(sampling: Sampling) -> int:
    """How often draws are made, each time of more proposals: once where draws are too few for the goal, whatever of."""
    return 1 + sampling.maximum_blocks if sampling.chains * sampling.draws >= sampling.minimum_ess else 1


def _refuse(asked: bool, reason: str) -> None:
    if asked:
        raise UsageError(f"model.engine: laplace: {reason} → use auto or nuts")


def _least_effective(posterior: xr.Dataset, statistics: xr.Dataset, design: Design, reported: Reported | None) -> float:
    """Least bulk or tail effective sample size of the fast engine's draws of all quantities that vary."""
    groups = {"posterior": posterior, "sample_stats": statistics, "constant_data": constant_data(design)}
    quantities = reported(xr.DataTree.from_dict(groups)) if reported else posterior
    values = [array.transpose(..., "chain", "draw") for array in quantities.data_vars.values()]
    rows = np.concatenate([array.to_numpy().reshape(-1, array.sizes["draw"]) for array in values])
    return _size(rows, statistics["proposal"].to_numpy().ravel())


def _size(rows: np.ndarray, proposals: np.ndarray) -> float:
    """The least of quantities (quantity, S), each draw resampled from one of `proposals` (S,); of those that vary."""
    found = Mixing(1, proposals).convergence(rows.astype(float))
    sizes = np.concatenate([found.ess_bulk, found.ess_tail])
    return float(np.min(sizes[np.isfinite(sizes)], initial=np.inf))

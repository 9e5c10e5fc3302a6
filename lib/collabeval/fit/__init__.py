"""From a panel to draws: choose the engine, sample until every reported quantity is precise, keep what results need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from collabeval.convergence import Mixing
from collabeval.draws import load, save
from collabeval.errors import CollabevalError, UsageError
from collabeval.fit.predictive import constant_data, observed_data
from collabeval.models.design import Design, read_design
from collabeval.models.log_prior import log_prior
from collabeval.own_model import own_function
from collabeval.params import Params

__all__ = ["check_own_model", "load", "sample", "save"]

SHORTFALL = 1.1
Reported = Callable[[xr.DataTree], xr.Dataset]
Progress = Callable[[str], None]


def sample(
    panel: pd.DataFrame,
    measure_name: str,
    params: Params,
    reported: Reported | None = None,
    progress: Progress | None = None,
) -> xr.DataTree:
    """Draws of one measure's model, as precise as `sampling` asks, by the engine that `model.engine` names.

    `auto` takes the fast engine (collabeval.laplace) where the model has a Gaussian form, and NUTS where it has none or
    the fast engine's own check fails; the attributes of the draws say which and why.

    Parameters
    ----------
    panel : DataFrame
        The analysed rows (docs/data.md); those of `measure_name` are used, in their order.
    reported : callable, optional
        From draws to the quantities whose effective sample size must reach `minimum_ess`; the model's own if None.
    progress : callable, optional
        Told in a few words what is being done.

    Returns
    -------
    DataTree with the groups of `draws.GROUPS`.

    Raises
    ------
    UsageError
        The model is not one that `engine: laplace` can fit.
    ParamsError
        A model of your own that results cannot be worked out from.
    """
    tell = progress or (lambda message: None)
    rows = panel[panel["measure"] == measure_name].reset_index(drop=True)
    design = read_design(rows, params.measures[measure_name].family, params.model)
    why = "model.engine: nuts"
    if params.model.engine != "nuts":
        fast, why = _fast(design, measure_name, params, reported, tell)
        if fast is not None:
            return fast
        tell(f"{measure_name}: by NUTS, since {why}")
    return _by_nuts(rows, measure_name, params, design, reported, tell, why)


def _fast(
    design: Design, name: str, params: Params, reported: Reported | None, tell: Progress
) -> tuple[xr.DataTree | None, str]:
    """The fast engine's draws, unless `auto` has a reason, which is returned, to go on to NUTS."""
    from collabeval.laplace.engine import Sampler
    from collabeval.laplace.problem import pose, refusal

    asked, sampling = params.model.engine == "laplace", params.sampling
    own = own_function(params.model, name)
    reason = f"{Path(own).name} is a model of your own, which only NUTS can fit" if own else refusal(design)
    if reason:
        if asked:
            raise UsageError(f"model.engine: laplace: {reason} → use auto or nuts")
        return None, reason
    try:
        sampler = Sampler(pose(design), sampling, lambda message: tell(f"{name}: {message}"))
    except CollabevalError as error:
        if asked:
            raise
        return None, str(error)
    effective = float(sampling.minimum_ess)
    for _ in range(1 + sampling.maximum_blocks):
        found = sampler.fitted(effective)
        if found.failure and not asked:
            return None, found.failure
        least = _least_effective(found.posterior, found.statistics, design, reported)
        if found.failure or least >= sampling.minimum_ess:
            break
        effective = SHORTFALL * effective * sampling.minimum_ess / least
    tree = completed(found.posterior, found.statistics, design, sampling.seed)
    tree.attrs = {**found.attributes, "engine_reason": "model.engine: laplace" if asked else "its own check passed"}
    return tree, ""


def _least_effective(posterior: xr.Dataset, statistics: xr.Dataset, design: Design, reported: Reported | None) -> float:
    """Least bulk or tail effective sample size of the fast engine's draws of all quantities that vary."""
    groups = {"posterior": posterior, "sample_stats": statistics, "constant_data": constant_data(design)}
    quantities = reported(xr.DataTree.from_dict(groups)) if reported else posterior
    values = [array.transpose(..., "chain", "draw") for array in quantities.data_vars.values()]
    rows = np.concatenate([array.to_numpy().reshape(-1, array.sizes["draw"]) for array in values])
    found = Mixing(1, statistics["proposal"].to_numpy().ravel()).convergence(rows.astype(float))
    sizes = np.concatenate([found.ess_bulk, found.ess_tail])
    return float(np.min(sizes[np.isfinite(sizes)], initial=np.inf))


def _by_nuts(
    rows: pd.DataFrame,
    name: str,
    params: Params,
    design: Design,
    reported: Reported | None,
    tell: Progress,
    why: str,
) -> xr.DataTree:
    import collabeval.models.families  # noqa: F401  first: it says where compiled code is kept, before PyTensor loads
    from collabeval.fit.chains import chains  # loads PyMC, which the fast engine does without

    constant = constant_data(design)

    def quantities(tree: xr.DataTree) -> xr.Dataset:
        if reported is None:
            return tree["posterior"].to_dataset()
        return reported(tree.assign(constant_data=xr.DataTree(constant)))

    sampled, attributes = chains(rows, name, params, design, quantities, tell)
    posterior, statistics = sampled["posterior"].to_dataset(), sampled["sample_stats"].to_dataset()
    own = sampled["log_prior"].to_dataset() if "log_prior" in sampled.children else None
    tree = completed(posterior, statistics, design, params.sampling.seed, own)
    tree.attrs = {**attributes, "engine_reason": why}
    return tree


def sample_together(
    panel: pd.DataFrame,
    params: Params,
    reported: Mapping[str, Reported],
    progress: Progress | None = None,
) -> dict[str, xr.DataTree]:
    """Draws of the measures in `model.together`, whose site levels correlate: one joint posterior, by NUTS.

    Draw s of one measure belongs to draw s of every other. Each tree is as `sample` gives it; its posterior holds
    besides `measure_correlation` (chain, draw, measure, other), the correlation R of the sites' levels.

    Raises
    ------
    UsageError
        Fewer than two measures, or site effects that are not normal.
    """
    import collabeval.models.families  # noqa: F401  first: it says where compiled code is kept, before PyTensor loads
    from collabeval.fit.together import together

    names = params.model.together
    rows = {name: panel[panel["measure"] == name] for name in names}
    designs = {name: read_design(rows[name], params.measures[name].family, params.model) for name in names}

    def quantities(name: str, posterior: xr.Dataset) -> xr.Dataset:
        return reported[name](
            xr.DataTree.from_dict({"posterior": posterior, "constant_data": constant_data(designs[name])})
        )

    found, said, correlation = together(panel, designs, params, quantities, progress or (lambda message: None))
    trees = {}
    for name, (posterior, statistics) in found.items():
        posterior = posterior.assign({str(correlation.name): correlation})
        trees[name] = completed(posterior, statistics, designs[name], params.sampling.seed)
        trees[name].attrs = {**said[name], "engine_reason": "model.together, which only NUTS can fit"}
    return trees


def check_own_model(panel: pd.DataFrame, measure_name: str, params: Params) -> None:
    """Build the measure's own model, if params name one, and check it against these rows; nothing is sampled.

    Raises
    ------
    ParamsError
        Results cannot be worked out from it.
    """
    function = own_function(params.model, measure_name)
    if not function:
        return
    from collabeval.models.families import own

    rows = panel[panel["measure"] == measure_name].reset_index(drop=True)
    own.build(function, rows, params.model, read_design(rows, params.measures[measure_name].family, params.model))


def completed(
    posterior: xr.Dataset, statistics: xr.Dataset, design: Design, seed: int, prior: xr.Dataset | None = None
) -> xr.DataTree:
    """The draws with log-likelihood, log-prior, posterior predictive, and the data they are read with.

    `prior` is the log-prior of a model of the evaluation's own; None: that of the built-in one. What each cell adds is
    most of the file, and no result is computed from it: it is kept in single precision.
    """
    from collabeval.fit.outcomes import outcomes  # compiled: loads numba

    coords = {"chain": posterior["chain"], "draw": posterior["draw"], "cell": np.arange(design.cells)}
    dims = ("chain", "draw", "cell")
    replicates, densities = outcomes(posterior, design, seed, np.float32)
    groups = {
        "posterior_predictive": xr.Dataset({"outcome": (dims, replicates)}, coords),
        "log_likelihood": xr.Dataset({"outcome": (dims, densities)}, coords),
        "log_prior": log_prior(posterior, design) if prior is None else prior,
        "observed_data": observed_data(design),
        "constant_data": constant_data(design),
    }
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": statistics, **groups})

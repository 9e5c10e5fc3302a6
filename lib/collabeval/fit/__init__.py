"""From a panel to draws: choose the engine, sample until every reported quantity is precise, keep what results need."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import xarray as xr

from collabeval.draws import load, save
from collabeval.fit.predictive import completed, constant_data
from collabeval.models.design import Design, read_design
from collabeval.own_model import own_function
from collabeval.params import Params

__all__ = ["check_own_model", "load", "sample", "save"]

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
    from collabeval.fit.fast import fast_fit

    tell = progress or (lambda message: None)
    rows = panel[panel["measure"] == measure_name].reset_index(drop=True)
    design = read_design(rows, params.measures[measure_name].family, params.model)
    why = "model.engine: nuts"
    if params.model.engine != "nuts":
        fast, why = fast_fit(design, measure_name, params, reported, tell)
        if fast is not None:
            return fast
        tell(f"{measure_name}: by NUTS, since {why}")
    return _by_nuts(rows, measure_name, params, design, reported, tell, why)


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
    """Draws of the measures in `model.together`, whose site levels correlate: one joint posterior.

    Draw s of one measure belongs to draw s of every other. Each tree is as `sample` gives it; its posterior holds
    besides `measure_correlation` (chain, draw, measure, other), the correlation R of the sites' levels. Engines are
    chosen as `sample` does, one for all of them.

    Raises
    ------
    UsageError
        Fewer than two measures, or a model that `engine: laplace` cannot fit.
    """
    from collabeval.fit.fast import fast_together

    tell = progress or (lambda message: None)
    names = params.model.together
    rows = {name: panel[panel["measure"] == name].reset_index(drop=True) for name in names}
    designs = {name: read_design(rows[name], params.measures[name].family, params.model) for name in names}
    why = "model.engine: nuts"
    if params.model.engine != "nuts":
        fast, why = fast_together(designs, params, reported, tell)
        if fast:
            return fast
        tell(f"{', '.join(names)}: by NUTS, since {why}")
    return _together_by_nuts(panel, params, designs, reported, tell, why)


def _together_by_nuts(
    panel: pd.DataFrame,
    params: Params,
    designs: Mapping[str, Design],
    reported: Mapping[str, Reported],
    tell: Progress,
    why: str,
) -> dict[str, xr.DataTree]:
    import collabeval.models.families  # noqa: F401  first: it says where compiled code is kept, before PyTensor loads
    from collabeval.fit.together import together

    def quantities(name: str, posterior: xr.Dataset) -> xr.Dataset:
        return reported[name](
            xr.DataTree.from_dict({"posterior": posterior, "constant_data": constant_data(designs[name])})
        )

    found, said, correlation = together(panel, designs, params, quantities, tell)
    trees = {}
    for name, (posterior, statistics) in found.items():
        posterior = posterior.assign({str(correlation.name): correlation})
        trees[name] = completed(posterior, statistics, designs[name], params.sampling.seed)
        trees[name].attrs = {**said[name], "engine_reason": why}
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

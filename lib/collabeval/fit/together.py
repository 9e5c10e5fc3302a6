"""Several measures fitted together: one NUTS run over all their models, coupled by the sites' levels."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pymc.model.transform.optimization import freeze_dims_and_data

from collabeval.errors import UsageError
from collabeval.fit.chains import Attempt, attempts, attributes, without_divergences
from collabeval.fit.compiled import Graph, compile_graph, graph_of
from collabeval.fit.nuts import Sampler, compiled_sampler
from collabeval.models.correlation import CORRELATION, memberships
from collabeval.models.design import Design
from collabeval.models.families import MODELS
from collabeval.models.together import NAME, correlation_model, coupling
from collabeval.params import Params

Quantities = Callable[[str, xr.Dataset], xr.Dataset]


def together(
    panel: pd.DataFrame,
    designs: Mapping[str, Design],
    params: Params,
    quantities: Quantities,
    tell: Callable[[str], None],
) -> tuple[dict[str, tuple[xr.Dataset, xr.Dataset]], dict[str, dict[str, str | int | float]], xr.DataArray]:
    """Posterior and sampling statistics of each measure, draw by draw of one joint posterior; how each came about; R.

    nutpie samples it, whatever `sampling.sampler` says: the graph is none that PyMC's own sampler takes.

    Parameters
    ----------
    designs : the measures that are fitted together, by name.
    quantities : from a measure and its posterior to what must reach `minimum_ess`.

    Raises
    ------
    UsageError
        Fewer than two measures, or Student-t levels, whose joint distribution this is not.
    """
    names, sampling = list(designs), params.sampling
    if len(names) < 2 or params.model.site_effects != "normal":
        raise UsageError("model.together needs two measures or more, and `site_effects: normal`")
    rows = {name: panel[panel["measure"] == name].reset_index(drop=True) for name in names}

    def sampler(form: str) -> Sampler:
        settings = params.model.model_copy(update={"parametrisation": form})
        models = {name: MODELS[design.family](rows[name], settings, name) for name, design in designs.items()}
        graph, model = joint(models, designs)
        return compiled_sampler(compile_graph(graph, model), sampling)

    def reported(tree: xr.DataTree) -> xr.Dataset:
        posterior = tree["posterior"].to_dataset()
        parts = [_named(name, quantities(name, of_measure(posterior, name))) for name in names]
        return xr.merge([*parts, posterior[[f"{NAME}::{CORRELATION}"]]], compat="equals", join="outer")

    first = designs[names[0]]
    ways: list[Attempt] = list(attempts(first, sampling))
    best, retries = without_divergences(sampler, ways, sampling, reported, tell)
    posterior, statistics = best.tree["posterior"].to_dataset(), best.tree["sample_stats"].to_dataset()
    found = {name: (of_measure(posterior, name), statistics) for name in names}
    common = {"sampler": "nutpie", "together": ", ".join(names)}
    said = {name: {**attributes(best, retries, design, sampling), **common} for name, design in designs.items()}
    return found, said, posterior[f"{NAME}::{CORRELATION}"].rename(
        {f"{NAME}::measure": "measure", f"{NAME}::other": "other"}
    ).rename(CORRELATION)  # fmt: skip


def joint(models: Mapping[str, pm.Model], designs: Mapping[str, Design]) -> tuple[Graph, pm.Model]:
    """The graph of all models and what couples them."""
    frozen = {name: freeze_dims_and_data(model) for name, model in models.items()}
    common = correlation_model(list(models))
    graphs = [*(graph_of(model, before=f"{name}::") for name, model in frozen.items())]
    graphs.append(graph_of(common, (CORRELATION,), f"{NAME}::"))
    levels = []
    for name, model in frozen.items():
        own = model[f"{name}::site_level"]
        if designs[name].covariates.terms:
            own = own - pt.dot(designs[name].site_covariates, model[f"{name}::covariates"])
        levels += model.replace_rvs_by_values([own / model[f"{name}::site_sd"]])
    matrix = common.replace_rvs_by_values([common[f"{NAME}::{CORRELATION}"]])[0]
    scalars = [[matrix[a, b] for b in range(len(models))] for a in range(len(models))]
    has, place = memberships([design.sites for design in designs.values()])
    density = sum(graph.density for graph in graphs) + coupling(scalars, levels, has, place)
    return Graph(
        density=density,
        variables=[variable for graph in graphs for variable in graph.variables],
        initial={name: value for graph in graphs for name, value in graph.initial.items()},
        kept=[variable for graph in graphs for variable in graph.kept],
        dims={name: dims for graph in graphs for name, dims in graph.dims.items()},
        coords={name: values for graph in graphs for name, values in graph.coords.items()},
    ), common


def of_measure(posterior: xr.Dataset, name: str) -> xr.Dataset:
    """The variables of one measure under the names they have when it is fitted alone."""
    before = f"{name}::"
    mine = posterior[[str(one) for one in posterior.data_vars if str(one).startswith(before)]]
    return mine.rename({one: str(one).removeprefix(before) for one in (*mine.data_vars, *mine.dims)
                        if str(one).startswith(before)})  # fmt: skip


def _named(name: str, dataset: xr.Dataset) -> xr.Dataset:
    return dataset.drop_vars([c for c in dataset.coords if c not in ("chain", "draw")]).rename(
        {one: f"{name}::{one}" for one in (*dataset.data_vars, *dataset.dims) if one not in ("chain", "draw")}
    )

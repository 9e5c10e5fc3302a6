"""A model of the evaluation's own: loaded from its file, built, and checked before it is sampled.

Results are worked out from the draws by the names of docs/methods.md and the linear predictor in `draws`. Here a model
is held to both: what it keeps has these names and dims, and at several points its log-likelihood is the one that
follows from them.
"""

from __future__ import annotations

import importlib.util
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor
import pytensor.tensor as pt
import xarray as xr
from pymc.pytensorf import join_nonshared_inputs
from pytensor.compile.mode import Mode
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from pytensor.graph.traversal import ancestors

from collabeval.draws import POSTERIOR
from collabeval.errors import ParamsError, Problem
from collabeval.fit.predictive import log_likelihood
from collabeval.models.design import Design
from collabeval.own_model import file_and_name, wrong_with
from collabeval.params import Model

DIMS = {"covariates": ("covariate",), "trend": ("period",), "site_level": ("site",), "site_slope": ("site",),
        "overdispersion": ("cell",), "residual_sd": ("site",)}  # fmt: skip
ALWAYS = ("intercept", "site_level", "site_sd")
# what else must be kept where a variable is
WITH = {"site_slope": ("trajectory_sd", "site_correlation"), "overdispersion": ("overdispersion_sd",)}
POINTS, JITTER = 3, 0.3  # where the log-likelihood is compared: about the model's own starting point
TOLERANCE = 1e-6
UNCOMPILED = Mode(linker="py", optimizer=RewriteDatabaseQuery(include=[]))
PREDICTOR = (
    "η = offset + intercept + scale · (trend + site_level + site_slope · (time − mean_time) + overdispersion), and the "
    "likelihood of `outcome` the one of the measure's family (docs/methods.md)"
)


def build(function: str, rows: pd.DataFrame, settings: Model, design: Design) -> pm.Model:
    """The model that `FILE.py:FUNCTION` makes of the rows of one measure, checked.

    Raises
    ------
    ParamsError
        The function cannot be called, or results cannot be worked out from its model; all reasons found.
    """
    found = wrong_with(function)
    if found:
        raise ParamsError([Problem(function, *found)])
    path, name = file_and_name(function)
    model = _called(path, name, rows, settings)
    problems = list(_structure(model, design)) or list(_likelihood(model, design, rows))
    if problems:
        raise ParamsError([Problem(f"{path}:{name}", what, fix) for what, fix in problems])
    return model


def kept(model: pm.Model) -> tuple[str, ...]:
    """What is kept of its draws: the known names, and whatever else is a scalar or has dims and not the end `_raw`."""
    others = {
        variable.name
        for variable in [*model.free_RVs, *model.deterministics]
        if not variable.name.endswith("_raw") and (variable.ndim == 0 or variable.name in model.named_vars_to_dims)
    }
    return tuple(name for name in POSTERIOR if name in others) + tuple(sorted(others - set(POSTERIOR)))


def log_prior(model: pm.Model, posterior: xr.Dataset) -> xr.Dataset:
    """Log-density of the prior of each kept number that depends on no other variable (chain, draw)."""
    found = {}
    for variable in model.free_RVs:
        above = set(ancestors([variable])) & set(model.basic_RVs) - {variable}
        if variable.ndim == 0 and not above and variable.name in posterior:
            points = pt.vector("points")
            density = pytensor.function([points], pm.logp(variable, points), mode=UNCOMPILED)
            values = posterior[variable.name].to_numpy()
            found[variable.name] = (("chain", "draw"), np.reshape(density(values.ravel()), values.shape))
    return xr.Dataset(found, {"chain": posterior["chain"], "draw": posterior["draw"]})


def _called(path: Path, name: str, rows: pd.DataFrame, settings: Model) -> pm.Model:
    """Run the file and call the function; whatever goes wrong in them is told with its line."""
    specification = importlib.util.spec_from_file_location(f"own_model_{path.stem}", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    try:
        specification.loader.exec_module(module)
        build_it: Callable[[pd.DataFrame, Model], object] = getattr(module, name)
        model = build_it(rows.copy(), settings)
    except Exception as error:  # the file may raise anything
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        where = f" in line {lines[-1]}" if lines else ""
        problem = Problem(f"{path}:{name}", f"failed{where}: {type(error).__name__}: {error}", "mend the function")
        raise ParamsError([problem]) from error
    if not isinstance(model, pm.Model):
        problem = Problem(
            f"{path}:{name}", f"returned {type(model).__name__}, not a pymc.Model", "end it: `return model`"
        )
        raise ParamsError([problem])
    return model


def _structure(model: pm.Model, design: Design) -> Iterator[tuple[str, str]]:
    """What is wrong with the names, dims and coordinates of what the model keeps: each what, and how to mend it."""
    for variable in model.discrete_value_vars:
        yield f"`{variable.name}` is a discrete parameter", "NUTS samples continuous ones only: sum it out"
    names = {variable.name for variable in [*model.free_RVs, *model.deterministics]}
    needed = [*ALWAYS, *(["residual_sd"] if design.own_sd else [])]
    needed += [other for name, others in WITH.items() if name in names for other in others]
    for name in needed:
        if name not in names:
            yield f"has no variable `{name}`", f'results need it: name it so, or pm.Deterministic("{name}", …)'
    for name in sorted(names & set(POSTERIOR)):
        dims = tuple(map(str, model.named_vars_to_dims.get(name, ())))
        if dims != DIMS.get(name, ()) or model[name].ndim != len(dims):
            yield f"`{name}` has dims {dims}", f"they must be {DIMS.get(name, ())}"
    if [variable.name for variable in model.observed_RVs].count("outcome") != 1:
        yield (
            "has no observed variable `outcome`",
            'the likelihood of the rows has this name: pm.Binomial("outcome", …)',
        )
    coordinates = {"site": design.sites, "period": design.periods, "cell": np.arange(design.cells)}
    for dim, values in coordinates.items():
        given = model.coords.get(dim)
        if given is not None and not np.array_equal(np.asarray(given, dtype=values.dtype), values):
            yield (
                f"the coordinate `{dim}` is another than the data's",
                f"{COORDINATES[dim]}, as in docs/statistician.md",
            )


COORDINATES = {
    "site": "the sorted site codes",
    "period": "the observed periods in order of time",
    "cell": "0, 1, … in the order of the panel's rows",
}


def _likelihood(model: pm.Model, design: Design, rows: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Whether the log-likelihood of each row is the one that results are worked out with, at several points."""
    posterior, own = _at_points(model)
    if own.shape != (POINTS, design.cells):
        yield "`outcome` has not one value for each row", "it is the panel's column as a whole, in the panel's order"
        return
    ours = log_likelihood(posterior, design)[0]
    both = np.isfinite(own) & np.isfinite(ours)
    if not both.any():
        yield "its log-likelihood is not a number at the point where sampling starts", "look at priors and data"
        return
    off = np.where(both, np.abs(own - ours) / (1 + np.abs(ours)), 0.0)
    draw, cell = np.unravel_index(off.argmax(), off.shape)
    if off[draw, cell] > TOLERANCE:
        row = rows.iloc[cell]
        where = " ".join(filter(None, (str(row["site"]), str(row["period"]))))
        yield (
            f"the log-likelihood of `outcome` is not the one that follows from what the model keeps: "
            f"{own[draw, cell]:.6g} instead of {ours[draw, cell]:.6g} for {where}, and so for "
            f"{int((off.max(axis=0) > TOLERANCE).sum())} of {design.cells} rows",
            f"the linear predictor must be {PREDICTOR}",
        )  # fmt: skip


def _at_points(model: pm.Model) -> tuple[xr.Dataset, np.ndarray]:
    """What the model keeps at `POINTS` points near its start, and its log-likelihood there (point, cell)."""
    initial, variables = model.initial_point(), model.continuous_value_vars
    outputs = [variable for variable in model.unobserved_value_vars if variable.name in POSTERIOR]
    names = [variable.name for variable in outputs]
    density: Any = model.logp(vars=[model["outcome"]], sum=False)
    graph, point = join_nonshared_inputs(initial, [*outputs, density[0]], variables)
    function = pytensor.function([point], graph, mode=UNCOMPILED)
    start = np.concatenate([np.ravel(initial[variable.name]) for variable in variables])
    random = np.random.default_rng(0)
    found = [function(start + JITTER * random.standard_normal(start.size)) for _ in range(POINTS)]
    columns = [np.stack(values) for values in zip(*found, strict=True)]
    dims = {name: ("chain", "draw", *DIMS.get(name, ())) for name in names}
    kept_values = {name: (dims[name], values[None]) for name, values in zip(names, columns[:-1], strict=True)}
    return xr.Dataset(kept_values), columns[-1]

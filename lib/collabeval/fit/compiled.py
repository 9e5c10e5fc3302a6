"""A PyMC model as machine code that nutpie calls, kept on disk between runs.

`nutpie.compile_pymc_model` does the same, but wraps what PyTensor has compiled in functions that are compiled anew in
every process: some 5 s for any model, however small. Here the wrapper is registered in PyTensor's own cache under the
key of the function it wraps, and variables on their own scale are worked out after sampling, for all draws at once.
A test holds the draws to those of `nutpie.compile_pymc_model`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from numba import types
from pymc.model.transform.optimization import freeze_dims_and_data
from pymc.pytensorf import join_nonshared_inputs, rewrite_pregrad
from pytensor.compile.mode import Mode
from pytensor.graph.replace import vectorize_graph
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from pytensor.link.numba.cache import CACHED_SRC_FUNCTIONS, compile_numba_function_src

from collabeval.draws import POSTERIOR

DOUBLES = types.CPointer(types.double)
LOGP = types.int64(types.uint64, DOUBLES, DOUBLES, DOUBLES, types.voidptr)
LOGP_SOURCE = """
def logp(size, point, gradient, value, nothing):
    total, slope = inner(carray(point, (size,)))
    value[0] = total[()]
    finite = isfinite(value[0])
    for i in range(size):
        gradient[i] = slope[i]
        finite &= isfinite(slope[i])
    return 0 if finite else 3
"""
COPY = types.int64(types.uint64, types.uint64, DOUBLES, DOUBLES, types.voidptr)
COPY_SOURCE = """
def copy(size, expanded, point, out, nothing):
    for i in range(size):
        out[i] = point[i]
    return 0
"""


@dataclass(frozen=True)
class Compiled:
    """A model ready to sample: nutpie's callbacks, where chains start, and the way back to named variables."""

    logp: Any  # C callbacks: objects with an `address`
    copy: Any
    start: np.ndarray  # (size,) unconstrained
    constrain: Callable[[np.ndarray], dict[str, np.ndarray]]  # (draws, size) -> variables, draws first
    dims: dict[str, tuple[str, ...]]
    coords: dict[str, Any]

    def jittered(self, seed: int) -> np.ndarray:
        """A starting point: the model's own plus Uniform(−1, 1), as PyMC and Stan do."""
        return self.start + np.random.default_rng(seed).uniform(-1, 1, self.start.size)


@dataclass(frozen=True)
class Graph:
    """A log-density with what it depends on and what is wanted of it, on the scale on which it is sampled."""

    density: Any
    variables: list[Any]
    initial: dict[str, np.ndarray]
    kept: list[Any]  # named, on their own scale
    dims: dict[str, tuple[str, ...]]
    coords: dict[str, Any]


def compile_model(model: pm.Model, keep: Collection[str] = POSTERIOR) -> Compiled:
    """Compile log-density and gradient, or load them from the cache; `keep` names the variables that are wanted."""
    model = freeze_dims_and_data(model)
    return compile_graph(graph_of(model, keep), model)


def graph_of(model: pm.Model, keep: Collection[str] = POSTERIOR, before: str = "") -> Graph:
    """The graph of one model; `before` (`name::`) stands before the names of a model that has one, not in `keep`."""
    return Graph(
        density=model.logp(),
        variables=model.continuous_value_vars,
        initial=model.initial_point(),
        kept=[variable for variable in model.unobserved_value_vars if variable.name.removeprefix(before) in keep],
        dims={name: tuple(f"{before}{dim}" for dim in dims) for name, dims in model.named_vars_to_dims.items()},
        coords={f"{before}{name}": np.asarray(values) for name, values in model.coords.items()},
    )


def compile_graph(graph: Graph, model: pm.Model) -> Compiled:
    """The same of a graph; `model` is one whose settings PyMC compiles it with."""
    density = rewrite_pregrad(graph.density)
    slopes: Any = pt.grad(density, graph.variables)
    slope = pt.join(0, *[part.ravel() for part in slopes])
    outputs, point = join_nonshared_inputs(graph.initial, [density, slope], graph.variables)
    with model, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Loop fusion failed")  # says only that PyTensor fused less
        compiled = pm.pytensorf.compile([point], outputs, mode="NUMBA")
    inner = compiled.vm.jit_fn
    return Compiled(
        logp=callback(LOGP, "logp", LOGP_SOURCE, inner, CACHED_SRC_FUNCTIONS.get(inner.py_func)),
        copy=callback(COPY, "copy", COPY_SOURCE, None, "collabeval"),
        start=np.concatenate([np.ravel(graph.initial[variable.name]) for variable in graph.variables]),
        constrain=constrainer(graph.kept, graph.variables, graph.initial),
        dims=graph.dims,
        coords=graph.coords,
    )


def callback(signature: Any, name: str, source: str, inner: Any, key: str | None) -> Any:
    """A C callback from source; kept on disk under `key`, or compiled for this process alone where there is none."""
    names = {"inner": inner, "carray": numba.carray, "isfinite": np.isfinite, "__name__": __name__}
    function = compile_numba_function_src(source, name, names, cache_key=key and f"{name}-{key}")
    return numba.cfunc(signature, cache=key is not None)(function)


def constrainer(
    kept: list[Any], variables: list[Any], initial: dict[str, np.ndarray]
) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """From unconstrained points (draws, size) to the model's named variables, by numpy: compiling would take longer."""
    outputs, point = join_nonshared_inputs(initial, kept, variables)
    points = pt.matrix("points")
    vectorised = vectorize_graph(outputs, {point: points})
    function = pytensor.function(
        [points], vectorised, mode=Mode(linker="py", optimizer=RewriteDatabaseQuery(include=[]))
    )
    names = [variable.name for variable in kept]
    return lambda values: dict(zip(names, function(values), strict=True))

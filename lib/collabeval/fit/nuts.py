"""One block of NUTS draws from a PyMC model, through nutpie or PyMC itself."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pymc as pm
import xarray as xr
from threadpoolctl import threadpool_limits

from collabeval.draws import POSTERIOR
from collabeval.fit.compiled import Compiled, compile_model
from collabeval.machine import cores
from collabeval.params import Sampling

# names in the draws (ArviZ's) and in nutpie's statistics
STATISTICS = {"diverging": "diverging", "energy": "energy", "tree_depth": "depth", "n_steps": "n_steps",
              "step_size": "step_size", "lp": "logp"}  # fmt: skip


@dataclass(frozen=True)
class Block:
    """What one call of a sampler is asked for."""

    draws: int
    chains: int
    seed: int
    target_accept: float


Sampler = Callable[[Block], xr.DataTree]


def nutpie_sampler(model: pm.Model, sampling: Sampling, keep: Collection[str] = POSTERIOR) -> Sampler:
    """Compile once, then sample any number of blocks."""
    return compiled_sampler(compile_model(model, keep), sampling)


def compiled_sampler(compiled: Compiled, sampling: Sampling) -> Sampler:
    """Blocks of draws by nutpie from what has been compiled."""
    nutpie = import_nutpie()
    target = nutpie_model(compiled)

    def sample(block: Block) -> xr.DataTree:
        with threadpool_limits(1):
            trace: Any = nutpie.sample(
                target,
                draws=block.draws,
                tune=sampling.tune,
                chains=block.chains,
                cores=min(cores(), block.chains),
                seed=block.seed,
                target_accept=block.target_accept,
                progress_bar=False,
                return_raw_trace=True,
            )
        draws, statistics = trace.get_arrow_trace()
        return from_arrow(draws, statistics, compiled, block.draws)

    return sample


def import_nutpie() -> ModuleType:
    """nutpie, with ArviZ loaded only if it is ever used.

    nutpie imports ArviZ, and with it matplotlib, to convert draws, which is done here: 2 s of a fit saved. What it is
    given instead hands every use on to the real ArviZ, which other modules import as ever.
    """
    if not {"nutpie", "arviz"} & sys.modules.keys():
        stand_in: Any = ModuleType("arviz")
        stand_in.__getattr__ = lambda name: getattr(importlib.import_module("arviz"), name)
        sys.modules["arviz"] = stand_in
        try:
            return importlib.import_module("nutpie")
        finally:
            del sys.modules["arviz"]
    return importlib.import_module("nutpie")


def nutpie_model(compiled: Compiled) -> Any:
    """What `nutpie.sample` takes, with the unconstrained point as its only variable."""
    from nutpie.compile_pymc import CompiledPyMCModel

    size = compiled.start.size
    return CompiledPyMCModel(
        dims={},
        compiled_logp_func=compiled.logp,
        compiled_expand_func=compiled.copy,
        initial_point_func=compiled.jittered,
        shared_data={},
        shared_var_keys={},
        user_data=np.zeros(1),
        n_expanded=size,
        shape_info=(["point"], [slice(0, size)], [(size,)]),
        logp_func=None,
        expand_func=None,
        _n_dim=size,
        _shapes={"point": (size,)},
        _coords={},
    )


def from_arrow(draws: list[Any], statistics: list[Any], compiled: Compiled, kept: int) -> xr.DataTree:
    """The last `kept` rows of each chain (before them it was tuned) as named variables."""

    def last(batch: Any, name: str) -> pa.Array:
        return pa.array(batch.column(name)).slice(batch.num_rows - kept)

    size = compiled.start.size
    points = [last(batch, "point").flatten().to_numpy().reshape(kept, size) for batch in draws]
    chains = {"chain": np.arange(len(draws)), "draw": np.arange(kept)}
    variables = {
        name: (("chain", "draw", *compiled.dims.get(name, ())), values.reshape(len(draws), kept, *values.shape[1:]))
        for name, values in compiled.constrain(np.concatenate(points)).items()
    }
    used = {dim for dims, _ in variables.values() for dim in dims}
    coords = chains | {name: values for name, values in compiled.coords.items() if name in used}
    found = {}
    for name, theirs in STATISTICS.items():
        values = [last(batch, theirs).to_numpy(zero_copy_only=False) for batch in statistics]
        found[name] = (("chain", "draw"), np.stack(values))
    return xr.DataTree.from_dict(
        {"posterior": xr.Dataset(variables, coords), "sample_stats": xr.Dataset(found, chains)}
    )


def pymc_sampler(model: pm.Model, sampling: Sampling, keep: Collection[str] = POSTERIOR) -> Sampler:
    """PyMC's own NUTS, to compare with."""

    def sample(block: Block) -> xr.DataTree:
        with threadpool_limits(1):
            tree = pm.sample(
                block.draws,
                tune=sampling.tune,
                chains=block.chains,
                cores=1,  # more would fork a process that has threads, which can lock up
                random_seed=block.seed,
                target_accept=block.target_accept,
                nuts_sampler="pymc",
                progressbar=False,
                quiet=True,
                compute_convergence_checks=False,
                model=model,
            )
        posterior = tree["posterior"].to_dataset().drop_attrs()
        statistics = tree["sample_stats"].to_dataset().drop_attrs()
        return xr.DataTree.from_dict(
            {
                "posterior": posterior[[name for name in keep if name in posterior]],
                "sample_stats": statistics[[name for name in STATISTICS if name in statistics]],
            }
        )

    return sample


SAMPLERS = {"nutpie": nutpie_sampler, "pymc": pymc_sampler}

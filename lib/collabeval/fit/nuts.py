"""One block of NUTS draws from a PyMC model, through nutpie or PyMC itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import pymc as pm
import xarray as xr
from threadpoolctl import threadpool_limits

from collabeval.draws import POSTERIOR
from collabeval.params import Sampling

STATISTICS = ("diverging", "energy", "tree_depth", "n_steps", "step_size", "lp")


@dataclass(frozen=True)
class Block:
    """What one call of a sampler is asked for."""

    draws: int
    chains: int
    seed: int
    target_accept: float


Sampler = Callable[[Block], xr.DataTree]


def cores() -> int:
    """Chains that may run at once: COLLABEVAL_CORES, else the processors this process may use."""
    return int(os.environ.get("COLLABEVAL_CORES") or os.process_cpu_count() or 1)


def nutpie_sampler(model: pm.Model, sampling: Sampling) -> Sampler:
    """Compile once, then sample any number of blocks."""
    import nutpie

    compiled = nutpie.compile_pymc_model(model)

    def sample(block: Block) -> xr.DataTree:
        with threadpool_limits(1):
            tree = nutpie.sample(
                compiled,
                draws=block.draws,
                tune=sampling.tune,
                chains=block.chains,
                cores=min(cores(), block.chains),
                seed=block.seed,
                target_accept=block.target_accept,
                progress_bar=False,
                save_warmup=False,
            )
        return tidy(tree, {"depth": "tree_depth", "logp": "lp"})

    return sample


def pymc_sampler(model: pm.Model, sampling: Sampling) -> Sampler:
    """PyMC's own NUTS, for comparison and for machines without nutpie."""

    def sample(block: Block) -> xr.DataTree:
        with threadpool_limits(1):
            tree = pm.sample(
                block.draws,
                tune=sampling.tune,
                chains=block.chains,
                cores=min(cores(), block.chains),
                random_seed=block.seed,
                target_accept=block.target_accept,
                nuts_sampler="pymc",
                progressbar=False,
                quiet=True,
                compute_convergence_checks=False,
                model=model,
            )
        return tidy(tree, {})

    return sample


def tidy(tree: xr.DataTree, rename: dict[str, str]) -> xr.DataTree:
    """Keep the variables of the contract, statistics under ArviZ's names, and no time stamps."""
    posterior = tree["posterior"].to_dataset()
    statistics = tree["sample_stats"].to_dataset()
    statistics = statistics.rename({old: new for old, new in rename.items() if old in statistics})
    groups = {
        "posterior": posterior[[name for name in POSTERIOR if name in posterior]],
        "sample_stats": statistics[[name for name in STATISTICS if name in statistics]],
    }
    return xr.DataTree.from_dict({name: group.drop_attrs() for name, group in groups.items()})


SAMPLERS = {"nutpie": nutpie_sampler, "pymc": pymc_sampler}

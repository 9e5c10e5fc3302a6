"""From a panel to draws: choose the engine, sample until every reported quantity is precise, keep what results need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, astuple, dataclass, replace
from importlib.metadata import version
from math import ceil

import numpy as np
import pandas as pd
import xarray as xr

import collabeval.models  # noqa: F401  first: it says where compiled code is kept, before anything loads PyTensor
from collabeval.convergence import convergence
from collabeval.draws import load, save
from collabeval.errors import UsageError
from collabeval.fit.nuts import SAMPLERS, Block, Sampler
from collabeval.fit.predictive import constant_data, log_likelihood, observed_data, predictive
from collabeval.fit.prior import log_prior
from collabeval.models import MODELS
from collabeval.models.design import Design, read_design
from collabeval.models.forms import forms
from collabeval.params import Params, Sampling

__all__ = ["load", "sample", "save"]

HIGHER_ACCEPT = 0.99
SHORTFALL = 1.1
MOST_CHAINS = 16  # of a further block: keeps a hopeless fit from filling the memory before the gates can say so
Reported = Callable[[xr.DataTree], xr.Dataset]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Attempt:
    """One way to sample the model: its parametrisation and the acceptance aimed at."""

    parametrisation: str
    target_accept: float


@dataclass(frozen=True)
class Sampled:
    """Draws of one attempt, and how many blocks they took."""

    tree: xr.DataTree
    attempt: Attempt
    blocks: int

    @property
    def divergences(self) -> int:
        """Divergent transitions after tuning."""
        return int(self.tree["sample_stats"]["diverging"].sum())


def sample(
    panel: pd.DataFrame,
    measure_name: str,
    params: Params,
    reported: Reported | None = None,
    progress: Progress | None = None,
) -> xr.DataTree:
    """Draws of one measure's model, as precise as `sampling` asks, free of divergences where that can be had.

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
    """
    if params.model.engine == "laplace":
        raise UsageError("model.engine: laplace is not in this version → use auto or nuts")
    tell = progress or (lambda message: None)
    family, sampling = params.measures[measure_name].family, params.sampling
    rows = panel[panel["measure"] == measure_name].reset_index(drop=True)
    design = read_design(rows, family, params.model)
    constant = constant_data(design)

    def quantities(tree: xr.DataTree) -> xr.Dataset:
        return (
            reported(tree.assign(constant_data=xr.DataTree(constant))) if reported else tree["posterior"].to_dataset()
        )

    samplers: dict[str, Sampler] = {}
    tried: list[Sampled] = []
    for attempt in attempts(design, sampling):
        form = attempt.parametrisation
        if form not in samplers:
            tell(f"{measure_name}: compiling the model" + (f" ({form.replace('_', '-')})" if tried else ""))
            model = MODELS[family](rows, params.model.model_copy(update={"parametrisation": form}))
            samplers[form] = SAMPLERS[sampling.sampler](model, sampling)
        tried.append(sample_blocks(samplers[form], sampling, attempt, quantities, tell))
        if tried[-1].divergences == 0:
            break
    best = min(tried, key=lambda result: result.divergences)
    tree = completed(best.tree, design, sampling.seed)
    tree.attrs = attributes(best, len(tried) - 1, design, sampling)
    return tree


def attempts(design: Design, sampling: Sampling) -> Iterator[Attempt]:
    """The ways to sample, in the order they are tried when the one before diverges."""
    higher = max(HIGHER_ACCEPT, sampling.target_accept)
    chosen = design.settings.parametrisation
    yield Attempt(chosen, sampling.target_accept)
    yield Attempt(chosen, higher)
    yield Attempt("non_centred" if any(astuple(forms(design))) else "centred", higher)


def sample_blocks(
    sampler: Sampler, sampling: Sampling, attempt: Attempt, quantities: Reported, tell: Progress
) -> Sampled:
    """Blocks of chains until the least effective sample size suffices, at most `maximum_blocks` after the first.

    NUTS cannot be resumed, so each further block is tuned anew with seed + block. Limits are in draws and never in
    seconds, so that runs repeat exactly. A block that diverges is the last: another attempt will follow it.
    """
    parts: list[xr.DataTree] = []
    chains = sampling.chains
    while True:
        number = len(parts)
        tell(f"sampling {chains} chains of {sampling.draws} draws" + (f" (block {number + 1})" if number else ""))
        parts.append(sampler(Block(sampling.draws, chains, sampling.seed + number, attempt.target_accept)))
        tree = joined(parts)
        if parts[-1]["sample_stats"]["diverging"].any() or len(parts) > sampling.maximum_blocks:
            return Sampled(tree, attempt, len(parts))
        least = least_effective(quantities(tree))
        if least >= sampling.minimum_ess:
            return Sampled(tree, attempt, len(parts))
        missing = SHORTFALL * tree["posterior"].sizes["chain"] * (sampling.minimum_ess / least - 1)
        chains = min(max(2, ceil(missing)), MOST_CHAINS)


def least_effective(quantities: xr.Dataset) -> float:
    """Least bulk or tail effective sample size of all quantities that vary; infinite where none does."""
    rows = [
        array.transpose(..., "chain", "draw").to_numpy().reshape(-1, array.sizes["chain"], array.sizes["draw"])
        for array in quantities.data_vars.values()
    ]
    found = convergence(np.concatenate(rows).astype(float))
    sizes = np.concatenate([found.ess_bulk, found.ess_tail])
    return float(np.min(sizes[np.isfinite(sizes)], initial=np.inf))


def joined(parts: list[xr.DataTree]) -> xr.DataTree:
    """Blocks as one tree, the chains numbered through."""

    def one(group: str) -> xr.Dataset:
        whole = xr.concat([part[group].to_dataset() for part in parts], dim="chain")
        return whole.assign_coords(chain=np.arange(whole.sizes["chain"]))

    return xr.DataTree.from_dict({group: one(group) for group in ("posterior", "sample_stats")})


def completed(tree: xr.DataTree, design: Design, seed: int) -> xr.DataTree:
    """The draws with log-likelihood, log-prior, posterior predictive, and the data they are read with.

    What each cell adds is most of the file, and no result is computed from it: it is kept in single precision.
    """
    posterior = tree["posterior"].to_dataset()
    coords = {"chain": posterior["chain"], "draw": posterior["draw"], "cell": np.arange(design.cells)}
    dims = ("chain", "draw", "cell")
    replicates, densities = predictive(posterior, design, seed), log_likelihood(posterior, design)
    groups = {
        "posterior_predictive": xr.Dataset({"outcome": (dims, replicates.astype(np.float32))}, coords),
        "log_likelihood": xr.Dataset({"outcome": (dims, densities.astype(np.float32))}, coords),
        "log_prior": log_prior(posterior, design),
        "observed_data": observed_data(design),
        "constant_data": constant_data(design),
    }
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": tree["sample_stats"].to_dataset(), **groups})


def attributes(sampled: Sampled, retries: int, design: Design, sampling: Sampling) -> dict[str, str | int | float]:
    """How the draws came about, for the report and for `run.json`."""
    settings = design.settings.model_copy(update={"parametrisation": sampled.attempt.parametrisation})
    centred = [name for name, is_centred in asdict(forms(replace(design, settings=settings))).items() if is_centred]
    return {
        "engine": "nuts",
        "sampler": sampling.sampler,
        "parametrisation": "centred" if "level" in centred else "non_centred",
        "centred": ", ".join(centred),
        "target_accept": sampled.attempt.target_accept,
        "retries": retries,
        "blocks": sampled.blocks,
        "divergences": sampled.divergences,
        "seed": sampling.seed,
        "versions": ", ".join(f"{name} {version(name)}" for name in ("pymc", "nutpie", "pytensor", "numba", "numpy")),
    }

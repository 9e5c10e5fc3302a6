"""NUTS until every reported quantity is precise: blocks of chains, and other ways where they diverge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from importlib.metadata import version
from math import ceil
from pathlib import Path

import numpy as np
import pandas as pd
import pymc as pm
import xarray as xr

from collabeval.convergence import ESS, RHAT, convergence
from collabeval.fit.nuts import SAMPLERS, Block, Sampler
from collabeval.models.design import Design
from collabeval.models.families import MODELS, own
from collabeval.models.forms import forms
from collabeval.own_model import own_function
from collabeval.params import Params, Sampling

HIGHER_ACCEPT = 0.99
SHORTFALL = 1.1
HALF_CHAIN = 1 / (RHAT**2 - 1)  # effective draws with which chains that agree have an R-hat at its limit
OWN_ATTEMPTS = 2  # a model of one's own may have one parametrisation only
MOST_CHAINS = 16  # of a further block: keeps a hopeless fit from filling the memory before the gates can say so
Quantities = Callable[[xr.DataTree], xr.Dataset]
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


def chains(
    rows: pd.DataFrame, name: str, params: Params, design: Design, quantities: Quantities, tell: Progress
) -> tuple[xr.DataTree, dict[str, str | int | float]]:
    """Posterior and sampling statistics of one measure's PyMC model, and how they came about.

    Parameters
    ----------
    rows : the analysed rows of the measure; quantities: from draws to what must reach `minimum_ess`.

    Raises
    ------
    ParamsError
        A model of the evaluation's own that results cannot be worked out from (models/own.py).
    """
    sampling, function = params.sampling, own_function(params.model, name)
    built: dict[str, pm.Model] = {}

    def sampler(form: str) -> Sampler:
        settings = params.model.model_copy(update={"parametrisation": form})
        built[form] = own.build(function, rows, settings, design) if function else MODELS[design.family](rows, settings)
        keep = {"keep": own.kept(built[form])} if function else {}
        return SAMPLERS[sampling.sampler](built[form], sampling, **keep)

    ways = list(attempts(design, sampling))[: OWN_ATTEMPTS if function else None]
    best, retries = without_divergences(sampler, ways, sampling, quantities, lambda said: tell(f"{name}: {said}"))
    said = attributes(best, retries, design, sampling)
    if function:
        model = built[best.attempt.parametrisation]
        best.tree["log_prior"] = xr.DataTree(own.log_prior(model, best.tree["posterior"].to_dataset()))
        said |= {"model": Path(function).name, "parametrisation": "its own", "centred": ""}
    return best.tree, said


def without_divergences(
    sampler: Callable[[str], Sampler],
    ways: Sequence[Attempt],
    sampling: Sampling,
    quantities: Quantities,
    tell: Progress,
) -> tuple[Sampled, int]:
    """The draws of the first attempt that does not diverge, else of the one that diverges least; and the retries.

    `sampler` compiles the model in a parametrisation.
    """
    samplers: dict[str, Sampler] = {}
    tried: list[Sampled] = []
    for attempt in ways:
        form = attempt.parametrisation
        if form not in samplers:
            tell("compiling the model" + (f" ({form.replace('_', '-')})" if tried else ""))
            samplers[form] = sampler(form)
        tried.append(sample_blocks(samplers[form], sampling, attempt, quantities, tell))
        if tried[-1].divergences == 0:
            break
    return min(tried, key=lambda result: result.divergences), len(tried) - 1


def attempts(design: Design, sampling: Sampling) -> Iterator[Attempt]:
    """The ways to sample, in the order they are tried when the one before diverges."""
    higher = max(HIGHER_ACCEPT, sampling.target_accept)
    chosen = design.settings.parametrisation
    yield Attempt(chosen, sampling.target_accept)
    yield Attempt(chosen, higher)
    yield Attempt("non_centred" if any(astuple(forms(design))) else "centred", higher)


def sample_blocks(
    sampler: Sampler, sampling: Sampling, attempt: Attempt, quantities: Quantities, tell: Progress
) -> Sampled:
    """Blocks of chains until effective sample sizes and R-hat of all suffice, at most `maximum_blocks` after the first.

    The worst R-hat of hundreds of quantities is above its limit by chance where each has just a thousand effective
    draws of few chains; of more chains it is not, unless they disagree.
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
        least, greatest = precision(quantities(tree))
        agree = greatest <= RHAT or sampling.minimum_ess < ESS  # so few are a trial, which no report may rest on
        agree |= least / (2 * tree["posterior"].sizes["chain"]) < HALF_CHAIN  # more chains would not bring it down
        if least >= sampling.minimum_ess and agree:
            return Sampled(tree, attempt, len(parts))
        missing = SHORTFALL * tree["posterior"].sizes["chain"] * (sampling.minimum_ess / least - 1)
        missing = missing if agree else max(missing, sampling.chains)
        chains = min(max(2, ceil(missing)), MOST_CHAINS)


def precision(quantities: xr.Dataset) -> tuple[float, float]:
    """Least bulk or tail effective sample size of all quantities that vary, infinite where none does; worst R-hat."""
    rows = [
        array.transpose(..., "chain", "draw").to_numpy().reshape(-1, array.sizes["chain"], array.sizes["draw"])
        for array in quantities.data_vars.values()
    ]
    found = convergence(np.concatenate(rows).astype(float))
    sizes = np.concatenate([found.ess_bulk, found.ess_tail])
    rhat = found.rhat[np.isfinite(found.rhat)]
    return float(np.min(sizes[np.isfinite(sizes)], initial=np.inf)), float(np.max(rhat, initial=1.0))


def joined(parts: list[xr.DataTree]) -> xr.DataTree:
    """Blocks as one tree, the chains numbered through."""

    def one(group: str) -> xr.Dataset:
        whole = xr.concat([part[group].to_dataset() for part in parts], dim="chain")
        return whole.assign_coords(chain=np.arange(whole.sizes["chain"]))

    return xr.DataTree.from_dict({group: one(group) for group in ("posterior", "sample_stats")})


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

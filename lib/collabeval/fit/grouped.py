"""From rows of a survey, of ratings or of an audit to draws: by the fast engine, or by NUTS where that must be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import xarray as xr

from collabeval.convergence import Mixing
from collabeval.errors import CollabevalError
from collabeval.models.grouped import Grouped, GroupedDraws
from collabeval.params import Params, Sampling

Progress = Callable[[str], None]


def sample_grouped(design: Grouped, params: Params, progress: Progress | None = None) -> GroupedDraws:
    """Draws of a grouped model, by the engine that `model.engine` names; `auto` goes on to NUTS where it must.

    Raises
    ------
    CollabevalError
        `engine: laplace`, and the fast engine cannot follow these data.
    """
    tell = progress or (lambda message: None)
    why = "model.engine: nuts"
    if params.model.engine != "nuts":
        from collabeval.quadrature.engine import fit

        try:
            found = fit(design, params.sampling)
        except CollabevalError as error:
            if params.model.engine == "laplace":
                raise
            why = str(error)
        else:
            asked = params.model.engine == "laplace"
            if asked or not found.failure:
                reason = "model.engine: laplace" if asked else "its own check passed"
                return replace(found.draws, attributes={**found.draws.attributes, "engine_reason": reason})
            why = found.failure
        tell(f"by NUTS, since {why}")
    return _by_nuts(design, params.sampling, tell, why)


def _by_nuts(design: Grouped, sampling: Sampling, tell: Progress, why: str) -> GroupedDraws:
    import collabeval.models.families  # noqa: F401  first: it says where compiled code is kept, before PyTensor loads
    from collabeval.fit.chains import HIGHER_ACCEPT, Attempt, sample_blocks
    from collabeval.fit.nuts import SAMPLERS
    from collabeval.models.audit import build_audit_model
    from collabeval.models.ratings import build_ratings_model
    from collabeval.models.survey import build_survey_model

    builders = {"cumulative": build_survey_model, "adjacent": build_ratings_model, "binomial": build_audit_model}
    own, raw = design.expanded(), [*(f"{term.name}_raw" for term in design.terms), "cuts_raw"]
    raw = raw if len(design.items) else raw[:-1]
    tell("compiling the model")
    sampler = SAMPLERS[sampling.sampler](builders[design.family](own), sampling, [*raw, *design.priors])
    for accept in (sampling.target_accept, max(HIGHER_ACCEPT, sampling.target_accept)):
        attempt = Attempt("non_centred", accept)
        found = sample_blocks(sampler, sampling, attempt, lambda tree: tree["posterior"].to_dataset(), tell)
        if not found.divergences:
            break
    posterior = found.tree["posterior"].to_dataset()
    said: dict[str, str | int | float] = {
        "engine": "nuts",
        "engine_reason": why,
        "divergences": found.divergences,
        "seed": sampling.seed,
    }
    deviations = {name: _flat(posterior[name])[:, 0] for name in design.priors}
    z = np.hstack([_flat(posterior[name]) for name in raw])
    return GroupedDraws(design, z, deviations, Mixing(posterior.sizes["chain"]), said)


def _flat(array: xr.DataArray) -> np.ndarray:
    """Draws (S, L), chain by chain."""
    return array.transpose("chain", "draw", ...).to_numpy().reshape(array.sizes["chain"] * array.sizes["draw"], -1)

"""Draws of the model of features and improvement across collaboratives, by NUTS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from collabeval.models.association_design import AssociationDesign
from collabeval.params import Sampling

KEEP = ("slope", "level", "residual_sd", "feature_sd")
ACCEPT = (0.95, 0.99, 0.995)  # one after the other while chains diverge: a horseshoe has narrow places
PARAMETRISATION = "non_centred"


@dataclass(frozen=True)
class AssociationDraws:
    """Posterior and sampling statistics; slopes (F, S) in what was measured: improvement for one point of a feature."""

    tree: xr.DataTree
    slopes: np.ndarray
    chains: int


def sample_association(
    design: AssociationDesign, sampling: Sampling, tell: Callable[[str], None] | None = None
) -> AssociationDraws:
    """Sample until every slope is as precise as `sampling` asks; again with smaller steps where chains diverge."""
    import collabeval.models.families  # noqa: F401  first: it says where compiled code is kept, before PyTensor loads
    from collabeval.fit.chains import Attempt, sample_blocks
    from collabeval.fit.nuts import SAMPLERS
    from collabeval.models.association import build_association_model

    def slopes(tree: xr.DataTree) -> xr.Dataset:
        return tree["posterior"].to_dataset()[["slope"]]

    sampler = SAMPLERS[sampling.sampler](build_association_model(design), sampling, keep=KEEP)
    for accept in ACCEPT:
        attempt = Attempt(PARAMETRISATION, max(accept, sampling.target_accept))
        found = sample_blocks(sampler, sampling, attempt, slopes, tell or (lambda words: None))
        if found.divergences == 0:
            break
    standard = found.tree["posterior"]["slope"].transpose("feature", "chain", "draw").to_numpy()
    unit = design.improvement_unit / design.feature_unit
    flat = standard.reshape(len(design.features), -1) * unit[:, None]
    return AssociationDraws(found.tree, flat, found.tree["posterior"].sizes["chain"])

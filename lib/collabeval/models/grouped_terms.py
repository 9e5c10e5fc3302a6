"""Terms that the models of answers, scores and audits share, in PyMC."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from collabeval.models import priors
from collabeval.models.grouped import CUT_CENTRE, CUT_SD, STEP_CENTRE, STEP_SD, Grouped

CUTS = np.arange(1, 5)


def coordinates(design: Grouped) -> dict[str, np.ndarray]:
    """Names of what the model's dimensions run over."""
    found = {term.dim: term.labels for term in design.terms}
    return found | {"group": np.arange(len(design.count)), "item": design.items, "cut": CUTS}


def linear_predictor(design: Grouped) -> TensorVariable:
    """η of each row (N,), declared in the open PyMC model.

        η[row] = offset + Σ over terms weight[row] · coefficient[index[row]] + group effect[group[row]]
        coefficient ~ Normal(0, sd of its term),   group effect ~ Normal(0, group_sd)

    All effects are drawn in units of their standard deviation.
    """
    eta = pt.as_tensor_variable(np.full(len(design.y), design.offset))
    deviations = {name: priors.standard_deviation(name, prior) for name, prior in design.priors.items()}
    for term in design.terms:
        sd = deviations[term.sd] if isinstance(term.sd, str) else term.sd
        effect = pm.Deterministic(term.name, sd * pm.Normal(f"{term.name}_raw", 0, 1, dims=term.dim), dims=term.dim)
        seen = np.where(term.index >= 0, term.weight, 0.0)
        eta = eta + seen * effect[np.maximum(term.index, 0)]
    own = deviations[design.group_sd] * pm.Normal("group_raw", 0, 1, dims="group")
    return eta + own[design.group]


def cumulative_cuts() -> TensorVariable:
    """Ordered cuts of each item (T, 4): the one below "agrees", and the others by the logarithms of the gaps between.

    κ₃ ~ Normal(0, 2);   log(κ₃ − κ₂), log(κ₂ − κ₁), log(κ₄ − κ₃) ~ Normal(0.4, 0.7)
    """
    own = CUT_CENTRE + CUT_SD * pm.Normal("cuts_raw", 0, 1, dims=("item", "cut"))
    second = own[:, 0] - pt.exp(own[:, 1])
    cuts = pt.stack([second - pt.exp(own[:, 2]), second, own[:, 0], own[:, 0] + pt.exp(own[:, 3])], axis=1)
    return pm.Deterministic("cuts", cuts, dims=("item", "cut"))


def steps() -> TensorVariable:
    """Steps between neighbouring categories (T, 4), in no order: Normal(−1.5, −0.5, 0.5, 1.5; 1.5)."""
    own = pm.Normal("cuts_raw", 0, 1, dims=("item", "cut"))
    return pm.Deterministic("cuts", STEP_CENTRE + STEP_SD * own, dims=("item", "cut"))

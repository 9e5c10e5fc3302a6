"""What the models of answers, scores and audits share: rows in groups, each group with an effect of its own.

A group is a respondent, a rater or an audited cell. Numpy only, no PyMC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from collabeval.convergence import Mixing
from collabeval.params import Prior

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
GroupedFamily = Literal["cumulative", "adjacent", "binomial"]

CATEGORIES = 5  # of an answer or a score, 1 to 5
AGREES = 3  # the cut that lies below "agrees": 1 to 3 against 4 and 5

# cumulative: the cut below "agrees", and the logarithms of the gaps to the cuts on its sides
CUT_CENTRE, CUT_SD = np.array([0.0, 0.4, 0.4, 0.4]), np.array([2.0, 0.7, 0.7, 0.7])
WIDEST = 30.0  # logarithm of a gap beyond which all are alike: a search may try steps that would overflow
# adjacent: the steps themselves
STEP_CENTRE, STEP_SD = np.array([-1.5, -0.5, 0.5, 1.5]), np.full(4, 1.5)


@dataclass(frozen=True)
class Term:
    """A block of coefficients: `index` (N,) is the one each row sees (−1: none), times `weight` (N,).

    ``sd`` is a number, or the name of a standard deviation that is estimated.
    """

    name: str
    dim: str
    labels: NDArray[np.str_]  # (L,)
    sd: float | str
    index: Indices
    weight: Floats


@dataclass(frozen=True)
class Grouped:
    """Rows of one fit, sorted by group. Sizes: N rows, G groups, T items (0 where the family has no cuts).

    ``count`` says how many groups with the very same rows and answers each stands for; ``group_sd`` names the standard
    deviation of their effects.
    """

    family: GroupedFamily
    y: Floats  # (N,) category 1 to 5, or how many agreed
    n: Floats  # (N,) how many were checked; 1 for categories
    item: Indices  # (N,)
    items: NDArray[np.str_]  # (T,)
    group: Indices  # (N,) rising
    count: Indices  # (G,)
    terms: tuple[Term, ...]
    group_sd: str
    priors: Mapping[str, Prior]  # of every standard deviation that is estimated
    offset: float = 0.0

    @cached_property
    def start(self) -> Indices:
        """First row of each group, and N (G + 1,)."""
        return np.searchsorted(self.group, np.arange(len(self.count) + 1)).astype(np.int64)

    @cached_property
    def cuts(self) -> tuple[Floats, Floats]:
        """Centre and sd (4,) of an item's coordinates."""
        return (STEP_CENTRE, STEP_SD) if self.family == "adjacent" else (CUT_CENTRE, CUT_SD)

    def expanded(self) -> Grouped:
        """The same rows with every group standing for itself, as NUTS sees them."""
        copies = np.repeat(np.arange(len(self.count)), self.count)
        rows = np.concatenate([np.arange(self.start[g], self.start[g + 1]) for g in copies])
        sizes = np.diff(self.start)[copies]
        taken = {name: getattr(self, name)[rows] for name in ("y", "n", "item")}
        terms = tuple(replace(term, index=term.index[rows], weight=term.weight[rows]) for term in self.terms)
        group = np.repeat(np.arange(len(copies)), sizes)
        return replace(self, **taken, group=group, count=np.ones(len(copies), np.int64), terms=terms)

    def term(self, name: str) -> Term | None:
        """The block of this name, where the model has it."""
        return next((term for term in self.terms if term.name == name), None)


def used_priors(terms: Iterable[Term], group_sd: str, priors: Mapping[str, Prior]) -> dict[str, Prior]:
    """Those of the priors whose standard deviations these terms and the groups have."""
    used = {group_sd, *(term.sd for term in terms)}
    return {name: prior for name, prior in priors.items() if name in used}


@dataclass(frozen=True)
class GroupedDraws:
    """S draws of a grouped model, by whichever engine.

    The latent vector `z` (S, K) is standard normal a priori: coefficients term by term, then four coordinates for the
    cuts of each item; `deviations` are the standard deviations (S,) that scale them.
    """

    design: Grouped
    z: Floats
    deviations: Mapping[str, Floats]
    mixing: Mixing
    attributes: Mapping[str, str | int | float]

    def coefficients(self, name: str) -> Floats:
        """Coefficients of a term (S, L); zeros (S, 1) where the model does not have it."""
        at = 0
        for term in self.design.terms:
            size = len(term.labels)
            if term.name == name:
                sd = self.deviations[term.sd][:, None] if isinstance(term.sd, str) else term.sd
                return np.asarray(sd * self.z[:, at : at + size])
            at += size
        return np.zeros((len(self.z), 1))

    @property
    def cuts(self) -> Floats:
        """Cuts of the items (S, T, 4)."""
        items = len(self.design.items)
        return thresholds_of(
            self.design.family, self.z[:, self.z.shape[1] - 4 * items :].reshape(len(self.z), items, 4)
        )

    @property
    def group_sd(self) -> Floats:
        """Standard deviation of the groups' effects (S,)."""
        return self.deviations[self.design.group_sd]


def thresholds_of(family: GroupedFamily, coordinates: Floats) -> Floats:
    """Cuts κ₁ … κ₄ (…, T, 4) from the coordinates of items, standard normal a priori (…, T, 4).

    cumulative: κ₃ is the first coordinate, the logarithms of κ₃ − κ₂, κ₂ − κ₁ and κ₄ − κ₃ are the others; adjacent:
    the coordinates are the steps.
    """
    if family == "adjacent":
        return STEP_CENTRE + STEP_SD * coordinates
    own = CUT_CENTRE + CUT_SD * coordinates
    agrees, gaps = own[..., 0], np.exp(np.minimum(own[..., 1:], WIDEST))
    second = agrees - gaps[..., 0]
    return np.stack([second - gaps[..., 1], second, agrees, agrees + gaps[..., 2]], axis=-1)

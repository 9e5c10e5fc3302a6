"""One grouped model as the fast engine sees it: the latent vector, its scales, and the density of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collabeval.laplace.hyper import Hyperparameter
from collabeval.models.grouped import CUT_SD, STEP_SD, Floats, Grouped, thresholds_of
from collabeval.quadrature import integrals
from collabeval.quadrature.integrals import Rule
from collabeval.quadrature.kernels import ADJACENT, BINOMIAL, CUMULATIVE, Rows

FAMILIES = {"cumulative": CUMULATIVE, "adjacent": ADJACENT, "binomial": BINOMIAL}
NODES = 9


@dataclass(frozen=True)
class Problem:
    """Data and priors of one model.

    The latent vector z (K,) is standard normal a priori: the coefficients of all terms in order, then four coordinates
    for the cuts of each item. `scaled` is z times its scales (cut coordinates are not scaled). The first standard
    deviation is that of the groups.
    """

    design: Grouped
    rows: Rows
    hyper: tuple[Hyperparameter, ...]
    block: np.ndarray  # (K,) which standard deviation scales it, −1: a fixed one
    fixed: Floats  # (K,) the fixed one
    rule: Rule

    @property
    def size(self) -> int:
        """K."""
        return len(self.block)

    def deviations(self, u: Floats) -> Floats:
        """Standard deviations (S, D) at points u (S, D)."""
        return np.column_stack([each.value(u[:, d]) for d, each in enumerate(self.hyper)])

    def scale(self, deviations: Floats) -> Floats:
        """What z is multiplied by (K,), at one point's standard deviations (D,)."""
        return self.scales(deviations[None])[0]

    def scales(self, deviations: Floats) -> Floats:
        """The same (S, K) at many points' (S, D)."""
        return np.where(self.block >= 0, deviations[:, self.block], self.fixed)

    def log_prior(self, u: Floats) -> Floats:
        """Log-density of u (S, D) under the priors (S,), up to a constant."""
        return sum((each.log_density(u[:, d]) for d, each in enumerate(self.hyper)), start=np.zeros(len(u)))

    def split(self, scaled: Floats) -> tuple[Floats, Floats]:
        """Coefficients (…, B) and cut coordinates (…, T, 4) of scaled latent vectors (…, K)."""
        items = len(self.design.items)
        cut = self.size - 4 * items
        return scaled[..., :cut], scaled[..., cut:].reshape(*scaled.shape[:-1], items, 4)

    def density(self, scaled: Floats, sd: float, modes: Floats) -> float:
        """Log-density of the data, groups integrated out; `modes` (G,) is where to look for each."""
        beta, coordinates = self.split(scaled)
        cuts = thresholds_of(self.design.family, coordinates)
        return float(integrals.marginal(self.rows, beta, cuts, sd, self.rule, modes))

    def slopes(self, scaled: Floats, sd: float, modes: Floats) -> tuple[float, Floats, float, Floats]:
        """The same; its slopes by `scaled` (K,) and by the groups' sd; and the means of the groups' effects (G,)."""
        beta, coordinates = self.split(scaled)
        cuts = thresholds_of(self.design.family, coordinates)
        value, by_beta, by_cuts, by_sd, means = integrals.slopes(self.rows, beta, cuts, sd, self.rule, modes)
        by_coordinates = _by_coordinates(self.design.family, cuts, by_cuts)
        return float(value), np.concatenate([by_beta, by_coordinates.ravel()]), float(by_sd), means

    def complete(self, z: Floats, deviations: Floats, effects: Floats) -> float:
        """Log-density of data, latent vector and groups' effects (G,) at given standard deviations, up to a constant.

        To be held against PyMC's.
        """
        beta, coordinates = self.split(self.scale(deviations) * z)
        cuts = thresholds_of(self.design.family, coordinates)
        data = integrals.complete(self.rows, beta, cuts, float(deviations[0]), effects)
        return float(data) - 0.5 * float(z @ z)


def pose(design: Grouped, nodes: int = NODES) -> Problem:
    """Arrays of a design, in the order the engine works through them."""
    names = (design.group_sd, *dict.fromkeys(term.sd for term in design.terms if isinstance(term.sd, str)))
    hyper = tuple(Hyperparameter(name, design.priors[name]) for name in names)
    block, fixed = [], []
    for term in design.terms:
        own = names.index(term.sd) if isinstance(term.sd, str) else -1
        block += [own] * len(term.labels)
        fixed += [1.0 if isinstance(term.sd, str) else term.sd] * len(term.labels)
    cuts = 4 * len(design.items)
    places, weights = np.polynomial.hermite_e.hermegauss(nodes)
    return Problem(
        design=design,
        rows=_rows(design),
        hyper=hyper,
        block=np.array(block + [-1] * cuts, np.int64),
        fixed=np.array(fixed + [1.0] * cuts),
        rule=Rule(places, np.log(weights / np.sqrt(2 * np.pi))),
    )


def _rows(design: Grouped) -> Rows:
    first = np.cumsum([0, *(len(term.labels) for term in design.terms)])
    columns = [np.where(term.index >= 0, term.index + at, -1) for term, at in zip(design.terms, first, strict=False)]
    binomial, none = design.family == "binomial", np.full(len(design.y), -1)  # a model may have no term at all
    return Rows(
        family=FAMILIES[design.family],
        start=design.start,
        number=design.count.astype(np.int64),
        y=design.y if binomial else design.y - 1.0,
        n=design.n,
        item=design.item,
        column=np.column_stack([none, *columns]).astype(np.int64),
        weight=np.column_stack([none, *(term.weight for term in design.terms)]).astype(float),
        offset=design.offset,
    )


def _by_coordinates(family: str, cuts: Floats, by_cuts: Floats) -> Floats:
    """Slopes by the coordinates (T, 4) from those by the cuts: the chain rule of `thresholds_of`."""
    if family != "cumulative":
        return by_cuts * STEP_SD
    low, second, third, high = (by_cuts[:, k] for k in range(4))
    gaps = np.diff(cuts, axis=1)
    slopes = [low + second + third + high, -(low + second) * gaps[:, 1], -low * gaps[:, 0], high * gaps[:, 2]]
    return np.column_stack(slopes) * CUT_SD

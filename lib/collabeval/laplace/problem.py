"""One measure's model as the fast engine sees it: the same definition as `models/terms.py`, all effects whitened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.linalg import block_diag

from collabeval.laplace.arrays import Cells, Polynomials, Programme, Rule
from collabeval.laplace.hyper import Hyperparameter, hyperparameters
from collabeval.laplace.kernels import BINOMIAL, NORMAL, POISSON
from collabeval.models.design import Design, default_intercept
from collabeval.models.log_prior import top_level

FAMILIES = {"binomial": BINOMIAL, "poisson": POISSON, "normal": NORMAL}
Floats = np.ndarray
Values = Mapping[str, Floats]  # hyperparameters by name, one value a draw


@dataclass(frozen=True)
class Problem:
    """Data and priors of one measure; cells are sorted by site, `order` says which row of the design each is."""

    design: Design
    order: np.ndarray  # (N,)
    cells: Cells
    programme: Programme
    hyper: tuple[Hyperparameter, ...]
    start: Floats | None = None  # (D,) where a search for the mode begins, if that is known
    covariance: Floats | None = None  # (D, D) about, in that place

    def values(self, u: Floats) -> dict[str, Floats]:
        """Hyperparameters by name at points u (S, D)."""
        return {each.name: each.value(u[:, d]) for d, each in enumerate(self.hyper)}

    def log_prior(self, u: Floats) -> Floats:
        """Log-density of u (S, D) under the priors (S,), up to a constant."""
        return sum((each.log_density(u[:, d]) for d, each in enumerate(self.hyper)), start=np.zeros(len(u)))

    def room(self, u: Floats, axis: Floats) -> float:
        """How far along the axis from u (D,) the first standard deviation gets to nought; infinite if none does."""
        ends = [-u[d] / axis[d] for d, each in enumerate(self.hyper) if each.is_root and u[d] * axis[d] < 0]
        return min(ends, default=np.inf)

    def rows(self, values: Values) -> Floats:
        """`Scales` of each draw (S, 6), on the linear predictor."""
        scale, level = self.design.scale, values["site_sd"]
        nothing = np.zeros_like(level)
        slope, correlation = values.get("trajectory_sd", nothing), values.get("site_correlation", nothing)
        columns = (
            scale * level,
            scale * slope * correlation,
            scale * slope * np.sqrt(1 - correlation**2),
            scale * values.get("overdispersion_sd", nothing),
            values.get("residual_sd_typical", nothing + 1),
            values.get("residual_sd_spread", nothing),
        )
        return np.stack(columns, axis=1)

    def trends(self, values: Values) -> Floats:
        """Standard deviation of the random walk in each draw (S,), 0 where there is none."""
        return values.get("trend_sd", np.zeros_like(values["site_sd"]))


def pose(design: Design) -> Problem:
    """Arrays of a design, in the order the engine works through them."""
    order = np.argsort(design.site_index, kind="stable")
    programme = course(design)
    return Problem(design, order, _cells(design, order), programme, tuple(hyperparameters(design)))


def refusal(design: Design) -> str | None:
    """Why the fast engine cannot fit this model, or None where it can."""
    if design.settings.site_effects == "student_t":
        return "site_effects: student_t has no Gaussian form"
    for name in ("intercept", "trend_slope", "covariates"):
        prior = getattr(design.settings.priors, name)
        if prior is not None and prior.dist != "Normal":
            return f"the prior of {name} is {prior.dist}, and only a Normal one has a Gaussian form"
    return None


def _cells(design: Design, order: np.ndarray) -> Cells:
    # one kind of number, whatever the table has: each kind would be compiled anew
    columns = {name: values[order].astype(float) for name, values in design.columns.items()}
    normal = design.family == "normal"
    known = columns["se"] ** 2
    freedom, squares = design.pooled_squares if normal else (np.zeros(len(design.sites)),) * 2
    share = np.where(np.isfinite(known), 0.0, 1 / columns["n"]) if normal else np.zeros(design.cells)
    counts = np.bincount(design.site_index, minlength=len(design.sites))
    return Cells(
        family=FAMILIES[design.family],
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        y=columns["mean" if normal else "numerator"],
        n=np.ones(design.cells) if normal else columns["denominator"],
        variance=np.where(np.isfinite(known), known, 1.0),
        share=share,
        offset=design.offset[order].astype(float),
        column=(
            design.period_index[order].astype(np.int64) if design.trend != "none" else np.zeros(design.cells, np.int64)
        ),
        years=design.years[order].astype(float),
        covariates=np.ascontiguousarray(design.covariates.values[order], float),
        squares=squares.astype(float),
        freedom=freedom.astype(float),
        slope=design.trajectory,
        own_sd=design.own_sd,
        polynomials=no_polynomials(design.cells),
    )


def no_polynomials(cells: int) -> Polynomials:
    """All integrals over cells' own effects by quadrature."""
    middle, per, constants = np.zeros((3, cells))
    return Polynomials(middle, per, constants, 1.0, 0.0, 1.0, np.empty((1, cells, 0), np.float32))


def course(design: Design) -> Programme:
    """The programme's course over the periods and its prior: intercept, and the whitened steps or the slope.

    Effects of covariates come last, and pass through as they are, in units of effects.
    """
    priors, time = top_level(design), design.time
    intercept = design.settings.priors.intercept or default_intercept(design)
    periods = len(time) if design.trend != "none" else 1
    centre, sd = [intercept.numbers["mu"]], [intercept.numbers["sigma"]]
    parts = [np.ones((periods, 1))]
    walk = np.zeros((periods, 1))
    if design.trend == "linear":
        slope = priors["trend_slope"].numbers
        centre, sd = [*centre, slope["mu"]], [*sd, slope["sigma"]]
        parts.append(design.scale * (time - time.mean())[:, None])
        walk = np.zeros((periods, 2))
    if design.trend == "random_walk":
        steps = design.scale * np.sqrt(np.diff(time)) * np.tri(periods, periods - 1, -1)
        walk = np.hstack([walk, steps - steps.mean(axis=0)])
        parts.append(np.zeros_like(steps))
        centre, sd = [*centre, *np.zeros(periods - 1)], [*sd, *np.ones(periods - 1)]
    effect, number = priors["covariates"].numbers, len(design.covariates.terms)
    centre, sd = [*centre, *[effect["mu"]] * number], [*sd, *[effect["sigma"]] * number]
    fixed = block_diag(np.hstack(parts), design.scale * np.eye(number))
    return Programme(np.array(centre), np.array(sd) ** -2.0, fixed, np.pad(walk, ((0, number), (0, number))))


@cache
def hermite(size: int) -> tuple[Floats, Floats]:
    """Nodes of a Gauss–Hermite rule for N(0, 1), and their log-weights; shared by all who ask, not to be changed."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(size)
    return nodes, np.log(weights / np.sqrt(2 * np.pi))


def rule(cell: int, site: int, sd: int = 7) -> Rule:
    """Gauss–Hermite rules of so many nodes."""
    return Rule(*(part for size in (cell, site, sd) for part in hermite(size)))

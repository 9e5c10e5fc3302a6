"""From covariates to the columns of a regression: a term for each level, a slope, or a natural cubic spline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from collabeval.params import Covariate

Array = npt.NDArray[np.float64]
# quantiles at which knots stand (Harrell 2015, Regression Modeling Strategies, table 2.3)
KNOTS = {
    3: (0.1, 0.5, 0.9),
    4: (0.05, 0.35, 0.65, 0.95),
    5: (0.05, 0.275, 0.5, 0.725, 0.95),
    6: (0.05, 0.23, 0.41, 0.59, 0.77, 0.95),
    7: (0.025, 0.1833, 0.3417, 0.5, 0.6583, 0.8167, 0.975),
}


class Term(Protocol):
    """One covariate as columns; fixed once, so that later patients are seen as those of the baseline were."""

    @property
    def names(self) -> tuple[str, ...]: ...

    def columns(self, values: pd.Series) -> Array: ...


@dataclass(frozen=True)
class Levels:
    """A column of 0 and 1 for each level but the reference."""

    covariate: str
    reference: str
    others: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{self.covariate} = {level}" for level in self.others)

    def columns(self, values: pd.Series) -> Array:
        codes = pd.Index(self.others, dtype=object).get_indexer(pd.Index(values, dtype=object))
        return (codes[:, None] == np.arange(len(self.others))).astype(float)


@dataclass(frozen=True)
class Slope:
    """The value itself."""

    covariate: str

    @property
    def names(self) -> tuple[str, ...]:
        return (self.covariate,)

    def columns(self, values: pd.Series) -> Array:
        return values.to_numpy(float)[:, None]


@dataclass(frozen=True)
class Spline:
    """The value, and the cardinal natural cubic splines of its inner knots; straight beyond the outer knots."""

    covariate: str
    knots: tuple[float, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return (self.covariate, *(f"{self.covariate} (spline, knot {knot:.6g})" for knot in self.knots[1:-1]))

    def columns(self, values: pd.Series) -> Array:
        from scipy.interpolate import CubicSpline  # only where a spline is asked for: it takes a while to load

        value, knots = values.to_numpy(float), np.array(self.knots)
        inside = np.clip(value, knots[0], knots[-1])
        basis = CubicSpline(knots, np.eye(len(knots))[:, 1:-1], bc_type="natural")
        beyond = (value - inside)[:, None]
        return np.column_stack([value, basis(inside) + np.where(beyond != 0, beyond * basis(inside, 1), 0.0)])


@dataclass(frozen=True)
class Design:
    """The columns of a case-mix model, without its intercept."""

    terms: tuple[Term, ...]
    covariates: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        return [name for term in self.terms for name in term.names]

    def rows(self, covariates: pd.DataFrame) -> Array:
        """The design matrix of some patterns, shape (patterns, columns)."""
        parts = [term.columns(covariates[name]) for name, term in zip(self.covariates, self.terms, strict=True)]
        return np.concatenate(parts, axis=1)


def make_design(terms: dict[str, Covariate], covariates: pd.DataFrame, cases: Array) -> Design:
    """The design of a model fitted to patterns that so many `cases` (by row of `covariates`) have."""
    present = cases > 0
    made = [_term(name, how, covariates.loc[present, name], cases[present]) for name, how in terms.items()]
    return Design(tuple(made), tuple(terms))


def _term(name: str, how: Covariate, values: pd.Series, cases: Array) -> Term:
    if how.kind == "linear":
        return Slope(name)
    counts = pd.Series(cases).groupby(values.to_numpy()).sum().sort_index()
    if how.kind == "category":
        reference = how.reference or str(counts.idxmax())
        return Levels(name, reference, tuple(str(level) for level in counts.index if level != reference))
    shares = counts.cumsum() / counts.sum()
    knots = sorted({float(shares.index[int(np.searchsorted(shares, share))]) for share in KNOTS[how.knots]})
    return Spline(name, tuple(knots)) if len(knots) >= 3 else Slope(name)

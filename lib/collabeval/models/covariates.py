"""Covariates as columns of the linear predictor: centred, standardised, with the unit each effect is per. Numpy only.

    what stays in performance:   site_level[j] = Σ_k covariates[k] · x[j, k] + own part of the site
    what is adjusted for:        η[cell] has Σ_k covariates[k] · x[cell, k] beside the site's effects

Numbers have mean 0 and standard deviation 1, over the sites where they are the site's own (each site counts once), over
the rows where they change within a site. A category has a column of 0 and 1 for each level but the reference, centred
alike; its effect is a difference from the reference. A column with `between` brings its site means, weighted by cases,
as a covariate of the site (Mundlak 1978, Econometrica 46: 69-85): then what is adjusted for is the effect within sites.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from collabeval.covariates import column
from collabeval.params import Family, Model
from collabeval.params.covariates import SiteCovariate

Floats = NDArray[np.float64]
BETWEEN = "mean of the site"


@dataclass(frozen=True)
class Term:
    """One column: the covariate it is of, which part or level, values (N,), and whether it is adjusted for."""

    covariate: str
    part: str  # a level, `BETWEEN`, or nothing
    values: Floats
    adjusted: bool
    unit: float  # what one unit of `values` is, on the scale on which the covariate enters
    kind: str
    reference: str  # level that a category's effects are against
    fewest_sites: int | None = None  # sites at the level or at the reference, whichever is fewer; None of a number

    @property
    def name(self) -> str:
        """Name among the draws: `beds`, `teaching: yes`."""
        return f"{self.covariate}: {self.part}" if self.part else self.covariate


@dataclass(frozen=True)
class Covariates:
    """All columns of one measure (N cells, P columns; P may be 0)."""

    terms: tuple[Term, ...]
    cells: int

    @property
    def names(self) -> list[str]:
        return [term.name for term in self.terms]

    @property
    def values(self) -> Floats:
        """(N, P)"""
        return np.array([term.values for term in self.terms]).reshape(len(self.terms), self.cells).T.copy()

    @property
    def adjusted(self) -> NDArray[np.bool_]:
        """(P,) which are taken out of performance."""
        return np.array([term.adjusted for term in self.terms], dtype=bool)


def read_covariates(panel: pd.DataFrame, family: Family, settings: Model) -> Covariates:
    """The columns of one measure's rows; a covariate that the measure cannot have (all blank) has none."""
    terms: list[Term] = []
    for name, how in settings.terms.items():
        values = panel[column(name, how)]
        if values.notna().all():
            terms += _terms(name, how, _on_scale(values, how, family), panel)
    return Covariates(tuple(terms), len(panel))


def _on_scale(values: pd.Series, how: SiteCovariate, family: Family) -> pd.Series:
    """Values as they enter: logarithms of volumes, predictions on the link scale."""
    if how.kind in ("log", "volume"):
        values = values.transform(np.log)
    if how.kind == "case_mix":
        values = (values / (1 - values) if family == "binomial" else values).transform(np.log)
    return values


def _terms(name: str, how: SiteCovariate, values: pd.Series, panel: pd.DataFrame) -> Iterator[Term]:
    once = ~panel["site"].duplicated()
    of_site = how.table == "sites" and how.kind != "season"
    counted = once if of_site else pd.Series(True, index=panel.index)
    if how.kind in ("category", "season"):
        counts = values[counted].value_counts().sort_index()
        reference = how.reference or str(counts.idxmax())
        for level in counts.index[counts.index != reference]:
            centred = _centred(values.eq(level).astype(float), counted)
            sites = min(panel.loc[values.eq(one), "site"].nunique() for one in (level, reference))
            yield Term(name, str(level), centred, how.adjusted, 1.0, how.kind, reference, sites)
        return
    yield _number(name, "", values, counted, how, how.adjusted)
    if how.between:
        weighted = (values * panel["weight"]).groupby(panel["site"]).transform("sum")
        means = weighted / panel.groupby("site")["weight"].transform("sum")
        yield _number(name, BETWEEN, means, once, how, adjusted=False)


def _number(name: str, part: str, values: pd.Series, counted: pd.Series, how: SiteCovariate, adjusted: bool) -> Term:
    unit = float(values[counted].std(ddof=0))
    return Term(name, part, _centred(values, counted) / unit, adjusted, unit, how.kind, "")


def _centred(values: pd.Series, counted: pd.Series) -> Floats:
    """Values less their mean over the rows that are `counted`."""
    return values.to_numpy(float) - float(values[counted].mean())

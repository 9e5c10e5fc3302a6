"""Regression by maximum likelihood on collapsed records, with a free term for each group at no cost in size.

Iteratively reweighted least squares (McCullagh & Nelder 1989, section 2.5). The information of the coefficients is
bordered by one number for each group, which is eliminated first (a Schur complement): thousands of sites as fixed
effects are as quick as one intercept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array
from scipy.special import expit

from collabeval.casemix.design import Design
from collabeval.params import Family

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.integer]
CHUNK = 100_000  # rows of the design that are held at once
KEPT = 50_000_000  # numbers of a design that is kept whole rather than made anew for each chunk (400 MB)
ROUNDS = 100
SLACK = 1e-10  # by which the log-likelihood may fall in a step for rounding, relative
SETTLED = 1e-7  # change of every linear predictor below which it has converged; on the way to infinity it is about 1
ALIASED = 1e-9  # share of a column's information left after the others, below which it says nothing new


class NoFitError(Exception):
    """Why no coefficients could be found: `what` is wrong and `fix` what to do about it."""

    def __init__(self, what: str, fix: str) -> None:
        self.what, self.fix = what, fix
        super().__init__(f"{what} → {fix}")


@dataclass(frozen=True)
class Task:
    """What is regressed: rows (one per group and pattern) with their sums, and the columns of their patterns.

    `group` numbers the free terms; `size` is the cases (binomial, normal) or exposure (poisson). `site` and
    `site_means` (shape: sites, columns of the design) add the sites' own means of every column (Mundlak).
    """

    family: Family
    design: Design
    covariates: pd.DataFrame
    pattern: Codes
    group: Codes
    size: Array
    total: Array
    site: Codes | None = None
    site_means: Array | None = None

    @property
    def names(self) -> list[str]:
        further = [] if self.site_means is None else [f"site mean of {name}" for name in self.design.names]
        return [*self.design.names, *further]

    @cached_property
    def whole(self) -> Array | None:
        """The design of all patterns, where it is small enough to be kept."""
        few = len(self.covariates) * max(len(self.design.names), 1) <= KEPT
        return self.design.rows(self.covariates) if few else None

    def chunks(self) -> Iterator[tuple[slice, Array]]:
        """Rows piece by piece, with their columns (shape: rows of the piece, columns)."""
        for start in range(0, len(self.total), CHUNK):
            rows = slice(start, start + CHUNK)
            if self.whole is not None:
                columns = self.whole[self.pattern[rows]]
            else:
                patterns, which = np.unique(self.pattern[rows], return_inverse=True)
                columns = self.design.rows(self.covariates.take(patterns))[which]
            if self.site_means is not None and self.site is not None:
                columns = np.column_stack([columns, self.site_means[self.site[rows]]])
            yield rows, columns


@dataclass(frozen=True)
class Coefficients:
    """Maximum likelihood estimates: `values` by column of the design, `free` by group, and their covariance.

    `covariance` is that of `values`; `free_se` of each free term. For means (normal) both hold for a residual
    variance of 1. `log_likelihood` leaves out what does not depend on the coefficients.
    """

    values: Array
    free: Array
    covariance: Array
    free_se: Array
    log_likelihood: float
    names: list[str] = field(default_factory=list)


def mean_of(family: Family, eta: Array) -> Array:
    """The expected outcome of one case (or unit of exposure) at a linear predictor."""
    if family == "binomial":
        return np.asarray(expit(eta))
    return np.exp(eta) if family == "poisson" else eta


def log_likelihood(family: Family, eta: Array, size: Array, total: Array) -> float:
    """Log-likelihood but for what does not depend on `eta` (normal: but for −Σy²/2, at a variance of 1)."""
    if family == "binomial":
        return float(np.sum(total * eta - size * np.logaddexp(0.0, eta)))
    if family == "poisson":
        with np.errstate(over="ignore"):  # a step too far ends at minus infinity, and is halved
            return float(np.sum(total * eta - size * np.exp(eta)))
    return float(np.sum(total * eta - size * eta**2 / 2))


def fit(task: Task) -> Coefficients:
    """Maximise the likelihood over coefficients and free terms.

    Raises
    ------
    NoFitError
        where a column says nothing beyond the others, or the maximum lies at infinity.
    """
    groups = int(task.group.max()) + 1
    values, free = np.zeros(len(task.names)), _start(task, groups)
    start, step, best, share = (values, free), (values, free), -np.inf, 1.0
    for _ in range(ROUNDS):
        floor = best - SLACK * (1 + abs(best)) if np.isfinite(best) else best
        try:
            state = _newton(task, values, free, floor)
        except NoFitError:
            if not np.isfinite(best):  # at the start: some column says nothing new
                raise
            break  # later: the information has gone, on the way to infinity
        if state is None:  # too far: the likelihood has fallen
            share /= 2
        elif _farthest(task, state) < SETTLED:
            variance = np.einsum("gk,kl,gl->g", state.border, state.covariance, state.border) / state.weight**2
            free_se = np.sqrt(1 / state.weight + variance)
            return Coefficients(values, free, state.covariance, free_se, state.value, task.names)
        else:
            start, step, best, share = (values, free), (state.step, state.free_step), state.value, 1.0
        values, free = start[0] + share * step[0], start[1] + share * step[1]
    what = "the case-mix model has no finite answer: some combination of covariates predicts the outcome perfectly"
    raise NoFitError(what, "join rare levels of its categories, or take covariates out")


@dataclass(frozen=True)
class _State:
    """The log-likelihood at a point, the Newton step from there, and the information the step was made from."""

    value: float
    step: Array
    free_step: Array
    covariance: Array
    border: Array
    weight: Array


def _start(task: Task, groups: int) -> Array:
    total = np.bincount(task.group, task.total, minlength=groups)
    size = np.bincount(task.group, task.size, minlength=groups)
    if task.family == "normal":
        return total / size
    if task.family == "poisson":
        return np.log((total + 0.5) / (size + 0.5 * size / max(size.sum(), 1)))
    return np.log((total + 0.5) / (size - total + 0.5))


def _farthest(task: Task, state: _State) -> float:
    """At least the largest change that a step makes to a linear predictor."""
    alone = float(np.abs(state.free_step).max())
    if task.whole is not None and task.site_means is None:
        return alone + float(np.abs(task.whole @ state.step).max(initial=0.0))
    return alone + max(float(np.abs(columns @ state.step).max(initial=0.0)) for _, columns in task.chunks())


def _newton(task: Task, values: Array, free: Array, floor: float) -> _State | None:
    """The state at a point; None where the log-likelihood is below `floor` or not finite."""
    groups = len(free)
    width = len(values)
    inner, slope = np.zeros((width, width)), np.zeros(width)
    border, weight, pull = np.zeros((groups, width)), np.zeros(groups), np.zeros(groups)
    value = 0.0
    for rows, columns in task.chunks():
        group, size = task.group[rows], task.size[rows]
        eta = free[group] + columns @ values
        value += log_likelihood(task.family, eta, size, task.total[rows])
        if not np.isfinite(value):
            return None
        mean = mean_of(task.family, eta)
        curve = size * (mean * (1 - mean) if task.family == "binomial" else mean if task.family == "poisson" else 1.0)
        residual = task.total[rows] - size * mean
        weighted = columns * curve[:, None]
        inner += weighted.T @ columns
        slope += columns.T @ residual
        border += csr_array((np.ones(len(group)), group, np.arange(len(group) + 1)), (len(group), groups)).T @ weighted
        weight += np.bincount(group, curve, minlength=groups)
        pull += np.bincount(group, residual, minlength=groups)
    if value < floor:
        return None
    if not np.all(weight > 0):
        raise NoFitError(
            "the case-mix model has no finite answer for some site", "set `sites: mundlak` for this measure"
        )
    ratio = border / weight[:, None]
    information = inner - border.T @ ratio
    covariance = _inverse(information, np.diag(inner), task.names)
    step = covariance @ (slope - ratio.T @ pull)
    return _State(value, step, (pull - border @ step) / weight, covariance, border, weight)


def _inverse(information: Array, alone: Array, names: list[str]) -> Array:
    """Inverse of the information; columns that are combinations of others and of the free terms are named."""
    if not names:
        return np.zeros((0, 0))
    scale = np.sqrt(np.where(alone > 0, alone, 1.0))
    scaled = information / np.outer(scale, scale)
    lost = [name for name, left in zip(names, _left_after_others(scaled), strict=True) if left < ALIASED]
    if lost:
        fix = "take the covariate out (where sites are fixed, one that never varies within a site is no case-mix)"
        raise NoFitError(f"these terms say nothing that the others do not: {', '.join(lost)}", fix)
    return np.asarray(np.linalg.inv(scaled)) / np.outer(scale, scale)


def _left_after_others(scaled: Array) -> Array:
    """Of each column the information left after those before it (the squared pivots of a Cholesky factorisation)."""
    left, matrix = np.zeros(len(scaled)), scaled.copy()
    for at in range(len(scaled)):
        left[at] = matrix[at, at]
        if left[at] >= ALIASED:
            matrix -= np.outer(matrix[:, at], matrix[at]) / left[at]
    return left


def pearson_dispersion(family: Family, eta: Array, cells: pd.DataFrame, parameters: int) -> float:
    """Pearson χ² of the records over its degrees of freedom, from sums alone; for means the residual variance.

    Σ(y − tλ)²/V = (Σy²/t − 2λΣy + λ²Σt)/v(λ), with v the variance of one case (or unit of exposure).
    """
    mean = mean_of(family, eta)
    unit = mean * (1 - mean) if family == "binomial" else mean if family == "poisson" else np.ones_like(mean)
    squares = cells["squares"] - 2 * mean * cells["total"] + mean**2 * cells["exposure"]
    return float(np.sum(squares / unit) / (cells["cases"].sum() - parameters))

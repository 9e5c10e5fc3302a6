"""Whether the slopes of many sites on one linear predictor are one and the same.

Each site has an intercept of its own, and is judged by its score at the slope that all share. Given a site's total the
score has its mean and variance whatever the number of events; estimated slopes and their standard errors hang together
in small sites, and need not be finite (Cox & Hinkley 1974, Theoretical Statistics, section 9.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq
from scipy.special import chdtrc, chdtri, ndtr, ndtri_exp, stdtr

from collabeval.casemix.judge import on_linear_predictor, size_of
from collabeval.casemix.regression import fit, mean_of
from collabeval.params import Family

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.integer]
SMALLEST = 1e-300  # tail probability that is turned into a normal score
TAIL = 0.025
SCATTER = 3.0  # standard errors of a site's dispersion above that of all, from which it is its own


@dataclass(frozen=True)
class Slopes:
    """By site: the slope one step from the common one, one over its squared standard error, and the dispersion in that.

    `degrees` of freedom are those of the dispersion: infinite where that is taken as known.
    """

    slope: Array
    precision: Array
    dispersion: Array
    degrees: Array

    @cached_property
    def distance(self) -> Array:
        """From the common slope, as normal scores: N(0, 1) where all are one, but for the one degree of freedom."""
        return self._distances(np.ones(len(self.slope), dtype=bool))

    @property
    def information(self) -> Array:
        """One over the variance of each slope, Student's t being wider than its standard error says."""
        return np.asarray(self.precision * (1 - 2 / self.degrees))

    @property
    def q(self) -> float:
        """Cochran's Q: χ² with one degree of freedom fewer than sites where all slopes are one."""
        return float(self.distance @ self.distance)

    @property
    def probability(self) -> float:
        """That of a Q as large where all slopes are one."""
        return float(chdtrc(len(self.slope) - 1, self.q))

    @cached_property
    def apart(self) -> Array:
        """By site the probability of a distance as large at any of them (Holm 1979, Scand J Stat 6: 65-70).

        From the farthest down, each against the common slope of those left: a site far off draws that to itself.
        """
        left, adjusted, held = np.ones(len(self.slope), dtype=bool), np.ones(len(self.slope)), 0.0
        while left.sum() > 1 and held < 1:
            share = self.precision[left] / self.precision[left].sum()
            p = 2 * ndtr(-np.abs(self._distances(left)) / np.sqrt(1 - share))
            worst = np.flatnonzero(left)[p.argmin()]
            held = min(1.0, max(held, float(p.min()) * len(p)))
            adjusted[worst], left[worst] = held, False
        return adjusted

    def _distances(self, among: npt.NDArray[np.bool_]) -> Array:
        slope, precision = self.slope[among], self.precision[among]
        return _normal((slope - precision @ slope / precision.sum()) * np.sqrt(precision), self.degrees[among])

    @cached_property
    def spread(self) -> tuple[float, float, float]:
        """Standard deviation of slopes between sites, chance taken off, with 95 % limits.

        DerSimonian & Laird (1986, Control Clin Trials 7: 177-188); limits are the values at which Q lies at its 97.5 %
        and 2.5 % points (the Q profile: Viechtbauer 2007, Stat Med 26: 37-52).
        """
        weight, spare = self.information, len(self.slope) - 1
        moment = (self._q_at(0.0) - spare) / float(weight.sum() - (weight**2).sum() / weight.sum())
        low, high = (self._where_q_is(float(chdtri(spare, tail))) for tail in (TAIL, 1 - TAIL))
        return float(np.sqrt(max(moment, 0.0))), float(np.sqrt(low)), float(np.sqrt(high))

    @property
    def mean(self) -> tuple[float, float]:
        """Mean slope over sites that differ by `spread`, and its standard error."""
        weight = 1 / (1 / self.information + self.spread[0] ** 2)
        return float(weight @ self.slope / weight.sum()), float(1 / np.sqrt(weight.sum()))

    def _q_at(self, variance: float) -> float:
        weight = 1 / (1 / self.information + variance)
        return float(weight @ (self.slope - weight @ self.slope / weight.sum()) ** 2)

    def _where_q_is(self, value: float) -> float:
        """The variance between sites at which Q would be this; 0 where it is less without any."""
        if self._q_at(0.0) <= value:
            return 0.0
        top = 1.0
        while self._q_at(top) > value:
            top *= 4
        return float(brentq(lambda variance: self._q_at(variance) - value, 0.0, top, xtol=1e-12))


def slopes(family: Family, eta: Array, sums: pd.DataFrame, group: Codes) -> Slopes:
    """Compare the slopes of groups (numbered from 0) on `eta`.

    Residual variances of means are each site's own, with its degrees of freedom. Counts have one dispersion, but for
    sites that scatter more than chance makes them about it: theirs is their own, lest they be taken for different.

    Raises
    ------
    NoFitError
        where predictions part the outcomes of every site perfectly.
    """

    def add(values: Array) -> Array:
        return np.bincount(group, values).astype(float)

    cases, total, size = sums["cases"].to_numpy(), sums["total"].to_numpy(), size_of(family, sums)
    away = eta - (add(size * eta) / add(size))[group]
    found = fit(on_linear_predictor(family, away, group, total, size))
    common, mean = float(found.values[0]), mean_of(family, found.free[group] + found.values[0] * away)
    unit = {"binomial": mean * (1 - mean), "poisson": mean, "normal": np.ones_like(mean)}[family]
    middle = add(size * unit * away) / add(size * unit)
    score, information = add(away * (total - size * mean)), add(size * unit * (away - middle[group]) ** 2)
    squares = (sums["squares"].to_numpy() - 2 * mean * total + mean**2 * size) / unit
    freedom = add(cases) - 2.0
    own = (add(squares) - score**2 / information) / freedom
    spread = np.ones_like(own) if family == "binomial" else own
    if family == "poisson":
        spread = _dispersion(own, freedom, add(cases**2 / (size * mean)))
    degrees = freedom if family == "normal" else np.full(len(own), np.inf)
    # given the total, outcomes of cases are drawn without replacement (exact where nothing predicts them)
    finite = add(size) / (add(size) - 1) if family == "binomial" else np.ones_like(own)
    return Slopes(common + score / information, information / (spread * finite), spread, degrees)


def _dispersion(own: Array, freedom: Array, inverse_means: Array) -> Array:
    """The dispersion of all counts; a site's own where that lies `SCATTER` standard errors above.

    Pearson's χ² of counts has variance 2 × degrees of freedom + Σ 1 / mean (McCullagh & Nelder 1989, section 4.5).
    """
    shared = float(own @ freedom / freedom.sum())
    error = shared * np.sqrt(2 * freedom + inverse_means) / freedom
    return np.where(own > shared + SCATTER * error, own, shared)


def _normal(distance: Array, degrees: Array) -> Array:
    """Student's t as the normal score of the same probability."""
    tail = np.maximum(stdtr(degrees, -np.abs(distance)), SMALLEST)
    return np.where(np.isinf(degrees), distance, -np.sign(distance) * ndtri_exp(np.log(tail)))

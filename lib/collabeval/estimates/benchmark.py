"""The achievable benchmark of care: what the best sites with a tenth of the cases reach, in every draw.

Kiefe et al. (1998), Int J Qual Health Care 10: 443-447; Weissman et al. (1999), J Eval Clin Pract 5: 269-281. Sites are
ordered by their adjusted performance fraction (x + 1)/(d + 2), x being good outcomes among d cases, so that tiny sites
do not lead; the benchmark is the pooled rate of the first sites that together hold a tenth of the cases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ONE_IN = 10  # the best sites cover one in ten cases


@dataclass(frozen=True)
class Pool:
    """The sites a benchmark is drawn from, best first in every draw (K sites, S draws)."""

    order: np.ndarray  # (K, S) position among the K sites
    cases: np.ndarray  # (K, S) cases, in that order
    events: np.ndarray  # (K, S) cases x rate, in that order

    @property
    def covered(self) -> np.ndarray:
        return np.cumsum(self.cases, axis=0)


def pool(rates: np.ndarray, cases: np.ndarray, good: int, fractions: bool) -> Pool:
    """Put the sites in order of performance.

    Parameters
    ----------
    rates : float (K, S), a rate per case (or a mean) in every draw.
    cases : float (K,)
    good : +1 where a high rate is good, -1 where a low one is.
    fractions : whether rates are shares of cases. Then sites are ordered by the adjusted performance fraction in every
        draw, otherwise by their posterior mean (a rate or a mean has no fraction of good outcomes).
    """
    if fractions:
        performance = (cases[:, None] * (rates if good > 0 else 1 - rates) + 1) / (cases[:, None] + 2)
    else:
        performance = np.broadcast_to(good * rates.mean(axis=1, keepdims=True), rates.shape)
    order = np.argsort(-performance, axis=0, kind="stable")
    spread = np.broadcast_to(cases[:, None], rates.shape)
    taken = np.take_along_axis(spread, order, axis=0)
    return Pool(order, taken, taken * np.take_along_axis(rates, order, axis=0))


def benchmark(sites: Pool) -> np.ndarray:
    """The benchmark rate (S,) of all the sites."""
    last = _first_reaching(sites.covered, sites.covered[-1:])
    return _pooled(sites, last)[0]


def members(sites: Pool) -> np.ndarray:
    """Which sites (K, S) make up the benchmark in each draw."""
    last = _first_reaching(sites.covered, sites.covered[-1:])
    inside = np.empty(sites.order.shape, dtype=bool)
    np.put_along_axis(inside, sites.order, np.arange(len(sites.order))[:, None] <= last, axis=0)
    return inside


def benchmark_without_itself(sites: Pool) -> np.ndarray:
    """The benchmark rate (K, S) that each site is held against: that of all the others. NaN if there are none.

    Leaving site j out shortens the running sum of cases by its own from its place on. The best others reach a tenth of
    the others' cases either before that place, or where the full running sum reaches the tenth plus j's own cases.
    """
    if len(sites.order) < 2:
        return np.full(sites.order.shape, np.nan)
    place = np.empty(sites.order.shape, dtype=int)
    np.put_along_axis(place, sites.order, np.arange(len(sites.order))[:, None], axis=0)
    own = np.take_along_axis(sites.cases, place, axis=0)
    own_events = np.take_along_axis(sites.events, place, axis=0)
    others = sites.covered[-1:] - own
    before = _first_reaching(sites.covered, others)
    after = _first_reaching(sites.covered, others + ONE_IN * own)
    past = place <= before
    last = np.where(past, after, before)
    cases = np.take_along_axis(sites.covered, last, axis=0) - np.where(past, own, 0)
    events = np.take_along_axis(np.cumsum(sites.events, axis=0), last, axis=0) - np.where(past, own_events, 0)
    return events / cases


def _pooled(sites: Pool, last: np.ndarray) -> np.ndarray:
    """Rate of the sites from the best to the one at `last` (R, S)."""
    events = np.take_along_axis(np.cumsum(sites.events, axis=0), last, axis=0)
    return events / np.take_along_axis(sites.covered, last, axis=0)


def _first_reaching(covered: np.ndarray, cases: np.ndarray) -> np.ndarray:
    """First place (R, S) at which the running sum `covered` (K, S) is at least a tenth of `cases` (R, S).

    All draws are searched at once: each draw's running sum is shifted beyond the one before it. Ten times the sums are
    compared, so that whole numbers of cases stay exact.
    """
    count, draws = covered.shape
    shift = 2 * ONE_IN * covered[-1].max() * np.arange(draws)
    line = (ONE_IN * covered + shift).T.ravel()
    found = np.searchsorted(line, (cases + shift).T.ravel(), side="left").reshape(draws, -1).T
    return np.minimum(found - count * np.arange(draws), count - 1)

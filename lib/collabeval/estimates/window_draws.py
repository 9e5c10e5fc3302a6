"""Everything about the sites in one window of time, draw by draw: effects, predicted and standardised rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from collabeval.estimates.posterior import Posterior
from collabeval.panel import Window

STEP = 0.05  # of the table of the standardised rate, in log-odds: error of the cubic below 2e-9
COARSE_STEP = 0.2  # of the same where every draw has a table of its own: error of the cubic below 6e-7
MOST_AT_ONCE = 5_000_000  # cells times draws


@dataclass(frozen=True)
class WindowDraws:
    """Draws of J sites in one window; rows of sites without data there are NaN. Rates are per case, not per `per`.

    A site is eligible if it has data in the window and at least `minimum_denominator` cases (where cases are counted).
    """

    window: Window
    present: np.ndarray  # (J,) has data in the window
    eligible: np.ndarray  # (J,)
    cases: np.ndarray  # (J,) sum of the weights
    effect: np.ndarray  # (J, S) u_j[w], the denominator-weighted mean effect
    average: np.ndarray  # (S,) mean effect of the eligible sites (of all present ones if none is eligible)
    predicted: np.ndarray  # (J, S) events the model holds behind the observed ones
    typical: np.ndarray  # (J, S) events if the site effect were 0
    expected: np.ndarray  # (J, S) events expected by the registry, or at the collaborative's own rate
    standardised: np.ndarray  # (J, S) rate if the site treated every case of the collaborative in the window
    standardised_average: np.ndarray  # (S,) the same at the average effect of the eligible sites
    programme_rate: np.ndarray  # (S,) rate of all sites together

    @property
    def difference(self) -> np.ndarray:
        """d_j (J, S): the site's effect less the mean over the eligible sites; above 0 means more events."""
        return self.effect - self.average

    @property
    def rate(self) -> np.ndarray:
        return self.predicted / self.cases[:, None]


def window_draws(posterior: Posterior, window: Window) -> WindowDraws:
    """Draws of every site in one window."""
    cells = posterior.cells_of(window.periods)
    weight = posterior.weight[cells]
    cases = posterior.by_site(cells, weight)
    effects = posterior.effect(cells)
    effect = posterior.by_site(cells, weight[:, None] * effects) / cases[:, None]
    totals = posterior.totals(cells, effects)
    present = np.isfinite(cases)
    eligible = present & enough_cases(posterior, cells)
    average = effect[eligible if eligible.any() else present].mean(axis=0)
    return WindowDraws(
        window=window,
        present=present,
        eligible=eligible,
        cases=cases,
        effect=effect,
        average=average,
        predicted=posterior.by_site(cells, totals),
        typical=posterior.by_site(cells, posterior.totals(cells, 0.0)),
        expected=posterior.by_site(cells, expected_events(posterior, cells, totals)),
        standardised=standardise(posterior, cells, effect),
        standardised_average=standardise(posterior, cells, average[None, :])[0],
        programme_rate=totals.sum(axis=0) / weight.sum(),
    )


def enough_cases(posterior: Posterior, cells: np.ndarray) -> np.ndarray:
    """Which sites (J,) have `minimum_denominator` cases in these cells; a mean with no count behind it has enough."""
    counted = posterior.by_site(cells, posterior.cases[cells])
    return ~(counted < posterior.measure.minimum_denominator)


def expected_events(posterior: Posterior, cells: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Events to expect in each cell (n, 1 or S): the registry's, else cases times the collaborative's rate then.

    The collaborative's rate is that of the same draw and period, so that the sites' own events sum to the expected.
    """
    if posterior.has_registry_expectation:
        return posterior.expected[cells, None]
    periods, position = np.unique(posterior.period[cells], return_inverse=True)
    weight = posterior.weight[cells]
    member = (position[None, :] == np.arange(len(periods))[:, None]).astype(float)  # (periods, n)
    rate = (member @ totals) / (member @ weight)[:, None]
    return weight[:, None] * rate[position]


def standardise(posterior: Posterior, cells: np.ndarray, effect: np.ndarray) -> np.ndarray:
    """Directly standardised rate (J, S): each site effect (J, S) applied to every one of these cells.

    Within a period the pooled rate depends on the draw through one number only, ``base + scale * effect``, so it is
    tabulated once; the cost does not grow with sites times cells.
    """
    total = np.zeros(effect.shape)
    for period in np.unique(posterior.period[cells]):
        inside = cells[posterior.period[cells] == period]
        total += _pooled(posterior, inside, posterior.base[period] + posterior.scale * effect)
    return total / posterior.weight[cells].sum()


def _pooled(posterior: Posterior, cells: np.ndarray, predictor: np.ndarray) -> np.ndarray:
    """Events of all these cells together under one linear predictor (J, S) less what is known of each cell."""
    weight, known = posterior.weight[cells], posterior.known(cells)
    if posterior.measure.family == "poisson":
        return np.exp(known).sum(axis=0) * np.exp(predictor)
    if posterior.measure.family == "normal":
        return weight.sum() * predictor + weight @ known
    if np.ptp(known) == 0:
        return weight.sum() * expit(predictor + known[0])
    if known.shape[1] == 1:
        return _tabulated(weight, known[:, 0], predictor)
    draws = max(1, MOST_AT_ONCE // len(cells))
    parts = [slice(start, start + draws) for start in range(0, known.shape[1], draws)]
    return np.hstack([_tabulated_by_draw(weight, known[:, part], predictor[:, part]) for part in parts])


def _tabulated(weight: np.ndarray, known: np.ndarray, predictor: np.ndarray) -> np.ndarray:
    """Σ weight · expit(known + predictor) over cells (n,), by cubics between values tabulated every `STEP`."""
    from scipy.interpolate import CubicHermiteSpline  # here, as most evaluations never need what is long to load

    low, high = np.nanmin(predictor), np.nanmax(predictor)
    nodes = np.linspace(low, high, max(2, int(np.ceil((high - low) / STEP)) + 1))
    events, slopes = np.empty(len(nodes)), np.empty(len(nodes))
    for node, value in enumerate(nodes):
        chance = expit(known + value)
        events[node] = weight @ chance
        slopes[node] = weight @ (chance * (1 - chance))
    return CubicHermiteSpline(nodes, events, slopes)(predictor) if high > low else np.full(predictor.shape, events[0])


def _tabulated_by_draw(weight: np.ndarray, known: np.ndarray, predictor: np.ndarray) -> np.ndarray:
    """The same where what is known of the cells (n, S) is another in every draw: a table for each."""
    low = np.nanmin(predictor)
    count = int(np.ceil((np.nanmax(predictor) - low) / COARSE_STEP)) + 2
    events, slopes = np.empty((count, known.shape[1])), np.empty((count, known.shape[1]))
    for node in range(count):
        chance = expit(known + low + COARSE_STEP * node)
        events[node] = weight @ chance
        slopes[node] = COARSE_STEP * (weight @ (chance * (1 - chance)))
    place = (np.nan_to_num(predictor, nan=low) - low) / COARSE_STEP
    left, draw = place.astype(int), np.arange(known.shape[1])
    t = place - left
    e0, e1, m0, m1 = (table[left + up, draw] for table in (events, slopes) for up in (0, 1))
    cubic = e0 + t * (m0 + t * (3 * (e1 - e0) - 2 * m0 - m1 + t * (2 * (e0 - e1) + m0 + m1)))
    return np.where(np.isnan(predictor), np.nan, cubic)

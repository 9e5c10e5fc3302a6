"""Every event about a site and its probability: what the words are made from (docs/estimands.md)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from collabeval.estimates import benchmark, ranks
from collabeval.estimates.posterior import Posterior
from collabeval.estimates.sites import Evaluated, site_change
from collabeval.estimates.window_draws import WindowDraws
from collabeval.words import WINDOWS_TO_PERSIST, share_size


@dataclass(frozen=True)
class Event:
    """The draws in which an event is true, for the sites it is asked of."""

    name: str
    of: np.ndarray  # (J,) sites with an answer
    happens: np.ndarray  # (J, S)


def site_probabilities(found: Evaluated) -> pd.DataFrame:
    """Share of draws in which each event holds, and its Monte Carlo standard error.

    Columns site, period (the current window), event, probability, mcse.
    """
    sites, label, mixing = found.posterior.sites, found.current.window.label, found.posterior.mixing
    tables = [
        pd.DataFrame(
            {
                "site": sites[event.of],
                "period": label,
                "event": event.name,
                "probability": event.happens[event.of].mean(axis=1),
                "mcse": mixing.error(event.happens[event.of]),
            }
        )
        for event in site_events(found)
        if event.of.any()
    ]
    return pd.concat(tables, ignore_index=True)


def site_events(found: Evaluated) -> list[Event]:
    """Every event that the data of this measure allow."""
    shares, persistence = _shares(found), _persistence(found)
    both = _lasting([*shares, *persistence])
    return [*_level(found), *shares, *_against_benchmark(found), *_changes(found), *persistence, *both]


def word_events(found: Evaluated, shares: list[Event]) -> list[Event]:
    """The events that words follow from; those of the best and worst share are given."""
    persistence = _persistence(found)
    return [*_level(found), *shares, *_changes(found), *persistence, *_lasting([*shares, *persistence])]


def _level(found: Evaluated) -> list[Event]:
    """Better, worse: the difference from the average of the eligible sites is beyond `margin` (link scale).

    Close: at the same cases, the site's standardised rate is within `minimal_difference` (display scale) of the rate
    at the average effect of the eligible sites. Both rates are standardised to the collaborative's cases in the
    window, so the difference is the site's own and not that of its cases.
    """
    posterior, current = found.posterior, found.current
    better, worse = _beyond(posterior, current, found.rules.margin)
    events = [Event("better", current.present, better), Event("worse", current.present, worse)]
    if posterior.measure.minimal_difference is not None:
        apart = np.abs(current.standardised - current.standardised_average) * posterior.measure.scale
        events.append(Event("close", current.present, apart < posterior.measure.minimal_difference))
    return events


def _beyond(posterior: Posterior, draws: WindowDraws, margin: float) -> tuple[np.ndarray, np.ndarray]:
    advantage = posterior.good * draws.difference
    return advantage > margin, advantage < -margin


def _shares(found: Evaluated) -> list[Event]:
    """In the best (worst) share of the eligible sites; not asked among fewer than ten."""
    eligible = found.current.eligible
    size = share_size(int(eligible.sum()), found.rules.best_share)
    if size is None:
        return []
    rank = np.full(found.current.effect.shape, np.nan)
    rank[eligible] = ranks.ranks(found.current.difference[eligible], found.posterior.good)
    return [
        Event("best_share", eligible, rank <= size),
        Event("worst_share", eligible, rank > eligible.sum() - size),
    ]


def _against_benchmark(found: Evaluated) -> list[Event]:
    """Standardised rate beyond the benchmark of params, else beyond what the best other sites achieve."""
    posterior, current = found.posterior, found.current
    target = achievable(found) if posterior.measure.benchmark is None else _given(found)
    known = current.present & np.isfinite(target).all(axis=1)
    beyond = posterior.good * (current.standardised - target) > 0
    return [Event("better_than_benchmark", known, beyond)]


def _given(found: Evaluated) -> np.ndarray:
    measure = found.posterior.measure
    assert measure.benchmark is not None
    return np.full(found.current.effect.shape, measure.benchmark / measure.scale)


def benchmark_pool(found: Evaluated) -> benchmark.Pool:
    """The eligible sites with their standardised rates: a benchmark must be of the same cases as what it judges."""
    current, family = found.current, found.posterior.measure.family
    chosen = current.eligible
    return benchmark.pool(
        current.standardised[chosen], current.cases[chosen], found.posterior.good, fractions=family == "binomial"
    )


def achievable(found: Evaluated) -> np.ndarray:
    """The achievable benchmark of care (J, S) for each site, from the eligible sites without itself, per case."""
    current = found.current
    target = np.full(current.effect.shape, np.nan)
    if current.eligible.any():
        pool = benchmark_pool(found)
        target[current.present] = benchmark.benchmark(pool)
        target[current.eligible] = benchmark.benchmark_without_itself(pool)
    return target


def _changes(found: Evaluated) -> list[Event]:
    change = site_change(found)
    if change is None:
        return []
    gain, both = found.posterior.good * change, found.in_both
    events = [Event("improved", both, gain > 0), Event("worsened", both, gain < 0)]
    minimal = found.posterior.measure.minimal_difference
    if minimal is not None:
        events.append(Event("improved_by_minimal_difference", both, gain > minimal))
    return events


def _persistence(found: Evaluated) -> list[Event]:
    """Better (worse) now and in both earlier windows at once.

    Asked only with overdispersion in the model: under level and slope alone the earlier windows are no separate
    evidence (on ten years of New York data the probabilities of neighbouring years correlate at .998).
    """
    windows = (found.current, *found.earlier)
    if len(windows) < WINDOWS_TO_PERSIST or found.posterior.overdispersion is None:
        return []
    asked = np.logical_and.reduce([draws.present for draws in windows])
    sides = [_beyond(found.posterior, draws, found.rules.margin) for draws in windows]
    return [
        Event("sustained", asked, np.logical_and.reduce([better for better, _ in sides])),
        Event("sustained_worse", asked, np.logical_and.reduce([worse for _, worse in sides])),
    ]


def _lasting(events: list[Event]) -> list[Event]:
    """In the best (worst) share now and beyond the average in all windows, in the same draw: both that a word needs."""
    by_name = {event.name: event for event in events}
    found = []
    for share, lasting in (("best_share", "sustained"), ("worst_share", "sustained_worse")):
        if share in by_name and lasting in by_name:
            one, other = by_name[share], by_name[lasting]
            found.append(Event(f"{share}_sustained", one.of & other.of, one.happens & other.happens))
    return found

"""How much worse (or better) the periods not sent in would have to be for each word about a site to change.

A pattern-mixture model: what was not sent in follows the model of what was, plus δ on the link scale (Carpenter &
Kenward 2013, Multiple Imputation and its Application, chapter 10; National Research Council 2010). The likelihood of
the rows that are there holds no δ, so the posterior is the same for every δ: the draws are evaluated again and nothing
is fitted again. A site's effect in a window is then the mean over all the periods it owed, weighted by cases; those not
sent in count as many cases as its mean period, and their effect is level + slope · time + a fresh up or down + δ.

Every site is held against the others as they are reported: only its own unsubmitted periods are moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr

from collabeval import words
from collabeval.estimates.evaluate import signals
from collabeval.estimates.events import Event, site_probabilities, word_events
from collabeval.estimates.posterior import Posterior, read
from collabeval.estimates.sites import Evaluated, evaluated
from collabeval.estimates.window_draws import WindowDraws, standardise
from collabeval.params import Params
from collabeval.threats.missing import owed_periods
from collabeval.words import share_size

COLUMNS = ("measure", "site", "slot", "statement", "periods", "cases", "towards", "delta", "becomes")
NEAREST, FARTHEST, STEPS = 0.05, 3.0, 24  # of δ, on the link scale, for means in pooled standard deviations
DELTAS = np.concatenate([[0.0], np.geomspace(NEAREST, FARTHEST, STEPS)])


@dataclass(frozen=True)
class Lacking:
    """Sites (K of the J) with unsubmitted periods: position among all, and how many in each window.

    `share` (window label → (K,)) is the share of the cases of a window that was not sent in, `effect` the effect in it
    (K, S) with these periods filled in by the model (δ = 0).
    """

    rows: np.ndarray
    periods: np.ndarray  # (K,) in the current window
    share: Mapping[str, np.ndarray]
    effect: Mapping[str, np.ndarray]


def tipping_points(
    params: Params, sites: pd.DataFrame, panel: pd.DataFrame, trees: Mapping[str, xr.DataTree]
) -> pd.DataFrame:
    """The table `tipping_point`: each word of a site with unsubmitted periods, and each direction.

    `periods` is how many of the current window are missing, `cases` the share of its cases that makes. `delta` is the
    least δ (link scale; for means in their unit) towards `worse` or `better` at which the word is another, `becomes`
    that word; 0 where filling in by the model alone changes it, blank where nothing up to `FARTHEST` does.
    """
    parts = []
    for name, tree in trees.items():
        found = evaluated(read(params, name, panel, tree), params.rules)
        lacking = _lacking(found, owed_periods(params, name, sites, panel), params.sampling.seed)
        if len(lacking.rows):
            parts.append(_of_measure(found, lacking).assign(measure=name))
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)] if parts else pd.DataFrame(columns=list(COLUMNS))


def _of_measure(found: Evaluated, lacking: Lacking) -> pd.DataFrame:
    reported = signals(found, site_probabilities(found)).iloc[lacking.rows]
    now = _words(reported, found)
    tables = []
    for towards, sign in (("worse", -found.posterior.good), ("better", found.posterior.good)):
        delta, becomes = pd.Series(np.nan, now.index), pd.Series("", now.index)
        for step in DELTAS:
            then = _words(_with_delta(found, lacking, reported, sign * step), found)
            new = then.ne(now) & delta.isna()
            delta[new], becomes[new] = step * found.posterior.scale, then[new]
            if delta.notna().all():
                break
        tables.append(pd.DataFrame({"statement": now, "delta": delta, "becomes": becomes}).assign(towards=towards))
    table = pd.concat(tables).reset_index()
    codes, label = found.posterior.sites[lacking.rows], found.current.window.label
    for column, values in (("periods", lacking.periods), ("cases", lacking.share[label])):
        table[column] = table["site"].map(dict(zip(codes, values, strict=True)))
    return table


def _words(table: pd.DataFrame, found: Evaluated) -> pd.Series:
    """Word by site and slot."""
    said = words.statements(table, found.posterior.measure, found.rules)
    return said.set_index(["site", "slot"])["statement"]


def _with_delta(found: Evaluated, lacking: Lacking, reported: pd.DataFrame, delta: float) -> pd.DataFrame:
    """What the words depend on, the unsubmitted periods filled in with δ (towards more events)."""
    moved = {label: _moved(found, lacking, draws, delta) for label, draws in found.windows.items()}
    changed = replace(
        found,
        current=moved[found.current.window.label],
        baseline=None if found.baseline is None else moved[found.baseline.window.label],
        earlier=tuple(moved[draws.window.label] for draws in found.earlier),
        reliability=found.reliability[lacking.rows],
        enough=found.enough[lacking.rows],
    )
    events = word_events(changed, _shares(found, lacking.rows, changed.current))
    chances = {event.name: np.where(event.of, event.happens.mean(axis=1), np.nan) for event in events}
    return reported.assign(**chances)


def _moved(found: Evaluated, lacking: Lacking, draws: WindowDraws, delta: float) -> WindowDraws:
    """A window of the lacking sites alone, its average that of all sites as reported."""
    posterior, rows, label = found.posterior, lacking.rows, draws.window.label
    effect = lacking.effect[label] + delta * lacking.share[label][:, None]
    per_site = ("present", "eligible", "cases", "predicted", "typical", "expected")
    taken = {name: getattr(draws, name)[rows] for name in per_site}
    whole = standardise(posterior, posterior.cells_of(draws.window.periods), effect)
    return replace(draws, **taken, effect=effect, standardised=whole)


def _shares(found: Evaluated, rows: np.ndarray, moved: WindowDraws) -> list[Event]:
    """In the best (worst) share, each site with its own moved effect among the others as they are reported."""
    eligible = found.current.eligible
    size = share_size(int(eligible.sum()), found.rules.best_share)
    if size is None:
        return []
    good = found.posterior.good
    shares = []
    for name, sign in (("best_share", good), ("worst_share", -good)):
        ordered = -np.sort(-sign * found.current.difference[eligible], axis=0)
        own = sign * found.current.difference[rows]
        among = own >= ordered[size - 1]  # a site of the share itself stands against the next one after it
        limit = np.where(among, ordered[min(size, len(ordered) - 1)], ordered[size - 1])
        shares.append(Event(name, moved.eligible, sign * moved.difference > limit))
    return shares


def _lacking(found: Evaluated, owed: pd.DataFrame, seed: int) -> Lacking:
    """Which sites lack periods in a window of the measure that they have data in now, and those filled in."""
    posterior, random = found.posterior, np.random.default_rng(seed)
    place = {site: j for j, site in enumerate(posterior.sites)}
    missing: dict[str, dict[int, list[str]]] = {}
    gaps = owed[~owed["submitted"] & owed["site"].isin(place)]
    for label, draws in found.windows.items():
        there = gaps[gaps["period"].isin(draws.window.periods)]
        kept = [(place[site], period) for site, period in zip(there["site"], there["period"], strict=True)]
        missing[label] = {j: [period for other, period in kept if other == j]
                          for j in {j for j, _ in kept if draws.present[j] and found.current.present[j]}}  # fmt: skip
    rows = np.array(sorted({j for by_site in missing.values() for j in by_site}), dtype=int)
    filled = {label: _filled(posterior, draws, rows, missing[label], random) for label, draws in found.windows.items()}
    now = missing[found.current.window.label]
    return Lacking(
        rows,
        np.array([len(now.get(j, [])) for j in rows], dtype=int),
        {label: share for label, (share, _) in filled.items()},
        {label: effect for label, (_, effect) in filled.items()},
    )


def _filled(
    posterior: Posterior, draws: WindowDraws, rows: np.ndarray, missing: Mapping[int, list[str]],
    random: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Share of the cases that was not sent in (K,), and the effect with the periods filled in (K, S)."""
    share, effect = np.zeros(len(rows)), draws.effect[rows].copy()
    typical = np.bincount(posterior.site, posterior.weight) / np.bincount(posterior.site)
    for k, j in enumerate(rows):
        if labels := missing.get(j, []):
            share[k] = len(labels) * typical[j] / (draws.cases[j] + len(labels) * typical[j])
            unseen = np.mean(list(_unseen(posterior, j, labels, random)), axis=0)
            effect[k] = (1 - share[k]) * effect[k] + share[k] * unseen
    return share, effect


def _unseen(posterior: Posterior, j: int, labels: list[str], random: np.random.Generator) -> Iterator[np.ndarray]:
    """Effect of a site in each period that it did not send in (S,), by the model."""
    for label in labels:
        effect = posterior.level[j]
        if posterior.slope is not None:
            effect = effect + posterior.slope[j] * posterior.years[list(posterior.periods).index(label)]
        if posterior.overdispersion is not None:
            spread = posterior.hyperparameters["overdispersion_sd"]
            effect = effect + spread * random.standard_normal(posterior.draws)
        yield effect

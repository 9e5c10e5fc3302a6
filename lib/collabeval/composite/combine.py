"""The composite of each site in every draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from collabeval.composite.parts import Part
from collabeval.params import Composite, Params


@dataclass(frozen=True)
class Combined:
    """One composite. Sizes: J sites that are eligible in every measure it is made of, S draws.

    ``advantage`` (J, S) is how much better than the average of these sites a site is: in weighted standard deviations
    (`standardised`), or as a share of what should have been done (`opportunity`).
    """

    composite: Composite
    parts: tuple[Part, ...]
    left_out: dict[str, str]  # measure and why
    weights: dict[str, float]  # of the measures it is made of, sum 1
    sites: np.ndarray  # (J,)
    missing: np.ndarray  # sites with data in some of the measures only
    advantage: np.ndarray  # (J, S)
    value: np.ndarray  # (J, S) what is shown: the advantage, or the score itself
    recorded: np.ndarray  # (J,) the score on the data, NaN where there is none
    reliability: np.ndarray  # (J,)


def combine(composite: Composite, draws: Mapping[str, Part], params: Params) -> Combined:
    """Put the measures of one composite together."""
    parts = [draws[name] for name in composite.weights]
    left_out = _left_out(composite, parts)
    kept = tuple(part for part in parts if part.name not in left_out)
    own = composite.method == "opportunity"  # then a measure weighs as it has cases
    size = {part.name: part.cases if own else composite.weights[part.name] for part in kept}
    weights = {name: share / sum(size.values()) for name, share in size.items()}
    everywhere = [set(part.sites[part.eligible]) for part in kept]
    sites = np.array(sorted(set.intersection(*everywhere)) if everywhere else [], dtype=str)
    missing = np.array(sorted(set().union(*everywhere) - set(sites)), dtype=str)
    rows = {part.name: pd.Index(part.sites).get_indexer(sites) for part in kept}
    make = _opportunity if composite.method == "opportunity" else _standardised
    value, recorded, prior = make(kept, weights, rows, params) if len(sites) else _nothing()
    advantage = value - value.mean(axis=0) if len(sites) else value
    settled = 1 - advantage.var(axis=1, ddof=1) / prior if len(sites) else recorded
    return Combined(
        composite=composite,
        parts=kept,
        left_out=left_out,
        weights=weights,
        sites=sites,
        missing=missing,
        advantage=advantage,
        value=value,
        recorded=recorded,
        reliability=np.clip(settled, 0, 1),
    )


def _left_out(composite: Composite, parts: list[Part]) -> dict[str, str]:
    """Measures that would add noise only, and those without a site to compare."""
    found = {part.name: "no site has data enough" for part in parts if not part.eligible.any()}
    if composite.method == "standardised":
        least = composite.minimum_rankability
        found |= {
            part.name: f"rankability {part.rankability:.2f} is below {least:g}"
            for part in parts
            if part.eligible.any() and part.rankability < least
        }
    return found


Made = tuple[np.ndarray, np.ndarray, np.ndarray | float]


def _nothing() -> Made:
    return np.empty((0, 0)), np.empty(0), 1.0


def _standardised(
    parts: tuple[Part, ...], weights: Mapping[str, float], rows: Mapping[str, np.ndarray], params: Params
) -> Made:
    """Σ w z, without a value on the data; and its variance before the data, Σ Σ w w' R (R: see `_correlation`)."""
    each = np.array([weights[part.name] for part in parts])
    value = sum(weight * part.standardised[rows[part.name]] for weight, part in zip(each, parts, strict=True))
    assert isinstance(value, np.ndarray)
    return value, np.full(len(value), np.nan), float(each @ _correlation(parts, rows, params) @ each)


def _correlation(parts: tuple[Part, ...], rows: Mapping[str, np.ndarray], params: Params) -> np.ndarray:
    """Correlation of z over sites before the data: estimated for measures fitted together, else none.

    The estimate is the mean over draws of the correlation of z over the sites, which the joint model informs.
    """
    found = np.eye(len(parts))
    for a, one in enumerate(parts):
        for b, other in enumerate(parts[:a]):
            if {one.name, other.name} <= set(params.model.together):
                x, y = one.standardised[rows[one.name]], other.standardised[rows[other.name]]
                x, y = x - x.mean(axis=0), y - y.mean(axis=0)
                r = (x * y).sum(axis=0) / np.sqrt((x**2).sum(axis=0) * (y**2).sum(axis=0))
                found[a, b] = found[b, a] = float(r.mean())
    return found


def _opportunity(
    parts: tuple[Part, ...], weights: Mapping[str, float], rows: Mapping[str, np.ndarray], params: Params
) -> Made:
    """Of all that should have been done, what was: Σ rate × cases / Σ cases, at the collaborative's cases of each
    measure, so that a site's own mix of opportunities moves nothing (Nolan & Berwick 2006, JAMA 295: 1168, who call it
    the percentage of opportunities; there at the site's own mix, which is what is recorded).
    """
    value = sum(weights[part.name] * part.rate[rows[part.name]] for part in parts)
    assert isinstance(value, np.ndarray)
    events = np.sum([part.own_events[rows[part.name]] for part in parts], axis=0)
    recorded = events / np.sum([part.own_cases[rows[part.name]] for part in parts], axis=0)
    between = value.mean(axis=1).var(ddof=1) if len(value) > 1 else np.nan
    within = value.var(axis=1, ddof=1).mean()
    return value, recorded, float(between + within)

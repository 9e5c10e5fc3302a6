"""Calibration of the models behind the five features: survey, ratings and audit by the fast engine, and indicators."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit

from calibration.grouped_worlds import WORLDS, World
from calibration.replicates import DIGITS, Store, held
from collabeval.errors import CollabevalError
from collabeval.features.indicators_spread import LEVEL_SD, Pooled, pooled_counts, pooled_means
from collabeval.models.grouped import thresholds_of
from collabeval.params import Sampling
from collabeval.quadrature import engine
from collabeval.quadrature.problem import pose

INDICATORS = ("binomial", "poisson", "normal")
SITES = 15  # of an indicator
CENTRE = -0.3  # of the level of an indicator, on the link scale
QUICK = Sampling(seed=5, chains=2, draws=500, minimum_ess=400)
KINDS = (*WORLDS, *(f"indicator {family}" for family in INDICATORS))


def study(numbers: range, store: Store) -> None:
    """Fit and rank these worlds of every kind, those that are held already left out."""
    for number in numbers:
        for kind in KINDS:
            _add(store, kind, number)
        if number % 50 == 49:
            print(f"{number + 1} of {numbers.stop} worlds of each kind", flush=True)


def named(kind: str) -> str:
    """Name of a kind's study among the files."""
    return f"features_{kind.replace(' ', '_')}"


def read(store: Store) -> dict[str, pd.DataFrame]:
    """The worlds of each kind that were ranked; quantities are places of the truth, 0 to 1."""
    return {kind: table for kind in KINDS if (table := store.table(named(kind))) is not None}


def _add(store: Store, kind: str, number: int) -> None:
    if number in held(store, named(kind)):
        return
    family = kind.removeprefix("indicator ")
    failure, found = places_of(kind, number, QUICK) if family == kind else ("", indicator_places(family, number, SITES))
    row = {"replicate": number, "failure": failure, **{name: round(place, DIGITS) for name, place in found.items()}}
    store.add(named(kind), row)


def places_of(kind: str, seed: int, sampling: Sampling, **sizes: int) -> tuple[str, dict[str, float]]:
    """What the engine's own check says, and where the truth of each sd and of one effect of a kind lies, 0 to 1.

    There are no places where the engine refused to draw.
    """
    world: World = WORLDS[kind](seed=seed, **sizes)
    try:
        fitted = engine.fit(world.design, sampling.model_copy(update={"seed": seed}))
    except CollabevalError as error:
        return str(error), {}
    draws = fitted.draws
    found = {name: float((draws.deviations[name] < truth).mean()) for name, truth in world.deviations.items()}
    scale = pose(world.design).scale(np.array(list(world.deviations.values())))
    at, random = 0, np.random.default_rng(seed)
    for term in world.design.terms:
        one = int(random.integers(len(term.labels)))
        found[term.name] = float((draws.coefficients(term.name)[:, one] < (scale * world.z)[at + one]).mean())
        at += len(term.labels)
    if len(world.design.items):
        cuts = thresholds_of(world.design.family, world.z[at:].reshape(-1, 4))
        item, cut = int(random.integers(len(cuts))), int(random.integers(4))
        found["cuts"] = float((draws.cuts[:, item, cut] < cuts[item, cut]).mean())
    return fitted.failure, found


def indicator_places(family: str, number: int, sites: int) -> dict[str, float]:
    """Where the truth lies, 0 to 1: the first site, the mean of all, and R, the signal of a typical site."""
    random = np.random.default_rng([7, number])
    values = family == "normal"
    drawn, truth, own = _values(random, sites) if values else _counts(random, family == "binomial", sites)
    return {
        "first_site": float(np.mean(drawn.sites[0] < truth[0])),
        "mean": float(np.mean(drawn.sites.mean(axis=0) < truth.mean())),
        "signal": float(np.mean(drawn.typical < own)),
    }


def _counts(random: np.random.Generator, binomial: bool, sites: int) -> tuple[Pooled, np.ndarray, float]:
    """Level, R and sites from their priors, then counts."""
    cases = random.integers(4, 60, sites).astype(float)
    own = random.uniform()
    kappa, level = np.median(cases) * (1 - own) / own, random.normal(CENTRE, LEVEL_SD)
    if binomial:
        truth = random.beta(kappa * expit(level), kappa * expit(-level), sites)
        events = random.binomial(cases.astype(int), truth)
    else:
        truth = random.gamma(kappa * np.exp(level), 1 / kappa, sites)
        events = random.poisson(cases * truth)
    return pooled_counts(events.astype(float), cases, binomial, random, 400, CENTRE), truth, own


def _values(random: np.random.Generator, sites: int) -> tuple[Pooled, np.ndarray, float]:
    """R from its prior; level and sigma are one of many, since flat priors of place and scale make ranks the same."""
    n = random.integers(1, 6, sites)
    n[0] = 2
    own = random.uniform()
    kappa = np.median(n) * (1 - own) / own
    truth = random.normal(20, 4 / np.sqrt(kappa), sites)
    site = np.repeat(np.arange(sites), n)
    return pooled_means(random.normal(truth[site], 4), site, random, 400), truth, own

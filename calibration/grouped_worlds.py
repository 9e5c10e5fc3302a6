"""Surveys, ratings and audits drawn from the models' own priors, with what they were drawn from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from collabeval.features.audit import audit_design
from collabeval.features.ratings import ratings_design
from collabeval.features.survey_design import survey_design
from collabeval.features.waves import Wave, Waves
from collabeval.models.grouped import Grouped, thresholds_of
from collabeval.params.indicators import FIVE
from collabeval.params.survey import Scale
from collabeval.quadrature.problem import Problem, pose

TWO = (Wave("2024", 1), Wave("2025", 0))


@dataclass(frozen=True)
class World:
    """A design whose answers were drawn at `z` (K,), `deviations` (D,) and the groups' `effects` (G,)."""

    design: Grouped
    z: np.ndarray
    deviations: dict[str, float]
    effects: np.ndarray


def survey_rows(people=30, items=3, sites=6, roles=2, waves=2, seed=1):
    """Empty answers: who is asked what, where."""
    random, names = np.random.default_rng(seed), [f"i{t}" for t in range(items)]
    rows = [
        (f"p{person}", item, site, role, wave, 3.0)
        for wave in range(waves)
        for person, site, role in zip(
            range(people), random.integers(sites, size=people), random.integers(roles, size=people), strict=True
        )
        for item in names
    ]
    table = pd.DataFrame(rows, columns=["respondent", "item", "site", "role", "wave", "response"])
    return table.assign(site=[f"S{site}" for site in table["site"]], role=[f"r{role}" for role in table["role"]])


def survey_of(rows, waves=2):
    """The design of one scale with all items of the rows."""
    return survey_design(Waves(rows, TWO[-waves:]), Scale("scale", "", tuple(dict.fromkeys(rows["item"]))))


def survey_world(seed, **sizes) -> World:
    """A survey; every person is a group of their own, in the order of the design's patterns before collapsing."""
    rows = survey_rows(seed=seed, **sizes)
    # distinct answers to begin with, so that no two people are collapsed before theirs are drawn
    rows["response"] = 1.0 + np.arange(len(rows)) % 5
    return drawn(survey_of(rows).expanded(), seed)


def ratings_world(seed, raters=6, waves=2) -> World:
    """Every rater scores every feature in every wave."""
    table = pd.DataFrame(
        [(f"r{rater}", feature, wave, 3.0) for wave in range(waves) for rater in range(raters) for feature in FIVE],
        columns=["rater", "feature", "wave", "score"],
    )
    return drawn(ratings_design(Waves(table, TWO[-waves:])), seed)


def audit_world(seed, sites=8, fields=3, checked=30) -> World:
    """Every site is audited on every field in two years; the level about nine in ten agreed."""
    table = pd.DataFrame(
        [(f"S{j}", f"f{f}", w, float(checked)) for w in (0, 1) for j in range(sites) for f in range(fields)],
        columns=["site", "field", "wave", "checked"],
    )
    design = audit_design(table.assign(agreed=0.9 * checked))
    return drawn(design, seed)


def drawn(design: Grouped, seed: int) -> World:
    """Standard deviations, latent vector, effects and answers, all from the model."""
    random, problem = np.random.default_rng([seed, 9]), pose(design)
    deviations = np.array([abs(random.normal(0, each.prior.numbers["sigma"])) for each in problem.hyper])
    z, effects = random.standard_normal(problem.size), random.standard_normal(len(design.count))
    answers = answers_of(problem, z, deviations, effects, random)
    names = [each.name for each in problem.hyper]
    return World(replace(design, y=answers), z, dict(zip(names, deviations, strict=True)), effects)


def answers_of(problem: Problem, z, deviations, effects, random) -> np.ndarray:
    """Answers (N,) of a model at one point."""
    design = problem.design
    beta, coordinates = problem.split(problem.scale(deviations) * z)
    eta, at = np.full(len(design.y), design.offset), 0
    for term in design.terms:
        own = beta[at : at + len(term.labels)]
        eta += np.where(term.index >= 0, term.weight * own[np.maximum(term.index, 0)], 0.0)
        at += len(term.labels)
    eta += deviations[0] * effects[design.group]
    if design.family == "binomial":
        return random.binomial(design.n.astype(int), 1 / (1 + np.exp(-eta))).astype(float)
    chances = chances_of(design.family, eta, thresholds_of(design.family, coordinates)[design.item])
    return 1.0 + (random.random(len(eta))[:, None] > np.cumsum(chances, axis=1)[:, :4]).sum(axis=1)


def chances_of(family, eta, cuts) -> np.ndarray:
    """Chance of each of the five categories (N, 5), written as in the models' docstrings."""
    if family == "cumulative":
        below = 1 / (1 + np.exp(-(cuts - eta[:, None])))
        return np.diff(np.column_stack([np.zeros(len(eta)), below, np.ones(len(eta))]), axis=1)
    steps = eta[:, None] - cuts
    power = np.column_stack([np.zeros(len(eta)), np.cumsum(steps, axis=1)])
    raised = np.exp(power - power.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


WORLDS = {"survey": survey_world, "ratings": ratings_world, "audit": audit_world}

"""Scores that raters give: the many-facet Rasch model."""

from __future__ import annotations

import pymc as pm
import pytensor.tensor as pt

from collabeval.models.grouped import Grouped
from collabeval.models.grouped_terms import coordinates, linear_predictor, steps


def build_ratings_model(design: Grouped) -> pm.Model:
    """Many-facet rating scale model: features, waves and the severity of raters.

        log P(score = k + 1) / P(score = k) = η − κ[k],        k = 1 … 4
        η = feature_level[feature] + wave (change + feature_change[feature]) − severity[rater]

    `wave` is +½ in the wave that counts and −½ in the one before it. Severity ~ Normal(0, rater_sd) is the groups'
    effect with its sign turned.

    Estimand: the mean score that a rater of average severity would give a feature (Linacre's fair average).
    Assumes that a rater is as severe with every feature and in both waves.

    Parameters
    ----------
    design : as `features.ratings_design` makes it.

    References
    ----------
    Linacre (1989), Many-Facet Rasch Measurement, MESA Press. Andrich (1978), Psychometrika 43: 561-573.
    """
    with pm.Model(coords=coordinates(design)) as model:
        eta = linear_predictor(design)
        passed = pt.concatenate([pt.zeros((1, 1)), pt.cumsum(steps(), axis=1)], axis=1)
        logits = eta[:, None] * pt.arange(5) - passed[design.item]
        pm.Categorical("score", logit_p=logits, observed=design.y.astype(int) - 1)
    return model

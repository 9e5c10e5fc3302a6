"""Answers of a survey: the cumulative logit model."""

from __future__ import annotations

import pymc as pm

from collabeval.models.grouped import Grouped
from collabeval.models.grouped_terms import coordinates, cumulative_cuts, linear_predictor


def build_survey_model(design: Grouped) -> pm.Model:
    """Cumulative logit model of the answers to the items of one scale.

        logit P(answer ≤ k) = κ[item, k] − η,        k = 1 … 4
        η = wave (change + item_change[item] + site_change[site]) + site_level[site] + role_level[role] + respondent

    `wave` is +½ in the wave that counts and −½ in the one before it (0 where there is only one). A respondent has one
    effect for all items of the scale, so that answers of one person are not taken for those of many.

    Estimand: P(answer ≥ 4) = expit(η − κ[item, 3]), over respondents Normal(0, respondent_sd).
    Assumes proportional odds (site, role and wave move all answers to an item alike), and that a person who answers in
    two waves is as two persons: the change is then less sure than it might be, never more.

    Parameters
    ----------
    design : as `features.survey_design` makes it, each respondent a group of their own (`Grouped.expanded`).

    References
    ----------
    McCullagh (1980), JRSS-B 42: 109-142. Bürkner & Vuorre (2019), AMPPS 2: 77-101.
    """
    with pm.Model(coords=coordinates(design)) as model:
        eta = linear_predictor(design)
        cuts = cumulative_cuts()
        pm.OrderedLogistic("answer", eta, cuts[design.item], observed=design.y.astype(int) - 1, compute_p=False)
    return model

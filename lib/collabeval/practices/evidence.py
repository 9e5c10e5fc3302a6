"""What each site's own data say of its effect, the pooling towards the others taken off.

A posterior that pools, N(m, P) from the prior N(e, V), is the prior times a likelihood about N(û, v) with
1/v = 1/P − 1/V and û = e + (m − e) V/(V − P). A regression of the pooled effects themselves would see differences
shrunk, and their errors too small. (The same step separates estimation from regression in meta-analysis of published
shrunken estimates; Lunn et al. 2013, Stat Med 32: 3571-3585, for the two stages.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collabeval.estimates.posterior import Posterior
from collabeval.estimates.reliability import overall_prior_variance
from collabeval.estimates.window_draws import WindowDraws

LEAST_LEARNT = 0.02  # share of the prior variance that the data must have settled for a site to say anything
NOTHING = 1e6  # variance of what says nothing


@dataclass(frozen=True)
class Evidence:
    """Effects (R,) as the sites' own data have them, on the scale of `site_effect`, and error variances (R,)."""

    sites: np.ndarray
    effect: np.ndarray
    variance: np.ndarray


def own_evidence(posterior: Posterior, draws: WindowDraws) -> Evidence:
    """Evidence of the sites with data in the window, about their difference from the average."""
    there = draws.present
    prior = overall_prior_variance(posterior, draws.window)[there]
    difference = draws.difference[there]
    explained = posterior.explained.mean(axis=1) if posterior.covariate_effects.size else np.zeros(len(there))
    centre = explained[there] - explained[there].mean()
    mean, left = difference.mean(axis=1), difference.var(axis=1, ddof=1)
    learnt = np.clip(1 - left / prior, LEAST_LEARNT, None)
    variance = np.where(left < (1 - LEAST_LEARNT) * prior, left / learnt, NOTHING)
    return Evidence(posterior.sites[there], centre + (mean - centre) / learnt, variance)

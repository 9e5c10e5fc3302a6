"""What a composite is made of: each measure's draws in the current window, on a common scale, draw beside draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from collabeval.estimates import Evaluated
from collabeval.estimates.reliability import overall_prior_variance, rankability
from collabeval.params import Params


@dataclass(frozen=True)
class Part:
    """One measure in the current window. Sizes: J sites, S draws; rows of sites without data there are NaN.

    ``standardised`` z (J, S) is how much better than the average of the eligible sites a site is, in standard
    deviations between sites (``sd``, of the model's prior for the window, median over sites and mean over draws).
    """

    name: str
    sites: np.ndarray  # (J,) text
    eligible: np.ndarray  # (J,)
    window: str
    standardised: np.ndarray  # (J, S)
    rate: np.ndarray  # (J, S) per case, at the cases of the whole collaborative
    cases: float  # of the whole collaborative in the window
    own_cases: np.ndarray  # (J,) of each site in the window
    own_events: np.ndarray  # (J,) recorded
    sd: float
    rankability: float


def aligned(evaluated: Mapping[str, Evaluated], params: Params) -> dict[str, Part]:
    """The parts by measure, so that draw s of one goes with draw s of every other.

    Measures fitted together keep the order of their draws. Those fitted each by itself are independent given the data:
    their draws are put in a random order (by the seed), since that in which an engine leaves them can follow its own
    search, and pairing them so would make up a correlation.
    """
    count = min(found.posterior.draws for found in evaluated.values())
    parts = {}
    for number, (name, found) in enumerate(sorted(evaluated.items())):
        order = np.arange(found.posterior.draws)
        if name not in params.model.together:
            order = np.random.default_rng([params.sampling.seed, number]).permutation(order)
        parts[name] = _part(found, order[:count])
    return parts


def _part(found: Evaluated, draws: np.ndarray) -> Part:
    posterior, current = found.posterior, found.current
    cells = posterior.cells_of(current.window.periods)
    eligible = current.eligible
    variance = overall_prior_variance(posterior, current.window)[eligible]
    sd = float(np.sqrt(np.median(variance))) if eligible.any() else float("nan")
    return Part(
        name=posterior.name,
        sites=posterior.sites,
        eligible=eligible,
        window=current.window.label,
        standardised=posterior.good * current.difference[:, draws] / sd,
        rate=current.standardised[:, draws],
        cases=float(np.nansum(current.cases)),
        own_cases=current.cases,
        own_events=posterior.by_site(cells, posterior.observed[cells]),
        sd=sd,
        rankability=rankability(posterior, current) if eligible.any() else float("nan"),
    )

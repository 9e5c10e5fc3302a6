"""Gates of the fits behind survey, ratings and audit: the same as those of the measures (docs/methods.md)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from collabeval.borderline import NEAR
from collabeval.diagnostics.check import Check
from collabeval.diagnostics.integration import pareto_k, proposals_lost
from collabeval.diagnostics.sampling import convergence, divergent, effective, not_numbers
from collabeval.models.grouped import GroupedDraws
from collabeval.params import Params


def blocking(model: str, draws: GroupedDraws, reported: pd.DataFrame) -> list[Check]:
    """The gates of the engine that made the draws; `reported` are the rows of the results made from them."""
    said = draws.attributes
    broken = [
        name for name, values in {"effects": draws.z, **draws.deviations}.items() if not np.isfinite(values).all()
    ]
    varying = reported[reported["sd"] > 0]
    if said["engine"] == "nuts":
        own = [divergent(model, int(said["divergences"])), *convergence(model, varying)]
    else:
        own = [
            pareto_k(model, float(said["pareto_k"]), float(said["pareto_k_limit"])),
            proposals_lost(model, float(said["proposals_lost"])),
            *effective(model, varying),
        ]
    return [*own, not_numbers(model, broken)]


def borderline(model: str, probabilities: pd.DataFrame, params: Params) -> Check:
    """How many words about answers, scores or audits another seed could change: chances near a limit.

    Parameters
    ----------
    probabilities : DataFrame, the rows of `survey_probabilities` and the like: event, probability and its error, mcse.
    """
    limits = probabilities["event"].map({"improved": params.rules.trajectory, "at_target": params.profile.at_target})
    if "site" in probabilities:
        limits = limits.mask(probabilities["site"].ne(""))  # words about a site need as much as its others
    limits = limits.fillna(params.rules.level)
    chance = probabilities["probability"]
    distance = np.minimum((chance - limits).abs(), (1 - chance - limits).abs())
    near = int((distance <= NEAR * probabilities["mcse"]).sum())
    advice = "No word turns on the number of draws: each is as far from its threshold as chance reaches."
    if near:
        which = "One word lies" if near == 1 else f"{near} words lie"
        advice = (
            f"{which} so near the threshold that another seed could change it: the probability behind it is within "
            f"{NEAR:g} Monte Carlo standard errors of it (`{model}_probabilities`). Treat such a word as on the "
            "border, whichever side it is on; more `sampling.draws` settle most."
        )
    return Check(model, "borderline", near, 0, "advisory", near == 0, advice)

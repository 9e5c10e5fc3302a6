"""Gates of the fits behind survey, ratings and audit: the same as those of the measures (docs/methods.md)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from collabeval.diagnostics.check import Check
from collabeval.diagnostics.integration import pareto_k, proposals_lost
from collabeval.diagnostics.sampling import convergence, divergent, effective, not_numbers
from collabeval.models.grouped import GroupedDraws


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

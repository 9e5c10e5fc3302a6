"""Whether one fit among several can be trusted: by the engine's own check, or by the gates of NUTS."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from collabeval.diagnostics.check import Check
from collabeval.diagnostics.sampling import ESS, convergence, sampling
from collabeval.laplace.engine import LIMIT


def checks(model: str, tree: xr.DataTree, reported: pd.DataFrame) -> list[Check]:
    """The blocking checks of a fit; `reported` are the rows of its results whose `rhat` and `ess_*` are judged."""
    if tree.attrs["engine"] != "laplace":
        return [*sampling(model, tree), *convergence(model, reported)]
    said = tree.attrs
    return [
        _weights(model, "pareto_k", float(said["pareto_k"]), float(said["pareto_k_limit"])),
        _weights(model, "pareto_k_site", float(said["pareto_k_site"]), LIMIT),
        Check(
            model, "importance_ess", float(said["importance_ess"]), ESS, "blocking",
            float(said["importance_ess"]) >= ESS,
            f"Of the fast engine's proposals {float(said['importance_ess']):.0f} are effective.",
        ),
    ]  # fmt: skip


def _weights(model: str, check: str, value: float, limit: float) -> Check:
    advice = "The weights of the fast engine are steady." if value <= limit else (
        "The weights of the fast engine are not steady: fit this model with `engine: nuts`."
    )  # fmt: skip
    return Check(model, check, value, limit, "blocking", value <= limit, advice)

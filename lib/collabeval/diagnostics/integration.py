"""Blocking gates of the fast engine: does its approximation hold, and are the reported numbers precise?

In place of divergences, energy and R-hat: Pareto k̂ of the importance weights (Vehtari et al. 2024), the share of
effective proposals of the worst site, and effective draws from the weights.
"""

from __future__ import annotations

import pandas as pd
import xarray as xr

from collabeval.diagnostics.check import Check
from collabeval.diagnostics.sampling import effective, not_a_number

SITE_SHARE, LOST_LIMIT = 0.5, 0.01
JUDGE = "Do not use the results; run again with `model.engine: nuts`."


def fast(tree: xr.DataTree) -> bool:
    """Whether the fast engine made these draws."""
    return tree.attrs.get("engine") == "laplace"


def integration(model: str, tree: xr.DataTree, reported: pd.DataFrame) -> list[Check]:
    """Whether the fast engine's draws are the posterior's, by its own account, and how many they are worth.

    Parameters
    ----------
    reported : DataFrame, rows of `site_estimates` and `programme_estimates` of one measure.
    """
    checks = [pareto_k(model, float(tree.attrs["pareto_k"]), float(tree.attrs["pareto_k_limit"]))]
    site = float(tree.attrs["site_share"])
    checks.append(Check(
        model, "site_share", site, SITE_SHARE, "blocking", site >= SITE_SHARE,
        "The same holds of every single site." if site >= SITE_SHARE else
        f"The effects of at least one site are too far from what the fast engine proposes for them. {JUDGE}",
    ))  # fmt: skip
    checks.append(proposals_lost(model, float(tree.attrs["proposals_lost"])))
    return [*checks, not_a_number(model, tree), *effective(model, reported[reported["sd"] > 0])]


def pareto_k(model: str, k: float, limit: float) -> Check:
    """Whether the weights of all proposals can mend the approximation."""
    return Check(
        model, "pareto_k", k, limit, "blocking", k <= limit,
        "The fast engine's approximation is close enough to the model for its weights to mend the rest (Pareto k̂)."
        if k <= limit else
        f"The fast engine's approximation is too far from the model for its weights to mend (Pareto k̂). {JUDGE}",
    )  # fmt: skip


def proposals_lost(model: str, lost: float) -> Check:
    """Whether nearly all possible proposals could be weighed."""
    return Check(
        model, "proposals_lost", lost, LOST_LIMIT, "blocking", lost <= LOST_LIMIT,
        "The fast engine could weigh what it proposed." if lost <= LOST_LIMIT else
        f"The fast engine could not weigh {lost:.1%} of its proposals, so parts of the answer may be missing. {JUDGE}",
    )  # fmt: skip

"""Blocking gates: did the sampler explore the posterior, and are the reported numbers precise?

Limits: divergences none after retries; E-BFMI below 0.3 (Betancourt 2016); R-hat above 1.01 and effective sample sizes
below 400 for any reported quantity (Vehtari et al. 2021); nothing that is not a number.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats import bfmi

from collabeval.convergence import ESS, RHAT
from collabeval.diagnostics.check import Check

BFMI = 0.3
FINITE_GROUPS = ("posterior", "posterior_predictive", "log_likelihood")
AGAIN = "Do not use the results; run again with `sampling.target_accept: 0.99` and more `tune`."
LONGER = "Do not use the results; run again with more `sampling.draws`."


def sampling(model: str, tree: xr.DataTree) -> list[Check]:
    """Divergences and energy of the chains, and anything that is not a number in the draws."""
    stats = tree["sample_stats"].to_dataset()
    energy = float(np.min(bfmi(stats["energy"])))
    return [
        divergent(model, int(stats["diverging"].sum())),
        Check(
            model, "energy", energy, BFMI, "blocking", energy >= BFMI,
            "The sampler moved freely between likely and less likely answers (E-BFMI)." if energy >= BFMI else
            "The sampler moved too slowly between likely and less likely answers (E-BFMI), so ranges may be too short. "
            + AGAIN,
        ),
        not_a_number(model, tree),
    ]  # fmt: skip


def divergent(model: str, divergences: int) -> Check:
    """Steps of the sampler that failed."""
    return Check(
        model, "divergences", divergences, 0, "blocking", divergences == 0,
        "The sampler met no place where its steps failed." if divergences == 0 else
        f"The sampler's steps failed {divergences} times, even after retries, so parts of the answer may be missing. "
        f"{AGAIN} If they stay, try `model.parametrisation`, or a prior that rules out spreads near zero.",
    )  # fmt: skip


def not_a_number(model: str, tree: xr.DataTree) -> Check:
    """Whether every draw is a number."""
    return not_numbers(model, [name for group in FINITE_GROUPS for name in _not_finite(tree[group].to_dataset())])


def not_numbers(model: str, broken: list[str]) -> Check:
    """The same, `broken` naming those that are not."""
    return Check(
        model, "not_a_number", len(broken), 0, "blocking", not broken,
        "Every draw is a number." if not broken else
        f"Some draws of {', '.join(broken)} are not numbers: the model and these data do not fit each other. Look "
        "for extreme values in the data, and for priors that allow impossible ones.",
    )  # fmt: skip


def convergence(model: str, reported: pd.DataFrame) -> list[Check]:
    """Agreement between chains and effective draws of every reported quantity that varies over draws.

    Parameters
    ----------
    reported : DataFrame, rows of `site_estimates` and `programme_estimates` of one measure.
    """
    varying = reported[reported["sd"] > 0]
    return [
        _worst(model, varying, "rhat", RHAT, "Independent chains agree on every reported number (R-hat).",
               "Independent chains disagree (R-hat), so the answer depends on where the sampler began."),
        *effective(model, varying),
    ]  # fmt: skip


def effective(model: str, varying: pd.DataFrame) -> list[Check]:
    """Effective draws of every reported quantity that varies over draws (rows of `varying`)."""
    return [
        _worst(model, varying, "ess_bulk", ESS, "Every estimate rests on enough effective draws.",
               "Too few effective draws behind an estimate, so its last digits would change with another seed."),
        _worst(model, varying, "ess_tail", ESS, "Every interval rests on enough effective draws.",
               "Too few effective draws in the tails, so the ends of an interval would change with another seed."),
    ]  # fmt: skip


def _worst(model: str, varying: pd.DataFrame, column: str, limit: float, good: str, bad: str) -> Check:
    """A quantity that varies and yet has no value (chains too short) is the worst there is."""
    if varying.empty:
        return Check(model, column, np.nan, limit, "blocking", True, "No reported quantity varies over the draws.")
    high_is_bad = column == "rhat"
    ranked = varying[column].fillna(np.inf if high_is_bad else 0.0)
    at = int((ranked if high_is_bad else -ranked).to_numpy().argmax())
    value, row = float(ranked.iloc[at]), varying.iloc[at]
    passed = value <= limit if high_is_bad else value >= limit
    where = f"`{row['estimand']}`" + (f" in {row['period']}" if row["period"] else "")
    failing = int((ranked > limit).sum() if high_is_bad else (ranked < limit).sum())
    advice = good if passed else f"{bad} It is so for {failing} of {len(ranked)} quantities, most for {where}. {LONGER}"
    return Check(model, column, value, limit, "blocking", passed, advice)


def _not_finite(group: xr.Dataset) -> list[str]:
    return [str(name) for name, values in group.data_vars.items() if not np.isfinite(values.to_numpy()).all()]

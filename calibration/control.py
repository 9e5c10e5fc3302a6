"""Negative control of the attributable effect: collaboratives without any effect, and what is said of them.

Eighteen sites join in turn at three quarters of three years, eighteen comparators never do; joiners are higher from the
start, every unit drifts, and single cells vary (`effect_worlds`). An effect found in such a world is a false one.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import pandas as pd

from calibration.effect_worlds import world
from calibration.forms import FAMILIES
from calibration.replicates import Store, held
from collabeval.effect.estimate import Effects, estimate
from collabeval.params import Family

SEED = 1000


def name(family: Family) -> str:
    """Name of a family's study among the files."""
    return f"control_{family}"


def study(families: Sequence[Family] | None, numbers: range, store: Store) -> None:
    """Estimate the effect in these worlds of these families (None: of all), those that are held already left out."""
    for number in numbers:
        for family in families or FAMILIES:
            if number not in held(store, name(family)):
                store.add(name(family), replicate(family, number))
        if number % 20 == 19:
            print(f"{number + 1} of {numbers.stop} worlds of each family", flush=True)


def replicate(family: Family, number: int) -> dict:
    """One world without effect: estimate, interval and words, and which engine made them."""
    made = world([SEED, FAMILIES.index(family), number], family, effect=lambda event_time, joined: 0.0)
    clock = time.perf_counter()
    found = estimate(made.params, made.panel, made.sites, made.comparators)
    return {"replicate": number, "seconds": round(time.perf_counter() - clock, 3), **said(found)}


def said(found: Effects) -> dict:
    """What one estimate says: its numbers on the display scale, the word of the effect and of the course before."""
    effect = found.summary.set_index("estimand").loc["effect"]
    words = found.statements.set_index("slot")["statement"]
    numbers = {column: round(float(effect[column]), 6) for column in ("mean", "sd", "q025", "q975")}
    basis = found.basis.iloc[0]
    return {**numbers, "effect": words["effect"], "pre_trend": words.get("pre_trend", ""),
            "engine": basis["engine"], "leads_engine": basis["leads_engine"]}  # fmt: skip


def read(store: Store) -> dict[Family, pd.DataFrame]:
    """The worlds of each family that were estimated."""
    return {family: table for family in FAMILIES if (table := store.table(name(family))) is not None}

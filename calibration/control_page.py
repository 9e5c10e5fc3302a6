"""The part of docs/calibration.md on the negative control of the attributable effect."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from calibration.control import name, read
from calibration.effect_worlds import SPREAD, params_of
from calibration.replicates import Store
from calibration.tables import table_of
from collabeval.params import Family

SAID = ("better", "worse")
HEAD = ("family", "worlds", "`better` or `worse`", "rate, % (95 % interval)", "interval without 0",
        "rate, % (95 % interval)", "`diverging`", "rate, % (95 % interval)", "mean estimate (standard error)",
        "by NUTS")  # fmt: skip


def write(store: Store) -> dict[str, str]:
    """Result files; what the page's text is filled with."""
    studies = read(store)
    for family, table in studies.items():
        store.keep(name(family), table)
    return {
        "control": table_of(HEAD, [row(family, table) for family, table in studies.items()]),
        "control_worlds": ", ".join(f"{len(table)} {family}" for family, table in studies.items()) or "none yet",
        "control_sd": f"{SPREAD:g}",
        "nominal": f"{100 * nominal():.0f}",
    }


def nominal() -> float:
    """How often an effect may be named where there is none: both sides of `rules.level` together."""
    return 2 * (1 - params_of("binomial").rules.level)


def row(family: Family, table: pd.DataFrame) -> list[str]:
    """One family's row of the table."""
    named = table["effect"].isin(SAID)
    beyond = (table["q025"] > 0) | (table["q975"] < 0)
    diverging = table["pre_trend"].eq("diverging")
    counts = [text for what in (named, beyond, diverging) for text in (str(int(what.sum())), rate(what))]
    by_nuts = (table["engine"].eq("nuts") | table["leads_engine"].eq("nuts")).sum()
    return [family, str(len(table)), *counts, mean(table["mean"].to_numpy(float)), str(int(by_nuts))]


def rate(what: pd.Series) -> str:
    """Share in per cent with its exact 95 % interval (Clopper & Pearson 1934)."""
    found = binomtest(int(what.sum()), len(what))
    low, high = found.proportion_ci(0.95, "exact")
    return f"{100 * found.statistic:.1f} ({100 * low:.1f} to {100 * high:.1f})"


def mean(estimates: np.ndarray) -> str:
    """Mean over worlds and its standard error, in per cent of cases or the measure's unit."""
    if len(estimates) < 2:
        return "–"
    error = estimates.std(ddof=1) / np.sqrt(len(estimates))
    return f"{estimates.mean():.3f} ({error:.3f})".replace("-", "−")

"""The calls of a public reporting programme, reproduced by its stated rule as a check on this package."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import gammainccinv, gammaincinv, ndtri

from collabeval.classical.limits import Array

PoissonLimits = Literal["exact", "byar"]


def official_calls(outcomes: pd.DataFrame, limits: PoissonLimits = "exact") -> pd.DataFrame:
    """Risk-adjusted rates and calls of hospitals by the rule of the New York State Department of Health.

    The rate is (observed ÷ expected) × the statewide rate of the period, per 100. Its interval comes from the 95 %
    limits of the observed count, `exact` Poisson or by Byar's approximation (Breslow & Day 1987, p. 69), which the
    published intervals follow. The call is `higher` or `lower` where the interval leaves the statewide rate out.

    Parameters
    ----------
    outcomes : DataFrame with `site, period, numerator, denominator, expected`; every hospital of a period.

    Returns
    -------
    DataFrame with `site, period, statewide_rate, risk_adjusted_rate, lower, upper, call`, in the order of `outcomes`.
    """
    table = outcomes[["site", "period"]].copy()
    periods = outcomes.groupby("period")
    table["statewide_rate"] = 100 * periods["numerator"].transform("sum") / periods["denominator"].transform("sum")
    per_event = table["statewide_rate"] / outcomes["expected"]
    low, high = _count_limits(outcomes["numerator"].to_numpy(float), limits)
    table["risk_adjusted_rate"] = outcomes["numerator"] * per_event
    table["lower"], table["upper"] = low * per_event, high * per_event
    higher, lower = table["lower"] > table["statewide_rate"], table["upper"] < table["statewide_rate"]
    return table.assign(call=np.select([higher, lower], ["higher", "lower"], ""))


def _count_limits(count: Array, limits: PoissonLimits) -> tuple[Array, Array]:
    """95 % limits of the mean behind a Poisson count; the lower one is 0 where no event was seen."""
    positive, next_count = np.maximum(count, 1), count + 1
    if limits == "exact":
        low, high = gammaincinv(positive, 0.025), gammainccinv(next_count, 0.025)
    else:
        z = -ndtri(0.025)
        low = positive * (1 - 1 / (9 * positive) - z / (3 * np.sqrt(positive))) ** 3
        high = next_count * (1 - 1 / (9 * next_count) + z / (3 * np.sqrt(next_count))) ** 3
    return np.where(count > 0, low, 0.0), high

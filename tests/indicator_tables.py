"""Invented tables of indicators as the contract leaves them, for tests of what is made of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from collabeval.params import Params

CASES, USUAL, VALUE = 40, 0.8, 30.0


def indicator_rows(
    params: Params,
    sites: Sequence[str],
    year: int,
    generator: np.random.Generator,
    years: int = 2,
    usual: float = USUAL,
) -> pd.DataFrame:
    """Rows by half-year of every indicator of `params`, `years` years up to `year`: sites differ, near the target."""
    rows = []
    for indicator in params.indicators:
        places = list(sites) if indicator.level == "site" else [""]
        own = generator.normal(0, 0.5, len(places))
        for number in range(2 * years):
            when = pd.Timestamp(year - number // 2, 1 + 6 * (number % 2), 1)
            usual = USUAL if indicator.family != "binomial" else (indicator.target or 100 * USUAL) / indicator.per
            share = 1 / (1 + np.exp(-np.log(usual / (1 - usual)) - own))
            cases = generator.integers(CASES // 2, CASES, len(places)).astype(float)
            counted = indicator.family != "normal"
            events = generator.binomial(cases.astype(int), share).astype(float)
            value = VALUE * (1 + 0.05 * own + generator.normal(0, 0.1, len(places)))
            rows.append(pd.DataFrame({
                "site": places, "period": f"{when.year}H{1 + number % 2}", "indicator": indicator.id,
                "numerator": events if counted else np.nan, "denominator": cases if counted else np.nan,
                "value": np.nan if counted else value, "starts": when, "ends": when + pd.DateOffset(months=6),
            }))  # fmt: skip
    return pd.concat(rows, ignore_index=True)

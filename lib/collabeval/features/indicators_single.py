"""Indicators without sites: what one number a year, or a few, say of the way of working behind them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FEWEST_FREEDOM = 3  # fewer say next to nothing of the spread: then the value stands without interval


def single_count(events: float, cases: float, binomial: bool, generator: np.random.Generator, draws: int) -> np.ndarray:
    """Draws (S,) of the share or rate behind one count, with Jeffreys' prior: Beta(½, ½), or Gamma(½, 0)."""
    if binomial:
        return generator.beta(events + 0.5, cases - events + 0.5, draws)
    return generator.gamma(events + 0.5, 1 / cases, draws)


def single_values(years: Sequence[np.ndarray], generator: np.random.Generator, draws: int) -> list[np.ndarray | None]:
    """Draws (S,) of the mean behind the values of each year, with one spread for all years; None where that is unknown.

    Values ~ Normal(mean of their year, σ²) with the reference prior, flat in the means and in log σ: the means follow t
    distributions with as many degrees of freedom as there are values beyond one a year.
    """
    freedom = sum(len(values) - 1 for values in years)
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in years)
    if freedom < FEWEST_FREEDOM or squares == 0:
        return [None for _ in years]
    sigma = np.sqrt(squares / generator.chisquare(freedom, draws))
    return [values.mean() + sigma * generator.standard_normal(draws) / np.sqrt(len(values)) for values in years]

"""Money of different years: brought to the prices of one year, and discounted to one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from collabeval.errors import UsageError
from collabeval.params import Value


def price_factors(value: Value, years: ArrayLike, inflation: float | None = None) -> np.ndarray:
    """What brings amounts of these years to the prices of the price year.

    I(price year) / I(year) with a price index I, or (1 + i)^(price year − year) with inflation i (Drummond, Sculpher,
    Claxton, Stoddart & Torrance, Methods for the Economic Evaluation of Health Care Programmes, 4th ed., Oxford 2015,
    ch. 7). Without either, amounts are taken to be in those prices already.

    Parameters
    ----------
    years : whole years (n,). inflation : another rate than that of params.

    Raises
    ------
    UsageError
        The price index lacks one of the years.
    """
    whole = np.asarray(years, dtype=int)
    if value.price_index is not None:
        missing = sorted({str(year) for year in whole.ravel()} - set(value.price_index))
        if missing:
            raise UsageError(f"value.price_index lacks {', '.join(missing)} → add what prices were in these years")
        index = np.array([value.price_index[str(year)] for year in whole.ravel()]).reshape(whole.shape)
        return value.price_index[str(value.price_year)] / index
    rate = value.inflation if inflation is None else inflation
    return (1.0 + (rate or 0.0)) ** (value.price_year - whole).astype(float)


def discount_factors(rate: float, years: ArrayLike, base: int) -> np.ndarray:
    """Present value at `base` of one unit of money in each of these years: (1 + r)^−(year − base).

    The first year is not discounted: costs fall at the beginning of their year (Drummond et al. 2015, ch. 7; the other
    convention, at its end, divides all of them by 1 + r once more).
    """
    return (1.0 + rate) ** -(np.asarray(years, dtype=float) - base)

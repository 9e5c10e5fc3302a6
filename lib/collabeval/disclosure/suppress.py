"""Primary suppression: counts from 1 to k−1 are not shown, nor anything from which one could be worked back.

`k` is `report.minimum_cell`. Secondary suppression (a hidden count as the difference of shown ones) is not done here,
which is why nothing is published outside the run's own folder yet.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

# steps of the coarse grid on which the intervals of sites with a hidden count are shown: each holds several counts
GRID = (1.0, 2.0, 5.0, 10.0)
FLOORS = (0.5, 0.8, 0.9, 0.95, 0.975, 0.99)  # of a chance that rests on a hidden count the last it reaches is told
POINTS = ("mean", "sd", "q25", "q50", "q75")


def small(counts: pd.Series, minimum_cell: int) -> pd.Series:
    """Which counts lie in 1..minimum_cell−1; zero and missing do not."""
    return counts.gt(0) & counts.lt(minimum_cell)


def suppress(counts: pd.Series, minimum_cell: int) -> pd.Series:
    """Blank counts of 1..minimum_cell−1; a true zero stays zero."""
    return counts.mask(small(counts, minimum_cell))


def hides_numerator(cells: pd.DataFrame, complement: bool, minimum_cell: int) -> pd.Series:
    """Which rows must not show their numerator, nor a rate made of it.

    A numerator is hidden where it is small, where its denominator is (so few people that any count tells), and, for
    shares of a whole (`complement`), where the number without the event is small: 812 of 820 tells of eight people.
    """
    hidden = small(cells["numerator"], minimum_cell) | small(cells["denominator"], minimum_cell)
    if complement:
        hidden |= small(cells["denominator"] - cells["numerator"], minimum_cell)
    return hidden


def coarse(value: float, upwards: bool) -> float:
    """The next step of the coarse grid beyond `value`, upwards or downwards: 0.39 → 0.2 or 0.5, 1.06 → 1 or 2."""
    if not math.isfinite(value) or value == 0:
        return value
    if value < 0:
        return -coarse(-value, not upwards)
    power = 10.0 ** math.floor(math.log10(value))
    steps = [power * step for step in GRID]
    if upwards:
        return round(min(step for step in steps if step >= value * (1 - 1e-9)), 10)
    return round(max(step for step in steps if step <= value * (1 + 1e-9)), 10)


def coarsen(table: pd.DataFrame, hidden: pd.Series) -> pd.DataFrame:
    """Drop the point estimates of the hidden rows and widen their 95% intervals to the coarse grid."""
    table = table.copy()
    present = [name for name in POINTS if name in table]
    table.loc[hidden, present] = np.nan
    table.loc[hidden, "q025"] = [coarse(value, upwards=False) for value in table.loc[hidden, "q025"]]
    table.loc[hidden, "q975"] = [coarse(value, upwards=True) for value in table.loc[hidden, "q975"]]
    return table

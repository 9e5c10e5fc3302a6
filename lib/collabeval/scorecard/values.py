"""What a scorecard scores: one value per site as recorded, and draws of the true one, on the display scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Values:
    """One measure, indicator or scorecard, for J sites with S draws; draws of shape (J, 1) are known without error.

    `weight` is what a site weighs in a mean over cases: its cases, or for an adjusted rate its expected events over the
    expected rate of the collaborative, so that such a mean is the ratio of the sums. `per` events more per unit of
    weight move the value by 1: ``value = per * events / weight``; NaN where the value counts nothing.
    """

    observed: np.ndarray  # (J,) NaN without data
    draws: np.ndarray  # (J, S) or (J, 1)
    cases: np.ndarray  # (J,) 0 without data
    weight: np.ndarray  # (J,) 0 without data
    waived: np.ndarray  # (J,) bool: a waiver covers the whole window
    per: float = np.nan

    @property
    def exact(self) -> Values:
        """The same without chance: what was recorded is what is scored."""
        return replace(self, draws=self.observed[:, None])

    @property
    def events(self) -> np.ndarray:
        """Recorded events (J,); NaN where none are counted."""
        return self.observed * self.weight / self.per


def known(observed: Sequence[float] | np.ndarray, cases: np.ndarray | None = None) -> Values:
    """Values without error, such as a count of meetings; every site weighs the same unless `cases` are given."""
    values = np.asarray(observed, dtype=float)
    present = np.isfinite(values)
    weight = np.where(present, 1.0 if cases is None else cases, 0.0)
    nobody = np.zeros(len(values), dtype=bool)
    return Values(values, values[:, None], weight, weight, nobody)


def pooled(values: Values, units: np.ndarray, mean: str) -> Values:
    """The mean of each unit, given to every site in it.

    Parameters
    ----------
    units : (J,) text, the unit of each site; a blank one belongs to none and has no value.
    mean : `cases` (every case weighs the same) or `sites` (every site does).

    A site that is waived, or has no data, is not in its unit's mean; it is scored on that mean all the same, unless it
    is waived itself.
    """
    present = np.isfinite(values.observed) & (values.weight > 0)
    share = np.where(present, values.weight if mean == "cases" else 1.0, 0.0)
    names, position = np.unique(units, return_inverse=True)
    member = (position[None, :] == np.arange(len(names))[:, None]) & (names != "")[:, None]
    by_share = member * share
    total = by_share.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = by_share @ np.where(present, values.observed, 0.0) / total
        draws = by_share @ np.where(present[:, None], values.draws, 0.0) / total[:, None]
    return Values(
        observed=observed[position],
        draws=draws[position],
        cases=(member @ values.cases)[position],
        weight=(member @ values.weight)[position],
        waived=values.waived,
        per=values.per if mean == "cases" else np.nan,
    )

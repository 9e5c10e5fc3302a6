"""How far raters agree beyond chance: Krippendorff's alpha for ordered categories."""

from __future__ import annotations

import numpy as np
import pandas as pd


def krippendorff_alpha(values: np.ndarray) -> float:
    """Krippendorff's alpha, ordinal: 1 − observed / expected disagreement; NaN where it cannot be told.

    Pairs of values of one unit disagree by δ²(c, k) = (Σ of n_g from c to k, less half of the ends' n)², n_g being how
    often value g occurs among those that can be paired.

    Parameters
    ----------
    values : float (raters, units), NaN where a rater left a unit out.

    References
    ----------
    Krippendorff (2011), Computing Krippendorff's alpha-reliability, University of Pennsylvania.
    """
    paired = values[:, np.isfinite(values).sum(axis=0) >= 2]
    found = np.unique(paired[np.isfinite(paired)])
    if len(found) < 2:
        return float("nan")
    counts = (paired[:, :, None] == found).sum(axis=0)  # (units, categories)
    raters = counts.sum(axis=1, keepdims=True)
    together = np.einsum("uc,uk->ck", counts / (raters - 1), counts) - np.diag((counts / (raters - 1)).sum(axis=0))
    often = together.sum(axis=1)
    below = np.cumsum(often) - often / 2  # Σ up to the middle of each category
    apart = (below[:, None] - below[None, :]) ** 2
    expected = (often[:, None] * often[None, :] * apart).sum()
    return float(1 - (often.sum() - 1) * (together * apart).sum() / expected)


def alpha_of(rows: pd.DataFrame) -> float:
    """Alpha of scores by `rater` of `feature`."""
    return krippendorff_alpha(rows.pivot_table(index="rater", columns="feature", values="score").to_numpy(dtype=float))

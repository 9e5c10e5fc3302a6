"""How much of an award is noise: what is paid on the data against what the true values would have earned."""

from __future__ import annotations

import numpy as np


def noise_share(paid: np.ndarray, earned: np.ndarray) -> float:
    """One less the squared correlation of what is paid (J,) and what would have been earned (J, S), over the sites.

    The share of the differences between sites in what is paid that true differences do not account for: with points
    that rise evenly with a normal value it is one less the reliability of the value. Variances and covariance are
    averaged over the draws before they are divided. NaN where sites do not differ in what they are paid.
    """
    apart, together, true = _moments(paid, earned)
    if not apart > 0:
        return float("nan")
    return float(1 - together.mean() ** 2 / (apart * true.mean())) if true.mean() > 0 else 1.0


def noise_interval(paid: np.ndarray, earned: np.ndarray, levels: tuple[float, ...]) -> np.ndarray:
    """Quantiles over the draws of the same share in a single draw; NaN as there."""
    apart, together, true = _moments(paid, earned)
    if not apart > 0:
        return np.full(len(levels), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(true > 0, 1 - together**2 / (apart * true), 1.0)
    return np.quantile(shares, levels)


def _moments(paid: np.ndarray, earned: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Variance of what is paid, and by draw its covariance with, and the variance of, what would be earned."""
    own = paid - paid.mean() if len(paid) else paid
    others = earned - earned.mean(axis=0) if len(paid) else earned
    apart = float((own**2).mean()) if len(paid) else 0.0
    if apart <= 1e-18 * float((paid**2).max(initial=0.0)):
        apart = 0.0
    return apart, (own[:, None] * others).mean(axis=0), (others**2).mean(axis=0)


def too_much(paid: np.ndarray, earned: np.ndarray) -> float:
    """Expected sum over the sites of what is paid beyond what would have been earned."""
    return float(np.clip(paid[:, None] - earned, 0, None).mean(axis=1).sum())


def too_little(paid: np.ndarray, earned: np.ndarray) -> float:
    """Expected sum over the sites of what would have been earned beyond what is paid."""
    return float(np.clip(earned - paid[:, None], 0, None).mean(axis=1).sum())

"""From values to points: tiers, steps or lines, ties on the reader's side."""

from __future__ import annotations

import numpy as np

from collabeval.params.scorecards import Part

TIE = 1e-9  # relative: a value that differs from a threshold in its last bits only lies on it


def reached(values: np.ndarray, thresholds: np.ndarray, better: str) -> np.ndarray:
    """Which thresholds each value reaches, shape (*values.shape, K); a value on one reaches it, NaN reaches none."""
    sign = 1.0 if better == "higher" else -1.0
    slack = TIE * np.maximum(1.0, np.abs(thresholds))
    return sign * (values[..., None] - thresholds) >= -slack


def tier_of(values: np.ndarray, part: Part, better: str) -> np.ndarray:
    """The best tier reached: 0 for none, k for the k-th from the easiest up."""
    thresholds = np.array([tier.at for tier in part.ordered])
    return reached(values, thresholds, better).sum(axis=-1, dtype=np.int8)


def points_of(values: np.ndarray, part: Part, better: str) -> np.ndarray:
    """Points of each value, scaled so that the best tier earns the weight of the line; NaN for NaN."""
    worth = np.array([tier.points for tier in part.ordered]) * (part.worth / part.ordered[-1].points)
    if part.between == "line":
        points = _on_lines(values, part, better, worth)
    else:
        points = np.concatenate([[0.0], worth])[tier_of(values, part, better)]
    return np.where(np.isnan(values), np.nan, points)


def _on_lines(values: np.ndarray, part: Part, better: str, worth: np.ndarray) -> np.ndarray:
    """Evenly from threshold to threshold; none before the first, no more after the last."""
    sign = 1.0 if better == "higher" else -1.0
    thresholds = sign * np.array([tier.at for tier in part.ordered])
    inside = np.interp(sign * values, thresholds, worth)
    first = reached(values, np.array([part.ordered[0].at]), better)[..., 0]
    return np.where(first, inside, 0.0)


def shortfall(values: np.ndarray, part: Part, better: str) -> np.ndarray:
    """How far each value is from each tier, (J, K) easiest first, on the display scale; 0 where it is reached."""
    sign = 1.0 if better == "higher" else -1.0
    thresholds = np.array([tier.at for tier in part.ordered])
    away = sign * (thresholds - values[:, None])
    return np.where(reached(values, thresholds, better), 0.0, away)


def events_needed(values: np.ndarray, weight: np.ndarray, per: float, part: Part, better: str) -> np.ndarray:
    """The same in whole events among as many cases (J, K): fewer where lower is better, more where higher is.

    NaN where the value counts no events.
    """
    thresholds = np.array([tier.at for tier in part.ordered])
    had = values * weight / per
    needed = thresholds * weight[:, None] / per
    slack = TIE * np.maximum(1.0, np.abs(needed))
    had = had[:, None]
    gap = np.ceil(needed - slack) - had if better == "higher" else had - np.floor(needed + slack)
    gap = np.where(np.isfinite(gap), np.ceil(gap - TIE * np.maximum(1.0, np.abs(gap))), np.nan)
    return np.where(reached(values, thresholds, better), 0.0, gap)

"""From the points of the lines to the points of the scorecard: rules, best N of M, skipped lines, gates, awards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collabeval.params.scorecards import Scorecard
from collabeval.scorecard.points import TIE


@dataclass(frozen=True)
class Lines:
    """What is put together, for P lines, J sites and S draws (S = 1 for what was recorded)."""

    points: np.ndarray  # (P, J, S), after the gates that guard single lines
    counted: np.ndarray  # (P, J) bool: not skipped
    worth: np.ndarray  # (P,) points of each line at its best
    kept: np.ndarray  # (J, S) share that the gates of the whole scorecard leave


def total(card: Scorecard, lines: Lines) -> np.ndarray:
    """Points of the scorecard (J, S); NaN for a site of which every line is skipped."""
    if card.rule == "sum":
        summed = _best(card, lines) if card.best else _sums(lines.points, lines.counted, lines.worth)
        scored = card.total * summed
    else:
        scored = card.total * _enough(card, lines)
    return np.where(lines.counted.any(axis=0)[:, None], scored * lines.kept, np.nan)


def _sums(points: np.ndarray, counted: np.ndarray, worth: np.ndarray) -> np.ndarray:
    """Points earned over points to be had among the lines that are counted, (J, S)."""
    weight = np.where(counted, worth[:, None], 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(counted[:, :, None], points, 0.0).sum(axis=0) / weight.sum(axis=0)[:, None]


def _best(card: Scorecard, lines: Lines) -> np.ndarray:
    """The same for the best lines of each site in each draw.

    Lines are taken by the share of their points, preferred ones first; among equals the heavier, then the one that
    stands first, so that a tie never costs a point.
    """
    assert card.best is not None
    share = np.where(lines.counted[:, :, None], lines.points / lines.worth[:, None, None], -1.0)
    first = np.array([code in card.preferred for code in card.parts], dtype=float)
    lead = np.where(lines.counted, first[:, None], 0.0)[:, :, None]  # shares lie within 0..1: a whole point ahead
    tiebreak = TIE * lines.worth / lines.worth.max()
    rank = np.argsort(-(share + 2 * lead + tiebreak[:, None, None]), axis=0, kind="stable")
    chosen = np.zeros(share.shape, dtype=bool)
    np.put_along_axis(chosen, rank[: card.best], values=True, axis=0)
    chosen &= lines.counted[:, :, None]
    weight = np.where(chosen, lines.worth[:, None, None], 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(chosen, lines.points, 0.0).sum(axis=0) / weight.sum(axis=0)


def _enough(card: Scorecard, lines: Lines) -> np.ndarray:
    """1 where enough lines are at full marks, else 0 (J, S); skipped lines lower what is needed in proportion."""
    full = lines.points >= lines.worth[:, None, None] * (1 - TIE)
    met = (full & lines.counted[:, :, None]).sum(axis=0)
    needed = len(card.parts) if card.needed is None else card.needed
    asked = np.ceil(needed * lines.counted.sum(axis=0) / len(card.parts) - TIE)
    return (met >= asked[:, None]).astype(float)


def award_of(card: Scorecard, points: np.ndarray) -> np.ndarray:
    """The best award of each number of points: 0 for none, k for the k-th from the lowest up."""
    levels = np.array([award.at for award in card.steps])
    return (points[..., None] >= levels - TIE * card.total).sum(axis=-1)


def money_of(card: Scorecard, points: np.ndarray, at_stake: np.ndarray) -> np.ndarray:
    """Money for points (J, S): amount of the award, points at their price, share of what the site could earn (J,)."""
    amounts = np.array([0.0, *(award.amount for award in card.steps)])
    earned = np.nan_to_num(points)
    money = amounts[award_of(card, points)] + card.money.per_point * earned
    return money + at_stake[:, None] * earned / card.total

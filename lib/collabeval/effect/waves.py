"""Waves of units that joined at about the same time, and their event times before the reference."""

from __future__ import annotations

import numpy as np
import pandas as pd

from collabeval.models.design import Design
from collabeval.models.waves import Waves

FEWEST = 3  # units of a wave: with fewer, its mean would be hardly more than one unit's own
MOST_LEADS = 12  # event times with a lead of their own; the last stands for all before it


def waves_of(rows: pd.DataFrame, design: Design, leads: bool, anticipation: int = 0) -> Waves:
    """Waves of the design's units, and leads of its cells where they are asked for.

    Parameters
    ----------
    rows : the untreated rows (`layout.COLUMNS`) that the design was read from, in its order.
    anticipation : periods before joining that are left out; the reference is the last period before those.
    """
    joined = rows.groupby("unit")["joined"].first().reindex(design.sites).to_numpy()
    wave = merged(joined)
    labels = tuple(f"{step}" for step in _starts(joined, wave))
    lead = np.full(len(rows), -1)
    event_times: tuple[int, ...] = ()
    if leads:
        lead, event_times = _leads(rows, -1 - anticipation)
    return Waves(wave.astype(np.int64), labels[1:], lead.astype(np.int64), event_times)


def merged(joined: np.ndarray) -> np.ndarray:
    """Wave of each unit (J,), from its step of joining: 0 for who joins last or never, then from the first to join.

    Steps of joining follow each other into one wave until it has `FEWEST` units; a last one with fewer goes with the
    wave before it.
    """
    never = joined == joined.max()
    others = np.sort(np.unique(joined[~never]))
    wave, number, members = np.zeros(len(joined), dtype=int), 1, 0
    for step in others:
        wave[joined == step] = number
        members += int((joined == step).sum())
        if members >= FEWEST:
            number, members = number + 1, 0
    if members and number > 1:
        wave[wave == number] = number - 1
    return wave


def _starts(joined: np.ndarray, wave: np.ndarray) -> list[int]:
    return [int(joined[wave == number].min()) for number in range(wave.max() + 1)]


def lead_times(rows: pd.DataFrame, reference: int) -> tuple[int, ...]:
    """Event times before the reference at which untreated rows show the course of joiners; () if none does."""
    return _leads(rows, reference)[1]


def _leads(rows: pd.DataFrame, reference: int) -> tuple[np.ndarray, tuple[int, ...]]:
    """Lead of each cell, and the event times they stand for; those who join last or never have none."""
    has = rows["joined"].ne(rows["joined"].max()) & rows["event_time"].lt(reference)
    first = reference - MOST_LEADS
    times = rows["event_time"].clip(lower=first).where(has)
    found = np.sort(times.dropna().unique()).astype(int)
    position = pd.Series(np.arange(len(found)), index=found)
    return times.map(position).fillna(-1).to_numpy(dtype=int), tuple(int(time) for time in found)

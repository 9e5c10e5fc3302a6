"""What is waived for which site: a stretch of time at least half the days of which lie within one waiver."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from collabeval import periods as period_texts
from collabeval.params import Periods

HALF = 0.5
Span = tuple[pd.Timestamp, pd.Timestamp] | None  # first day and the day after the last; None where there are no periods


def waived(waivers: pd.DataFrame | None, name: str, sites: Sequence[str], spans: Sequence[Span]) -> np.ndarray:
    """Whether each stretch of time is waived for each site, (J, T).

    Parameters
    ----------
    waivers : DataFrame with site, from, to (its last day; a blank one is open), measure ("" waives all); None for none.
    name : the measure or indicator that is looked at.
    spans : None is waived by any waiver of the site.
    """
    found = np.zeros((len(sites), len(spans)), dtype=bool)
    if waivers is None or waivers.empty:
        return found
    place = {site: row for row, site in enumerate(sites)}
    rows = waivers[waivers["measure"].isin([name, ""]) & waivers["site"].isin(sites)]
    for site, first, last in zip(rows["site"], rows["from"], rows["to"], strict=True):
        found[place[site]] |= [span is None or share_within(span, first, last) >= HALF for span in spans]
    return found


def share_within(span: tuple[pd.Timestamp, pd.Timestamp], first: pd.Timestamp, last: pd.Timestamp) -> float:
    """Share of the days of `span` that lie from `first` to `last`, both included; a blank end is open."""
    start, end = span
    opened = start if pd.isna(first) else max(start, first)
    closed = end if pd.isna(last) else min(end, last + pd.Timedelta(days=1))
    return max(0.0, (closed - opened) / (end - start))


def spans_of(labels: Sequence[str], periods: Periods) -> list[Span]:
    """The days of each period; None for "" (data without periods)."""
    if periods.length == "none":
        return [None] * len(labels)
    parsed = [period_texts.parse(label, periods.length, periods.year_starts) for label in labels]
    return [(pd.Timestamp(period.start), pd.Timestamp(period.end)) for period in parsed]

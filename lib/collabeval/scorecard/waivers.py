"""Which periods are waived for which site: at least half the days of a period lie within the waiver."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from collabeval import periods as period_texts
from collabeval.params import Periods

HALF = 0.5


def waived(
    waivers: pd.DataFrame | None,
    names: Collection[str],
    sites: Sequence[str],
    labels: Sequence[str],
    periods: Periods,
) -> np.ndarray:
    """Whether each period of each site is waived, (J, T).

    Parameters
    ----------
    waivers : DataFrame with site, from, to (a blank end is open), measure ("" waives everything); None for none.
    names : what the line is called: its own code, and that of the measure or indicator it looks at.
    labels : periods of the window; "" (data without periods) is waived by any waiver of the site.
    """
    found = np.zeros((len(sites), len(labels)), dtype=bool)
    if waivers is None or waivers.empty:
        return found
    place = {site: row for row, site in enumerate(sites)}
    rows = waivers[waivers["measure"].isin([*names, ""]) & waivers["site"].isin(sites)]
    for site, first, last in zip(rows["site"], rows["from"], rows["to"], strict=True):
        found[place[site]] |= [_covers(first, last, label, periods) for label in labels]
    return found


def _covers(first: pd.Timestamp, last: pd.Timestamp, label: str, periods: Periods) -> bool:
    if label == "" or periods.length == "none":
        return True
    period = period_texts.parse(label, periods.length, periods.year_starts)
    start, end = pd.Timestamp(period.start), pd.Timestamp(period.end)
    opened = start if pd.isna(first) else max(start, first)
    closed = end if pd.isna(last) else min(end, last + pd.Timedelta(days=1))  # the last day is waived too
    return bool((closed - opened) / (end - start) >= HALF)

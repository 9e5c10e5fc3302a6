"""Values of an indicator from the table of indicators."""

from __future__ import annotations

import numpy as np
import pandas as pd

from collabeval.params.scorecards import Source
from collabeval.scorecard.values import Values
from collabeval.scorecard.waivers import HALF, Span, share_within, waived

JEFFREYS = 0.5  # Beta(1/2, 1/2) for shares, Gamma(1/2, 0) for rates
YEAR = pd.DateOffset(years=1)


def of_indicator(
    table: pd.DataFrame,
    line: Source,
    sites: np.ndarray,
    window: Span,
    waivers: pd.DataFrame | None,
    generator: np.random.Generator,
    draws: int,
) -> Values:
    """Values of every site of `sites` (J,): counts summed, or values put together, over the periods of the window.

    The true share behind a numerator and a denominator is drawn from its Beta posterior under Jeffreys' prior
    Beta(1/2, 1/2); where events outnumber the denominator the true rate from Gamma(events + 1/2, denominator); a value
    without denominator is taken as it stands. A line scored on the collaborative takes the rows without a site where
    the table has some.

    Parameters
    ----------
    table : DataFrame with indicator, site, numerator, denominator, value, and the days its period `starts` and `ends`.
    window : rows at least half within it count; None: those of the year up to the last row.
    """
    assert line.indicator is not None
    rows = in_window(table[table["indicator"].eq(line.indicator)], window)
    whole = rows[rows["site"].eq("")]
    if line.unit == "collaborative" and len(whole):
        rows = whole.drop(columns="site").merge(pd.DataFrame({"site": sites}), how="cross")
    rows = rows[rows["site"].isin(sites)]
    spans: list[Span] = list(dict.fromkeys(zip(rows["starts"], rows["ends"], strict=True)))
    off = waived(waivers, line.indicator, list(sites), spans or [window])
    site = {code: place for place, code in enumerate(sites)}
    time = {span: place for place, span in enumerate(spans)}
    where = zip(rows["site"], zip(rows["starts"], rows["ends"], strict=True), strict=True)
    kept = np.array([not off[site[code], time[span]] for code, span in where], dtype=bool)
    rows, wholly = rows[kept], off.all(axis=1)
    if rows["denominator"].notna().any():
        return _counted(rows, sites, wholly, line.per, generator, draws)
    return _valued(rows, sites, wholly, line.over_periods)


def in_window(rows: pd.DataFrame, window: Span) -> pd.DataFrame:
    """Rows of which at least half the days lie in the window."""
    if rows.empty:
        return rows
    start, end = window or (rows["ends"].max() - YEAR, rows["ends"].max())
    last = end - pd.Timedelta(days=1)
    spans = zip(rows["starts"], rows["ends"], strict=True)
    return rows[[share_within(span, start, last) >= HALF for span in spans]]


def _counted(
    rows: pd.DataFrame, sites: np.ndarray, off: np.ndarray, per: int, generator: np.random.Generator, draws: int
) -> Values:
    sums = rows.groupby("site")[["numerator", "denominator"]].sum(min_count=1).reindex(sites)
    events, size = sums["numerator"].to_numpy(float), sums["denominator"].to_numpy(float)
    present = size > 0
    share, rate = present & (events <= size), present & (events > size)
    drawn = np.full((len(sites), draws), np.nan)
    hits, misses = events[share] + JEFFREYS, (size - events)[share] + JEFFREYS
    drawn[share] = generator.beta(hits, misses, size=(draws, int(share.sum()))).T
    drawn[rate] = (generator.gamma(events[rate] + JEFFREYS, size=(draws, int(rate.sum()))) / size[rate]).T
    observed = np.divide(per * events, size, out=np.full(len(sites), np.nan), where=present)
    weight = np.where(present, size, 0.0)
    return Values(observed, per * drawn, weight, weight, off, per)


def _valued(rows: pd.DataFrame, sites: np.ndarray, off: np.ndarray, over_periods: str) -> Values:
    groups = rows.sort_values("starts").groupby("site")["value"]
    values = getattr(groups, over_periods)().reindex(sites).to_numpy(float)
    present = np.isfinite(values).astype(float)
    return Values(values, values[:, None], present, present, off)

"""Values of an indicator from the table of indicators."""

from __future__ import annotations

import numpy as np
import pandas as pd

from collabeval.panel import Window, windows
from collabeval.params import Periods
from collabeval.scorecard.values import Values
from collabeval.scorecard.waivers import waived

JEFFREYS = 0.5


def of_indicator(
    table: pd.DataFrame, name: str, sites: np.ndarray, periods: Periods, waivers: pd.DataFrame | None,
    names: set[str], per: int, over_periods: str, generator: np.random.Generator, draws: int,
) -> Values:  # fmt: skip
    """Values of every site of `sites` (J,): counts summed, or values put together, over the periods of the window.

    The true share behind a numerator and a denominator is drawn from its Beta posterior under Jeffreys' prior
    Beta(1/2, 1/2), a rate above one per unit from Gamma(events + 1/2, denominator); a value without denominator is taken
    as it stands. Rows without a period count in every window.
    """
    rows = in_window(table[table["indicator"].eq(name) & table["site"].isin(sites)], periods)
    labels = sorted(set(rows["period"]))
    off = waived(waivers, names, list(sites), labels, periods)
    site = {code: place for place, code in enumerate(sites)}
    label = {text: place for place, text in enumerate(labels)}
    dropped = [off[site[code], label[text]] for code, text in zip(rows["site"], rows["period"], strict=True)]
    rows = rows[~np.array(dropped, dtype=bool)]
    wholly = off.all(axis=1) if labels else waived(waivers, names, list(sites), [""], periods)[:, 0]
    if rows["denominator"].notna().any():
        return _counted(rows, sites, wholly, per, generator, draws)
    return _valued(rows, sites, wholly, over_periods)


def of_collaborative(table: pd.DataFrame, name: str, sites: np.ndarray, periods: Periods, per: int) -> Values | None:
    """Values that the table gives for the collaborative as a whole, the same for every site; None where it has none."""
    rows = in_window(table[table["indicator"].eq(name) & table["site"].eq("")], periods)
    if rows.empty:
        return None
    counted = rows["denominator"].notna().any()
    size = rows["denominator"].sum() if counted else 1.0
    value = per * rows["numerator"].sum() / size if counted else rows["value"].mean()
    shape = (len(sites),)
    observed, weight = np.full(shape, value), np.full(shape, size)
    return Values(observed, observed[:, None], weight, weight, np.zeros(shape, dtype=bool), per if counted else np.nan)


def in_window(rows: pd.DataFrame, periods: Periods) -> pd.DataFrame:
    """The rows of the current window, and those without a period."""
    dated = rows[rows["period"].ne("")]
    if dated.empty or periods.length == "none":
        return rows
    window: Window = windows(periods, dated).current
    return rows[rows["period"].isin([*window.periods, ""])]


def _counted(
    rows: pd.DataFrame, sites: np.ndarray, off: np.ndarray, per: int, generator: np.random.Generator, draws: int
) -> Values:
    sums = rows.groupby("site")[["numerator", "denominator"]].sum(min_count=1).reindex(sites)
    events, size = sums["numerator"].to_numpy(float), sums["denominator"].to_numpy(float)
    drawn = np.full((len(sites), draws), np.nan)
    present = size > 0
    share = present & (events <= size)
    drawn[share] = generator.beta(*_shapes(events[share], size[share]), size=(draws, share.sum())).T
    rate = present & ~share
    drawn[rate] = (generator.gamma(events[rate] + JEFFREYS, size=(draws, rate.sum())) / size[rate]).T
    observed = np.divide(per * events, size, out=np.full(len(sites), np.nan), where=present)
    weight = np.where(present, size, 0.0)
    return Values(observed, per * drawn, weight, weight, off, per)


def _shapes(events: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return events + JEFFREYS, size - events + JEFFREYS


def _valued(rows: pd.DataFrame, sites: np.ndarray, off: np.ndarray, over_periods: str) -> Values:
    groups = rows.sort_values("period").groupby("site")["value"]
    values = getattr(groups, over_periods)().reindex(sites).to_numpy(float)
    present = np.where(np.isfinite(values), 1.0, 0.0)
    return Values(values, values[:, None], present, present, off)

"""The tables of a run about practices: who does what, and what goes with performance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from collabeval import periods as period_texts
from collabeval.estimates import evaluated_measure
from collabeval.estimates.sites import Evaluated
from collabeval.estimates.summaries import QUANTILES
from collabeval.estimates.window_draws import standardise
from collabeval.panel import Window
from collabeval.params import Params
from collabeval.practices import ALIKE, ESTIMATED, FEW, FEWEST_ALIKE, FEWEST_SITES, TABLES
from collabeval.practices.evidence import own_evidence
from collabeval.practices.regression import regress

EFFECTS = ("measure", "practice", "sites", "share", "status", "estimand", "mean", "sd", *QUANTILES, "helps", "matters",
           "harms")  # fmt: skip
ADOPTION = ("practice", "period", "sites", "share")
DOES = 0.5  # share from which a site counts as doing it


def practice_tables(
    params: Params, panel: pd.DataFrame, trees: Mapping[str, xr.DataTree], practices: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """The tables `practices.TABLES` by name.

    Parameters
    ----------
    practices : the table as the contract leaves it, with the days on which its periods start and end.

    Rows of the estimand `effect` are of doing it everywhere instead of nowhere, on the link scale (for means in their
    unit), from the sites' effects in the current window; of `gain` how much better the standardised rate of an average
    site is with it, on the display scale; of `share_explained` (no practice) the share of the variance between sites
    that all practices explain together. `helps` is the probability that it goes with better results, `matters` that it
    does by more than `minimal_difference`, `harms` that it goes with worse ones by more.
    """
    effects = [_of_measure(params, name, panel, tree, practices) for name, tree in trees.items()]
    return dict(zip(TABLES, (pd.concat(effects, ignore_index=True), _adoption(practices)), strict=True))


def _adoption(practices: pd.DataFrame) -> pd.DataFrame:
    """Share of the sites that do it, by practice and period."""
    groups = practices.groupby(["practice", "period"], sort=True)["adopted"]
    table = groups.agg(["size", "mean"]).reset_index().rename(columns={"size": "sites", "mean": "share"})
    return table[list(ADOPTION)]


def _of_measure(
    params: Params, name: str, panel: pd.DataFrame, tree: xr.DataTree, practices: pd.DataFrame
) -> pd.DataFrame:
    found = evaluated_measure(params, name, panel, tree)
    evidence = own_evidence(found.posterior, found.current)
    done = in_window(practices, found.current.window, params).reindex(evidence.sites)
    known = done.notna().any(axis=1).to_numpy()
    table = pd.DataFrame([_described(done[known], str(practice)) for practice in done])
    asked = table.loc[table["status"].eq(ESTIMATED), "practice"].to_list()
    if known.sum() < FEWEST_SITES or not asked:
        table["status"] = table["status"].where(table["status"] != ESTIMATED, FEW)
        return table.reindex(columns=list(EFFECTS)).assign(measure=name)
    values = done.loc[known, asked]
    fitted = regress(
        evidence.effect[known], evidence.variance[known], values.fillna(values.mean()).to_numpy(),
        found.posterior.draws, params.sampling.seed,
    )  # fmt: skip
    rows = pd.DataFrame(_summaries(found, asked, fitted.effects))
    explained = {"practice": "", "sites": int(known.sum()), "status": ESTIMATED, "estimand": "share_explained"}
    explained |= _quantiles(fitted.share)
    table = pd.concat([table.merge(rows, on="practice", how="left"), pd.DataFrame([explained])], ignore_index=True)
    return table.reindex(columns=list(EFFECTS)).assign(measure=name)


def in_window(practices: pd.DataFrame, window: Window, params: Params) -> pd.DataFrame:
    """How far each site does each practice in a window (site × practice), blank where nobody says.

    The mean of the table's rows that overlap the window; where a site has none, its last row before the window's end.
    """
    rows = practices
    if params.periods.length != "none":
        days = [period_texts.parse(label, params.periods.length, params.periods.year_starts)
                for label in window.label.split("/")]  # fmt: skip
        first, last = pd.Timestamp(days[0].start), pd.Timestamp(days[-1].end)
        past = practices[practices["starts"] < last].sort_values("ends")
        within = past[past["ends"] > first]
        key = ["site", "practice"]
        before = past.groupby(key, as_index=False).last()
        seen = pd.MultiIndex.from_frame(within[key])
        rows = pd.concat([within, before[~pd.MultiIndex.from_frame(before[key]).isin(seen)]], ignore_index=True)
    return rows.pivot_table(index="site", columns="practice", values="adopted", aggfunc="mean")


def _described(done: pd.DataFrame, practice: str) -> dict[str, object]:
    """How many sites say whether they do it, the share that does, and whether that can be asked about."""
    values = done[practice].dropna()
    doing, not_doing = int((values >= DOES).sum()), int((values < DOES).sum())
    status = ESTIMATED if min(doing, not_doing) >= FEWEST_ALIKE else ALIKE
    share = float(values.mean()) if len(values) else float("nan")
    return {"practice": practice, "sites": len(values), "share": share, "status": status}


def _summaries(found: Evaluated, asked: list[str], effects: np.ndarray) -> Iterator[dict[str, object]]:
    """Effect and gain of each practice, and its chances; `effects` (K, S) on the scale of the sites' effects."""
    posterior, minimal = found.posterior, found.posterior.measure.minimal_difference
    gains = posterior.good * _changes(found, effects)
    for practice, effect, gain in zip(asked, effects, gains, strict=True):
        row: dict[str, object] = {"practice": practice, "helps": float((posterior.good * effect > 0).mean())}
        if minimal is not None:
            row |= {"matters": float((gain > minimal).mean()), "harms": float((gain < -minimal).mean())}
        yield row | {"estimand": "effect"} | _quantiles(posterior.scale * effect)
        yield row | {"estimand": "gain"} | _quantiles(gain)


def _changes(found: Evaluated, effects: np.ndarray) -> np.ndarray:
    """Change of the standardised rate of an average site (K, S), on the display scale, if it did each practice."""
    posterior, current = found.posterior, found.current
    cells = posterior.cells_of(current.window.periods)
    with_it = standardise(posterior, cells, current.average[None] + effects)
    return posterior.measure.scale * (with_it - current.standardised_average)


def _quantiles(values: np.ndarray) -> dict[str, object]:
    limits = np.quantile(values, list(QUANTILES.values()))
    return {"mean": float(values.mean()), "sd": float(values.std(ddof=1)), **dict(zip(QUANTILES, limits, strict=True))}

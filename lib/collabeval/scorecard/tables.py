"""The results of scored scorecards as tidy tables (docs/data.md)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from collabeval.convergence import quantiles
from collabeval.estimates.summaries import QUANTILES
from collabeval.scorecard.points import events_needed, shortfall
from collabeval.scorecard.score import PartScore, Scored

SPREAD = ("mean", "sd", *QUANTILES)


def sites_table(scored: Scored) -> pd.DataFrame:
    """One row per site: points on the data and expected, chance of another award, money on the data and expected.

    `misclassified` is the probability that the true values would have earned another award than the data do; NaN where
    the scorecard has no awards. `closed` names the gates the site fails on the data.
    """
    table = pd.DataFrame({"scorecard": scored.name, "site": scored.sites, "available": scored.card.total})
    names = np.array(["none", *(step.name for step in scored.card.steps)])
    has = scored.has_points
    table["points"] = scored.points
    spread = _spread(scored.drawn, has)
    table["expected_points"] = spread.pop("mean")
    table = table.join(spread)
    table["award"] = np.where(has & (len(names) > 1), names[scored.award], "")
    other = (scored.drawn_award != scored.award[:, None]).mean(axis=1)
    table["misclassified"] = np.where(has & (len(names) > 1), other, np.nan)
    table["money"] = np.where(has, scored.money, np.nan)
    table["expected_money"] = np.where(has, scored.drawn_money.mean(axis=1), np.nan)
    failed = [[gate.code for gate in scored.gates if not gate.passed[row]] for row in range(len(has))]
    table["closed"] = ["; ".join(codes) for codes in failed]
    return table


def parts_table(scored: Scored) -> pd.DataFrame:
    """One row per line and site: what was recorded, what is known of the true value, points, and whether it counts.

    `per_event` is how much one event more moves the recorded value; `weight` the line's points at its best where it
    counts for the site, before a sum is scaled; `tier` the tier on the data, from 0 (none); `misclassified` the
    probability of another tier, NaN where there is no chance in it.
    """
    parts = [_part(scored, part) for part in scored.parts]
    return pd.concat(parts, ignore_index=True)


def _part(scored: Scored, part: PartScore) -> pd.DataFrame:
    values, used = part.values, part.scored
    table = pd.DataFrame(
        {"scorecard": scored.name, "part": part.code, "site": scored.sites, "kind": part.part.kind,
         "unit": part.part.unit, "status": part.status, "weight": np.where(part.counted, part.part.worth, 0.0)}
    )  # fmt: skip
    seen = ~np.isin(part.status, ["waived", "missing"])
    table["observed"] = np.where(seen, values.observed, np.nan)
    table["events"] = np.where(seen, values.events, np.nan)
    table["cases"] = np.where(seen, values.cases, 0.0)
    weighed = seen & (values.weight > 0)
    table["per_event"] = np.divide(values.per, values.weight, out=np.full(len(seen), np.nan), where=weighed)
    table = table.join(_spread(values.draws, seen))
    table["points"] = np.where(part.counted, part.points, np.nan)
    table["expected_points"] = np.where(part.counted, part.drawn.mean(axis=1), np.nan)
    table["tier"] = np.where(used, part.tier, 0)
    other = (part.drawn_tier != part.tier[:, None]).mean(axis=1)
    by_chance = used & (part.drawn.shape[1] > 1)
    return table.assign(misclassified=np.where(by_chance, other, np.nan))


def _spread(draws: np.ndarray, shown: np.ndarray) -> pd.DataFrame:
    """Mean, sd and quantiles of each row of draws; NaN where not shown; no spread for what is known."""
    table = pd.DataFrame(np.full((len(draws), len(SPREAD)), np.nan), columns=list(SPREAD))
    if not shown.any():
        return table
    some = draws[shown]
    table.loc[shown, "mean"] = some.mean(axis=1)
    if draws.shape[1] > 1:
        table.loc[shown, "sd"] = some.std(axis=1, ddof=1)
        table.loc[shown, list(QUANTILES)] = quantiles(some, list(QUANTILES.values()))
    return table


def tiers_table(scored: Scored) -> pd.DataFrame:
    """One row per site and tier of each line, and per award of the whole (part ""): its chance, and how far it is.

    Tier 0 is none. `probability` is that of being just in this tier; `away` how much is lacking on the data (display
    scale, or points), 0 where it is reached; `events` the same in whole events among as many cases; `gain` the points
    of the line it would add, before a sum is scaled (for an award: the money).
    """
    tables = [_awards(scored), *(_tiers(scored, part) for part in scored.parts)]
    return pd.concat([table for table in tables if len(table)], ignore_index=True)


def _awards(scored: Scored) -> pd.DataFrame:
    steps, has = scored.card.steps, scored.has_points
    names = ["none", *(step.name for step in steps)] if steps else []
    amounts = [0.0, *(step.amount for step in steps)]
    found = []
    for tier, name in enumerate(names):
        at = steps[tier - 1].at if tier else 0.0
        chance = np.where(has, (scored.drawn_award == tier).mean(axis=1), np.nan)
        away = np.where(has, np.where(scored.award >= tier, 0.0, at - scored.points), np.nan)
        gain = np.where(has, np.clip(amounts[tier] - np.array(amounts)[scored.award], 0, None), np.nan)
        found.append(_tier_rows(scored, "", tier, name, at, chance, away, np.full(len(has), np.nan), gain))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _tiers(scored: Scored, part: PartScore) -> pd.DataFrame:
    used, values = part.scored, part.values
    away = shortfall(values.observed, part.part, part.better)
    events = events_needed(values.observed, values.weight, values.per, part.part, part.better)
    scale = part.part.worth / part.part.ordered[-1].points
    found = []
    for tier in range(len(part.part.ordered) + 1):
        step = part.part.ordered[tier - 1] if tier else None
        name = "none" if step is None else step.name or f"{scale * step.points:g} points"
        chance = np.where(used, (part.drawn_tier == tier).mean(axis=1), np.nan)
        far, few = (np.where(used, gap[:, tier - 1] if tier else 0.0, np.nan) for gap in (away, events))
        gain = np.clip((scale * step.points if step else 0.0) - part.points, 0, None)
        at = np.nan if step is None else step.at
        found.append(_tier_rows(scored, part.code, tier, name, at, chance, far, few, np.where(used, gain, np.nan)))
    return pd.concat(found, ignore_index=True)


def _tier_rows(
    scored: Scored, part: str, tier: int, name: str, at: float, probability: np.ndarray, away: np.ndarray,
    events: np.ndarray, gain: np.ndarray,
) -> pd.DataFrame:  # fmt: skip
    return pd.DataFrame(
        {"scorecard": scored.name, "part": part, "site": scored.sites, "tier": tier, "name": name, "at": at,
         "probability": probability, "away": away, "events": events, "gain": gain}
    )  # fmt: skip

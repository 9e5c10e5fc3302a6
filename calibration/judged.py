"""Counts of right and wrong words over simulated collaboratives, by volume and spread, beside naive rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from collabeval.params import Rules

MATTERS = float(np.log(1.25))  # odds a quarter apart
MOVED = 0.2  # a fifth of the rate at baseline
SCENARIO = ["volume", "spread"]
Mask = Callable[[pd.DataFrame], pd.Series]


@dataclass(frozen=True)
class Claim:
    """What is said of sites, when it is true, and of which sites it should be said."""

    name: str
    rule: str  # `words` or `naive`
    said: Mask
    true: Mask
    sought: Mask


def _word(slot: str, *slugs: str) -> Mask:
    return lambda sites: sites[slot].isin(slugs)


def _flag(name: str) -> Mask:
    return lambda sites: sites[name].eq(True)


def _clearly(name: str, column: str, least: float) -> Mask:
    return lambda sites: sites[name].eq(True) & (sites[column].abs() >= least)


def claims() -> list[Claim]:
    """Every word of the three slots, and the naive rule for the same, where there is one."""
    found = []

    def add(name: str, said: Mask, true: str, sought: Mask | None = None, naive: str = "") -> None:
        found.append(Claim(name, "words", said, _flag(true), sought or _flag(true)))
        if naive:
            found.append(Claim(name, "naive", _flag(naive), _flag(true), sought or _flag(true)))

    better, worse = (_clearly(name, "apart", MATTERS) for name in ("true_better", "true_worse"))
    improved, worsened = (_clearly(name, "change", MOVED) for name in ("true_improved", "true_worsened"))
    best = ("positive_deviant", "emerging", "candidate")
    review = ("review", "review_persistent")
    add("better", _word("level", "better"), "true_better", better, "naive_better")
    add("worse", _word("level", "worse", "worse_few_cases"), "true_worse", worse, "naive_worse")
    add("worse_few_cases", _word("level", "worse_few_cases"), "true_worse", worse)
    add("close", _word("level", "close"), "true_close")
    add("improved", _word("trajectory", "improved"), "true_improved", improved, "naive_improved")
    add("worsened", _word("trajectory", "worsened"), "true_worsened", worsened, "naive_worsened")
    add("positive_deviant", _word("deviance", "positive_deviant"), "true_best_share_sustained")
    add("any of the best", _word("deviance", *best), "true_best_share", naive="naive_best")
    add("review", _word("deviance", *review), "true_worse", _flag("true_worst_share"), "naive_worst")
    add("review_persistent", _word("deviance", "review_persistent"), "true_worst_share_sustained")
    return found


def sites(folder: Path) -> pd.DataFrame:
    """All simulated sites whose collaborative was fitted, with scenario and replicate."""
    parts = []
    for path in sorted(folder.glob("words_*.parquet")):
        table = pd.read_parquet(path)
        if "level" in table:
            _, volume, spread, number = path.stem.split("_")
            parts.append(table.assign(volume=int(volume), spread=float(spread), replicate=int(number)))
    return pd.concat(parts)


def fits(folder: Path) -> list[dict]:
    """What the engine said of each collaborative."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("words_*.json"))]


def judged(table: pd.DataFrame) -> pd.DataFrame:
    """A row per claim, rule and scenario: sites, named, wrong, not true, sought, found."""
    rows = []
    for (volume, spread), part in table.groupby(SCENARIO):
        for claim in claims():
            counts = _counted(claim.said(part), claim.true(part), claim.sought(part))
            rows.append({"claim": claim.name, "rule": claim.rule, "volume": volume, "spread": spread, **counts})
    return pd.DataFrame(rows)


def _counted(said: pd.Series, true: pd.Series, sought: pd.Series) -> dict[str, int]:
    return {
        "sites": len(said),
        "named": int(said.sum()),
        "wrong": int((said & ~true).sum()),
        "not_true": int((~true).sum()),
        "sought": int(sought.sum()),
        "found": int((said & sought).sum()),
    }


def with_thresholds(table: pd.DataFrame) -> pd.DataFrame:
    """The same counts over all scenarios at other thresholds of the rules."""
    rows = []
    for name, default, threshold, said, true, sought in _tried(table):
        counts = _counted(said, true, sought)
        rows.append({"claim": name, "threshold": threshold, "default": threshold == default, **counts})
    return pd.DataFrame(rows)


def _tried(table: pd.DataFrame) -> Iterator[tuple[str, float, float, pd.Series, pd.Series, pd.Series]]:
    rules, enough = Rules(), table["enough"].eq(True)
    true = {name: table[f"true_{name}"].eq(True) for name in ("better", "worse", "improved", "worsened", "best_share")}
    true |= {name: table[f"true_{name}"].eq(True) for name in ("worst_share", "best_share_sustained", "close")}
    for limit in (0.9, 0.95, 0.975, 0.99):
        yield (
            "level: better",
            rules.level,
            limit,
            enough & (table["p_better"] >= limit),
            true["better"],
            (true["better"] & (table["apart"].abs() >= MATTERS)),
        )
        yield (
            "level: worse",
            rules.level,
            limit,
            table["p_worse"] >= limit,
            true["worse"],
            (true["worse"] & (table["apart"].abs() >= MATTERS)),
        )
    for limit in (0.8, 0.9, 0.95, 0.975):
        for name in ("improved", "worsened"):
            moved = true[name] & (table["change"].abs() >= MOVED)
            yield f"trajectory: {name}", rules.trajectory, limit, table[f"p_{name}"] >= limit, true[name], moved
    for limit in (0.8, 0.9, 0.95):
        yield "close", rules.close, limit, enough & (table["p_close"] >= limit), true["close"], true["close"]
    for limit in (0.35, 0.5, 0.65, 0.8):
        said = enough & (table["p_best_share"] >= limit)
        yield "candidate: best share", rules.candidate, limit, said, true["best_share"], true["best_share"]
    for limit in (0.5, 0.65, 0.8, 0.9):
        said = enough & (table["p_best_share"] >= limit) & (table["p_sustained"] >= rules.persistence)
        lasting = true["best_share_sustained"]
        yield "deviant: best share", rules.deviant, limit, said & table["good_in_each"].eq(True), lasting, lasting
    for limit in (0.5, 0.65, 0.8, 0.9):
        said = enough & (table["p_worst_share"] >= limit)
        yield "review: worst share", rules.review_share, limit, said, true["worst_share"], true["worst_share"]


def coverage(table: pd.DataFrame, said: list[dict]) -> pd.DataFrame:
    """Share of intervals that hold the truth, by scenario, quantity and level, and how many were asked."""
    rows = []
    for (volume, spread), part in table.groupby(SCENARIO):
        for level in (50, 95):
            held = part[f"held_{level}"].astype(float)
            own = {"volume": volume, "spread": spread, "level": level}
            rows.append({**own, "quantity": "site_effect", "share": held.mean(), "intervals": len(held)})
            here = [fit["covered"] for fit in said if fit["volume"] == volume and fit["spread"] == spread
                    and "covered" in fit]  # fmt: skip
            for name in here[0]:
                values = [fit[name][str(level)] for fit in here]
                rows.append({**own, "quantity": name, "share": float(np.mean(values)), "intervals": len(values)})
    return pd.DataFrame(rows)

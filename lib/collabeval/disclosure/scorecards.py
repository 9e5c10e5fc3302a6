"""Results of the scorecards with what may not be shown taken out.

Points tell of counts: a line scored in steps tells in which range a count lies, one scored on a line the count itself.
What happened at meetings is no patient, so lines of participation hide nothing. Where sites are coded, money that
follows from a column of the table of sites is not shown by site: what a hospital can earn is often public.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from collabeval.disclosure import suppress as rule
from collabeval.params import Indicator, Params
from collabeval.params.scorecards import Part, Scorecard, Source, better, directions
from collabeval.scorecard.points import tier_of

SEVERAL = 3  # counts that a shown tier must leave possible, else it would tell the count
GRID = 20  # steps of a scorecard's points to which the intervals of sites with a hidden count are widened
FLOORS = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9)
QUANTILES = ("q025", "q25", "q50", "q75", "q975")
MONEY = ("money", "expected_money")


@dataclass(frozen=True)
class PublishedScorecard:
    """One scorecard as it may be shown; every `site` is a label, a number that is not shown is NaN.

    Attributes
    ----------
    labels : what each line and gate is called, by its code.
    sites : the table `scorecard_sites`, with `hidden` (a count behind a line is) and `silent` (so are the points).
    steps : for each site and line with a tier still ahead, the next one: part, site, at, observed, away, events, gain.
    lines : part, kind, unit, worth, sites (scored), points (mean), noise_share, variance_share; and of a line scored on
        the whole collaborative, where its count may be shown, observed, at (its best tier) and reached (the chance).
    summary : volume, estimand, value, q025, q975 of the whole scorecard.
    signals : those that are flagged: part, site ("" for the line as a whole), signal, value.
    """

    name: str
    card: Scorecard
    labels: Mapping[str, str]
    sites: pd.DataFrame
    steps: pd.DataFrame
    lines: pd.DataFrame
    summary: pd.DataFrame
    signals: pd.DataFrame

    def value(self, estimand: str, volume: str = "") -> float:
        """One number of the summary; NaN where there is none."""
        rows = self.summary[self.summary["estimand"].eq(estimand) & self.summary["volume"].eq(volume)]
        return float(rows["value"].iloc[0]) if len(rows) else float("nan")


def publish_scorecards(
    tables: Mapping[str, pd.DataFrame], params: Params, labels: Mapping[str, str]
) -> tuple[PublishedScorecard, ...]:
    """All scorecards of a run; () where it has none."""
    if "scorecard_sites" not in tables:
        return ()
    return tuple(_published(name, tables, params, labels) for name in params.scored)


def _published(
    name: str, tables: Mapping[str, pd.DataFrame], params: Params, labels: Mapping[str, str]
) -> PublishedScorecard:
    card = params.scorecards[name]
    own = {key: table[table["scorecard"].eq(name)].reset_index(drop=True) for key, table in tables.items()
           if key.startswith("scorecard_")}  # fmt: skip
    parts = own["scorecard_parts"]
    hidden = hides(parts, card, params)
    silent = set(parts.loc[hidden & _tells(parts, card, params), "site"])
    any_hidden = set(parts.loc[hidden, "site"])
    summary = own["scorecard_summary"]
    sites = _sites(own["scorecard_sites"], card, any_hidden, silent)
    if card.money.column and params.report.sites == "coded":
        sites[list(MONEY)] = np.nan
    return PublishedScorecard(
        name=name,
        card=card,
        labels=_labels(card, params),
        sites=sites.assign(site=sites["site"].map(labels)),
        steps=_steps(own["scorecard_tiers"], parts[~hidden]).assign(site=lambda table: table["site"].map(labels)),
        lines=_lines(parts.assign(hidden=hidden), own["scorecard_tiers"], summary, card),
        summary=summary[summary["part"].eq("")].reset_index(drop=True),
        signals=_signals(own["scorecard_signals"], parts[hidden], labels),
    )


def hides(parts: pd.DataFrame, card: Scorecard, params: Params) -> pd.Series:
    """Which rows of `scorecard_parts` rest on a count that may not be shown."""
    least = params.report.minimum_cell
    performance = parts["part"].map(lambda code: card.parts[code].kind == "performance")
    counted = parts["per_event"].notna()
    few = rule.small(parts["cases"], least) & parts["unit"].eq("site")
    without = parts["cases"] - parts["events"]
    complement = parts["part"].map(lambda code: _is_share(card.parts[code], params)) & rule.small(without, least)
    small = few | (counted & (rule.small(parts["events"].round(6), least) | complement))
    return performance & parts["status"].isin(["scored", "few"]) & small


def _is_share(part: Part, params: Params) -> bool:
    """Whether cases less events are people too: of a binomial measure, and of an indicator's counts."""
    kind, code = part.source
    return params.measures[code].family == "binomial" if kind == "measure" else kind == "indicator"


def _tells(parts: pd.DataFrame, card: Scorecard, params: Params) -> pd.Series:
    """Which rows have points that would tell the count to within fewer than `SEVERAL`."""
    ways = directions(params.indicators)
    told = []
    for row in parts.to_dict("records"):
        part = card.parts[row["part"]]
        told.append(part.between == "line" or not _several(row, part, better(part, params.measures, ways), params))
    return pd.Series(told, index=parts.index, dtype=bool)


def _several(row: dict[Hashable, Any], part: Part, way: str, params: Params) -> bool:
    """Whether several counts would have brought the same tier; a line not scored, or without counts, tells none."""
    if row["status"] != "scored" or math.isnan(row["per_event"]):
        return True
    most = row["cases"] if _is_share(part, params) else row["events"] + SEVERAL
    same = tier_of(np.arange(math.floor(most) + 1) * row["per_event"], part, way) == row["tier"]
    return int(same.sum()) >= SEVERAL


def _sites(table: pd.DataFrame, card: Scorecard, hidden: set[str], silent: set[str]) -> pd.DataFrame:
    """Sites behind which a count is hidden keep widened intervals and a floor of their chance."""
    table = table.assign(hidden=table["site"].isin(hidden), silent=table["site"].isin(silent))
    step = card.total / GRID
    for name, turn in (("q025", np.floor), ("q975", np.ceil)):
        table.loc[table["hidden"], name] = turn(table.loc[table["hidden"], name] / step) * step
    floors = np.array(FLOORS)
    chance = table.loc[table["hidden"], "misclassified"].to_numpy(float)
    floored = floors[np.clip(np.searchsorted(floors, np.nan_to_num(chance), side="right") - 1, 0, None)]
    table.loc[table["hidden"], "misclassified"] = np.where(np.isnan(chance), np.nan, floored)
    table.loc[table["hidden"], ["expected_points", "sd", "q25", "q50", "q75", "expected_money"]] = np.nan
    table.loc[table["silent"], ["points", "misclassified", *MONEY]] = np.nan
    table.loc[table["silent"], "award"] = ""
    return table


def _steps(tiers: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """The next tier of each site and line whose count may be shown."""
    ahead = tiers[tiers["part"].ne("") & tiers["away"].gt(0)]
    following = ahead.sort_values("tier").drop_duplicates(["part", "site"])
    columns = ["part", "site", "at", "away", "events", "gain"]
    return following[columns].merge(parts[["part", "site", "observed"]], on=["part", "site"])


def _lines(parts: pd.DataFrame, tiers: pd.DataFrame, summary: pd.DataFrame, card: Scorecard) -> pd.DataFrame:
    wide = summary[summary["part"].ne("")].pivot(index="part", columns="estimand", values="value")
    rows = []
    for code, part in card.parts.items():
        own = parts[parts["part"].eq(code)]
        row = pd.Series({"part": code, "kind": part.kind, "unit": part.unit, "worth": part.worth})
        row["sites"], row["points"] = int(own["status"].eq("scored").sum()), own["points"].mean()
        target = pd.Series(_target(own, tiers[tiers["part"].eq(code)], part))
        rows.append(pd.concat([row, wide.loc[code], target]))
    return pd.DataFrame(rows).infer_objects().reset_index(drop=True)


def _target(own: pd.DataFrame, tiers: pd.DataFrame, part: Part) -> dict[str, float]:
    """Value, best threshold and chance of reaching it, of a line that is the same for all sites."""
    scored = own[own["status"].eq("scored") & ~own["hidden"]]
    if part.unit != "collaborative" or scored.empty:
        return {"observed": math.nan, "at": math.nan, "reached": math.nan}
    best = tiers[tiers["tier"].eq(len(part.ordered)) & tiers["site"].eq(scored["site"].iloc[0])]
    chance = float(best["probability"].iloc[0])
    return {"observed": scored["observed"].iloc[0], "at": part.ordered[-1].at, "reached": chance}


def _signals(table: pd.DataFrame, hidden: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Flagged signals; without their number where it rests on a hidden count."""
    table = table[table["flagged"]].reset_index(drop=True)
    keys = set(zip(hidden["part"], hidden["site"], strict=True))
    silent = [key in keys for key in zip(table["part"], table["site"], strict=True)]
    value = table["value"].mask(pd.Series(silent, index=table.index, dtype=bool))
    return table.assign(value=value, site=table["site"].map({**labels, "": ""}))[["part", "site", "signal", "value"]]


def _labels(card: Scorecard, params: Params) -> dict[str, str]:
    indicators = {entry.id: entry.label for entry in params.indicators if isinstance(entry, Indicator)}
    found = {}
    lines: dict[str, Source] = {**card.gates, **card.parts}
    for code, line in lines.items():
        kind, source = line.source
        known = {
            "measure": lambda name: params.measures[name].label,
            "indicator": lambda name: indicators.get(name, ""),
            "scorecard": lambda name: params.scorecards[name].label,
        }[kind](source)
        found[code] = line.label or known or source.replace("_", " ").capitalize()
    return found

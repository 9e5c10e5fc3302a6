"""Outcomes of the collaboratives side by side: rates, change, effect, and how many sites have which word."""

from __future__ import annotations

import numpy as np
import pandas as pd

from collabeval.estimates.summaries import QUANTILES
from collabeval.params import Measure
from collabeval.portfolio.members import Funder, Member

NUMBERS = ["mean", "sd", *QUANTILES]
ESTIMATES = ["collaborative", "measure", "window", "estimand", *NUMBERS]
TAKEN = ("change", "change_same_sites", "unwanted_ratio", "between_site_sd", "rankability", "closing_the_gap")
OF_EFFECT = ("effect", "relative_effect", "events_avoided")
EVENTS = ("improved", "worsened", "improved_by_minimal_difference", "closing_the_gap")


def estimates(funder: Funder) -> pd.DataFrame:
    """Tidy estimates of every measure: `rate` at baseline and now, change, effect; on the measure's display scale.

    `unwanted_ratio` is the change, and `unwanted_effect` the effect, as what is not wanted per case over what it was,
    or would have been without the programme: one scale for all measures, below 1 being better.
    """
    parts = [part for member in funder.members for part in (_programme(member), _effects(member))]
    return pd.concat(parts, ignore_index=True).reindex(columns=ESTIMATES)


def _programme(member: Member) -> pd.DataFrame:
    table = member.table("programme_estimates")
    parts = []
    for measure, rows in table.groupby("measure", sort=False):
        compared = member.windows_of(str(measure))
        names = {compared.current.label: "current"}
        if compared.baseline is not None:
            names[compared.baseline.label] = "baseline"
        window = rows["period"].map(names)
        taken = rows["estimand"].isin(TAKEN) | (rows["estimand"].eq("rate") & window.notna())
        parts.append(rows.assign(window=window.fillna(""))[taken])
    return pd.concat(parts, ignore_index=True).assign(collaborative=member.name)


def _effects(member: Member) -> pd.DataFrame:
    """What the step `effect` found, and `unwanted_effect`; no rows where trends already differed before joining."""
    table, said = member.table("effect_summary"), member.table("effect_statements")
    if table.empty:
        return pd.DataFrame(columns=ESTIMATES)
    doubted = set(said[said["slot"].eq("effect") & said["statement"].eq("in_doubt")]["measure"])
    rows = table[~table["measure"].isin(doubted)]
    ratios = [_unwanted_effect(member.params.measures[str(name)], own) for name, own in rows.groupby("measure")]
    found = pd.concat([rows[rows["estimand"].isin(OF_EFFECT)], *ratios], ignore_index=True)
    return found.assign(collaborative=member.name, window="")


def _unwanted_effect(measure: Measure, rows: pd.DataFrame) -> pd.DataFrame:
    """`unwanted_effect`, from the rate with the programme (known) and the quantiles of that without it.

    The ratio rises or falls with the rate without it throughout, so that its quantiles are those of the rate, in order.
    """
    told = rows.set_index("estimand")
    if not {"rate_with", "rate_without"} <= set(told.index):
        return pd.DataFrame(columns=rows.columns)
    known = float(told["mean"].to_dict()["rate_with"]) / measure.scale
    without = told.loc["rate_without", list(QUANTILES)].to_numpy(float) / measure.scale
    ratio = unwanted(measure, known, without)
    if not (np.isfinite(ratio).all() and (ratio > 0).all()):
        return pd.DataFrame(columns=rows.columns)
    numbers = dict(zip(QUANTILES, np.sort(ratio), strict=True))
    return pd.DataFrame([{"measure": rows["measure"].iloc[0], "estimand": "unwanted_effect", **numbers}])


def unwanted(measure: Measure, now: float, before: np.ndarray) -> np.ndarray:
    """What is not wanted, per case, at the rate `now` over that at the rates `before` (estimates.unwanted_ratio)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure.better == "lower":
            return now / before
        return (1 - now) / (1 - before) if measure.family == "binomial" else before / now


def probabilities(funder: Funder) -> pd.DataFrame:
    """Chances that each measure improved, and that the effect is for the better: `collaborative, measure, event`."""
    parts = []
    for member in funder.members:
        rows = member.table("site_probabilities")
        rows = rows[rows["site"].eq("") & rows["event"].isin(EVENTS)]
        parts.append(rows[["measure", "event", "probability"]].assign(collaborative=member.name))
        said = member.table("effect_statements")
        if len(said):
            said = said[said["slot"].eq("effect")].assign(event="effect_" + said["statement"].astype(str))
            parts.append(said[["measure", "event", "probability"]].assign(collaborative=member.name))
    return pd.concat(parts, ignore_index=True)[["collaborative", "measure", "event", "probability"]]


def words(funder: Funder) -> pd.DataFrame:
    """How many sites have each word of each slot, and how many of those can be counted on to have it by chance.

    `wrongly` is the sum of 1 − P over the sites with the word: the expected number wrongly named.
    """
    parts = []
    for member in funder.members:
        rows = member.table("site_statements")
        rows = rows.assign(wrong=1 - rows["probability"])
        grouped = rows.groupby(["measure", "slot", "statement"], as_index=False)
        parts.append(grouped.agg(sites=("site", "nunique"), wrongly=("wrong", "sum")).assign(collaborative=member.name))
    return pd.concat(parts, ignore_index=True)[["collaborative", "measure", "slot", "statement", "sites", "wrongly"]]

"""The five features of the collaboratives side by side: scores where there are any, and indicators at target."""

from __future__ import annotations

import pandas as pd

from collabeval.estimates.summaries import QUANTILES
from collabeval.portfolio.members import Funder, Member

COLUMNS = ["collaborative", "feature", "years_back", "estimand", "mean", "sd", *QUANTILES, "event", "probability"]
INDICATORS = ["collaborative", "indicator", "feature", "probability"]


def features(funder: Funder) -> pd.DataFrame:
    """Scores from 0 to 100 (now, last year, change), the `target`, and the chances of being at it and of a rise."""
    parts = [part for member in funder.members if len(member.table("feature_profile")) for part in _of(member)]
    return pd.concat(parts, ignore_index=True).reindex(columns=COLUMNS) if parts else pd.DataFrame(columns=COLUMNS)


def indicators(funder: Funder) -> pd.DataFrame:
    """Chance of every indicator to be at its target in the latest year, by collaborative; those with a target alone."""
    parts = []
    for member in funder.members:
        rows = member.table("feature_probabilities")
        if rows.empty:
            continue
        own = rows[rows["event"].eq("at_target") & rows["site"].eq("") & rows["years_back"].eq(0)]
        parts.append(own[["indicator", "feature", "probability"]].assign(collaborative=member.name))
    return pd.concat(parts, ignore_index=True)[INDICATORS] if parts else pd.DataFrame(columns=INDICATORS)


def _of(member: Member) -> list[pd.DataFrame]:
    scores = member.table("feature_profile").assign(collaborative=member.name, event="")
    chances = member.table("feature_profile_probabilities").assign(collaborative=member.name, estimand="", years_back=0)
    named = scores["feature"].unique()
    target = pd.DataFrame({"feature": named, "estimand": "target", "mean": member.params.profile.target})
    return [scores, target.assign(collaborative=member.name, years_back=0, event=""), chances]

"""What may be shown of a survey: no site and no role with few respondents, and none that could be worked out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from collabeval.disclosure.beside import beside
from collabeval.disclosure.view import Run
from collabeval.params import Params
from collabeval.params.survey import FEWEST

GROUPS = ("site", "role")


@dataclass(frozen=True)
class SurveyView:
    """The survey as it may be shown; shares are per cent who agree, standardised to the same mix of people.

    Attributes
    ----------
    people : period, years_back, respondents, invited (NaN where unknown), the last wave first.
    items : scale, item ("" for the whole scale), and the columns of `beside` for `agree`.
    groups : kind (``site`` or ``role``), label, scale, respondents, `agree`, `against_all` with their quantiles, and
        the chance `above` of being above all.
    hidden : how many sites and roles with respondents are not shown. minimum : respondents below which they are not.
    """

    people: pd.DataFrame
    items: pd.DataFrame
    groups: pd.DataFrame
    hidden: Mapping[str, int]
    minimum: int


def publish_survey(run: Run, params: Params, labels: Mapping[str, str]) -> SurveyView | None:
    """The view, or None where there is no survey that enough people answered (waves with fewer are not estimated)."""
    counts = run.further.get("survey_counts")
    if counts is None or counts.empty:
        return None
    minimum = params.survey.minimum_respondents if params.survey is not None else FEWEST
    whole = counts[counts["site"].eq("") & counts["role"].eq("")].sort_values("years_back")
    latest = whole["years_back"].min()
    shown = {kind: shown_groups(_respondents(counts, kind, latest), minimum) for kind in GROUPS}
    everyone = {kind: len(_respondents(counts, kind, latest)) for kind in GROUPS}
    estimates, chances = run.further["survey_estimates"], run.further["survey_probabilities"]
    own = estimates[estimates["site"].eq("") & estimates["role"].eq("")]
    return SurveyView(
        people=whole[["period", "years_back", "respondents", "invited"]].reset_index(drop=True),
        items=beside(own, chances[chances["site"].eq("") & chances["role"].eq("")], ["scale", "item"], "agree"),
        groups=pd.concat([_groups(estimates, chances, kind, shown[kind], labels) for kind in GROUPS]),
        hidden={kind: everyone[kind] - len(shown[kind]) for kind in GROUPS},
        minimum=minimum,
    )


def shown_groups(respondents: pd.Series, minimum: int) -> pd.Series:
    """Those of the groups (the index) that may be shown.

    Where a group is hidden its respondents must not follow from the total less the others: with it go the smallest of
    the others, until two groups or more are hidden that have `minimum` respondents together. A single group that would
    be left is not shown either.
    """
    ordered = respondents.sort_values(kind="stable")
    hidden = int(ordered.lt(minimum).sum())
    while 0 < hidden < len(ordered) and (hidden < 2 or ordered.iloc[:hidden].sum() < minimum):
        hidden += 1
    left = ordered.iloc[hidden:]
    return left if len(left) > 1 else left.iloc[:0]


def _respondents(counts: pd.DataFrame, kind: str, years_back: float) -> pd.Series:
    own = counts[counts[kind].ne("") & counts["years_back"].eq(years_back)]
    return own.set_index(kind)["respondents"]


def _groups(
    estimates: pd.DataFrame, chances: pd.DataFrame, kind: str, shown: pd.Series, labels: Mapping[str, str]
) -> pd.DataFrame:
    """Share agreeing of each site (or role) that may be shown, and how far it is from all."""
    keys = ["scale", kind]
    rows = estimates[estimates[kind].isin(shown.index)]
    columns = [*keys, "q025", "q50", "q975"]
    agree = rows.loc[rows["estimand"].eq("agree"), columns]
    apart = rows.loc[rows["estimand"].eq("against_all"), columns]
    above = chances.loc[chances[kind].isin(shown.index) & chances["event"].eq("above"), [*keys, "probability"]]
    found = agree.merge(apart, on=keys, suffixes=("", "_apart")).merge(above, on=keys)
    found = found.assign(kind=kind, respondents=found[kind].map(shown), above=found["probability"])
    found["label"] = found[kind].map(labels) if kind == "site" else found[kind]
    return found.drop(columns=[kind, "probability"])

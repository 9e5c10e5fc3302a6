"""How a collaborative works, in indicators: each the better, the more the collaborative has of its feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from collabeval.params import Family
from collabeval.simulate.draw import DIGITS
from collabeval.simulate.setting import Array, Setting, Truth


@dataclass(frozen=True)
class Indicator:
    """One indicator; `code` is its name in the catalogue.

    `usual` is its rate (or mean) in a middling collaborative, `loading` by how much a logit of the feature raises it on
    the link scale (for `normal` in units of `spread`), `cases` its denominator, in a half-year, of a site or of the
    collaborative; `site_sd` how much sites differ, 0 for an indicator of the collaborative as a whole.
    """

    code: str
    feature: str
    family: Family
    usual: float
    cases: float
    better: Literal["lower", "higher"] = "higher"
    loading: float = 0.6
    site_sd: float = 0.4
    spread: float = 1.0


COLLABORATIVE = 0.0
INDICATORS = (
    Indicator("high_performers_studied", "positive_deviance", "binomial", 0.5, 6, site_sd=COLLABORATIVE),
    Indicator("practices_written_up", "positive_deviance", "binomial", 0.6, 5, site_sd=COLLABORATIVE),
    Indicator("practices_adopted", "positive_deviance", "binomial", 0.5, 6),
    Indicator("video_raters", "positive_deviance", "poisson", 7, 12, site_sd=COLLABORATIVE),
    Indicator("meetings_held", "coordination", "binomial", 0.85, 8, site_sd=COLLABORATIVE),
    Indicator("days_to_report", "coordination", "normal", 50, 3, "lower", site_sd=COLLABORATIVE, spread=14),
    Indicator("query_turnaround", "coordination", "normal", 4, 10, "lower", site_sd=COLLABORATIVE, spread=1.8),
    Indicator("site_visits", "coordination", "binomial", 0.4, 1),
    Indicator("data_on_time", "measurement", "binomial", 0.85, 90),
    Indicator("field_completeness", "measurement", "binomial", 0.94, 200),
    Indicator("follow_up_30_days", "measurement", "binomial", 0.88, 60),
    Indicator("report_opens", "measurement", "binomial", 0.7, 6),
    Indicator("points_earned", "levers", "binomial", 0.7, 50),
    Indicator("champion_attendance", "leadership", "binomial", 0.7, 4),
    Indicator("manager_attendance", "leadership", "binomial", 0.8, 4),
    Indicator("presenting_sites", "leadership", "binomial", 0.3, 1),
    Indicator("signals_with_plan", "accountability", "binomial", 0.7, 8, site_sd=COLLABORATIVE),
    Indicator("minutes_per_case", "burden", "normal", 55, 20, "lower", spread=15),
    Indicator("fields_automatic", "burden", "binomial", 0.35, 80),
)


def make_indicators(
    generator: np.random.Generator, setting: Setting, sites: pd.DataFrame, truth: Truth
) -> pd.DataFrame:
    """A row for every indicator, half-year and site, or none where it is of the collaborative as a whole."""
    parts = []
    for one in INDICATORS:
        codes = list(sites["site"]) if one.site_sd else [""]
        good = 1.0 if one.better == "higher" else -1.0
        own = np.round(generator.normal(0, one.site_sd, len(codes)), DIGITS)
        if one.site_sd:
            truth.add("indicators", "site_effect", own, code=one.code, site=codes)
        for half in setting.halves:
            common = good * one.loading * setting.level(one.feature, half)
            truth.add("indicators", "rate", _rate(one, common), code=one.code, period=half)
            drawn = _drawn(generator, one, common + own)
            parts.append(drawn.assign(site=codes, period=half, indicator=one.code))
    table = pd.concat(parts, ignore_index=True)
    table[["numerator", "denominator"]] = table[["numerator", "denominator"]].astype("Int64")
    return table[["site", "period", "indicator", "numerator", "denominator", "value"]]


def _rate(one: Indicator, shift: Array | float) -> Array:
    """Rate of a site, or mean of its values, at a shift on the link scale."""
    if one.family == "normal":
        return np.asarray(one.usual + one.spread * shift)
    if one.family == "poisson":
        return np.round(one.usual * np.exp(shift), DIGITS)
    return np.round(1 / (1 + np.exp(-np.log(one.usual / (1 - one.usual)) - np.asarray(shift))), DIGITS)


def _drawn(generator: np.random.Generator, one: Indicator, shift: Array) -> pd.DataFrame:
    rate, count = _rate(one, shift), len(shift)
    if one.family == "normal":
        value = generator.normal(rate, one.spread / np.sqrt(one.cases)).round(1)
        return pd.DataFrame({"numerator": np.nan, "denominator": np.nan, "value": np.maximum(value, 0.1)})
    cases = np.full(count, one.cases) if one.cases < 30 else np.maximum(generator.poisson(one.cases, count), 1)
    events = generator.poisson(np.round(rate * cases, DIGITS)) if one.family == "poisson" else None
    events = generator.binomial(cases.astype(int), rate) if events is None else events
    return pd.DataFrame({"numerator": events, "denominator": cases, "value": np.nan})

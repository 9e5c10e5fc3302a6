"""Sentences on the case-mix models: how well they tell patients apart, and whether they drift."""

from __future__ import annotations

import math

import pandas as pd

from collabeval.params import Measure
from collabeval.statements import numbers

SITES = {
    "fixed": "with a term for each {noun}, so that differences between {nouns} are not taken for case-mix",
    "mundlak": "with the means of each {noun}, so that differences between {nouns} are not taken for case-mix",
    "none": "without regard to {nouns}, so that differences between {nouns} may be taken for case-mix",
}


def made_of(measure: Measure, nouns: tuple[str, str], baseline: bool) -> str:
    """What the model is made of: covariates, how they enter, how sites are kept out of them, which numbers are used."""
    assert measure.records is not None
    ways = []
    for name, how in measure.records.covariates.items():
        binned = f", rounded to {how.bin:g}" if how.bin is not None else ""
        missing = ", blanks as a level" if how.missing == "level" else ""
        ways.append(f"{name} ({how.kind}{binned}{missing})")
    fitted = "the baseline" if baseline else "all records"
    kept = SITES[measure.records.sites].format(noun=nouns[0], nouns=nouns[1])
    used = {
        "frozen": " The predicted numbers are those of the baseline throughout." if baseline else "",
        "recalibrated": f" The predicted numbers are brought to the {measure.events} of each period in sum, so that "
        "they compare sites and say nothing about change.",
    }[measure.records.expected]
    return f"{numbers.listed(ways)}; fitted to {fitted} by maximum likelihood, {kept}.{used}"


def discrimination(measure: Measure, rows: pd.DataFrame) -> str:
    """Of pairs of a case with and one without the event, how often the one with it had the higher risk; by year."""
    known = rows[rows["c_statistic"].notna()]
    if known.empty:
        return ""
    first, last = known.iloc[0], known.iloc[-1]
    said = (
        f"Of two {measure.cases}, one with and one without the event, the one with it had the higher predicted risk in "
        f"{numbers.percent(first['c_statistic'])} of pairs"
    )
    if first["year"] == last["year"]:
        return f"{said}{_in(last)} (half would be chance)."
    return f"{said}{_in(first)} and {numbers.percent(last['c_statistic'])}{_in(last)} (half would be chance)."


def drift(measure: Measure, rows: pd.DataFrame) -> str:
    """Whether the last year's level and slope still fit, by their 95 % intervals."""
    known = rows[rows["in_the_large"].notna()]
    if known.empty:
        return ""
    last = known.iloc[-1]
    year = _in(last)
    if last["in_the_large_lower"] > 0 or last["in_the_large_upper"] < 0:
        direction = "more" if last["in_the_large"] > 0 else "less"
        level = (
            f"Recorded numbers were {direction} than predicted{year}: care may have changed, or how patients are "
            "recorded; the model cannot tell which."
        )
    else:
        level = f"Recorded and predicted numbers agree within chance{year}."
    if not math.isfinite(last["slope"]):
        return level
    if last["slope_upper"] < 1:
        return f"{level} Predictions differ more between patients than outcomes do (calibration slope below 1)."
    if last["slope_lower"] > 1:
        return f"{level} Predictions differ less between patients than outcomes do (calibration slope above 1)."
    return f"{level} Predictions are neither too extreme nor too alike, within chance."


def _in(row: pd.Series) -> str:
    return f" in {row['year']}" if row["year"] else ""

"""What the years of the indicators come to: the results tables (docs/data.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from collabeval.convergence import quantiles
from collabeval.estimates.summaries import QUANTILES
from collabeval.features.indicators import Year, indicator_years
from collabeval.params import Indicator, Params

KEYS = ["indicator", "feature", "site", "period", "years_back"]
COLUMNS = {
    "feature_indicators": [*KEYS, "estimand", "mean", "sd", *QUANTILES],
    "feature_probabilities": [*KEYS, "event", "probability", "mcse"],
    "feature_counts": [*KEYS, "numerator", "denominator", "values", "recorded"],
}
WHOLE = np.array([""], dtype=object)
RECENT = 1  # sites are told for this year and the last; the collaborative for every year
Drawn = tuple[str, np.ndarray, Year, np.ndarray]  # estimand, sites (R,), year, draws (R, S)
Part = tuple[Indicator, Year, np.ndarray, Mapping[str, object]]  # of a table: what its rows are of, their numbers


def evaluate_indicators(
    params: Params, panel: pd.DataFrame, given: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """`feature_indicators`, `feature_probabilities` and `feature_counts`; all without rows where nothing is given.

    `given` holds the further tables by name, as `contract.further` leaves them. Values, changes and spreads are on the
    display scale; the reliability of site "" is that of the median site.
    """
    parts: dict[str, list[Part]] = {name: [] for name in COLUMNS}
    rows = given.get("indicators")
    for indicator, years in indicator_years(params, panel, rows) if rows is not None and len(rows) else ():
        drawn = [*_values(indicator, years), *_changes(years)]
        parts["feature_indicators"] += [
            (indicator, year, sites, _summary(estimand, draws)) for estimand, sites, year, draws in drawn
        ]
        parts["feature_probabilities"] += _events(indicator, drawn)
        parts["feature_counts"] += [(indicator, year, *_counts(indicator, year)) for year in years]
    return {name: _table(found, COLUMNS[name]) for name, found in parts.items()}


def _table(parts: Iterable[Part], columns: Sequence[str]) -> pd.DataFrame:
    """One table out of its parts, put together at once: hundreds of small tables would take longer than the fits."""
    gathered: dict[str, list[np.ndarray]] = {name: [] for name in columns}
    for indicator, year, sites, numbers in parts:
        same = {"indicator": indicator.id, "feature": indicator.feature, "period": year.label, "years_back": year.back}
        for name, value in ({"site": sites} | same | dict(numbers)).items():
            gathered[name].append(np.broadcast_to(np.asarray(value), len(sites)))
    return pd.DataFrame(
        {name: np.concatenate(found).tolist() if found else [] for name, found in gathered.items()},
        columns=list(columns),
    )


def _values(indicator: Indicator, years: Sequence[Year]) -> Iterator[Drawn]:
    for year in years:
        if year.whole is not None:
            yield "value", WHOLE, year, year.whole[None, :]
        if year.pooled is not None:
            yield "reliability", WHOLE, year, year.pooled.typical[None, :]
            yield "between_site_sd", WHOLE, year, indicator.scale * year.pooled.spread[None, :]
        if year.own is not None and year.back <= RECENT:
            yield "value", year.sites, year, year.own
        if year.pooled is not None and year.back <= RECENT:
            yield "reliability", year.sites, year, year.pooled.reliability


def _changes(years: Sequence[Year]) -> Iterator[Drawn]:
    """Each year less the one before: of all together, and this year of the sites with both."""
    by_back = {year.back: year for year in years}
    for year in years:
        before = by_back.get(year.back + 1)
        if before is None:
            continue
        if year.whole is not None and before.whole is not None:
            yield "change", WHOLE, year, (year.whole - before.whole)[None, :]
        if year.back < RECENT and year.own is not None and before.own is not None:
            both, now, then = np.intersect1d(year.sites.astype(str), before.sites.astype(str), return_indices=True)
            if len(both):
                yield "change", both.astype(object), year, year.own[now] - before.own[then]


def _summary(estimand: str, draws: np.ndarray) -> dict[str, object]:
    found = {"estimand": estimand, "mean": draws.mean(axis=1), "sd": draws.std(axis=1, ddof=1)}
    return {**found, **dict(zip(QUANTILES, quantiles(draws, list(QUANTILES.values())).T, strict=True))}


def _events(indicator: Indicator, drawn: Sequence[Drawn]) -> Iterator[Part]:
    """Chances of being at the target, and of having done better than the year before."""
    good = 1.0 if indicator.better == "higher" else -1.0
    for estimand, sites, year, draws in drawn:
        if estimand == "value" and indicator.target is not None:
            event, happens = "at_target", good * (draws - indicator.target) >= 0
        elif estimand == "change":
            event, happens = "better_than_last_year", good * draws > 0
        else:
            continue
        share = happens.mean(axis=1)
        error = np.sqrt(share * (1 - share) / draws.shape[1])
        yield indicator, year, sites, {"event": event, "probability": share, "mcse": error}


def _counts(indicator: Indicator, year: Year) -> tuple[np.ndarray, dict[str, object]]:
    """What was recorded, by site and of all sites together."""
    numbers = [year.numerator, year.denominator, year.values]
    if not year.by_site:
        return WHOLE, dict(
            zip(("numerator", "denominator", "values", "recorded"), (*numbers, year.recorded), strict=True)
        )
    sums = [float(column.sum()) for column in numbers]
    whole = year.recorded.mean() if indicator.family == "normal" else indicator.scale * sums[0] / sums[1]
    columns = zip((*sums, whole), (*numbers, year.recorded), strict=True)
    names = ("numerator", "denominator", "values", "recorded")
    return np.array(["", *year.sites], dtype=object), {
        name: np.concatenate([[total], own]) for name, (total, own) in zip(names, columns, strict=True)
    }

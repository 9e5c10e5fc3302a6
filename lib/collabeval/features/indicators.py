"""Indicators of how the collaborative works: by year what it does, against target and against the year before.

A year of an indicator that sites give is estimated with the sites drawn together (`indicators_spread`), one given for
the collaborative by itself (`indicators_single`). Why so, and why years apart: docs/decisions/0040.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pandas as pd

from collabeval.features.indicators_single import single_count, single_values
from collabeval.features.indicators_spread import Pooled, pooled_counts, pooled_means
from collabeval.features.indicators_years import last_day, with_years, year_label
from collabeval.params import Indicator, Params

DRAWS = 4000


@dataclass(frozen=True)
class Year:
    """One year of one indicator, as given and as estimated.

    ``sites`` (J,) are those that gave numbers, [""] where they stand for all. ``numerator``, ``denominator`` and
    ``values`` (their number) are sums (J,), NaN where there are none; ``recorded`` (J,) is what they make. That is on
    the display scale, as are the draws: ``own`` (J, S) of the sites, where they can be told, ``whole`` (S,) of all.
    """

    label: str
    back: int
    sites: np.ndarray
    numerator: np.ndarray
    denominator: np.ndarray
    values: np.ndarray
    recorded: np.ndarray
    own: np.ndarray | None = None
    whole: np.ndarray | None = None
    pooled: Pooled | None = None

    @property
    def by_site(self) -> bool:
        return bool(self.sites[0])


def indicator_years(params: Params, panel: pd.DataFrame, rows: pd.DataFrame) -> Iterator[tuple[Indicator, list[Year]]]:
    """The years of every indicator with rows, the latest first; each indicator from a seed of its own.

    `rows` is the table of indicators as `contract.further` leaves it.
    """
    end = last_day(params, panel, rows["ends"])
    rows = with_years(rows, end).sort_values(["indicator", "back", "site"], kind="stable")
    columns = {name: rows[name].to_numpy(dtype=float) for name in ("numerator", "denominator", "value")}
    sites = rows["site"].fillna("").to_numpy(dtype=object)
    places: dict[str, list[tuple[int, np.ndarray]]] = {}
    for key, at in rows.groupby(["indicator", "back"], sort=True).indices.items():
        code, back = cast(tuple[str, int], key)
        places.setdefault(code, []).append((int(back), np.asarray(at)))
    for indicator in params.indicators:
        if indicator.id not in places:
            continue
        generator = np.random.default_rng([params.sampling.seed, *indicator.id.encode()])
        years, values = [], []
        for back, at in places[indicator.id]:
            label = year_label(end, back, params.periods.year_starts)
            own = {name: column[at] for name, column in columns.items()}
            years.append(_recorded(indicator, label, back, sites[at], own))
            values.append((own["value"], sites[at]))
        yield indicator, _estimated(indicator, years, values, generator)


def _recorded(
    indicator: Indicator, label: str, back: int, sites: np.ndarray, columns: Mapping[str, np.ndarray]
) -> Year:
    """The sums of a year by site, or the means of its values."""
    codes, places = np.unique(sites.astype(str), return_inverse=True)
    events, cases, total = (np.bincount(places, columns[name]) for name in ("numerator", "denominator", "value"))
    number = np.bincount(places).astype(float)
    is_value = indicator.family == "normal"
    with np.errstate(invalid="ignore"):
        recorded = total / number if is_value else indicator.scale * events / cases
    return Year(label, back, codes.astype(object), events, cases, number, recorded)


def _estimated(
    indicator: Indicator,
    years: list[Year],
    values: list[tuple[np.ndarray, np.ndarray]],
    generator: np.random.Generator,
) -> list[Year]:
    """Each year with its draws; single values of the collaborative have their spread in common."""
    if indicator.family != "normal":
        return [_of_counts(indicator, year, generator) for year in years]
    if not years[0].by_site:
        singles = single_values([own for own, _ in values], generator, DRAWS)
        return [replace(year, whole=whole) for year, whole in zip(years, singles, strict=True)]
    return [_of_values(year, *own, generator) for year, own in zip(years, values, strict=True)]


def _of_counts(indicator: Indicator, year: Year, generator: np.random.Generator) -> Year:
    events, cases, scale = year.numerator, year.denominator, indicator.scale
    binomial = indicator.family == "binomial"
    if len(cases) == 1:  # the collaborative, or a single site, which has nothing to be drawn towards
        whole = scale * single_count(events[0], cases[0], binomial, generator, DRAWS)
        return replace(year, whole=whole, own=whole[None, :] if year.by_site else None)
    pooled = pooled_counts(events, cases, binomial, generator, DRAWS)
    whole = scale * (cases @ pooled.sites) / cases.sum()
    return replace(year, own=scale * pooled.sites, whole=whole, pooled=pooled)


def _of_values(year: Year, values: np.ndarray, sites: np.ndarray, generator: np.random.Generator) -> Year:
    """Values of sites: drawn together where some site has two, else only their mean can be told, and only from four."""
    if not len(values) > len(year.sites) > 1 or np.ptp(values) == 0:
        return replace(year, whole=single_values([year.recorded], generator, DRAWS)[0])
    pooled = pooled_means(values, np.searchsorted(year.sites.astype(str), sites.astype(str)), generator, DRAWS)
    return replace(year, own=pooled.sites, whole=pooled.sites.mean(axis=0), pooled=pooled)

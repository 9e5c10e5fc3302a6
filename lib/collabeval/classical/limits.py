"""Limits of a funnel plot: what chance allows around the average, exactly and allowing for over-dispersion.

Counts are compared as observed ÷ expected against expected events; means in their own unit against cases.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betainccinv, betaincinv, gammainccinv, gammaincinv, ndtri

from collabeval.params import Family

Method = Literal["exact", "additive", "multiplicative"]
Array = npt.NDArray[np.float64]
METHODS: tuple[Method, ...] = ("exact", "additive", "multiplicative")
TAIL = 0.1  # share of sites at each end that does not inform the over-dispersion (Spiegelhalter 2005; NHS SHMI)


@dataclass(frozen=True)
class Funnel:
    """What the limits of one funnel depend on, besides how large a site is.

    `proportion` is the expected share of cases with the event (0: rare events, Poisson); `sd` the spread of single
    cases about their site's mean. `between_variance` (additive) is on the log scale for counts and in squared units for
    means; `dispersion` (multiplicative) is never below 1.
    """

    family: Family
    centre: float = 1.0
    proportion: float = 0.0
    sd: float = 1.0
    between_variance: float = 0.0
    dispersion: float = 1.0


def funnel_limits(
    size: npt.ArrayLike, funnel: Funnel, coverage: float = 0.95, method: Method = "exact"
) -> tuple[Array, Array]:
    """Lower and upper limit of what chance allows at `size` expected events (counts) or cases (means).

    Sources: exact, the χ² form of the NHS SHMI and its beta counterpart; additive, Spiegelhalter et al. (2012);
    multiplicative, Spiegelhalter (2005) on the square-root scale, squared back. Nothing expected gives NaN.
    """
    size = np.where(np.asarray(size, dtype=float) > 0, size, np.nan)
    if funnel.family == "normal":
        return _mean_limits(size, funnel, coverage, method)
    lower, upper = _exact_ratio_limits(size, funnel.proportion, coverage)
    if method == "exact":
        return lower, upper
    z = -ndtri((1 - coverage) / 2)
    variance = (1 - funnel.proportion) / size
    if method == "additive":
        spread = z * np.sqrt(variance + funnel.between_variance)
        low, high = np.exp(-spread), np.exp(spread)
    else:
        spread = z * np.sqrt(variance * funnel.dispersion) / 2
        low, high = np.clip(1 - spread, 0, None) ** 2, (1 + spread) ** 2
    # Where no event at all, or an event in every case, is no surprise by chance, it is none with more spread either.
    low = np.where(lower == 0, 0.0, low)
    likely = _every_case_is_likely(size, funnel.proportion, coverage)
    return low, np.where(likely, np.maximum(upper, high), high)


def fit_funnel(rows: pd.DataFrame, family: Family) -> Funnel:
    """Estimate centre and over-dispersion from one row per site: `observed`, `expected`, `denominator` [, `sd`]."""
    observed, expected = rows["observed"].to_numpy(float), rows["expected"].to_numpy(float)
    cases = rows["denominator"].to_numpy(float)
    if family == "normal":
        funnel = Funnel(family, centre=float(np.average(observed, weights=cases)), sd=float(rows["sd"].iloc[0]))
        error = funnel.sd / np.sqrt(cases)
        z = (observed - funnel.centre) / error
        return replace(funnel, between_variance=between_variance(z, error), dispersion=dispersion(z))
    proportion = float(expected.sum() / cases.sum()) if family == "binomial" else 0.0
    # No events at a site: log(0) is minus infinity, which lies in the lowest tenth and is dropped with it, as the SHMI
    # does. A collaborative where nothing (or everything) happened has no spread to estimate: z is not a number.
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt((1 - proportion) / expected)
        log_z, root_z = np.log(observed / expected) / error, 2 * (np.sqrt(observed / expected) - 1) / error
    return Funnel(
        family,
        proportion=proportion,
        between_variance=between_variance(log_z, error),
        dispersion=dispersion(root_z),
    )


def between_variance(z: Array, error: Array) -> float:
    """τ² of sites by DerSimonian and Laird (1986), the sites in the lowest and highest tenth by z dropped.

    A tenth is rounded down, to at least one site at each end: 5 of 54. `error` is the standard error of each site on
    the scale of τ. 0 where fewer than two sites are left.
    """
    dropped = max(1, len(z) // round(1 / TAIL))
    kept = np.argsort(z, kind="stable")[dropped : len(z) - dropped]
    kept = kept[np.isfinite(z[kept])]
    if len(kept) < 2:
        return 0.0
    weight = error[kept] ** -2
    excess = np.sum(z[kept] ** 2) - (len(kept) - 1)
    return float(max(0.0, excess / (weight.sum() - np.sum(weight**2) / weight.sum())))


def dispersion(z: Array) -> float:
    """φ, the mean square of z with the outer tenths winsorised (Spiegelhalter 2005); never below 1."""
    if not np.isfinite(z).all():
        return 1.0
    low, high = np.quantile(z, [TAIL, 1 - TAIL])
    return float(max(1.0, np.mean(np.clip(z, low, high) ** 2)))


def _exact_ratio_limits(expected: Array, proportion: float, coverage: float) -> tuple[Array, Array]:
    """Limits of observed ÷ expected; 0 or 1/proportion where even no event, or one in every case, is not rare."""
    tail = (1 - coverage) / 2
    if proportion == 0:
        lower = gammaincinv(expected, tail) / expected  # a χ² quantile over 2 is one of the gamma distribution
        upper = gammainccinv(expected + 1, tail) / expected
        return np.where(np.exp(-expected) >= tail, 0.0, lower), upper
    cases = expected / proportion
    lower = betaincinv(expected, cases - expected + 1, tail) / proportion
    upper = betainccinv(expected + 1, cases - expected, tail) / proportion
    upper = np.where(_every_case_is_likely(expected, proportion, coverage), 1 / proportion, upper)
    return np.where((1 - proportion) ** cases >= tail, 0.0, lower), upper


def _every_case_is_likely(expected: Array, proportion: float, coverage: float) -> npt.NDArray[np.bool_]:
    """Whether an event in every single case would not be rare (it always is where events are)."""
    if proportion == 0:
        return np.zeros(expected.shape, dtype=bool)
    return proportion ** (expected / proportion) >= (1 - coverage) / 2


def _mean_limits(cases: Array, funnel: Funnel, coverage: float, method: Method) -> tuple[Array, Array]:
    variance = funnel.sd**2 / cases
    if method == "additive":
        variance = variance + funnel.between_variance
    elif method == "multiplicative":
        variance = variance * funnel.dispersion
    spread = -ndtri((1 - coverage) / 2) * np.sqrt(variance)
    return funnel.centre - spread, funnel.centre + spread

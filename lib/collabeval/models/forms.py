"""Which effects are drawn as they are (centred) and which as standard normals that are scaled: by the data. Numpy only.

Both are the same model. Centred suits effects that the data hold, non-centred those that the pooling holds; what counts
is the effects' information times the variance between them, here their `pull`, by moments and one Newton step from a
common level. The two forms are about as good near 1 (docs/methods.md has the measurements).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collabeval.models.design import Design, Floats


@dataclass(frozen=True)
class Forms:
    """Whether each kind of effect is centred."""

    level: bool
    slope: bool
    trend: bool
    cells: bool


def forms(design: Design) -> Forms:
    """`non_centred`: nothing is centred; `centred`: site levels, and the rest by its pull; `auto`: each by its pull."""
    setting = design.settings.parametrisation
    if setting == "non_centred":
        return Forms(False, False, False, False)
    found = pulls(design)
    return Forms(setting == "centred" or found.level > 1, found.slope > 1, found.trend > 1, found.cells > 1)


@dataclass(frozen=True)
class Pulls:
    """Information of the median effect × variance between effects; 0 where the model has no such effect."""

    level: float
    slope: float
    trend: float
    cells: float


def pulls(design: Design) -> Pulls:
    """The pull of each kind of effect. Variation between cells counts against the information on all the others."""
    rest = _parts(design, design.information)[-1]
    cells, variance = _cells(rest, design) if design.overdispersion else (0.0, 0.0)
    level, slope, trend, _ = _parts(design, 1 / (1 / design.information + variance))
    return Pulls(level, slope, trend, cells)


def _parts(design: Design, information: Floats) -> tuple[float, float, float, Floats]:
    """Pull of levels, slopes and trend, each from what the one before leaves over; and the rest (N,)."""
    effect = design.score / design.information
    site, period = design.site_index, design.period_index
    of_sites, site_information = _means(effect, information, site)
    level = _pull(of_sites, site_information)
    rest = effect - of_sites[site]
    trend = slope = 0.0
    if design.trend == "random_walk":
        of_periods, period_information = _means(rest, information, period)
        trend = _pull_of_steps(of_periods, period_information, np.diff(design.time))
        rest = rest - of_periods[period]
    if design.trajectory:
        years = design.years - _means(design.years, information, site)[0][site]
        leverage = np.bincount(site, information * years**2)
        seen = leverage > 0
        slopes = np.bincount(site, information * years * rest) / np.where(seen, leverage, 1.0)
        slope = _pull(slopes[seen], leverage[seen])
        rest = rest - slopes[site] * years
    return level, slope, trend, rest


def _means(effect: Floats, information: Floats, group: np.ndarray) -> tuple[Floats, Floats]:
    """Weighted mean of each group and its information."""
    total = np.bincount(group, information)
    return np.bincount(group, information * effect) / total, total


def _beyond_chance(chi_square: float, freedom: float, sds: float) -> float:
    """What a chi-square is above its degrees of freedom and so many of its own standard deviations, not below 0."""
    return max(0.0, chi_square - freedom - sds * np.sqrt(2 * freedom))


def _pull(effect: Floats, information: Floats) -> float:
    """By the variance between effects of DerSimonian & Laird (1986)."""
    total, freedom = information.sum(), len(effect) - 1
    chi_square = float(np.sum(information * (effect - np.sum(information * effect) / total) ** 2))
    scale = total - np.sum(information**2) / total
    return float(np.median(information)) * _beyond_chance(chi_square, freedom, 1) / scale if freedom else 0.0


def _pull_of_steps(effect: Floats, information: Floats, gap: Floats) -> float:
    """Steps of a random walk, whose errors overlap, so that a chi-square of them varies by half as much again."""
    chance = 1 / information[1:] + 1 / information[:-1]
    excess = _beyond_chance(float(np.sum(np.diff(effect) ** 2 / chance)), len(gap), 2 * np.sqrt(1.5))
    return float(np.median(gap / chance)) * excess / float(np.sum(gap / chance))


def _cells(rest: Floats, design: Design) -> tuple[float, float]:
    """Pull of the cells, levels, slopes and periods being fitted; and the variance between them."""
    fitted = len(design.sites) * (1 + design.trajectory) + len(design.periods) - 1
    freedom = max(1, design.cells - fitted)
    chi_square = float(np.sum(design.information * rest**2))
    variance = _beyond_chance(chi_square, freedom, 1) / freedom / float(np.mean(design.information))
    return float(np.median(design.information)) * variance, variance

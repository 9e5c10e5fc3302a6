"""How far sites differ, and what each does itself: conjugate models of two levels, by quadrature, without sampling.

    binomial:  y_j ~ Binomial(n_j, p_j),   p_j ~ Beta(κ m, κ (1 − m))
    poisson:   y_j ~ Poisson(n_j p_j),     p_j ~ Gamma(κ m, κ)
    normal:    y_jk ~ Normal(p_j, σ²),     p_j ~ Normal(m, σ²/κ)

κ is what the sites have in common, counted in cases (values): a site's own n_j weigh n_j/(n_j + κ), the reliability of
its result. Priors: reliability at the median site, R = n₀/(n₀ + κ), uniform from 0 to 1 (the uniform shrinkage prior;
Christiansen and Morris 1997, Daniels 1999); logit m or log m ~ Normal(centre, 1.5) as in the house's models; for
`normal` the reference prior, flat in m and in log σ. Given (m, κ) everything is conjugate (Tak, Kelly and Morris
2017), so the posterior of (m, κ) is a surface over two numbers, for means a curve over one, and is summed on a grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, gammaln, logit

LEVEL_SD = 1.5  # of the prior of the level on the link scale, as in models.terms
FARTHEST = 12.0  # logit R is looked at from −12 to 12: beyond lie 1e−5 of its prior
REACH = 12.0  # the level is looked at from so many of its own widths below its middle to as many above
NEGLIGIBLE = 14.0  # log-density below the highest from which on the surface is left out
COARSE, FINE, CURVE, ROUNDS = 25, 61, 481, 6

Density = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Pooled:
    """Draws of one year of one indicator: each site's own level, the weight of its own data, the sites' spread."""

    sites: np.ndarray  # (J, S) shares, rates or values
    reliability: np.ndarray  # (J, S)
    typical: np.ndarray  # (S,) reliability at the median site
    spread: np.ndarray  # (S,) sd between sites


def pooled_counts(
    events: np.ndarray,
    cases: np.ndarray,
    binomial: bool,
    generator: np.random.Generator,
    draws: int,
    centre: float | None = None,
) -> Pooled:
    """Draws of the sites' shares (`binomial`) or rates per unit of exposure.

    Parameters
    ----------
    events, cases : float (J,); cases above 0.
    centre : of the prior of the level on the logit or log scale; None: that of all events over all cases.
    """
    if centre is None:
        share = (events.sum() + 0.5) / (cases.sum() + (1.0 if binomial else 0.0))
        centre = float(logit(share) if binomial else np.log(share))
    typical = float(np.median(cases))
    patterns, numbers = np.unique(np.stack([events, cases]), axis=1, return_counts=True)
    of_data = _beta_binomial if binomial else _gamma_poisson

    middle, width = _course(events, cases, binomial, centre)

    def density(away: np.ndarray, own: np.ndarray) -> np.ndarray:
        kappa = typical * np.exp(-own)
        scale = width(kappa)
        level = middle + scale * away
        found = of_data(patterns, numbers, level, kappa)
        return np.asarray(found - 0.5 * ((level - centre) / LEVEL_SD) ** 2 + _log_uniform(own) + np.log(scale))

    away, own = _drawn(density, [(-REACH, REACH), (-FARTHEST, FARTHEST)], generator, draws)
    level = middle + width(typical * np.exp(-own)) * away
    mean, kappa = (expit(level) if binomial else np.exp(level)), typical * np.exp(-own)
    y, n = events[:, None], cases[:, None]
    if binomial:
        sites = generator.beta(kappa * mean + y, kappa * expit(-level) + n - y)
        spread = np.sqrt(mean * expit(-level) / (kappa + 1))
    else:
        sites = generator.gamma(kappa * mean + y) / (kappa + n)
        spread = np.sqrt(mean / kappa)
    return Pooled(sites, n / (n + kappa), expit(own), spread)


def _course(
    events: np.ndarray, cases: np.ndarray, binomial: bool, centre: float
) -> tuple[float, Callable[[np.ndarray], np.ndarray]]:
    """About where the level lies, and how far off it may be given κ: 1 over the root of all information about it.

    A level is known the better the less sites differ: with many events the ridge is many times narrower where κ is
    large. A grid over the level itself passes between its points there, and takes sites to differ that may not.
    """
    share = (events.sum() + 0.5) / (cases.sum() + (1.0 if binomial else 0.5 * np.exp(-centre)))
    middle = float(logit(share) if binomial else np.log(share))
    unit = share * (1 - share) if binomial else share  # variance of one case; its link's slope is the same number

    def width(kappa: np.ndarray) -> np.ndarray:
        information = unit * sum(n * kappa / (n + kappa) for n in cases)
        return np.asarray(1 / np.sqrt(1 / LEVEL_SD**2 + information))

    return middle, width


def pooled_means(values: np.ndarray, site: np.ndarray, generator: np.random.Generator, draws: int) -> Pooled:
    """Draws of the sites' means from single values, of which some site has two, and not all are the same.

    Parameters
    ----------
    values : float (N,). site : int (N,) from 0, the site of each value.
    """
    n = np.bincount(site).astype(float)[:, None]
    means = np.bincount(site, values)[:, None] / n
    within = float(((values - means[site, 0]) ** 2).sum())
    typical, freedom = float(np.median(n)), len(values) - 1
    own = np.linspace(-FARTHEST, FARTHEST, CURVE)
    variance = 1 / n + np.exp(own) / typical  # of a site's mean about m, in units of σ²
    precision = (1 / variance).sum(axis=0)
    level = (means / variance).sum(axis=0) / precision
    squares = ((means - level) ** 2 / variance).sum(axis=0) + within
    density = -0.5 * (np.log(variance).sum(axis=0) + np.log(precision) + freedom * np.log(squares))
    density += _log_uniform(own)
    at = _chosen(np.exp(density - density.max()), generator, draws)
    drawn = own[at] + (generator.random(draws) - 0.5) * (own[1] - own[0])
    kappa = typical * np.exp(-drawn)
    sigma = np.sqrt(squares[at] / generator.chisquare(freedom, draws))
    middle = level[at] + sigma * generator.standard_normal(draws) / np.sqrt(precision[at])
    weight = n / (n + kappa)
    noise = sigma * generator.standard_normal((len(n), draws)) / np.sqrt(n + kappa)
    return Pooled(weight * means + (1 - weight) * middle + noise, weight, expit(drawn), sigma / np.sqrt(kappa))


def _beta_binomial(patterns: np.ndarray, numbers: np.ndarray, level: np.ndarray, kappa: np.ndarray) -> np.ndarray:
    """Log-probability of all sites' events (2, P: events, cases; each `numbers` times), binomial coefficients aside."""
    a, b = kappa * expit(level), kappa * expit(-level)
    found = numbers.sum() * (gammaln(kappa) - gammaln(a) - gammaln(b))
    for y, n, number in zip(*patterns, numbers, strict=True):
        found = found + number * (gammaln(a + y) + gammaln(b + (n - y)) - gammaln(kappa + n))
    return np.asarray(found)


def _gamma_poisson(patterns: np.ndarray, numbers: np.ndarray, level: np.ndarray, kappa: np.ndarray) -> np.ndarray:
    """The same for rates, y! and powers of the exposure aside."""
    a = kappa * np.exp(level)
    found = -numbers.sum() * gammaln(a)
    for y, n, number in zip(*patterns, numbers, strict=True):
        found = found + number * (gammaln(a + y) - a * np.log1p(n / kappa) - y * np.log(kappa + n))
    return np.asarray(found)


def _log_uniform(own: np.ndarray) -> np.ndarray:
    """Log-density of logit R where R is uniform from 0 to 1."""
    size = np.abs(own)
    return -size - 2 * np.log1p(np.exp(-size))


def _drawn(
    density: Density, box: list[tuple[float, float]], generator: np.random.Generator, draws: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draws (S,) of two numbers whose log-density is given: a grid closes in on where it lies, then is drawn from."""
    first, second = _grid(box, COARSE)
    for _ in range(ROUNDS):
        surface = density(first[:, None], second[None, :])
        high = surface > surface.max() - NEGLIGIBLE
        closer = [_around(first, high.any(axis=1)), _around(second, high.any(axis=0))]
        shrunk = [(new[1] - new[0]) / (old[-1] - old[0]) for new, old in zip(closer, (first, second), strict=True)]
        first, second = _grid(closer, COARSE)
        if min(shrunk) > 0.6:  # the grid hardly closes in any more
            break
    first, second = (np.linspace(axis[0], axis[-1], FINE) for axis in (first, second))
    surface = density(first[:, None], second[None, :])
    at = np.unravel_index(_chosen(np.exp(surface - surface.max()).ravel(), generator, draws), surface.shape)
    found = [
        axis[places] + (generator.random(draws) - 0.5) * (axis[1] - axis[0])
        for axis, places in zip((first, second), at, strict=True)
    ]
    return found[0], found[1]


def _grid(box: list[tuple[float, float]], points: int) -> tuple[np.ndarray, np.ndarray]:
    return np.linspace(*box[0], points), np.linspace(*box[1], points)


def _around(axis: np.ndarray, high: np.ndarray) -> tuple[float, float]:
    """From one step below the first high place to one above the last."""
    places = np.flatnonzero(high)
    return float(axis[max(places[0] - 1, 0)]), float(axis[min(places[-1] + 1, len(axis) - 1)])


def _chosen(weights: np.ndarray, generator: np.random.Generator, draws: int) -> np.ndarray:
    """Places (S,) by weight: evenly through the cumulative weights (systematic sampling), in random order."""
    cumulative = np.cumsum(weights / weights.sum())
    places = np.searchsorted(cumulative, (np.arange(draws) + generator.random()) / draws)
    return np.asarray(generator.permutation(np.minimum(places, len(weights) - 1)))

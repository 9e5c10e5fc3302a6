"""Reliability: how much of the differences between sites is signal, and how much data it takes.

Two answers. Model-based: 1 - Var(u | y) / prior Var(u), the share of the variance of a site's effect that the data
have settled. The literature's plug-in: V / (V + s^2) with the sampling variance s^2 at the expected rate, averaged over
draws (Adams 2009, RAND TR-653); it leaves out that the scales and the overall level are themselves estimated.

Where covariates explain differences between sites, both ask how much of what they leave open the site's own data have
settled: what is known of sites of its kind is no data about the site.
"""

from __future__ import annotations

import numpy as np

from collabeval.estimates.posterior import Posterior
from collabeval.estimates.window_draws import WindowDraws
from collabeval.panel import Window

HALVINGS = 60


def prior_variance(posterior: Posterior, window: Window) -> np.ndarray:
    """Variance (J, S) of u_j[w] before the site's own data, given each draw of the hyperparameters.

    With w the denominator weights in the window (sum 1) and a = sum w (t - mean t): level variance + 2 rho level_sd
    slope_sd a + slope variance a^2 + overdispersion variance sum w^2.
    """
    cells = posterior.cells_of(window.periods)
    weight = posterior.weight[cells]
    total = posterior.by_site(cells, weight)
    time = posterior.by_site(cells, weight * posterior.years[posterior.period[cells]]) / total
    variance = stable_variance(posterior, time)
    if "overdispersion_sd" in posterior.hyperparameters:
        spread = posterior.by_site(cells, weight**2) / total**2
        variance = variance + posterior.hyperparameters["overdispersion_sd"] ** 2 * spread[:, None]
    return variance


def stable_variance(posterior: Posterior, time: np.ndarray) -> np.ndarray:
    """Variance (R, S) between sites of level and slope at these times (R,), in years from the mean time.

    Under Student-t site effects the variance of the level is site_sd^2 nu / (nu - 2).
    """
    drawn = posterior.hyperparameters
    level = drawn["site_sd"] ** 2
    if "degrees_of_freedom" in drawn:
        level = level * drawn["degrees_of_freedom"] / (drawn["degrees_of_freedom"] - 2)
    variance = np.broadcast_to(level, (len(time), posterior.draws))
    if posterior.slope is not None:
        slope = drawn["trajectory_sd"]
        correlation = drawn.get("site_correlation", 0.0)
        at = time[:, None]
        variance = variance + 2 * correlation * np.sqrt(level) * slope * at + slope**2 * at**2
    return variance


def overall_prior_variance(posterior: Posterior, window: Window) -> np.ndarray:
    """Prior variance (J,) over all draws: the mean; under Student-t effects, whose variance has no mean, the median."""
    variance = prior_variance(posterior, window)
    return np.median(variance, axis=1) if "degrees_of_freedom" in posterior.hyperparameters else variance.mean(axis=1)


def reliability(posterior: Posterior, draws: WindowDraws) -> np.ndarray:
    """Model-based reliability (J,) of each site's effect in the window, 0 to 1; NaN for a site without data there."""
    return _settled(draws.effect.var(axis=1, ddof=1), overall_prior_variance(posterior, draws.window))


def reliability_error(posterior: Posterior, draws: WindowDraws) -> np.ndarray:
    """Monte Carlo standard error (J,) of `reliability`, by the delta method; NaN without data or variance.

    1 - A/B, with A the variance of the effect and B the mean prior variance, moves to first order by the mean over the
    draws of -(a - A)/B + A (b - B)/B², where a is the squared distance of an effect from its mean and b the prior
    variance in the same draw. (Under Student-t effects B is a median, and its own error is left out.)
    """
    prior = overall_prior_variance(posterior, draws.window)
    known = prior > 0
    effect, prior = draws.effect[known], prior[known, None]
    squared = (effect - effect.mean(axis=1, keepdims=True)) ** 2
    pull = -squared / prior
    if "degrees_of_freedom" not in posterior.hyperparameters:
        drawn = prior_variance(posterior, draws.window)[known]
        pull = pull + squared.mean(axis=1, keepdims=True) * drawn / prior**2
    found = np.full(len(known), np.nan)
    found[known] = posterior.mixing.error(pull)
    return found


def rankability(posterior: Posterior, draws: WindowDraws) -> float:
    """The same with the median posterior variance over the eligible sites (van Dishoeck 2011, BMJ Qual Saf 20: 869).

    Below 0.5 a ranking says more about chance than about the sites. There must be an eligible site. What covariates
    explain of the differences between the sites counts as variance between them, since ranks are of the whole effect.
    """
    left = np.median(draws.effect[draws.eligible].var(axis=1, ddof=1))
    prior = np.median(overall_prior_variance(posterior, draws.window)[draws.eligible])
    prior = prior + posterior.explained.var(axis=0).mean()
    return float(_settled(left, prior))


def _settled(left: np.ndarray, prior: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(prior > 0, np.clip(1 - left / prior, 0, 1), np.where(np.isnan(prior), np.nan, 0.0))


def sampling_variance(posterior: Posterior, window: Window) -> np.ndarray:
    """Variance (J, S) of the site's estimated effect from its own data, at the expected rate of each draw.

    1 / sum n p0 (1 - p0) for shares, 1 / sum E for rates; for means the variance of the weighted mean in units of the
    pooled within-site sd.
    """
    cells = posterior.cells_of(window.periods)
    weight = posterior.weight[cells]
    if posterior.measure.family == "normal":
        squares = posterior.by_site(cells, weight[:, None] ** 2 * _variance_of_means(posterior, cells))
        return squares / posterior.by_site(cells, weight)[:, None] ** 2 / posterior.scale**2
    typical = posterior.totals(cells, 0.0)
    information = typical if posterior.measure.family == "poisson" else typical * (1 - typical / weight[:, None])
    return 1 / posterior.by_site(cells, information)


def _variance_of_means(posterior: Posterior, cells: np.ndarray) -> np.ndarray:
    """Variance (n, S) of each cell's mean: its known se squared, else the site's variance over n."""
    known = np.broadcast_to(posterior.known_se[cells, None] ** 2, (len(cells), posterior.draws))
    if posterior.residual_sd is None:
        return known
    drawn = posterior.residual_sd[posterior.site[cells]] ** 2 / posterior.cases[cells, None]
    return np.where(np.isfinite(known), known, drawn)


def plug_in(posterior: Posterior, window: Window) -> np.ndarray:
    """The literature's reliability, draw by draw (J, S)."""
    signal = prior_variance(posterior, window)
    return signal / (signal + sampling_variance(posterior, window))


def denominator_needed(posterior: Posterior, draws: WindowDraws, target: float) -> np.ndarray:
    """Cases (J,) a site needs in a window of this length for plug-in reliability `target`, at its own mix of cases.

    Infinite where it is not reachable: when it takes more cases than all sites together had in the window. NaN for a
    site without data there, and where the number of cases behind a mean is unknown.
    """
    cells = posterior.cells_of(draws.window.periods)
    cases = posterior.by_site(cells, posterior.cases[cells])
    per_case = prior_variance(posterior, draws.window) / (sampling_variance(posterior, draws.window) * cases[:, None])
    low, high = np.zeros(len(cases)), np.full(len(cases), np.nansum(cases))
    reached = _mean_reliability(per_case, high) >= target
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        enough = _mean_reliability(per_case, middle) >= target
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(np.isnan(per_case[:, 0]), np.nan, np.where(reached, high, np.inf))


def _mean_reliability(per_case: np.ndarray, cases: np.ndarray) -> np.ndarray:
    information = per_case * cases[:, None]
    return (information / (information + 1)).mean(axis=1)

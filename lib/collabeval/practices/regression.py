"""A regularised regression of site effects, known with error, on practices: Bayesian ridge, by quadrature.

    effect[j]  ~ Normal(level + Σ_k x[j, k] β[k] + rest[j], error[j])
    rest[j]    ~ Normal(0, τ),   β[k] ~ Normal(0, λ),   level flat

with the prior on what people can think about: ω² = τ² + λ² Σ_k var(x_k), the variance between sites, ω ~ HalfNormal,
and R² = 1 − τ²/ω², the share of it that practices explain together, R² ~ Beta(1, 3). So the more practices are asked
about, the less each is taken to matter beforehand (the idea of the R2D2 prior; Zhang et al. 2022, J Am Stat Assoc 117:
862-874, with equal shares). Given ω and R² all is Gaussian; over these two the sum runs on a grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

Floats = NDArray[np.float64]
SHARE_PRIOR = (1.0, 3.0)  # of R²: 1/4 on average, 3/4 or more with 1 chance in 64
SPREAD_PRIOR = 0.5  # of ω, as the default prior of site_sd
SPREADS = np.exp(np.linspace(np.log(0.01), np.log(3.0), 40))  # ω
SHARES = (np.arange(40) + 0.5) / 40  # R²


@dataclass(frozen=True)
class Posterior:
    """Draws: effects of the practices (K, S), the share that they explain together (S,)."""

    effects: Floats
    share: Floats


def regress(effect: Floats, variance: Floats, practices: Floats, draws: int, seed: int) -> Posterior:
    """Draws of the posterior.

    Parameters
    ----------
    effect, variance : (J,) effects of the sites, and the variances of their errors.
    practices : (J, K), 0 to 1 each, centred here.
    """
    x = practices - practices.mean(axis=0)
    omega, share = (grid.ravel() for grid in np.meshgrid(SPREADS, SHARES, indexing="ij"))
    tau, ridge = omega * np.sqrt(1 - share), omega * np.sqrt(share / float(x.var(axis=0).sum()))
    density, mean, factor = given(effect, variance, x, tau, ridge)
    density = density + _log_prior(omega, share)
    weights = np.exp(density - logsumexp(density))
    random = np.random.default_rng(seed)
    chosen = random.choice(len(omega), draws, p=weights / weights.sum())
    standard = random.standard_normal((draws, x.shape[1] + 1, 1))
    found = mean[chosen] + np.linalg.solve(factor[chosen].transpose(0, 2, 1), standard)[..., 0]
    return Posterior(found[:, 1:].T, share[chosen])


def _log_prior(omega: Floats, share: Floats) -> Floats:
    """Log-density of ω, on the log scale of the grid, and of R²; up to a constant."""
    a, b = SHARE_PRIOR
    of_share = (a - 1) * np.log(share) + (b - 1) * np.log1p(-share)
    return -0.5 * (omega / SPREAD_PRIOR) ** 2 + np.log(omega) + of_share


def given(effect: Floats, variance: Floats, x: Floats, tau: Floats, ridge: Floats) -> tuple[Floats, Floats, Floats]:
    """At each τ and λ (G,): log marginal density of the effects, mean of (level, β), Cholesky factor of the precision.

    log N(y; X₀b, D) integrated over b ~ N(0, P₀⁻¹), P₀ = diag(0, λ⁻², …): −½ (Σ log D + log |P| − log |P₀| + y'D⁻¹y −
    m'Pm), with P = X₀'D⁻¹X₀ + P₀ and the flat level's own factor left out.
    """
    total = variance + tau[:, None] ** 2
    whole = np.column_stack([np.ones(len(effect)), x])
    precision = (whole.T[None] / total[:, None, :]) @ whole
    diagonal = np.arange(1, whole.shape[1])
    precision[:, diagonal, diagonal] += ridge[:, None] ** -2.0
    factor = np.linalg.cholesky(precision)
    right = (effect / total) @ whole
    mean = np.linalg.solve(precision, right[..., None])[..., 0]
    squares = np.sum(effect**2 / total, axis=1) - np.sum(mean * right, axis=1)
    of_factor = 2 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
    determinants = np.log(total).sum(axis=1) + of_factor + 2 * x.shape[1] * np.log(ridge)
    return -0.5 * (squares + determinants), mean, factor

"""The hyperparameters: where the engine walks freely, what that means, and the density of their priors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import expit

from collabeval.models.design import Design
from collabeval.models.log_prior import FROM_SD, LOG_DENSITY, top_level
from collabeval.params import Prior

Floats = np.ndarray
TYPICAL = "residual_sd_typical"
TINY = 1e-6
END = 33.0  # logit beyond which x is at its limit but for rounding, where the logarithm of a prior would be of nought
TO_SD: dict[str, Callable[[Floats], Floats]] = {
    "value": lambda x: x,
    "sd": lambda x: x,
    "variance": np.sqrt,
    "precision": lambda x: x**-0.5,
    "log_sd": np.exp,
}
NAMES = ("site_sd", "trajectory_sd", "site_correlation", "trend_sd", "overdispersion_sd", "residual_sd_typical",
         "residual_sd_spread")  # fmt: skip


@dataclass(frozen=True)
class Hyperparameter:
    """One of them: u on the whole line ↔ x that its prior is on ↔ the value the model is written with.

    A standard deviation is u², u > 0: near normal by the square root, as a χ² is, and short towards zero, where its
    logarithm has a long tail. A typical sd is exp u. What lies within limits is the logit of the share of the way.
    """

    name: str
    prior: Prior

    @cached_property
    def numbers(self) -> dict[str, float]:
        """The prior's own, which are asked for with every step of a search."""
        return self.prior.numbers

    @property
    def limits(self) -> tuple[float, float] | None:
        """Where x must lie, if on both sides."""
        if self.prior.dist == "Uniform":
            return float(self.numbers["lower"]), float(self.numbers["upper"])
        return (0.0, 1.0) if self.prior.dist == "Beta" else None

    @property
    def is_root(self) -> bool:
        """Whether u is the square root of a standard deviation, so that it ends at 0."""
        return self.limits is None and self.name != TYPICAL

    def value(self, u: Floats) -> Floats:
        """The parameter at u: an sd, or the correlation."""
        if self.limits is None:
            return np.exp(u) if self.name == TYPICAL else np.maximum(u, TINY) ** 2
        x = self._between(u)
        if self.name == "site_correlation":
            return 2 * x - 1 if self.prior.dist == "Beta" else x
        return TO_SD[self.prior.on](x)

    def drawn(self, u: Floats) -> Floats:
        """x at u: what the prior is on."""
        if self.limits is not None:
            return self._between(u)
        return FROM_SD[self.prior.on](self.value(u))

    def log_prior(self, u: Floats) -> Floats:
        """Log-density of x at u, up to a constant; minus infinity where there is no x."""
        inside = np.where((u > 0) | (not self.is_root), 0.0, -np.inf)
        return inside + LOG_DENSITY[self.prior.dist](self.drawn(u), self.numbers)

    def log_density(self, u: Floats) -> Floats:
        """Log-density of u under the prior, up to a constant: of x there, and log |dx/du|."""
        if self.limits is not None:
            return self.log_prior(u) - np.logaddexp(0, u) - np.logaddexp(0, -u)
        log_sd = np.log(self.value(u))
        by_sd = {"value": 0 * log_sd, "sd": 0 * log_sd, "variance": log_sd, "precision": -3 * log_sd}
        by_u = u if self.name == TYPICAL else np.log(np.maximum(u, TINY))
        return self.log_prior(u) + by_sd.get(self.prior.on, -log_sd) + by_u

    def free(self, value: float) -> float:
        """u of a value of the parameter, kept off the edges of its range."""
        if self.limits is None:
            return float(np.log(value) if self.name == TYPICAL else np.sqrt(value))
        low, high = self.limits
        x = value if self.name == "site_correlation" else float(FROM_SD[self.prior.on](np.array(value)))
        x = (value + 1) / 2 if self.prior.dist == "Beta" else x
        share = np.clip((x - low) / (high - low), 0.05, 0.95)
        return float(np.log(share / (1 - share)))

    def _between(self, u: Floats) -> Floats:
        low, high = self.limits or (0.0, 1.0)
        return low + (high - low) * expit(np.clip(u, -END, END))


def hyperparameters(design: Design) -> list[Hyperparameter]:
    """Those that the design's model has, in the order of `NAMES`."""
    has = {
        "site_sd": True,
        "trajectory_sd": design.trajectory,
        "site_correlation": design.trajectory,
        "trend_sd": design.trend == "random_walk",
        "overdispersion_sd": design.overdispersion,
        "residual_sd_typical": design.own_sd,
        "residual_sd_spread": design.own_sd,
    }
    priors = top_level(design)
    return [Hyperparameter(name, priors[name]) for name in NAMES if has[name]]

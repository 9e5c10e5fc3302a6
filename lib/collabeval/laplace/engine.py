"""A whole fit by the fast engine: locate, weigh, draw; and its own check (docs/methods.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from arviz_stats.base import array_stats

from collabeval.errors import CollabevalError
from collabeval.laplace.centre import Centre, TooCoarseError, locate
from collabeval.laplace.problem import Floats, Problem, pose
from collabeval.laplace.proposals import RESAMPLED, draw_sites
from collabeval.laplace.weights import Proposals, importance_sample, threaded
from collabeval.models.design import Design
from collabeval.params import Sampling

LIMIT = 0.7  # of k̂ (Vehtari et al. 2024), less where there are few proposals
EVEN = 0.1  # spread of a site's log-ratios up to which all of its proposals weigh alike: no draw is off by more
LOST = 0.01  # share of possible proposals that may come out without a weight
FEWEST = 400  # effective proposals
MOST = 16  # times as many proposals as effective ones are asked for, at most


@dataclass(frozen=True)
class Fitted:
    """Draws with the names and dims of the PyMC models' own, and what the engine says of them."""

    posterior: xr.Dataset
    statistics: xr.Dataset
    attributes: dict[str, str | int | float]
    failure: str  # why the engine's own check failed, or nothing


@dataclass(frozen=True)
class Drawn:
    """Draws of a problem in the engine's own terms, S of them, equally weighted."""

    values: dict[str, Floats]  # hyperparameters, (S,) each
    g: Floats  # (S, G) programme-wide part
    effects: Floats  # (S, J, 2) whitened effects of sites
    rho: Floats  # (S, J) of their sds
    own: Floats  # (S, N) of cells
    picked: np.ndarray  # (S,) the proposal each was resampled from
    attributes: dict[str, str | int | float]
    failure: str

    @property
    def statistics(self) -> xr.Dataset:
        """Which proposal each draw was resampled from, as ArviZ has statistics of sampling."""
        return xr.Dataset(
            {"proposal": (("chain", "draw"), self.picked[None])}, {"chain": [0], "draw": np.arange(len(self.picked))}
        )


def fit(design: Design, sampling: Sampling, tell: Callable[[str], None], effective: int | None = None) -> Fitted:
    """Independent draws of the whole model, equally weighted, as many as `chains` × `draws`, in one chain.

    They come from `effective` effective proposals, or `minimum_ess`.

    Raises
    ------
    CollabevalError
        No quadrature rule of the engine is fine enough for these data.
    """
    problem = pose(design)
    drawn = draw(problem, sampling, tell, effective or sampling.minimum_ess)
    return Fitted(named(problem, drawn), drawn.statistics, drawn.attributes, drawn.failure)


def draw(
    problem: Problem, sampling: Sampling, tell: Callable[[str], None], effective: int, site_limit: float = LIMIT
) -> Drawn:
    """Draws of everything a problem has, as `fit`; `site_limit` is the k̂ that the worst site may have."""
    random = np.random.default_rng(sampling.seed)
    tell("integrating by nested Laplace: looking for the most probable spreads")
    try:
        centre = locate(problem)
    except TooCoarseError as reason:
        raise CollabevalError(str(reason)) from reason
    tell(f"weighting until {effective} proposals are effective")
    found = importance_sample(problem, centre, effective, MOST * effective, random)
    picked = resampled(found.smoothed[0], sampling.chains * sampling.draws, random)
    values = problem.values(found.u[picked])
    effects, rho, own, ratios = _effects(problem, centre, found, values, picked, random)
    attributes = _judged(found, ratios, centre, sampling.seed)
    return Drawn(values, found.g[picked], effects, rho, own, picked, attributes, _failure(attributes, site_limit))


def resampled(weights: Floats, count: int, random: np.random.Generator) -> np.ndarray:
    """Positions (count,) in proportion to the weights, by one systematic sweep, in random order."""
    points = (np.arange(count) + random.random()) / count
    return random.permutation(np.searchsorted(np.cumsum(weights), points).clip(max=len(weights) - 1))


def _effects(
    problem: Problem,
    centre: Centre,
    found: Proposals,
    values: dict[str, Floats],
    picked: np.ndarray,
    random: np.random.Generator,
) -> tuple[Floats, ...]:
    """Effects of sites and cells given each picked proposal; each has a seed of its own, whatever the threads do."""
    rows, trends = problem.rows(values), problem.trends(values)
    g, z, seeds = found.g[picked], found.z[picked], random.integers(0, 2**32 - 1, len(picked))

    def work(part: slice) -> tuple[Floats, ...]:
        return draw_sites(problem.cells, problem.programme, centre.rule, rows[part], trends[part], g[part], z[part],
                          seeds[part])  # fmt: skip

    return tuple(np.concatenate(parts) for parts in zip(*threaded(work, len(picked)), strict=True))


def named(problem: Problem, drawn: Drawn) -> xr.Dataset:
    """The draws as `models/terms.py` names them."""
    values, g, rho, own = drawn.values, drawn.g, drawn.rho, drawn.own
    design, first, second = problem.design, drawn.effects[:, :, 0], drawn.effects[:, :, 1]
    variables: dict[str, tuple[tuple[str, ...], Floats]] = {name: ((), value) for name, value in values.items()}
    variables["intercept"] = ((), g[:, 0])
    effects = g[:, g.shape[1] - len(design.covariates.terms) :]
    variables["site_level"] = (("site",), values["site_sd"][:, None] * first + effects @ design.site_covariates.T)
    if design.covariates.terms:
        variables["covariates"] = (("covariate",), effects)
    if design.trend != "none":
        periods = slice(len(design.time))
        still = g @ problem.programme.fixed[periods].T - g[:, :1]
        moving = problem.trends(values)[:, None] * (g @ problem.programme.walk[periods].T)
        variables["trend"] = (("period",), (still + moving) / design.scale)
    if design.trend == "linear":
        variables["trend_slope"] = ((), g[:, 1])
    if design.trajectory:
        lean, correlation = values["trajectory_sd"][:, None], values["site_correlation"][:, None]
        variables["site_slope"] = (("site",), lean * (correlation * first + np.sqrt(1 - correlation**2) * second))
    if design.overdispersion:
        unsorted = np.empty_like(own)
        unsorted[:, problem.order] = own
        variables["overdispersion"] = (("cell",), values["overdispersion_sd"][:, None] * unsorted)
    if design.own_sd:
        typical, spread = values["residual_sd_typical"][:, None], values["residual_sd_spread"][:, None]
        variables["residual_sd"] = (("site",), typical * np.exp(spread * rho))
    coords = {"chain": [0], "draw": np.arange(len(g)), "site": design.sites}
    coords |= {"period": design.periods} if "trend" in variables else {}
    coords |= {"cell": np.arange(design.cells)} if "overdispersion" in variables else {}
    coords |= {"covariate": design.covariates.names} if "covariates" in variables else {}
    return xr.Dataset({name: (("chain", "draw", *dims), value[None]) for name, (dims, value) in variables.items()},
                      coords)  # fmt: skip


def _judged(found: Proposals, ratios: Floats, centre: Centre, seed: int) -> dict[str, str | int | float]:
    """What the engine can say of itself: k̂ of the weights and of the worst site's proposals, effective proposals.

    k̂ is the shape of a tail and knows no size. Where sites hardly differ, effects of each are nearly their prior, the
    ratios all but 0, and what little they vary by has a tail of any shape: only sites whose weights differ are judged.
    """
    count = len(found.u)
    varying = ratios[:, np.ptp(ratios, axis=0) > EVEN]
    sites = array_stats.psislw(-varying, axis=0)[1] if varying.size else np.array([-np.inf])
    return {
        "engine": "laplace",
        "pareto_k": found.smoothed[1],
        "pareto_k_site": float(np.max(sites)),
        "pareto_k_limit": float(min(LIMIT, 1 - 1 / np.log10(count))),
        "importance_ess": found.effective,
        "proposals": count,
        "proposals_lost": float(np.mean(~np.isfinite(found.log_weights[found.possible]))),
        "aims": len({id(aim) for aim, _ in found.aims}),
        "nodes": f"{len(centre.rule.cell)} a cell, {len(centre.rule.site)} a site",
        "resampled": RESAMPLED,
        "seed": seed,
    }


def _failure(said: dict[str, str | int | float], site_limit: float) -> str:
    k, site, limit = float(said["pareto_k"]), float(said["pareto_k_site"]), float(said["pareto_k_limit"])
    if not k <= limit:
        return f"the weights of the fast engine have k̂ {k:.2f}, above {limit:.2f}"
    if not site <= site_limit:
        return f"the worst site's weights in the fast engine have k̂ {site:.2f}, above {site_limit}"
    if float(said["proposals_lost"]) > LOST:
        return f"the fast engine could not weigh {said['proposals_lost']:.1%} of its proposals"
    if not float(said["importance_ess"]) >= FEWEST:
        return f"the fast engine has {said['importance_ess']:.0f} effective proposals, below {FEWEST}"
    return ""

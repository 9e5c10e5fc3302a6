"""A whole fit by the fast engine: locate, weigh, draw; and its own check (docs/methods.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import numpy as np
import xarray as xr

from collabeval.errors import CollabevalError
from collabeval.laplace.boxes import tabulated
from collabeval.laplace.centre import Centre, locate
from collabeval.laplace.depths import TooCoarseError, described
from collabeval.laplace.kernels import NORMAL
from collabeval.laplace.problem import Floats, Problem, pose
from collabeval.laplace.proposals import draw_sites
from collabeval.laplace.site_draws import FEWEST as FEWEST_TRIED
from collabeval.laplace.threads import threaded
from collabeval.laplace.weights import Proposals, families, importance_sample, k_limit, needed, resampled
from collabeval.models.design import Design
from collabeval.params import Sampling

LOST = 0.01  # share of possible proposals that may come out without a weight
FEWEST = 400  # effective proposals
RATIOS = 2000  # by which each site's proposals are judged, at least, however few draws are asked for
SITE_SHARE = 0.5  # of a site's 40 proposals or more that is effective: resampling then moves a mean by sd/40 at most
MOST_VALUES = 10**8  # of cells in all draws, 400 MB of each kind: of more cells no more draws are kept than are needed
SPARE = 1.25  # of draws, over the effective ones asked for
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


def fit(design: Design, sampling: Sampling, tell: Callable[[str], None]) -> Fitted:
    """Independent draws of the whole model, equally weighted, in one chain (`Sampler.kept` says how many).

    Raises
    ------
    CollabevalError
        No quadrature rule of the engine is fine enough for these data.
    """
    return Sampler(pose(design), sampling, tell).fitted(sampling.minimum_ess)


class Sampler:
    """Draws of one problem, and more of them: what was found once is gone on from.

    Raises
    ------
    CollabevalError
        No quadrature rule of the engine is fine enough for these data.
    """

    def __init__(self, problem: Problem, sampling: Sampling, tell: Callable[[str], None]) -> None:
        tell("integrating by nested Laplace: looking for the most probable spreads")
        self.problem, self.sampling, self.tell = tabulated(problem), sampling, tell
        self.found: Proposals | None = None
        try:
            self.centre = locate(self.problem)
        except TooCoarseError as reason:
            raise CollabevalError(str(reason)) from reason

    def weigh(self, effective: float, count: int) -> Proposals:
        """Weighted proposals, so many that `count` draws of them are as good as so many independent ones."""
        least = needed(effective, count)
        self.tell(f"weighting until {least:.0f} proposals are effective")
        self.found = importance_sample(self.problem, self.centre, least, MOST * ceil(least), self._random(), self.found)
        return self.found

    def kept(self, effective: float) -> int:
        """How many draws are kept: `chains` × `draws`, or with very many cells the fewer that the goal needs."""
        room = max(MOST_VALUES // len(self.problem.cells.y), ceil(SPARE * effective))
        return min(self.sampling.chains * self.sampling.draws, room)

    def draw(self, effective: float) -> Drawn:
        """Draws of everything the problem has, as many as are `kept`, as good as so many independent ones."""
        count = self.kept(effective)
        weights, random = self.weigh(effective, count).smoothed[0], self._random()
        return self.drawn(resampled(weights, count, random), random)

    def drawn(self, picked: np.ndarray, random: np.random.Generator, levels: Floats | None = None) -> Drawn:
        """Draws given the proposals that each is `picked` from, (S,), and the `levels` (S, J) of sites if known."""
        problem, found = self.problem, self.found
        assert found is not None, "proposals are picked from those that were weighed"
        sampled = _effects(problem, self.centre, found, picked, random, levels)
        attributes = _judged(found, sampled.ratios, self.centre, self.sampling.seed)
        return Drawn(problem.values(found.u[picked]), found.g[picked], sampled.effects, sampled.rho, sampled.own,
                     picked, attributes, failure(attributes))  # fmt: skip

    def _random(self) -> np.random.Generator:
        return np.random.default_rng([self.sampling.seed, len(self.found.u) if self.found else 0])

    def fitted(self, effective: float) -> Fitted:
        """The same by the names of the PyMC models."""
        drawn = self.draw(effective)
        return Fitted(named(self.problem, drawn), drawn.statistics, drawn.attributes, drawn.failure)


@dataclass(frozen=True)
class Effects:
    """What is drawn given the picked proposals, S draws."""

    effects: Floats  # (S, J, 2) whitened
    rho: Floats  # (S, J)
    own: Floats  # (S, N) of cells, in the design's order and in the unit of the model; (S, 0) where they have none
    ratios: Floats  # (K, J) log-ratios of the sites' effects to what proposed them


def _effects(
    problem: Problem,
    centre: Centre,
    found: Proposals,
    picked: np.ndarray,
    random: np.random.Generator,
    levels: Floats | None,
) -> Effects:
    """Effects of sites and cells; each slice has a seed of its own, whatever the threads do."""
    sites, cells, design = len(problem.cells.start) - 1, problem.cells, problem.design
    distinct, places, edges = families(picked)
    values = problem.values(found.u[distinct])
    rows, trends = problem.rows(values), problem.trends(values)
    seed = int(random.integers(2**32))
    each = min(FEWEST_TRIED, ceil(RATIOS / len(distinct))) if cells.family != NORMAL and levels is None else 0
    effects, rho = np.zeros((len(picked), sites, 2)), np.zeros((len(picked), sites))
    given = levels is not None
    if levels is not None:
        effects[:, :, 0] = levels
    own = np.zeros((len(picked), design.cells if design.overdispersion else 0), np.float32)
    ratios = np.zeros((len(distinct), each, sites), np.float32)

    def work(part: slice) -> None:
        which, bounds = distinct[part], edges[part.start : part.stop + 1]
        mine = np.random.default_rng([seed, part.start])
        draw_sites(mine, cells, problem.programme, centre.depths, problem.order, rows[part], trends[part],
                   found.g[which], found.z[which], bounds, places, given, effects, rho, own, ratios[part])  # fmt: skip

    threaded(work, len(distinct))
    if own.size:
        own /= np.float32(design.scale)
    return Effects(effects, rho, own, ratios.reshape(-1, sites))


def named(problem: Problem, drawn: Drawn) -> xr.Dataset:
    """The draws as `models/terms.py` names them."""
    values, g = drawn.values, drawn.g
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
        variables["overdispersion"] = (("cell",), drawn.own)
    if design.own_sd:
        typical, spread = values["residual_sd_typical"][:, None], values["residual_sd_spread"][:, None]
        variables["residual_sd"] = (("site",), typical * np.exp(spread * drawn.rho))
    coords = {"chain": [0], "draw": np.arange(len(g)), "site": design.sites}
    coords |= {"period": design.periods} if "trend" in variables else {}
    coords |= {"cell": np.arange(design.cells)} if "overdispersion" in variables else {}
    coords |= {"covariate": design.covariates.names} if "covariates" in variables else {}
    return xr.Dataset({name: (("chain", "draw", *dims), value[None]) for name, (dims, value) in variables.items()},
                      coords)  # fmt: skip


def _judged(found: Proposals, ratios: Floats, centre: Centre, seed: int) -> dict[str, str | int | float]:
    """What the engine can say of itself: k̂ of the weights, effective proposals, how good sites' own are."""
    count = len(found.u)
    return {
        "engine": "laplace",
        "pareto_k": found.smoothed[1],
        "site_share": worst_site(ratios),
        "pareto_k_limit": k_limit(count),
        "importance_ess": found.effective,
        "proposals": count,
        "proposals_lost": float(np.mean(~np.isfinite(found.log_weights[found.possible]))),
        "aims": len({id(aim) for aim, _ in found.aims}),
        "nodes": described(centre.depths),
        "seed": seed,
    }


def worst_site(ratios: Floats) -> float:
    """Share of effective proposals, 1/(1 + CV² of the weights), of the site where it is least; ratios (K, J).

    Not k̂: these weights are nearly bounded (`site_draws`), and k̂ of such says nothing.
    """
    if not ratios.size:
        return 1.0  # drawn exactly
    weights = np.exp(ratios - ratios.max(axis=0))
    return float((weights.mean(axis=0) ** 2 / (weights**2).mean(axis=0)).min())


def failure(said: dict[str, str | int | float]) -> str:
    k, site, limit = float(said["pareto_k"]), float(said["site_share"]), float(said["pareto_k_limit"])
    if not k <= limit:
        return f"the weights of the fast engine have k̂ {k:.2f}, above {limit:.2f}"
    if not site >= SITE_SHARE:
        return f"of what the fast engine proposes for the worst site {site:.0%} is effective, below {SITE_SHARE:.0%}"
    if float(said["proposals_lost"]) > LOST:
        return f"the fast engine could not weigh {said['proposals_lost']:.1%} of its proposals"
    if not float(said["importance_ess"]) >= FEWEST:
        return f"the fast engine has {said['importance_ess']:.0f} effective proposals, below {FEWEST}"
    return ""

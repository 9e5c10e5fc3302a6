"""Several measures at once: each weighed by itself, their proposals combined, the levels drawn together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import ceil

import numpy as np
import xarray as xr

from collabeval.errors import CollabevalError
from collabeval.laplace.combinations import MOST_MEASURES, Combinations, Coupled, combine, correlations
from collabeval.laplace.coupled import draw_levels
from collabeval.laplace.engine import MOST, RATIOS, Drawn, Fitted, Sampler, failure, named, worst_site
from collabeval.laplace.levels import POINTS, level_densities
from collabeval.laplace.problem import Floats, Problem
from collabeval.laplace.site_draws import FEWEST as FEWEST_TRIED
from collabeval.laplace.threads import threaded
from collabeval.laplace.weights import Proposals, families, k_limit, needed, resampled
from collabeval.models.correlation import memberships
from collabeval.params import Sampling

__all__ = ["MOST_MEASURES", "Joint", "Together"]

MORE = 1.6  # times as many proposals of each measure are effective as combinations are to be: R lets some go to waste


@dataclass(frozen=True)
class Joint:
    """Draws of several measures, draw s of one belonging to draw s of every other, and of their levels' correlation."""

    measures: dict[str, Fitted]
    correlation: xr.DataArray  # (chain, draw, measure, other)
    picked: np.ndarray  # (S,) the combination each draw was resampled from
    failure: str  # why the check failed, of the measures' proposals or of combinations; or nothing


class Together:
    """Draws of several problems whose sites' levels correlate, and more of them.

    Raises
    ------
    CollabevalError
        No quadrature rule of the engine is fine enough for some measure's data.
    """

    def __init__(self, problems: Mapping[str, Problem], sampling: Sampling, tell: Callable[[str], None]) -> None:
        self.sampling, self.tell = sampling, tell
        self.samplers: dict[str, Sampler] = {}
        for name, problem in problems.items():
            try:
                self.samplers[name] = Sampler(problem, sampling, partial(self._tell, name))
            except CollabevalError as error:
                raise CollabevalError(f"{name}: {error}") from error
        self.has, self.place = memberships([problem.design.sites for problem in problems.values()])

    def _tell(self, name: str, said: str) -> None:
        self.tell(f"{name}: {said}")

    def fitted(self, effective: float) -> Joint:
        """Draws of everything, as many as every measure keeps, as good as so many independent ones."""
        sampling, samplers = self.sampling, list(self.samplers.values())
        count = min(sampler.kept(effective) for sampler in samplers)
        found = [sampler.weigh(MORE * effective, count) for sampler in samplers]
        random = np.random.default_rng([sampling.seed, *(len(one.u) for one in found)])
        kept = [np.flatnonzero(one.smoothed[0] > 0) for one in found]
        coupled = self._coupled(found, kept)
        least = needed(effective, count)
        self.tell("weighing combinations of the measures' proposals")
        combined = combine(coupled, least, MOST * ceil(least), random)
        picked = resampled(combined.smoothed[0], count, random)
        levels, ratios = self._levels(coupled, combined, picked, random)
        measures = {}
        for m, (name, sampler) in enumerate(self.samplers.items()):
            own = self.place[self.has[:, m], m]
            mine = np.empty((count, len(own)))
            mine[:, own] = levels[:, self.has[:, m], m]
            drawn = sampler.drawn(kept[m][combined.picks[picked, m]], random, mine)
            said = _said(drawn, combined, ratios)
            measures[name] = Fitted(named(sampler.problem, drawn), drawn.statistics, said, failure(said))
        matrices = correlations(combined.u[picked], len(samplers))[None]
        names = list(self.samplers)
        coords = {"chain": [0], "draw": np.arange(count), "measure": names, "other": names}
        failures = "; ".join(dict.fromkeys(one.failure for one in measures.values() if one.failure))
        return Joint(measures, xr.DataArray(matrices, coords), picked, failures)

    def _coupled(self, found: list[Proposals], kept: list[np.ndarray]) -> Coupled:
        shape = (len(found), max(map(len, kept)), len(self.has))
        places, tables = np.ones((*shape, 4)), np.zeros((*shape, POINTS), np.float32)
        for m, (sampler, one, mine) in enumerate(zip(self.samplers.values(), found, kept, strict=True)):
            _tabulate(sampler, one, mine, self._where(m), places[m], tables[m])
        counts = self.has.sum(axis=1)
        kinds = np.unique(self.has, axis=0, return_inverse=True)[1]
        held = np.argsort(~self.has, axis=1, kind="stable")
        weights = [one.smoothed[0][mine] for one, mine in zip(found, kept, strict=True)]
        values = [np.hstack([one.u, one.g])[mine] for one, mine in zip(found, kept, strict=True)]
        return Coupled(places, tables, held, counts, kinds, tuple(own / own.sum() for own in weights), tuple(values))

    def _where(self, m: int) -> np.ndarray:
        """Which of all sites each site of a measure is."""
        where = np.empty(self.has[:, m].sum(), np.int64)
        where[self.place[self.has[:, m], m]] = np.flatnonzero(self.has[:, m])
        return where

    def _levels(
        self, coupled: Coupled, combined: Combinations, picked: np.ndarray, random: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """Whitened levels (S, J, M) of the picked combinations, and log-ratios (·, J) of what proposed them."""
        distinct, order, edges = families(picked)
        matrices = correlations(combined.u[distinct], len(coupled.weights))
        each = min(FEWEST_TRIED, ceil(RATIOS / len(distinct)))
        levels = np.zeros((len(picked), *self.has.shape))
        ratios = np.zeros((len(distinct), each, len(self.has)), np.float32)
        seed = int(random.integers(2**32))

        def work(part: slice) -> None:
            mine = np.random.default_rng([seed, part.start])
            draw_levels(mine, coupled.places, coupled.tables, coupled.held, coupled.counts,
                        combined.picks[distinct[part]], matrices[part], edges[part.start : part.stop + 1], order,
                        levels, ratios[part])  # fmt: skip

        threaded(work, len(distinct))
        return levels, ratios.reshape(-1, len(self.has))


def _tabulate(
    sampler: Sampler, found: Proposals, kept: np.ndarray, where: np.ndarray, places: Floats, tables: Floats
) -> None:
    """Fill what is known of one measure's levels, for the proposals that are kept."""
    problem = sampler.problem
    values = problem.values(found.u[kept])
    rows, trends = problem.rows(values), problem.trends(values)
    g, z = found.g[kept], found.z[kept]

    def work(part: slice) -> None:
        level_densities(problem.cells, problem.programme, sampler.centre.depths, rows[part], trends[part], g[part],
                        z[part], where, places[part], tables[part])  # fmt: skip

    threaded(work, len(kept))


def _said(drawn: Drawn, combined: Combinations, ratios: Floats) -> dict[str, str | int | float]:
    """What one measure's draws say of themselves, and what can be said of the combinations where that is the worse."""
    own = float(drawn.attributes["pareto_k"]), float(drawn.attributes["pareto_k_limit"])
    k, limit = min(own, (combined.smoothed[1], k_limit(len(combined.u))), key=_room)
    effective = min(float(drawn.attributes["importance_ess"]), combined.effective)
    worse = {"pareto_k": k, "pareto_k_limit": limit, "site_share": worst_site(ratios), "importance_ess": effective}
    return {**drawn.attributes, **worse, "combinations": len(combined.u)}


def _room(k_and_limit: tuple[float, float]) -> float:
    """How far k̂ lies below its limit; none at all where there is no k̂."""
    k, limit = k_and_limit
    return -np.inf if np.isnan(k) else limit - k

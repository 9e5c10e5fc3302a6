"""Draws of the model of outcomes outside the programme: by the fast engine, else by NUTS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr

from collabeval.convergence import Mixing
from collabeval.draws import POSTERIOR
from collabeval.effect.waves import waves_of
from collabeval.errors import CollabevalError
from collabeval.laplace.arrays import Programme
from collabeval.laplace.engine import Drawn, Sampler, named
from collabeval.laplace.problem import Problem, pose, refusal
from collabeval.models.design import Design, read_design
from collabeval.models.waves import LEAD_SD, SECULAR_SD, WAVE_SD, Waves, contrasts, settings_of
from collabeval.params import Family, Model, Params

KEPT = (*(name for name in POSTERIOR if name != "overdispersion"), "wave", "lead", "secular")
ROOM, SHORTFALL = 1.5, 1.1
ATTEMPTS = 2  # of the fast engine before NUTS takes over
MORE = 2.0  # times the effective proposals after a failed check: k̂ of some hundred proposals is known to a tenth or two
Tell = Callable[[str], None]
Reported = Callable[["Untreated"], np.ndarray]  # draws (quantity, S) of what must be known precisely


@dataclass(frozen=True)
class Untreated:
    """Draws of the model of untreated cells, by the names of `models/untreated.py`, and how they came about."""

    design: Design
    waves: Waves
    posterior: xr.Dataset  # (chain, draw, …)
    mixing: Mixing
    attributes: dict[str, str | int | float]

    def values(self, name: str) -> np.ndarray:
        """Draws of a variable, chain by chain (S, …)."""
        found = self.posterior[name].transpose("chain", "draw", ...).to_numpy()
        return found.reshape(-1, *found.shape[2:])


def fit_untreated(
    rows: pd.DataFrame, name: str, params: Params, leads: bool, reported: Reported, tell: Tell
) -> Untreated:
    """Fit the untreated rows of one measure, as precisely as `sampling` asks of every effect in it.

    Parameters
    ----------
    rows : the untreated rows (`layout.COLUMNS`).
    leads : whether joiners may have been on a course of their own before they joined.
    reported : from draws to the quantities whose effective sample size must reach `minimum_ess`.
    """
    design = untreated_design(rows, params.measures[name].family, params.model)
    waves = waves_of(rows, design, leads, params.effect.anticipation if params.effect else 0)
    why = "model.engine: nuts"
    if params.model.engine != "nuts":
        found, why = _fast(design, waves, name, params, reported, tell)
        if found is not None:
            return found
        tell(f"{name}: by NUTS, since {why}")
    return _by_nuts(design, waves, name, params, reported, why, tell)


def untreated_design(rows: pd.DataFrame, family: Family, model: Model) -> Design:
    """The untreated rows as the models see them, sites and comparators alike as `site`."""
    seen = np.array(rows.groupby("unit")["step"].nunique(), dtype=np.int64)
    return read_design(rows.assign(site=rows["unit"]), family, settings_of(model, seen))


def pose_untreated(design: Design, waves: Waves) -> Problem:
    """The fast engine's problem: that of site performance with secular trend, waves and leads, programme-wide.

    A cell sees one row of the programme's course; here there is a row for each period of each wave and lead.
    """
    problem = pose(design)
    old, (of_wave, of_lead) = problem.programme, contrasts(design, waves)
    keys = np.column_stack([design.period_index, waves.wave[design.site_index], waves.lead])
    _, first, column = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    extra = design.scale * np.hstack([of_wave, of_lead, design.years[:, None]])[first]
    period = design.period_index[first] if design.trend != "none" else np.zeros(len(first), dtype=int)
    sds = np.repeat([WAVE_SD, LEAD_SD, SECULAR_SD], [of_wave.shape[1], of_lead.shape[1], 1])
    programme = Programme(
        np.concatenate([old.centre, np.zeros(len(sds))]),
        np.concatenate([old.precision, sds**-2.0]),
        np.hstack([old.fixed[period], extra]),
        np.hstack([old.walk[period], np.zeros_like(extra)]),
    )
    cells = problem.cells._replace(column=column.reshape(-1)[problem.order])
    return replace(problem, cells=cells, programme=programme)


def _fast(
    design: Design, waves: Waves, name: str, params: Params, reported: Reported, tell: Tell
) -> tuple[Untreated | None, str]:
    """The fast engine's draws, or why it cannot have them."""
    reason = refusal(design)
    if reason:
        return None, reason
    problem, sampling = pose_untreated(design, waves), params.sampling
    try:
        sampler = Sampler(problem, sampling, lambda said: tell(f"{name}: {said}"))
    except CollabevalError as error:
        return None, str(error)
    effective = ROOM * sampling.minimum_ess
    for _ in range(ATTEMPTS):
        drawn = sampler.draw(effective)
        attributes = {**drawn.attributes, "engine_reason": "its own check passed"}
        found = Untreated(design, waves, _named(design, waves, drawn), Mixing(1, drawn.picked), attributes)
        least = _least_effective(reported(found), found.mixing)
        if not drawn.failure and least >= sampling.minimum_ess:
            break
        effective *= MORE if drawn.failure else SHORTFALL * sampling.minimum_ess / least
    return (None, drawn.failure) if drawn.failure else (found, "")


def _least_effective(values: np.ndarray, mixing: Mixing) -> float:
    """Least bulk or tail effective sample size of quantities (quantity, S)."""
    found = mixing.convergence(values)
    sizes = np.concatenate([found.ess_bulk, found.ess_tail])
    return float(np.min(sizes[np.isfinite(sizes)], initial=np.inf))


def _named(design: Design, waves: Waves, drawn: Drawn) -> xr.Dataset:
    """The draws as `models/untreated.py` names them."""
    problem, count = pose(design), len(waves.labels)
    own = len(problem.programme.centre)
    found = named(problem, replace(drawn, g=drawn.g[:, :own])).drop_vars("overdispersion", errors="ignore")
    dims = ("chain", "draw")
    if count:
        found = found.assign(wave=((*dims, "joining_wave"), drawn.g[None, :, own : own + count]))
    if waves.with_leads:
        found = found.assign(lead=((*dims, "event_time"), drawn.g[None, :, own + count : -1]))
    return found.assign(secular=(dims, drawn.g[None, :, -1]))


def _by_nuts(
    design: Design, waves: Waves, name: str, params: Params, reported: Reported, why: str, tell: Tell
) -> Untreated:
    import collabeval.models.families  # noqa: F401  first: it says where compiled code is kept, before PyTensor loads
    from collabeval.fit.chains import Sampled, attempts, attributes, sample_blocks
    from collabeval.fit.nuts import SAMPLERS
    from collabeval.models.untreated import build_untreated_model

    def quantities(tree: xr.DataTree) -> xr.Dataset:
        found = _sampled(design, waves, tree, {})
        values = reported(found).reshape(-1, found.mixing.chains, found.posterior.sizes["draw"])
        return xr.Dataset({"reported": (("quantity", "chain", "draw"), values)})

    sampling, tried = params.sampling, list[Sampled]()
    for attempt in attempts(design, sampling):
        settings = design.settings.model_copy(update={"parametrisation": attempt.parametrisation})
        model = build_untreated_model(replace(design, settings=settings), waves)
        sampler = SAMPLERS[sampling.sampler](model, sampling, keep=KEPT)
        tried.append(sample_blocks(sampler, sampling, attempt, quantities, lambda said: tell(f"{name}: {said}")))
        if tried[-1].divergences == 0:
            break
    best = min(tried, key=lambda result: result.divergences)
    said = {**attributes(best, len(tried) - 1, design, sampling), "engine_reason": why}
    return _sampled(design, waves, best.tree, said)


def _sampled(design: Design, waves: Waves, tree: xr.DataTree, attributes: dict[str, str | int | float]) -> Untreated:
    posterior = tree["posterior"].to_dataset()
    return Untreated(design, waves, posterior, Mixing(posterior.sizes["chain"]), attributes)

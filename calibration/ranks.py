"""Simulation-based calibration: where the truth lies among the draws, over worlds drawn from the priors.

If an engine is right, the rank of every quantity's true value among its draws is uniform (Talts et al. 2018);
data-dependent quantities such as the log-likelihood see errors that parameters do not (Modrák et al. 2023).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from calibration.forms import PER_YEAR, Form, params, world
from calibration.replicates import DIGITS
from collabeval import fit as fit_module
from collabeval.errors import CollabevalError
from collabeval.fit.predictive import log_likelihood
from collabeval.laplace.engine import fit as fast_fit
from collabeval.models.design import Design
from collabeval.params import Family, Params, Sampling


def quantities(posterior: xr.Dataset, design: Design) -> dict[str, np.ndarray]:
    """Every quantity that is ranked, (S,) each: parameters, one of each kind of effect, a window, the likelihood."""
    flat = {str(name): variable.to_numpy().reshape(-1, *variable.shape[2:]) for name, variable in posterior.items()}
    if "trend_slope" in flat:
        del flat["trend"]  # a multiple of the slope
    found = {name: values for name, values in flat.items() if values.ndim == 1}
    for name, place in (("trend", -1), ("site_level", 0), ("site_slope", 0), ("overdispersion", 0), ("residual_sd", 0)):
        if name in flat:
            found[name] = flat[name][:, place]
    for place, name in enumerate(design.covariates.names):
        found[f"covariate {name}"] = flat["covariates"][:, place]
    found["window_effect"] = _window_effect(flat, design)
    found["log_likelihood"] = log_likelihood(posterior, design).sum(axis=-1).ravel()
    return found


def _window_effect(flat: dict[str, np.ndarray], design: Design) -> np.ndarray:
    """The first site's effect over the last year, weighted by cases, less the mean of all sites."""
    cells = np.flatnonzero(design.period_index >= len(design.periods) - PER_YEAR)
    site = design.site_index[cells]
    effect = flat["site_level"][:, site]
    if design.trajectory:
        effect = effect + flat["site_slope"][:, site] * design.years[cells]
    if design.overdispersion:
        effect = effect + flat["overdispersion"][:, cells]
    weight = design.columns["weight"][cells]
    of_site = np.zeros((len(weight), len(design.sites)))
    of_site[np.arange(len(weight)), site] = weight / np.bincount(site, weight)[site]
    means = effect @ of_site
    return means[:, 0] - means.mean(axis=1)


def places(posterior: xr.Dataset, design: Design, truth: xr.Dataset, random: np.random.Generator) -> dict[str, float]:
    """Where the truth lies among the draws, 0 to 1: (rank + uniform) / (S + 1)."""
    drawn, true = quantities(posterior, design), quantities(truth, design)
    return {name: place(draws, true[name].item(), random) for name, draws in drawn.items()}


def place(draws: np.ndarray, truth: float, random: np.random.Generator) -> float:
    """The same of one quantity."""
    return float((np.sum(draws < truth) + random.random()) / (len(draws) + 1))


def replicate(family: Family, form: Form, seed: int, number: int, engine: str, sampling: Sampling) -> dict:
    """One world, its fit, and the place of the truth; `failure` is what the engine's own check said."""
    rows, design, truth = world(family, form, seed, number)
    random = np.random.default_rng([seed, number])
    clock = time.perf_counter()
    row: dict = {"replicate": number}
    try:
        posterior, said = ENGINES[engine](rows, design, family, sampling.model_copy(update={"seed": number}))
    except (CollabevalError, np.linalg.LinAlgError) as error:  # counted, and shown beside the results
        kind = "refused" if isinstance(error, CollabevalError) else "broke down"
        return row | {"failure": f"{kind}: {error}", "seconds": round(time.perf_counter() - clock, 3)}
    row |= {**said, "seconds": round(time.perf_counter() - clock, 3)}
    return row | {name: round(where, DIGITS) for name, where in places(posterior, design, truth, random).items()}


def _by_laplace(rows: pd.DataFrame, design: Design, family: Family, sampling: Sampling) -> tuple[xr.Dataset, dict]:
    found = fast_fit(design, sampling, lambda message: None)
    said = {name: round(float(found.attributes[name]), 3) for name in ("pareto_k", "site_share")}
    return found.posterior, {"failure": found.failure, **said}


def _by_nuts(rows: pd.DataFrame, design: Design, family: Family, sampling: Sampling) -> tuple[xr.Dataset, dict]:
    model = design.settings.model_copy(update={"engine": "nuts"})
    asked = params(family, model).model_copy(update={"sampling": sampling})
    posterior, diverged = _of_means(design, sampling) if family == "normal" else _sampled(rows, asked)
    return posterior, {"failure": f"{diverged} divergences" if diverged else ""}


def _sampled(rows: pd.DataFrame, asked: Params) -> tuple[xr.Dataset, int]:
    tree = fit_module.sample(rows, "m", asked)
    return tree["posterior"].to_dataset(), int(tree["sample_stats"]["diverging"].sum())


def _of_means(design: Design, sampling: Sampling) -> tuple[xr.Dataset, int]:
    """The same model and way of sampling, in the design's unit of 1: a fit works the unit out from the data."""
    from collabeval.models.families import OUTCOMES  # isort: skip  first: it says where compiled code is kept
    import pymc as pm

    from collabeval.fit.chains import attempts, without_divergences
    from collabeval.fit.nuts import Sampler, nutpie_sampler
    from collabeval.models.terms import coordinates, linear_predictor

    def sampler(form: str) -> Sampler:
        own = replace(design, settings=design.settings.model_copy(update={"parametrisation": form}))
        with pm.Model(coords=coordinates(own)) as model:
            OUTCOMES["normal"](own, linear_predictor(own))
        return nutpie_sampler(model, sampling)

    def everything(tree: xr.DataTree) -> xr.Dataset:
        return tree["posterior"].to_dataset()

    best, _ = without_divergences(sampler, list(attempts(design, sampling)), sampling, everything, lambda message: None)
    return best.tree["posterior"].to_dataset(), best.divergences


Engine = Callable[[pd.DataFrame, Design, Family, Sampling], tuple[xr.Dataset, dict]]
ENGINES: dict[str, Engine] = {"laplace": _by_laplace, "nuts": _by_nuts}

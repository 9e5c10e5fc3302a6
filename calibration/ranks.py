"""Simulation-based calibration: where the truth lies among the draws, over worlds drawn from the priors.

If an engine is right, the rank of every quantity's true value among its draws is uniform (Talts et al. 2018);
data-dependent quantities such as the log-likelihood see errors that parameters do not (Modrák et al. 2023).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from calibration.worlds import designed, effects, empty_rows, parameters, with_outcomes
from collabeval import fit as fit_module
from collabeval.errors import CollabevalError
from collabeval.fit.predictive import log_likelihood
from collabeval.laplace.engine import fit as fast_fit
from collabeval.models.design import Design
from collabeval.params import Family, Model, Params, Sampling

PER_YEAR = 2
CENTRES = {"binomial": -2.0, "poisson": -2.0, "normal": 0.0}
SPREADS = {"binomial": 1.0, "poisson": 1.0, "normal": 2.5}
CASES = (60.0, 0.7)  # median, and sd of the log, of the cases of a site in a period


@dataclass(frozen=True)
class Form:
    """A form of the model: its panel's size, and the windows' last periods."""

    name: str
    sites: int
    periods: int


FORMS = {"level": Form("level", 15, 1), "full": Form("full", 10, 5)}
FAMILIES: tuple[Family, ...] = ("binomial", "poisson", "normal")


def settings(family: Family) -> Model:
    """The default model with an intercept prior that does not look at the data."""
    prior = {"dist": "Normal", "mu": CENTRES[family], "sigma": SPREADS[family]}
    return Model.model_validate({"engine": "laplace", "priors": {"intercept": prior}})


def world(family: Family, form: Form, seed: int, replicate: int) -> tuple[pd.DataFrame, Design, xr.Dataset]:
    """Rows, design and truth of one replicate; each has a stream of random numbers of its own."""
    random = np.random.default_rng([seed, FAMILIES.index(family), form.sites, form.periods, replicate])
    cases = np.repeat(np.round(CASES[0] * np.exp(CASES[1] * random.normal(size=form.sites))), form.periods)
    rows = empty_rows(form.sites, form.periods, PER_YEAR, np.maximum(cases, 3.0), family)
    blank = designed(rows, family, settings(family))
    truth = effects(blank, parameters(blank, random), random)
    rows = with_outcomes(rows, blank, truth, random)
    return rows, designed(rows, family, settings(family)), truth


def quantities(posterior: xr.Dataset, design: Design) -> dict[str, np.ndarray]:
    """Every quantity that is ranked, (S,) each: parameters, one of each kind of effect, a window, the likelihood."""
    flat = {str(name): variable.to_numpy().reshape(-1, *variable.shape[2:]) for name, variable in posterior.items()}
    found = {name: values for name, values in flat.items() if values.ndim == 1 and name != "trend_slope"}
    for name, place in (("trend", -1), ("site_level", 0), ("site_slope", 0), ("overdispersion", 0), ("residual_sd", 0)):
        if name in flat:
            found[name] = flat[name][:, place]
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
    return {
        name: float((np.sum(draws < true[name]) + random.random()) / (len(draws) + 1)) for name, draws in drawn.items()
    }


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
    return row | {name: round(place, 5) for name, place in places(posterior, design, truth, random).items()}


def _by_laplace(rows: pd.DataFrame, design: Design, family: Family, sampling: Sampling) -> tuple[xr.Dataset, dict]:
    found = fast_fit(design, sampling, lambda message: None)
    said = {name: round(float(found.attributes[name]), 3) for name in ("pareto_k", "site_share")}
    return found.posterior, {"failure": found.failure, **said}


def _by_nuts(rows: pd.DataFrame, design: Design, family: Family, sampling: Sampling) -> tuple[xr.Dataset, dict]:
    if family == "normal":
        raise SystemExit("NUTS works out the unit of means from the data, so truth cannot be drawn before them")
    model = design.settings.model_copy(update={"engine": "nuts"})
    measure = {"m": {"label": "M", "family": family, "better": "lower"}}
    files = {"sites": "sites.csv", "outcomes": "outcomes.csv"}
    said = {"collaborative": "c", "title": "t", "edition": "1", "data": files, "measures": measure}
    params = Params.model_validate({**said, "sampling": {"seed": 0}}).model_copy(
        update={"model": model, "sampling": sampling}
    )
    tree = fit_module.sample(rows, "m", params)
    diverged = int(tree["sample_stats"]["diverging"].sum())
    return tree["posterior"].to_dataset(), {"failure": f"{diverged} divergences" if diverged else ""}


Engine = Callable[[pd.DataFrame, Design, Family, Sampling], tuple[xr.Dataset, dict]]
ENGINES: dict[str, Engine] = {"laplace": _by_laplace, "nuts": _by_nuts}


def add(target: Path, family: Family, form: Form, seed: int, number: int, engine: str, sampling: Sampling) -> None:
    """Append a replicate to the file, unless it holds it already."""
    if number in _held(target):
        return
    row = replicate(family, form, seed, number, engine, sampling)
    with target.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


@cache
def _held(target: Path) -> frozenset[int]:
    """Replicates that the file held when this process first looked."""
    return frozenset(_read(target)["replicate"]) if target.exists() else frozenset()


def _read(target: Path) -> pd.DataFrame:
    return pd.read_json(target, lines=True, dtype=False).sort_values("replicate", ignore_index=True)


def of_study(name: str, work: Path, results: Path) -> pd.DataFrame | None:
    """A study's replicates, one a row; quantities are places of the truth, 0 to 1.

    From `work`; where it has none, those kept in `results` (four digits, no seconds); None without either.
    """
    made, kept = work / f"{name}.jsonl", results / f"{name}.csv"
    if made.exists():
        return _read(made)
    return pd.read_csv(kept).fillna({"failure": ""}) if kept.exists() else None

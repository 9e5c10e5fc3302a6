"""What chance alone could look like: regression to the mean, and sites that the model does not fit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr

from collabeval.diagnostics.effects import predictor_with_new_sites, replicated, standard_error, thinned
from collabeval.diagnostics.predictive import by_group
from collabeval.estimates.posterior import Posterior
from collabeval.estimates.sites import Evaluated
from collabeval.estimates.window_draws import WindowDraws
from collabeval.params import Family
from collabeval.threats.differences import Row

FEWEST_SITES = 15  # in both windows, so that the worst fifth are three or more
WORST_SHARE = 0.2
MOST_DRAWS = 2000
OUTSIDE = 0.005  # of either tail


def regression_to_mean(found: Evaluated) -> Iterator[Row]:
    """Change of the fifth of sites recorded worst at baseline: as recorded, and as the model has it.

    Of ratios of observed to expected, of means in their unit. Sites chosen for a bad baseline come out better even
    where nothing changed (Barnett et al. 2005, Int J Epidemiol 34: 215-220); partial pooling takes that off.
    """
    if found.baseline is None or found.in_both.sum() < FEWEST_SITES:
        return
    posterior = found.posterior
    recorded = [_recorded(posterior, draws) for draws in (found.baseline, found.current)]
    modelled = [_modelled(posterior, draws) for draws in (found.baseline, found.current)]
    badness = np.where(found.in_both, -posterior.good * recorded[0], -np.inf)
    count = max(1, round(WORST_SHARE * int(found.in_both.sum())))
    worst = np.argsort(-badness, kind="stable")[:count]
    change = (modelled[1] - modelled[0])[worst].mean(axis=0)
    low, high = (float(limit) for limit in np.quantile(change, [0.025, 0.975]))
    yield {"threat": "regression_to_mean", "part": "sites", "value": float(count)}
    yield {
        "threat": "regression_to_mean",
        "part": "recorded",
        "value": float((recorded[1] - recorded[0])[worst].mean()),
    }
    yield {
        "threat": "regression_to_mean",
        "part": "modelled",
        "value": float(change.mean()),
        "lower": low,
        "upper": high,
    }


def _recorded(posterior: Posterior, draws: WindowDraws) -> np.ndarray:
    cells = posterior.cells_of(draws.window.periods)
    events = posterior.by_site(cells, posterior.observed[cells])
    return events / (draws.cases if posterior.measure.family == "normal" else draws.expected.mean(axis=1))


def _modelled(posterior: Posterior, draws: WindowDraws) -> np.ndarray:
    return draws.rate if posterior.measure.family == "normal" else draws.predicted / draws.expected


def site_prediction(family: Family, rows: pd.DataFrame, tree: xr.DataTree, seed: int) -> Iterator[Row]:
    """How many sites' totals lie outside 99 % of what the model would make of a site like them, and how many by chance.

    Sites' and rows' own effects are drawn anew, so that a site is judged by the others and its case-mix, and not by
    itself (mixed replication; Marshall & Spiegelhalter 2003, Stat Med 22: 1649-1660).
    """
    posterior, constant = thinned(tree, MOST_DRAWS), tree["constant_data"].to_dataset()
    random = np.random.default_rng(seed)
    eta = predictor_with_new_sites(posterior, constant, random)
    error = standard_error(rows, posterior, constant) if family == "normal" else np.array(np.nan)
    made = replicated(family, rows, eta, error, random)
    observed = rows["mean" if family == "normal" else "numerator"].to_numpy(float)
    weight = rows["weight"].to_numpy(float) if family == "normal" else np.ones(len(rows))
    site = constant["site_index"].to_numpy()
    totals, own = by_group(made * weight, site), by_group((observed * weight)[None], site)[0]
    above = (totals > own).mean(axis=0) + (totals == own).mean(axis=0) / 2
    outside = int(((above < OUTSIDE) | (above > 1 - OUTSIDE)).sum())
    for part, value in (("sites", len(own)), ("outside", outside), ("by chance", 2 * OUTSIDE * len(own))):
        yield {"threat": "site_prediction", "part": part, "value": float(value)}

"""How well each model predicts a row it has not seen: leave-one-out, by ArviZ (Vehtari, Gelman & Gabry 2017).

Plain leave-one-out fails for effects that one row alone informs (of its cell; of a site with one row): they are
integrated out first (`diagnostics.influence`). Of a model of the evaluation's own the effects of sites are left as
drawn, since it may give them another distribution; ε is Normal(0, σ_ε) in every model.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats import compare, loo
from arviz_stats.utils import ELPDData
from scipy.special import gammaln

from collabeval.diagnostics.effects import Array
from collabeval.diagnostics.influence import integrated_log_likelihood
from collabeval.own_model import own_function
from collabeval.params import PARAMS_MODEL, Family, Params

MOST_HIGH = 0.05  # share of rows
COLUMNS = ["alternative", "elpd", "elpd_se", "elpd_difference", "difference_se", "weight", "rows", "high_k", "k_limit"]


def leave_one_out(params: Params, name: str, panel: pd.DataFrame, tree: xr.DataTree) -> ELPDData:
    """Expected log predictive density of the rows of a measure, each left out in turn, with each row's Pareto k."""
    rows, family = panel[panel["measure"] == name].reset_index(drop=True), params.measures[name].family
    own = bool(own_function(params.model, name))
    densities = integrated_log_likelihood(family, rows, tree, lone_sites=not own) + constants(family, rows)
    groups = {"log_likelihood": xr.Dataset({"outcome": (("chain", "draw", "cell"), densities[None])})}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Estimated shape parameter")  # k is counted and shown
        return loo(xr.DataTree.from_dict(groups), pointwise=True, reff=1.0)


def ranked(found: Mapping[str, ELPDData]) -> pd.DataFrame:
    """One row for each model, in the order given: elpd, its difference from the params' model, stacking weight.

    A difference above 0 speaks for the alternative; its standard error is that of the sum of the rows' differences.
    Weights are by stacking (Yao et al. 2018). `high_k` counts rows with a Pareto k above `k_limit`; a model with more
    than one, and more than a share `MOST_HIGH`, of them has no difference and no weight (NaN), as its elpd is
    too high by an unknown amount.
    """
    high = {name: int((of.pareto_k.to_numpy() > of.good_k).sum()) for name, of in found.items()}
    told = {name: of for name, of in found.items() if high[name] <= max(1, MOST_HIGH * of.elpd_i.size)}
    weights, base = _weights(told), told.get(PARAMS_MODEL)
    rows = []
    for name, of in found.items():
        difference = error = np.nan
        if base is not None and name in told:
            each = (of.elpd_i - base.elpd_i).to_numpy().ravel()
            difference, error = float(each.sum()), float(np.sqrt(each.size * np.var(each)))
        numbers = (float(of.elpd), float(of.se), difference, error, weights.get(name, np.nan))
        rows.append((name, *numbers, of.elpd_i.size, high[name], float(of.good_k)))
    return pd.DataFrame(rows, columns=COLUMNS)


def _weights(told: Mapping[str, ELPDData]) -> dict[str, float]:
    """Stacking weight of each model; none where there is nothing to mix."""
    if len(told) < 2:
        return {}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)  # on models that predict alike: both numbers are shown
        table = compare(dict(told), method="stacking", round_to="none")
    return {name: float(table.loc[name, "weight"]) for name in told}


def constants(family: Family, rows: pd.DataFrame) -> Array:
    """What `diagnostics.influence` leaves out of each row's log-likelihood, a constant of the data (cell,)."""
    if family == "normal":
        return np.full(len(rows), -0.5 * np.log(2 * np.pi))
    events, cases = rows["numerator"].to_numpy(float), rows["denominator"].to_numpy(float)
    if family == "poisson":
        return -gammaln(events + 1)
    return gammaln(cases + 1) - gammaln(events + 1) - gammaln(cases - events + 1)

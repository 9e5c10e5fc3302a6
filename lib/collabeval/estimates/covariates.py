"""What covariates explain: the effect of each on the link scale, of so much of it as people speak of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from collabeval.estimates.posterior import Posterior, read
from collabeval.estimates.summaries import SUMMARY, Drawn, summarise
from collabeval.models.covariates import Covariates, Term, read_covariates
from collabeval.own_model import own_function
from collabeval.params import Params

COLUMNS = ("measure", "covariate", "part", "kind", "reference", "fewest_sites", "adjusted", "amount", *SUMMARY,
           "probability")  # fmt: skip
DOUBLED = ("log", "volume")


def covariate_table(params: Params, panel: pd.DataFrame, trees: Mapping[str, xr.DataTree]) -> pd.DataFrame:
    """The table `covariate_effects` of a run: one row per measure and column of the model, `COLUMNS`.

    Effects are on the link scale, for means in their unit: of a doubling where the covariate enters by its logarithm,
    of `amount` (one standard deviation) of another number, of a level against the `reference`. `probability` is that of
    an effect above 0: of more events.
    """
    tables = []
    for name, tree in trees.items():
        covariates = covariates_of(params, name, panel)
        if covariates.terms:
            posterior = read(params, name, panel, tree)
            drawn = list(covariate_draws(posterior, covariates))
            table = pd.concat([_described(params, term) for term in covariates.terms], ignore_index=True)
            summary = summarise(drawn, posterior.mixing)[list(SUMMARY)]
            chances = [float((item.values > 0).mean()) for item in drawn]
            tables.append(pd.concat([table.assign(measure=name), summary], axis=1).assign(probability=chances))
    return pd.concat(tables, ignore_index=True)[list(COLUMNS)] if tables else pd.DataFrame(columns=list(COLUMNS))


def covariates_of(params: Params, name: str, panel: pd.DataFrame) -> Covariates:
    """The covariates of one measure's model; none of a model of the evaluation's own, which has what it likes."""
    if own_function(params.model, name):
        return Covariates((), 0)
    rows = panel[panel["measure"] == name].reset_index(drop=True)
    return read_covariates(rows, params.measures[name].family, params.model)


def covariate_draws(posterior: Posterior, covariates: Covariates) -> Iterator[Drawn]:
    """Draws of the effect of each column, for the amount that `covariate_table` names."""
    for term, effect in zip(covariates.terms, posterior.covariate_effects, strict=True):
        yield Drawn(f"effect of {term.name}", "", np.array([""]), posterior.scale * spoken(term) * effect[None])


def spoken(term: Term) -> float:
    """How many units of its column the effect of a covariate is given for."""
    return float(np.log(2) / term.unit) if term.kind in DOUBLED else 1.0


def _described(params: Params, term: Term) -> pd.DataFrame:
    amount = 2.0 if term.kind in DOUBLED else term.unit
    values = {"covariate": term.covariate, "part": term.part, "kind": term.kind, "reference": term.reference}
    few = float("nan") if term.fewest_sites is None else float(term.fewest_sites)
    return pd.DataFrame([{**values, "fewest_sites": few, "adjusted": term.adjusted, "amount": amount}])

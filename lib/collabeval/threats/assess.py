"""Every threat that can be looked at in the data, measure by measure: the tables of a run that say so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd
import xarray as xr

from collabeval.estimates.covariates import covariate_table
from collabeval.estimates.posterior import read
from collabeval.estimates.sites import evaluated
from collabeval.params import Params
from collabeval.threats import TABLES
from collabeval.threats.case_mix import by_case_mix
from collabeval.threats.chance import regression_to_mean, site_prediction
from collabeval.threats.differences import Row, by_missingness, by_season, by_volume
from collabeval.threats.missing import missingness
from collabeval.threats.tipping import tipping_points

COLUMNS = ("measure", "threat", "part", "value", "lower", "upper", "probability")


def assess(
    params: Params,
    sites: pd.DataFrame,
    panel: pd.DataFrame,
    trees: Mapping[str, xr.DataTree],
    case_mix: pd.DataFrame | None = None,
) -> dict[str, pd.DataFrame]:
    """The tables `threats.TABLES` by name.

    `threats` holds one number a row: `threat` is volume, missing, season, regression_to_mean, site_prediction or
    case_mix (from the table `case_mix_differences`); what cannot be looked at has no row. docs/methods.md (Threats)
    says what each `part` is.
    """
    rows = [{"measure": name, **row} for name, tree in trees.items() for row in _rows(params, name, sites, panel, tree)]
    if case_mix is not None:
        rows += by_case_mix(case_mix)
    tables = (
        covariate_table(params, panel, trees),
        missingness(params, sites, panel),
        tipping_points(params, sites, panel, trees),
        pd.DataFrame(rows, columns=list(COLUMNS)),
    )
    return dict(zip(TABLES, tables, strict=True))


def _rows(params: Params, name: str, sites: pd.DataFrame, panel: pd.DataFrame, tree: xr.DataTree) -> Iterator[Row]:
    yield from by_volume(params, name, panel)
    yield from by_missingness(params, name, sites, panel)
    yield from by_season(params, name, panel)
    yield from regression_to_mean(evaluated(read(params, name, panel, tree), params.rules))
    rows = panel[panel["measure"] == name].reset_index(drop=True)
    yield from site_prediction(params.measures[name].family, rows, tree, params.sampling.seed)

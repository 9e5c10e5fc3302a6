"""The gates a fit must pass: blocking ones make a run provisional, advisory ones add a note (docs/methods.md)."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import xarray as xr

from collabeval.diagnostics.borderline import borderline
from collabeval.diagnostics.check import COLUMNS, Check, as_table
from collabeval.diagnostics.influence import influence
from collabeval.diagnostics.integration import fast, integration
from collabeval.diagnostics.jumps import jumps, with_jumps
from collabeval.diagnostics.predictive import predictive
from collabeval.diagnostics.sampling import convergence, sampling
from collabeval.diagnostics.sensitivity import prior_sensitivity
from collabeval.params import Params

__all__ = ["COLUMNS", "blocking", "check_all", "jumps", "with_jumps"]


def blocking(name: str, tree: xr.DataTree, reported: pd.DataFrame) -> list[Check]:
    """The gates that a fit must pass, those of the engine that made it; `reported`: its rows of the results tables."""
    return integration(name, tree, reported) if fast(tree) else sampling(name, tree) + convergence(name, reported)


def check_all(
    params: Params,
    panel: pd.DataFrame,
    trees: Mapping[str, xr.DataTree],
    site_estimates: pd.DataFrame,
    site_statements: pd.DataFrame,
    programme_estimates: pd.DataFrame,
) -> pd.DataFrame:
    """Every check of every measure's fit: the columns of `results/diagnostics.parquet`.

    Parameters
    ----------
    panel : DataFrame, the analysed rows of all measures.
    trees : the fit of each measure, by its name.
    site_estimates, programme_estimates : DataFrame, results tables, whose `rhat` and `ess_*` are judged.
    site_statements : DataFrame, results table, whose `otherwise` is judged.

    Returns
    -------
    DataFrame with `COLUMNS`. `advice` says in plain words what a check means and what to do, and names no site;
    `changes` lists what a failed advisory check puts in doubt, by site code: it must not leave the building as it is.
    """
    reported = pd.concat([site_estimates, programme_estimates], ignore_index=True)
    checks = []
    for name, tree in trees.items():
        rows = panel[panel["measure"] == name].reset_index(drop=True)
        numbers = reported[reported["measure"] == name]
        checks += blocking(name, tree, numbers)
        family = params.measures[name].family
        checks += predictive(name, family, rows, tree, params.sampling.seed)
        checks += influence(name, family, rows, tree)
        checks += prior_sensitivity(params, name, panel, tree)
        checks += borderline(name, site_statements[site_statements["measure"] == name])
    return as_table(checks, {name: tree.attrs for name, tree in trees.items()})

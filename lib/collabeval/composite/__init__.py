"""Composites: one number for several measures, from their joint draws (docs/methods.md, "Composites")."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import xarray as xr

from collabeval.composite.combine import Combined, combine
from collabeval.composite.correlation import correlations
from collabeval.composite.parts import Part, aligned
from collabeval.composite.results import estimates_table, parts_table, statements_table
from collabeval.estimates import evaluated_measure
from collabeval.params import Params

__all__ = ["TABLES", "Combined", "Part", "evaluate_composites"]

TABLES = ("composite_estimates", "composite_statements", "composite_parts", "measure_correlations")


def evaluate_composites(
    params: Params, panel: pd.DataFrame, trees: Mapping[str, xr.DataTree]
) -> dict[str, pd.DataFrame]:
    """Every composite of the params, and how the sites' levels correlate over measures fitted together.

    Parameters
    ----------
    panel : the analysed rows of all measures; trees : the fit of each measure, by its name.

    Returns
    -------
    The tables `TABLES`: estimates (composite, site, period, estimand and summary columns), statements (composite,
    site, slot, statement, probability, rule), parts (composite, measure, weight, sd, rankability, included, why) and
    correlations (measure, other and summary columns; no rows where no measures are fitted together).
    """
    used = sorted({measure for composite in params.composites.values() for measure in composite.weights})
    evaluated = {name: evaluated_measure(params, name, panel, trees[name]) for name in used}
    draws = aligned(evaluated, params) if evaluated else {}
    found = {name: combine(composite, draws, params) for name, composite in params.composites.items()}
    return {
        "composite_estimates": estimates_table(found),
        "composite_statements": statements_table(found, params.rules),
        "composite_parts": parts_table(found),
        "measure_correlations": correlations(params, trees),
    }

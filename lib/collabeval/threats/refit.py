"""The model of a measure with one covariate more, fitted at its mode: what that covariate would explain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from collabeval.covariates import column
from collabeval.errors import CollabevalError
from collabeval.laplace.mode import covariate_effects
from collabeval.models.covariates import Floats, Term
from collabeval.models.design import read_design
from collabeval.own_model import own_function
from collabeval.params import Params
from collabeval.params.covariates import SiteCovariate

ADDED = "added"


@dataclass(frozen=True)
class Added:
    """The columns that a covariate added, and the Gaussian of their effects: mean (P,) and covariance (P, P)."""

    terms: tuple[Term, ...]
    mean: Floats
    covariance: Floats


def with_covariate(
    params: Params, name: str, panel: pd.DataFrame, values: pd.Series, how: SiteCovariate
) -> Added | None:
    """What a covariate explains beside the terms of the measure's model; Student-t sites count as normal.

    `values` has one value for each row of the measure, in the panel's order. None where it does not vary, for a model
    of the evaluation's own, and where the fast engine has no answer.
    """
    rows = panel[panel["measure"] == name].reset_index(drop=True)
    values = values.reset_index(drop=True)
    if own_function(params.model, name) or values.nunique() < 2:
        return None
    rows[column(ADDED, how)] = values
    settings = params.model.model_copy(
        update={"covariates": {**params.model.covariates, ADDED: how}, "site_effects": "normal"}
    )
    design = read_design(rows, params.measures[name].family, settings)
    try:
        mean, covariance = covariate_effects(design)
    except (CollabevalError, np.linalg.LinAlgError):  # "not assessed" says so
        return None
    chosen = np.flatnonzero([term.covariate == ADDED for term in design.covariates.terms])
    terms = tuple(design.covariates.terms[k] for k in chosen)
    return Added(terms, mean[chosen], covariance[np.ix_(chosen, chosen)])

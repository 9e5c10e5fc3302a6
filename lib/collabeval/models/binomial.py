"""Events among cases: the binomial model of site performance."""

from __future__ import annotations

import pandas as pd
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from collabeval.models.design import Design, read_design
from collabeval.models.terms import coordinates, linear_predictor
from collabeval.params import Model


def binomial_logp(value: TensorVariable, eta: TensorVariable, cases: TensorVariable) -> TensorVariable:
    """Log-probability of a binomial count in its canonical form, y·η − n·log(1 + exp η) + log C(n, y).

    Several times faster to differentiate than through p, and exact for any η.
    """
    choices = pt.gammaln(cases + 1) - pt.gammaln(value + 1) - pt.gammaln(cases - value + 1)
    return value * eta - cases * pt.softplus(eta) + choices


def build_binomial_model(panel: pd.DataFrame, settings: Model, name: str = "") -> pm.Model:
    """Hierarchical logistic model of events among cases by site and period.

        numerator[cell] ~ Binomial(denominator[cell], inv_logit(η[cell]))
        η               = offset + intercept + trend + site_level + site_slope · (time − mean_time) + overdispersion

    with offset logit(expected / denominator) where the registry gives expected events, else 0 (models/terms.py has
    each term and its prior; docs/methods.md the same in words).

    Parameters
    ----------
    panel : DataFrame, one row per site and period of one measure
        site, period, time (years), numerator, denominator, expected (NaN where there is none).
    """
    design = read_design(panel, "binomial", settings)
    with pm.Model(name, coordinates(design)) as model:
        observe(design, linear_predictor(design))
    return model


def observe(design: Design, eta: TensorVariable) -> None:
    """The likelihood of the observed events, in the open model, given the linear predictor of each cell."""
    pm.CustomDist(
        "outcome",
        eta,
        design.columns["denominator"],
        logp=binomial_logp,
        observed=design.columns["numerator"],
        dims="cell",
    )

"""Events by exposure or against expected events: the Poisson model of site performance."""

from __future__ import annotations

import pandas as pd
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor.variable import TensorVariable

from collabeval.models.design import Design, read_design
from collabeval.models.terms import coordinates, linear_predictor
from collabeval.params import Model


def poisson_logp(value: TensorVariable, eta: TensorVariable) -> TensorVariable:
    """Log-probability of a Poisson count in its canonical form, y·η − exp η − log y!."""
    return value * eta - pt.exp(eta) - pt.gammaln(value + 1)


def build_poisson_model(panel: pd.DataFrame, settings: Model, name: str = "") -> pm.Model:
    """Hierarchical log-linear model of events by site and period.

        numerator[cell] ~ Poisson(exp(η[cell]))
        η               = offset + intercept + trend + site_level + site_slope · (time − mean_time) + overdispersion

    with offset log(expected) where the registry gives expected events, else log(denominator), the exposure.

    Parameters
    ----------
    panel : DataFrame, one row per site and period of one measure
        site, period, time (years), numerator, denominator (exposure), expected (NaN where there is none).
    """
    design = read_design(panel, "poisson", settings)
    with pm.Model(name, coordinates(design)) as model:
        observe(design, linear_predictor(design))
    return model


def observe(design: Design, eta: TensorVariable) -> None:
    """The likelihood of the observed events, in the open model, given the linear predictor of each cell."""
    pm.CustomDist("outcome", eta, logp=poisson_logp, observed=design.columns["numerator"], dims="cell")

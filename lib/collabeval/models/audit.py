"""Records abstracted twice: the binomial model of agreement."""

from __future__ import annotations

import pymc as pm

from collabeval.models.grouped import Grouped
from collabeval.models.grouped_terms import coordinates, linear_predictor


def build_audit_model(design: Grouped) -> pm.Model:
    """Agreement between first and second abstraction, with partial pooling of sites and of fields.

        agreed[cell] ~ Binomial(checked[cell], p[cell])
        logit p = centre + intercept + site_level[site] + field_level[field]
                  + wave (change + site_change[site] + field_change[field]) + own[cell]

    A cell is a field at a site in a window; `wave` is +½ in the current window and −½ in the one before it;
    own ~ Normal(0, cell_sd) is what a field does at one site beyond what both do elsewhere.

    Estimand: p, and with the share pe that chance would give, kappa = (p − pe) / (1 − pe).

    Parameters
    ----------
    design : as `features.audit_design` makes it.

    References
    ----------
    Cohen (1960), Educ Psychol Meas 20: 37-46.
    """
    with pm.Model(coords=coordinates(design)) as model:
        eta = linear_predictor(design)
        pm.Binomial("agreed", n=design.n, logit_p=eta, observed=design.y)
    return model

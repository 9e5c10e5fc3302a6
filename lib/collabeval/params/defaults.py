"""Default priors of the models, where both the models and the report that prints them can read them."""

from __future__ import annotations

from collabeval.params.model import Prior

DEFAULTS = {
    "trend_sd": Prior(on="sd", dist="HalfNormal", sigma=0.2),
    "trend_slope": Prior(dist="Normal", mu=0.0, sigma=0.2),
    "site_sd": Prior(on="sd", dist="HalfNormal", sigma=0.5),
    "trajectory_sd": Prior(on="sd", dist="HalfNormal", sigma=0.1),
    "overdispersion_sd": Prior(on="sd", dist="HalfNormal", sigma=0.5),
    "site_correlation": Prior(dist="Beta", alpha=2.0, beta=2.0),
    "degrees_of_freedom": Prior(dist="Gamma", alpha=2.0, beta=0.1),
    "covariates": Prior(dist="Normal", mu=0.0, sigma=1.0),
}

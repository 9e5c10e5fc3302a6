"""Covariates of every kind on a small panel, for tests of the models."""

import numpy as np

COVARIATES = {
    "beds": "log",
    "teaching": {"kind": "category", "adjust": True, "reference": "no"},
    "share": {"kind": "linear", "table": "outcomes", "between": True},
}


def with_covariates(panel, seed=4):
    """The panel with the columns of `COVARIATES`, in the order of its rows."""
    random = np.random.default_rng(seed)
    sites = sorted(panel["site"].unique())
    beds = dict(zip(sites, random.lognormal(5, 0.6, len(sites)), strict=True))
    teaching = {site: ("yes", "no", "no")[i % 3] for i, site in enumerate(sites)}
    return panel.assign(
        **{
            "covariate sites.beds": panel["site"].map(beds),
            "covariate sites.teaching": panel["site"].map(teaching),
            "covariate outcomes.share": panel["site"].map(beds) / 500 + random.uniform(0, 1, len(panel)),
        }
    )

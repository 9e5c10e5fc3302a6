"""Draws of a peer by the names of the package's own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from collabeval.models.design import Design, default_intercept
from collabeval.params.defaults import DEFAULTS

DIMS = {"trend": ("period",), "site_level": ("site",), "site_slope": ("site",)}


def prior_scales(design: Design) -> dict[str, float]:
    """Standard deviations of the default priors, half-normal for those of effects, and the centre of the intercept's.

    Raises
    ------
    ValueError
        The design has priors of its own or Student-t sites, which the peers do not write out.
    """
    own = design.settings.priors.model_dump(exclude_none=True)
    if own.keys() - {"intercept"} or design.settings.site_effects != "normal" or design.family != "binomial":
        raise ValueError("the peers know the binomial model with default priors alone")
    intercept = design.settings.priors.intercept or default_intercept(design)
    scales = {"site": "site_sd", "trajectory": "trajectory_sd", "cell": "overdispersion_sd", "walk": "trend_sd",
              "line": "trend_slope"}  # fmt: skip
    found = {f"{name}_scale": DEFAULTS[prior].numbers["sigma"] for name, prior in scales.items()}
    return found | {
        "intercept_mean": intercept.numbers["mu"],
        "intercept_scale": intercept.numbers["sigma"],
    }


def dataset(values: Mapping[str, np.ndarray], design: Design) -> xr.Dataset:
    """Arrays (chain, draw, ...) as a posterior with the package's dims and coordinates."""
    chains, draws = next(iter(values.values())).shape[:2]
    variables = {name: (("chain", "draw", *DIMS.get(name, ())), array) for name, array in values.items()}
    coords = {"chain": np.arange(chains), "draw": np.arange(draws), "site": design.sites}
    coords |= {"period": design.periods} if "trend" in values else {}
    return xr.Dataset(variables, coords)

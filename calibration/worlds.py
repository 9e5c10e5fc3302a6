"""Known truth: parameters drawn from the priors or given, effects and outcomes drawn from them, in numpy.

Written from docs/methods.md and apart from both engines, so that an engine and a simulation can disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields

import numpy as np
import pandas as pd
import xarray as xr

from collabeval.fit.predictive import predictive
from collabeval.models.design import Design, read_design
from collabeval.models.log_prior import top_level
from collabeval.params import Family, Model, Prior

VALUES = ("numerator", "denominator", "expected", "mean", "sd", "n", "se")
LARGEST_SEED = 2**32 - 1
LEAST_FREEDOM = 2.0  # of Student-t sites: the prior is cut off here, above it their variance exists


class UnitDesign(Design):
    """A design whose unit of effects is known to be 1.

    For means the unit is otherwise worked out from the simulated data, and with it the priors: no prior from which
    truth could have been drawn before them.
    """

    scale = 1.0  # type: ignore[assignment]


def designed(rows: pd.DataFrame, family: Family, settings: Model) -> UnitDesign:
    """The design of these rows, in units of 1."""
    design = read_design(rows, family, settings)
    return UnitDesign(**{field.name: getattr(design, field.name) for field in fields(design)})


def empty_rows(sites: int, periods: int, per_year: int, cases: np.ndarray, family: Family) -> pd.DataFrame:
    """Rows of measure `m` without outcomes: every site in every period, `cases` (sites × periods) each."""
    names = [(f"S{j:03d}", i) for j in range(sites) for i in range(periods)]
    rows = pd.DataFrame(names, columns=["site", "step"])
    half = [f"{2015 + i // 2}H{i % 2 + 1}" for i in rows["step"]]
    rows = rows.assign(measure="m", period=half if periods > 1 else "", time=rows["step"] / per_year, weight=cases)
    rows = rows.assign(**{name: np.nan for name in VALUES}).drop(columns="step")
    # read for its structure alone; outcomes follow
    return rows.assign(mean=0.0, sd=1.0, n=cases) if family == "normal" else rows.assign(numerator=0, denominator=cases)


def parameters(design: Design, random: np.random.Generator) -> dict[str, float]:
    """Every parameter at the top of this model, drawn from its prior."""
    has = {
        "intercept": True,
        "site_sd": True,
        "trend_sd": design.trend == "random_walk",
        "trend_slope": design.trend == "linear",
        "trajectory_sd": design.trajectory,
        "site_correlation": design.trajectory,
        "overdispersion_sd": design.overdispersion,
        "degrees_of_freedom": design.settings.site_effects == "student_t",
        "residual_sd_typical": design.own_sd,
        "residual_sd_spread": design.own_sd,
    }
    priors = top_level(design)
    found = {name: _drawn(priors[name], random) for name, present in has.items() if present}
    while found.get("degrees_of_freedom", np.inf) <= LEAST_FREEDOM:
        found["degrees_of_freedom"] = _drawn(priors["degrees_of_freedom"], random)
    return found


def _drawn(prior: Prior, random: np.random.Generator) -> float:
    numbers = prior.numbers
    draw: Mapping[str, Callable[[], float]] = {
        "Normal": lambda: random.normal(numbers["mu"], numbers["sigma"]),
        "HalfNormal": lambda: abs(random.normal(0.0, numbers["sigma"])),
        "LogNormal": lambda: random.lognormal(numbers["mu"], numbers["sigma"]),
        "Beta": lambda: 2 * random.beta(numbers["alpha"], numbers["beta"]) - 1,  # of a correlation
        "Gamma": lambda: random.gamma(numbers["alpha"], 1 / numbers["beta"]),
    }
    return float(draw[prior.dist]())


def effects(
    design: Design, values: Mapping[str, float], random: np.random.Generator, standard: np.ndarray | None = None
) -> xr.Dataset:
    """Parameters and effects of one world, named and shaped as one draw of a posterior.

    `standard` (J,): the sites' levels in standard deviations, where they are drawn already.
    """
    sites = len(design.sites)
    if standard is None:
        own, standard = _of_sites(values, sites, random)
    else:
        own = values["site_sd"] * standard
    found: dict[str, tuple[tuple[str, ...], np.ndarray | float]] = {name: ((), value) for name, value in values.items()}
    found["site_level"] = (("site",), own)
    if design.covariates.terms:
        prior = top_level(design)["covariates"]
        coefficients = np.array([_drawn(prior, random) for _ in design.covariates.terms])
        found["covariates"] = (("covariate",), coefficients)
        found["site_level"] = (("site",), own + design.site_covariates @ coefficients)
    if design.trend == "random_walk":
        steps = values["trend_sd"] * np.sqrt(np.diff(design.time)) * random.normal(size=len(design.time) - 1)
        walk = np.concatenate([[0.0], np.cumsum(steps)])
        found["trend"] = (("period",), walk - walk.mean())
    if design.trend == "linear":
        found["trend"] = (("period",), values["trend_slope"] * (design.time - design.time.mean()))
    if design.trajectory:
        rho = values["site_correlation"]
        slope = rho * standard + np.sqrt(1 - rho**2) * random.normal(size=sites)
        found["site_slope"] = (("site",), values["trajectory_sd"] * slope)
    if design.overdispersion:
        found["overdispersion"] = (("cell",), values["overdispersion_sd"] * random.normal(size=design.cells))
    if design.own_sd:
        spread = values["residual_sd_spread"] * random.normal(size=sites)
        found["residual_sd"] = (("site",), values["residual_sd_typical"] * np.exp(spread))
    shaped = {
        name: (("chain", "draw", *dims), np.asarray(value, dtype=float)[None, None])
        for name, (dims, value) in found.items()
    }
    coords = {
        "chain": [0],
        "draw": [0],
        "site": design.sites,
        "period": design.periods,
        "cell": np.arange(design.cells),
        "covariate": design.covariates.names,
    }
    return xr.Dataset(shaped, coords)


def _of_sites(values: Mapping[str, float], sites: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Own part of each site's level (J,), normal or Student-t, and the same divided by its standard deviation."""
    freedom = values.get("degrees_of_freedom")
    if freedom is None:
        standard = random.normal(size=sites)
        return values["site_sd"] * standard, standard
    own = random.standard_t(freedom, size=sites)
    return values["site_sd"] * own, own / np.sqrt(freedom / (freedom - 2))


def with_outcomes(rows: pd.DataFrame, design: Design, truth: xr.Dataset, random: np.random.Generator) -> pd.DataFrame:
    """The rows with outcomes drawn from the truth."""
    outcome = predictive(truth, design, int(random.integers(LARGEST_SEED)))[0, 0]
    if design.family != "normal":
        return rows.assign(numerator=outcome)
    freedom = rows["n"].to_numpy() - 1
    sd = truth["residual_sd"].to_numpy()[0, 0, design.site_index]
    return rows.assign(mean=outcome, sd=sd * np.sqrt(random.chisquare(freedom) / freedom))

"""Forms of the model: how a world of each is simulated, and the model that it is fitted with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import expit

from calibration.worlds import designed, effects, empty_rows, parameters, with_outcomes
from collabeval.covariates import with_covariates
from collabeval.models.design import Design
from collabeval.params import Family, Model, Params

PER_YEAR = 2
FAMILIES: tuple[Family, ...] = ("binomial", "poisson", "normal")
COUNTS: tuple[Family, ...] = ("binomial", "poisson")
CENTRES = {"binomial": -2.0, "poisson": -2.0, "normal": 0.0}
SPREADS = {"binomial": 1.0, "poisson": 1.0, "normal": 2.5}
CASES = (60.0, 0.7)  # median, and sd of the log, of the cases of a site in a period
RISKS = (-2.0, 0.5, 0.1)  # expected events per case, log-odds: mean, sd between sites, sd between their periods


@dataclass(frozen=True)
class Form:
    """A form of the model: the size of its panel, and what it has beside the default model."""

    name: str
    sites: int
    periods: int
    title: str = ""
    says: str = ""  # what it is, in words
    model: Mapping[str, object] = field(default_factory=dict, hash=False)
    families: tuple[Family, ...] = FAMILIES
    expected: bool = False
    stream: tuple[int, ...] = ()  # of random numbers; the first two forms had none when their worlds were drawn


OF_SITES = {"beds": "log", "teaching": {"kind": "category", "adjust": True, "reference": "no"}, "volume": "volume"}
OF_RISK = {"case_mix": "case_mix", "volume": "volume"}
OF_OUTCOMES = {"share": {"kind": "linear", "table": "outcomes", "between": True}}
FORMS = {
    form.name: form
    for form in (
        Form("level", 15, 1, "one period", "level of all, levels of sites"),
        Form("full", 10, 5, "five periods", "the default: random walk, levels and slopes of sites, cells that vary"),
        Form("linear", 10, 5, "linear trend", "a straight line for all in place of the random walk",
             {"trend": "linear"}, stream=(1,)),
        Form("covariates", 12, 5, "covariates of sites",
             "beds and volume, which stay in performance; teaching, which is adjusted for",
             {"covariates": OF_SITES}, stream=(2,)),
        Form("expected", 12, 5, "expected events",
             "an offset from expected events; case-mix and volume as covariates",
             {"covariates": OF_RISK}, COUNTS, True, (3,)),
        Form("within", 10, 5, "within and between sites",
             "a covariate that changes from period to period, and its mean of each site beside it (Mundlak)",
             {"covariates": OF_OUTCOMES}, stream=(4,)),
        Form("student", 12, 5, "Student-t sites", "levels of sites with a Student-t distribution",
             {"site_effects": "student_t"}, stream=(5,)),
    )
}  # fmt: skip


def settings(family: Family, form: Form) -> Model:
    """The form's model with an intercept prior that does not look at the data (against expected events none does)."""
    prior = {"dist": "Normal", "mu": CENTRES[family], "sigma": SPREADS[family]}
    own = {} if form.expected else {"priors": {"intercept": prior}}
    return Model.model_validate({"engine": "laplace", **form.model, **own})


def params(family: Family, model: Model) -> Params:
    """A parameter file around a model of measure `m`; the model is taken as it is, whichever engine it names."""
    said = {
        "collaborative": "c",
        "title": "t",
        "edition": "1",
        "data": {"sites": "sites.csv", "outcomes": "outcomes.csv"},
        "measures": {"m": {"label": "M", "family": family, "better": "lower"}},
        "sampling": {"seed": 0},
    }
    return Params.model_validate(said).model_copy(update={"model": model})


def world(family: Family, form: Form, seed: int, replicate: int) -> tuple[pd.DataFrame, Design, xr.Dataset]:
    """Rows, design and truth of one replicate; each has a stream of random numbers of its own."""
    key = [seed, FAMILIES.index(family), form.sites, form.periods, replicate, *form.stream]
    random, model = np.random.default_rng(key), settings(family, form)
    cases = np.repeat(np.round(CASES[0] * np.exp(CASES[1] * random.normal(size=form.sites))), form.periods)
    rows = empty_rows(form.sites, form.periods, PER_YEAR, np.maximum(cases, 3.0), family)
    if form.expected:
        rows = rows.assign(expected=rows["denominator"] * _risks(form, random))
    if model.covariates:
        rows = _with_covariates(rows, params(family, model), random)
    blank = designed(rows, family, model)
    truth = effects(blank, parameters(blank, random), random)
    rows = with_outcomes(rows, blank, truth, random)
    return rows, designed(rows, family, model), truth


def _risks(form: Form, random: np.random.Generator) -> np.ndarray:
    """Expected events per case of each row, as a registry's case-mix model gives them."""
    mean, between, within = RISKS
    of_sites = np.repeat(between * random.normal(size=form.sites), form.periods)
    return expit(mean + of_sites + within * random.normal(size=form.sites * form.periods))


def _with_covariates(rows: pd.DataFrame, asked: Params, random: np.random.Generator) -> pd.DataFrame:
    """The rows with the columns of the model's covariates, read as from a table of sites and one of outcomes.

    Beds follow a log-normal, every third site teaches, and the share is high where there are many beds, so that what
    lies between sites and what lies within them differ.
    """
    names = rows["site"].unique()
    beds = random.lognormal(5.0, 0.6, len(names))
    teaching = np.where(random.permutation(len(names)) % 3 == 0, "yes", "no")
    sites = pd.DataFrame({"site": names, "beds": beds, "teaching": teaching})
    share = rows["site"].map(dict(zip(names, beds / 500, strict=True))) + random.uniform(size=len(rows))
    return with_covariates(asked, rows, sites, rows[["measure", "site", "period"]].assign(share=share))

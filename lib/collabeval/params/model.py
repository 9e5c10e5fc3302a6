"""Params of the statistics: the model and its priors, the sampling, and the rules that turn draws into words."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, field_validator, model_validator

from collabeval.params.covariates import CovariateTerm, SiteCovariate
from collabeval.params.types import Code, Probability, Strict, Text, refusal

# the numbers each distribution takes, no more and no fewer
DISTRIBUTIONS: dict[str, frozenset[str]] = {
    "Normal": frozenset({"mu", "sigma"}),
    "HalfNormal": frozenset({"sigma"}),
    "StudentT": frozenset({"nu", "mu", "sigma"}),
    "HalfStudentT": frozenset({"nu", "sigma"}),
    "Cauchy": frozenset({"alpha", "beta"}),
    "HalfCauchy": frozenset({"beta"}),
    "Gamma": frozenset({"alpha", "beta"}),
    "InverseGamma": frozenset({"alpha", "beta"}),
    "Exponential": frozenset({"lam"}),
    "Uniform": frozenset({"lower", "upper"}),
    "LogNormal": frozenset({"mu", "sigma"}),
    "Beta": frozenset({"alpha", "beta"}),
}
UNBOUNDED = frozenset({"Normal", "StudentT", "Cauchy"})
SCALES = ("trend_sd", "site_sd", "trajectory_sd", "overdispersion_sd")


class Prior(Strict):
    """A prior on one parameter: on which scale, which distribution, which numbers (named as PyMC names them)."""

    on: Literal["value", "sd", "variance", "precision", "log_sd"] = "value"
    """What the distribution is put on; `value` is the parameter itself (for a standard deviation the same as `sd`)."""
    dist: Literal[
        "Normal", "HalfNormal", "StudentT", "HalfStudentT", "Cauchy", "HalfCauchy", "Gamma", "InverseGamma",
        "Exponential", "Uniform", "LogNormal", "Beta",
    ]  # fmt: skip
    """The distribution."""
    mu: float | None = None
    """Centre: Normal, StudentT; of the logarithm: LogNormal."""
    sigma: PositiveFloat | None = None
    """Scale: Normal, HalfNormal, StudentT, HalfStudentT; of the logarithm: LogNormal."""
    nu: PositiveFloat | None = None
    """Degrees of freedom: StudentT, HalfStudentT."""
    alpha: float | None = None
    """Shape: Gamma, InverseGamma, Beta; centre: Cauchy."""
    beta: PositiveFloat | None = None
    """Rate: Gamma; scale: InverseGamma, Cauchy, HalfCauchy; second shape: Beta."""
    lam: PositiveFloat | None = None
    """Rate: Exponential."""
    lower: float | None = None
    """Lower end: Uniform."""
    upper: float | None = None
    """Upper end: Uniform."""

    @property
    def numbers(self) -> dict[str, float]:
        """The distribution's own parameters, exactly those it takes."""
        return self.model_dump(exclude={"on", "dist"}, exclude_none=True)

    @model_validator(mode="after")
    def _has_exactly_its_numbers(self) -> Self:
        needed = DISTRIBUTIONS[self.dist]
        given = {name for name in ("mu", "sigma", "nu", "alpha", "beta", "lam", "lower", "upper")
                 if getattr(self, name) is not None}  # fmt: skip
        if given != needed:
            wrong = [f"{name} is missing" for name in sorted(needed - given)]
            wrong += [f"{name} is not one of its numbers" for name in sorted(given - needed)]
            raise refusal(f"{self.dist}: {', '.join(wrong)}", f"{self.dist} takes {' and '.join(sorted(needed))}")
        if self.dist in {"Gamma", "InverseGamma", "Beta"} and (self.alpha or 0) <= 0:
            raise refusal(f"{self.dist}: alpha must be above 0", "give a positive number")
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            raise refusal("Uniform: lower is not below upper", "swap or change the two numbers")
        return self


class Priors(Strict):
    """Overrides of the default priors (docs/methods.md); a name left out keeps its default."""

    intercept: Prior | None = None
    """Level of the collaborative on the link scale (or, with expected values, its distance from them)."""
    trend_sd: Prior | None = None
    """Standard deviation of a year's step of the random walk."""
    trend_slope: Prior | None = None
    """Slope a year of the linear trend."""
    site_sd: Prior | None = None
    """Standard deviation between sites."""
    trajectory_sd: Prior | None = None
    """Standard deviation between the sites' slopes a year."""
    site_correlation: Prior | None = None
    """Correlation of level and slope; a Beta is stretched from 0..1 to -1..1."""
    overdispersion_sd: Prior | None = None
    """Standard deviation of a site's ups and downs from period to period."""
    covariates: Prior | None = None
    """Effect of one standard deviation of a covariate, or of a category against its reference."""
    degrees_of_freedom: Prior | None = None
    """Degrees of freedom above 2 of `site_effects: student_t`."""

    @field_validator("*")
    @classmethod
    def _scale_fits(cls, prior: Prior | None, info: object) -> Prior | None:
        """Only a standard deviation can have its prior on another scale, and only positive values below its log."""
        name = str(getattr(info, "field_name", ""))
        if prior is None:
            return None
        if name not in SCALES and prior.on != "value":
            raise refusal(f"`on: {prior.on}` makes no sense for {name}", "leave `on` out: only the …_sd have scales")
        positive = (name in SCALES and prior.on != "log_sd") or name == "degrees_of_freedom"
        if positive and (prior.dist in UNBOUNDED or (prior.lower is not None and prior.lower < 0)):
            raise refusal(f"{prior.dist} can be negative, {name} cannot",
                          "take a distribution of positive numbers (HalfNormal, Gamma, …) or `on: log_sd`")  # fmt: skip
        if name == "site_correlation" and prior.dist != "Beta" and not _within_one(prior):
            raise refusal(f"{prior.dist} leaves the range of a correlation", "take Beta, or Uniform within -1 and 1")
        return prior


def _within_one(prior: Prior) -> bool:
    return prior.lower is not None and prior.upper is not None and prior.lower >= -1 and prior.upper <= 1


class Model(Strict):
    """The model of site performance, and the engine that fits it."""

    site_effects: Literal["normal", "student_t"] = "normal"
    """How sites differ: `student_t` lets a few be far from the rest."""
    trajectory: bool = True
    """Whether each site has its own slope over time."""
    trend: Literal["none", "linear", "random_walk"] = "random_walk"
    """How the collaborative as a whole moves over time."""
    overdispersion: Literal["auto", True, False] = "auto"
    """Site effects of single periods; `auto`: on from four periods a site."""
    parametrisation: Literal["auto", "centred", "non_centred"] = "auto"
    """Form in which site effects are sampled; `auto` chooses by the information a site has."""
    engine: Literal["auto", "nuts", "laplace"] = "auto"
    """What fits the model: `laplace` is fast, `nuts` the judge, `auto` the fast one where its own check passes."""
    covariates: dict[Text, CovariateTerm] = Field(default_factory=dict)
    """What explains differences between sites: column and how it enters, `beds: log`; `volume: volume`."""
    priors: Priors = Field(default_factory=Priors)
    """Overrides of the default priors."""
    together: Annotated[tuple[Code, ...], Field(strict=False)] = ()
    """Measures whose site levels correlate, fitted as one (`docs/methods.md`); left out: each by itself."""
    functions: dict[Code, Text] = Field(default_factory=dict)
    """Models of your own (docs/statistician.md): measure to `FILE.py:FUNCTION`, the path from the working folder."""

    @field_validator("functions")
    @classmethod
    def _name_file_and_function(cls, functions: dict[str, str]) -> dict[str, str]:
        for measure, function in functions.items():
            file, colon, name = function.rpartition(":")
            if function and not (colon and file.endswith(".py") and name.isidentifier()):
                raise refusal(f"{measure}: {function} names no file and function", "write it FILE.py:FUNCTION")
        return functions

    @model_validator(mode="after")
    def _can_be_together(self) -> Model:
        if not self.together:
            return self
        if len(set(self.together)) < 2:
            raise refusal("`together` names fewer than two measures", "name two or more, or leave it out")
        if self.site_effects != "normal":
            raise refusal("measures are fitted together with normal site effects only",
                          "leave `together` out, or set `site_effects: normal`")  # fmt: skip
        if own := set(self.together) & {measure for measure, function in self.functions.items() if function}:
            raise refusal(f"{', '.join(sorted(own))}: has a model of your own", "take it out of `together`")
        return self

    @property
    def terms(self) -> dict[str, SiteCovariate]:
        """Every covariate with all its settings."""
        named = self.covariates.items()
        return {name: how if isinstance(how, SiteCovariate) else SiteCovariate(kind=how) for name, how in named}

    def with_changes(self, alternative: Model) -> Model:
        """This model with what `alternative` sets: options and priors replaced one by one, functions by measure."""
        given = {name: getattr(alternative, name) for name in alternative.model_fields_set}
        if "priors" in given:
            priors = alternative.priors
            own = {name: getattr(priors, name) for name in priors.model_fields_set}
            given["priors"] = self.priors.model_copy(update=own)
        if "functions" in given:
            given["functions"] = self.functions | alternative.functions
        return self.model_copy(update=given)


class Sampling(Strict):
    """How many draws, from which seed, until which effective sample size."""

    seed: NonNegativeInt
    """Any whole number; the same seed gives the same results."""
    draws: PositiveInt = 1000
    """Draws kept of each chain. Of over 25,000 cells the fast engine keeps fewer, as many as `minimum_ess` needs."""
    tune: PositiveInt = 1000
    """Draws spent on tuning."""
    chains: Annotated[int, Field(ge=2)] = 4
    """Independent chains."""
    target_accept: Annotated[float, Field(gt=0.5, lt=1)] = 0.9
    """Acceptance the sampler aims at; raised by itself after divergences."""
    sampler: Literal["nutpie", "pymc"] = "nutpie"
    """Which implementation of NUTS."""
    minimum_ess: PositiveInt = 1000
    """Effective draws every reported quantity must reach."""
    maximum_blocks: PositiveInt = 4
    """How many further blocks of chains may be run to reach them, and for chains to agree (R-hat)."""


class Rules(Strict):
    """Thresholds of the words a report uses (docs/estimands.md, Words); change them before you see results."""

    level: Probability = 0.975
    """Probability from which a site is called better or worse than the average of its sites."""
    margin: Annotated[float, Field(ge=0)] = 0.0
    """Difference from the average that does not count yet, on the link scale."""
    close: Probability = 0.9
    """Probability of lying within `minimal_difference` from which a site is called close to average."""
    trajectory: Probability = 0.95
    """Probability from which a site is said to have improved or worsened."""
    best_share: Annotated[float, Field(gt=0, lt=0.5)] | None = None
    """Share of sites that counts as the best; left out: 0.1 from 50 sites on, else 0.2."""
    deviant: Probability = 0.8
    """Probability of the best share from which a site may be a consistently high performer."""
    persistence: Probability = 0.9
    """Joint probability of having been better now and in both earlier windows."""
    candidate: Probability = 0.5
    """Probability of the best share from which a site is worth a visit."""
    review_level: Probability = 0.975
    """Probability of being worse from which a review is advised."""
    review_share: Probability = 0.8
    """Probability of the worst share from which a review is advised."""
    minimum_reliability: Probability = 0.4
    """Reliability below which there is not enough data for a word (but `worse`)."""
    minimum_rankability: Probability = 0.5
    """Rankability below which no league table is shown."""
    target_reliability: Annotated[float, Field(gt=0, lt=1)] = 0.7
    """Reliability that `denominator_needed` is worked out for."""
    probability_words: dict[str, Probability] = Field(
        default_factory=lambda: {"almost certainly": 0.99, "very probably": 0.95, "probably": 0.80}
    )
    """Words for probabilities, each from its threshold up."""

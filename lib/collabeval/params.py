"""Params: everything an evaluator can set, as frozen models that refuse what they do not know."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt

Probability = Annotated[float, Field(ge=0, le=1)]
Family = Literal["binomial", "poisson", "normal"]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


class Strict(BaseModel):
    """Base of every params block: unknown keys are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Data(Strict):
    """Where the tables lie: a path, a glob, an fsspec URL, or an SQLAlchemy URL with a query."""

    sites: str
    outcomes: str
    encoding: str = "utf-8"
    excel_sheets: dict[str, str] = Field(default_factory=dict)
    note: str = ""  # one sentence on where the data come from, printed under every figure


class Periods(Strict):
    """How long a period is, and the windows that are compared."""

    length: Literal["none", "month", "quarter", "half", "year"] = "none"
    year_starts: Annotated[int, Field(ge=1, le=12)] = 1  # month in which the (fiscal) year starts
    baseline: tuple[str, str] | None = None
    current: tuple[str, str] | None = None


class Measure(Strict):
    """One measure of quality, as declared under `measures`."""

    label: str
    family: Family
    better: Literal["lower", "higher"]
    per: PositiveInt = 100
    unit: str = ""
    role: Literal["outcome", "process", "balancing"] = "outcome"
    domain: str = ""
    numerator: str = ""
    denominator: str = ""
    reviewed: str = ""
    events: str = "events"  # the plural noun a sentence uses: "deaths"
    cases: str = "cases"  # likewise: "operations"
    benchmark: float | None = None  # on the display scale
    minimal_difference: PositiveFloat | None = None  # on the display scale
    minimum_denominator: PositiveFloat = 30

    @property
    def scale(self) -> int:
        """Display multiplier: `per` for rates; a mean is shown as it is."""
        return 1 if self.family == "normal" else self.per


class Prior(Strict):
    """A prior on one parameter: on which scale, which distribution, which numbers."""

    on: Literal["value", "sd", "variance", "precision", "log_sd"] = "value"
    dist: Literal[
        "Normal",
        "HalfNormal",
        "StudentT",
        "HalfStudentT",
        "Cauchy",
        "HalfCauchy",
        "Gamma",
        "InverseGamma",
        "Exponential",
        "Uniform",
        "LogNormal",
        "Beta",
    ]
    mu: float | None = None
    sigma: PositiveFloat | None = None
    nu: PositiveFloat | None = None
    alpha: PositiveFloat | None = None
    beta: PositiveFloat | None = None
    lam: PositiveFloat | None = None
    lower: float | None = None
    upper: float | None = None


class Priors(Strict):
    """Overrides of the default priors (docs/methods.md); None keeps the default."""

    intercept: Prior | None = None
    trend_sd: Prior | None = None
    trend_slope: Prior | None = None
    site_sd: Prior | None = None
    trajectory_sd: Prior | None = None
    site_correlation: Prior | None = None
    overdispersion_sd: Prior | None = None
    covariates: Prior | None = None
    degrees_of_freedom: Prior | None = None


class Model(Strict):
    """The model of site performance, and the engine that fits it."""

    site_effects: Literal["normal", "student_t"] = "normal"
    trajectory: bool = True
    trend: Literal["none", "linear", "random_walk"] = "random_walk"
    overdispersion: Literal["auto"] | bool = "auto"
    parametrisation: Literal["auto", "centred", "non_centred"] = "auto"
    engine: Literal["auto", "nuts", "laplace"] = "auto"
    priors: Priors = Field(default_factory=Priors)


class Sampling(Strict):
    """How many draws, from which seed, until which effective sample size."""

    seed: NonNegativeInt
    draws: PositiveInt = 1000
    tune: PositiveInt = 1000
    chains: Annotated[int, Field(ge=2)] = 4
    target_accept: Annotated[float, Field(gt=0.5, lt=1)] = 0.9
    sampler: Literal["nutpie", "pymc"] = "nutpie"
    minimum_ess: PositiveInt = 1000
    maximum_blocks: PositiveInt = 4


class Rules(Strict):
    """Thresholds of the words a report uses (docs/methods.md); change them before you see results."""

    level: Probability = 0.975
    margin: Annotated[float, Field(ge=0)] = 0.0  # on the link scale
    close: Probability = 0.9
    trajectory: Probability = 0.95
    best_share: Annotated[float, Field(gt=0, lt=0.5)] | None = None  # None: 0.1 from 50 sites, else 0.2
    deviant: Probability = 0.8
    persistence: Probability = 0.9
    candidate: Probability = 0.5
    review_level: Probability = 0.975
    review_share: Probability = 0.8
    minimum_reliability: Probability = 0.4
    minimum_rankability: Probability = 0.5
    target_reliability: Annotated[float, Field(gt=0, lt=1)] = 0.7
    probability_words: dict[str, Probability] = Field(
        default_factory=lambda: {"almost certainly": 0.99, "very probably": 0.95, "probably": 0.80}
    )


class Report(Strict):
    """What the report shows, to whom, in which formats."""

    formats: tuple[Literal["html", "pdf"], ...] = ("html", "pdf")
    sites: Literal["coded", "named"] = "coded"
    minimum_cell: NonNegativeInt = 11
    site_noun: tuple[str, str] = ("site", "sites")
    author: str = ""
    language: Literal["en"] = "en"


class Params(Strict):
    """One evaluation: one collaborative, one edition."""

    collaborative: Code
    title: str
    edition: Code
    data: Data
    measures: dict[Code, Measure] = Field(min_length=1)
    sampling: Sampling
    periods: Periods = Field(default_factory=Periods)
    model: Model = Field(default_factory=Model)
    rules: Rules = Field(default_factory=Rules)
    report: Report = Field(default_factory=Report)
    render: Literal["auto", "quarto", "embedded"] = "auto"

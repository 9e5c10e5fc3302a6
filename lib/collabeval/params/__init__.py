"""Params: everything an evaluator can set, as frozen models that refuse what they do not know."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, ValidationInfo
from pydantic import field_validator as check

from collabeval import periods as period_texts
from collabeval.params.composites import Composite
from collabeval.params.data import FURTHER_TABLES, TABLES, Data, FurtherName, Query, TableName
from collabeval.params.effect import Effect
from collabeval.params.indicators import Indicator, Named, each_once
from collabeval.params.model import Model, Prior, Priors, Rules, Sampling
from collabeval.params.profile import Profile
from collabeval.params.records import Covariate, Records
from collabeval.params.scorecards import Scorecard, check_scorecards, directions, without_indicators
from collabeval.params.survey import Survey
from collabeval.params.types import Code, Family, Probability, Strict, Text, refusal
from collabeval.params.value import Value

__all__ = [
    "FURTHER_TABLES",
    "TABLES",
    "Code",
    "Composite",
    "Covariate",
    "Data",
    "Effect",
    "Family",
    "FurtherName",
    "Indicator",
    "Measure",
    "Model",
    "Params",
    "Periods",
    "Prior",
    "Priors",
    "Probability",
    "Profile",
    "Query",
    "Records",
    "Report",
    "Rules",
    "Sampling",
    "Scorecard",
    "Strict",
    "Survey",
    "TableName",
    "Value",
]  # fmt: skip

PARAMS_MODEL = "params"  # in comparisons, the name of the model that `model` describes


Window = Annotated[tuple[Text, Text], Field(strict=False)]


class Periods(Strict):
    """How long a period is, and the windows that are compared."""

    length: Literal["none", "month", "quarter", "half", "year"] = "none"
    """Length of a period; `none`: the data have no periods, so no trend and no change."""
    year_starts: Annotated[int, Field(ge=1, le=12)] = 1
    """Month in which the (fiscal) year starts; a fiscal year is named after the calendar year in which it starts."""
    baseline: Window | None = None
    """First and last period of the baseline; left out: the first year."""
    current: Window | None = None
    """First and last period of now; left out: the last year."""

    @check("baseline", "current")
    @classmethod
    def _readable_and_ordered(cls, window: tuple[str, str] | None, info: ValidationInfo) -> tuple[str, str] | None:
        length, year_starts = info.data.get("length"), info.data.get("year_starts")
        if window is None or length is None or year_starts is None:
            return window
        if length == "none":
            raise refusal("there are no windows where `periods.length` is none", "leave it out, or set periods.length")
        try:
            first, last = (period_texts.parse(text, length, year_starts) for text in window)
        except period_texts.PeriodError as error:
            raise refusal(f"{list(window)}: {error.what}", error.fix) from None
        if last < first:
            raise refusal(f"ends ({last.label}) before it starts ({first.label})", "write the earlier period first")
        if info.field_name == "current" and info.data.get("baseline"):
            baseline_end = period_texts.parse(info.data["baseline"][1], length, year_starts)
            if first <= baseline_end:
                raise refusal(f"starts ({first.label}) before the baseline has ended ({baseline_end.label})",
                              "the baseline lies wholly before the current window")  # fmt: skip
        return first.label, last.label


class Measure(Strict):
    """One measure of quality, as declared under `measures`."""

    label: Text
    """What is measured, as a heading of the report."""
    family: Family
    """`binomial`: cases with an event out of all cases; `poisson`: events over an exposure; `normal`: means."""
    better: Literal["lower", "higher"]
    """Which direction is good."""
    per: PositiveInt = 100
    """Display multiplier of rates: 100 shows deaths per 100 operations."""
    unit: Text = ""
    """What a shown number counts: `deaths per 100 operations`."""
    role: Literal["outcome", "process", "balancing"] = "outcome"
    """Kind of measure."""
    domain: Text = ""
    """Group of measures it belongs to."""
    numerator: Text = ""
    """What the numerator counts, for the methods."""
    denominator: Text = ""
    """What the denominator counts, for the methods."""
    reviewed: Text = ""
    """When the definition was last checked."""
    events: Text = "events"
    """The plural noun a sentence uses for the numerator: `deaths`."""
    cases: Text = "cases"
    """The plural noun a sentence uses for the denominator: `operations`."""
    benchmark: float | None = None
    """A value to compare with, on the display scale."""
    minimal_difference: PositiveFloat | None = None
    """The smallest difference that matters, on the display scale."""
    minimum_denominator: PositiveFloat = 30
    """Cases below which a site gets no rank and no word but `worse`."""
    records: Records | None = None
    """Where the measure is counted from patient-level records: which columns, and which case-mix."""

    @check("records")
    @classmethod
    def _exposure_of_counts(cls, records: Records | None, info: ValidationInfo) -> Records | None:
        if records is not None and len(records.outcomes) > 1 and info.data.get("family") != "binomial":
            raise refusal(
                "an all-or-none composite is a binomial measure", "set `family: binomial`, or name one column"
            )
        if records is not None and records.exposure and info.data.get("family") != "poisson":
            raise refusal("only a poisson measure has an exposure", "leave `exposure` out")
        return records

    @check("benchmark", "minimal_difference")
    @classmethod
    def _on_the_display_scale(cls, value: float | None, info: ValidationInfo) -> float | None:
        per, family = info.data.get("per"), info.data.get("family")
        if value is None or per is None or family not in {"binomial", "poisson"}:
            return value
        if value < 0 or (family == "binomial" and value > per):
            allowed = f"between 0 and {per}" if family == "binomial" else "0 or more"
            raise refusal(f"no rate per {per} can be {value:g}", f"write it as shown in the report: {allowed}")
        return value

    @property
    def scale(self) -> int:
        """Display multiplier: `per` for rates; a mean is shown as it is."""
        return 1 if self.family == "normal" else self.per


class Report(Strict):
    """What the report shows, to whom, in which formats."""

    formats: Annotated[tuple[Literal["html", "pdf"], ...], Field(strict=False, min_length=1)] = ("html", "pdf")
    """Which files are made."""
    sites: Literal["coded", "named"] = "coded"
    """Whether sites are shown by name or by a code of this report."""
    minimum_cell: NonNegativeInt = 11
    """Counts from 1 up to one less than this are hidden; 0 hides nothing."""
    site_noun: Annotated[tuple[Text, Text], Field(strict=False)] = ("site", "sites")
    """What a site is called, singular and plural: `[hospital, hospitals]`."""
    author: Text = ""
    """Who publishes the report."""
    narrative: Text | None = None
    """Folder of the evaluator's own words, a file per chapter; left out: `narrative/<collaborative>/<edition>`."""
    language: Literal["en"] = "en"
    """Language of the report."""


class Params(Strict):
    """One evaluation: one collaborative, one edition."""

    collaborative: Code
    """Short name of the collaborative, used for folders: letters, digits, `_`, `-` and `.`."""
    title: Text
    """Title of the report."""
    edition: Code
    """Year or label of this edition, used for folders."""
    data: Data
    """Paths, URLs or queries of the tables."""
    measures: dict[Code, Measure] = Field(min_length=1)
    """The measures, each under the code that the outcomes table uses for it."""
    sampling: Sampling
    """How the model is sampled."""
    periods: Periods = Field(default_factory=Periods)
    """How long a period is, and what is compared."""
    model: Model = Field(default_factory=Model)
    """The model of site performance."""
    rules: Rules = Field(default_factory=Rules)
    """Thresholds of words."""
    report: Report = Field(default_factory=Report)
    """What the report shows."""
    render: Literal["auto", "quarto", "embedded"] = "auto"
    """What makes HTML and PDF; `auto` takes Quarto where it is found."""
    indicators: tuple[Named, ...] = Field(default=(), strict=False)
    """Indicators of how the collaborative works: names out of the catalogue (docs/indicators.md), or blocks."""
    survey: Survey | None = None
    """The survey of its members."""
    composites: dict[Code, Composite] = Field(default_factory=dict)
    """Composites of several measures, each under a name of yours."""
    profile: Profile = Field(default_factory=Profile)
    """How each of the five features is scored."""
    effect: Effect | None = None
    """How the improvement due to the programme is estimated; left out: as `{}`, where the data allow it."""
    scorecards: dict[Code, Scorecard] = Field(default_factory=dict)
    """Performance indices, each under a name of yours."""
    value: Value | None = None
    """What events and the programme cost, for the table of costs."""
    compare: dict[Code, Model] = Field(default_factory=dict)
    """Other models for `collabeval compare`, each under a name of yours: what it sets goes over `model`."""

    @check("measures")
    @classmethod
    def _have_their_data(cls, measures: dict[str, Measure], info: ValidationInfo) -> dict[str, Measure]:
        """Every measure has a table, and every table a measure."""
        data = info.data.get("data")
        if data is None:
            return measures
        counted = [code for code, measure in measures.items() if measure.records is not None]
        others = [code for code in measures if code not in counted]
        for table, users, fix in (
            ("records", counted, "say which columns: a block `records` in that measure"),
            ("outcomes", others, "take it out, or declare its measures"),
        ):
            given = getattr(data, table) is not None
            if users and not given:
                raise refusal(f"{', '.join(users)}: `data.{table}` is missing", f"add the path of the table of {table}")
            if given and not users:
                raise refusal(f"`data.{table}` is given, but no measure takes its data from there", fix)
        return measures

    @check("composites")
    @classmethod
    def _of_measures(cls, composites: dict[str, Composite], info: ValidationInfo) -> dict[str, Composite]:
        known = info.data.get("measures") or {}
        for name, composite in composites.items():
            if strange := set(composite.weights) - set(known):
                raise refusal(f"{name} names {', '.join(sorted(strange))}, no measure of this file",
                              f"measures: {', '.join(known)}")  # fmt: skip
            kinds = {(known[code].family, known[code].better) for code in composite.weights}
            if composite.method == "opportunity" and kinds != {("binomial", "higher")}:
                raise refusal(f"{name} adds up measures that are not alike",
                              "take binomial measures with `better: higher`, or use `standardised`")  # fmt: skip
        return composites

    @check("model")
    @classmethod
    def _together_are_measures(cls, model: Model, info: ValidationInfo) -> Model:
        known = info.data.get("measures")
        if known is not None and (strange := set(model.together) - set(known)):
            raise refusal(f"`together` names {', '.join(sorted(strange))}, no measure of this file",
                          f"measures: {', '.join(known)}")  # fmt: skip
        return model

    @check("effect")
    @classmethod
    def _estimate_what_there_is(cls, effect: Effect | None, info: ValidationInfo) -> Effect | None:
        known = info.data.get("measures")
        if known is not None and effect is not None and (strange := set(effect.measures) - set(known)):
            raise refusal(f"`effect.measures` names {', '.join(sorted(strange))}, no measure of this file",
                          f"measures: {', '.join(known)}")  # fmt: skip
        return effect

    @check("scorecards")
    @classmethod
    def _score_what_there_is(cls, scorecards: dict[str, Scorecard], info: ValidationInfo) -> dict[str, Scorecard]:
        if "measures" in info.data and "indicators" in info.data:
            check_scorecards(scorecards, info.data["measures"], directions(info.data["indicators"]))
        return scorecards

    @check("indicators")
    @classmethod
    def _each_once(cls, indicators: tuple[Indicator, ...], info: ValidationInfo) -> tuple[Indicator, ...]:
        return each_once(indicators, info.data.get("measures") or {})

    @check("value")
    @classmethod
    def _prices_its_measures(cls, value: Value | None, info: ValidationInfo) -> Value | None:
        return value and value.checked_against(
            {code: each.better for code, each in info.data.get("measures", {}).items()}
        )

    @check("compare")
    @classmethod
    def _names_of_others(cls, compare: dict[str, Model]) -> dict[str, Model]:
        if PARAMS_MODEL in compare:
            raise refusal(
                f"`{PARAMS_MODEL}` stands for the model of `model` itself", "give the alternative a name of its own"
            )
        return compare

    @property
    def scored(self) -> dict[str, Scorecard]:
        """The scorecards that can be scored: without a table of indicators, those that look at none."""
        return self.scorecards if "indicators" in self.data.further else without_indicators(self.scorecards)

    def fitted_by(self, model: Model) -> Params:
        """The same evaluation with another model."""
        return self.model_copy(update={"model": model})

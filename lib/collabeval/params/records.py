"""Params of a measure that is counted from patient-level records, and of its case-mix."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, PositiveFloat, Tag, model_validator

from collabeval.params.types import Strict, Text, refusal

Kind = Literal["category", "linear", "spline"]


class Covariate(Strict):
    """One case-mix covariate of the records: `age: spline`, or a block where more is to be said."""

    kind: Kind
    """`category`: a term for each level; `linear`: one slope; `spline`: a natural cubic spline."""
    knots: Annotated[int, Field(ge=3, le=7)] = 4
    """Knots of a spline, at Harrell's quantiles of the patients the model is fitted to."""
    bin: PositiveFloat | None = None
    """Width to which a number is rounded first; left out, nothing is rounded."""
    reference: Text = ""
    """Reference level of a category; left out, the one most patients have."""
    missing: Literal["refuse", "level"] = "refuse"
    """A category left blank stops the run, or counts as a level of its own."""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        unused = {"category": ("knots", "bin"), "linear": ("knots", "reference", "missing"),
                  "spline": ("reference", "missing")}[self.kind]  # fmt: skip
        if set_in_vain := sorted(self.model_fields_set & {name for name in unused if not self._is_default(name)}):
            raise refusal(f"`{', '.join(set_in_vain)}` makes no sense where `kind` is {self.kind}", "leave it out")
        return self

    def _is_default(self, name: str) -> bool:
        return bool(getattr(self, name) == type(self).model_fields[name].default)


def _form(value: object) -> str:
    return "[covariate]" if isinstance(value, dict | Covariate) else "[kind]"


CaseMixTerm = Annotated[Annotated[Kind, Tag("[kind]")] | Annotated[Covariate, Tag("[covariate]")], Discriminator(_form)]


class Records(Strict):
    """How a measure is counted from the table of records, and which case-mix model predicts it."""

    outcome: Text | Annotated[tuple[Text, ...], Field(strict=False, min_length=2)]
    """Column of the outcome: 0 or 1 (binomial), a count (poisson), a number (normal). Of a list of columns of 0 and 1 \
an all-or-none composite is made: 1 where all that apply to a patient are 1, a blank being what does not apply."""
    exposure: Text = ""
    """Column of each record's exposure (poisson); left out, every record counts one."""
    case_mix: dict[Text, CaseMixTerm] = Field(default_factory=dict)
    """Column of each covariate, and how it enters: `age: spline`; none: no expected numbers."""
    sites: Literal["fixed", "mundlak", "none"] = "fixed"
    """What keeps sites out of the covariates' effects: a term for each site, the sites' covariate means, or nothing."""
    expected: Literal["frozen", "recalibrated"] = "frozen"
    """Which expected numbers the model takes: those of the baseline, or brought to the events of each period."""

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The column of the outcome, or those of an all-or-none composite."""
        return (self.outcome,) if isinstance(self.outcome, str) else self.outcome

    @property
    def covariates(self) -> dict[str, Covariate]:
        """Every covariate with all its settings."""
        return {
            name: term if isinstance(term, Covariate) else Covariate(kind=term) for name, term in self.case_mix.items()
        }

    @model_validator(mode="after")
    def _columns_differ(self) -> Self:
        named = [*self.outcomes, *([self.exposure] if self.exposure else []), *self.case_mix]
        if twice := sorted({name for name in named if named.count(name) > 1}):
            raise refusal(f"the column {', '.join(twice)} is used twice", "an outcome cannot predict itself")
        return self

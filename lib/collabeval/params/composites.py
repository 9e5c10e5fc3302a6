"""Composites of several measures: the block `composites` of a params file."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, field_validator, model_validator

from collabeval.params.types import Code, Strict, Text, refusal


class Composite(Strict):
    """One number for several measures."""

    label: Text
    """What it stands for, as a heading of the report."""
    method: Literal["standardised", "opportunity"] = "standardised"
    """`standardised`: weighted mean of the sites' standardised effects; `opportunity`: all that was done of all that \
should have been, each measure weighing as it has cases."""
    measures: dict[Code, PositiveFloat] | Annotated[tuple[Code, ...], Field(strict=False)]
    """The measures, each with its weight (they are made to sum to 1), or a list of them with equal weights."""
    minimum_rankability: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Standardised: measures that tell sites apart less than this are left out and named."""

    @field_validator("measures")
    @classmethod
    def _two_or_more(cls, measures: dict[str, float] | tuple[str, ...]) -> dict[str, float] | tuple[str, ...]:
        if len(set(measures)) < 2:
            raise refusal("names fewer than two measures", "name two or more, or leave the composite out")
        return measures

    @model_validator(mode="after")
    def _opportunities_weigh_themselves(self) -> Self:
        if self.method == "opportunity" and isinstance(self.measures, dict):
            raise refusal("`opportunity` weighs each measure by its cases", "list the measures without weights")
        return self

    @property
    def weights(self) -> dict[str, float]:
        """Weight of each measure; they sum to 1."""
        given = self.measures if isinstance(self.measures, dict) else dict.fromkeys(self.measures, 1.0)
        total = sum(given.values())
        return {measure: weight / total for measure, weight in given.items()}

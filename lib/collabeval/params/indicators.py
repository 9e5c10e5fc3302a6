"""Indicators of how the collaborative works: entries of `indicators` of a params file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Tag

from collabeval.params.types import Code, Family, Strict, Text

FIVE = ("positive_deviance", "coordination", "measurement", "levers", "leadership")
Feature = Literal[
    "positive_deviance", "coordination", "measurement", "levers", "leadership", "rigour", "accountability", "burden"
]


class Indicator(Strict):
    """One indicator of how the collaborative works."""

    id: Code
    """Its code in the table of indicators."""
    label: Text
    """What is measured."""
    feature: Feature
    """Which feature of a high-performing collaborative it belongs to (McGowan et al. 2023)."""
    family: Family
    """`binomial`: numerator out of denominator; `poisson`: counts over an exposure; `normal`: a value."""
    better: Literal["lower", "higher"]
    """Which direction is good."""


def _kind(value: object) -> str:
    return "[indicator]" if isinstance(value, dict | Indicator) else "[name]"


Named = Annotated[Annotated[Code, Tag("[name]")] | Annotated[Indicator, Tag("[indicator]")], Discriminator(_kind)]

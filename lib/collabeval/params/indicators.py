"""Indicators of how the collaborative works: entries of `indicators` of a params file."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, GetJsonSchemaHandler, PositiveInt, ValidationInfo
from pydantic import field_validator as check
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from collabeval.params.catalogue import catalogue, near, unknown
from collabeval.params.types import Code, Family, Strict, Text, as_written, refusal

FIVE = ("positive_deviance", "coordination", "measurement", "levers", "leadership")
Feature = Literal[
    "positive_deviance", "coordination", "measurement", "levers", "leadership", "rigour", "accountability", "burden"
]

NEEDED = {"label", "feature", "family", "better"}  # of a block whose code is not in the catalogue


class Indicator(Strict):
    """One indicator of how the collaborative works; where its code is in the catalogue (docs/indicators.md), only what
    is to be otherwise than there need be given."""

    model_config = ConfigDict(json_schema_extra={"required": ["id"]})

    id: Code
    """Its code in the table of indicators; where the catalogue has it, the rest comes from there."""
    label: Text
    """What is measured."""
    feature: Feature
    """Which feature of a high-performing collaborative it belongs to (McGowan et al. 2023)."""
    family: Family
    """`binomial`: numerator out of denominator; `poisson`: counts over an exposure; `normal`: a value."""
    better: Literal["lower", "higher"]
    """Which direction is good."""
    level: Literal["site", "collaborative"] = "site"
    """Whether its rows are usually given for each site or for the collaborative as a whole; either is read."""
    definition: Text = ""
    """What it is, in a sentence."""
    numerator: Text = ""
    """What the numerator counts, or what the value is."""
    denominator: Text = ""
    """What the denominator counts."""
    per: PositiveInt = 100
    """Display multiplier of shares and rates: 100 shows a percentage."""
    unit: Text = ""
    """What stands behind a shown number: `days`; a share per 100 has `%` unless something else is given."""
    target: float | None = None
    """What it should reach, on the display scale; left out: none."""
    people: bool = False
    """Whether its counts tell of single patients or members of staff, so that small ones are hidden."""
    source: Text = ""
    """Where the definition or the target comes from."""
    why: Text = ""
    """Why it matters."""
    improve: Text = ""
    """What is usually done where it falls short; the report says it there."""

    @check("target")
    @classmethod
    def _can_be_reached(cls, target: float | None, info: ValidationInfo) -> float | None:
        per, family = info.data.get("per"), info.data.get("family")
        if target is None or per is None or family == "normal" or family is None:
            return target
        if family == "binomial" and not 0 < target < per:
            raise refusal(
                f"no number of cases can show that a share is {target:g} or beyond", f"take one between 0 and {per}"
            )
        if target <= 0:
            raise refusal("no number of events can show that a rate is 0", "take a target above 0")
        return target

    @property
    def shown_unit(self) -> str:
        """The unit as shown: `%` for a share per 100 without one of its own."""
        return self.unit or ("%" if self.family == "binomial" and self.per == 100 else "")

    @property
    def scale(self) -> int:
        """Display multiplier: `per` for shares and rates; a value is shown as it is."""
        return 1 if self.family == "normal" else self.per


def from_catalogue(value: Any) -> Any:
    """A name as its block in the catalogue; a block whose `id` is in the catalogue laid over that one."""
    if isinstance(value, Indicator) or (isinstance(value, dict) and set(Indicator.model_fields) <= set(value)):
        return value  # params as resolved have every field
    if isinstance(value, dict):
        code = str(as_written(value.get("id")))
        if code not in catalogue() and NEEDED - set(value) and "id" in value and near(code):
            raise refusal(*unknown(code))
        return {**catalogue().get(code, {}), **value}
    if not isinstance(value, str | int | float):
        raise refusal("is neither a name nor a block", "write a name out of docs/indicators.md, or a block of keys")
    name = str(as_written(value))
    if name not in catalogue():
        raise refusal(*unknown(name))
    return catalogue()[name]


def each_once(indicators: tuple[Indicator, ...], measures: Collection[str]) -> tuple[Indicator, ...]:
    """The same indicators, where each code stands for one thing only: other tables name measures and indicators."""
    codes = [indicator.id for indicator in indicators]
    if twice := [code for code in dict.fromkeys(codes) if codes.count(code) > 1]:
        raise refusal(f"{', '.join(twice)}: is there twice", "keep one of the two")
    if measured := [code for code in codes if code in measures]:
        raise refusal(f"{', '.join(measured)}: is the code of a measure too", "give one of them another code")
    return indicators


class _NamesAndBlocks:
    """For editors: an entry is a name out of the catalogue, or a block."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "enum": list(catalogue())}, handler(core)]}


Named = Annotated[Indicator, BeforeValidator(from_catalogue), _NamesAndBlocks]

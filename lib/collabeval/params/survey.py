"""The survey of the collaborative's members: the block `survey` of a params file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, PositiveInt
from pydantic import field_validator as check

from collabeval.params.indicators import Feature
from collabeval.params.types import Code, Strict, Text, refusal

FEWEST = 5  # respondents below which nothing is shown of a site or role; params may ask for more, never for fewer
TARGET = 75  # per cent who agree, unless params say otherwise
NO_SCALE = "other questions"


class Item(Strict):
    """One question of the survey."""

    text: Text
    """The question as asked."""
    feature: Feature | None = None
    """Which feature of a high-performing collaborative it asks about; its scale then counts in the feature's score."""
    scale: Text = ""
    """Name of the group of questions it belongs to; left out: the feature's questions are one group."""
    reversed: bool = False
    """Whether agreeing is bad: then 1 counts as 5, 2 as 4, and so on."""


@dataclass(frozen=True)
class Scale:
    """Questions that are looked at together."""

    name: str
    feature: str
    items: tuple[str, ...]


class Survey(Strict):
    """The survey of the collaborative's members."""

    items: dict[Code, Item] = Field(min_length=1)
    """The questions, each under the code that the table of the survey uses."""
    invited: dict[Text, PositiveInt | dict[Code, PositiveInt]] = Field(default_factory=dict)
    """How many were asked, by period: a number, or one for each site; left out: `invited` in the table of sites."""
    target: Annotated[float, Field(gt=0, lt=100)] = TARGET
    """Per cent who agree at which a group of questions is at target."""
    minimum_respondents: Annotated[int, Field(ge=FEWEST)] = FEWEST
    """Respondents below which nothing is shown of a site or a role."""

    @check("items")
    @classmethod
    def _one_feature_a_scale(cls, items: dict[str, Item]) -> dict[str, Item]:
        features: dict[str, set[str]] = {}
        for item in items.values():
            features.setdefault(scale_name(item), set()).add(item.feature or "")
        mixed = [name for name, found in features.items() if len(found) > 1]
        if mixed:
            raise refusal(
                f"the scale {mixed[0]!r} has questions on two features", "give each feature a scale of its own"
            )
        return items

    @property
    def scales(self) -> tuple[Scale, ...]:
        """The groups of questions, in the order of their first."""
        found: dict[str, list[str]] = {}
        for code, item in self.items.items():
            found.setdefault(scale_name(item), []).append(code)
        return tuple(Scale(name, self.items[codes[0]].feature or "", tuple(codes)) for name, codes in found.items())


def scale_name(item: Item) -> str:
    """The name of the group an item belongs to: its own, or the feature's slug."""
    return item.scale or item.feature or NO_SCALE

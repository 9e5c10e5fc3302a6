"""The survey of the collaborative's members: the block `survey` of a params file."""

from __future__ import annotations

from pydantic import Field

from collabeval.params.types import Code, Strict, Text


class Item(Strict):
    """One question of the survey."""

    text: Text
    """The question as asked."""


class Survey(Strict):
    """The survey of the collaborative's members."""

    items: dict[Code, Item] = Field(min_length=1)
    """The questions, each under the code that the table of the survey uses."""

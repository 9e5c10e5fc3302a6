"""What events and the programme cost: the block `value` of a params file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from collabeval.params.types import Strict, Text


class Value(Strict):
    """How money is counted."""

    currency: Text
    """Currency of every amount, as it is shown: `US$`."""
    price_year: Annotated[int, Field(ge=1900, le=2199)]
    """Year whose prices the amounts are in."""

"""Params of the improvement attributable to the programme."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveInt

from collabeval.params.types import Code, Strict


class Effect(Strict):
    """How the effect of joining is estimated (docs/effect.md); fix it before you see results."""

    measures: Annotated[tuple[Code, ...], Field(strict=False)] = ()
    """The measures it is estimated for; left out: all."""
    anticipation: NonNegativeInt = 0
    """Periods before joining in which a site may have changed already: neither before nor after."""
    minimum_untreated: PositiveInt = 1
    """Units outside the programme, comparators or sites yet to join, that a period needs for an effect in it."""
    minimum_before: PositiveInt = 1
    """Periods with data from before joining that a site needs for an effect in it."""

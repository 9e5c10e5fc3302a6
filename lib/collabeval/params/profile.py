"""How the score of each feature is made: the block `profile` of a params file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat

from collabeval.params.types import Code, Probability, Strict

FiveFeature = Literal["positive_deviance", "coordination", "measurement", "levers", "leadership"]
Percent = Annotated[float, Field(gt=0, lt=100)]

FEWEST_RATERS = 3  # of two, each could work out the other's score


class Profile(Strict):
    """Targets and weights of the score of each of the five features."""

    target: Percent = 75
    """Score from 0 to 100 of a feature whose parts are all at their targets."""
    rating_target: Annotated[float, Field(gt=1, lt=5)] = 4
    """Score on the raters' scale from 1 to 5 that is at target."""
    audit_target: Percent = 95
    """Per cent of audited fields on which both abstractions agree that is at target."""
    weights: dict[FiveFeature, dict[Code, NonNegativeFloat]] = Field(default_factory=dict)
    """Weights of a feature's parts: codes of indicators, `survey`, `ratings`, `audit`; a part left out counts 0. A
    feature left out: all its parts count alike."""
    total: dict[FiveFeature, NonNegativeFloat] = Field(default_factory=dict)
    """Weights of the features in one total; left out: there is no total."""
    at_target: Probability = 0.9
    """Probability from which a feature is said to be at target, or below it."""

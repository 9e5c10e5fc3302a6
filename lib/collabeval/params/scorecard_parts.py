"""Params of the lines of a scorecard: what is looked at, thresholds and points, and the conditions for points."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from collabeval.params.types import Code, Probability, Strict, Text, refusal

Unit = Literal["site", "group", "region", "collaborative"]
SOURCES = ("measure", "indicator", "scorecard")


class Tier(Strict):
    """A step of a scored line: from this value on, so many points."""

    at: float
    """The value, on the display scale, from which the points are earned; a value just there earns them."""
    points: NonNegativeFloat
    """Points earned from there on."""
    name: Text = ""
    """What the tier is called; left out, its points."""


class Source(Strict):
    """What a line or a gate looks at: a measure, an indicator or another scorecard; of whom; in which direction."""

    label: Text = ""
    """What it is called in the report; left out, the label of what it looks at."""
    measure: Code | None = None
    """The measure of this evaluation that is looked at: its rate now, adjusted where it has expected values."""
    indicator: Code | None = None
    """Instead of a measure: the indicator, as the table of indicators calls it."""
    scorecard: Code | None = None
    """Instead of either: another scorecard of these params; its value is the percentage of its points."""
    unit: Unit = "site"
    """Whose value counts: the site's own, or the mean of its group, of its region, or of the whole collaborative."""
    mean: Literal["cases", "sites"] = "cases"
    """What weighs in the mean of a group, region or collaborative: every case the same, or every site the same."""
    better: Literal["lower", "higher"] | None = None
    """Which direction is good; left out, that of the measure, or the one in which the tiers rise (a gate: higher)."""
    per: PositiveInt = 100
    """Display multiplier of an indicator's numerator over its denominator: 100 shows percent."""
    over_periods: Literal["mean", "sum", "last"] = "mean"
    """How an indicator's values without denominator are put together over the periods of the window."""
    minimum: NonNegativeFloat = 0.0
    """Cases below which there is too little data to score."""

    @property
    def source(self) -> tuple[str, str]:
        """Kind and name of what is looked at: `("measure", "complication")`."""
        return next((kind, getattr(self, kind)) for kind in SOURCES if getattr(self, kind) is not None)

    @property
    def direction(self) -> Literal["lower", "higher"] | None:
        """Which direction is good, as far as this block says it."""
        return self.better

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [kind for kind in SOURCES if getattr(self, kind) is not None]
        if len(given) != 1:
            found = " and ".join(given) or "nothing"
            raise refusal(f"looks at {found}", "name one of `measure`, `indicator` or `scorecard`")
        return self


class Part(Source):
    """One line of a scorecard: what is looked at, and the points it earns."""

    kind: Literal["performance", "participation"] = "performance"
    """`participation`: what happened is scored as it is, without chance; `performance`: a rate known with error."""
    tiers: Annotated[tuple[Tier, ...], Field(strict=False, min_length=1)]
    """Thresholds and their points; the best one that is reached counts."""
    between: Literal["step", "line"] = "step"
    """Whether points jump at the thresholds, or rise evenly from one to the next (and are none below the first)."""
    weight: PositiveFloat | None = None
    """Points of this line at its best, to which those of its tiers are scaled; left out, those of its best tier."""
    missing: Literal["skip", "zero", "full"] | None = None
    """What a site without data earns: the line is skipped and the others re-scaled, nothing, or full marks; left out,
    `zero` for participation and `skip` for performance."""
    few: Literal["skip", "zero", "full"] = "skip"
    """The same for a site with fewer cases than `minimum`."""

    @property
    def worth(self) -> float:
        """Points of this line at its best."""
        return self.weight or max(tier.points for tier in self.tiers)

    @property
    def without_data(self) -> str:
        return self.missing or ("zero" if self.kind == "participation" else "skip")

    @property
    def direction(self) -> Literal["lower", "higher"] | None:
        """The direction that `better` or the tiers say; None where a single tier leaves it open."""
        if self.better is not None or len(self.tiers) < 2:
            return self.better
        return "higher" if self.ordered[-1].at > self.ordered[0].at else "lower"

    @property
    def ordered(self) -> tuple[Tier, ...]:
        """The tiers from the easiest to the hardest."""
        return tuple(sorted(self.tiers, key=_points))

    @model_validator(mode="after")
    def _tiers_rise(self) -> Self:
        points, values = [tier.points for tier in self.ordered], [tier.at for tier in self.ordered]
        if len(set(points)) < len(points) or len(set(values)) < len(values) or points[-1] <= 0:
            raise refusal("two tiers share a threshold or their points, or none earns a point",
                          "give every tier a threshold and points of its own, the best one above 0")  # fmt: skip
        rising = values == sorted(values)
        if not rising and values != sorted(values, reverse=True):
            raise refusal("the points of the tiers go up and down again", "more points for every better threshold")
        if self.better is not None and len(values) > 1 and rising != (self.better == "higher"):
            raise refusal(f"the tiers rise against `better: {self.better}`", "turn the tiers or `better` round")
        return self


def _points(tier: Tier) -> float:
    return tier.points


class Gate(Source):
    """A condition that must hold for points to count, such as attendance or complete data."""

    at: float
    """The value that must be reached, on the display scale."""
    kind: Literal["performance", "participation"] = "participation"
    """As in a line: whether there is chance in it."""
    keeps: Probability = 0.0
    """Share of the points that is kept where it fails."""
    parts: Annotated[tuple[Code, ...], Field(strict=False)] = ()
    """Lines whose points it guards; none named: the whole scorecard."""
    missing: Literal["fails", "passes"] = "fails"
    """What happens without data, or with fewer cases than `minimum`."""

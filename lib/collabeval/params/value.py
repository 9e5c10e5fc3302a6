"""What events and the programme cost: the block `value` of a params file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, PositiveFloat, Tag, ValidationInfo, model_validator
from pydantic import field_validator as check

from collabeval.params.types import YEAR_PATTERN, Code, Strict, Text, refusal

YearText = Annotated[str, Field(pattern=YEAR_PATTERN)]  # keys of a params file are text
Year = Annotated[int, Field(ge=1900, le=2199)]
Rate = Annotated[float, Field(ge=0, lt=1)]
Span = Annotated[tuple[float, float], Field(strict=False)]


LIMITS = {"discount_rate": (0, 0.5), "inflation": (-0.2, 1), "programme_cost": (0, 10)}  # of the ranges
Index = dict[str, float]  # of prices, by year
Problems = list[tuple[str, str]]  # what is wrong, how to mend it


def _refuse(found: Problems) -> None:
    """All that is wrong in one place as one refusal."""
    if found:
        raise refusal("; ".join(what for what, _ in found), "; ".join(dict.fromkeys(fix for _, fix in found)))


class UnitCost(Strict):
    """What one event costs, where that is not known exactly: a mean, and how far it may be off."""

    mean: PositiveFloat
    """What one event costs on average."""
    se: PositiveFloat | None = None
    """Standard error of that mean; or instead:"""
    low: PositiveFloat | None = None
    """Lower end of the range that holds it with 95 chances in 100."""
    high: PositiveFloat | None = None
    """Upper end of that range."""
    dist: Literal["gamma", "lognormal"] = "gamma"
    """Distribution with this mean and spread."""
    price_year: Year | None = None
    """Year whose prices it is in; left out: `price_year` of `value`."""
    source: Text = ""
    """Where the number comes from, for the report."""

    @model_validator(mode="after")
    def _one_spread_around_the_mean(self) -> Self:
        found: Problems = []
        if (self.low is None) != (self.high is None):
            found.append(("a range has two ends", "give both `low` and `high`"))
        if self.se is not None and (self.low is not None or self.high is not None):
            found.append(("the spread is given twice", "give `se`, or `low` and `high`"))
        if self.low is not None and self.high is not None and not self.low < self.mean < self.high:
            found.append((f"the mean {self.mean:g} does not lie between {self.low:g} and {self.high:g}",
                          "give the ends of a range around it"))  # fmt: skip
        _refuse(found)
        return self


def _kind(value: object) -> str:
    return "[block]" if isinstance(value, dict | UnitCost) else "[amount]"


EventCost = Annotated[
    Annotated[PositiveFloat, Tag("[amount]")] | Annotated[UnitCost, Tag("[block]")], Discriminator(_kind)
]


class Ranges(Strict):
    """Ranges for the one-way sensitivity analysis, each with its lower end first."""

    discount_rate: Span | None = None
    """Discount rates: `[0, 0.06]`."""
    inflation: Span | None = None
    """Rates of inflation, where `inflation` is given."""
    programme_cost: Span | None = None
    """What the programme's cost is multiplied by: `[0.8, 1.3]`."""

    @check(*LIMITS)
    @classmethod
    def _is_a_range(cls, span: tuple[float, float] | None, info: ValidationInfo) -> tuple[float, float] | None:
        least, most = LIMITS[str(info.field_name)]
        if span is not None and not least <= span[0] <= span[1] <= most:
            raise refusal(f"{list(span)} is no range", f"two numbers from {least:g} to {most:g}, the lower first")
        return span


class Collecting(Strict):
    """What the collecting of data should take at most, and how much it varies."""

    hours: PositiveFloat | None = None
    """Hours for each case that a site should not exceed."""
    cost: PositiveFloat | None = None
    """Cost of each case that a site should not exceed."""
    case_cv: PositiveFloat = 0.5
    """Standard deviation of the time for one case over its mean: how little few cases say about a site."""


class Value(Strict):
    """How money is counted."""

    currency: Text
    """Currency of every amount, as it is shown: `US$`."""
    price_year: Year
    """Year whose prices the report is in."""
    perspective: Text = "the funder of the programme"
    """Whose costs and savings are counted."""
    discount_rate: Rate = 0.0
    """Rate a year at which costs and events of later years count less: 0.03 is 3%."""
    discount_to: Year | None = None
    """Year that is not discounted; left out: the first year that is counted."""
    inflation: Annotated[float, Field(gt=-0.2, lt=1)] | None = None
    """Rise of prices a year, which brings amounts to the price year; or instead:"""
    price_index: dict[YearText, PositiveFloat] | None = None
    """A price index by year, with the price year in it: `{2023: 97.4, 2024: 100}`."""
    basis: Literal["effect", "change"] = "effect"
    """What counts as avoided: the `effect` against comparators, or the `change` since the baseline, which is none."""
    cost_per_event: dict[Code, EventCost] = Field(default_factory=dict)
    """What one event of each measure costs: an amount, or a mean with its standard error or range."""
    add_burden: bool = False
    """Whether the cost column of the table of burden is added to that of the programme, being in none of its items."""
    burden: Collecting = Field(default_factory=Collecting)
    """What the collecting of data should take."""
    ranges: Ranges = Field(default_factory=Ranges)
    """Ranges for the one-way sensitivity analysis."""

    @check("price_index")
    @classmethod
    def _one_way_to_the_price_year(cls, index: Index | None, info: ValidationInfo) -> Index | None:
        found: Problems = []
        year = info.data.get("price_year")
        if index is not None and info.data.get("inflation") is not None:
            found.append(("both `inflation` and `price_index` are given", "keep one of them"))
        if index is not None and year is not None and str(year) not in index:
            found.append((f"`price_index` lacks the price year {year}", "add it"))
        _refuse(found)
        return index

    @check("cost_per_event")
    @classmethod
    def _prices_of_known_years(cls, costs: dict[str, EventCost], info: ValidationInfo) -> dict[str, EventCost]:
        index = info.data.get("price_index")
        years = {name: cost.price_year for name, cost in costs.items() if isinstance(cost, UnitCost)}
        if index is not None:
            lacking = {name: year for name, year in years.items() if year is not None and str(year) not in index}
            _refuse([(f"`price_index` lacks {year}, the year of {name}", "add it") for name, year in lacking.items()])
        return costs

    @check("ranges")
    @classmethod
    def _inflation_has_a_range_where_it_is_given(cls, ranges: Ranges, info: ValidationInfo) -> Ranges:
        if ranges.inflation is not None and "inflation" in info.data and info.data["inflation"] is None:
            raise refusal("`ranges.inflation` is given, but no `inflation`", "leave the range out")
        return ranges

    def checked_against(self, better: Mapping[str, str]) -> Value:
        """Itself, where each cost per event is of a measure of which less is good; `better` is that of each by name."""
        unknown = [name for name in self.cost_per_event if better and name not in better]
        good = [name for name in self.cost_per_event if better.get(name) == "higher"]
        _refuse([
            *((f"cost_per_event: {name} is not one of the measures", "use those of `measures`") for name in unknown),
            *((f"cost_per_event: of {name} more is better, so that none is avoided", "take it out") for name in good),
        ])  # fmt: skip
        return self

    @property
    def unit_costs(self) -> dict[str, UnitCost]:
        """What one event of each measure costs, with all settings."""
        return {
            measure: cost if isinstance(cost, UnitCost) else UnitCost(mean=cost)
            for measure, cost in self.cost_per_event.items()
        }

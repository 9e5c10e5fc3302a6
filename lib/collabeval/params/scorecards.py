"""Params of the performance index: scorecards as data. What each setting does: docs/scorecards.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from collabeval.params.indicators import Indicator
from collabeval.params.scorecard_parts import Gate, Part, Source, Tier
from collabeval.params.types import Code, Probability, Strict, Text, refusal

if TYPE_CHECKING:
    from collabeval.params import Measure

__all__ = [
    "Award", "Gate", "Money", "Part", "Scorecard", "Signals", "Source", "Tier", "better", "check_scorecards",
    "directions", "without_indicators",
]  # fmt: skip


class Award(Strict):
    """A step of the whole scorecard: from so many points on, an award."""

    name: Text
    """What the award is called: `full award`."""
    at: PositiveFloat
    """Points of the scorecard from which it is given."""
    amount: NonNegativeFloat = 0.0
    """Money that comes with it."""


class Money(Strict):
    """What points are worth, beside the amounts of the awards; all that is set is added up."""

    currency: Text = ""
    """Sign before the amounts: `$`."""
    per_point: NonNegativeFloat = 0.0
    """Money for every point."""
    column: Text = ""
    """Column of the table of sites with the money a site earns at full points; it gets the share of its points."""


class Signals(Strict):
    """When a site's data give reason to look whether the index changed what is recorded rather than what is done."""

    fewer_cases: Annotated[float, Field(gt=0, lt=1)] = 0.75
    """Cases now against before, relative to all sites together, below which a drop counts."""
    sicker_cases: Annotated[float, Field(gt=1)] = 1.10
    """Expected events per case now against before, relative to all sites together, above which a rise counts."""
    chance: Probability = 0.975
    """Probability from which either is shown."""
    gaps: Probability = 0.5
    """Probability of losing the tier, had the missing periods been sent, from which gaps are shown."""


class Scorecard(Strict):
    """One performance index: its lines, how they are put together, and what they earn."""

    label: Text
    """What the scorecard is called in the report."""
    parts: dict[Code, Part] = Field(min_length=1)
    """The lines, each under a code of your own."""
    rule: Literal["sum", "k_of_m", "all"] = "sum"
    """Points add up; or all points for at least `needed` lines at full marks, or only for every line, else none."""
    needed: PositiveInt | None = None
    """With `k_of_m`: how many lines; where lines are skipped, the same share of the rest, rounded up."""
    points: PositiveFloat | None = None
    """Points of the whole scorecard, to which sums are scaled; left out, the points of the lines that can count."""
    best: PositiveInt | None = None
    """Only this many lines count for a site, its best by share of their points; with fewer it is scored on those."""
    preferred: Annotated[tuple[Code, ...], Field(strict=False)] = ()
    """With `best`: lines that count before any other line does."""
    gates: dict[Code, Gate] = Field(default_factory=dict)
    """Conditions, each under a code of your own."""
    waived: Literal["skip", "full"] = "skip"
    """What a line waived for a site does: it is skipped and the others are re-scaled, or earns full marks."""
    awards: Annotated[tuple[Award, ...], Field(strict=False)] = ()
    """Steps of the whole scorecard."""
    money: Money = Field(default_factory=Money)
    """What points are worth."""
    group_column: Text = "peer_group"
    """Column of the table of sites that says a site's group."""
    region_column: Text = "region"
    """Column of the table of sites that says a site's region."""
    signals: Signals = Field(default_factory=Signals)
    """When data give reason to look at what is recorded."""

    @property
    def total(self) -> float:
        """Points of the whole scorecard."""
        weights = sorted((part.worth for part in self.parts.values()), reverse=True)
        return self.points or sum(weights[: self.best])

    @property
    def steps(self) -> tuple[Award, ...]:
        """Awards from the lowest up; a scorecard that is met or not has one, at all its points."""
        if self.awards or self.rule == "sum":
            return tuple(sorted(self.awards, key=lambda award: award.at))
        return (Award(name="met", at=self.total),)

    @model_validator(mode="after")
    def _rule_fits(self) -> Self:
        if (self.rule == "k_of_m") != (self.needed is not None):
            raise refusal("`rule: k_of_m` and `needed` belong together", "set both, or neither")
        if self.needed is not None and self.needed > len(self.parts):
            raise refusal(f"{self.needed} lines are needed of {len(self.parts)}", "ask for no more than there are")
        if self.best is not None and self.rule != "sum":
            raise refusal("`best` goes with `rule: sum` only", "leave one of them out")
        if self.preferred and self.best is None:
            raise refusal("`preferred` goes with `best` only", "leave it out, or say how many lines count")
        return self

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        named = {name for gate in self.gates.values() for name in gate.parts} | set(self.preferred)
        if unknown := sorted(named - set(self.parts)):
            raise refusal(f"{', '.join(unknown)}: no such line", f"the lines are {', '.join(self.parts)}")
        levels = [award.at for award in self.awards]
        names = [award.name for award in self.awards]
        if len(set(levels)) < len(levels) or len(set(names)) < len(names):
            raise refusal("two awards share a name or their points", "give every award its own")
        if levels and max(levels) > self.total * (1 + 1e-9):
            raise refusal(f"an award needs {max(levels):g} points, and there are {self.total:g}", "lower it")
        return self


def without_indicators(scorecards: Mapping[str, Scorecard]) -> dict[str, Scorecard]:
    """Those that can be scored without a table of indicators: no line or gate looks at one, nor does one they count."""

    def needs_none(card: Scorecard) -> bool:
        sources = [line.source for line in (*card.parts.values(), *card.gates.values())]
        counted = [code for kind, code in sources if kind == "scorecard"]
        return all(kind != "indicator" for kind, _ in sources) and all(needs_none(scorecards[code]) for code in counted)

    return {name: card for name, card in scorecards.items() if needs_none(card)}


def directions(entries: Iterable[str | Indicator]) -> dict[str, str]:
    """The good direction of each indicator of the params by its code; "" where it is only named."""
    return {
        entry.id if isinstance(entry, Indicator) else entry: entry.better if isinstance(entry, Indicator) else ""
        for entry in entries
    }


def check_scorecards(
    scorecards: Mapping[str, Scorecard], measures: Mapping[str, Measure], indicators: Mapping[str, str]
) -> None:
    """Refuse lines and gates that look at what is not there, or at it in the wrong direction.

    `indicators`: the direction of each indicator of the params, "" where it is not known.
    """
    for name, card in scorecards.items():
        lines: dict[str, Source] = {f"parts.{code}": part for code, part in card.parts.items()}
        lines |= {f"gates.{code}": gate for code, gate in card.gates.items()}
        for place, line in lines.items():
            _check_line(f"{name}.{place}", line, measures, indicators)
        _check_nesting(name, scorecards, ())


def better(line: Source, measures: Mapping[str, Measure], indicators: Mapping[str, str]) -> str:
    """The good direction of a line: as it says, or as its measure or indicator says; "" where nothing does.

    Points of another scorecard, and values behind a gate, are better when higher.
    """
    kind, code = line.source
    own = measures[code].better if kind == "measure" else indicators.get(code, "") if kind == "indicator" else "higher"
    return line.direction or own or ("higher" if isinstance(line, Gate) else "")


def _check_line(where: str, line: Source, measures: Mapping[str, Measure], indicators: Mapping[str, str]) -> None:
    kind, code = line.source
    known = {"measure": list(measures), "indicator": list(indicators)}
    if kind in known and code not in known[kind]:
        named = ", ".join(known[kind]) or "none are declared"
        raise refusal(f"{where}: there is no {kind} {code}", f"{kind}s: {named}")
    if kind == "scorecard" and line.unit != "site":
        raise refusal(f"{where}: points of a scorecard are a site's own", "leave `unit` out, and set it there")
    used = better(line, measures, indicators)
    if not used:
        raise refusal(f"{where}: which way is good?", "say `better: higher` or `better: lower`")
    own = measures[code].better if kind == "measure" else indicators[code] if kind == "indicator" else ""
    if own and used != own:
        raise refusal(f"{where}: calls {used} values better, but of {code} {own} ones are",
                      "turn the tiers or `better` round")  # fmt: skip


def _check_nesting(name: str, scorecards: Mapping[str, Scorecard], above: tuple[str, ...]) -> None:
    if name in above:
        raise refusal(f"{name} looks at itself through {', '.join(above)}", "take one of these lines out")
    card = scorecards[name]
    for line in (*card.parts.values(), *card.gates.values()):
        kind, code = line.source
        if kind == "scorecard" and code not in scorecards:
            raise refusal(f"{name}: there is no scorecard {code}", f"the scorecards are {', '.join(scorecards)}")
        if kind == "scorecard":
            _check_nesting(code, scorecards, (*above, name))

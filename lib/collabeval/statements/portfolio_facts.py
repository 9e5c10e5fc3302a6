"""The numbers that sentences about a portfolio are made of, looked up once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from collabeval.disclosure import MeasureView
from collabeval.disclosure.portfolio import MemberView, PublishedPortfolio
from collabeval.statements import numbers
from collabeval.statements.facts import Estimate, as_estimate

Basis = Literal["effect", "change"]
COLLABORATIVES = ("collaborative", "collaboratives")
GOOD, BAD = ("better", "improved"), ("worse", "worsened")


@dataclass(frozen=True)
class Line:
    """One measure of one collaborative: rates, the ratio of what is not wanted, a word by rule and its chance.

    `chance` is that of the better direction; `word` one of `better`, `worse`, `unclear` (effects), `improved`,
    `worsened`, `no_clear_change` (changes), or `in_doubt`, `not_estimable`.
    """

    member: MemberView
    view: MeasureView
    baseline: Estimate | None
    now: Estimate | None
    change: Estimate | None
    ratio: Estimate | None
    word: str
    chance: float

    @property
    def good(self) -> bool:
        return self.word in GOOD

    @property
    def bad(self) -> bool:
        return self.word in BAD


@dataclass(frozen=True)
class Worth:
    """An amount, or a ratio of amounts; `chance` is that of its event (of net benefit: that it is above 0)."""

    estimate: Estimate
    chance: float
    currency: str
    price_year: str


@dataclass(frozen=True)
class PortfolioFacts:
    """What the rules of a portfolio's sentences look at."""

    published: PublishedPortfolio

    @property
    def nouns(self) -> tuple[str, str]:
        return self.published.params.report.site_noun

    @cached_property
    def basis(self) -> Basis:
        """Effects where every collaborative with a change in its leading measure has one, else changes for all."""
        with_effect = {line.member.name for line in self.lines("effect") if line.ratio is not None}
        with_change = {line.member.name for line in self._leading("change") if line.ratio is not None}
        return "effect" if with_change and with_change <= with_effect else "change"

    @cached_property
    def leading(self) -> tuple[Line, ...]:
        """The leading measure of each collaborative, the most improved first; those without a comparison last."""
        return tuple(sorted(self._leading(self.basis), key=_order))

    def _leading(self, basis: Basis) -> list[Line]:
        return [self.line(member, member.views[0], basis) for member in self.published.members if member.views]

    def lines(self, basis: Basis) -> list[Line]:
        """Every measure of every collaborative, in the order of the params."""
        return [self.line(member, view, basis) for member in self.published.members for view in member.views]

    def line(self, member: MemberView, view: MeasureView, basis: Basis) -> Line:
        ratio = self.estimate(member, view, "unwanted_effect" if basis == "effect" else "unwanted_ratio")
        word, chance = self._effect(member, view) if basis == "effect" else self._change(member, view)
        return Line(
            member, view, self.estimate(member, view, "rate", "baseline"),
            self.estimate(member, view, "rate", "current"), self.estimate(member, view, "change"), ratio, word, chance,
        )  # fmt: skip

    def estimate(self, member: MemberView, view: MeasureView, estimand: str, window: str = "") -> Estimate | None:
        """One estimate of a collaborative's measure; None where there is none."""
        rows = self.published.estimates
        rows = rows[
            rows["collaborative"].eq(member.name) & rows["measure"].eq(view.name) & rows["estimand"].eq(estimand)
        ]
        rows = rows[rows["window"].eq(window)] if window else rows
        return None if rows.empty or not math.isfinite(rows.iloc[0]["q975"]) else as_estimate(rows.iloc[0])

    def _change(self, member: MemberView, view: MeasureView) -> tuple[str, float]:
        chance, needed = self.chance(member, view, "improved"), self.published.params.rules.trajectory
        if not math.isfinite(chance):
            return "not_estimable", math.nan
        return ("improved" if chance >= needed else "worsened" if 1 - chance >= needed else "no_clear_change"), chance

    def _effect(self, member: MemberView, view: MeasureView) -> tuple[str, float]:
        rows = self.published.probabilities
        own = rows[rows["collaborative"].eq(member.name) & rows["measure"].eq(view.name)]
        own = own[own["event"].str.startswith("effect_")]
        if own.empty:
            return "not_estimable", math.nan
        word, chance = str(own.iloc[0]["event"]).removeprefix("effect_"), float(own.iloc[0]["probability"])
        if word in ("better", "worse"):
            return word, chance if word == "better" else 1 - chance
        return word if word in ("in_doubt", "not_estimable") else "unclear", self._above(member, view)

    def _above(self, member: MemberView, view: MeasureView) -> float:
        """The chance of the better direction where the word is unclear: roughly, from the interval of the ratio."""
        ratio = self.estimate(member, view, "unwanted_effect")
        if ratio is None or not ratio.lower > 0:
            return math.nan
        spread = (math.log(ratio.upper) - math.log(ratio.lower)) / (2 * 1.959964)
        return 0.5 * math.erfc(math.log(ratio.median) / spread / math.sqrt(2)) if spread > 0 else math.nan

    def chance(self, member: MemberView, view: MeasureView, event: str) -> float:
        rows = self.published.probabilities
        rows = rows[rows["collaborative"].eq(member.name) & rows["measure"].eq(view.name) & rows["event"].eq(event)]
        return float(rows["probability"].iloc[0]) if len(rows) else math.nan

    def score(self, member: MemberView, feature: str, estimand: str = "score", years_back: int = 0) -> Estimate | None:
        """A feature's score, its change, or the score of last year."""
        rows = self.published.features
        rows = rows[rows["collaborative"].eq(member.name) & rows["feature"].eq(feature) & rows["estimand"].eq(estimand)]
        rows = rows[rows["years_back"].eq(years_back)]
        return None if rows.empty else as_estimate(rows.iloc[0])

    def feature_chance(self, member: MemberView, feature: str, event: str = "at_target") -> float:
        rows = self.published.features
        rows = rows[rows["collaborative"].eq(member.name) & rows["feature"].eq(feature) & rows["event"].eq(event)]
        return float(rows["probability"].iloc[0]) if len(rows) else math.nan

    def at_target(self, member: MemberView, feature: str) -> tuple[int, int, int]:
        """Its indicators of a feature with a target: how many are probably at it, probably short of it, and all."""
        rows, words = self.published.indicators, self.published.params.rules.probability_words
        own = rows[rows["collaborative"].eq(member.name) & rows["feature"].eq(feature)]["probability"].dropna()
        at, short = (sum(bool(numbers.probability_word(chance, words)) for chance in of) for of in (own, 1 - own))
        return at, short, len(own)

    def target(self, member: MemberView) -> float:
        rows = self.published.features
        rows = rows[rows["collaborative"].eq(member.name) & rows["estimand"].eq("target")]
        return float(rows["mean"].iloc[0]) if len(rows) else math.nan

    def worth(self, member: MemberView, estimand: str) -> Worth | None:
        """One of the totals in money."""
        rows = self.published.value
        rows = rows[rows["collaborative"].eq(member.name) & rows["estimand"].eq(estimand)]
        if rows.empty:
            return None
        row = rows.iloc[0]
        return Worth(as_estimate(row), float(row["probability"]), str(row["currency"]), str(row["price_year"]))


def wrongly(lines: list[Line] | tuple[Line, ...]) -> float:
    """The number of words for better or worse that can be counted on to be chance: the sum of 1 − P."""
    said = [max(line.chance, 1 - line.chance) for line in lines if line.good or line.bad]
    return float(sum(1 - chance for chance in said))


def _order(line: Line) -> tuple[float, str]:
    return (math.inf if line.ratio is None else line.ratio.median, line.member.label)

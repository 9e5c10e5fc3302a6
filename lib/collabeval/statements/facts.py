"""The numbers that sentences are made of: one measure's results, looked up once, under the names the rules use."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from collabeval.disclosure import MeasureView, Published


@dataclass(frozen=True)
class Estimate:
    """A posterior summary: median, 50% and 95% interval, on the base of the report."""

    median: float
    lower: float
    upper: float
    inner_lower: float = math.nan
    inner_upper: float = math.nan


@dataclass(frozen=True)
class Named:
    """A site with its word and the chance that the word is right; `bounded` where only a threshold may be said."""

    site: str
    slug: str
    chance: float
    bounded: bool = False


@dataclass(frozen=True)
class Facts:
    """What the rules of sentences look at, for one measure."""

    view: MeasureView
    nouns: tuple[str, str]
    sites: int
    cases: float
    years: float
    ranked: int  # sites with a rank
    competing: int  # sites among which they are ranked
    either_half: int
    rank_width: float
    level: tuple[Named, ...]
    trajectory: tuple[Named, ...]
    deviance: tuple[Named, ...]
    without_data: tuple[str, ...]
    rate: Estimate | None
    baseline_rate: Estimate | None
    change: Estimate | None
    change_same_sites: Estimate | None
    improved: float
    rankability: float
    reliability: float
    denominator_needed: float
    closing_the_gap: Estimate | None

    def of(self, slot: str, *slugs: str) -> tuple[Named, ...]:
        """The sites with one of these words, the most probable first."""
        found = [named for named in getattr(self, slot) if named.slug in slugs]
        return tuple(sorted(found, key=lambda named: (-named.chance, named.site)))

    @property
    def fell(self) -> float:
        """The chance that the number went down."""
        return self.improved if self.view.params.better == "lower" else 1 - self.improved

    @property
    def labelled_current(self) -> str:
        return self.view.windows.current.label


def gather(published: Published, view: MeasureView) -> Facts:
    """Look up everything the rules need for one measure."""
    totals = _rows(published.totals, view, window="current").iloc[0]
    ranks = _site_rows(published, view, "rank")
    competing = max(_eligible(published, view), len(ranks))
    return Facts(
        view=view,
        nouns=published.params.report.site_noun,
        sites=int(totals["sites"]),
        cases=float(totals["cases"]),
        years=float(totals["years"]),
        ranked=len(ranks),
        competing=competing,
        either_half=int((ranks["q025"].le(competing / 2) & ranks["q975"].gt(competing / 2)).sum()),
        rank_width=float((ranks["q975"] - ranks["q025"] + 1).median()) if len(ranks) else math.nan,
        level=_named(published, view, "level"),
        trajectory=_named(published, view, "trajectory"),
        deviance=_named(published, view, "deviance"),
        without_data=_without_data(published, view),
        rate=programme(published, view, "rate", view.windows.current.label),
        baseline_rate=_baseline(published, view),
        change=programme(published, view, "change"),
        change_same_sites=programme(published, view, "change_same_sites"),
        improved=_event(published, view, "improved"),
        rankability=_median(programme(published, view, "rankability")),
        reliability=float(_site_rows(published, view, "reliability")["mean"].median()),
        denominator_needed=float(_site_rows(published, view, "denominator_needed")["q50"].median()),
        closing_the_gap=programme(published, view, "closing_the_gap"),
    )


def programme(published: Published, view: MeasureView, estimand: str, period: str | None = None) -> Estimate | None:
    """One estimate of the collaborative as a whole; None where the run has none."""
    rows = _rows(published.programme, view, estimand=estimand)
    if period is not None:
        rows = rows[rows["period"].eq(period)]
    return None if rows.empty or not math.isfinite(rows.iloc[0]["q50"]) else as_estimate(rows.iloc[0])


def as_estimate(row: pd.Series) -> Estimate:
    """A row of a results table as an estimate."""
    return Estimate(row["q50"], row["q025"], row["q975"], row["q25"], row["q75"])


def wrongly_named(named: Iterable[Named]) -> float:
    """The number of sites on a list that can be counted on to be there by chance: the sum of 1 − P."""
    return float(sum(1 - site.chance for site in named))


def _rows(table: pd.DataFrame, view: MeasureView, **columns: str) -> pd.DataFrame:
    chosen = table["measure"].eq(view.name)
    for name, value in columns.items():
        chosen &= table[name].eq(value)
    return table[chosen]


def _site_rows(published: Published, view: MeasureView, estimand: str) -> pd.DataFrame:
    rows = _rows(published.estimates, view, estimand=estimand)
    current = rows["period"].eq(view.windows.current.label)
    return rows[current] if current.any() else rows


def _eligible(published: Published, view: MeasureView) -> int:
    """Sites with cases enough to be compared with; where cases are not counted, all with data now."""
    now = _rows(published.counts, view, window="current")
    known = now["cases"].notna() | now["few"]
    return int((now["cases"].ge(view.params.minimum_denominator) | ~known).sum())


def _named(published: Published, view: MeasureView, slot: str) -> tuple[Named, ...]:
    """The words of one slot, of the sites with data in the current window."""
    rows = _rows(published.statements, view, slot=slot)
    rows = rows[rows["site"].isin(_rows(published.counts, view, window="current")["site"])]
    columns = (rows[name].to_list() for name in ("site", "statement", "probability", "hidden"))
    return tuple(Named(*row) for row in zip(*columns, strict=True))


def _without_data(published: Published, view: MeasureView) -> tuple[str, ...]:
    """Sites that have rows of this measure, but none in the current window."""
    now = set(_rows(published.counts, view, window="current")["site"])
    return tuple(site for site in sorted(set(_rows(published.cells, view)["site"])) if site not in now)


def _baseline(published: Published, view: MeasureView) -> Estimate | None:
    baseline = view.windows.baseline
    return None if baseline is None else programme(published, view, "rate", baseline.label)


def _event(published: Published, view: MeasureView, event: str) -> float:
    """The probability of an event of the collaborative (its rows have no site)."""
    rows = _rows(published.probabilities, view, event=event, site="")
    return float(rows["probability"].iloc[0]) if len(rows) else math.nan


def _median(estimate: Estimate | None) -> float:
    return math.nan if estimate is None else estimate.median

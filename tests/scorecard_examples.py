"""Four performance indices as an evaluator would write them, and ways to score them without a fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

from collabeval.params import Params
from collabeval.params.scorecards import Scorecard, better, directions
from collabeval.scorecard.score import Scored, score
from collabeval.scorecard.values import Values, known

# ten weighted lines: four of participation, six of performance
HOSPITAL = """
hospital:
  label: Hospital performance index 2025
  parts:
    champion:
      {kind: participation, indicator: champion_attendance, tiers: [{at: 75, points: 5}, {at: 50, points: 3}]}
    abstractor:
      {kind: participation, indicator: abstractor_attendance, tiers: [{at: 75, points: 5}, {at: 50, points: 2}]}
    on_time:
      {kind: participation, indicator: cases_on_time, weight: 10, tiers: [{at: 95, points: 100}, {at: 90, points: 50}]}
    audit:
      {kind: participation, indicator: audit_agreement, weight: 10, tiers: [{at: 95, points: 4}, {at: 90, points: 1}]}
    complication:
      measure: complication
      minimum: 30
      tiers: [{at: 8, points: 15}, {at: 10, points: 10}, {at: 12, points: 5}]
    infection: {measure: infection, tiers: [{at: 1, points: 15}, {at: 2, points: 8}]}
    readmission: {measure: readmission, tiers: [{at: 6, points: 10}, {at: 8, points: 5}]}
    antibiotics: {measure: antibiotics, tiers: [{at: 95, points: 10}, {at: 85, points: 5}]}
    opioids: {measure: opioids, between: line, tiers: [{at: 10, points: 10}, {at: 20, points: 0}]}
    registry: {indicator: follow_up, tiers: [{at: 80, points: 10}, {at: 70, points: 4}]}
  awards: [{name: full, at: 85, amount: 100000}, {name: half, at: 70, amount: 50000}]
  money: {currency: $, per_point: 100}
  waived: skip
"""

# everyone is paid, or nobody: two of three targets of the collaborative as a whole
COLLABORATIVE = """
statewide:
  label: Statewide targets
  rule: k_of_m
  needed: 2
  points: 10
  parts:
    complication: {measure: complication, unit: collaborative, tiers: [{at: 10, points: 1}]}
    infection: {measure: infection, unit: collaborative, tiers: [{at: 1.5, points: 1}]}
    antibiotics: {measure: antibiotics, unit: collaborative, tiers: [{at: 90, points: 1}]}
"""

# points by the mean of the region, for those who came to its meetings
REGIONAL = """
regional:
  label: Regional target
  parts:
    complication: {measure: complication, unit: region, tiers: [{at: 9, points: 20}, {at: 11, points: 10}]}
  gates:
    champion: {indicator: champion_attendance, at: 75}
    abstractor: {indicator: abstractor_attendance, at: 50, keeps: 0.5}
"""

# a hospital's best ten of all its collaboratives, their funder's own first
BEST_TEN = "best_ten:\n  label: Best ten of all collaboratives\n  best: 10\n  points: 100\n  parts:\n" + "\n".join(
    f"    c{number:02d}: {{kind: participation, indicator: score_{number:02d}, missing: skip, between: line,"
    f" better: higher, tiers: [{{at: 0, points: 0}}, {{at: 100, points: 10}}]}}"
    for number in range(1, 14)
)

ALL = (HOSPITAL, COLLABORATIVE, REGIONAL, BEST_TEN)
MEASURES = {
    "complication": "lower",
    "infection": "lower",
    "readmission": "lower",
    "antibiotics": "higher",
    "opioids": "lower",
}
INDICATORS = (
    "champion_attendance", "abstractor_attendance", "cases_on_time", "audit_agreement", "follow_up",
    *(f"score_{number:02d}" for number in range(1, 14)),
)  # fmt: skip


def text_of(lines: str, more: str = "") -> str:
    """A scorecard `x` with these lines (a YAML mapping without its braces), and further settings."""
    return f"x: {{label: x, parts: {{{lines}}}{more}}}"


def line(looks_at: str, *tiers: tuple[float, float], more: str = "") -> str:
    """A line of such a mapping, under its own name: `line("measure: infection", (1, 15))`."""
    steps = ", ".join(f"{{at: {at}, points: {points}}}" for at, points in tiers)
    return f"{looks_at.split(' ')[-1]}: {{{looks_at}, tiers: [{steps}]{more}}}"


def indicator(name: str) -> dict[str, str]:
    """An indicator as params define it."""
    return {"id": name, "label": name.replace("_", " ").capitalize(), "feature": "measurement", "family": "binomial",
            "better": "higher"}  # fmt: skip


def params_with(*texts: str, **blocks: Any) -> Params:
    """Params of an evaluation with these scorecards."""
    cards: dict[str, Any] = {}
    for text in texts:
        cards |= YAML(typ="safe").load(text)
    measures = {
        name: {"label": name.capitalize(), "family": "binomial", "better": way, "minimum_denominator": 1}
        for name, way in MEASURES.items()
    }
    return Params.model_validate(
        {
            "collaborative": "c", "title": "t", "edition": "1", "sampling": {"seed": 1}, "measures": measures,
            "data": {"sites": "s", "outcomes": "o", "indicators": "i"},
            "indicators": [indicator(name) for name in INDICATORS], "scorecards": cards, **blocks,
        }
    )  # fmt: skip


def card_of(text: str, **blocks: Any) -> Scorecard:
    """The one scorecard of a text."""
    (card,) = params_with(text, **blocks).scorecards.values()
    return card


def scored(card: Scorecard, values: Mapping[str, Values | list[float]], **columns: Any) -> Scored:
    """Score sites S1, S2, …; a list of values stands for values without error."""
    found = {place: value if isinstance(value, Values) else known(value) for place, value in values.items()}
    count = len(next(iter(found.values())).observed)
    sites = pd.DataFrame({"site": [f"S{number}" for number in range(1, count + 1)], **columns})
    params = params_with()
    ways = directions(params.indicators)
    return score("card", card, found, sites, lambda line: better(line, params.measures, ways))


def drawn(observed: Any, draws: Any, cases: Any = 100.0, per: float = np.nan, waived: Any = False) -> Values:
    """Values with draws; one number of cases stands for all sites."""
    values = np.asarray(observed, dtype=float)
    shape = values.shape
    size = np.where(np.isfinite(values), np.broadcast_to(cases, shape), 0.0).astype(float)
    return Values(values, np.asarray(draws, dtype=float), size, size, np.broadcast_to(waived, shape).astype(bool), per)

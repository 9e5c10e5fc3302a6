"""The parts of a feature's score: how far each indicator, survey scale, rating and audit lies from its target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import logit

from collabeval.features.results import EDGE
from collabeval.params import Indicator, Params
from collabeval.params.indicators import FIVE

DRAWS = 1000
FARTHEST = 2.0  # a part counts as at most so far from its target, so that none outweighs all the others
NORMAL_95 = 2 * 1.959963984540054
RECENT = 1  # years back from which a part may still count for now
ENDS = ["q025", "q50", "q975"]


@dataclass(frozen=True)
class Part:
    """One part in one year: draws (S,) of its distance from target, better being positive."""

    feature: str
    code: str
    period: str
    years_back: int
    estimate: float
    target: float
    distance: np.ndarray


@dataclass(frozen=True)
class Parts:
    """All parts that can be placed, and the indicators that cannot, each with the reason."""

    parts: tuple[Part, ...]
    left_out: pd.DataFrame

    def of(self, feature: str, years_back: int | None = None) -> dict[str, Part]:
        """A feature's parts by code: of one year, or for now the latest that is not older than a year."""
        own = [part for part in self.parts if part.feature == feature and part.years_back <= RECENT]
        if years_back is not None:
            return {part.code: part for part in own if part.years_back == years_back}
        return {part.code: part for part in sorted(own, key=lambda part: -part.years_back)}


def gather(params: Params, tables: Mapping[str, pd.DataFrame]) -> Parts:
    """The parts in the results tables `feature_indicators` and `opinion_distances`, whichever there are."""
    found: list[Part] = list(_opinions(tables.get("opinion_distances")))
    left_out = []
    rows = tables.get("feature_indicators")
    for number, indicator in enumerate(params.indicators):
        if rows is None or indicator.feature not in FIVE:
            continue
        own = rows[rows["indicator"].eq(indicator.id) & rows["site"].eq("") & rows["years_back"].le(RECENT)]
        generator = np.random.default_rng([params.sampling.seed, number])
        placed, why = _indicator(indicator, own, generator)
        found += placed
        left_out += [{"feature": indicator.feature, "part": indicator.id, "why": why}] if why else []
    return Parts(tuple(found), pd.DataFrame(left_out, columns=["feature", "part", "why"]))


def _opinions(table: pd.DataFrame | None) -> Iterator[Part]:
    """Survey, ratings and audit; several scales of one feature count as their mean."""
    if table is None or table.empty:
        return
    for (feature, part, period), rows in table.groupby(["feature", "part", "period"], sort=True):
        by_draw = rows.groupby("draw")["distance"].mean().to_numpy(dtype=float)
        drawn = np.resize(by_draw, DRAWS)
        back = int(rows["years_back"].iloc[0])
        measured = rows.groupby("scale")[["estimate", "target"]].mean().mean()
        yield Part(str(feature), str(part), str(period), back, measured["estimate"], measured["target"], drawn)


def _indicator(indicator: Indicator, rows: pd.DataFrame, generator: np.random.Generator) -> tuple[list[Part], str]:
    """An indicator's years, or why it has no place in the score."""
    if indicator.target is None:
        return [], "no target is set"
    values = rows[rows["estimand"].eq("value")]
    if values.empty:
        return [], "no value, or too few for an interval"
    spread = rows[rows["estimand"].eq("between_site_sd") & rows["years_back"].eq(values["years_back"].min())]
    scaled = _scaled(indicator, values, float(spread["q50"].iloc[0]) if len(spread) else np.nan)
    if scaled is None:
        return [], "distance from target has no unit: values are not all above 0, and sites give none to compare"
    found = []
    for (low, middle, high), row in zip(scaled, values.to_dict("records"), strict=True):
        drawn = middle + (high - low) / NORMAL_95 * generator.standard_normal(DRAWS)
        sign = 1.0 if indicator.better == "higher" else -1.0
        found.append(Part(indicator.feature, indicator.id, row["period"], int(row["years_back"]), row["q50"],
                          indicator.target, sign * drawn))  # fmt: skip
    return found, ""


def _scaled(indicator: Indicator, rows: pd.DataFrame, spread: float) -> np.ndarray | None:
    """Quantiles (R, 3) less the target, on the scale of distances.

    Shares: log-odds; rates and values above 0: logarithms; other values: standard deviations between sites. The
    quantiles go through unharmed, since all of these rise with the value.
    """
    values, target = rows[ENDS].to_numpy(dtype=float), float(indicator.target or 0.0)
    if indicator.family == "binomial":
        shares = np.clip(values / indicator.scale, EDGE, 1 - EDGE)
        return np.asarray(logit(shares) - logit(target / indicator.scale))
    if target > 0 and (values > 0).all():
        return np.asarray(np.log(values) - np.log(target))
    return (values - target) / spread if spread > 0 else None

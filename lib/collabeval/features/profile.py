"""The profile: each of the five features on a scale from 0 to 100, against its target and the year before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from collabeval.convergence import quantiles
from collabeval.estimates.summaries import QUANTILES
from collabeval.features.profile_parts import FARTHEST, Part, Parts, gather
from collabeval.params import Params
from collabeval.params.indicators import FIVE
from collabeval.params.profile import Profile

TOTAL = "total"
Row = dict[str, Any]
PROFILE = ["feature", "years_back", "estimand", "mean", "sd", *QUANTILES]
EVENTS = ["feature", "event", "probability"]
PARTS = ["feature", "part", "period", "years_back", "weight", "estimate", "target", "distance", "distance_sd",
         "at_target", "why"]  # fmt: skip


def evaluate_profile(params: Params, tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """`feature_profile`, its probabilities and `feature_parts`.

    The score of a feature is 100·expit(logit(target/100) + d), d being the weighted mean of its parts' distances from
    their targets (log-odds, logarithms or standard deviations), each cut at ±2: with all parts at target it is at the
    target's place. That of last year is there only if every part has a value of last year.

    `tables` are `feature_indicators` and `opinion_distances`, whichever there are.
    """
    parts, rows, events, shown = gather(params, tables), list[Row](), list[Row](), list[Row]()
    now: dict[str, np.ndarray] = {}
    for feature in FIVE:
        weights = _weights(params.profile, feature, parts.of(feature))
        shown += _shown(parts, feature, weights)
        if not weights:
            continue
        now[feature] = _distance(parts.of(feature), weights)
        before = parts.of(feature, 1)
        last = _distance(before, weights) if set(weights) <= set(before) else None
        rows += _rows(feature, now[feature], last, params.profile.target)
        events += _events(feature, now[feature], last)
    rows += _total(params.profile, now)
    return {
        "feature_profile": pd.DataFrame(rows, columns=PROFILE),
        "feature_profile_probabilities": pd.DataFrame(events, columns=EVENTS),
        "feature_parts": pd.DataFrame([*shown, *parts.left_out.to_dict("records")], columns=PARTS),
    }


def score(distance: np.ndarray, target: float) -> np.ndarray:
    """Points from 0 to 100 of a distance from target, which lies at `target`."""
    return np.asarray(100 * expit(logit(target / 100) + distance))


def _weights(chosen: Profile, feature: str, parts: Mapping[str, Part]) -> dict[str, float]:
    """Weights of the parts that there are, summing to 1: those of params, else all alike; none if none counts."""
    given = chosen.weights.get(feature)  # type: ignore[call-overload]
    raw = {code: 1.0 if given is None else float(given.get(code, 0.0)) for code in parts}
    whole = sum(raw.values())
    return {code: weight / whole for code, weight in raw.items() if weight > 0}


def _distance(parts: Mapping[str, Part], weights: Mapping[str, float]) -> np.ndarray:
    cut = [weight * np.clip(parts[code].distance, -FARTHEST, FARTHEST) for code, weight in weights.items()]
    return np.sum(cut, axis=0)


def _rows(feature: str, now: np.ndarray, last: np.ndarray | None, target: float) -> list[Row]:
    found = [_summary(feature, 0, "score", score(now, target))]
    if last is not None:
        found.append(_summary(feature, 1, "score", score(last, target)))
        found.append(_summary(feature, 0, "change", score(now, target) - score(last, target)))
    return found


def _summary(feature: str, years_back: int, estimand: str, draws: np.ndarray) -> Row:
    found = quantiles(draws[None, :], list(QUANTILES.values()))[0]
    said = {"feature": feature, "years_back": years_back, "estimand": estimand}
    return {**said, "mean": draws.mean(), "sd": draws.std(ddof=1), **dict(zip(QUANTILES, found, strict=True))}


def _events(feature: str, now: np.ndarray, last: np.ndarray | None) -> list[Row]:
    found = [{"feature": feature, "event": "at_target", "probability": float((now >= 0).mean())}]
    if last is not None:
        found.append({"feature": feature, "event": "improved", "probability": float((now > last).mean())})
    return found


def _shown(parts: Parts, feature: str, weights: Mapping[str, float]) -> list[Row]:
    """A row for each part that counts now and for its value of last year."""
    found = []
    for own in (parts.of(feature), parts.of(feature, 1)):
        for code, part in own.items():
            row = {"feature": feature, "part": code, "period": part.period, "years_back": part.years_back}
            row |= {"weight": weights.get(code, 0.0), "estimate": part.estimate, "target": part.target}
            row |= {"distance": part.distance.mean(), "distance_sd": part.distance.std(ddof=1)}
            row |= {"at_target": float((part.distance >= 0).mean()), "why": ""}
            if row not in found:
                found.append(row)
    return found


def _total(chosen: Profile, now: Mapping[str, np.ndarray]) -> Iterable[Row]:
    """One total, if params give weights and every feature with a weight has a score."""
    wanted = {str(name): weight for name, weight in chosen.total.items() if weight > 0}
    if not wanted or not set(wanted) <= set(now):
        return []
    points = sum(weight * score(now[name], chosen.target) for name, weight in wanted.items())
    return [_summary(TOTAL, 0, "score", np.asarray(points) / sum(wanted.values()))]

"""Results of an effect that was never estimated: the tables as the step writes them, with the words asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from collabeval.effect.estimate import BASIS, DRAWS, EVENT_TIME, STATEMENTS, SUMMARISED
from collabeval.estimates.summaries import SUMMARY
from collabeval.params import Params

NORMAL = {"q025": -1.96, "q05": -1.645, "q10": -1.282, "q25": -0.674, "q50": 0.0, "q75": 0.674, "q90": 1.282,
          "q95": 1.645, "q975": 1.96}  # fmt: skip
PARTS = {"event_time": EVENT_TIME, "summary": SUMMARISED, "statements": STATEMENTS, "basis": BASIS, "draws": DRAWS}
SIZE = {"better": -1.6, "worse": 1.1, "close": 0.1, "unclear": -0.4, "in_doubt": -1.2, "not_reliable": -1.0}
ROWS = ((-4, 0.1), (-3, -0.2), (-2, 0.15), (0, -0.5), (1, -1.4), (2, -1.9))
CASES, RATE = 24_000.0, 12.1
ENGINES = {"engine": "laplace", "engine_reason": "its own check passed", "leads_engine": "laplace",
           "leads_engine_reason": "its own check passed"}  # fmt: skip
DRAWN = 400


def spread(middle: float, sd: float) -> dict[str, float]:
    """A row of `SUMMARY` for a normal number."""
    found = {name: middle + sd * NORMAL[name] for name in SUMMARY if name in NORMAL}
    return {"mean": middle, "sd": sd, "rhat": 1.0, "ess_bulk": 900.0, "ess_tail": 800.0, **found}


def tables(
    params: Params, words: Mapping[str, str], before: str = "unclear", basis: Mapping[str, Any] | None = None
) -> dict[str, pd.DataFrame]:
    """The five tables of the step, by their names in a run: measure → word about its effect.

    `basis` changes what the estimates rest on; `cases` scales everything that is counted.
    """
    parts = [_of_measure(params, name, word, before, basis or {}) for name, word in words.items()]
    return {
        f"effect_{table}": pd.DataFrame([row for part in parts for row in part[table]], columns=list(columns))
        for table, columns in PARTS.items()
    }


def _of_measure(
    params: Params, name: str, word: str, before: str, changes: Mapping[str, Any]
) -> dict[str, list[dict[str, Any]]]:
    measure = params.measures[name]
    unit = (measure.scale if measure.family != "normal" else 10.0) / 100
    row = {"measure": name, "needs": "untreated", "sites": 0, "comparators": 0, "undated": 0, "without_before": 0,
           "uncompared": 0, "first": "", "last": "", "cells": 0, "cases": np.nan, "observed": np.nan,
           "anticipation": 0, **dict.fromkeys(ENGINES, ""), **changes}  # fmt: skip
    said = [{"measure": name, "slot": "effect", "statement": word, "probability": np.nan, "rule": "as asked"}]
    if word == "not_estimable":
        return {"event_time": [], "summary": [], "statements": said, "basis": [row], "draws": []}
    cases = float(row["cases"]) if np.isfinite(row["cases"]) else CASES
    size = SIZE[word] * unit * (1 if measure.better == "lower" else -1)
    observed = cases * RATE / 100
    row |= {"needs": "", "sites": 16, "comparators": changes.get("comparators", 12), "first": "2023Q1",
            "last": "2023Q3", "cells": 48, "cases": cases, "observed": observed, **ENGINES}  # fmt: skip
    said[0]["probability"] = 0.991
    if word != "not_reliable":
        said.append({"measure": name, "slot": "pre_trend", "statement": before, "probability": 0.7, "rule": "as asked"})
    numbers = {"effect": (size, 0.4), "rate_without": (RATE * unit - size, 0.4), "effect_from_reference": (size, 0.6)}
    if before != "not_seen":
        numbers |= {"pre_trend_carried_forward": (0.3 * unit, 0.5), "effect_beyond_pre_trend": (size, 0.7)}
    summary = [{"estimand": each, **spread(middle, sd * unit)} for each, (middle, sd) in numbers.items()]
    avoided = spread(-size / measure.scale * cases, 0.4 * unit / measure.scale * cases)
    summary += [{"estimand": "events_avoided", **avoided}, {"estimand": "rate_with", "q50": RATE * unit}]
    times = [
        {"event_time": time, "estimand": "pre_trend" if time < 0 else "effect", "sites": 16 - 4 * max(time, 0),
         "cases": cases / 6, "observed": observed / 6, **spread(middle * unit, 0.5 * unit)}
        for time, middle in ROWS if time >= 0 or before != "not_seen"
    ]  # fmt: skip
    drawn = np.random.default_rng(1).normal(avoided["mean"], avoided["sd"], DRAWN)
    draws = [{"draw": s, "events_avoided": events, "treated_cases": cases} for s, events in enumerate(drawn)]
    named: dict[str, list[dict[str, Any]]] = {"event_time": times, "summary": summary, "draws": draws}
    return {table: [{"measure": name, **each} for each in rows] for table, rows in named.items()} | {
        "statements": said, "basis": [row],
    }  # fmt: skip

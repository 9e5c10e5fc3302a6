"""Composites as tidy tables, and their words by the rule of the level slot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from collabeval.composite.combine import Combined
from collabeval.convergence import quantiles
from collabeval.estimates import ranks
from collabeval.estimates.summaries import QUANTILES
from collabeval.params import Rules
from collabeval.words import in_100

COLUMNS = ("composite", "site", "period", "estimand", "mean", "sd", *QUANTILES)


def estimates_table(found: Mapping[str, Combined]) -> pd.DataFrame:
    """`composite`, `rank`, `percentile`, `recorded` and `reliability` of every site, in the current window."""
    tables = [_summary(name, one, *drawn) for name, one in found.items() for drawn in _drawn(one)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(COLUMNS))


def _drawn(one: Combined) -> Iterator[tuple[str, np.ndarray]]:
    """Each estimand (J, S), or (J, 1) where it is a known number."""
    if not len(one.sites):
        return
    scale = 100.0 if one.composite.method == "opportunity" else 1.0
    rank = ranks.ranks(one.advantage, good=1)
    yield "composite", scale * one.value
    yield "advantage", scale * one.advantage
    yield "rank", rank
    yield "percentile", ranks.percentile(rank, len(rank))
    yield "reliability", one.reliability[:, None]
    if np.isfinite(one.recorded).any():
        yield "recorded", scale * one.recorded[:, None]


def _summary(name: str, one: Combined, estimand: str, values: np.ndarray) -> pd.DataFrame:
    table = pd.DataFrame(
        {"composite": name, "site": one.sites, "period": one.parts[0].window, "estimand": estimand},
        columns=list(COLUMNS),
    )
    table["mean"] = values.mean(axis=1)
    if values.shape[1] == 1:
        table["q50"] = values[:, 0]
    else:
        table["sd"] = values.std(axis=1, ddof=1)
        table[list(QUANTILES)] = quantiles(values, list(QUANTILES.values()))
    return table.astype(dict.fromkeys(("mean", "sd", *QUANTILES), float))


def statements_table(found: Mapping[str, Combined], rules: Rules) -> pd.DataFrame:
    """Better, worse or unclear of every site, by the chance that its advantage is above or below 0."""
    rows = [(name, *row) for name, one in found.items() for row in _words(one, rules)]
    columns = ["composite", "site", "slot", "statement", "probability", "rule"]
    return pd.DataFrame(rows, columns=columns).astype({"probability": float})


def _words(one: Combined, rules: Rules) -> Iterator[tuple[str, str, str, float, str]]:
    """As the words about one measure: too little reliability blocks "better", never "worse"."""
    least = in_100(rules.level)
    better, worse = ((chance.mean(axis=1) if len(one.sites) else np.empty(0)) for chance in
                     (one.advantage > 0, one.advantage < 0))  # fmt: skip
    for site, good, bad, settled in zip(one.sites, better, worse, one.reliability, strict=True):
        few = settled < rules.minimum_reliability
        if bad >= rules.level:
            word = "worse_few_cases" if few else "worse"
            yield site, "level", word, bad, f"The chance that the site is worse than average is at least {least}."
        elif few:
            rule = f"The reliability of its composite is below {rules.minimum_reliability:g}."
            yield site, "level", "not_enough_data", np.nan, rule
        elif good >= rules.level:
            yield site, "level", "better", good, f"The chance that the site is better than average is at least {least}."
        else:
            yield site, "level", "unclear", max(good, bad), f"No chance, of better or worse, is at least {least}."
    for site in one.missing:
        yield site, "level", "not_enough_data", np.nan, "The site has too few data in one of the measures."


def parts_table(found: Mapping[str, Combined]) -> pd.DataFrame:
    """The measures of each composite: the weight declared, that used, and why one is left out."""
    rows = []
    for name, one in found.items():
        parts = {part.name: part for part in one.parts}
        for measure, weight in one.composite.weights.items():
            part = parts.get(measure)
            rows.append((name, measure, weight, one.weights.get(measure, 0.0), part.sd if part else np.nan,
                         part.rankability if part else np.nan, part is not None,
                         one.left_out.get(measure, "")))  # fmt: skip
    columns = ["composite", "measure", "declared", "weight", "sd", "rankability", "included", "why"]
    return pd.DataFrame(rows, columns=columns).astype({"included": bool})  # without rows too: it chooses among them

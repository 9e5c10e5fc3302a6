"""Sentences about composites, by rule."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from collabeval.params import Composite, Params
from collabeval.statements import multiplicity, numbers, phrases
from collabeval.statements.facts import Named
from collabeval.statements.figures import Words, words_with_source
from collabeval.statements.numbers import NO_BREAK


def finding(composite: Composite, statements: pd.DataFrame, nouns: Sequence[str]) -> str:
    """Who stands out over the measures together, and how many of them by chance."""
    better, worse = (_named(statements, word) for word in ("better", "worse"))
    if not better and not worse:
        return f"Over its measures together no {nouns[0]} is clearly better or worse than average."
    parts = [
        f"{numbers.counted(len(sites), nouns)} {numbers.plural(len(sites), ('is', 'are'))} {word} than average "
        f"({phrases.names(sites, 6)})"
        for word, sites in (("better", better), ("worse", worse))
        if sites
    ]
    by_chance = multiplicity.sentence("", [*better, *worse])
    return " ".join(filter(None, (f"Over its measures together {' and '.join(parts)}.", by_chance)))


def _named(statements: pd.DataFrame, word: str) -> list[Named]:
    rows = statements[statements["statement"].eq(word)]
    return [Named(*row) for row in rows[["site", "statement", "probability", "hidden"]].itertuples(index=False)]


def made_of(params: Params, composite: Composite, parts: pd.DataFrame) -> str:
    """What it is made of, with weights, and which measures are left out and why."""
    used = parts[parts["included"]]
    labels = {code: numbers.lower_first(measure.label) for code, measure in params.measures.items()}
    weights = zip(used["measure"], used["weight"], strict=True)
    said = [f"{labels[measure]} ({numbers.percent(weight)})" for measure, weight in weights]
    if composite.method == "opportunity":
        text = (
            f"Of all that should have been done in {numbers.listed([labels[name] for name in used['measure']])}, the "
            "share that was done, every site at the same mix of cases."
        )
    else:
        text = f"The weighted mean of {numbers.listed(said)}, each in standard deviations between sites."
    out = parts[~parts["included"]]
    reasons = zip(out["measure"], out["why"], strict=True)
    return text + "".join(f" Left out: {labels[measure]}, since {why}." for measure, why in reasons)


def correlation(params: Params, rows: pd.DataFrame, nouns: Sequence[str]) -> str:
    """Whether sites that do well in one measure do well in the other; the models correlate events, not merit."""
    return " ".join(_pair(params, row, nouns) for row in rows.to_dict("records"))


def _pair(params: Params, row: Mapping[Hashable, Any], nouns: Sequence[str]) -> str:
    one, other = (params.measures[row[name]] for name in ("measure", "other"))
    same = 1 if one.better == other.better else -1
    ends = sorted(same * row[name] for name in ("q025", "q975"))
    labels = [numbers.lower_first(measure.label) for measure in (one, other)]
    span = numbers.interval(ends[0], ends[1], 2, sign=True)
    size = f"correlation {numbers.signed(same * row['mean'], 2)}, 95%{NO_BREAK}interval {span}"
    if ends[0] > 0:
        return f"{numbers.capital(nouns[1])} that do well in {labels[0]} tend to do well in {labels[1]} ({size})."
    if ends[1] < 0:
        return f"{numbers.capital(nouns[1])} that do well in {labels[0]} tend to do badly in {labels[1]} ({size})."
    return f"Whether {nouns[1]} that do well in {labels[0]} do well in {labels[1]} cannot be told ({size})."


def figure(composite: Composite, statements: pd.DataFrame, nouns: Sequence[str], source: str) -> Words:
    """Title, subtitle, note and alt text of the picture of all sites."""
    better, worse = (int(statements["statement"].eq(word).sum()) for word in ("better", "worse"))
    title = f"{composite.label}: {numbers.number_word(better)} better, {numbers.number_word(worse)} worse than average"
    per = "percentage points" if composite.method == "opportunity" else "standard deviations"
    subtitle = f"How much better than the average {nouns[0]} over the measures together, in {per}; best first."
    note = (
        "Dot: estimate after partial pooling.",
        f"Thick line: 1 chance in 2 that the truth is inside; thin line: 95 in{NO_BREAK}100.",
    )
    alt = (
        f"{numbers.whole(len(statements))} {nouns[1]} in order of {numbers.lower_first(composite.label)}, with 95% "
        f"intervals: {numbers.number_word(better)} better and {numbers.number_word(worse)} worse than the average."
    )
    return words_with_source(source, title, subtitle, note, alt)

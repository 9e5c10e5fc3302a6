"""Invented answers, scores and audits as the contract leaves them, with shares that are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

ITEMS = {
    "heard": {"text": "Hospitals like ours are heard.", "feature": "leadership"},
    "community": {"text": "I feel part of a community.", "feature": "leadership"},
    "slow": {"text": "Answers to our questions come late.", "feature": "coordination", "reversed": True},
}
AGREE = {"heard": 0.45, "community": 0.8, "slow": 0.7}  # share agreeing this year, once turned round
BEFORE = 0.1  # less last year, of "heard"
SCORES = {"positive_deviance": 3, "coordination": 4, "measurement": 4, "levers": 2, "leadership": 5}
FIELDS = {"diagnosis": 0.97, "date of surgery": 0.86}
RECORDS = 40
SMALL = 3  # people who answer at the first site
PEOPLE = 8  # at each of the others
BLOCKS = {"survey": {"items": ITEMS}, "profile": {"target": 75}}
TABLES = ("survey", "ratings", "audit")


def opinions(sites: Sequence[str], year: int, seed: int = 1) -> dict[str, pd.DataFrame]:
    """A survey, ratings and an audit of two years, `year` the later; few people answer at the first site."""
    random = np.random.default_rng(seed)
    return {
        "survey": _dated([_answers(sites, back, random) for back in (1, 0)], year),
        "ratings": _dated([_scores(random) for _ in (1, 0)], year),
        "audit": _dated([_audited(sites, random) for _ in (1, 0)], year),
    }


def _dated(parts: list[pd.DataFrame], year: int) -> pd.DataFrame:
    dated = [
        part.assign(period=str(when), starts=pd.Timestamp(when, 1, 1), ends=pd.Timestamp(when + 1, 1, 1))
        for part, when in zip(parts, (year - 1, year), strict=True)
    ]
    return pd.concat(dated, ignore_index=True)


def _answers(sites: Sequence[str], back: int, random: np.random.Generator) -> pd.DataFrame:
    """Exactly the shares of `AGREE` over all people, in an order by lot."""
    people = [(site, n) for number, site in enumerate(sites) for n in range(SMALL if number == 0 else PEOPLE)]
    rows = []
    for item, share in AGREE.items():
        agreeing = round((share - BEFORE * back * (item == "heard")) * len(people))
        yes, no = random.integers(4, 6, len(people)), random.choice([1, 2, 3], len(people), p=[0.2, 0.4, 0.4])
        answers = random.permutation(np.where(np.arange(len(people)) < agreeing, yes, no))
        turned = 6 - answers if ITEMS[item].get("reversed") else answers
        rows += [
            {"respondent": f"{site}-{n}", "site": site, "role": ("nurse", "surgeon")[n % 2], "item": item,
             "response": float(answer)}
            for (site, n), answer in zip(people, turned, strict=True)
        ]  # fmt: skip
    return pd.DataFrame(rows)


def _scores(random: np.random.Generator) -> pd.DataFrame:
    """Six raters, half of them a point more severe than the others."""
    rows = [
        {"rater": f"rater {n}", "feature": feature, "score": float(np.clip(score - n % 2 + random.integers(2), 1, 5))}
        for n in range(6)
        for feature, score in SCORES.items()
    ]
    return pd.DataFrame(rows)


def _audited(sites: Sequence[str], random: np.random.Generator) -> pd.DataFrame:
    """Chance is known of one field only."""
    rows = [
        {"site": site, "field": field, "checked": float(RECORDS), "agreed": float(random.binomial(RECORDS, share)),
         "chance": 0.6 if field == "diagnosis" else np.nan}
        for site in sites
        for field, share in FIELDS.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)

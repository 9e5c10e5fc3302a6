"""From probabilities to words, by rule: three independent slots for every site.

A site with data in the current window has a row in the slots `level` and `deviance`, and in `trajectory` where there is
a baseline window. A site without has one row: `not_enough_data`. Slugs and rules: docs/estimands.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from collabeval.params import Measure, Rules

SLOTS = ("level", "trajectory", "deviance")
WINDOWS_TO_PERSIST = 3
FEWEST_SITES_WITH_SHARES = 10
SITES_FOR_TENTHS = 50
EVENTS = (
    "better", "worse", "close", "improved", "worsened", "best_share", "worst_share", "sustained", "sustained_worse",
    "best_share_sustained", "worst_share_sustained",
)  # fmt: skip


def share_size(sites: int, share: float | None) -> int | None:
    """How many of J sites the best (or worst) share holds: max(1, share x J rounded, halves up); None below 10 sites.

    Without a share set in params it is a tenth from 50 sites on, and a fifth below.
    """
    if sites < FEWEST_SITES_WITH_SHARES:
        return None
    used = share if share is not None else (0.1 if sites >= SITES_FOR_TENTHS else 0.2)
    return max(1, math.floor(used * sites + 0.5))


@dataclass(frozen=True)
class Word:
    """A word about a site, the probability it rests on (None where it rests on none), and its rule in plain words."""

    statement: str
    probability: float | None
    rule: str


def statements(signals: pd.DataFrame, measure: Measure, rules: Rules) -> pd.DataFrame:
    """The words about every site.

    Parameters
    ----------
    signals : DataFrame, one row per site (the index), bool `present` (data in the current window), `enough` (eligible
        and reliable), `has_baseline_window`, `in_baseline`, `good_in_each`, `bad_in_each` (recorded ratio on that side
        of 1 in every window); int `windows` (now and earlier, with data); and the probability of each of `EVENTS` that
        is asked, NaN where it is not asked of this site.

    Returns
    -------
    DataFrame with site, slot, statement, probability (NaN where a word rests on none), rule.
    """
    asked = signals.reindex(columns=[*signals.columns, *(name for name in EVENTS if name not in signals)])
    rows = []
    for site, signal in asked.iterrows():
        for slot, word in _slots(signal, measure, rules).items():
            rows.append((site, slot, word.statement, word.probability, word.rule))
    table = pd.DataFrame(rows, columns=["site", "slot", "statement", "probability", "rule"])
    return table.astype({"probability": float})


def thresholds(rules: Rules) -> dict[str, tuple[float, ...]]:
    """The thresholds that the probability of each event is held to; no word changes anywhere between them."""
    return {
        "better": (rules.level,),
        "worse": tuple({rules.level, rules.review_level}),
        "close": (rules.close,),
        "improved": (rules.trajectory,),
        "worsened": (rules.trajectory,),
        "best_share": tuple({rules.candidate, rules.deviant}),
        "worst_share": tuple({rules.review_share, rules.deviant}),
        "sustained": (rules.persistence,),
        "sustained_worse": (rules.persistence,),
    }


def in_words(probability: float, rules: Rules) -> str:
    """The words for a probability, "we cannot tell" below all thresholds; never to be shown without its number."""
    ordered = sorted(rules.probability_words.items(), key=lambda item: -item[1])
    return next((word for word, threshold in ordered if probability >= threshold), "we cannot tell")


def _slots(signal: pd.Series, measure: Measure, rules: Rules) -> dict[str, Word]:
    if not signal["present"]:
        return {"level": Word("not_enough_data", None, "The site has no data in the current window.")}
    slots = {"level": _level(signal, measure, rules) if signal["enough"] else _few_cases(signal, measure, rules)}
    if signal["has_baseline_window"]:
        slots["trajectory"] = _trajectory(signal, rules)
    slots["deviance"] = _deviance(signal, rules) if signal["enough"] else _blocked(measure, rules)
    return slots


def _level(signal: pd.Series, measure: Measure, rules: Rules) -> Word:
    better, worse, close = signal["better"], signal["worse"], signal["close"]
    named = f"{_than_average(rules)}."
    if better >= rules.level:
        return Word("better", better, f"The chance that the site is better {named}")
    if worse >= rules.level:
        return Word("worse", worse, f"The chance that the site is worse {named}")
    if close >= rules.close:
        return Word("close", close, _close_rule(measure, rules))
    return Word(
        "unclear", max(better, worse), f"No chance, of being better or worse, is at least {in_100(rules.level)}."
    )


def _than_average(rules: Rules) -> str:
    beyond = f" by more than {rules.margin:g} on the scale of the model" if rules.margin else ""
    return f"than the average of its sites{beyond} is at least {in_100(rules.level)}"


def _close_rule(measure: Measure, rules: Rules) -> str:
    least = f"{measure.minimal_difference:g}" + (f" ({measure.unit})" if measure.unit else "")
    return (
        f"The chance that the site is less than {least} from the average of its sites is at least "
        f"{in_100(rules.close)}."
    )


def _few_cases(signal: pd.Series, measure: Measure, rules: Rules) -> Word:
    """Too few data for any word but a warning: "worse" is never held back."""
    if signal["worse"] >= rules.level:
        said = f"The chance that the site is worse {_than_average(rules)}, but {_too_few(measure, rules)}."
        return Word("worse_few_cases", signal["worse"], said)
    few = _too_few(measure, rules)
    return Word("not_enough_data", None, f"{few[0].upper()}{few[1:]}.")


def _too_few(measure: Measure, rules: Rules) -> str:
    return (
        f"its data are too few: below {measure.minimum_denominator:g} cases, or reliability below "
        f"{rules.minimum_reliability:g}"
    )


def _trajectory(signal: pd.Series, rules: Rules) -> Word:
    if not signal["in_baseline"]:
        return Word("joined_later", None, "The site has no data in the baseline window.")
    least = in_100(rules.trajectory)
    for slug in ("improved", "worsened"):
        if signal[slug] >= rules.trajectory:
            return Word(slug, signal[slug], f"The chance that its rate {slug} since baseline is at least {least}.")
    chance = max(signal["improved"], signal["worsened"])
    return Word("no_clear_change", chance, f"No chance, of having improved or worsened, is at least {least}.")


def _blocked(measure: Measure, rules: Rules) -> Word:
    return Word("none", None, f"Not asked: {_too_few(measure, rules)}.")


def _deviance(signal: pd.Series, rules: Rules) -> Word:
    found = _review(signal, rules) or _best(signal, rules)
    if found:
        return found
    return Word("none", None, "Neither among the best or worst by the rules for a visit or review, nor clearly worse.")


def _review(signal: pd.Series, rules: Rules) -> Word | None:
    if persists(signal, rules, share="worst_share", sustained="sustained_worse", side="bad_in_each"):
        chance = signal["worst_share_sustained"]
        return Word("review_persistent", chance, _persistent_rule(rules, "worst", "worse", "bad"))
    if signal["worse"] >= rules.review_level:
        least = in_100(rules.review_level)
        return Word("review", signal["worse"], f"The chance that it is worse than average is at least {least}.")
    if signal["worst_share"] >= rules.review_share:
        least = in_100(rules.review_share)
        return Word("review", signal["worst_share"], f"The chance that it is in the worst share is at least {least}.")
    return None


def _best(signal: pd.Series, rules: Rules) -> Word | None:
    chance = signal["best_share"]
    if persists(signal, rules, share="best_share", sustained="sustained", side="good_in_each"):
        rule = _persistent_rule(rules, "best", "better", "good")
        return Word("positive_deviant", signal["best_share_sustained"], rule)
    if chance >= rules.deviant and not _can_persist(signal):
        rule = f"The chance that it is in the best share is at least {in_100(rules.deviant)}; its past cannot tell yet."
        return Word("emerging", chance, rule)
    if chance >= rules.candidate:
        return Word(
            "candidate", chance, f"The chance that it is in the best share is at least {in_100(rules.candidate)}."
        )
    return None


def _can_persist(signal: pd.Series) -> bool:
    """Whether persistence can be asked: three windows with data, and a model that tells them apart."""
    return signal["windows"] >= WINDOWS_TO_PERSIST and pd.notna(signal["sustained"])


def persists(signal: pd.Series, rules: Rules, share: str, sustained: str, side: str) -> bool:
    """In the best (worst) share now; beyond the average now and in both earlier windows, as recorded too."""
    return bool(
        _can_persist(signal)
        and signal[share] >= rules.deviant
        and signal[sustained] >= rules.persistence
        and signal[side]
    )


def _persistent_rule(rules: Rules, extreme: str, side: str, good: str) -> str:
    return (
        f"The chance that it is in the {extreme} share is at least {in_100(rules.deviant)}, the chance that it is "
        f"{side} than average now and in both earlier windows at once is at least {in_100(rules.persistence)}, and "
        f"its recorded numbers lie on the {good} side in each."
    )


def in_100(threshold: float) -> str:
    """A threshold as people say it: 0.975 is "97.5 in 100"."""
    return f"{100 * threshold:g} in 100"

"""From draws to the words about the effect: one rule for each, thresholds from `rules` (docs/effect.md)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from collabeval.params import Rules


@dataclass(frozen=True)
class Judged:
    """What words are made from: S draws each, better being positive; or what is `needs`, where nothing is estimable.

    ``slope`` of the course before joining, ``carried`` what it would add up to after it (display scale), ``tail`` the
    joint test of all leads; None where the course before cannot be seen.
    """

    gain: np.ndarray | None = None
    minimal: float | None = None
    slope: np.ndarray | None = None
    carried: np.ndarray | None = None
    tail: float | None = None
    needs: str = ""
    failed: str = ""  # why the draws cannot be relied on


def judged(found: Judged, rules: Rules) -> pd.DataFrame:
    """Rows `slot, statement, probability, rule`: of the course before joining, and of the effect."""
    if found.gain is None:
        return _row("effect", "not_estimable", np.nan, f"needs {found.needs}")
    if found.failed:
        return _row("effect", "not_reliable", np.nan, found.failed)
    trend = _pre_trend(found, rules)
    return pd.concat([trend, _effect(found, rules, trend["statement"].iloc[0] == "diverging")], ignore_index=True)


def _row(slot: str, statement: str, probability: float, rule: str) -> pd.DataFrame:
    return pd.DataFrame([{"slot": slot, "statement": statement, "probability": probability, "rule": rule}])


def _pre_trend(found: Judged, rules: Rules) -> pd.DataFrame:
    """`diverging` by slope or by all leads, each at half the error that `rules.level` allows on both sides together."""
    if found.slope is None or found.tail is None or found.carried is None:
        return _row("pre_trend", "not_seen", np.nan, "no two event times before joining to compare")
    level = 1 - (1 - rules.level) / 2
    rising = float((found.slope > 0).mean())
    direction = max(rising, 1 - rising)
    if direction >= level or found.tail <= 1 - rules.level:
        rule = f"P(slope in one direction) = {direction:.3f} (from {level:g}) or joint test {found.tail:.3f} "
        return _row("pre_trend", "diverging", max(direction, 1 - found.tail), rule + f"(to {1 - rules.level:g})")
    if found.minimal is not None:
        inside = float((np.abs(found.carried) < found.minimal).mean())
        if inside >= rules.close:
            rule = f"P(|carried forward| < minimal difference) >= {rules.close:g}"
            return _row("pre_trend", "parallel", inside, rule)
    return _row("pre_trend", "unclear", direction, f"P(slope in one direction) < {level:g}")


def _effect(found: Judged, rules: Rules, diverging: bool) -> pd.DataFrame:
    assert found.gain is not None
    better = float((found.gain > 0).mean())
    if diverging:
        return _row("effect", "in_doubt", max(better, 1 - better), "trends differed before joining")
    if better >= rules.level:
        return _row("effect", "better", better, f"P(better than without the programme) >= {rules.level:g}")
    if 1 - better >= rules.level:
        return _row("effect", "worse", 1 - better, f"P(worse than without the programme) >= {rules.level:g}")
    if found.minimal is not None:
        inside = float((np.abs(found.gain) < found.minimal).mean())
        if inside >= rules.close:
            return _row("effect", "close", inside, f"P(|effect| < minimal difference) >= {rules.close:g}")
    return _row("effect", "unclear", max(better, 1 - better), "none of the rules above")

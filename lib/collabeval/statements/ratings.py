"""Ratings of the features in words: how many raters, how far they agree, how much their severity weighs."""

from __future__ import annotations

import math

from collabeval.disclosure.audit import RatingsView
from collabeval.statements import numbers

# Krippendorff (2019, ch. 12): from .8 on data may be relied on, from .667 for tentative conclusions
RELIABLE, TENTATIVE = 0.8, 0.667


def agreement(view: RatingsView) -> str:
    """ "Seven raters scored the features in 2025. They agree …; a severe rater …"."""
    said = f"{numbers.capital(numbers.number_word(view.raters))} raters scored the features in "
    said += f"{numbers.period_name(view.period)}. "
    middle, low, high = view.spread
    spread = f"{numbers.decimal(middle, 1)} points ({numbers.interval_95(low, high, 1)})"
    return (
        f"{said}{_beyond_chance(view.alpha)} A severe rater (more so than five in six) gives {spread} less than a "
        "lenient one (more so than five in six); the scores below are free of that."
    )


def _beyond_chance(alpha: float) -> str:
    if not math.isfinite(alpha):
        return "How far they agree beyond chance cannot be told."
    shown = f"Krippendorff's alpha {numbers.decimal(alpha, 2)}; 1 is full agreement, 0 is chance"
    if alpha >= RELIABLE:
        return f"They order the features alike ({shown})."
    if alpha >= TENTATIVE:
        return f"They order the features alike enough for tentative conclusions ({shown})."
    return f"They agree too little for single scores to be relied on ({shown})."

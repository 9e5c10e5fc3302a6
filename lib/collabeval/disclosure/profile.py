"""The profile of the five features as it may be shown: it is about the collaborative as a whole."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from collabeval.disclosure.beside import beside
from collabeval.disclosure.view import Run


@dataclass(frozen=True)
class ProfileView:
    """Scores of the features, 0 to 100.

    Attributes
    ----------
    scores : feature and the columns of `beside`; features without data are not there.
    parts : feature, part, period, years_back (0: what counts now), weight, estimate, target, distance, at_target; `why`
        says why an indicator has no place in the score, "" where it has.
    total : median and interval of the total, where params give weights.
    """

    scores: pd.DataFrame
    parts: pd.DataFrame
    total: tuple[float, float, float] | None


def publish_profile(run: Run) -> ProfileView | None:
    """The view, or None where no feature has a score."""
    table = run.further.get("feature_profile")
    if table is None or table.empty:
        return None
    total = table.loc[table["feature"].eq("total"), ["q50", "q025", "q975"]]
    own = table[table["feature"].ne("total")]
    return ProfileView(
        scores=beside(own, run.further["feature_profile_probabilities"], ["feature"], "score"),
        parts=run.further["feature_parts"],
        total=tuple(float(value) for value in total.iloc[0]) if len(total) else None,  # type: ignore[arg-type]
    )

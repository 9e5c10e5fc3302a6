"""Ratings of the five features: scores free of the raters' severity, and how far the raters agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from collabeval.features.agreement import alpha_of
from collabeval.features.results import Results, Rows
from collabeval.features.waves import Waves, half_normal, two_waves
from collabeval.fit.grouped import sample_grouped
from collabeval.models.grouped import CATEGORIES, Floats, Grouped, GroupedDraws, Term, used_priors
from collabeval.params import Params
from collabeval.params.indicators import FIVE
from collabeval.params.profile import FEWEST_RATERS
from collabeval.quadrature.effects import group_effects

KEYS = ("feature", "rater", "period", "years_back")
CHANGE_SD = 1.0  # of the prior of the change of all features together, in logits
PRIORS = {"rater_sd": half_normal(1.0), "feature_sd": half_normal(1.0), "feature_change_sd": half_normal(0.5)}
Progress = Callable[[str], None]


def ratings_design(waves: Waves) -> Grouped:
    """The many-facet model of the scores (models/ratings.py); raters are the groups, their effect minus severity."""
    rows = waves.rows.sort_values(["rater", "feature", "wave"], kind="stable")
    features = np.array([name for name in FIVE if name in set(rows["feature"])], dtype=str)
    feature = np.array([list(features).index(name) for name in rows["feature"]], dtype=np.int64)
    raters, names = pd.factorize(rows["rater"], sort=True)
    contrast = Waves(rows, waves.waves).contrast
    whole, one = np.zeros(len(rows), np.int64), np.ones(len(rows))
    terms = [Term("feature_level", "feature", features, "feature_sd", feature, one)]
    if rows["wave"].nunique() > 1:
        terms.append(Term("change", "contrast", np.array(["change"]), CHANGE_SD, whole, contrast))
        terms.append(Term("feature_change", "feature", features, "feature_change_sd", feature, contrast))
    return Grouped(
        family="adjacent",
        y=rows["score"].to_numpy(dtype=float),
        n=one,
        item=whole,
        items=np.array(["score"]),
        group=raters.astype(np.int64),
        count=np.ones(len(names), np.int64),
        terms=tuple(terms),
        group_sd="rater_sd",
        priors=used_priors(terms, "rater_sd", PRIORS),
    )


def evaluate_ratings(
    params: Params, panel: pd.DataFrame, rows: pd.DataFrame, progress: Progress | None = None
) -> Results:
    """Tables `ratings_estimates`, `ratings_probabilities`, `ratings_counts`, and the features' distances from target.

    `rater` is not "" in rows about a single rater: severity, in points of the score, which nobody else is to see.
    """
    results = Results("ratings", KEYS)
    waves = two_waves(params, panel, rows, ("rater", FEWEST_RATERS))
    if waves is None:
        return results
    results.counts = _counts(waves)
    draws = sample_grouped(ratings_design(waves), params, progress)
    target = params.profile.rating_target
    fair = _fair(draws, waves)
    results.add("ratings", draws, [*_rows(draws, waves, fair, target), _severity(draws, waves, params.sampling.seed)])
    features = draws.design.terms[0].labels
    shown = _shown(draws, waves)
    for place, feature in enumerate(features):
        values = [fair[wave][:, place] for wave in shown]
        results.place(str(feature), "ratings", target, [waves.waves[wave] for wave in shown], values, (1.0, CATEGORIES))
    return results


def _shown(draws: GroupedDraws, waves: Waves) -> list[int]:
    """The waves that the model has."""
    last = len(waves.waves) - 1
    return list(range(last + 1)) if draws.design.term("change") is not None else [last]


def _counts(waves: Waves) -> pd.DataFrame:
    """Raters, scores and agreement by wave."""
    parts = []
    for number, wave in enumerate(waves.waves):
        own = waves.rows[waves.rows["wave"].eq(number)]
        said = {"period": wave.label, "years_back": wave.years_back, "raters": own["rater"].nunique()}
        parts.append({**said, "scores": len(own), "alpha": alpha_of(own)})
    return pd.DataFrame(parts)


def mean_score(eta: Floats, cuts: Floats) -> Floats:
    """Mean score, 1 to 5, at η (S, F) under steps (S, 4) of the adjacent-category model."""
    logits = eta[:, :, None] * np.arange(CATEGORIES) - np.pad(np.cumsum(cuts, axis=1), ((0, 0), (1, 0)))[:, None, :]
    chances = np.exp(logits - logits.max(axis=2, keepdims=True))
    return np.asarray(1 + (chances * np.arange(CATEGORIES)).sum(axis=2) / chances.sum(axis=2))


def _level(draws: GroupedDraws, waves: Waves, wave: int) -> Floats:
    """η of each feature (S, F) for a rater of average severity."""
    weight = waves.weights[wave]
    moved = draws.coefficients("change") + draws.coefficients("feature_change")
    return np.asarray(draws.coefficients("feature_level") + weight * moved)


def _fair(draws: GroupedDraws, waves: Waves) -> list[Floats]:
    """Scores (S, F) that a rater of average severity would give, by wave: Linacre's fair averages."""
    return [mean_score(_level(draws, waves, wave), draws.cuts[:, 0]) for wave in range(len(waves.waves))]


def _rows(draws: GroupedDraws, waves: Waves, fair: list[Floats], target: float) -> Iterator[Rows]:
    features = draws.design.terms[0].labels
    shown, now = _shown(draws, waves), waves.waves[-1]
    for wave in shown:
        at = {"feature": features, "period": waves.waves[wave].label, "years_back": waves.waves[wave].years_back}
        yield Rows("score", at, fair[wave], {"at_target": fair[wave] >= target} if wave == shown[-1] else {})
    at = {"period": now.label, "years_back": now.years_back}
    if len(shown) > 1:
        change = fair[1] - fair[0]
        yield Rows("change", at | {"feature": features}, change, {"improved": change > 0})
    level, sd = _level(draws, waves, shown[-1]), draws.group_sd[:, None]
    spread = mean_score(level + sd, draws.cuts[:, 0]) - mean_score(level - sd, draws.cuts[:, 0])
    yield Rows("severity_spread", at, spread.mean(axis=1)[:, None])


def _severity(draws: GroupedDraws, waves: Waves, seed: int) -> Rows:
    """Points by which each rater scores lower than one of average severity, mean over features."""
    names = np.unique(waves.rows["rater"].astype(str))
    level, cuts = _level(draws, waves, len(waves.waves) - 1), draws.cuts[:, 0]
    effects, average = group_effects(draws, seed), mean_score(level, cuts).mean(axis=1)
    own = [mean_score(level + effects[:, [place]], cuts).mean(axis=1) for place in range(len(names))]
    now = waves.waves[-1]
    at = {"rater": names, "period": now.label, "years_back": now.years_back}
    return Rows("severity", at, average[:, None] - np.column_stack(own))

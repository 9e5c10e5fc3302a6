"""The performance index: scorecards scored on the data and under the posterior (docs/scorecards.md)."""

from collabeval.scorecard.evaluate import NAMES, evaluate_scorecards, measures_scored
from collabeval.scorecard.score import Scored, score
from collabeval.scorecard.values import Values, known, pooled

__all__ = ["NAMES", "Scored", "Values", "evaluate_scorecards", "known", "measures_scored", "pooled", "score"]

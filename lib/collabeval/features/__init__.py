"""The features of a high-performing collaborative: what its further tables say of each."""

from __future__ import annotations

from collabeval.features.indicators_tables import evaluate_indicators

__all__ = ["evaluate_indicators"]

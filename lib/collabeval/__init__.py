"""Evaluation of quality improvement collaboratives: data, models, words and reports."""

__version__ = "0.1.0"

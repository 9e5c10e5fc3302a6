"""Draws in, tidy tables out: every quantity a report states, with its definition in docs/estimands.md."""

from collabeval.estimates.evaluate import (
    ProgrammeResults,
    SiteResults,
    evaluate_programme,
    evaluate_sites,
    evaluate_words,
    reported_draws,
)
from collabeval.estimates.posterior import Posterior, read

__all__ = [
    "Posterior",
    "ProgrammeResults",
    "SiteResults",
    "evaluate_programme",
    "evaluate_sites",
    "evaluate_words",
    "read",
    "reported_draws",
]

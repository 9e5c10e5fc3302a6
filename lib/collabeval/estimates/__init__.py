"""Draws in, tidy tables out: every quantity a report states, with its definition in docs/estimands.md."""

from collabeval.estimates.evaluate import (
    ProgrammeResults,
    SiteResults,
    evaluate_programme,
    evaluate_sites,
    evaluate_words,
    evaluated_measure,
    reported_draws,
    reported_together,
)
from collabeval.estimates.posterior import Posterior, read
from collabeval.estimates.sites import Evaluated

__all__ = [
    "Evaluated",
    "Posterior",
    "ProgrammeResults",
    "SiteResults",
    "evaluate_programme",
    "evaluate_sites",
    "evaluate_words",
    "evaluated_measure",
    "read",
    "reported_draws",
    "reported_together",
]

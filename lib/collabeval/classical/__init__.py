"""Classical companions of the Bayesian results: funnel plots, and a State's official calls (docs/classical.md)."""

from collabeval.classical.funnel import funnel_curves, funnel_rows, funnel_table
from collabeval.classical.limits import METHODS, Funnel, Method, fit_funnel, funnel_limits
from collabeval.classical.official import official_calls

__all__ = [
    "METHODS",
    "Funnel",
    "Method",
    "fit_funnel",
    "funnel_curves",
    "funnel_limits",
    "funnel_rows",
    "funnel_table",
    "official_calls",
]

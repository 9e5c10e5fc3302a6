"""Performance indices: the block `scorecards` of a params file."""

from __future__ import annotations

from collabeval.params.types import Strict, Text


class Scorecard(Strict):
    """One performance index."""

    label: Text
    """Its name, as a heading of the report."""

"""Improvement attributable to the programme: what sites had, against what they would have had (docs/effect.md)."""

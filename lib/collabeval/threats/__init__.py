"""Threats to the conclusions: what each could amount to in these data (docs/methods.md, Threats)."""

from __future__ import annotations

# the tables of docs/data.md that the checks of a run leave besides
TABLES = ("covariate_effects", "missingness", "tipping_point", "threats")

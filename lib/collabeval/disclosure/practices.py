"""Practices as they may be shown: what goes with results over all sites, and how many do what; no site is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

FEWEST = 3  # sites behind a share: of two, each would know the other's answer


@dataclass(frozen=True)
class Practices:
    """The tables of docs/data.md `practice_effects` and `practice_adoption`."""

    effects: pd.DataFrame
    adoption: pd.DataFrame


def practices(further: Mapping[str, pd.DataFrame]) -> Practices | None:
    """None where the evaluation has none.

    An effect rests on ten sites or more, of which three or more do it and three or more do not, so it says nothing of
    one. Shares count sites, not patients; those of fewer than three sites are left out.
    """
    if "practice_effects" not in further:
        return None
    adoption = further["practice_adoption"]
    return Practices(further["practice_effects"], adoption[adoption["sites"] >= FEWEST])

"""Whether the case-mix model serves all sites alike, as rows of the table of threats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from collabeval.threats.differences import Row

WITH_LIMITS = ("slope", "slope_sd")
ALONE = ("sites", "not_assessed", "apart", "c_statistic")


def by_case_mix(differences: pd.DataFrame) -> Iterator[Row]:
    """Parts of the threat `case_mix`, from `case_mix_differences` (docs/casemix.md, by site).

    Part `any` has Cochran's Q with its probability; `slope` and `slope_sd` have 95 % limits; the others are numbers of
    sites and the median C statistic. A part that is NaN was not looked at, and has no row.
    """
    for found in differences.to_dict("records"):
        rows: list[dict[str, Any]] = [{"part": part, "value": found[part]} for part in ALONE]
        rows += [
            {"part": part, "value": found[part], "lower": found[f"{part}_lower"], "upper": found[f"{part}_upper"]}
            for part in WITH_LIMITS
        ]
        rows.append({"part": "any", "value": found["q"], "probability": found["probability"]})
        known = [row for row in rows if not np.isnan(row["value"])]
        yield from ({"measure": found["measure"], "threat": "case_mix", **row} for row in known)

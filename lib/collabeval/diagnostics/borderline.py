"""Does a word turn on the number of draws? Words whose probability lies within Monte Carlo error of its threshold."""

from __future__ import annotations

import pandas as pd

from collabeval.borderline import NEAR
from collabeval.diagnostics.check import Check


def borderline(model: str, statements: pd.DataFrame) -> list[Check]:
    """How many words about sites would be others if a probability within 2 Monte Carlo errors fell the other way.

    Parameters
    ----------
    statements : DataFrame, rows of `site_statements` of one measure.
    """
    found = statements[statements["otherwise"].ne("")]
    changes = [
        f"{row['site']} {row['slot']}: {row['statement']} → {other}"
        for row in found.to_dict("records")
        for other in row["otherwise"].split("; ")
    ]
    advice = "No word about a site turns on the number of draws: each is as far from its threshold as chance reaches."
    if len(found):
        which = "One word about a site lies" if len(found) == 1 else f"{len(found)} words about sites lie"
        advice = (
            f"{which} so near the threshold that another seed could change it: the probability, or the reliability, "
            f"behind it is within {NEAR:g} Monte Carlo standard errors of it. Treat such a site as on the border, "
            "whichever side it is on; more `sampling.draws` settle most."
        )
    return [Check(model, "borderline", len(found), 0, "advisory", found.empty, advice, changes="; ".join(changes))]

"""How the sites' levels correlate over measures that are fitted together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from collabeval.estimates.posterior import flat, mixing_of
from collabeval.estimates.summaries import SUMMARY, Drawn, summarise
from collabeval.models.correlation import CORRELATION
from collabeval.params import Params


def correlations(params: Params, trees: Mapping[str, xr.DataTree]) -> pd.DataFrame:
    """One row for each pair of measures in `model.together`: `measure`, `other`, and the summary of R."""
    names = params.model.together
    if not names:
        return pd.DataFrame(columns=["measure", "other", *SUMMARY])
    tree = trees[names[0]]
    matrix = flat(tree["posterior"].to_dataset()[CORRELATION])  # (M, M, S)
    tables = []
    for a, measure in enumerate(names):
        drawn = [Drawn(other, "", np.array([measure]), matrix[a, b][None]) for b, other in enumerate(names) if b > a]
        tables.append(summarise(drawn, mixing_of(tree)))
    table = pd.concat([one for one in tables if len(one)], ignore_index=True)
    return table.rename(columns={"site": "measure", "estimand": "other"})[["measure", "other", *SUMMARY]]

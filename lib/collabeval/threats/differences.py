"""What else could lie behind differences: volume, what was not sent in, the season. One covariate at a time.

Each is added to the model of its measure and the model fitted at its mode (`threats.refit`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.special import chdtrc, ndtr

from collabeval.covariates import season, volume
from collabeval.params import Params
from collabeval.params.covariates import SiteCovariate
from collabeval.periods import per_year
from collabeval.threats.missing import owed_periods, share_missing
from collabeval.threats.refit import Added, with_covariate

Row = dict[str, object]
Z95 = 1.959963984540054
TEN_POINTS = 0.1
FEWEST_YEARS = 2  # of data, from which a season can be told from a trend


def by_volume(params: Params, name: str, panel: pd.DataFrame) -> Iterator[Row]:
    """Effect of twice the volume (link scale; for means in the unit), unless the model has it already."""
    if any(how.kind == "volume" for how in params.model.terms.values()):
        return
    values = volume(panel[panel["measure"] == name])
    found = with_covariate(params, name, panel, values, SiteCovariate(kind="volume"))
    if found is not None:
        yield _row("volume", "doubling", found, np.array([np.log(2) / found.terms[0].unit]))


def by_missingness(params: Params, name: str, sites: pd.DataFrame, panel: pd.DataFrame) -> Iterator[Row]:
    """Effect of ten percentage points more of a site's periods not sent in."""
    shares = share_missing(owed_periods(params, name, sites, panel))
    values = panel.loc[panel["measure"] == name, "site"].map(shares)
    found = with_covariate(params, name, panel, values, SiteCovariate(kind="linear"))
    if found is not None:
        yield _row("missing", "ten points", found, np.array([TEN_POINTS / found.terms[0].unit]))


def by_season(params: Params, name: str, panel: pd.DataFrame) -> Iterator[Row]:
    """Each season against the mean of all, and (part `any`) whether they differ at all: Wald χ² and its p."""
    length = params.periods.length
    if length == "none" or length == "year" or any(how.kind == "season" for how in params.model.terms.values()):
        return
    rows = panel[panel["measure"] == name]
    if rows["period"].nunique() < FEWEST_YEARS * per_year(length):
        return
    found = with_covariate(params, name, panel, rows["period"].map(season), SiteCovariate(kind="season"))
    if found is None:
        return
    levels = [found.terms[0].reference, *(term.part for term in found.terms)]
    away = np.eye(len(levels))[:, 1:] - 1 / len(
        levels
    )  # season less the mean of all, from differences to the reference
    for level, weights in sorted(zip(levels, away, strict=True), key=lambda pair: pair[0]):
        yield _row("season", level, found, weights)
    chi_square = float(found.mean @ np.linalg.solve(found.covariance, found.mean))
    p = float(chdtrc(len(found.mean), chi_square))
    yield {"threat": "season", "part": "any", "value": chi_square, "probability": p}


def _row(threat: str, part: str, found: Added, weights: np.ndarray) -> Row:
    """A sum of effects: mean, 95 % limits, probability of being above 0."""
    mean, sd = float(weights @ found.mean), float(np.sqrt(weights @ found.covariance @ weights))
    limits = {"lower": mean - Z95 * sd, "upper": mean + Z95 * sd}
    return {"threat": threat, "part": part, "value": mean, **limits, "probability": float(ndtr(mean / sd))}

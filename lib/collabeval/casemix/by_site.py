"""Whether a case-mix model serves every site alike: calibration and discrimination by site, and how they differ.

A site's calibration in the large is its performance, and no fault of the model. A slope of its own is: the covariates
then mean something else at that site, for they are recorded or act differently there.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from collabeval.casemix import judge
from collabeval.casemix.model import CaseMixModel
from collabeval.casemix.patterns import merged
from collabeval.casemix.regression import NoFitError
from collabeval.casemix.slopes import Slopes, slopes

FEWEST = 10  # cases with the event, and (binomial) without, or of means: below, no limits of a slope are to be trusted
FEWEST_SITES = 3  # with a slope, of which it can be asked whether they differ
ALONE = 0.05  # chance that any site is set apart where none is
COLUMNS = (
    "site", "cases", "exposure", "observed", "expected", "in_the_large", "in_the_large_lower", "in_the_large_upper",
    "slope", "slope_lower", "slope_upper", "c_statistic", "distance", "apart", "not_assessed",
)  # fmt: skip
DIFFERENCES = (
    "sites", "not_assessed", "q", "probability", "slope", "slope_lower", "slope_upper", "slope_sd", "slope_sd_lower",
    "slope_sd_upper", "apart", "c_statistic",
)  # fmt: skip


def by_site(model: CaseMixModel, cells: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row for each site (`COLUMNS`), and one row on how sites differ (`DIFFERENCES`).

    `in_the_large`, `slope` and `c_statistic` are those of `judge.calibration`. `distance` is how far a site's slope is
    from that of all, in standard errors, and `apart` the probability of any site being as far off if all slopes were
    one. `not_assessed` says why a site has no slope, "" where it has one; NaN stands for what a site does not tell.

    Of the differences: `slope` is the mean over sites, `slope_sd` their standard deviation with chance taken off, both
    with 95 % limits; `q` with its `probability` asks whether they differ at all; `apart` counts the sites with a
    probability below `ALONE`; `c_statistic` is the median. NaN below `FEWEST_SITES` sites.
    """
    sums = merged(cells, ["site", "pattern"])
    sums["site"] = sums["site"].astype(str)
    sums = sums.sort_values("site", kind="stable", ignore_index=True)
    why = {str(site): _why_not(model, part) for site, part in sums.groupby("site", sort=True)}
    found, known = _slopes(model, sums[sums["site"].map(why).eq("")])
    if found is None:
        why = {site: reason or "no finite slope" for site, reason in why.items()}
    rows = []
    for site, part in sums.groupby("site", sort=True):
        at = known.get(str(site))
        rows.append({"site": str(site), **_judged(model, part, why[str(site)], found, at)})
    table = pd.DataFrame(rows).reindex(columns=list(COLUMNS))
    return table, pd.DataFrame([_differences(table, found)]).reindex(columns=list(DIFFERENCES))


def _why_not(model: CaseMixModel, sums: pd.DataFrame) -> str:
    """Why a site has no slope; "" where it has one."""
    total, cases = float(sums["total"].sum()), float(sums["cases"].sum())
    if model.family == "normal":
        if cases < FEWEST:
            return f"fewer than {FEWEST} cases"
        if np.isclose(sums["squares"].sum() * cases, total**2, rtol=1e-12, atol=0.0):
            return "all outcomes are the same"
    elif total < FEWEST:
        return f"fewer than {FEWEST} events"
    elif model.family == "binomial" and cases - total < FEWEST:
        return f"fewer than {FEWEST} cases without the event"
    return "" if np.ptp(model.linear_predictor[sums["pattern"]]) > 0 else "all predictions are the same"


def _slopes(model: CaseMixModel, sums: pd.DataFrame) -> tuple[Slopes | None, dict[str, int]]:
    """The slopes of these sites, and at which place each stands; None where there is nothing to compare."""
    if sums.empty:
        return None, {}
    group, sites = pd.factorize(sums["site"], sort=True)
    try:
        found = slopes(model.family, model.linear_predictor[sums["pattern"]], sums, group)
    except NoFitError:  # predictions part the outcomes of every site: `not_assessed` says that there is no slope
        return None, {}
    return found, {str(site): at for at, site in enumerate(sites)}


def _judged(
    model: CaseMixModel, sums: pd.DataFrame, why: str, found: Slopes | None, at: int | None
) -> dict[str, object]:
    """A site's row but for its name."""
    row: dict[str, object] = {
        "cases": sums["cases"].sum(), "exposure": sums["exposure"].sum(), "observed": sums["total"].sum(),
        "expected": judge.expected_of(model, sums).sum(), "not_assessed": why,
    }  # fmt: skip
    if found is None or at is None:
        return row
    eta, dispersion = model.linear_predictor[sums["pattern"]], float(found.dispersion[at])
    quantile = float(stdtrit(found.degrees[at], 0.975)) if math.isfinite(found.degrees[at]) else judge.Z95
    for name, judged in (("in_the_large", judge.in_the_large), ("slope", judge.slope)):
        row |= judge.interval(name, *judged(model.family, eta, sums, dispersion), quantile)
    if model.family == "binomial":
        row["c_statistic"] = judge.c_statistic(eta, sums["total"].to_numpy(), sums["cases"].to_numpy())
    if len(found.slope) >= FEWEST_SITES:
        row |= {"distance": float(found.distance[at]), "apart": float(found.apart[at])}
    if not math.isfinite(float(str(row["slope"]))):
        row["not_assessed"] = "predictions part cases with and without the event"
    return row


def _differences(table: pd.DataFrame, found: Slopes | None) -> dict[str, float]:
    compared = 0 if found is None else len(found.slope)
    row = {"sites": float(compared), "not_assessed": float(len(table) - compared)}
    if found is None or compared < FEWEST_SITES:
        return row
    spread = zip(("slope_sd", "slope_sd_lower", "slope_sd_upper"), found.spread, strict=True)
    return {
        **row, "q": found.q, "probability": found.probability, **judge.interval("slope", *found.mean), **dict(spread),
        "apart": float(table["apart"].lt(ALONE).sum()), "c_statistic": float(table["c_statistic"].median()),
    }  # fmt: skip

"""lme4, in R: maximum likelihood by Laplace or adaptive Gauss–Hermite quadrature (Bates et al. 2015)."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pandas as pd

from collabeval.models.design import Design

SCRIPT = Path(__file__).with_name("lme4.R")


@cache
def installed() -> bool:
    """Whether there is R, and lme4 in it."""
    if shutil.which("Rscript") is None:
        return False
    return subprocess.run(["Rscript", "-e", "loadNamespace('lme4')"], capture_output=True).returncode == 0


def maximum_likelihood(design: Design, terms: str, points: int) -> dict[str, pd.Series]:
    """Estimates of a mixed logistic or Poisson model, whichever the design's family is.

    Parameters
    ----------
    terms : right-hand side in lme4's notation, of `line` (years from the middle of the periods), `years`, `site`.
    points : quadrature points a site; 1 is Laplace, which is all lme4 has for more than one effect a site.

    Returns
    -------
    Series by name: `fixed` (log-odds or log rates), `fixed_error` (standard errors), `spread` (sds, `correlation`),
    `level` (conditional modes by site), `log_likelihood` (one value, up to a constant of the data).
    """
    cells = pd.DataFrame(
        {
            "site": design.sites[design.site_index],
            "numerator": design.columns["numerator"],
            "denominator": design.columns["denominator"],
            "known": design.offset,
            "line": (design.time - design.time.mean())[design.period_index],
            "years": design.years,
        }
    )
    outcome = "numerator" if design.family == "poisson" else "cbind(numerator, denominator - numerator)"
    with tempfile.TemporaryDirectory() as name:
        table, found = Path(name) / "cells.csv", Path(name) / "found.csv"
        cells.to_csv(table, index=False)
        words = [str(table), str(found), f"{outcome} ~ {terms}", str(points), design.family]
        subprocess.run(["Rscript", str(SCRIPT), *words], check=True)
        rows = pd.read_csv(found, dtype={"name": str})
    return {str(group): part.set_index("name")["value"].astype(float) for group, part in rows.groupby("group")}

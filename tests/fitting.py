"""Params and panels to fit in tests."""

import numpy as np
import pandas as pd

from collabeval.params import Params

# Spiegelhalter, Thomas, Best & Gilks (1996), BUGS examples volume 1: "Surgical"
INFANT_OPERATIONS = [47, 148, 119, 810, 211, 196, 148, 215, 207, 97, 256, 360]
INFANT_DEATHS = [0, 18, 8, 46, 8, 13, 9, 31, 14, 8, 29, 24]
QUICK = {"draws": 60, "tune": 150, "chains": 2, "minimum_ess": 1}


def params_for(family="binomial", model=None, **sampling):
    """Params of one measure, `m`, to be fitted by NUTS if nothing else is said."""
    return Params.model_validate(
        {
            "collaborative": "c",
            "title": "t",
            "edition": "1",
            "data": {"sites": "s", "outcomes": "o"},
            "measures": {"m": {"label": "M", "family": family, "better": "lower"}},
            "model": {"engine": "nuts", **(model or {})},
            "sampling": {"seed": 7, **sampling},
        }
    )


def infant_panel():
    """Twelve hospitals, one period."""
    sites = pd.DataFrame({"site": list("ABCDEFGHIJKL"), "numerator": INFANT_DEATHS, "denominator": INFANT_OPERATIONS})
    return whole(sites.assign(period="", time=0.0))


def whole(rows):
    """Rows of measure `m` with every column of a panel."""
    for name in ("numerator", "denominator", "expected", "mean", "sd", "n", "se"):
        rows[name] = rows[name].astype(float) if name in rows else np.nan
    weight = rows["denominator"].fillna(rows["n"]).fillna(1.0)
    return rows.assign(measure="m", weight=weight)


def small_panel(family="binomial", sites=8, periods=4, seed=3):
    """A few sites and years with data of the family, for tests that do not look at the estimates."""
    random = np.random.default_rng(seed)
    rows = [(f"S{j}", str(2015 + t), float(t)) for j in range(sites) for t in range(periods)]
    panel = pd.DataFrame(rows, columns=["site", "period", "time"])
    if family == "normal":
        n = random.integers(10, 40, len(panel))
        return whole(panel.assign(mean=random.normal(5, 1, len(panel)), sd=random.uniform(1, 2, len(panel)), n=n))
    cases = random.integers(50, 150, len(panel))
    return whole(panel.assign(numerator=random.binomial(cases, 0.1), denominator=cases))

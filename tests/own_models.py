"""Models of one's own for tests: one that is the built-in binomial model over again, and ones that are broken."""

from __future__ import annotations

from pathlib import Path

SAME = '''
import numpy as np
import pandas as pd
import pymc as pm


def build(panel, settings):
    """Sites that differ in level about the collaborative's, as the built-in model has them."""
    index, sites = pd.factorize(panel["site"], sort=True)
    events, cases = panel["numerator"].to_numpy(), panel["denominator"].to_numpy()
    share = (events.sum() + 0.5) / (cases.sum() + 1)
    with pm.Model(coords={"site": sites, "cell": range(len(panel))}) as model:
        intercept = pm.Normal("intercept", np.log(share / (1 - share)), 1.5)
        site_sd = pm.HalfNormal("site_sd", 0.5)
        level = pm.Normal("site_level", 0, site_sd, dims="site")
        pm.Binomial("outcome", n=cases, logit_p=intercept + level[index], observed=events, dims="cell")
    return model
'''

# what to replace in SAME, by what, and what the error then says
BROKEN = {
    "missing": ('"site_sd"', '"between"', "has no variable `site_sd`"),
    "dims": (', dims="site")', ", shape=len(sites))", "`site_level` has dims ()"),
    "predictor": ("intercept + level[index]", "intercept + 2 * level[index]", "is not the one that follows"),
    "likelihood": ("n=cases,", "n=2 * cases,", "is not the one that follows"),
    "rows": ('observed=events, dims="cell"', "observed=np.ones((2, 12))", "has not one value for each row"),
    "no_outcome": ('"outcome"', '"deaths"', "has no observed variable `outcome`"),
    "coordinate": ('{"site": sites,', '{"site": list(sites)[::-1],', "the coordinate `site` is another"),
    "fails": ("index, sites =", "1 / 0; index, sites =", "failed in line 9: ZeroDivisionError"),
    "returns": ("return model", "return level", "not a pymc.Model"),
    "discrete": ("    return model", '        pm.Poisson("k", 3)\n    return model', "`k` is a discrete parameter"),
}


def write(folder: Path, old: str = "", new: str = "", name: str = "own.py") -> Path:
    """SAME in a file, with one replacement."""
    assert old in SAME
    path = folder / name
    path.write_text(SAME.replace(old, new, 1) if old else SAME, encoding="utf-8")
    return path

"""The data that engines are timed on: binomial measures, read as an evaluation reads them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from collabeval import contract, panel, params_file, simulate
from collabeval.params import Params

ROOT = Path(__file__).resolve().parents[1]
SEED = 20260105
COMPLICATION = "complication"
TRUTH = {"intercept": -2.6, "level": 0.35, "trajectory": 0.08, "walk": 0.06, "own": 0.1}  # log-odds; as the demo's fit


@dataclass(frozen=True)
class Case:
    """Rows of one or more measures, the params they are fitted with, and what they are, in words."""

    name: str
    words: str
    params: Params
    rows: pd.DataFrame

    @property
    def measures(self) -> list[str]:
        """Names of the measures, each with a fit of its own."""
        return list(self.rows["measure"].unique())

    @property
    def size(self) -> str:
        """Measures × sites × periods, one measure not being said."""
        of_one = self.rows[self.rows["measure"] == self.measures[0]]
        size = f"{of_one['site'].nunique():,} × {of_one['period'].nunique()}"
        return size if len(self.measures) == 1 else f"{len(self.measures)} × {size}"


def shipped(name: str, words: str, measure: str, settings: list[str] | None = None) -> Case:
    """A measure of a params file of the project."""
    params = params_file.load(ROOT / "params" / f"{name}.yml", settings or [])
    inputs = contract.read_inputs(params)
    rows = panel.build(params, inputs.sites, inputs.outcomes)
    return Case(name, words, params, rows[rows["measure"] == measure].reset_index(drop=True))


def infant() -> Case:
    """Twelve hospitals once: a random intercept, no more."""
    return shipped("infant_cardiac_surgery", "infant surgery", "death")


def new_york(folder: Path) -> Case:
    """38 hospitals, ten years, with expected deaths; the State's two tables lie in `folder`."""
    files = [f"data.{name}={folder.resolve() / name}.csv" for name in ("sites", "outcomes")]
    return shipped("ny_cabg", "New York bypass surgery", "death", files)


def surgical_demo() -> Case:
    """70 hospitals, 20 quarters: level, trajectory, random walk, over-dispersion."""
    return shipped("demo_surgical", "demo", COMPLICATION)


def grown(sites: int) -> Case:
    """The demo's complications for any number of sites."""
    towns = tuple(f"Town {number}" for number in range(1, sites + 1))
    made = simulate.collaborative({COMPLICATION: simulate.MEASURES[COMPLICATION]}, SEED, towns)
    params = _params([COMPLICATION])
    rows = panel.build(params, made.sites, made.outcomes)
    return Case(f"grown_{sites}", f"simulated, {sites:,} sites", params, rows)


def ten_measures() -> Case:
    """Ten measures of 100 hospitals over 12 quarters."""
    return drawn("ten_measures", "ten measures", [f"m{k}" for k in range(1, 11)], 100, 12, 60)


def patients() -> Case:
    """Half a million patients in 75 hospitals, 20 quarters."""
    return drawn("patients", "500,000 patients", ["m"], 75, 20, 500_000 / (75 * 20))


def collaboratives() -> Case:
    """A hundred collaboratives of 20 hospitals with two years of quarters, three measures each."""
    names = [f"collaborative{c}_m{m}" for c in range(1, 101) for m in range(1, 4)]
    return drawn("collaboratives", "100 collaboratives, three measures each", names, 20, 8, 60)


def longer(periods: int) -> Case:
    """70 hospitals over any number of quarters."""
    return drawn(f"periods_{periods}", f"simulated, {periods} quarters", ["m"], 70, periods, 60)


def more(measures: int) -> Case:
    """Any number of measures of 70 hospitals over 20 quarters."""
    names = [f"m{k}" for k in range(1, measures + 1)]
    return drawn(f"measures_{measures}", f"simulated, {measures} measures", names, 70, 20, 60)


def drawn(name: str, words: str, measures: list[str], sites: int, periods: int, cases: float) -> Case:
    """Counts from the demo's model with `TRUTH`; `cases` a cell on average, hospitals differing in size."""
    random = np.random.default_rng([SEED, len(measures), sites, periods])
    return Case(name, words, _params(measures), pd.concat(
        [_counts(random, measure, sites, periods, cases) for measure in measures], ignore_index=True))  # fmt: skip


def _counts(random: np.random.Generator, measure: str, sites: int, periods: int, cases: float) -> pd.DataFrame:
    site, period = (each.ravel() for each in np.indices((sites, periods)))
    years = (np.arange(periods) - (periods - 1) / 2) / 4
    size = random.lognormal(-0.08, 0.4, sites)  # of mean 1
    level, slope = TRUTH["level"] * random.standard_normal(sites), TRUTH["trajectory"] * random.standard_normal(sites)
    walk = np.cumsum(TRUTH["walk"] / 2 * random.standard_normal(periods))  # half a year's a quarter
    eta = TRUTH["intercept"] + level[site] + slope[site] * years[period] + (walk - walk.mean())[period]
    eta += TRUTH["own"] * random.standard_normal(len(site))
    denominator = 1 + random.poisson(cases * size[site])
    nothing = dict.fromkeys(("expected", "mean", "sd", "n", "se"), np.nan)
    return pd.DataFrame({
        "site": [f"site {j + 1}" for j in site], "period": [f"{2020 + t // 4}-Q{t % 4 + 1}" for t in period],
        "time": years[period], "measure": measure, "numerator": random.binomial(denominator, expit(eta)).astype(float),
        "denominator": denominator.astype(float), "weight": 1.0, **nothing,
    })  # fmt: skip


def _params(measures: list[str]) -> Params:
    """Those of the demo, with its measure under each of these names."""
    params = params_file.load(ROOT / "params" / "demo_surgical.yml", [])
    return params.model_copy(update={"measures": dict.fromkeys(measures, params.measures[COMPLICATION])})

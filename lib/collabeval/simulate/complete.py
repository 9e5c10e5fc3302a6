"""A collaborative with every table of the data contract, and the demo of one: safer joint replacement. All invented."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from collabeval.simulate.demo import TOWNS
from collabeval.simulate.draw import Behaviour
from collabeval.simulate.indicators import make_indicators
from collabeval.simulate.opinions import make_ratings, make_survey
from collabeval.simulate.programme import make_comparators, make_outcomes, make_practices, make_sites
from collabeval.simulate.running import make_audit, make_burden, make_costs, make_waivers
from collabeval.simulate.setting import Setting, Truth

SEED = 20260301
MEASURES = {
    "readmission": Behaviour(
        family="binomial", rate=0.12, site_sd=0.25, trajectory_sd=0.06, overdispersion_sd=0.08,
        improvement=-0.40, deviant=-0.95, worsening=0.30, case_mix_sd=0.12,
    ),
    "infection": Behaviour(
        family="poisson", rate=0.009, site_sd=0.30, trajectory_sd=0.08, overdispersion_sd=0.10,
        improvement=-0.50, deviant=-1.30, worsening=0.35, exposure=6.0,
    ),
    "early_walking": Behaviour(
        family="binomial", rate=0.62, site_sd=0.35, trajectory_sd=0.08, overdispersion_sd=0.10,
        improvement=0.60, deviant=1.20, worsening=-0.40,
    ),
}  # fmt: skip
LEVELS = {"positive_deviance": 0.1, "coordination": 0.9, "measurement": 0.5, "levers": -0.7, "leadership": 1.1}
DRIFTS = {"positive_deviance": 0.35, "coordination": 0.1, "measurement": 0.3, "levers": 0.0, "leadership": -0.15}


@dataclass(frozen=True)
class Complete:
    """Every table as the data contract asks for it, by name, and the `truth` behind them.

    `truth` has `table, measure, code, site, period, quantity, value`: one row for each number that was drawn from;
    docs/portfolio.md lists the quantities of each table.
    """

    tables: dict[str, pd.DataFrame]
    truth: pd.DataFrame

    def files(self) -> dict[str, str]:
        """The tables and the truth as CSV text by file name, byte for byte the same for the same seed."""
        named = {**self.tables, "truth": self.truth}
        return {f"{name}.csv": table.to_csv(index=False, lineterminator="\n") for name, table in named.items()}


def complete(setting: Setting) -> Complete:
    """Simulate one collaborative with every table; the streams of the tables do not depend on one another."""
    streams = iter(np.random.SeedSequence(setting.seed).spawn(12))
    truth = Truth()

    def stream() -> np.random.Generator:
        return np.random.Generator(np.random.PCG64(next(streams)))

    sites = make_sites(stream(), setting)
    practices, adopted = make_practices(stream(), setting, sites, truth)
    tables = {
        "outcomes": make_outcomes(stream(), setting, sites, adopted, truth),
        "comparators": make_comparators(stream(), setting),
        "indicators": make_indicators(stream(), setting, sites, truth),
        "survey": make_survey(stream(), setting, sites, truth),
        "ratings": make_ratings(stream(), setting, truth),
        "audit": make_audit(stream(), setting, sites, truth),
        "burden": make_burden(stream(), setting, sites, truth),
        "costs": make_costs(stream(), setting, truth),
        "practices": practices,
        "waivers": make_waivers(stream(), setting, sites),
    }
    for feature in setting.levels:
        levels = [setting.level(feature, year) for year in setting.years]
        truth.add("features", "level", levels, code=feature, period=setting.years)
    public = sites.drop(columns=["volume", "join", "role"])
    return Complete({"sites": public, **tables}, truth.table())


def demo_complete(seed: int = SEED, sites: int = 24, quarters: int = 12) -> Complete:
    """The shipped complete demo (by default), or one like it: `data/demo_complete/*.csv`."""
    codes = tuple(f"J{number:02d}" for number in range(1, sites + 1))
    towns = TOWNS[1::2][:sites] if sites <= len(TOWNS) // 2 else TOWNS[:sites]
    return complete(Setting(MEASURES, LEVELS, DRIFTS, towns, codes, seed, quarters))

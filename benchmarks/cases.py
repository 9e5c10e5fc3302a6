"""The data that engines are timed on: one binomial measure each, read as an evaluation reads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from collabeval import contract, panel, params_file, simulate
from collabeval.params import Params

ROOT = Path(__file__).resolve().parents[1]
SEED = 20260105
COMPLICATION = "complication"


@dataclass(frozen=True)
class Case:
    """Rows of one measure, the params they are fitted with, and what they are, in words."""

    name: str
    words: str
    measure: str
    params: Params
    rows: pd.DataFrame

    @property
    def size(self) -> str:
        """Sites × periods."""
        return f"{self.rows['site'].nunique():,} × {self.rows['period'].nunique()}"


def shipped(name: str, words: str, measure: str, settings: list[str] | None = None) -> Case:
    """A measure of a params file of the project."""
    params = params_file.load(ROOT / "params" / f"{name}.yml", settings or [])
    inputs = contract.read_inputs(params)
    return _case(name, words, measure, params, panel.build(params, inputs.sites, inputs.outcomes))


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
    params = params_file.load(ROOT / "params" / "demo_surgical.yml", [])
    return _case(f"grown_{sites}", f"simulated, {sites:,} sites", COMPLICATION, params,
                 panel.build(params, made.sites, made.outcomes))  # fmt: skip


def _case(name: str, words: str, measure: str, params: Params, rows: pd.DataFrame) -> Case:
    return Case(name, words, measure, params, rows[rows["measure"] == measure].reset_index(drop=True))

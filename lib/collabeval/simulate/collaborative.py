"""Draw the data of a collaborative from the model the evaluation assumes, and keep the truth they were drawn from.

Same seed, same numbers on every machine: means of counts are rounded before a count is drawn, so that the last bit of a
logarithm, which differs between processors, decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from collabeval import periods
from collabeval.simulate.draw import DIGITS, Behaviour, hospital, observed

PER_YEAR = 4
DEVIANTS = 3
WAVES = ((0.5, 0), (0.3, 3), (0.2, 7))  # share of sites, and the quarter in which they join
SMALL_SHARE = 0.12
MISSING_SHARE = 0.03


@dataclass(frozen=True)
class Simulated:
    """`sites` and `outcomes` as the data contract asks for them, and the `truth` behind them.

    `truth` has `measure, site, period, quantity, value, role`: `level` (at the middle of the time) and `slope` (per
    year) of each site; `effect` of each site and quarter, as the models define it; `trend` of each quarter; and
    `site_sd`, `trajectory_sd`, `overdispersion_sd`. `role` is `positive_deviant`, `deteriorating` or blank.
    """

    sites: pd.DataFrame
    outcomes: pd.DataFrame
    truth: pd.DataFrame

    def files(self) -> dict[str, str]:
        """The three tables as CSV text by file name, byte for byte the same for the same seed."""
        tables = {"sites": self.sites, "outcomes": self.outcomes, "truth": self.truth}
        return {f"{name}.csv": table.to_csv(index=False, lineterminator="\n") for name, table in tables.items()}


def collaborative(
    measures: Mapping[str, Behaviour], seed: int, towns: tuple[str, ...], quarters: int = 20, first: str = "2021Q1"
) -> Simulated:
    """Simulate one collaborative: a site for every town, staggered joining, some quarters missing, some small sites.

    Three positive deviants and one deteriorating site are planted among the larger sites of the first wave, the same
    sites in every measure.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    start = periods.parse(first, "quarter")
    labels = [start.shifted(step).label for step in range(quarters)]
    sites = _sites(generator, towns, [start.shifted(step).start.isoformat() for step in range(quarters)])
    cells = _cells(generator, sites, labels)
    outcomes, truth = [], []
    for name, measure in measures.items():
        effects = _site_effects(generator, sites, measure)
        rows = _effects_of_cells(generator, cells, effects, measure)
        outcomes.append(observed(generator, rows, measure).assign(measure=name))
        truth.append(_truth(rows, effects, measure).assign(measure=name))
    columns = ["site", "period", "measure", "numerator", "denominator", "expected", "mean", "sd", "n"]
    drawn = pd.concat(outcomes, ignore_index=True).reindex(columns=columns)
    submitted = generator.random(len(drawn)) >= MISSING_SHARE
    behind = pd.concat(truth, ignore_index=True)[["measure", "site", "period", "quantity", "value", "role"]]
    counts = ["numerator", "denominator", "n"]
    drawn[counts] = drawn[counts].astype("Int64")
    public = sites.drop(columns=["volume", "join", "role"])
    return Simulated(public, drawn[submitted].reset_index(drop=True), behind)


def _sites(generator: np.random.Generator, towns: tuple[str, ...], days: list[str]) -> pd.DataFrame:
    """Sites with their volume (patients a quarter), the quarter they join in, and the part they play."""
    count = len(towns)
    volume = np.clip(np.exp(generator.normal(4.25, 0.45, count)), 25, 220)
    small = generator.permutation(count) < round(SMALL_SHARE * count)
    volume = np.round(np.where(small, generator.uniform(4, 10, count), volume), 2)
    bounds = np.cumsum([round(share * count) for share, _ in WAVES[:-1]])
    wave = np.searchsorted(bounds, generator.permutation(count), side="right")
    join = np.minimum(np.array([quarter for _, quarter in WAVES])[wave], len(days) - 1)
    role = np.full(count, "", dtype=object)
    first_wave = np.flatnonzero(join == 0)
    largest = first_wave[np.argsort(-volume[first_wave])][: max(DEVIANTS + 1, len(first_wave) // 2)]
    planted = generator.permutation(largest)[: DEVIANTS + 1]
    role[planted[:DEVIANTS]], role[planted[DEVIANTS:]] = "positive_deviant", "deteriorating"
    kind = np.select([volume >= 95, volume >= 25], ["teaching", "general"], "community")
    return pd.DataFrame(
        {
            "site": [f"H{number:02d}" for number in range(1, count + 1)],
            "name": [
                hospital(town, group, number) for number, (town, group) in enumerate(zip(towns, kind, strict=True))
            ],
            "joined": [days[quarter] for quarter in join],
            "peer_group": kind,
            "beds": np.round(np.exp(generator.normal(0, 0.12, count)) * (90 + 4 * volume), -1).astype(int),
            "volume": volume,
            "join": join,
            "role": role,
        }
    )


def _cells(generator: np.random.Generator, sites: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    """A row for every site and quarter since it joined: `site, volume, role, step, period, patients`."""
    cells = sites[["site", "volume", "join", "role"]].merge(
        pd.DataFrame({"step": range(len(labels)), "period": labels}), how="cross"
    )
    cells = cells[cells["step"] >= cells["join"]].reset_index(drop=True)
    return cells.assign(patients=np.maximum(generator.poisson(cells["volume"].to_numpy()), 2))


def _site_effects(generator: np.random.Generator, sites: pd.DataFrame, measure: Behaviour) -> pd.DataFrame:
    deviant, worse = sites["role"] == "positive_deviant", sites["role"] == "deteriorating"
    level = generator.normal(0, measure.site_sd, len(sites))
    slope = generator.normal(0, measure.trajectory_sd, len(sites))
    level = np.select([deviant, worse], [np.full(len(sites), measure.deviant), np.zeros(len(sites))], level)
    slope = np.select([deviant, worse], [np.zeros(len(sites)), np.full(len(sites), measure.worsening)], slope)
    return sites[["site", "role"]].assign(level=np.round(level, DIGITS), slope=np.round(slope, DIGITS))


def _effects_of_cells(
    generator: np.random.Generator, cells: pd.DataFrame, effects: pd.DataFrame, measure: Behaviour
) -> pd.DataFrame:
    """Cells with `trend` (the programme: none in the first year, then steady) and `effect` (the site's own)."""
    rows = cells.merge(effects[["site", "level", "slope"]], on="site", validate="many_to_one")
    last = rows["step"].max()
    gained = np.clip((rows["step"] - PER_YEAR) / max(last - PER_YEAR, 1), 0, 1) * measure.improvement
    years = (rows["step"] - last / 2) / PER_YEAR
    noise = generator.normal(0, measure.overdispersion_sd, len(rows))
    effect = rows["level"] + rows["slope"] * years + noise
    return rows.assign(trend=gained.round(DIGITS), effect=effect.round(DIGITS))


def _truth(rows: pd.DataFrame, effects: pd.DataFrame, measure: Behaviour) -> pd.DataFrame:
    """What the rows were drawn from, in long form."""
    sites = effects.melt(["site", "role"], ["level", "slope"], var_name="quantity")
    cells = rows[["site", "period", "role", "effect"]].melt(["site", "period", "role"], var_name="quantity")
    trend = rows[["period", "trend"]].drop_duplicates().sort_values("period").melt("period", var_name="quantity")
    names = ["site_sd", "trajectory_sd", "overdispersion_sd"]
    spreads = pd.DataFrame({"quantity": names, "value": [getattr(measure, name) for name in names]})
    return pd.concat([sites, cells, trend, spreads], ignore_index=True).fillna({"site": "", "period": "", "role": ""})

"""A finished run with costs, hours and a stand-in for the effect of the programme, never fitted but for the burden."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import fake_run
from collabeval import draws, params_file, periods
from collabeval.params import Params
from collabeval.run_folder import RunFolder
from collabeval.value.given import Given
from collabeval.value.worth import worth_tables

VALUE: dict[str, Any] = {
    "currency": "US$", "price_year": 2022, "discount_rate": 0.03, "inflation": 0.02,
    "cost_per_event": {"death": {"mean": 48_000.0, "low": 30_000.0, "high": 75_000.0}},
    "burden": {"hours": 1.2},
    "ranges": {"discount_rate": [0.0, 0.06], "programme_cost": [0.8, 1.3], "inflation": [0.0, 0.05]},
}  # fmt: skip
ITEMS = {"Coordinating centre": 420_000.0, "Meetings": 60_000.0, "Site visits": 35_000.0}


def params_of(value: dict[str, Any] | None, tables: tuple[str, ...] = ("costs", "burden"), **own: Any) -> Params:
    """Params of the fake run with a block `value` and these further tables."""
    fake = fake_run.Fake(**{"years": 8, "change": -0.35, "sites": 14, **own})
    blocks = fake_run.parameters(fake).model_dump(mode="json")
    blocks["data"] |= {table: f"{table}.csv" for table in tables}
    return Params.model_validate(blocks | {"value": value})


def spans(labels: list[str]) -> pd.DataFrame:
    """`starts` and `ends` of periods, as the contract gives them."""
    lengths = [periods.length_of(label) for label in labels]
    parsed = [periods.parse(label, length) for label, length in zip(labels, lengths, strict=True) if length]
    found = {"starts": [one.start for one in parsed], "ends": [one.end for one in parsed]}
    return pd.DataFrame({name: pd.to_datetime(days).astype("datetime64[ns]") for name, days in found.items()})


def cost_table(rows: list[tuple[str, str, float]]) -> pd.DataFrame:
    """Costs from (period, item, amount)."""
    table = pd.DataFrame(rows, columns=["period", "item", "amount"])
    return table.join(spans(list(table["period"])))


def yearly_costs(years: range, items: dict[str, float] | None = None) -> pd.DataFrame:
    """The same items in every year."""
    return cost_table([(str(year), item, cost) for year in years for item, cost in (items or ITEMS).items()])


def burden_table(sites: list[str], years: range, seed: int = 3) -> pd.DataFrame:
    """Quarterly hours and costs of sites that differ by about a third; the last site has few cases."""
    random, rows = np.random.default_rng(seed), []
    for number, site in enumerate(sites):
        level, size = random.normal(0, 0.3), 2.0 if number == len(sites) - 1 else random.lognormal(3.2, 0.7)
        for year in years:
            for quarter in range(1, 5):
                cases = max(1.0, float(random.poisson(size)))
                drift = -0.08 * (year - years[0])
                hours = cases * 1.25 * np.exp(level + drift + random.normal(0, 0.1))
                rows.append((site, f"{year}Q{quarter}", round(hours, 1), cases, round(41 * hours, 0)))
    table = pd.DataFrame(rows, columns=["site", "period", "hours", "cases", "cost"])
    return table.join(spans(list(table["period"])))


def effect_draws(measure: str, mean: float, sd: float, size: int = 4000, seed: int = 5) -> pd.DataFrame:
    """A stand-in for the results of the step `effect`."""
    events = np.random.default_rng(seed).normal(mean, sd, size)
    return pd.DataFrame(
        {"measure": measure, "draw": np.arange(size), "events_avoided": events, "treated_cases": 12_000.0}
    )


def make(
    folder: Path, params: Params, effect: pd.DataFrame | None, burden: pd.DataFrame | None = None, **own: Any
) -> RunFolder:
    """A run with every table the chapter reads; `burden` is the results table of that part, where it is wanted."""
    fake = fake_run.Fake(**{"years": 8, "change": -0.35, "sites": 14, "keep_draws": True, **own})
    run = fake_run.make(folder, fake)
    params_file.write_resolved(params, run)
    sites = run.read(run.sites).assign(joined=pd.Timestamp("2018-01-01"))
    given = Given(
        panel=run.read(run.panel),
        sites=sites,
        costs=yearly_costs(range(2018, 2023)) if "costs" in params.data.further else None,
        burden=burden_table(list(sites["site"]), range(2020, 2023)) if "burden" in params.data.further else None,
        effect={} if effect is None else {"effect_draws": effect},
        trees={name: draws.load(run.draws(name)) for name in fake.measures},
    )
    run.write_data({name: table for name in ("costs", "burden") if (table := getattr(given, name)) is not None})
    empty = pd.DataFrame(columns=["site", "period", "estimand", "cases", "mean", "sd", "q025", "q25", "q50", "q75",
                                  "q975", "event", "probability"])  # fmt: skip
    run.write_tables({"value_burden": empty if burden is None else burden, **worth_tables(params, given)})
    return run

"""Hours, costs and an effect of the programme that were never recorded: tables as the contract and a step give them."""

from __future__ import annotations

from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import xarray as xr

from collabeval import diagnostics, periods
from collabeval.convergence import Mixing
from collabeval.diagnostics.check import Check
from collabeval.params import Params
from collabeval.value import burden as module
from collabeval.value.given import Given
from collabeval.value.worth import worth_tables

VALUE: dict[str, Any] = {
    "currency": "US$", "price_year": 2022, "discount_rate": 0.03, "inflation": 0.02,
    "cost_per_event": {"death": {"mean": 48_000.0, "low": 30_000.0, "high": 75_000.0}},
    "burden": {"hours": 1.2},
    "ranges": {"discount_rate": [0.0, 0.06], "programme_cost": [0.8, 1.3], "inflation": [0.0, 0.05]},
}  # fmt: skip
ITEMS = {"Coordinating centre": 420_000.0, "Meetings": 60_000.0, "Site visits": 35_000.0}


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


def per_case(params: Params, what: str, cells: pd.DataFrame) -> tuple[module.PerCase, xr.DataTree]:
    """A stand-in for the fit: draws near what was recorded."""
    random = np.random.default_rng(1)
    centre = np.log(cells["amount"] / cells["cases"]).to_numpy()[:, None]
    values = np.exp(centre + 0.1 * random.standard_normal((len(cells), 400)))
    tree = xr.DataTree()
    tree.attrs = {"engine": "laplace", "engine_reason": "its own check passed"}
    return module.PerCase(what, cells, values, Mixing(1)), tree


def burden_results(params: Params, burden: pd.DataFrame | None, checks: tuple[Check, ...] = ()) -> pd.DataFrame:
    """The results table of burden without its fit, whose blocking checks are as given."""
    with (
        mock.patch.object(module, "fit_per_case", per_case),
        mock.patch.object(diagnostics, "blocking", return_value=list(checks)),
    ):
        return module.burden_table(params, burden)


def tables(
    params: Params,
    sites: pd.DataFrame,
    panel: pd.DataFrame,
    trees: dict[str, xr.DataTree],
    made: dict[str, pd.DataFrame],
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """Costs and hours as given, by name, and the results tables; `made` are the results of earlier steps."""
    years = [int(label[:4]) for label in panel["period"]]
    every = {
        "costs": yearly_costs(range(min(years) - 1, max(years) + 1)),
        "burden": burden_table(list(sites["site"]), range(max(years) - 2, max(years) + 1)),
    }
    given = {name: table for name, table in every.items() if name in params.data.further}
    joined = sites.assign(joined=pd.Timestamp(f"{min(years) - 1}-01-01"))
    effect = {name: made[name] for name in ("effect_draws", "effect_basis", "effect_statements") if name in made}
    costs, burden = given.get("costs"), given.get("burden")
    results = worth_tables(params, Given(panel, joined, costs, burden, effect, trees))
    return given, {"value_burden": burden_results(params, burden), **results}

"""Burden and value with what may not be shown taken out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from collabeval.disclosure import suppress as rule
from collabeval.disclosure.view import Run
from collabeval.params import Params

TABLES = ("value_costs", "value_burden", "value_summary", "value_curve", "value_tornado")
NAMING_SITES = "Items that name a site"


@dataclass(frozen=True)
class PublishedValue:
    """The results tables of burden and value as they may be shown; `site` is a label.

    ``burden`` carries `hidden`: of sites with few cases it keeps a coarse interval, and chances only as thresholds.
    ``given`` are the tables there were: `costs`, `burden`.
    """

    costs: pd.DataFrame
    burden: pd.DataFrame
    summary: pd.DataFrame
    curve: pd.DataFrame
    tornado: pd.DataFrame
    given: frozenset[str]


def of_run(run: Run, params: Params, labels: Mapping[str, str], small: frozenset[str]) -> PublishedValue | None:
    """What may be shown of this run; None where it has no such step. Counts of the measures `small` may not be told."""
    if "value_summary" not in run.further:
        return None
    found = {name.removeprefix("value_"): run.further[name] for name in TABLES}
    summary, coarse = _summary(found["summary"], small)
    return PublishedValue(
        costs=_costs(found["costs"], run.sites, params),
        burden=_burden(found["burden"], labels, params.report.minimum_cell),
        summary=summary,
        curve=found["curve"].iloc[:0] if coarse else found["curve"],
        tornado=found["tornado"].iloc[:0] if coarse else found["tornado"],
        given=frozenset({"costs", "burden"} & set(run.given)),
    )


def _summary(table: pd.DataFrame, hidden: frozenset[str]) -> tuple[pd.DataFrame, bool]:
    """Of measures whose total counts are hidden, and of what they are summed into, only coarse intervals."""
    of_hidden = table["measure"].isin(hidden) & table["estimand"].ne("cost_per_event")
    valued = bool((of_hidden & table["basis"].ne("")).any())
    totals = table["measure"].eq("") & table["basis"].ne("")
    coarse = of_hidden | (totals & valued)
    shown = rule.coarsen(table, coarse)
    return shown.assign(probability=_floors(shown["probability"], coarse)), valued


def _floors(chances: pd.Series, hidden: pd.Series) -> pd.Series:
    """Chances with those of hidden rows brought to the threshold that they, or their complements, reach."""
    return chances.where(~hidden, chances.map(_floor))


def _floor(chance: float) -> float:
    reached = max((step for step in rule.FLOORS if max(chance, 1 - chance) >= step), default=np.nan)
    return reached if chance >= 0.5 else 1 - reached


def _costs(table: pd.DataFrame, sites: pd.DataFrame, params: Params) -> pd.DataFrame:
    """Costs by year and item; where sites have codes, items that name one go together under one name."""
    items = table["item"]
    if params.report.sites == "coded" and len(table):
        items = items.where(~items.map(lambda item: _names_a_site(item, sites)), NAMING_SITES)
    amounts = ["amount", "price_year_amount", "present_value"]
    shown = table.assign(item=items, not_counted=table["price_year_amount"] * (1 - table["counted"]))
    return shown.groupby(["year", "item"], as_index=False, sort=True)[[*amounts, "not_counted"]].sum()


def _names_a_site(item: str, sites: pd.DataFrame) -> bool:
    names = [name for name in sites.get("name", pd.Series(dtype=str)).dropna().astype(str) if name.strip()]
    if any(name.strip().casefold() in item.casefold() for name in names):
        return True
    return any(re.search(rf"(?<!\w){re.escape(code)}(?!\w)", item) for code in sites["site"].astype(str))


def _burden(table: pd.DataFrame, labels: Mapping[str, str], minimum_cell: int) -> pd.DataFrame:
    of_site = table["site"].ne("")
    hidden = of_site & rule.small(table["cases"], minimum_cell)
    shown = rule.coarsen(table, hidden)
    total = table["estimand"].str.startswith("cases_with") & rule.small(table["mean"], minimum_cell)
    shown.loc[total, ["mean", "q50"]] = np.nan
    site = table["site"].map({**labels, "": ""})
    chances = _floors(shown["probability"], hidden)
    return shown.assign(site=site, hidden=hidden, probability=chances).drop(columns="cases")

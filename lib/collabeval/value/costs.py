"""The programme's costs: in prices of one year, discounted, and only as far as they belong to what is valued."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from collabeval import periods as period_texts
from collabeval.params import Value
from collabeval.value.money import discount_factors, price_factors

COSTS = ("period", "item", "year", "amount", "price_year_amount", "counted", "present_value")
COLLECTING = "Collecting of data at the sites"  # the item under which the table of burden joins the costs


def year_of(day: date, year_starts: int) -> int:
    """The (fiscal) year of a day, named after the calendar year in which it starts."""
    return period_texts.starting(day, "year", year_starts).start.year


def cost_rows(
    value: Value, costs: pd.DataFrame | None, burden: pd.DataFrame | None, year_starts: int
) -> pd.DataFrame | None:
    """Every cost with its days: `period, item, starts, ends, year, amount`; None where there are no costs.

    Parameters
    ----------
    costs, burden : the tables as the contract left them; the cost column of burden counts where params say so.
    """
    parts = [] if costs is None else [costs[["period", "item", "starts", "ends", "amount"]]]
    if burden is not None and value.add_burden and burden["cost"].notna().any():
        sums = burden.groupby(["period", "starts", "ends"])["cost"].sum().rename("amount").reset_index()
        parts.append(sums.assign(item=COLLECTING))
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    if rows.empty:
        return None
    years = [year_of(day.date(), year_starts) for day in rows["starts"]]
    return rows.assign(year=years).sort_values(["starts", "item"], kind="stable", ignore_index=True)


def covered(rows: pd.DataFrame, periods: pd.DataFrame) -> np.ndarray:
    """Which of these periods (`starts`, `ends`) have costs on each of their days (n,).

    The periods of a table of costs are of one length, so that they do not overlap; those of the table of burden, which
    may be of another, do not make a period covered.
    """
    own = rows[rows["item"].ne(COLLECTING)]
    spans = (own if len(own) else rows)[["starts", "ends"]].drop_duplicates()
    return np.array([_days_in(spans, one).sum() >= (one["ends"] - one["starts"]).days for _, one in periods.iterrows()])


def counted(rows: pd.DataFrame, periods: pd.DataFrame, before: bool) -> np.ndarray:
    """Share of each cost's days (n,) that lies in these periods, or, with `before`, before the first of them."""
    shares = np.zeros(len(rows))
    for _, one in periods.iterrows():
        shares += _days_in(rows, one)
    if before and len(periods):
        start = periods["starts"].min()
        shares += ((rows["ends"].clip(upper=start) - rows["starts"]).dt.days.clip(lower=0)).to_numpy()
    return shares / (rows["ends"] - rows["starts"]).dt.days.to_numpy()


def _days_in(rows: pd.DataFrame, one: pd.Series) -> np.ndarray:
    """Days of each row (n,) that lie in one period."""
    overlap = rows["ends"].clip(upper=one["ends"]) - rows["starts"].clip(lower=one["starts"])
    return overlap.dt.days.clip(lower=0).to_numpy()


def present_values(
    value: Value, rows: pd.DataFrame, base: int, rate: float | None = None, inflation: float | None = None
) -> np.ndarray:
    """What is counted of each cost (n,), in prices of the price year and discounted to `base`.

    Parameters
    ----------
    rows : with `year, amount, counted`. rate, inflation : others than those of params.
    """
    real = rows["amount"].to_numpy(float) * price_factors(value, rows["year"], inflation)
    discounted = discount_factors(value.discount_rate if rate is None else rate, rows["year"], base)
    return real * rows["counted"].to_numpy(float) * discounted


def table(value: Value, rows: pd.DataFrame | None, base: int) -> pd.DataFrame:
    """The results table `value_costs`."""
    if rows is None:
        return pd.DataFrame(columns=list(COSTS))
    real = rows["amount"].to_numpy(float) * price_factors(value, rows["year"])
    made = rows.assign(price_year_amount=real, present_value=present_values(value, rows, base))
    return made[list(COSTS)]

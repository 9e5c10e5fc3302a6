"""Which site-periods lie before joining, which after, and for which of these there is anything to compare with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from collabeval import periods as period_texts
from collabeval.panel import VALUES
from collabeval.params import Params
from collabeval.params.effect import Effect
from collabeval.periods import MONTHS

NEVER = np.iinfo(np.int64).max  # joining of a unit that never joins: later than any period
COLUMNS = ("unit", "site", "period", "time", *VALUES, "weight", "step", "joined", "event_time", "state", "estimable")


@dataclass(frozen=True)
class Layout:
    """One measure's rows of sites and comparators together.

    ``rows`` has `COLUMNS`: `unit` is unique over sites and comparators, `site` blank for the latter; `step` counts
    periods from the first, `joined` is the step of joining (`NEVER`), `event_time` the periods since then (0 for
    comparators); `state` is `untreated`, `treated`, or `anticipating` (shortly before joining, used for neither);
    `estimable` marks the treated rows whose untreated outcome the untreated rows say something about.
    ``needs`` names what is missing where no row is estimable, else it is "".
    """

    rows: pd.DataFrame
    needs: str
    undated: int = 0  # sites without a date of joining
    without_before: int = 0  # sites with rows after joining that have too few from before
    uncompared: int = 0  # rows after joining, of sites with rows before, without anyone to compare with

    @property
    def untreated(self) -> pd.DataFrame:
        return self.rows[self.rows["state"].eq("untreated")].reset_index(drop=True)

    @property
    def imputed(self) -> pd.DataFrame:
        """The treated rows that an effect is estimated for."""
        return self.rows[self.rows["estimable"]].reset_index(drop=True)


def lay_out(
    params: Params, name: str, panel: pd.DataFrame, sites: pd.DataFrame, comparators: pd.DataFrame | None
) -> Layout:
    """Rows of one measure by their place before or after joining.

    Parameters
    ----------
    panel : the analysed rows of all measures (or of this one); sites : `site` and `joined`, as the contract gives them.
    comparators : `unit, period, measure` and the values of the measure's family, or None.
    """
    if params.periods.length == "none":
        return Layout(pd.DataFrame(columns=list(COLUMNS)), "periods")
    effect = params.effect or Effect()
    joined = sites.set_index("site")["joined"]
    own = panel[panel["measure"].eq(name)]
    dated = own["site"].map(joined).notna()
    undated = int(own.loc[~dated, "site"].nunique())
    if not dated.any():
        return Layout(pd.DataFrame(columns=list(COLUMNS)), "dates", undated)
    others = _of_comparators(comparators, name)
    if len(others) and own["expected"].notna().any() != others["expected"].notna().any():
        return Layout(pd.DataFrame(columns=list(COLUMNS)), "expected", undated)
    rows = _placed(own[dated], others, joined, params)
    rows["state"] = np.select(
        [rows["event_time"] >= 0, rows["event_time"] >= -effect.anticipation], ["treated", "anticipating"], "untreated"
    )
    rows["state"] = rows["state"].where(rows["joined"].ne(NEVER), "untreated")
    return _judged(rows, effect, undated)


def _of_comparators(comparators: pd.DataFrame | None, name: str) -> pd.DataFrame:
    if comparators is None:
        return pd.DataFrame(columns=["unit", "period", *VALUES])
    rows = comparators[comparators["measure"].eq(name)]
    return rows.reindex(columns=["unit", "period", *VALUES]).astype(dict.fromkeys(VALUES, float))


def _placed(own: pd.DataFrame, others: pd.DataFrame, joined: pd.Series, params: Params) -> pd.DataFrame:
    """Sites and comparators in one table, with times counted from the first period of either."""
    sites = own[["site", "period", *VALUES]].assign(unit="site " + own["site"])
    outside = others.assign(unit="comparator " + others["unit"], site="")
    rows = pd.concat([sites, outside], ignore_index=True)
    length, starts = params.periods.length, params.periods.year_starts
    assert length != "none"
    months = MONTHS[length]
    parsed = {label: period_texts.parse(label, length, starts) for label in rows["period"].unique()}
    steps = {label: (each.start.year * 12 + each.start.month - 1) // months for label, each in parsed.items()}
    first = min(steps.values())
    rows["step"] = rows["period"].map(steps).astype(np.int64) - first
    when = {site: _step_of(day, length, starts, months) - first for site, day in joined.items() if pd.notna(day)}
    rows["joined"] = [when[site] if site else NEVER for site in rows["site"]]
    rows["event_time"] = np.where(rows["joined"].eq(NEVER), 0, rows["step"] - rows["joined"])
    rows["time"] = rows["step"] * months / 12
    normal = rows["numerator"].isna()
    rows["weight"] = rows["denominator"].where(~normal, rows["n"].fillna(1.0))
    return rows.sort_values(["unit", "step"], kind="stable", ignore_index=True)


def _step_of(day: pd.Timestamp, length: period_texts.Length, starts: int, months: int) -> int:
    """Periods from year 0 to the one in which a day lies."""
    start = period_texts.starting(day.date(), length, starts).start
    return (start.year * 12 + start.month - 1) // months


def _judged(rows: pd.DataFrame, effect: Effect, undated: int) -> Layout:
    """Which treated rows are estimable, and what is missing if none is."""
    untreated, treated = rows["state"].eq("untreated"), rows["state"].eq("treated")
    before = rows[untreated].groupby("unit")["step"].size()
    enough_before = rows["unit"].map(before).fillna(0) >= effect.minimum_before
    units = rows[untreated].groupby("step")["unit"].nunique()
    enough_now = rows["step"].map(units).fillna(0) >= effect.minimum_untreated
    rows["estimable"] = treated & enough_before & enough_now & _linked(rows, untreated)
    reasons = (
        ("after", treated.any()),
        ("before", (treated & enough_before).any()),
        ("untreated", rows["estimable"].any()),
    )
    return Layout(
        rows[list(COLUMNS)],
        next((missing for missing, there in reasons if not there), ""),
        undated,
        int(rows.loc[treated & ~enough_before, "unit"].nunique()),
        int((treated & enough_before & ~rows["estimable"]).sum()),
    )


def _linked(rows: pd.DataFrame, untreated: pd.Series) -> pd.Series:
    """Whether a row's unit and period hang together through untreated rows.

    The level of a unit and that of a period can be told apart only where a chain of untreated rows leads from one to
    the other: the condition under which a two-way model says anything about the row (Borusyak, Jaravel & Spiess 2024).
    """
    unit, step = rows["unit"].factorize()[0], rows["step"].to_numpy()
    units, size, mine = unit.max() + 1, unit.max() + step.max() + 2, untreated.to_numpy()
    links = (np.ones(int(mine.sum())), (unit[mine], units + step[mine]))
    part = connected_components(coo_array(links, shape=(size, size)), directed=False)[1]
    return pd.Series(part[unit] == part[units + step], index=rows.index)

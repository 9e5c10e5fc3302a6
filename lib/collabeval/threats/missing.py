"""Site-periods that were not sent in: where and when, and whether sites that leave some out do better or worse."""

from __future__ import annotations

import pandas as pd

from collabeval.params import Params
from collabeval.quality import due, series_of

COLUMNS = ("measure", "site", "period", "due", "submitted")


def missingness(params: Params, sites: pd.DataFrame, panel: pd.DataFrame) -> pd.DataFrame:
    """The table `missingness`: periods owed and sent in, by site (`period` blank) and by period (`site` blank).

    A site owes the periods from joining (where that is unknown, from its first row) to the last of the measure.
    """
    tables = [_of_measure(params, name, sites, panel) for name in params.measures]
    return pd.concat(tables, ignore_index=True)[list(COLUMNS)]


def _of_measure(params: Params, name: str, sites: pd.DataFrame, panel: pd.DataFrame) -> pd.DataFrame:
    owed = owed_periods(params, name, sites, panel)
    by_site = owed.groupby("site", sort=True)["submitted"].agg(["size", "sum"]).reset_index().assign(period="")
    by_period = owed.groupby("period", sort=True)["submitted"].agg(["size", "sum"]).reset_index().assign(site="")
    both = pd.concat([by_site, by_period[by_period["period"] != ""]], ignore_index=True)
    return both.rename(columns={"size": "due", "sum": "submitted"}).assign(measure=name)


def owed_periods(params: Params, name: str, sites: pd.DataFrame, panel: pd.DataFrame) -> pd.DataFrame:
    """One row for each site-period owed: site, period, submitted (bool); sites without any row of the measure too."""
    series = series_of(params, name, sites, panel)
    sent = {str(site): set(labels) for site, labels in series.rows.groupby("site")["period"]}
    rows = [
        (site, label, label in sent.get(site, set()))
        for site, joined in zip(sites["site"], sites["joined"], strict=True)
        for label in due(series, joined, sent.get(site, set()))
    ]
    return pd.DataFrame(rows, columns=["site", "period", "submitted"])


def share_missing(owed: pd.DataFrame) -> pd.Series:
    """Share of its periods that each site did not send in."""
    return 1 - owed.groupby("site")["submitted"].mean()

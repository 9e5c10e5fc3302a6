"""What collecting data takes: hours and cost per case by site and year, partially pooled; the table `value_burden`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from collabeval import diagnostics, fit
from collabeval.convergence import Mixing
from collabeval.draws import linear_predictor
from collabeval.estimates.summaries import QUANTILES, Drawn, summarise
from collabeval.params import Measure, Model, Params
from collabeval.params.value import Collecting
from collabeval.value.costs import year_of
from collabeval.value.money import price_factors

ENGINE = ("engine", "engine_reason")  # of what is estimated, else blank
COLUMNS = ("site", "period", "estimand", "cases", "mean", "sd", *QUANTILES, "event", "probability", *ENGINE)
LABELS = {"hours": "Hours per case", "cost": "Cost per case"}
FEWEST_SITES = 2  # below, there is nothing to pool


@dataclass(frozen=True)
class PerCase:
    """Draws of an amount per case (cells, S), and the cells: `site, years_ago, period, amount, cases`."""

    what: str
    cells: pd.DataFrame
    values: np.ndarray
    mixing: Mixing

    def of(self, years_ago: int) -> tuple[pd.DataFrame, np.ndarray]:
        """Cells of one year and their draws, by site."""
        chosen = self.cells["years_ago"].eq(years_ago).to_numpy()
        order = self.cells[chosen]["site"].argsort().to_numpy()
        return self.cells[chosen].iloc[order], self.values[chosen][order]


def burden_table(params: Params, burden: pd.DataFrame | None) -> pd.DataFrame:
    """Hours and cost per case of the last year of the table, by site and for all (site blank), and the change.

    A year is the twelve months up to the end of the table's last period. Rows: `hours_per_case`, `cost_per_case` and
    `change_of_…` on the year before; `event` and `probability` are those of lying above the benchmark of params, and of
    a rise; `cases` are those behind a site's estimate, of a change the fewer of both years. `hours`, `cost` and
    `cases_with_…` are what was recorded in all by year; `without_hours` names sites that recorded none.
    """
    if burden is None or burden.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    parts = []
    for what, rows in _amounts(params, burden):
        cells = _by_year(rows)
        parts += [_recorded(what, cells), _none_recorded(what, cells)]
        cells = cells[cells["amount"].gt(0) & cells["cases"].gt(0)].reset_index(drop=True)
        if cells["site"].nunique() >= FEWEST_SITES:
            parts.append(_estimates(params, what, cells))
    table = pd.concat([part for part in parts if len(part)], ignore_index=True).reindex(columns=list(COLUMNS))
    texts = {name: table[name].astype(object).fillna("") for name in ("site", "period", "event", *ENGINE)}
    return table.assign(**texts)


def _amounts(params: Params, burden: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Hours, and where there are any costs, in prices of the price year, each with the cases that go with them."""
    rows = burden[["site", "period", "starts", "ends", "cases"]]
    yield "hours", rows.assign(amount=burden["hours"])
    if params.value is not None and burden["cost"].notna().any():
        known = rows.assign(amount=burden["cost"])[burden["cost"].notna()]
        years = [year_of(day.date(), params.periods.year_starts) for day in known["starts"]]
        yield "cost", known.assign(amount=known["amount"] * price_factors(params.value, years))


def _by_year(rows: pd.DataFrame) -> pd.DataFrame:
    """Sums by site and year, counted back from the table's end: `site, years_ago, period, amount, cases`."""
    end = rows["ends"].max()
    months = (end.year - rows["ends"].dt.year) * 12 + end.month - rows["ends"].dt.month
    rows = rows.assign(years_ago=months // 12).sort_values("starts", kind="stable")
    ends = rows.groupby("years_ago")["period"].agg(["first", "last"])
    labels = {ago: "/".join(dict.fromkeys(pair)) for ago, pair in zip(ends.index, ends.to_numpy(), strict=True)}
    sums = rows.groupby(["site", "years_ago"], as_index=False)[["amount", "cases"]].sum()
    return sums.assign(period=sums["years_ago"].map(labels))


def _recorded(what: str, cells: pd.DataFrame) -> pd.DataFrame:
    """What was recorded in all by year, and per case."""
    sums = cells.groupby("period")[["amount", "cases"]].sum()
    sums = sums.assign(per_case=sums["amount"] / sums["cases"].where(sums["cases"] > 0))
    names = {"amount": what, "cases": f"cases_with_{what}", "per_case": f"recorded_{what}_per_case"}
    table = sums.rename(columns=names).melt(ignore_index=False, var_name="estimand", value_name="mean").reset_index()
    return table.assign(site="", event="", q50=table["mean"])


def _none_recorded(what: str, cells: pd.DataFrame) -> pd.DataFrame:
    """Sites with cases and no amount at all in the last year: they are not estimated."""
    none = cells["years_ago"].eq(0) & cells["amount"].eq(0) & cells["cases"].gt(0)
    sites = cells.loc[none, ["site", "period", "cases"]]
    return sites.assign(estimand=f"without_{what}", event="not_estimated")


def _estimates(params: Params, what: str, cells: pd.DataFrame) -> pd.DataFrame:
    """Estimates of sites and of all; where the fit fails a blocking check, one row that says which, and no estimate."""
    per_case, tree = fit_per_case(params, what, cells)
    drawn = list(_drawn(per_case))
    summaries = summarise(drawn, per_case.mixing)
    failed = [check.check for check in diagnostics.blocking(what, tree, summaries) if not check.passed]
    made = {name: str(tree.attrs[name]) for name in ENGINE}
    if failed:
        return pd.DataFrame([{"estimand": f"{what}_not_fitted", "event": failed[0], **made}])
    collecting = Collecting() if params.value is None else params.value.burden
    chances = [_chances(what, each, getattr(collecting, what)) for each in drawn]
    return summaries.drop(columns=["rhat", "ess_bulk", "ess_tail"]).assign(
        cases=_cases(cells, summaries), **pd.concat(chances, ignore_index=True), **made
    )


def _cases(cells: pd.DataFrame, rows: pd.DataFrame) -> np.ndarray:
    """Cases behind each row of a site, NaN for all sites together."""
    by_site = cells.pivot(index="site", columns="years_ago", values="cases")
    fewer = by_site.reindex(columns=[0, 1]).min(axis=1)
    change = rows["estimand"].str.startswith("change")
    return rows["site"].map(fewer).where(change, rows["site"].map(by_site[0])).to_numpy(float)


def fit_per_case(params: Params, what: str, cells: pd.DataFrame) -> tuple[PerCase, xr.DataTree]:
    """Fit the hierarchical model of an amount per case by site and year.

        log(amount / cases) ~ Normal(η, case_cv / √cases)
        η = intercept + trend over years + site level + site trajectory + site-year

    the normal model of docs/methods.md with known standard errors: of the logarithm of a mean over n cases, whose times
    vary by `case_cv` of their mean, by the delta method. Small numbers of cases are so drawn towards the others.

    Parameters
    ----------
    cells : `site, years_ago, period, amount` (> 0), `cases` (> 0), a row for each site and year.
    """
    collecting = Collecting() if params.value is None else params.value.burden
    panel = pd.DataFrame({"measure": what, "site": cells["site"], "period": cells["period"]})
    panel["time"] = float(cells["years_ago"].max()) - cells["years_ago"]
    panel["mean"] = np.log(cells["amount"] / cells["cases"])
    panel["se"] = collecting.case_cv / np.sqrt(cells["cases"])
    panel["weight"] = 1.0
    measure = Measure(label=LABELS[what], family="normal", better="lower")
    own = params.model_copy(update={"measures": {what: measure}, "model": Model(overdispersion=True)})
    tree = fit.sample(panel, what, own)
    posterior = tree["posterior"].to_dataset()
    predictor = linear_predictor(posterior, tree["constant_data"].to_dataset())
    values = np.exp(predictor.reshape(-1, predictor.shape[-1]).T)
    statistics = tree["sample_stats"].to_dataset()
    families = statistics["proposal"].to_numpy().ravel() if "proposal" in statistics else None
    return PerCase(what, cells, values, Mixing(posterior.sizes["chain"], families)), tree


def _drawn(found: PerCase) -> Iterator[Drawn]:
    """Now, and the change on the year before of those with both; all sites together weighted by their cases now."""
    now, values = found.of(0)
    label = now["period"].iloc[0]
    yield Drawn(f"{found.what}_per_case", label, now["site"].to_numpy(), values)
    yield Drawn(f"{found.what}_per_case", label, np.array([""]), _together(now, values))
    before, earlier = found.of(1)
    both = sorted(set(now["site"]) & set(before["site"]))
    if not both:
        return
    own, past = now["site"].isin(both).to_numpy(), before["site"].isin(both).to_numpy()
    change = values[own] - earlier[past]
    yield Drawn(f"change_of_{found.what}_per_case", label, np.array(both), change)
    yield Drawn(f"change_of_{found.what}_per_case", label, np.array([""]), _together(now[own], change))


def _together(cells: pd.DataFrame, values: np.ndarray) -> np.ndarray:
    cases = cells["cases"].to_numpy(float)
    return (cases @ values / cases.sum())[None]


def _chances(what: str, drawn: Drawn, benchmark: float | None) -> pd.DataFrame:
    """The chance of each row that it lies above the benchmark, or has risen."""
    rose = drawn.estimand.startswith("change")
    limit = 0.0 if rose else benchmark
    chance = np.full(len(drawn.sites), np.nan) if limit is None else (drawn.values > limit).mean(axis=1)
    event = "" if limit is None else "rose" if rose else "above_benchmark"
    return pd.DataFrame({"event": event, "probability": chance})

"""Events avoided, draw by draw: the effect of the programme, or, where that is asked for, the change since baseline."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from collabeval import periods as period_texts
from collabeval.estimates.posterior import read
from collabeval.estimates.programme import programme_rates
from collabeval.estimates.sites import evaluated
from collabeval.params import Params
from collabeval.value.costs import year_of
from collabeval.value.given import Given, valued

REFUSED = ("in_doubt", "not_reliable")  # words about an effect from which nothing is worked out


@dataclass(frozen=True)
class Avoided:
    """Events of one measure avoided (S,) in all its periods together, and the cases of each of these by its label.

    ``basis`` is `effect` or `change`. Cases say when events were avoided: in proportion to them.
    """

    measure: str
    basis: str
    events: np.ndarray
    cases: pd.Series

    @property
    def shares(self) -> pd.Series:
        """Share of the events in each period."""
        return self.cases / self.cases.sum()


@dataclass(frozen=True)
class Found:
    """What may be valued; what is change only, for information; and why a measure has no effect (slug by measure)."""

    valued: tuple[Avoided, ...]
    told: tuple[Avoided, ...]
    reasons: dict[str, str]


def avoided(params: Params, given: Given) -> Found:
    """Events avoided of every measure that may be valued, by the basis of params."""
    assert params.value is not None
    names = valued(params)
    changed = [change for name in names if (change := _change(params, given, name)) is not None]
    if params.value.basis == "change":
        windows = [tuple(change.cases.index) for change in changed]
        same = [change for change, window in zip(changed, windows, strict=True) if window == windows[0]]
        have = {change.measure for change in changed}
        reasons = {name: "no_baseline" for name in names if name not in have}
        reasons |= {change.measure: "other_window" for change in changed if change not in same}
        return Found(tuple(same), (), reasons)
    effects, reasons = [], {}
    for name in names:
        reason = _not_estimable(given, name)
        if reason:
            reasons[name] = reason
        else:
            effects.append(_effect(params, given, name))
    return Found(tuple(effects), tuple(change for change in changed if change.measure in reasons), reasons)


def _not_estimable(given: Given, name: str) -> str:
    """Why the effect on a measure may not be valued: `no_effect_step`, what it needs, or that it is in doubt."""
    if "effect_draws" not in given.effect:
        return "no_effect_step"
    basis, said = (given.effect.get(table) for table in ("effect_basis", "effect_statements"))
    if basis is not None:
        needs = basis.loc[basis["measure"].eq(name), "needs"]
        if len(needs) and needs.iloc[0]:
            return str(needs.iloc[0])
    if said is not None:
        refused = said["measure"].eq(name) & said["statement"].isin(REFUSED)
        if refused.any():
            return str(said.loc[refused, "statement"].iloc[0])
    there = given.effect["effect_draws"]["measure"].eq(name).any()
    return "" if there else "no_effect_step"


def _effect(params: Params, given: Given, name: str) -> Avoided:
    table = given.effect["effect_draws"]
    events = table.loc[table["measure"].eq(name)].sort_values("draw")["events_avoided"].to_numpy(float)
    return Avoided(name, "effect", events, _treated_cases(params, given, name))


def _treated_cases(params: Params, given: Given, name: str) -> pd.Series:
    """Cases by period of sites that have joined, within the periods that the effect was estimated for."""
    rows = given.panel[given.panel["measure"].eq(name)]
    spans = period_days(params, rows["period"])
    joined = rows["site"].map(given.sites.set_index("site")["joined"])
    treated = rows[joined.lt(rows["period"].map(spans["ends"]))]
    basis = given.effect.get("effect_basis")
    if basis is not None and basis["measure"].eq(name).any():
        row = basis[basis["measure"].eq(name)].iloc[0]
        starts = treated["period"].map(spans["starts"])
        treated = treated[starts.between(spans["starts"][row["first"]], spans["starts"][row["last"]])]
    return _in_time(treated, spans)


def _in_time(rows: pd.DataFrame, spans: pd.DataFrame) -> pd.Series:
    cases = rows.groupby("period")["weight"].sum()
    return cases.loc[sorted(cases.index, key=lambda label: spans["starts"][label])]


def period_days(params: Params, labels: pd.Series) -> pd.DataFrame:
    """`starts`, `ends` (the day after) and (fiscal) `year` of periods of the outcomes, by label."""
    length, first_month = params.periods.length, params.periods.year_starts
    assert length != "none"
    parsed = {label: period_texts.parse(label, length, first_month) for label in pd.unique(labels)}
    table = {
        "starts": pd.to_datetime([one.start for one in parsed.values()]),
        "ends": pd.to_datetime([one.end for one in parsed.values()]),
        "year": [year_of(one.start, first_month) for one in parsed.values()],
    }
    return pd.DataFrame(table, index=list(parsed))


def _change(params: Params, given: Given, name: str) -> Avoided | None:
    """The rate at baseline less the rate now (S,), times the cases now; None without a baseline, or without cases."""
    if name not in given.trees:
        return None
    posterior = read(params, name, given.panel, given.trees[name])
    if posterior.windows.baseline is None or not np.isfinite(posterior.cases).all():
        return None
    rates = programme_rates(evaluated(posterior, params.rules))
    now, before = posterior.windows.current, posterior.windows.baseline
    rows = given.panel[given.panel["measure"].eq(name) & given.panel["period"].isin(now.periods)]
    cases = _in_time(rows, period_days(params, rows["period"]))
    fewer = (rates[before.label] - rates[now.label]) / posterior.measure.scale
    return Avoided(name, "change", fewer * math.fsum(cases), cases)


def aligned(draws: list[np.ndarray]) -> np.ndarray:
    """Draws of several measures (M, S), thinned evenly to the fewest; each fit is independent of the others."""
    size = min(map(len, draws))
    return np.stack([values[np.linspace(0, len(values) - 1, size).round().astype(int)] for values in draws])

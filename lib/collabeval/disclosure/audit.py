"""What may be shown of audits and of ratings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from collabeval.disclosure import suppress as rule
from collabeval.disclosure.beside import beside
from collabeval.disclosure.view import Run
from collabeval.params import Params

KAPPA = ["kappa_low", "kappa", "kappa_high"]


@dataclass(frozen=True)
class AuditView:
    """Agreement of two abstractions, per cent; `kappa` is NaN where it is not known what chance would give.

    Attributes
    ----------
    whole, fields, sites : the columns of `beside` for `agreement`, kappa with its interval and records `checked` (NaN
        where so few that they are hidden); `label` names the field or site. `whole` has one row.
    period, before : of the audits now and before ("" without any).
    """

    whole: pd.DataFrame
    fields: pd.DataFrame
    sites: pd.DataFrame
    period: str
    before: str


@dataclass(frozen=True)
class RatingsView:
    """Scores of the features, 1 to 5, free of the raters' severity; nothing of single raters.

    ``scores`` has feature and the columns of `beside`; ``spread`` is by how many points a severe rater (one standard
    deviation above the average) scores lower than a lenient one, with its interval; ``alpha`` is Krippendorff's.
    """

    scores: pd.DataFrame
    raters: int
    alpha: float
    spread: tuple[float, float, float]
    period: str
    before: str


def publish_audit(run: Run, params: Params, labels: Mapping[str, str]) -> AuditView | None:
    """The view, or None without an audit."""
    counts = run.further.get("audit_counts")
    if counts is None or counts.empty:
        return None
    estimates, chances = run.further["audit_estimates"], run.further["audit_probabilities"]
    checked = counts.assign(checked=rule.suppress(counts["checked"], params.report.minimum_cell))
    whole, fields, sites = (
        _agreement(estimates, chances, checked, kind, labels if kind == "site" else {})
        for kind in ("", "field", "site")
    )
    period, before = _periods(counts)
    return AuditView(whole, fields, sites, period, before)


def _agreement(
    estimates: pd.DataFrame, chances: pd.DataFrame, counts: pd.DataFrame, kind: str, labels: Mapping[str, str]
) -> pd.DataFrame:
    """One row for each field (or site, or for all) with what `AuditView` says."""
    others, keys = [name for name in ("field", "site") if name != kind], [kind or "field"]
    own, likely, number = (_only(table, kind, others) for table in (estimates, chances, counts))
    now = number[number["years_back"].eq(counts["years_back"].min())]
    table = beside(own, likely, keys, "agreement").merge(_kappa(own, keys), on=keys, how="left")
    table = table.merge(now[[*keys, "checked"]], on=keys, how="left")
    table["label"] = [labels.get(label, str(label).replace("_", " ")) for label in table[keys[0]]]
    return table.drop(columns=keys).astype(dict.fromkeys(KAPPA, float))


def _only(table: pd.DataFrame, kind: str, others: list[str]) -> pd.DataFrame:
    """Rows about one field, or about one site, or about all."""
    keep = (table[others] == "").all(axis=1)
    return table[keep & table[kind].ne("")] if kind else table[keep]


def _kappa(estimates: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    rows = estimates[estimates["estimand"].eq("kappa")]
    rows = rows[rows["years_back"].eq(estimates["years_back"].min())]
    return rows[[*keys, "q025", "q50", "q975"]].set_axis([*keys, *KAPPA], axis=1)


def publish_ratings(run: Run) -> RatingsView | None:
    """The view, or None without ratings by enough raters (waves with fewer are not estimated)."""
    counts = run.further.get("ratings_counts")
    if counts is None or counts.empty:
        return None
    now = counts.sort_values("years_back").iloc[0]
    estimates, chances = run.further["ratings_estimates"], run.further["ratings_probabilities"]
    spread = estimates.loc[estimates["estimand"].eq("severity_spread"), ["q50", "q025", "q975"]].iloc[0]
    period, before = _periods(counts)
    return RatingsView(
        scores=beside(estimates[estimates["feature"].ne("")], chances, ["feature"], "score"),
        raters=int(now["raters"]),
        alpha=float(now["alpha"]),
        spread=(float(spread["q50"]), float(spread["q025"]), float(spread["q975"])),
        period=period,
        before=before,
    )


def _periods(counts: pd.DataFrame) -> tuple[str, str]:
    """Label of now, and of the wave before or ""."""
    ordered = counts.drop_duplicates("years_back").sort_values("years_back")["period"].to_list()
    return str(ordered[0]), str(ordered[1]) if len(ordered) > 1 else ""

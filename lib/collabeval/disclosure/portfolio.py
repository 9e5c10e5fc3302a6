"""The funder's edition of a portfolio: what may be shown of collaboratives, with no site to be told from it.

Nothing of a single site passes: neither code nor name, no row of one site, no number that rests on fewer sites than
`report.minimum_sites`. Of sites that collaboratives share no count below that
is told, and the others rounded to a multiple of it.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from collabeval import command
from collabeval.disclosure.command import PublishedCommand, publish_portfolio_command
from collabeval.disclosure.publish import views_of
from collabeval.disclosure.results import hidden_rows, rescaled
from collabeval.disclosure.suppress import coarsen, suppress
from collabeval.disclosure.view import MeasureView
from collabeval.params.portfolio import Portfolio

if TYPE_CHECKING:
    from collabeval.portfolio import Funder, Member

OF_SITES = {"site", "national", "name"}  # columns that no published table has
QUARTILES = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class MemberView:
    """One collaborative as the report speaks of it; `views` are its measures that may be shown, the leading first."""

    name: str
    label: str
    status: str
    edition: str
    sites: int
    first: str
    last: str
    lacks: tuple[str, ...]
    given: tuple[str, ...]  # its further tables
    views: tuple[MeasureView, ...]
    withheld: tuple[str, ...]  # labels of measures that rest on too few sites
    engines: tuple[tuple[str, str], ...]  # of each measure of its run, with what the check said; () where not recorded

    def view(self, measure: str) -> MeasureView:
        return next(view for view in self.views if view.name == measure)


@dataclass(frozen=True)
class PublishedPortfolio:
    """What may be shown of a portfolio; rates are on the base of each measure, a number not shown is NaN.

    ``left_out`` are those without results: label, and what kind of failure (`refused` for params or data, `failed`).
    ``best_of`` has quartiles over sites in place of sites; ``by_number`` counts sites (rounded) by in how many
    collaboratives they take part, `more` where the row stands for that many or more. ``command`` is how to make the
    report again, as far as it may be told; None where it is not known.
    """

    params: Portfolio
    members: tuple[MemberView, ...]
    left_out: tuple[tuple[str, str], ...]
    estimates: pd.DataFrame
    probabilities: pd.DataFrame
    words: pd.DataFrame
    improvements: pd.DataFrame
    features: pd.DataFrame
    indicators: pd.DataFrame
    practices: pd.DataFrame
    value: pd.DataFrame
    overlap: pd.DataFrame
    by_number: pd.DataFrame
    best_of: pd.DataFrame
    association: pd.DataFrame
    diagnostics: pd.DataFrame
    command: PublishedCommand | None

    def __post_init__(self) -> None:
        for name, found in vars(self).items():
            if isinstance(found, pd.DataFrame) and OF_SITES & set(found.columns):
                raise AssertionError(f"{name} tells of single sites")

    def member(self, name: str) -> MemberView:
        return next(member for member in self.members if member.name == name)


def publish_portfolio(
    funder: Funder, tables: Mapping[str, pd.DataFrame], found: Mapping[str, pd.DataFrame]
) -> PublishedPortfolio:
    """Apply the rules to the gathered `tables`, and to what was `found` from them (association, diagnostics)."""
    fewest = funder.params.report.minimum_sites
    views = {member.name: _views(member, fewest) for member in funder.members}
    said = {row["collaborative"]: row for row in tables["portfolio_members"].to_dict("records")}
    small = {(member.name, view.name) for member in funder.members for view in views[member.name][0]
             if _is_small(member, view)}  # fmt: skip
    measured = {(name, view.name) for name, (shown, _) in views.items() for view in shown}
    return PublishedPortfolio(
        params=funder.params,
        members=tuple(_member(member, said[member.name], *views[member.name]) for member in funder.members),
        left_out=tuple((str(said[one.name]["label"]), "refused" if one.exit_code == 2 else "failed")
                       for one in funder.left_out),
        estimates=_estimates(_of(tables["portfolio_estimates"], measured), views, small),
        probabilities=_of(tables["portfolio_probabilities"], measured),
        words=_of(tables["portfolio_words"], measured),
        improvements=_enough(tables["portfolio_improvements"], funder, fewest),
        features=_enough(tables["portfolio_features"], funder, fewest),
        indicators=_enough(tables["portfolio_indicators"], funder, fewest),
        practices=tables["portfolio_practices"].query("sites >= @fewest").reset_index(drop=True),
        value=_value(_enough(tables["portfolio_value"], funder, fewest), {name for name, _ in small}),
        overlap=_overlap(tables["portfolio_overlap"], fewest),
        by_number=_by_number(tables["portfolio_sites"], fewest),
        best_of=_best_of(tables["portfolio_best_of"], fewest),
        association=found["portfolio_association"],
        diagnostics=found["diagnostics"].drop(columns="changes"),
        command=publish_portfolio_command(command.read(funder.run)),
    )  # fmt: skip


def _views(member: Member, fewest: int) -> tuple[tuple[MeasureView, ...], tuple[str, ...]]:
    """The measures that rest on sites enough in every window that is compared, and the labels of the others."""
    shown: list[MeasureView] = []
    withheld: list[MeasureView] = []
    for view in views_of(member.panel, member.params):
        rows = member.panel[member.panel["measure"].eq(view.name)]
        windows = [window for window in (view.windows.current, view.windows.baseline) if window is not None]
        least = min(rows[rows["period"].isin(window.periods)]["site"].nunique() for window in windows)
        (shown if least >= fewest else withheld).append(view)
    return tuple(shown), tuple(view.params.label for view in withheld)


def _is_small(member: Member, view: MeasureView) -> bool:
    """Whether a total count of the measure, now or at baseline, may not be shown (`minimum_cell` of its own params)."""
    rows = member.panel[member.panel["measure"].eq(view.name)]
    windows = [window for window in (view.windows.current, view.windows.baseline) if window is not None]
    sums = pd.DataFrame([rows[rows["period"].isin(window.periods)][["numerator", "denominator", "n"]].sum(min_count=1)
                         for window in windows])  # fmt: skip
    return bool(hidden_rows(sums, view, member.params.report.minimum_cell).any())


def _member(
    member: Member, said: Mapping[Hashable, Any], views: tuple[MeasureView, ...], withheld: tuple[str, ...]
) -> MemberView:
    return MemberView(
        name=member.name, label=member.label, status=member.status, edition=member.params.edition,
        sites=int(said["sites"]), first=str(said["first"]), last=str(said["last"]),
        lacks=_listed(said["lacks"]), given=_listed(said["given"]), views=views, withheld=withheld,
        engines=member.engines,
    )  # fmt: skip


def _listed(text: object) -> tuple[str, ...]:
    return tuple(filter(None, str(text).split(", ")))


def _of(table: pd.DataFrame, measured: set[tuple[str, str]]) -> pd.DataFrame:
    """Rows of the measures that are shown."""
    keys = zip(table["collaborative"], table["measure"], strict=True)
    return table[[key in measured for key in keys]].reset_index(drop=True)


def _estimates(
    table: pd.DataFrame, views: Mapping[str, tuple[tuple[MeasureView, ...], object]], small: set[tuple[str, str]]
) -> pd.DataFrame:
    """Estimates on the base of the report; where a total is small only a coarse interval is left."""
    parts = []
    for name, rows in table.groupby("collaborative", sort=False):
        effects = rows["estimand"].eq("effect")
        renamed = rows.assign(estimand=rows["estimand"].where(~effects, "change"))  # a difference of rates, as that is
        parts.append(rescaled(renamed, views[str(name)][0]).assign(estimand=rows["estimand"]))
    shown = pd.concat(parts, ignore_index=True) if parts else table
    keys = zip(shown["collaborative"], shown["measure"], strict=True)
    hidden = pd.Series([key in small for key in keys], index=shown.index, dtype=bool)
    return coarsen(shown, hidden)


def _enough(table: pd.DataFrame, funder: Funder, fewest: int) -> pd.DataFrame:
    """Rows of collaboratives with sites enough."""
    few = {member.name for member in funder.members if member.panel["site"].nunique() < fewest}
    return table[~table["collaborative"].isin(few)].reset_index(drop=True)


def _value(table: pd.DataFrame, small: set[str]) -> pd.DataFrame:
    """Totals in money; those of a collaborative with a small total count would tell it, and go."""
    return table[~table["collaborative"].isin(small)].reset_index(drop=True)


def _overlap(table: pd.DataFrame, fewest: int) -> pd.DataFrame:
    """Shared sites by pair, rounded; counts from 1 to `fewest` − 1 are blank, zeros and all of one (itself) stay."""
    alone = table["collaborative"].eq(table["other"])
    counts = table["sites"].astype(float)
    return table.assign(sites=counts.where(alone, _rounded(suppress(counts, fewest), fewest)))


def _by_number(table: pd.DataFrame, fewest: int) -> pd.DataFrame:
    """Sites by the number of their collaboratives, rounded; small ones go into "that many or more", from the top down.

    A count left small below makes the table vanish. Rounded, since all places together are known: they and exact
    counts would tell how many sites the last row hides.
    """
    rows = [[int(row["collaboratives"]), int(row["sites"]), False] for row in table.to_dict("records")]
    while len(rows) > 1 and rows[-1][1] < fewest:
        _, sites, _ = rows.pop()
        rows[-1] = [rows[-1][0], rows[-1][1] + sites, True]
    if any(sites < fewest for _, sites, _ in rows):
        rows = []
    told = pd.DataFrame(rows, columns=["collaboratives", "sites_counted", "more"])
    return told.assign(sites_counted=_rounded(told["sites_counted"].astype(float), fewest))


def _rounded(counts: pd.Series, base: int) -> pd.Series:
    """Counts to the nearest multiple of `base`."""
    return base * (counts / base).round()


def _best_of(table: pd.DataFrame, fewest: int) -> pd.DataFrame:
    """Quartiles over sites of points on the data and expected, and by how much the first exceed the second.

    Half of the sites lie outside the quartiles: each half must be `fewest` or more.
    """
    rows = []
    for score, own in table.groupby("score", sort=False):
        if len(own) < 2 * fewest:
            continue
        row: dict[str, object] = {"score": score, "scored": len(own), "counted": float(own["counted"].mean())}
        for column in ("points", "expected"):
            values = np.quantile(own[column].astype(float), QUARTILES)
            row |= {f"{column}_{round(100 * at)}": value for at, value in zip(QUARTILES, values, strict=True)}
        rows.append({**row, "luck": float((own["points"] - own["expected"]).mean())})
    return pd.DataFrame(rows)

"""The runs of a portfolio's collaboratives, opened: their results tables, still confidential."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from collabeval import params_file, portfolio_file
from collabeval.panel import Windows, windows
from collabeval.params import Params
from collabeval.params.portfolio import Portfolio
from collabeval.portfolio.register import checked_register
from collabeval.portfolio_file import Outcome
from collabeval.run_folder import RunFolder
from collabeval.sources import Source

ALWAYS = ("programme_estimates", "site_probabilities", "site_statements")
WHERE_THERE = (
    "effect_summary", "effect_statements", "feature_profile", "feature_profile_probabilities",
    "feature_probabilities", "value_summary", "scorecard_sites",
)  # fmt: skip


@dataclass(frozen=True)
class Member:
    """One collaborative whose run has results; `tables` are those of `results/` that a portfolio reads.

    `engines` has engine and check of each of its measures (`portfolio_file.Outcome`).
    """

    name: str
    label: str
    status: str
    params: Params
    sites: pd.DataFrame
    panel: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    given: Mapping[str, pd.DataFrame]
    engines: tuple[tuple[str, str], ...]

    def windows_of(self, measure: str) -> Windows:
        """The windows that the measure's results compare."""
        return windows(self.params.periods, self.panel[self.panel["measure"].eq(measure)])

    def table(self, name: str) -> pd.DataFrame:
        """A results table, empty where the run has none."""
        return self.tables.get(name, pd.DataFrame())


@dataclass(frozen=True)
class Funder:
    """A portfolio with what its collaboratives' runs found; `left_out` are those without results.

    `register` has `national, collaborative, site`, or is None where there is none.
    """

    params: Portfolio
    members: tuple[Member, ...]
    left_out: tuple[Outcome, ...]
    register: pd.DataFrame | None
    sources: list[Source]
    run: RunFolder

    @property
    def names(self) -> list[str]:
        return [member.name for member in self.members]


def open_funder(run_folder: str) -> Funder:
    """Open a portfolio's run: the results of every collaborative that has any, and the register of sites.

    Raises
    ------
    ContractError
        The register breaks its contract, with every problem in it.
    """
    run = RunFolder(Path(run_folder))
    params, outcomes = portfolio_file.read_resolved(run), portfolio_file.read_members(run)
    members = tuple(_member(params, outcome) for outcome in outcomes if outcome.status != "failed")
    register: pd.DataFrame | None = None
    sources: list[Source] = []
    if params.site_register is not None:
        known = {member.name: list(member.sites["site"]) for member in members}
        register, sources = checked_register(params.site_register, list(params.collaboratives), known)
    left_out = tuple(outcome for outcome in outcomes if outcome.status == "failed")
    return Funder(params, members, left_out, register, sources, run)


def _member(portfolio: Portfolio, outcome: Outcome) -> Member:
    run = RunFolder(Path(outcome.folder))
    params = params_file.read_resolved(run.params)
    names = (*ALWAYS, *(name for name in WHERE_THERE if run.table(name).exists()))
    return Member(
        name=outcome.name,
        label=portfolio.collaboratives[outcome.name].label or params.title,
        status=outcome.status,
        params=params,
        sites=run.read(run.sites),
        panel=run.read(run.panel),
        tables={name: run.read(run.table(name)) for name in names},
        given={name: run.read(run.data_table(name)) for name in params.data.further},
        engines=outcome.engines,
    )

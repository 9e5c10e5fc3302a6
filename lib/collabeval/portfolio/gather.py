"""Everything the collaboratives' runs found, side by side: the results tables of a portfolio (docs/portfolio.md)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from collabeval import portfolio_file
from collabeval.params.portfolio import Portfolio
from collabeval.portfolio.best_of import best_of
from collabeval.portfolio.features import features, indicators
from collabeval.portfolio.improvement import improvements
from collabeval.portfolio.members import Funder, Member
from collabeval.portfolio.outcomes import estimates, probabilities, words
from collabeval.portfolio.overlap import overlap, sites_by_number
from collabeval.portfolio.practices import practices
from collabeval.portfolio.value import value
from collabeval.run_folder import RunFolder

FOUND = ("portfolio_association", "diagnostics")
MEMBERS = ("collaborative", "label", "status", "edition", "reason", "sites", "first", "last", "has", "lacks", "given")
LOOKED_FOR = {  # what a collaborative may lack, by the results tables of which one is there where it does not
    "effect": ("effect_summary",),
    "features": ("feature_profile", "feature_probabilities"),
    "practices": (),
    "value": ("value_summary",),
    "scorecards": ("scorecard_sites",),
}


def gather(funder: Funder) -> dict[str, pd.DataFrame]:
    """The results tables of a portfolio by name, but for what a model is fitted for (`association`)."""
    return {
        "portfolio_members": members_table(funder),
        "portfolio_estimates": estimates(funder),
        "portfolio_probabilities": probabilities(funder),
        "portfolio_words": words(funder),
        "portfolio_improvements": improvements(funder),
        "portfolio_features": features(funder),
        "portfolio_indicators": indicators(funder),
        "portfolio_practices": practices(funder),
        "portfolio_value": value(funder),
        "portfolio_overlap": overlap(funder),
        "portfolio_sites": sites_by_number(funder),
        "portfolio_best_of": best_of(funder),
    }


def read_tables(run_folder: str) -> tuple[Portfolio, RunFolder, dict[str, pd.DataFrame]]:
    """Params, folder and the gathered tables of a portfolio's run."""
    run = RunFolder(Path(run_folder))
    return portfolio_file.read_resolved(run), run, {name: run.read(run.table(name)) for name in portfolio_file.GATHERED}


def read_found(run: RunFolder) -> dict[str, pd.DataFrame]:
    """What was found from the gathered tables (`association`): slopes, and the checks of everything."""
    return {name: run.read(run.table(name)) for name in FOUND}


def members_table(funder: Funder) -> pd.DataFrame:
    """One row per collaborative, those without results too: `status`, and which parts it `has` and `lacks`."""
    found = {member.name: _member_row(member) for member in funder.members}
    out = {outcome.name: outcome for outcome in funder.left_out}
    rows = []
    for name, asked in funder.params.collaboratives.items():
        if name in found:
            rows.append(found[name])
        else:
            reason = " ".join(out[name].reasons)
            rows.append({"collaborative": name, "label": asked.label or name, "status": "failed", "reason": reason})
    return pd.DataFrame(rows).reindex(columns=list(MEMBERS)).fillna({name: "" for name in MEMBERS if name != "sites"})


def _member_row(member: Member) -> dict[str, object]:
    periods = sorted(member.panel["period"].unique())
    there = {"practices"} if "practices" in member.given else set()
    there |= {part for part, found in LOOKED_FOR.items() if any(len(member.table(table)) for table in found)}
    return {
        "collaborative": member.name, "label": member.label, "status": member.status, "edition": member.params.edition,
        "reason": "", "sites": member.panel["site"].nunique(), "first": periods[0], "last": periods[-1],
        "has": ", ".join(part for part in LOOKED_FOR if part in there),
        "lacks": ", ".join(part for part in LOOKED_FOR if part not in there), "given": ", ".join(member.given),
    }  # fmt: skip

"""The comparison of several fits to the same data, measure by measure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import xarray as xr
from arviz_stats.utils import ELPDData

from collabeval import diagnostics, draws, estimates
from collabeval.comparison.basis import basis
from collabeval.comparison.changes import changes
from collabeval.comparison.elpd import leave_one_out, ranked
from collabeval.comparison.names import alternatives, draws_name, seconds_name
from collabeval.diagnostics.check import Check, as_table
from collabeval.params import PARAMS_MODEL, Params
from collabeval.run_folder import RunFolder


@dataclass(frozen=True)
class Comparison:
    """The tables `alternatives`, `changes` and `diagnostics` of a comparison."""

    alternatives: pd.DataFrame
    changes: pd.DataFrame
    checks: pd.DataFrame


@dataclass(frozen=True)
class _Judged:
    """What is kept of one fit once its draws are let go."""

    words: pd.DataFrame
    elpd: ELPDData
    checks: list[Check]
    attributes: dict[str, str]


def compare(params: Params, panel: pd.DataFrame, run: RunFolder) -> Comparison:
    """Compare every alternative's fit of every measure with that of the params' model; one fit in memory at a time."""

    def load(alternative: str, measure: str) -> xr.DataTree:
        return draws.load(run.draws(draws_name(alternative, measure)))

    found = [compare_measure(params, panel, measure, load) for measure in params.measures]
    seconds = [run.read(run.table(seconds_name(name))).assign(alternative=name) for name in alternatives(params)]
    table = pd.concat([rows for rows, _, _ in found], ignore_index=True)
    table = table.merge(pd.concat(seconds, ignore_index=True), on=["measure", "alternative"], how="left")
    words = pd.concat([changed for _, changed, _ in found], ignore_index=True)
    judged = as_table(check for _, _, checks in found for check in checks)
    return Comparison(table.assign(basis=basis(params, panel)), words, judged)


def compare_measure(
    params: Params, panel: pd.DataFrame, name: str, load: Callable[[str, str], xr.DataTree]
) -> tuple[pd.DataFrame, pd.DataFrame, list[Check]]:
    """One measure's models: a row each (`ranked`, with engine and checks), the words that change, and the checks."""
    judged = {other: _judge(own, other, name, panel, load(other, name)) for other, own in alternatives(params).items()}
    base = judged[PARAMS_MODEL]
    table = ranked({other: found.elpd for other, found in judged.items()})
    failed = {other: [check.check for check in found.checks if not check.passed] for other, found in judged.items()}
    changed = {other: changes(other, base.words, found.words) for other, found in judged.items()}
    table = table.assign(
        measure=name,
        engine=[judged[other].attributes["engine"] for other in table["alternative"]],
        engine_reason=[judged[other].attributes.get("engine_reason", "") for other in table["alternative"]],
        failed=["; ".join(failed[other]) for other in table["alternative"]],
        changed=[len(changed[other]) for other in table["alternative"]],
    )
    words = pd.concat([table for other, table in changed.items() if other != PARAMS_MODEL], ignore_index=True)
    return table, words, [check for found in judged.values() for check in found.checks]


def _judge(params: Params, alternative: str, name: str, panel: pd.DataFrame, tree: xr.DataTree) -> _Judged:
    sites = estimates.evaluate_sites(params, panel, {name: tree})
    programme = estimates.evaluate_programme(params, panel, {name: tree}).estimates
    reported = pd.concat([sites.estimates, programme], ignore_index=True)
    found = diagnostics.blocking(draws_name(alternative, name), tree, reported)
    said = {str(key): str(value) for key, value in tree.attrs.items()}
    return _Judged(sites.statements, leave_one_out(params, name, panel, tree), found, said)

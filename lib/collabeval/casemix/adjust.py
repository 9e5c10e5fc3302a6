"""From the collapsed records of every measure to the rows of the panel, and to the results of the case-mix models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from collabeval.casemix import TABLES, judge
from collabeval.casemix.by_site import by_site
from collabeval.casemix.model import CaseMixModel, fit_case_mix
from collabeval.casemix.patterns import Patterns
from collabeval.casemix.regression import NoFitError
from collabeval.casemix.sites import expected_rows, outcome_rows, standardised
from collabeval.errors import ContractError, Problem
from collabeval.panel import windows
from collabeval.params import Params


@dataclass(frozen=True)
class CaseMix:
    """The rows of all measures as the table of outcomes has them, and the case-mix results by name of `TABLES`."""

    outcomes: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]


def adjust(params: Params, records: Mapping[str, Patterns], outcomes: pd.DataFrame) -> CaseMix:
    """Fit the case-mix model of every measure with records, to its baseline, and work out what it expects.

    `outcomes` are the rows of the measures without records; the answer has those of all measures.

    Raises
    ------
    ContractError
        with every measure whose model cannot be fitted, and what to do about it.
    """
    counted: list[pd.DataFrame] = []
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in TABLES}
    problems = []
    for name, patterns in records.items():
        try:
            rows, found = _measure(params, name, patterns)
        except NoFitError as error:
            problems.append(Problem("records", error.what, error.fix, column=f"measures.{name}.records"))
            continue
        counted.append(rows)
        for table, part in found.items():
            tables[table].append(part.assign(measure=name)[["measure", *part.columns]])
    if problems:
        raise ContractError(problems)
    every = pd.concat([part for part in (outcomes, *counted) if len(part)], ignore_index=True)
    return CaseMix(every, {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items() if parts})


def _measure(params: Params, name: str, patterns: Patterns) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    measure = params.measures[name]
    assert measure.records is not None
    baseline, current = _windows(params, patterns)
    model = fit_case_mix(measure, patterns, baseline) if measure.records.case_mix else None
    expected = expected_rows(measure, patterns, model)
    first = patterns.cells[baseline]
    level = float(first["total"].sum() / first["cases"].sum())
    rows = outcome_rows(name, measure, expected, level)
    return rows, {} if model is None else _tables(params, name, patterns, model, expected, current)


def _tables(
    params: Params, name: str, patterns: Patterns, model: CaseMixModel, expected: pd.DataFrame, current: list[str]
) -> dict[str, pd.DataFrame]:
    measure = params.measures[name]
    coefficients = model.coefficients.assign(dispersion=model.dispersion)
    parts = (
        coefficients, judge.calibration(model, patterns.cells), judge.deciles(model, patterns.cells),
        expected.drop(columns="spread"), standardised(measure, patterns, model, current),
        *by_site(model, patterns.cells[patterns.cells["period"].isin(current)]),
    )  # fmt: skip
    return dict(zip(TABLES, parts, strict=True))


def _windows(params: Params, patterns: Patterns) -> tuple[npt.NDArray[np.bool_], list[str]]:
    """Which cells lie in the baseline (all, where there is none), and the periods of the current window."""
    periods = patterns.cells["period"]
    present = pd.DataFrame({"period": periods.astype(str).unique()})
    compared = windows(params.periods, present)
    chosen = periods.isin(compared.baseline.periods if compared.baseline else present["period"])
    return chosen.to_numpy(), list(compared.current.periods)

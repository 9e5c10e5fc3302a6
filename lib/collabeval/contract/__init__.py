"""The contract: tables are read and checked once, at the door; every problem is told at once.

After this no module checks the data again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from collabeval.casemix.patterns import Patterns
from collabeval.contract.further import checked_further
from collabeval.contract.header import EXAMPLE, Stack, stacked
from collabeval.contract.outcomes import checked_outcomes, too_little
from collabeval.contract.record_rows import columns_of
from collabeval.contract.records import checked_records
from collabeval.contract.schemas import FAMILY, NUMBERS, OUTCOMES, SCHEMAS, SITES
from collabeval.contract.sites import checked_sites
from collabeval.errors import ContractError, Problem
from collabeval.params import FurtherName, Params, TableName
from collabeval.sources import Source, read

__all__ = ["EXAMPLE", "FAMILY", "NUMBERS", "OUTCOMES", "SCHEMAS", "SITES", "Inputs", "read_inputs"]


@dataclass(frozen=True)
class Inputs:
    """The checked tables, what was read otherwise than as written, and where the rows came from."""

    sites: pd.DataFrame
    outcomes: pd.DataFrame
    log: list[str]
    sources: list[Source]
    records: dict[str, Patterns] = field(default_factory=dict)
    further: dict[FurtherName, pd.DataFrame] = field(default_factory=dict)


def read_inputs(params: Params) -> Inputs:
    """Read and check the tables of one evaluation.

    Returns
    -------
    Inputs
        `sites`: site, name, joined (datetime, NaT where unknown), peer_group and whatever else the table has.
        `outcomes`: site, period ("" where `periods.length` is none), measure, and as float64 the columns of `NUMBERS`
        (NaN where a measure has none), then whatever else the table has. Rows without any value are left out.
        `records`: for each measure counted from records its covariate patterns by site and period.
        `further`: those of the further tables that are given, by name; `contract.further` says what they hold.

    Raises
    ------
    ContractError
        listing every problem of every file: row, column, value, what is wrong, how to mend it.
    """
    stacks, sources, problems = _stacks(params)
    sites, outcomes = pd.DataFrame(), pd.DataFrame()
    if "sites" in stacks:
        sites = checked_sites(stacks["sites"], problems)
    codes = list(sites["site"]) if "sites" in stacks else None
    if "outcomes" in stacks:
        outcomes = checked_outcomes(stacks["outcomes"], params, codes, problems)
    further = {
        table: checked_further(table, stacks[table], params, codes, problems)
        for table in params.data.further
        if table in stacks
    }
    log = [line for stack in stacks.values() for line in stack.log]
    records = _records(params, codes, sources, problems, log)
    if problems:
        raise ContractError(list(dict.fromkeys(problems)))  # both tables may lie in one workbook that cannot be read
    return Inputs(sites, outcomes, log, list(dict.fromkeys(sources)), records, further)


def _stacks(params: Params) -> tuple[dict[TableName, Stack], list[Source], list[Problem]]:
    """The tables that could be read, where their rows came from, and why others could not be read."""
    stacks: dict[TableName, Stack] = {}
    sources: list[Source] = []
    problems: list[Problem] = []
    tables: tuple[TableName, ...] = ("sites", "outcomes", *params.data.further)
    for table in tables:
        if getattr(params.data, table) is None:
            continue
        try:
            found, origins = read(params.data, table)
            stacks[table] = stacked(found, table, params)
            sources += origins
        except ContractError as error:
            problems += error.problems
    return stacks, sources, problems


def _records(
    params: Params, codes: list[str] | None, sources: list[Source], problems: list[Problem], log: list[str]
) -> dict[str, Patterns]:
    """The records collapsed, by measure; adds where they came from, what is wrong, and notes."""
    if params.data.records is None:
        return {}
    try:
        tables, origins = read(params.data, "records", columns_of(params))
        sources += origins
        wrong: list[Problem] = []
        records = checked_records(tables, params, codes, wrong, log)
    except ContractError as error:
        problems += error.problems
        return {}
    if not wrong:
        for name, patterns in records.items():
            there = patterns.cells[["site", "period"]].drop_duplicates().astype(str).assign(measure=name)
            wrong += too_little(there, params, [name], tables[0].file)
    problems += wrong
    return records

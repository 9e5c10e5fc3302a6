"""The contract: tables are read and checked once, at the door; every problem is told at once.

After this no module checks the data again.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from collabeval.contract.header import EXAMPLE, Stack, stacked
from collabeval.contract.outcomes import checked_outcomes
from collabeval.contract.schemas import FAMILY, NUMBERS, OUTCOMES, SCHEMAS, SITES
from collabeval.contract.sites import checked_sites
from collabeval.errors import ContractError, Problem
from collabeval.params import Params
from collabeval.sources import Source, TableName, read

__all__ = ["EXAMPLE", "FAMILY", "NUMBERS", "OUTCOMES", "SCHEMAS", "SITES", "Inputs", "read_inputs"]


@dataclass(frozen=True)
class Inputs:
    """The checked tables, what was read otherwise than as written, and where the rows came from."""

    sites: pd.DataFrame
    outcomes: pd.DataFrame
    log: list[str]
    sources: list[Source]


def read_inputs(params: Params) -> Inputs:
    """Read and check the tables of one evaluation.

    Returns
    -------
    Inputs
        `sites`: site, name, joined (datetime, NaT where unknown), peer_group and whatever else the table has.
        `outcomes`: site, period ("" where `periods.length` is none), measure, and as float64 the columns of `NUMBERS`
        (NaN where a measure has none), then whatever else the table has. Rows without any value are left out.

    Raises
    ------
    ContractError
        listing every problem of every file: row, column, value, what is wrong, how to mend it.
    """
    stacks, sources, problems = _stacks(params)
    sites, outcomes = pd.DataFrame(), pd.DataFrame()
    if "sites" in stacks:
        sites = checked_sites(stacks["sites"], problems)
    if "outcomes" in stacks:
        codes = list(sites["site"]) if "sites" in stacks else None
        outcomes = checked_outcomes(stacks["outcomes"], params, codes, problems)
    if problems:
        raise ContractError(list(dict.fromkeys(problems)))  # both tables may lie in one workbook that cannot be read
    log = [line for stack in stacks.values() for line in stack.log]
    return Inputs(sites, outcomes, log, list(dict.fromkeys(sources)))


def _stacks(params: Params) -> tuple[dict[str, Stack], list[Source], list[Problem]]:
    """The tables that could be read, where their rows came from, and why others could not be read."""
    stacks: dict[str, Stack] = {}
    sources: list[Source] = []
    problems: list[Problem] = []
    tables: tuple[TableName, ...] = ("sites", "outcomes")
    for table in tables:
        try:
            found, origins = read(params.data, table)
            stacks[table] = stacked(found, table, params)
            sources += origins
        except ContractError as error:
            problems += error.problems
    return stacks, sources, problems

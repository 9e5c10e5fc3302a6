"""Covariates of the model of site performance: columns of the panel with their values as they are, checked.

A column of the sites or of the outcomes is taken as written; the volume of a site, its case-mix and the season are
worked out from the outcomes. How they enter a model is `models/covariates.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from collabeval.errors import ContractError, Problem
from collabeval.params import Params
from collabeval.params.covariates import DERIVED, SiteCovariate
from collabeval.params.model import Model

PREFIX = "covariate "
NUMBER = re.compile(r"-?\d+(\.\d+)?([eE]-?\d+)?")
MOST_NAMED = 6


def column(name: str, how: SiteCovariate) -> str:
    """The panel's column of a covariate: `covariate sites.beds`, `covariate volume`."""
    return f"{PREFIX}{how.kind}" if how.kind in DERIVED else f"{PREFIX}{how.table}.{name}"


def columns(*models: Model) -> list[str]:
    """The panel's columns that these models need, each once."""
    return list(dict.fromkeys(column(name, how) for model in models for name, how in model.terms.items()))


def with_covariates(params: Params, panel: pd.DataFrame, sites: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """The panel with a column for every covariate of `model` and of the models of `compare`.

    Numbers are numbers, categories text. A covariate that a measure cannot have (`case_mix` without predicted numbers)
    is blank in all its rows.

    Raises
    ------
    ContractError
        listing every covariate that is missing, incomplete, no number, or the same everywhere.
    """
    problems: list[Problem] = []
    wanted = {column(name, how): (name, how) for model in (params.model, *params.compare.values())
              for name, how in model.terms.items()}  # fmt: skip
    found = panel.copy()
    for place, (name, how) in wanted.items():
        values, wrong = _values(params, found, sites, outcomes, name, how)
        wrong = wrong or list(_unusable(values, found, name, how))
        problems += wrong
        found[place] = values
    if problems:
        raise ContractError(problems)
    return found


def _values(
    params: Params, panel: pd.DataFrame, sites: pd.DataFrame, outcomes: pd.DataFrame, name: str, how: SiteCovariate
) -> tuple[pd.Series, list[Problem]]:
    """One value for each row of the panel, and why there are none."""
    nothing = pd.Series(np.nan, index=panel.index)
    if how.kind == "season":
        if params.periods.length in ("none", "year"):
            fix = "take it out, or set `periods.length` to month, quarter or half"
            return nothing, [
                _problem(name, f"there are no seasons where `periods.length` is {params.periods.length}", fix)
            ]
        return panel["period"].map(season), []
    if how.kind in DERIVED:
        return (volume if how.kind == "volume" else case_mix)(panel), []
    table = sites if how.table == "sites" else outcomes
    if name not in table:
        fix = (
            f"add the column, or mend the name under `model.covariates` (columns: {', '.join(map(str, table.columns))})"
        )
        return nothing, [_problem(name, f"the table of {how.table} has no such column", fix)]
    if how.table == "sites":
        values = panel["site"].map(table.set_index("site")[name])
    else:
        key = ["measure", "site", "period"]
        rows = table.assign(period=table["period"].fillna("") if "period" in table else "").set_index(key)[name]
        values = pd.Series(rows.reindex(pd.MultiIndex.from_frame(panel[key])).to_numpy(), index=panel.index)
    return (_texts(values) if how.kind == "category" else _numbers(values)), []


def season(label: str) -> str:
    """What recurs every year in a period's label: `03`, `Q1` or `H1`."""
    return label[4:].lstrip("-")


def volume(panel: pd.DataFrame) -> pd.Series:
    """Mean denominator a period of each row's site in the row's measure."""
    return panel.groupby(["measure", "site"])["weight"].transform("mean")


def case_mix(panel: pd.DataFrame) -> pd.Series:
    """Predicted numbers of each row's site in the row's measure over all its periods, per case; NaN where not given."""
    sums = panel.groupby(["measure", "site"])[["expected", "denominator"]].transform("sum", min_count=1)
    return sums["expected"] / sums["denominator"]


def _texts(values: pd.Series) -> pd.Series:
    written = [f"{value:g}" if isinstance(value, float) else str(value) for value in values.fillna("")]
    return pd.Series(written, index=values.index, dtype=object)


def _numbers(values: pd.Series) -> pd.Series:
    """Numbers; what is written otherwise stays text, for the complaint."""
    texts = values.astype(object).where(values.notna(), "").astype(str).str.strip()
    plain = texts.str.fullmatch(NUMBER)
    if plain[texts != ""].all():
        return pd.to_numeric(texts.where(texts != ""))
    return texts


def _unusable(values: pd.Series, panel: pd.DataFrame, name: str, how: SiteCovariate) -> Iterator[Problem]:
    """Why a covariate cannot be used as it is."""
    if how.kind == "case_mix":
        if values.isna().all():
            yield _problem(name, "no measure has predicted numbers", "take it out, or add the column `expected`")
        values, panel = values.dropna(), panel[values.notna()]
    if how.kind in ("linear", "log") and not pd.api.types.is_numeric_dtype(values):
        wrong = sorted({value for value in values if value and not NUMBER.fullmatch(value)})
        yield _problem(name, f"is no number: {_some(wrong)}", "mend the cells, or set it to `category`")
        return
    blank = values.isna() | values.eq("")
    if blank.any():
        where = sorted(set(panel.loc[blank, "site"]))
        yield _problem(name, f"is blank for {_some(where)}", "fill it in, or take it out of `model.covariates`")
    elif how.kind == "log" and (values <= 0).any():
        where = sorted(set(panel.loc[values <= 0, "site"]))
        yield _problem(name, f"has no logarithm for {_some(where)}", "only numbers above 0 have one: take `linear`")
    elif how.reference and how.reference not in set(values):
        yield _problem(name, f"has no level {how.reference!r}", f"levels: {_some(sorted(set(values)))}")
    else:
        alike = [str(measure) for measure, rows in values.groupby(panel["measure"]) if rows.nunique() < 2]
        if alike:
            yield _problem(name, f"is the same in every row of {_some(alike)}", "it explains nothing: take it out")


def _problem(name: str, what: str, fix: str) -> Problem:
    return Problem("params", what, fix, column=f"model.covariates.{name}")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more

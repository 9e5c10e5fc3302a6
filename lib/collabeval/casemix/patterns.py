"""Records collapsed to covariate patterns per site and period: all that a regression needs of them, in fewer rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Codes = npt.NDArray[np.integer]
Array = npt.NDArray[np.float64]
LARGEST = 2**62  # of the codes of several columns joined into one number


@dataclass(frozen=True)
class Coded:
    """One column: its distinct values, and for each record which of them it has."""

    codes: Codes
    values: Sequence[Any]


@dataclass(frozen=True)
class Patterns:
    """The records of one measure, collapsed. Nothing that a likelihood needs is lost (docs/casemix.md).

    Attributes
    ----------
    covariates : one row per distinct combination of covariates: text where a category, else numbers.
    cells : one row per site, period and combination: `site, period, year` (categories), `pattern` (row of
        `covariates`), `cases` (records), `exposure` (their sum; the cases where none is given), `total` (sum of the
        outcomes) and `squares` (sum of squared outcomes, each over its exposure).
    """

    covariates: pd.DataFrame
    cells: pd.DataFrame

    @property
    def records(self) -> int:
        return int(self.cells["cases"].sum())


def collapse(
    site: Coded, period: Coded, year: Coded, covariates: Mapping[str, Coded], outcome: Array, exposure: Array | None
) -> Patterns:
    """Collapse records with the same site, period and covariates to one row; `outcome` and `exposure` by record."""
    parts = list(covariates.values())
    pattern, distinct = _joined([(part.codes, len(part.values)) for part in parts], len(outcome))
    values = [pd.Series(part.values)[codes].to_numpy() for part, codes in zip(parts, distinct, strict=True)]
    table = pd.DataFrame(dict(zip(covariates, values, strict=True)), index=range(int(pattern.max(initial=-1)) + 1))
    when = [(one.codes, len(one.values)) for one in (site, period, year)]
    row, (sites, periods, years, patterns) = _joined([*when, (pattern, len(table))], len(outcome))
    count = len(patterns)
    cases = np.bincount(row, minlength=count).astype(float)
    per = outcome if exposure is None else outcome / exposure
    cells = pd.DataFrame(
        {
            **{name: pd.Categorical.from_codes(codes, pd.Index([str(value) for value in one.values], dtype=str))
               for name, codes, one in (("site", sites, site), ("period", periods, period), ("year", years, year))},
            "pattern": patterns,
            "cases": cases,
            "exposure": cases if exposure is None else np.bincount(row, exposure, minlength=count),
            "total": np.bincount(row, outcome, minlength=count),
            "squares": np.bincount(row, outcome * per, minlength=count),
        }
    )  # fmt: skip
    return Patterns(table, cells)


def merged(cells: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Cells summed over everything but `by` (category columns and `pattern`)."""
    codes = [cells[name].to_numpy() if name == "pattern" else cells[name].cat.codes.to_numpy() for name in by]
    row, distinct = _joined([(code, int(code.max()) + 1) for code in codes], len(cells))
    table = {
        name: column if name == "pattern" else pd.Categorical.from_codes(column, cells[name].cat.categories)
        for name, column in zip(by, distinct, strict=True)
    }
    sums = {name: np.bincount(row, cells[name].to_numpy(), minlength=len(distinct[0]))
            for name in ("cases", "exposure", "total", "squares")}  # fmt: skip
    return pd.DataFrame({**table, **sums})


def _joined(columns: Sequence[tuple[Codes, int]], count: int) -> tuple[Codes, list[Codes]]:
    """For each row the number of its combination of codes, and the codes of each distinct combination.

    Codes are joined into one number digit by digit; where that number would grow too large it is numbered anew first.
    """
    joined, size = np.zeros(count, dtype=np.int64), 1
    first: Codes | None = None
    for codes, values in columns:
        if size > LARGEST // max(values, 1):
            joined, _ = pd.factorize(joined)
            size = int(joined.max()) + 1 if count else 1
        joined = joined * max(values, 1) + codes
        size *= max(values, 1)
    row, keys = pd.factorize(joined)
    first = np.empty(len(keys), dtype=np.int64)
    first[row[::-1]] = np.arange(count)[::-1]
    return row, [codes[first] for codes, _ in columns]

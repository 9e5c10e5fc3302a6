"""The one home of column definitions: pandera schemas of the tables, from which templates and the data guide are made.

Every check carries its message as `column|what is wrong|how to mend it`, with `|compares` behind it where it compares
columns or rows: such a check is silent about a row whose own values are already wrong.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pandera.pandas as pa

FAMILY = "family of the measure"  # a column added while checking; its name cannot be anyone's column by chance
COUNTED, AVERAGED = ("binomial", "poisson"), ("normal",)
# the families whose measures use a column, and those for which it holds whole numbers
USED_BY = {"numerator": COUNTED, "denominator": COUNTED, "expected": COUNTED,
           "mean": AVERAGED, "sd": AVERAGED, "n": AVERAGED, "se": AVERAGED}  # fmt: skip
WHOLE: dict[str, tuple[str, ...]] = {"numerator": COUNTED, "denominator": ("binomial",), "n": AVERAGED}
Holds = Callable[[pd.DataFrame], pd.Series]


def _check(column: str, what: str, fix: str, holds: Holds) -> pa.Check:
    """A check of whole rows, reported at one column; `holds` is True where a row is right."""
    return pa.Check(holds, name=what, error=f"{column}|{what}|{fix}")


def _compares(column: str, what: str, fix: str, holds: Holds) -> pa.Check:
    """The same for a check that compares columns or rows."""
    return pa.Check(holds, name=what, error=f"{column}|{what}|{fix}|compares")


def _positive(column: str, fix: str) -> pa.Check:
    return pa.Check.gt(0, error=f"{column}|must be above 0|{fix}")


def _number(description: str, *checks: pa.Check) -> pa.Column:
    """A column of numbers that may be blank or absent: which ones a measure needs is checked by its family."""
    return pa.Column(float, list(checks), nullable=True, required=False, description=description)


def _needs(column: str, families: tuple[str, ...], fix: str) -> pa.Check:
    what = f"has no value, and a {' or '.join(families)} measure needs it"
    return _check(column, what, fix, lambda rows: rows[column].notna() | ~rows[FAMILY].isin(families))


def _whole(column: str, families: tuple[str, ...]) -> pa.Check:
    """Counts are whole; a decimal one is often a thousands separator misread."""
    fix = "write a count as digits only (1234, without a point or comma)"
    holds: Holds = lambda rows: (rows[column] % 1).isin([0.0]) | rows[column].isna() | ~rows[FAMILY].isin(families)  # noqa: E731
    return _check(column, "is not a whole number", fix, holds)


def _all_or_none(column: str, families: tuple[str, ...], fix: str) -> pa.Check:
    """All rows of a measure have a column or none; the fewer are the ones reported."""

    def holds(rows: pd.DataFrame) -> pd.Series:
        given = rows[column].notna()
        share = given.groupby(rows["measure"]).transform("mean")
        return given.eq(share >= 0.5) | ~rows[FAMILY].isin(families)

    return _compares(column, "is given in some rows of this measure and not in others", fix, holds)


def _spread_known(rows: pd.DataFrame) -> pd.Series:
    """A mean needs its se, or n and sd (one observation has no sd)."""
    by_sd = rows["n"].notna() & (rows["sd"].notna() | rows["n"].eq(1))
    return rows["se"].notna() | by_sd | ~rows[FAMILY].isin(AVERAGED)


SITES = pa.DataFrameSchema(
    {
        "site": pa.Column(
            str,
            [
                pa.Check(lambda codes: codes != "", error="site|is empty|every site needs its code"),
                pa.Check(
                    lambda codes: ~codes.duplicated() | codes.eq(""),
                    error="site|is there twice|keep one row per site, or give one of them another code",
                ),
            ],
            description="code of the site, as text: `007` stays `007`",
        ),
        "name": pa.Column(str, required=False, description="name of the site; left out, the code stands for it"),
        "joined": pa.Column(
            "datetime64[ns]", nullable=True, required=False, description="day the site joined, like 2019-04-01"
        ),
        "peer_group": pa.Column(str, required=False, description="group of sites it is like; may be empty"),
    },
    name="sites",
    description="One row per site.",
)

OUTCOMES = pa.DataFrameSchema(
    {
        "site": pa.Column(str, description="code of the site, as in the table of sites"),
        "period": pa.Column(
            str,
            required=False,
            description="2025-03, 2025Q1, 2025H1 or 2025; no such column where `periods.length` is none",
        ),
        "measure": pa.Column(str, description="code of the measure, as under `measures` in the params file"),
        "numerator": _number(
            "binomial, poisson: events, or cases that met the standard",
            pa.Check.ge(0, error="numerator|is below 0|a count of events cannot be negative"),
        ),
        "denominator": _number(
            "binomial: eligible cases; poisson: exposure (bed-days, patients)",
            _positive("denominator", "a site without cases has no row: take the row out"),
        ),
        "expected": _number(
            "binomial, poisson: events expected for these patients; in all rows of a measure or none",
            _positive("expected", "give the events expected for these patients (often with decimals)"),
        ),
        "mean": _number("normal: mean of the observations"),
        "sd": _number(
            "normal: their standard deviation",
            pa.Check.ge(0, error="sd|is below 0|a standard deviation cannot be negative"),
        ),
        "n": _number(
            "normal: their number",
            _positive("n", "a site without observations has no row: take the row out"),
        ),
        "se": _number(
            "normal: standard error of the mean, instead of sd and n",
            _positive("se", "give the standard error, or sd and n instead"),
        ),
    },
    checks=[
        _needs("numerator", COUNTED, "give the count (0 where there was none), or empty the row if none was submitted"),
        _needs("denominator", COUNTED, "give the number of cases or the exposure"),
        _needs("mean", AVERAGED, "give the mean"),
        *(_whole(column, families) for column, families in WHOLE.items()),
        _compares(
            "numerator",
            "is above the denominator",
            "are the two swapped, or is this measure `family: poisson`?",
            lambda rows: ~((rows["numerator"] > rows["denominator"]) & rows[FAMILY].eq("binomial")),
        ),
        _compares(
            "expected",
            "is not below the denominator",
            "give expected events, not a percentage or a ratio",
            lambda rows: ~((rows["expected"] >= rows["denominator"]) & rows[FAMILY].eq("binomial")),
        ),
        _all_or_none("expected", COUNTED, "give it in all rows of the measure, or in none"),
        _compares(
            "sd",
            "is 0 although n is above 1",
            "give the standard deviation of the observations, with its decimals",
            lambda rows: ~(rows["sd"].eq(0) & rows["n"].gt(1) & rows[FAMILY].isin(AVERAGED)),
        ),
        _compares("mean", "has neither se nor both sd and n", "give sd and n, or se", _spread_known),
        _all_or_none("se", AVERAGED, "use sd and n in all rows of a measure, or se in all rows"),
    ],
    name="outcomes",
    description="One row per site, period and measure.",
)  # fmt: skip

RECORDS = pa.DataFrameSchema(
    {
        "record": pa.Column(str, required=False, description="code of the record; none may be there twice"),
        "site": pa.Column(str, description="code of the site, as in the table of sites"),
        "date": pa.Column(
            "datetime64[ns]",
            required=False,
            description="day the case counts for, like 2019-04-01: its period and year follow from it",
        ),
        "period": pa.Column(str, required=False, description="instead of `date`: the period, written as in outcomes"),
    },
    name="records",
    description="One row per patient (or operation, admission); outcomes and covariates in columns that params name.",
)

SCHEMAS = {"sites": SITES, "outcomes": OUTCOMES, "records": RECORDS}
NUMBERS = tuple(name for name, column in OUTCOMES.columns.items() if str(column.dtype) == "float64")
NEEDED = {"binomial": ("numerator", "denominator"), "poisson": ("numerator", "denominator"), "normal": ("mean",)}

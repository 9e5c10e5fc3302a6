"""Column definitions of the further tables, which an evaluation may have or not; the rules of `schemas.py` hold."""

from __future__ import annotations

from typing import Final

import pandas as pd
import pandera.pandas as pa

from collabeval.contract.schemas import COUNTED, FAMILY, OUTCOMES, WHOLE, Holds

DAY: Final = "datetime64[ns]"
PERIOD = "month, quarter, half-year or year, like 2025Q1; one kind throughout, which need not be that of the outcomes"
WHOLE_TABLE = "empty for the collaborative as a whole"


def _text(description: str, needed: bool = True) -> pa.Column:
    return pa.Column(str, required=needed, description=description)


def _filled(column: str, description: str) -> pa.Column:
    empty = pa.Check(lambda texts: texts != "", error=f"{column}|is empty|every row needs it")
    return pa.Column(str, empty, description=description)


def _given(column: str, fix: str) -> pa.Check:
    return pa.Check(lambda rows: rows[column].notna(), name=f"{column} given", error=f"{column}|has no value|{fix}")


def _rule(column: str, what: str, fix: str, holds: Holds) -> pa.Check:
    return pa.Check(holds, name=what, error=f"{column}|{what}|{fix}|compares")


def _number(column: str, description: str, needed: bool = True, low: float | None = 0) -> pa.Column:
    fix = "write it as a number of 0 or more"
    checks = [] if low is None else [pa.Check.ge(low, error=f"{column}|is below {low:g}|{fix}")]
    return pa.Column(float, checks, nullable=True, required=needed, description=description)


def _between(column: str, low: float, high: float) -> pa.Check:
    what = f"{column}|is not between {low:g} and {high:g}|write a number from {low:g} to {high:g}"
    return pa.Check.in_range(low, high, error=what)


def _whole(column: str) -> pa.Check:
    holds: Holds = lambda rows: (rows[column] % 1).isin([0.0]) | rows[column].isna()  # noqa: E731
    return pa.Check(holds, name=f"{column} whole", error=f"{column}|is not a whole number|write a whole number")


def _scale(column: str, description: str) -> pa.Column:
    return pa.Column(float, _between(column, 1, 5), nullable=True, description=description)


def _of_family(column: str, families: tuple[str, ...], fix: str) -> pa.Check:
    """A number that an indicator of some families needs."""
    what = f"has no value, and a {' or '.join(families)} indicator needs it"
    holds: Holds = lambda rows: rows[column].notna() | ~rows[FAMILY].isin(families)  # noqa: E731
    return pa.Check(holds, name=what, error=f"{column}|{what}|{fix}")


def _whole_of(column: str, families: tuple[str, ...]) -> pa.Check:
    fix = "write a count as digits only (1234, without a point or comma)"
    holds: Holds = lambda rows: (  # noqa: E731
        (rows[column] % 1).isin([0.0]) | rows[column].isna() | ~rows[FAMILY].isin(families)
    )
    return pa.Check(holds, name=f"{column} whole", error=f"{column}|is not a whole number|{fix}")


def _one_level(rows: pd.DataFrame) -> pd.Series:
    """Whether a row is for a site, or for all, as most rows of its indicator are: both would count twice."""
    of_site = rows["site"].ne("")
    return of_site.eq(of_site.groupby(rows["indicator"]).transform("mean") >= 0.5)


INDICATORS = pa.DataFrameSchema(
    {
        "site": _text(f"code of the site; {WHOLE_TABLE}", needed=False),
        "period": _filled("period", PERIOD),
        "indicator": _filled("indicator", "code of the indicator, as under `indicators` in the params file"),
        "numerator": _number("numerator", "binomial, poisson: cases that met it, or events", needed=False),
        "denominator": _number("denominator", "binomial, poisson: all cases, or the exposure", needed=False),
        "value": _number("value", "normal: the value itself", needed=False, low=None),
    },
    checks=[
        _of_family("numerator", COUNTED, "give the count, or make the indicator `family: normal` with a value"),
        _of_family("denominator", COUNTED, "give the number of cases or the exposure"),
        _of_family("value", ("normal",), "give the value"),
        *(_whole_of(column, WHOLE[column]) for column in ("numerator", "denominator")),
        _rule("numerator", "is above the denominator", "are the two swapped, or is it `family: poisson`?",
              lambda rows: ~((rows["numerator"] > rows["denominator"]) & rows[FAMILY].eq("binomial"))),
        _rule("denominator", "is 0", "leave the row out: a site without cases has none",
              lambda rows: ~(rows["denominator"].eq(0) & rows[FAMILY].isin(COUNTED))),
        _rule("site", "is given, or left empty, otherwise than in most rows of this indicator",
              "give an indicator by site or for the collaborative as a whole: both would count twice", _one_level),
    ],
    name="indicators",
    description="One row per site (or none), period and indicator of how the collaborative works.",
)  # fmt: skip
INDICATOR_NUMBERS = ("numerator", "denominator", "value")

SURVEY = pa.DataFrameSchema(
    {
        "respondent": _filled("respondent", "code of the person who answered; no name"),
        "item": _filled("item", "code of the question, as under `survey.items` in the params file"),
        "period": _filled("period", PERIOD),
        "site": _text("code of the site the person works at; empty where none", needed=False),
        "role": _text("the person's role: clinical champion, abstractor …", needed=False),
        "response": _scale("response", "1 (disagrees strongly) to 5 (agrees strongly); empty where not answered"),
    },
    checks=[_whole("response")],
    name="survey",
    description="One row per respondent, question and period.",
)

RATINGS = pa.DataFrameSchema(
    {
        "rater": _filled("rater", "code of the person who rated"),
        "feature": _filled("feature", "positive_deviance, coordination, measurement, levers or leadership"),
        "period": _filled("period", PERIOD),
        "score": _scale("score", "1 (poor) to 5 (excellent)"),
        "rationale": _text("why, in a sentence", needed=False),
    },
    checks=[_whole("score"), _given("score", "give the score, or take the row out")],
    name="ratings",
    description="One row per rater, feature and period: how well the collaborative has each feature.",
)

AUDIT = pa.DataFrameSchema(
    {
        "site": _filled("site", "code of the site, as in the table of sites"),
        "period": _filled("period", PERIOD),
        "field": _filled("field", "the field of the record that was abstracted again"),
        "checked": _number("checked", "records abstracted a second time"),
        "agreed": _number("agreed", "of these, records in which both agreed on the field"),
        "chance": pa.Column(
            float, _between("chance", 0, 0.999), nullable=True, required=False,
            description="share on which two abstractors would agree by chance, for kappa; empty where unknown",
        ),
    },
    checks=[
        *(_given(column, "give the count, or take the row out") for column in ("checked", "agreed")),
        *(_whole(column) for column in ("checked", "agreed")),
        _rule("agreed", "is above the records checked", "are the two swapped?",
              lambda rows: ~(rows["agreed"] > rows["checked"])),
        _rule("checked", "is 0", "leave the row out", lambda rows: ~rows["checked"].eq(0)),
    ],
    name="audit",
    description="One row per site, period and audited field.",
)  # fmt: skip

BURDEN = pa.DataFrameSchema(
    {
        "site": _filled("site", "code of the site, as in the table of sites"),
        "period": _filled("period", PERIOD),
        "hours": _number("hours", "hours spent on collecting data"),
        "cases": _number("cases", "cases abstracted in them"),
        "cost": _number("cost", "what the collecting cost, in the currency of `value` in params", needed=False),
    },
    checks=[
        *(_given(column, "give the number, or take the row out") for column in ("hours", "cases")),
        _whole("cases"),
        _rule("cases", "is 0 although hours were spent", "give the cases abstracted in these hours",
              lambda rows: ~(rows["cases"].eq(0) & rows["hours"].gt(0))),
    ],
    name="burden",
    description="One row per site and period: what the collecting of data takes.",
)  # fmt: skip

COSTS = pa.DataFrameSchema(
    {
        "period": _filled("period", PERIOD),
        "item": _filled("item", "what the money was for: coordinating centre, meetings, payments to sites …"),
        "amount": _number("amount", "the amount, in the currency of `value` in params", low=None),
    },
    checks=[_given("amount", "give the amount, or take the row out")],
    name="costs",
    description="One row per period and item of the programme's costs.",
)

PRACTICES = pa.DataFrameSchema(
    {
        "site": _filled("site", "code of the site, as in the table of sites"),
        "period": _filled("period", PERIOD),
        "practice": _filled("practice", "code of the practice"),
        "adopted": pa.Column(
            float, _between("adopted", 0, 1), nullable=True,
            description="1 where the site does it, 0 where not, or the share of cases in which it was done",
        ),
    },
    checks=[_given("adopted", "write 1 or 0, or a share between; take the row out where it is not known")],
    name="practices",
    description="One row per site, period and practice.",
)  # fmt: skip

WAIVERS = pa.DataFrameSchema(
    {
        "site": _filled("site", "code of the site, as in the table of sites"),
        "from": pa.Column(DAY, nullable=True, description="first day of the waiver, like 2025-01-01"),
        "to": pa.Column(DAY, nullable=True, required=False, description="its last day; empty where it is still open"),
        "measure": _text("code of the measure or indicator; empty for all", needed=False),
        "reason": _filled("reason", "why, in a sentence"),
    },
    checks=[
        _given("from", "give the first day"),
        _rule("to", "is before the first day", "are the two swapped?", lambda rows: ~(rows["to"] < rows["from"])),
    ],
    name="waivers",
    description="One row per site and stretch of time in which scoring skips a measure, or all.",
)

COMPARATORS = pa.DataFrameSchema(
    {
        "unit": pa.Column(str, description="code of a hospital or region outside the collaborative"),
        **{name: column for name, column in OUTCOMES.columns.items() if name != "site"},
    },
    name="comparators",
    description="One row per unit outside the collaborative, period and measure.",
)

FURTHER = {
    schema.name: schema
    for schema in (COMPARATORS, INDICATORS, SURVEY, RATINGS, AUDIT, BURDEN, COSTS, PRACTICES, WAIVERS)
}
# columns that hold whole numbers, for the families of rows given ("" where rows have none)
COUNTS: dict[str, dict[str, tuple[str, ...]]] = {
    **{name: {} for name in FURTHER},
    "indicators": {name: WHOLE[name] for name in ("numerator", "denominator")},
    "survey": {"response": ("",)},
    "ratings": {"score": ("",)},
    "audit": {"checked": ("",), "agreed": ("",)},
    "burden": {"cases": ("",)},
}
FURTHER_KEYS = {
    "comparators": ["unit", "period", "measure"],
    "indicators": ["site", "period", "indicator"],
    "survey": ["respondent", "item", "period"],
    "ratings": ["rater", "feature", "period"],
    "audit": ["site", "period", "field"],
    "burden": ["site", "period"],
    "costs": ["period", "item"],
    "practices": ["site", "period", "practice"],
    "waivers": ["site", "from", "to", "measure"],
}

"""Where the tables lie: the block `data` of a params file."""

from __future__ import annotations

import codecs
from typing import Annotated, Literal, get_args

from pydantic import Discriminator, Field, Tag
from pydantic import field_validator as check

from collabeval.params.types import Strict, Text, refusal, without_password

FurtherName = Literal[
    "comparators", "indicators", "survey", "ratings", "audit", "burden", "costs", "practices", "waivers"
]
TableName = Literal["sites", "outcomes", "records"] | FurtherName
FURTHER_TABLES: tuple[FurtherName, ...] = get_args(FurtherName)
TABLES: tuple[TableName, ...] = ("sites", "outcomes", "records", *FURTHER_TABLES)


def _no_password_in(location: str) -> str:
    if without_password(location) != location:
        raise refusal("has a password in it",
                      "take it out: for a database name the environment variable that holds it under `password_from`; "
                      "for other stores keep it in that store's own configuration")  # fmt: skip
    return location


class Query(Strict):
    """A table that a database answers with."""

    url: Text
    """SQLAlchemy URL without a password: `postgresql+psycopg://reader@db.example.org/registry`."""
    query: Text
    """The SELECT statement."""
    password_from: Text = ""
    """Name of the environment variable that holds the password."""

    _no_password = check("url")(_no_password_in)


def _kind(value: object) -> str:
    return "[query]" if isinstance(value, dict | Query) else "[location]"


Source = Annotated[Annotated[Text, Tag("[location]")] | Annotated[Query, Tag("[query]")], Discriminator(_kind)]


class Data(Strict):
    """Where the tables lie."""

    sites: Source
    """Path, glob or fsspec URL of the table of sites; or `{url, query, password_from}` for a database."""
    outcomes: Source | None = None
    """The same for the table of outcomes; needed unless every measure is counted from records."""
    records: Source | None = None
    """The same for the table of records: one row per patient, for measures with a block `records`."""
    comparators: Source | None = None
    """The same for hospitals or regions outside the collaborative, to compare its change with."""
    indicators: Source | None = None
    """The same for indicators of how the collaborative works."""
    survey: Source | None = None
    """The same for answers of its members to a survey."""
    ratings: Source | None = None
    """The same for ratings of its five features."""
    audit: Source | None = None
    """The same for records abstracted twice."""
    burden: Source | None = None
    """The same for the hours that the collecting of data takes."""
    costs: Source | None = None
    """The same for what the programme costs."""
    practices: Source | None = None
    """The same for which site does what."""
    waivers: Source | None = None
    """The same for what scoring skips."""
    encoding: Text = "utf-8"
    """Encoding of CSV files."""
    excel_sheets: dict[TableName, Text] = Field(default_factory=dict)
    """Sheet of each table, where it is not named like the table."""
    note: Text = ""
    """One sentence on where the data come from, printed under every figure."""

    @check(*TABLES)
    @classmethod
    def _no_password(cls, source: str | Query | None) -> str | Query | None:
        return _no_password_in(source) if isinstance(source, str) else source

    @check("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        try:
            codecs.lookup(encoding)
        except LookupError:
            raise refusal("is not the name of an encoding", "common ones: utf-8, cp1252 (Windows), utf-16") from None
        return encoding

    @property
    def further(self) -> tuple[FurtherName, ...]:
        """Which of the further tables are given."""
        return tuple(table for table in FURTHER_TABLES if getattr(self, table) is not None)

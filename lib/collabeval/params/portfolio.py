"""Params of a portfolio: the collaboratives of one funder, evaluated one by one and then together."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt, ValidationInfo
from pydantic import field_validator as check

from collabeval.params.model import Rules, Sampling
from collabeval.params.types import Code, Strict, Text, refusal, without_password


class Member(Strict):
    """One collaborative of the portfolio."""

    params: Text
    """Its params file, from the folder the command is run in."""
    label: Text = ""
    """What the report calls it; left out: the title of its own report."""
    link: Text = ""
    """Address of its published report, for the index page; left out: its report in `runs/`."""


class BestOf(Strict):
    """A score of each site over all its collaboratives: the mean of its best results on one scorecard of each."""

    label: Text
    """What the score is called in the report."""
    scorecard: Code
    """The scorecard, as the params of the collaboratives name it; one without it plays no part."""
    best: PositiveInt | None = None
    """Only this many collaboratives count for a site, its best by share of the points; left out: all."""
    least: PositiveInt = 1
    """Collaboratives with points that a site needs to be scored."""


class PortfolioReport(Strict):
    """What the report of the portfolio shows; no site can be told from it."""

    formats: Annotated[tuple[Literal["html", "pdf"], ...], Field(strict=False, min_length=1)] = ("html", "pdf")
    """Which files are made."""
    minimum_sites: Annotated[int, Field(ge=3)] = 5
    """Sites that a number must rest on; numbers of fewer are not shown, nor how many sites two collaboratives share."""
    site_noun: Annotated[tuple[Text, Text], Field(strict=False)] = ("site", "sites")
    """What a site is called, singular and plural: `[hospital, hospitals]`."""
    author: Text = ""
    """Who publishes the report."""
    language: Literal["en"] = "en"
    """Language of the report."""


class Portfolio(Strict):
    """All collaboratives of one funder, one edition."""

    portfolio: Code
    """Short name of the portfolio, used for folders: letters, digits, `_`, `-` and `.`."""
    title: Text
    """Title of the report."""
    edition: Code
    """Year or label of this edition, used for folders."""
    collaboratives: dict[Code, Member] = Field(min_length=2)
    """The collaboratives, each under the code that the register of sites uses."""
    sampling: Sampling
    """How the model of features and improvement is sampled."""
    site_register: Text | None = None
    """Path, glob or URL of the table that says which sites are the same: `national`, `collaborative`, `site`."""
    best_of: dict[Code, BestOf] = Field(default_factory=dict)
    """Scores of sites over all their collaboratives, each under a name of yours; they need `site_register`."""
    rules: Rules = Field(default_factory=Rules)
    """Thresholds of words."""
    report: PortfolioReport = Field(default_factory=PortfolioReport)
    """What the report shows."""
    render: Literal["auto", "quarto", "embedded"] = "auto"
    """What makes HTML and PDF; `auto` takes Quarto where it is found."""

    @check("best_of")
    @classmethod
    def _need_the_register(cls, best_of: dict[str, BestOf], info: ValidationInfo) -> dict[str, BestOf]:
        if best_of and info.data.get("site_register") is None:
            raise refusal("`site_register` is missing", "add the table that says which sites are the same")
        return best_of

    @check("site_register")
    @classmethod
    def _no_password(cls, location: str | None) -> str | None:
        if location is not None and without_password(location) != location:
            raise refusal("has a password in it", "keep it in the configuration of that store")
        return location

    @property
    def collaborative(self) -> str:
        """The name its run goes by, as that of a collaborative does."""
        return self.portfolio

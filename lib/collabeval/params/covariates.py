"""Params of what explains differences between sites: covariates of the model of site performance."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Tag, model_validator

from collabeval.params.types import Strict, Text, refusal

CovariateKind = Literal["linear", "log", "category", "volume", "case_mix", "season"]
DERIVED = ("volume", "case_mix", "season")


class SiteCovariate(Strict):
    """One covariate of the model: `beds: log`, or a block where more is to be said (docs/methods.md, Covariates)."""

    kind: CovariateKind
    """`linear`, `log` or `category` of a column; `volume`: log of the mean denominator; `case_mix`: the site's mean
    prediction on the link scale; `season`: the month, quarter or half of the year."""
    table: Literal["sites", "outcomes"] = "sites"
    """Which table has the column; one of `outcomes` may change from period to period, and is adjusted for."""
    adjust: bool = False
    """Whether sites are compared as if all were alike in it; left out, what it explains stays in their performance."""
    between: bool = False
    """Whether the site's mean of a column of `outcomes` enters beside it (Mundlak), and stays in performance."""
    reference: Text = ""
    """Reference level of a category; left out, the most frequent one."""

    @property
    def adjusted(self) -> bool:
        """Whether its effect is taken out of performance: asked for, or because it changes within a site."""
        return self.adjust or self.table == "outcomes" or self.kind == "season"

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind in DERIVED and (self.table != "sites" or self.between):
            raise refusal(f"`{self.kind}` is worked out from the outcomes, no column is read", "leave `table` out")
        if self.between and (self.table != "outcomes" or self.kind == "category"):
            raise refusal("`between` is for numbers of the table of outcomes", "leave it out")
        if self.reference and self.kind != "category":
            raise refusal(f"`reference` makes no sense where `kind` is {self.kind}", "leave it out")
        if "adjust" in self.model_fields_set and self.adjusted and not self.adjust:
            raise refusal("what changes within a site is always adjusted for", "leave `adjust` out")
        return self


def _form(value: object) -> str:
    return "[covariate]" if isinstance(value, dict | SiteCovariate) else "[kind]"


CovariateTerm = Annotated[
    Annotated[CovariateKind, Tag("[kind]")] | Annotated[SiteCovariate, Tag("[covariate]")], Discriminator(_form)
]

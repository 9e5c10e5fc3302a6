"""Covariates of the model in words: what each goes with, and what that means for the comparison of sites."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from collabeval.disclosure import MeasureView
from collabeval.params import Model
from collabeval.statements import numbers
from collabeval.statements.threats import certainty, effect, season_name


def in_the_model(model: Model, nouns: tuple[str, str]) -> str:
    """Which covariates the model has, and on which side of the comparison each stands."""
    adjusted = [name for name, how in model.terms.items() if how.adjusted]
    kept = [name for name, how in model.terms.items() if not how.adjusted or how.between]
    sentences = []
    if kept:
        stays = "What it explains stays" if len(kept) == 1 else "What they explain stays"
        sentences.append(
            f"The level of a {nouns[0]} is drawn towards what is usual at its own {numbers.listed(kept)}. {stays} part "
            f"of the {nouns[0]}’s performance."
        )
    if adjusted:
        sentences.append(
            f"{numbers.capital(nouns[1])} are compared as if all were alike in {numbers.listed(adjusted)}."
        )
    return " ".join(sentences)


def covariate(view: MeasureView, row: pd.Series, words: Mapping[str, float]) -> str:
    """One effect in a line: "Twice the beds: 0.95 times the odds of deaths (…), probably less (88 in 100)."."""
    said = effect(view, row["mean"], row["q025"], row["q975"])
    return f"{what_of(view, row)}: {said}, {certainty(row['probability'], words)}."


def what_of(view: MeasureView, row: pd.Series) -> str:
    """What the effect of a covariate is of: "Twice the beds", "Teaching: yes rather than no"."""
    name, part = str(row["covariate"]), str(row["part"])
    if row["kind"] == "volume":
        return f"Twice as many {view.params.cases}"
    if row["kind"] == "season":
        return f"{numbers.capital(season_name(part))} rather than {season_name(str(row['reference']))}"
    if row["kind"] == "category":
        return f"{numbers.capital(name)} {part} rather than {row['reference']}"
    between = ", mean of the site, at the same value in the period," if part else ""
    if row["kind"] == "case_mix":
        return "Predicted risk higher by one standard deviation between sites"
    if row["kind"] == "log":
        return f"Twice the {name}{between}"
    return f"{numbers.capital(name)} higher by {row['amount']:.3g} (one standard deviation){between}"

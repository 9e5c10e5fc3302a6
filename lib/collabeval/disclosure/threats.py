"""What could be wrong with the conclusions, with what may not be shown taken out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from collabeval.disclosure.results import Keys
from collabeval.disclosure.view import MeasureView

FEWEST_ALIKE = 3  # sites a level of a category must hold in a coded report: the effect of one alone is that site's


@dataclass(frozen=True)
class Found:
    """A number found about a threat, with limits and probability where it has them (NaN else)."""

    value: float
    lower: float
    upper: float
    probability: float


@dataclass(frozen=True)
class Threats:
    """Tables of the same names as a run's results (docs/data.md).

    `sites` of `missingness` and `tipping` are labels. `tipping_hidden` counts the sites that `tipping` leaves out since
    their counts are hidden: how far a word is from its threshold would tell them.
    """

    covariates: pd.DataFrame
    found: pd.DataFrame
    missingness: pd.DataFrame
    tipping: pd.DataFrame
    tipping_hidden: int

    def of(self, view: MeasureView, threat: str) -> dict[str, Found]:
        """What was found about one threat, for one measure, by part; empty where it was not looked at."""
        rows = self.found[self.found["measure"].eq(view.name) & self.found["threat"].eq(threat)]
        numbers = rows[["value", "lower", "upper", "probability"]].to_numpy(float)
        return {str(part): Found(*map(float, row)) for part, row in zip(rows["part"], numbers, strict=True)}


def publish_threats(tables: Mapping[str, pd.DataFrame], labels: Mapping[str, str], keys: Keys, coded: bool) -> Threats:
    """Labels for sites; nothing by site where a count is hidden; no effect of a level that few sites share."""
    missing, tipping = tables["missingness"], tables["tipping_point"]
    hidden_sites = {(measure, site) for measure, site, _ in keys}
    tipping = tipping.assign(site=tipping["site"].map(labels))
    hidden = pd.Series(
        [pair in hidden_sites for pair in zip(tipping["measure"], tipping["site"], strict=True)], tipping.index, bool
    )
    return Threats(
        covariates=_of_several(tables["covariate_effects"]) if coded else tables["covariate_effects"],
        found=tables["threats"],
        missingness=missing.assign(site=missing["site"].map(labels).fillna("")),
        tipping=tipping[~hidden].reset_index(drop=True),
        tipping_hidden=int(tipping.loc[hidden, "site"].nunique()),
    )


def _of_several(table: pd.DataFrame) -> pd.DataFrame:
    """Effects without those of a level, or against a reference, that only one or two sites share."""
    few = table["fewest_sites"].lt(FEWEST_ALIKE) & table["fewest_sites"].notna()
    return table[~few].reset_index(drop=True)

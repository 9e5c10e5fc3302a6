"""Words that change between models, as they may be shown: sites by label, and those with a hidden count not named."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collabeval.disclosure import results
from collabeval.disclosure.codes import site_labels
from collabeval.disclosure.publish import views_of
from collabeval.params import PARAMS_MODEL, Params

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PublishedChanges:
    """`changes` (alternative, measure, site label, slot, now, then, chance) and how many more may not be named.

    A word that changes says that its chance is near a threshold, from which a hidden count could be worked out
    (`results.diagnostics`): such sites are counted and not named.
    """

    changes: pd.DataFrame
    unnamed: int


@dataclass(frozen=True)
class Compared:
    """A comparison of models as it may be shown; ``params`` has the models that were compared under `compare`."""

    params: Params
    alternatives: pd.DataFrame
    published: PublishedChanges

    @property
    def others(self) -> list[str]:
        """The models beside that of params."""
        return [name for name in self.alternatives["alternative"].unique() if name != PARAMS_MODEL]

    def changed(self, only: tuple[str, ...] = ()) -> int:
        """How many words, each counted once, some model (of those named, if any are) would change."""
        table = self.alternatives
        changes = self.published.changes
        if only:
            changes, table = (rows[rows["alternative"].isin(only)] for rows in (changes, table))
        unnamed = 0 if self.published.unnamed == 0 else int(table["changed"].sum()) - len(changes)
        return len(changes[["measure", "site", "slot"]].drop_duplicates()) + unnamed


def publish_changes(
    sites: pd.DataFrame, panel: pd.DataFrame, params: Params, changes: pd.DataFrame
) -> PublishedChanges:
    """The table `changes` of a comparison after the disclosure rules of `params.report`."""
    views, labels = views_of(panel, params), site_labels(sites, panel, params)
    keys = results.hidden_counts(panel, params, views, labels)
    said = changes.assign(statement=changes["then"], probability=math.nan)
    shown = results.statements(said, views, labels, keys)
    named = shown[~shown["hidden"]].drop(columns=["statement", "probability", "hidden"])
    return PublishedChanges(named.reset_index(drop=True), int(shown["hidden"].sum()))

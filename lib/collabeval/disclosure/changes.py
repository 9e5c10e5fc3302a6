"""Words that change between models, as they may be shown: sites by label, and those with a hidden count not named."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collabeval.disclosure import results
from collabeval.disclosure.codes import site_labels
from collabeval.disclosure.publish import views_of
from collabeval.params import PARAMS_MODEL, Params

if TYPE_CHECKING:
    import pandas as pd


WORD = ["measure", "site", "slot"]  # what a word is about


@dataclass(frozen=True)
class PublishedChanges:
    """`changes` (alternative, measure, site label, slot, now, then, chance), and the `hidden` ones that are not named.

    A word that changes says that its chance is near a threshold, from which a hidden count could be worked out
    (`results.diagnostics`): such sites are counted and not named. `hidden` has alternative and word, a number that
    stands for one word about one site.
    """

    changes: pd.DataFrame
    hidden: pd.DataFrame

    @property
    def unnamed(self) -> int:
        """How many words change that may not be named."""
        return int(self.hidden["word"].nunique())


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

    def changed(self, only: Collection[str] | None = None) -> int:
        """How many words, each counted once, some model (of those named, if any are) would change."""
        names = self.others if only is None else only
        named, hidden = (
            table[table["alternative"].isin(names)] for table in (self.published.changes, self.published.hidden)
        )
        return len(named[WORD].drop_duplicates()) + int(hidden["word"].nunique())


def publish_changes(
    sites: pd.DataFrame, panel: pd.DataFrame, params: Params, changes: pd.DataFrame
) -> PublishedChanges:
    """The table `changes` of a comparison after the disclosure rules of `params.report`."""
    views, labels = views_of(panel, params), site_labels(sites, panel, params)
    keys = results.hidden_counts(panel, params, views, labels)
    said = changes.assign(statement=changes["then"], probability=math.nan)
    shown = results.statements(said, views, labels, keys)
    named = shown[~shown["hidden"]].drop(columns=["statement", "probability", "hidden"])
    hidden = shown.assign(word=shown.groupby(WORD).ngroup())[shown["hidden"]]
    return PublishedChanges(named.reset_index(drop=True), hidden[["alternative", "word"]].reset_index(drop=True))

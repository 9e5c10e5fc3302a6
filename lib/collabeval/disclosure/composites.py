"""Composites as they may be shown."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from collabeval.disclosure import suppress as rule
from collabeval.disclosure.results import Keys, Labels, Views, floors


@dataclass(frozen=True)
class Composites:
    """The tables of docs/data.md of the same names; `site` is a label."""

    estimates: pd.DataFrame
    statements: pd.DataFrame
    parts: pd.DataFrame
    correlations: pd.DataFrame


def composites(further: Mapping[str, pd.DataFrame], views: Views, labels: Labels, keys: Keys) -> Composites | None:
    """None where the evaluation has none.

    Beside the published estimates of the other measures a site's composite tells what is left of one, so it is hidden
    as that measure's own estimate is: of a site with a hidden count in one of them only a coarse interval and a bound
    of the chance stay.
    """
    if "composite_estimates" not in further:
        return None
    estimates, statements, parts, correlations = (
        further[name]
        for name in ("composite_estimates", "composite_statements", "composite_parts", "measure_correlations")
    )
    now = {view.name: view.windows.current.label for view in views}
    used = parts[parts["included"]].groupby("composite")["measure"].agg(list).to_dict()
    hidden = {
        (composite, label)
        for composite, measures in used.items()
        for measure in measures
        for label in labels.values()
        if (measure, label, now[measure]) in keys
    }
    estimates, statements = (table.assign(site=table["site"].map(labels)) for table in (estimates, statements))
    few = _among(estimates, hidden)
    estimates = rule.coarsen(estimates, few).assign(hidden=few)
    estimates.loc[few & estimates["estimand"].isin(["rank", "percentile"]), ["q025", "q975"]] = np.nan
    few = _among(statements, hidden)
    statements = statements.assign(hidden=few, probability=statements["probability"].where(~few, floors(statements)))
    return Composites(estimates, statements, parts, correlations)


def _among(table: pd.DataFrame, hidden: set[tuple[Hashable, str]]) -> pd.Series:
    pairs = zip(table["composite"], table["site"], strict=True)
    return pd.Series([pair in hidden for pair in pairs], table.index, dtype=bool)

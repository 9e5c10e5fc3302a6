"""The part of docs/calibration.md on the models behind the five features, from `python -m calibration features`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from calibration import figures
from calibration.features import SITES, named, read
from calibration.replicates import Store
from calibration.tables import p_value, table_of
from calibration.uniform import Curve, curve, limit_for, strays
from collabeval.plots.saving import save_svg

OUTER = 0.485  # further than this from the middle: the outer 3 %


def write(store: Store, docs: Path) -> dict[str, str]:
    """Result files and figure; what the page's text is filled with."""
    studies = read(store)
    curves = {kind: _curves(table) for kind, table in studies.items()}
    for kind, table in studies.items():
        store.keep(named(kind), table)
    every = {f"{kind}: {name}": one.p_value for kind, found in curves.items() for name, one in found.items()}
    panels = [(f"{kind}, {len(studies[kind])}", curves[kind]) for kind in curves]
    rows = [("", panels[first : first + figures.COLUMNS]) for first in range(0, len(panels), figures.COLUMNS)]
    figure = figures.rank_curves(
        "Where the truth lies among the draws: models of the features", rows, limit_for(len(every))
    )
    save_svg(figure, docs / "pictures" / "calibration_features.svg")
    return {
        "features": table_of(
            ["model", "worlds", "own check passed", "curves", "smallest p", "in the outer 3 %, %"],
            [_row(kind, table, curves[kind]) for kind, table in studies.items()],
        ),
        "feature_sites": str(SITES),
        **{f"feature_{name}": said for name, said in strays(every).items()},
    }


def _places(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns=["replicate", "failure"])


def _curves(table: pd.DataFrame) -> dict[str, Curve]:
    return {name: curve(places.dropna().to_numpy(float)) for name, places in _places(table).items()}


def _row(kind: str, table: pd.DataFrame, curves: dict[str, Curve]) -> list[str]:
    name, smallest = min(curves.items(), key=lambda item: item[1].p_value)
    places = _places(table).stack().dropna().to_numpy(float)
    outer = f"{100 * np.mean(np.abs(places - 0.5) > OUTER):.1f}"
    passed = int(table["failure"].eq("").sum())
    return [kind, str(len(table)), str(passed), str(len(curves)), f"{p_value(smallest.p_value)} (`{name}`)", outer]

"""The part of docs/calibration.md on `spreads`: are it the worlds that are unusual, or the engine that is wrong?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from calibration.replicates import Store
from calibration.spreads import NAMES, STUDY
from calibration.tables import p_value, table_of
from calibration.uniform import curve

BY_ENGINE = "ranks_full_normal_laplace_200"


def write(store: Store) -> dict[str, str]:
    """The result file, and the table that the page is filled with; blank where no such world was worked out."""
    grid, engine = store.table(STUDY), store.table(BY_ENGINE)
    if grid is None or engine is None:
        return {"spreads": ""}
    store.keep(STUDY, grid)
    fitted = grid["replicate"].isin(engine["replicate"])
    rows = [_row("the worlds of this study, by the engine", engine[engine["replicate"].isin(grid["replicate"])]),
            _row("the same, on the grid", grid[fitted])]  # fmt: skip
    rows += [_row("other worlds, on the grid", grid[~fitted])] if not fitted.all() else []
    both = grid.merge(engine, on="replicate", suffixes=("", " by the engine"))
    alike = [f"{np.corrcoef(both[name], both[f'{name} by the engine'])[0, 1]:.2f}" for name in NAMES]
    head = ["worlds", "number", *(f"`{name}`, p" for name in NAMES), *(f"`{name}`, mean place" for name in NAMES)]
    table = table_of(head, rows)
    return {"spreads": f"{table}\n\nThe places by engine and grid correlate with {alike[0]} and {alike[1]}."}


def _row(words: str, table: pd.DataFrame) -> list[str]:
    values = [table[name].dropna().to_numpy(float) for name in NAMES]
    return [words, str(len(table)), *(p_value(curve(each).p_value) for each in values),
            *(f"{each.mean():.3f}" for each in values)]  # fmt: skip

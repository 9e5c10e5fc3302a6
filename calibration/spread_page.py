"""The part of docs/calibration.md on `spreads`: are it the worlds that are unusual, or the engine that is wrong?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from calibration.ranks import of_study
from calibration.spreads import NAMES
from calibration.tables import table_of
from calibration.uniform import curve

BY_ENGINE = "ranks_full_normal_laplace_200"
BY_GRID = "spreads_full_normal"


def write(work: Path, results: Path) -> dict[str, str]:
    """The result file, and the table that the page is filled with; blank where no such world was worked out."""
    grid, engine = of_study(BY_GRID, work, results), of_study(BY_ENGINE, work, results)
    if grid is None or engine is None:
        return {"spreads": ""}
    grid.round(4).to_csv(results / f"{BY_GRID}.csv", index=False, lineterminator="\n")
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
    return [words, str(len(table)), *(f"{curve(each).p_value:.3f}" for each in values),
            *(f"{each.mean():.3f}" for each in values)]  # fmt: skip

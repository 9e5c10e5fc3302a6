"""The fit of one of several models to every measure."""

from __future__ import annotations

import time
from collections.abc import Callable

import pandas as pd
import xarray as xr

from collabeval import estimates, fit
from collabeval.comparison.names import alternatives, draws_name
from collabeval.params import Params


def fit_alternative(
    params: Params, panel: pd.DataFrame, alternative: str, progress: Callable[[str], None] | None = None
) -> tuple[dict[str, xr.DataTree], pd.DataFrame]:
    """Draws of every measure's model under one alternative, and a table of the seconds that each fit took.

    The seconds of measures fitted together are shared out evenly among them.

    Returns
    -------
    Draws by the name they are kept under (`draws_name`); DataFrame with measure, seconds.
    """
    own, trees, seconds = alternatives(params)[alternative], {}, []
    together = own.model.together
    if together:
        began = time.perf_counter()
        found = fit.sample_together(panel, own, estimates.reported_together(own, panel), progress)
        trees = {draws_name(alternative, measure): tree for measure, tree in found.items()}
        seconds = [(measure, round((time.perf_counter() - began) / len(together), 2)) for measure in together]
    for measure in (name for name in own.measures if name not in together):
        began = time.perf_counter()
        reported = estimates.reported_draws(own, measure, panel)
        trees[draws_name(alternative, measure)] = fit.sample(panel, measure, own, reported, progress)
        seconds.append((measure, round(time.perf_counter() - began, 2)))
    return trees, pd.DataFrame(seconds, columns=["measure", "seconds"])

"""What the step `value` reads of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from collabeval import draws, further
from collabeval.params import Params
from collabeval.run_folder import RunFolder

if TYPE_CHECKING:
    import xarray as xr

EFFECT = ("effect_draws", "effect_basis", "effect_statements")


@dataclass(frozen=True)
class Given:
    """The tables of a run that value rests on; None where a table is not given, no effect tables without that step.

    ``trees`` are the draws of the measures that may be valued.
    """

    panel: pd.DataFrame
    sites: pd.DataFrame
    costs: pd.DataFrame | None = None
    burden: pd.DataFrame | None = None
    effect: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    trees: Mapping[str, xr.DataTree] = field(default_factory=dict)


def read_given(params: Params, run: RunFolder) -> Given:
    """Read what there is."""
    there = params.data.further
    costs, burden = (run.read(run.data_table(name)) if name in there else None for name in ("costs", "burden"))
    made = further.results(params)
    return Given(
        panel=run.read(run.panel),
        sites=run.read(run.sites),
        costs=costs,
        burden=burden,
        effect={name: run.read(run.table(name)) for name in EFFECT if name in made},
        trees={name: draws.load(run.draws(name)) for name in valued(params)},
    )


def valued(params: Params) -> tuple[str, ...]:
    """The measures whose events may be valued: those with a cost per event, else all counts of which less is good."""
    if params.value is None:
        return ()
    named = tuple(params.value.cost_per_event)
    counts = (
        name for name, measure in params.measures.items() if measure.better == "lower" and measure.family != "normal"
    )
    return named or tuple(counts)

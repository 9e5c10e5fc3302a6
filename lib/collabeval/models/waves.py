"""What the model of untreated outcomes knows of joining: waves of units that joined together, and leads. Numpy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from collabeval.models.design import Design, Floats, Indices
from collabeval.params import Model

SEEN = 5  # units seen in three periods or more from which drift is told apart from noise
WAVE_SD, LEAD_SD = 1.0, 1.0  # priors of wave and lead, in units of the design's scale: wide, so that data decide
# Of the secular trend, a year: the random walk about it is drawn towards none, and without it the walk would take a
# part of what goes on everywhere for stillness, and give it to the programme.
SECULAR_SD = 0.5


@dataclass(frozen=True)
class Waves:
    """Joining, by unit and cell: J units, N cells, W waves beside the first, K event times before the reference.

    ``wave`` 0 are the units that others are compared with: comparators where there are any, else the last to join.
    ``lead`` is the position in ``event_times`` of cells that have one, -1 elsewhere (comparators, the reference).
    """

    wave: Indices  # (J,)
    labels: tuple[str, ...]  # (W,) of waves 1 and later
    lead: Indices  # (N,)
    event_times: tuple[int, ...]  # (K,)

    @property
    def with_leads(self) -> bool:
        return bool(self.event_times)


def settings_of(model: Model, periods_of_units: Indices) -> Model:
    """The evaluation's model as untreated outcomes are fitted by it (docs/effect.md).

    Every period has its own level, units have Gaussian effects, and single cells vary besides: without the last the
    interval of an effect would be that of the counts alone. Units drift as well, if `SEEN` of them are seen in three
    periods or more: in two, drift and the ups and downs of cells are one and the same. Covariates of sites stay out:
    comparators have none, and what does not change is in each unit's level.

    Parameters
    ----------
    periods_of_units : (J,) how many untreated periods each unit has.
    """
    drift = model.trajectory and int((periods_of_units > 2).sum()) >= SEEN
    shape = {"trend": "random_walk", "site_effects": "normal", "overdispersion": True, "trajectory": drift}
    return model.model_copy(update={**shape, "functions": {}, "covariates": {}, "together": ()})


def contrasts(design: Design, waves: Waves) -> tuple[Floats, Floats]:
    """Indicators of wave (N, W) and of lead (N, K)."""
    of_cell = waves.wave[design.site_index][:, None] == np.arange(1, len(waves.labels) + 1)
    leads = waves.lead[:, None] == np.arange(len(waves.event_times))
    return of_cell.astype(float), leads.astype(float)

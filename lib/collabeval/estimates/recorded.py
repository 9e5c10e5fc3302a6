"""What was recorded, without any model: on which side of the collaborative each site's own numbers lie."""

from __future__ import annotations

import numpy as np

from collabeval.estimates.posterior import Posterior
from collabeval.panel import Window


def recorded_side(posterior: Posterior, window: Window) -> np.ndarray:
    """+1 (J,) where the recorded observed-to-expected ratio lies on the good side of 1, -1 on the bad side, 0 at 1.

    Expected are the registry's numbers, recalibrated in each period to the events of the whole collaborative, or
    without them the cases times the collaborative's rate in the period. The ratio is that of adverse events: shares of
    which more is better are turned round first, so that "died" and "survived" give the same answer. NaN without data.
    """
    cells = posterior.cells_of(window.periods)
    events, expected, good = posterior.observed[cells], posterior.weight[cells], posterior.good
    if posterior.has_registry_expectation:
        expected = posterior.expected[cells]
    if posterior.measure.family == "binomial" and good > 0:
        events, good = posterior.weight[cells] - events, -1
        if posterior.has_registry_expectation:
            expected = posterior.weight[cells] - expected
    period = posterior.period[cells]
    total, base = np.bincount(period, events), np.bincount(period, expected)
    recalibrated = expected * (total / np.where(base == 0, 1, base))[period]
    return good * np.sign(posterior.by_site(cells, events - recalibrated))

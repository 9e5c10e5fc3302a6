"""Values of a measure from its fit: recorded and true rates of the window, without what is waived."""

from __future__ import annotations

import numpy as np
import pandas as pd

from collabeval.estimates.posterior import Posterior
from collabeval.estimates.window_draws import standardise
from collabeval.panel import Window
from collabeval.params import Periods
from collabeval.scorecard.values import Values
from collabeval.scorecard.waivers import waived


def of_measure(
    posterior: Posterior, window: Window, sites: np.ndarray, waivers: pd.DataFrame | None, names: set[str],
    periods: Periods,
) -> Values:  # fmt: skip
    """Values of every site of `sites` (J,) in the window.

    The true rate is the directly standardised one: the site's effect, over its own periods that are not waived, applied
    to every case of the collaborative. The recorded one is adjusted by the registry's expectation where there is one
    (O/E times the collaborative's recorded rate), for means by nothing.
    """
    labels = list(window.periods)
    off = waived(waivers, names, list(posterior.sites), labels, periods)
    cells = posterior.cells_of(window.periods)
    column = {label: place for place, label in enumerate(labels)}
    at = np.array([column[label] for label in posterior.periods[posterior.period[cells]]], dtype=int)
    kept = cells[~off[posterior.site[cells], at]]
    weight = posterior.weight[kept]
    cases = posterior.by_site(kept, weight)
    effect = posterior.by_site(kept, weight[:, None] * posterior.effect(kept)) / cases[:, None]
    scale = posterior.measure.scale
    events, size = posterior.by_site(kept, posterior.observed[kept]), _size(posterior, kept)
    found = Values(
        observed=scale * events / size,
        draws=scale * standardise(posterior, cells, effect),
        cases=np.nan_to_num(cases),
        weight=np.nan_to_num(size),
        waived=off.all(axis=1),
        per=np.nan if posterior.measure.family == "normal" else scale,
    )
    return aligned(found, posterior.sites, sites, waived(waivers, names, list(sites), labels, periods).all(axis=1))


def _size(posterior: Posterior, kept: np.ndarray) -> np.ndarray:
    """What recorded events are divided by (J,): cases, or expected events over the rate of all sites together."""
    if not posterior.has_registry_expectation:
        return posterior.by_site(kept, posterior.weight[kept])
    rate = posterior.observed[kept].sum() / posterior.weight[kept].sum()
    return posterior.by_site(kept, posterior.expected[kept]) / rate


def aligned(values: Values, own: np.ndarray, sites: np.ndarray, off: np.ndarray) -> Values:
    """Values of the sites `own` laid out for all `sites`: those without a row have no value and no cases."""
    place = {site: row for row, site in enumerate(own)}
    rows = np.array([place.get(site, -1) for site in sites], dtype=int)
    has = rows >= 0
    return Values(
        observed=np.where(has, values.observed[rows], np.nan),
        draws=np.where(has[:, None], values.draws[rows], np.nan),
        cases=np.where(has, values.cases[rows], 0.0),
        weight=np.where(has, values.weight[rows], 0.0),
        waived=off,
        per=values.per,
    )

"""Values of a measure from its fit: recorded and true rates of the current window, without what is waived."""

from __future__ import annotations

import numpy as np
import pandas as pd

from collabeval.estimates.posterior import Posterior
from collabeval.estimates.window_draws import standardise
from collabeval.params import Periods
from collabeval.scorecard.values import Values
from collabeval.scorecard.waivers import spans_of, waived


def of_measure(posterior: Posterior, sites: np.ndarray, waivers: pd.DataFrame | None, periods: Periods) -> Values:
    """Values of every site of `sites` (J,) in the measure's current window.

    The true rate is the directly standardised one: the site's effect, over its own periods that are not waived, applied
    to every case of the collaborative. The recorded one is adjusted by the registry's expectation where there is one
    (O/E times the rate expected of all sites together: the ratio of the site's to the collaborative's O/E, times the
    collaborative's recorded rate).
    """
    labels = posterior.windows.current.periods
    off = waived(waivers, posterior.name, list(posterior.sites), spans_of(labels, periods))
    cells = posterior.cells_of(labels)
    column = {label: place for place, label in enumerate(labels)}
    at = np.array([column[label] for label in posterior.periods[posterior.period[cells]]], dtype=int)
    kept = cells[~off[posterior.site[cells], at]]
    weight = posterior.weight[kept]
    cases, size = posterior.by_site(kept, weight), _size(posterior, kept)
    effect = posterior.by_site(kept, weight[:, None] * posterior.effect(kept)) / cases[:, None]
    scale = posterior.measure.scale
    found = Values(
        observed=scale * posterior.by_site(kept, posterior.observed[kept]) / size,
        draws=scale * standardise(posterior, cells, effect),
        cases=np.nan_to_num(cases),
        weight=np.nan_to_num(size),
        waived=off.all(axis=1),
        per=np.nan if posterior.measure.family == "normal" else scale,
    )
    wholly = waived(waivers, posterior.name, list(sites), spans_of(labels, periods)).all(axis=1)
    return _laid_out(found, posterior.sites, sites, wholly)


def _size(posterior: Posterior, kept: np.ndarray) -> np.ndarray:
    """What recorded events are divided by (J,): cases, or expected events over the expected rate of all sites."""
    if not posterior.has_registry_expectation:
        return posterior.by_site(kept, posterior.weight[kept])
    rate = posterior.expected[kept].sum() / posterior.weight[kept].sum()
    return posterior.by_site(kept, posterior.expected[kept]) / rate


def _laid_out(values: Values, own: np.ndarray, sites: np.ndarray, off: np.ndarray) -> Values:
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

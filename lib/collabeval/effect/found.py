"""What the two fits of one measure say together: every estimand, draw by draw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from collabeval import periods as period_texts
from collabeval.convergence import Mixing
from collabeval.effect.counterfactual import Imputed, impute
from collabeval.effect.layout import Layout
from collabeval.effect.trends import PreTrend, pre_trend
from collabeval.effect.untreated import Untreated, fit_untreated
from collabeval.effect.waves import lead_times
from collabeval.params import Measure, Params
from collabeval.params.effect import Effect


@dataclass(frozen=True)
class Found:
    """Fits of one measure: with parallel trends before joining, and with leads; outcomes imputed by each."""

    measure: Measure
    layout: Layout
    parallel: Untreated
    leading: Untreated
    by_time: Imputed
    all_times: Imputed
    from_reference: Imputed  # all times, with leads: measured from the reference alone
    trend: PreTrend | None

    @property
    def counted(self) -> bool:
        """Whether cases are counted: of means that come with their standard error alone they are not."""
        return bool(self.measure.family != "normal" or self.layout.imputed["n"].notna().all())

    @property
    def cases(self) -> float:
        """Cases (or exposure) of all treated cells; NaN where they are not counted."""
        return float(self.all_times.weight[0]) if self.counted else np.nan

    @property
    def avoided(self) -> np.ndarray:
        """Events avoided over all treated cells (S,)."""
        return self.all_times.without[0] - self.all_times.observed[0]

    @property
    def effect(self) -> np.ndarray:
        """Effect over all treated cells (S,), display scale."""
        return rate_difference(self.all_times, self.measure)[0]

    @property
    def carried(self) -> np.ndarray | None:
        """What a straight course from before joining would add up to over all treated cells (S,), display scale."""
        if self.trend is None:
            return None
        drift = self.from_reference.drift.sum(axis=0)
        return self.measure.scale * self.trend.slope * drift / self.from_reference.weight.sum()


def fit_both(params: Params, name: str, layout: Layout, tell: Callable[[str], None]) -> Found:
    """Fit the untreated rows of a measure twice, and impute what the treated ones would have been."""
    before, after, seed = layout.untreated, layout.imputed, params.sampling.seed
    measure, length = params.measures[name], params.periods.length
    assert length != "none"
    reference, years = -1 - (params.effect or Effect()).anticipation, 1 / period_texts.per_year(length)

    def by_time(fitted: Untreated) -> Imputed:
        return impute(fitted, after, before, after["event_time"].to_numpy(), seed)

    def at_once(fitted: Untreated) -> Imputed:
        return impute(fitted, after, before, np.zeros(len(after)), seed)

    def of_parallel(fitted: Untreated) -> np.ndarray:
        found = by_time(fitted)
        return np.vstack([rate_difference(each, measure) for each in (found, found.total())])

    def of_leading(fitted: Untreated) -> np.ndarray:
        trend = pre_trend(fitted, before, years, reference, seed)
        leads = [] if trend is None else [trend.leads, trend.slope[None]]
        return np.vstack([rate_difference(at_once(fitted), measure), *leads])

    parallel = fit_untreated(before, name, params, False, of_parallel, tell)
    seen = lead_times(before, reference)
    leading = fit_untreated(before, name, params, True, of_leading, tell) if seen else parallel
    imputed, trend = by_time(parallel), pre_trend(leading, before, years, reference, seed)
    return Found(measure, layout, parallel, leading, imputed, imputed.total(), at_once(leading), trend)


def rate_difference(imputed: Imputed, measure: Measure) -> np.ndarray:
    """Outcome with the programme less without it (G, S), display scale."""
    difference = imputed.observed[:, None] - imputed.without
    return measure.scale * difference / imputed.weight[:, None]


def estimands(found: Found) -> Iterator[tuple[str, np.ndarray, Mixing]]:
    """Every estimand over all treated cells, draws (S,) on the display scale, and how these hang together."""
    total, measure, mixing = found.all_times, found.measure, found.parallel.mixing
    scale = measure.scale / total.weight[0]
    yield "effect", found.effect, mixing
    if found.counted:
        yield "events_avoided", found.avoided, mixing
    yield "rate_with", np.array([scale * total.observed[0]]), mixing
    yield "rate_without", scale * total.without[0], mixing
    if measure.family != "normal" and (total.without[0] > 0).all():
        yield "relative_effect", total.observed[0] / total.without[0], mixing
    yield "effect_from_reference", rate_difference(found.from_reference, measure)[0], found.leading.mixing
    if found.trend is not None and found.carried is not None:
        yield "pre_trend", found.trend.slope, found.leading.mixing
        yield "pre_trend_carried_forward", found.carried, found.leading.mixing
        paired = np.linspace(0, len(found.carried) - 1, len(found.effect)).round().astype(int)
        yield "effect_beyond_pre_trend", found.effect - found.carried[paired], mixing  # two fits, of so many draws each

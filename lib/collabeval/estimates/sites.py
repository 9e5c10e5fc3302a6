"""Every estimand about a site, as draws (definitions: docs/estimands.md)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from collabeval.estimates import ranks
from collabeval.estimates.posterior import Posterior
from collabeval.estimates.reliability import denominator_needed, plug_in, reliability
from collabeval.estimates.summaries import Drawn
from collabeval.estimates.window_draws import WindowDraws, expected_events, window_draws
from collabeval.params import Rules


@dataclass(frozen=True)
class Evaluated:
    """One measure with the draws of its windows, and which sites have data enough to be compared."""

    posterior: Posterior
    rules: Rules
    current: WindowDraws
    baseline: WindowDraws | None
    earlier: tuple[WindowDraws, ...]
    reliability: np.ndarray  # (J,) in the current window
    enough: np.ndarray  # (J,) eligible and reliable: may be ranked, called better or positively deviant

    @property
    def windows(self) -> dict[str, WindowDraws]:
        """All windows by label, each once (a baseline may be one of the earlier windows)."""
        given = (self.current, *self.earlier, *(() if self.baseline is None else (self.baseline,)))
        return {draws.window.label: draws for draws in given}

    @property
    def in_both(self) -> np.ndarray:
        """Sites (J,) with data in the baseline and the current window."""
        return self.current.present & (False if self.baseline is None else self.baseline.present)


def evaluated(posterior: Posterior, rules: Rules) -> Evaluated:
    """Draw every window of a measure once, for all estimands."""
    given = posterior.windows
    drawn = {window.label: window_draws(posterior, window) for window in (given.current, *given.earlier)}
    if given.baseline is not None and given.baseline.label not in drawn:
        drawn[given.baseline.label] = window_draws(posterior, given.baseline)
    current = drawn[given.current.label]
    reliable = reliability(posterior, current)
    return Evaluated(
        posterior=posterior,
        rules=rules,
        current=current,
        baseline=None if given.baseline is None else drawn[given.baseline.label],
        earlier=tuple(drawn[window.label] for window in given.earlier),
        reliability=reliable,
        enough=current.eligible & (np.nan_to_num(reliable) >= rules.minimum_reliability),
    )


def site_draws(found: Evaluated) -> Iterator[Drawn]:
    """Draws of every site estimand, on the display scale."""
    for draws in found.windows.values():
        yield from _in_window(found.posterior, draws)
    yield _against_average(found)
    yield from _ranked(found)
    yield from _signal(found)
    yield from _changed(found)
    yield from _trajectories(found.posterior)


def _in_window(posterior: Posterior, draws: WindowDraws) -> Iterator[Drawn]:
    """Rates, ratios and the effect of each site with data in one window; a mean, of any sign, has no ratios."""
    per = posterior.measure.scale
    values = {
        "rate": per * draws.rate,
        "standardised_rate": per * draws.standardised,
        "site_effect": draws.difference,
    }
    if posterior.measure.family != "normal":
        ratio = draws.predicted / draws.typical
        values["observed_expected_ratio"] = draws.predicted / draws.expected
        values["predicted_expected_ratio"] = ratio
        values["indirect_rate"] = per * ratio * draws.programme_rate
    for estimand, value in values.items():
        yield Drawn(estimand, draws.window.label, posterior.sites[draws.present], value[draws.present])


def _against_average(found: Evaluated) -> Drawn:
    """What the words "better" and "worse" rest on, as a reader can see it.

    The site's standardised rate now over that at the average effect of the eligible sites; for means, less it. The
    interval leaves out 1 (or 0) just where that of d_j leaves out 0, so a figure of it cannot contradict a word.
    """
    posterior, current = found.posterior, found.current
    own, average = current.standardised[current.present], current.standardised_average
    values = own - average if posterior.measure.family == "normal" else own / average
    return Drawn("against_average", current.window.label, posterior.sites[current.present], values)


def _ranked(found: Evaluated) -> Iterator[Drawn]:
    """Ranks among the eligible sites; shown only of sites with data enough."""
    posterior, current = found.posterior, found.current
    rank = ranks.ranks(current.difference[current.eligible], posterior.good)
    shown = found.enough[current.eligible]
    sites, label = posterior.sites[found.enough], current.window.label
    yield Drawn("rank", label, sites, rank[shown])
    yield Drawn("percentile", label, sites, ranks.percentile(rank[shown], len(rank)))


def _signal(found: Evaluated) -> Iterator[Drawn]:
    posterior, current = found.posterior, found.current
    window, present = current.window, current.present
    sites = posterior.sites[present]
    yield Drawn("reliability", window.label, sites, found.reliability[present, None])
    yield Drawn("reliability_plug_in", window.label, sites, plug_in(posterior, window)[present])
    needed = denominator_needed(posterior, current, found.rules.target_reliability)
    counted = present & ~np.isnan(needed)
    yield Drawn("denominator_needed", window.label, posterior.sites[counted], needed[counted, None])


def site_change(found: Evaluated) -> np.ndarray | None:
    """Standardised rate (J, S) in the current window less baseline, display scale; None without a baseline."""
    if found.baseline is None:
        return None
    return found.posterior.measure.scale * (found.current.standardised - found.baseline.standardised)


def _changed(found: Evaluated) -> Iterator[Drawn]:
    change = site_change(found)
    if change is not None:
        both = found.in_both
        yield Drawn("change", found.current.window.label, found.posterior.sites[both], change[both])


def _trajectories(posterior: Posterior) -> Iterator[Drawn]:
    """By period: the site's events over those expected; for means the site's mean. One period at a time, for memory."""
    for label in posterior.periods:
        cells = posterior.cells_of((label,))
        totals = posterior.totals(cells, posterior.effect(cells))
        if posterior.measure.family == "normal":
            values = totals / posterior.weight[cells, None]
        else:
            values = totals / expected_events(posterior, cells, totals)
        yield Drawn("trajectory", label, posterior.sites[posterior.site[cells]], values)

"""Every estimand about the collaborative as a whole (definitions: docs/estimands.md)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from collabeval.estimates import benchmark
from collabeval.estimates.events import benchmark_pool
from collabeval.estimates.posterior import Posterior
from collabeval.estimates.reliability import rankability, stable_variance
from collabeval.estimates.sites import Evaluated
from collabeval.estimates.summaries import QUANTILES, Drawn

FAN = {"q025": 0.025, "q10": 0.1, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q90": 0.9, "q975": 0.975}
COLLABORATIVE = np.array([""])
assert set(QUANTILES) <= set(FAN)


def programme_draws(found: Evaluated) -> Iterator[Drawn]:
    """Draws of every programme estimand, on the display scale (`between_site_sd` on that of `site_effect`)."""
    for label, values in programme_rates(found).items():
        yield _one("rate", label, values)
    if found.posterior.has_registry_expectation:
        for label, draws in found.windows.items():
            yield _one("observed_expected_ratio", label, np.nansum(draws.predicted, 0) / np.nansum(draws.expected, 0))
    for label, values in trend_draws(found.posterior).items():
        yield _one("trend", label, values)
    now = found.current.window.label
    for estimand, values in changes(found).items():
        yield _one(estimand, now, values)
    ratio = unwanted_ratio(found)
    if ratio is not None:
        yield _one("unwanted_ratio", now, ratio)
    yield _one("between_site_sd", now, _between_site_sd(found))
    if found.current.eligible.any():
        yield _one("rankability", now, np.array([rankability(found.posterior, found.current)]))
    gap = closing_the_gap(found)
    if gap is not None:
        yield _one("closing_the_gap", now, gap)
    benchmarks = _benchmarks(found)
    for estimand, values in benchmarks.items():
        yield _one(estimand, now, values)
    if "benchmark" in benchmarks:
        yield _one("benchmark_against_average", now, _against_average(found, benchmarks["benchmark"]))


def _one(estimand: str, period: str, values: np.ndarray) -> Drawn:
    return Drawn(estimand, period, COLLABORATIVE, values[None, :])


def programme_rates(found: Evaluated) -> dict[str, np.ndarray]:
    """Rate (S,) of all sites together, by window."""
    return {label: found.posterior.measure.scale * draws.programme_rate for label, draws in found.windows.items()}


def trend_draws(posterior: Posterior) -> dict[str, np.ndarray]:
    """Rate (S,) of all sites together by period; nothing where there is only one period."""
    if len(posterior.periods) < 2:
        return {}
    rates = {}
    for label in posterior.periods:
        cells = posterior.cells_of((label,))
        totals = posterior.totals(cells, posterior.effect(cells))
        rates[str(label)] = posterior.measure.scale * totals.sum(axis=0) / posterior.weight[cells].sum()
    return rates


def programme_trend(posterior: Posterior) -> pd.DataFrame:
    """The fan: by period the recorded rate of the collaborative and quantiles of the modelled one, display scale."""
    rows = []
    for label, values in trend_draws(posterior).items():
        cells = posterior.cells_of((label,))
        recorded = posterior.measure.scale * posterior.observed[cells].sum() / posterior.weight[cells].sum()
        quantiles = np.quantile(values, list(FAN.values()))
        rows.append({"period": label, "observed": recorded, **dict(zip(FAN, quantiles, strict=True))})
    return pd.DataFrame(rows, columns=["period", "observed", *FAN])


def changes(found: Evaluated) -> dict[str, np.ndarray]:
    """Rate (S,) now less baseline: over all sites, and over the sites with data in both windows."""
    if found.baseline is None:
        return {}
    per, both = found.posterior.measure.scale, found.in_both
    found_changes = {"change": per * (found.current.programme_rate - found.baseline.programme_rate)}
    if both.any():
        now, before = (
            draws.predicted[both].sum(axis=0) / draws.cases[both].sum() for draws in (found.current, found.baseline)
        )
        found_changes["change_same_sites"] = per * (now - before)
    return found_changes


def unwanted_ratio(found: Evaluated) -> np.ndarray | None:
    """What is not wanted, per case, now over baseline (S,): one scale for all measures; below 1 is better.

    Where higher is better that is, for shares, the cases without the event; for other measures the ratio turned round.
    None without a baseline, or where a mean is not above 0 in every draw.
    """
    if found.baseline is None:
        return None
    now, before = found.current.programme_rate, found.baseline.programme_rate
    if found.posterior.measure.better == "higher":
        shares = found.posterior.measure.family == "binomial"
        now, before = (1 - now, 1 - before) if shares else (before, now)
    return now / before if (now > 0).all() and (before > 0).all() else None


def _between_site_sd(found: Evaluated) -> np.ndarray:
    """Sd between sites of level and slope at the middle of the current window, without overdispersion.

    What covariates explain of the differences is among them.
    """
    posterior = found.posterior
    cells = posterior.cells_of(found.current.window.periods)
    weight = posterior.weight[cells]
    middle = (weight * posterior.years[posterior.period[cells]]).sum() / weight.sum()
    return np.sqrt(stable_variance(posterior, np.array([middle]))[0] + posterior.explained.var(axis=0))


def closing_the_gap(found: Evaluated) -> np.ndarray | None:
    """Sd over the sites in both windows of their effects now, over that at baseline (S,): below 1 sites came closer.

    None without `trajectory` in the model (then a change of spread would be the prior's), or with fewer than two sites.
    """
    both = found.in_both
    if found.baseline is None or found.posterior.slope is None or both.sum() < 2:
        return None
    return found.current.effect[both].std(axis=0) / found.baseline.effect[both].std(axis=0)


def _benchmarks(found: Evaluated) -> dict[str, np.ndarray]:
    """The benchmark as a rate and as a ratio to the expected rate (the axis of `observed_expected_ratio`).

    From params where it is set there, else the achievable benchmark of care of all eligible sites.
    """
    posterior, current = found.posterior, found.current
    measure, chosen = posterior.measure, current.eligible
    normal = measure.family == "normal"
    if measure.benchmark is not None:
        expected = np.nansum(current.expected, axis=0) / np.nansum(current.cases)
        ratio = {} if normal else {"benchmark_ratio": measure.benchmark / measure.scale / expected}
        return {"benchmark": np.array([measure.benchmark]), **ratio}
    if not chosen.any():
        return {}
    pool = benchmark_pool(found)
    rate = {"benchmark": measure.scale * benchmark.benchmark(pool)}
    if normal:
        return rate
    best = benchmark.members(pool)
    events, expected = ((best * values[chosen]).sum(axis=0) for values in (current.predicted, current.expected))
    return {**rate, "benchmark_ratio": events / expected}


def _against_average(found: Evaluated, rate: np.ndarray) -> np.ndarray:
    """A rate (S,), display scale, on the axis of the sites' `against_average`: over the average, for means less it."""
    average = found.posterior.measure.scale * found.current.standardised_average
    return rate - average if found.posterior.measure.family == "normal" else rate / average


def programme_probabilities(found: Evaluated) -> pd.DataFrame:
    """Chances of change for the better and worse, over all and over the same sites, and of a closing gap."""
    minimal = found.posterior.measure.minimal_difference
    happens = {}
    for estimand, values in changes(found).items():
        gain, suffix = found.posterior.good * values, estimand.removeprefix("change")
        happens[f"improved{suffix}"] = gain > 0
        happens[f"worsened{suffix}"] = gain < 0
        if minimal is not None:
            happens[f"improved_by_minimal_difference{suffix}"] = gain > minimal
    gap = closing_the_gap(found)
    if gap is not None:
        happens["closing_the_gap"] = gap < 1
    label, mixing = found.current.window.label, found.posterior.mixing
    rows = [
        (label, event, float(holds.mean()), float(mixing.error(holds[None])[0])) for event, holds in happens.items()
    ]
    return pd.DataFrame(rows, columns=["period", "event", "probability", "mcse"])

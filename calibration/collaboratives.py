"""Simulated collaboratives with known truth: fitted, put into words by the rules, and judged by naive rules beside.

Fifty sites, six half-years, one binomial measure. Every site has the same number of cases in a year, so that a result
belongs to a volume. The variation in time and the slopes grow with the spread between sites.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import norm

from calibration.worlds import designed, effects, empty_rows, with_outcomes
from collabeval import words
from collabeval.errors import CollabevalError
from collabeval.estimates import read
from collabeval.estimates.evaluate import signals
from collabeval.estimates.events import site_events, site_probabilities
from collabeval.estimates.sites import Evaluated, evaluated
from collabeval.fit.predictive import constant_data
from collabeval.laplace.engine import fit as fast_fit
from collabeval.models.design import Design
from collabeval.params import Params

SITES, PERIODS, PER_YEAR = 50, 6, 2
RATE = 0.05
VOLUMES = (2, 8, 35, 120)  # events of a typical site in the current year
SPREADS = (0.1, 0.3, 0.6)  # τ, sd of the sites' levels in log-odds
SLOPE, JUMPS, TREND = 0.2, 0.33, 0.1  # sd of slopes and of half-years, in τ; of the programme's yearly step
EFFECTIVE, DRAWS = 500, 1000
LEVELS = (0.5, 0.95)  # of intervals


@dataclass(frozen=True)
class Scenario:
    """Events of a site in a year, and τ."""

    volume: int
    spread: float

    @property
    def cases(self) -> int:
        """Cases of a site in a half-year."""
        return round(self.volume / RATE / PER_YEAR)

    def truth(self) -> dict[str, float]:
        """Parameters that the scenario fixes."""
        return {
            "intercept": float(np.log(RATE / (1 - RATE))),
            "trend_sd": TREND,
            "site_sd": self.spread,
            "trajectory_sd": SLOPE * self.spread,
            "site_correlation": 0.0,
            "overdispersion_sd": JUMPS * self.spread,
        }


SCENARIOS = tuple(Scenario(volume, spread) for volume, spread in product(VOLUMES, SPREADS))


def params() -> Params:
    """The default model and rules; a difference of one event per 100 cases matters, a fifth of the usual rate."""
    measure = {"label": "M", "family": "binomial", "better": "lower", "minimal_difference": 100 * RATE / 5}
    return Params.model_validate(
        {
            "collaborative": "c",
            "title": "t",
            "edition": "1",
            "data": {"sites": "s", "outcomes": "o"},
            "measures": {"m": measure},
            "model": {"engine": "laplace"},
            "sampling": {"seed": 0, "chains": 2, "draws": DRAWS // 2, "minimum_ess": EFFECTIVE},
            "periods": {"length": "half"},
        }
    )


def study(seed: int, numbers: range, folder: Path) -> None:
    """Fit and judge these collaboratives of every scenario, those that the folder holds already left out."""
    for number in numbers:
        for scenario in SCENARIOS:
            name = f"words_{scenario.volume}_{scenario.spread}_{number}"
            if not (folder / f"{name}.json").exists():
                said, sites = replicate(scenario, seed, number)
                sites.to_parquet(folder / f"{name}.parquet")
                (folder / f"{name}.json").write_text(json.dumps(said))
        print(f"{number + 1} of {numbers.stop} collaboratives of each scenario", flush=True)


def replicate(scenario: Scenario, seed: int, number: int) -> tuple[dict, pd.DataFrame]:
    """What the engine said and whether intervals held the spreads; and a row per site, truth, words and naive words."""
    random = np.random.default_rng([seed, scenario.volume, round(100 * scenario.spread), number])
    asked = params()
    sampling = asked.sampling.model_copy(update={"seed": number})
    cases = np.full(SITES * PERIODS, float(scenario.cases))
    rows = empty_rows(SITES, PERIODS, PER_YEAR, cases, "binomial")
    truth = effects(designed(rows, "binomial", asked.model), scenario.truth(), random)
    rows = with_outcomes(rows, designed(rows, "binomial", asked.model), truth, random)
    design = designed(rows, "binomial", asked.model)
    said: dict = {"volume": scenario.volume, "spread": scenario.spread, "replicate": number}
    twice = truth.isel(draw=[0, 0])  # a variance between draws is asked for
    known = _evaluated(asked, rows, design, twice, xr.Dataset())
    table = _truth(known).join(naive(rows, known))
    try:
        found = fast_fit(design, sampling, lambda message: None)
    except (CollabevalError, np.linalg.LinAlgError) as error:  # counted, and shown beside the results
        kind = "refused" if isinstance(error, CollabevalError) else "broke down"
        return said | {"failure": f"{kind}: {error}"}, table
    said |= {"failure": found.failure, "proposals": found.attributes["proposals"]}
    said |= {"covered": _covered(found.posterior, truth)}
    fitted = _evaluated(asked, rows, design, found.posterior, found.statistics)
    return said, table.join(_found(fitted, known))


def _evaluated(asked: Params, rows: pd.DataFrame, design: Design, posterior: xr.Dataset, how: xr.Dataset) -> Evaluated:
    groups = {"posterior": posterior, "sample_stats": how, "constant_data": constant_data(design)}
    return evaluated(read(asked, "m", rows, xr.DataTree.from_dict(groups)), asked.rules)


def _truth(known: Evaluated) -> pd.DataFrame:
    """Whether each event is true of a site, with how far it lies from the average and how its rate has changed."""
    sites = pd.Index(known.posterior.sites, name="site")
    table = pd.DataFrame({f"true_{event.name}": event.happens[:, 0] for event in site_events(known)}, index=sites)
    assert known.baseline is not None
    change = known.current.standardised[:, 0] / known.baseline.standardised[:, 0] - 1
    return table.assign(apart=known.current.difference[:, 0], change=change)


def _found(fitted: Evaluated, known: Evaluated) -> pd.DataFrame:
    """Probabilities and words about each site, and whether the intervals of its effect hold the truth."""
    sites = pd.Index(fitted.posterior.sites, name="site")
    chances = site_probabilities(fitted)
    asked = signals(fitted, chances)
    said = words.statements(asked, fitted.posterior.measure, fitted.rules)
    table = said.pivot(index="site", columns="slot", values="statement").reindex(sites)
    probabilities = chances.pivot(index="site", columns="event", values="probability").add_prefix("p_")
    true = known.current.difference[:, 0]
    held = {
        f"held_{round(100 * level)}": inside(fitted.current.difference, true[:, None], level)[:, 0] for level in LEVELS
    }
    recorded = asked[["enough", "good_in_each", "bad_in_each"]]
    return table.join(probabilities).join(recorded).assign(**held, reliability=fitted.reliability)


def inside(draws: np.ndarray, truth: np.ndarray, level: float) -> np.ndarray:
    """Whether the central interval of draws (…, S) holds the truth (…, 1)."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], axis=-1)
    return (low[..., None] <= truth) & (truth <= high[..., None])


def _covered(posterior: xr.Dataset, truth: xr.Dataset) -> Mapping[str, dict[str, bool]]:
    """Whether the intervals of each parameter hold the truth."""
    names = ("intercept", "site_sd", "trajectory_sd", "overdispersion_sd", "trend_sd")
    return {
        name: {
            str(round(100 * level)): bool(
                inside(posterior[name].to_numpy().ravel(), truth[name].to_numpy()[0], level)[0]
            )
            for level in LEVELS
        }
        for name in names
    }


def naive(rows: pd.DataFrame, known: Evaluated) -> pd.DataFrame:
    """What raw rates say by usual rules: 95 % intervals, tenths by rank, two years against each other."""
    years = {"now": known.current.window, "then": known.baseline.window if known.baseline else known.current.window}
    totals = {
        when: rows[rows["period"].isin(window.periods)].groupby("site")[["numerator", "denominator"]].sum()
        for when, window in years.items()
    }
    now, then = totals["now"], totals["then"]
    low, high = wilson(now["numerator"], now["denominator"])
    average = now["numerator"].sum() / now["denominator"].sum()
    rate, earlier = now["numerator"] / now["denominator"], then["numerator"] / then["denominator"]
    size = int(known.current.eligible.sum() * 0.1)
    # equal rates keep the order of the sites, which is a matter of chance
    place = rate.rank(method="first")
    both = (now["numerator"] + then["numerator"]) / (now["denominator"] + then["denominator"])
    error = np.sqrt(both * (1 - both) * (1 / now["denominator"] + 1 / then["denominator"]))
    z = ((rate - earlier) / error).fillna(0.0)
    beyond = norm.ppf(0.975)
    return pd.DataFrame(
        {
            "naive_better": high < average,
            "naive_worse": low > average,
            "naive_best": place <= size,
            "naive_worst": place > len(place) - size,
            "naive_improved": z < -beyond,
            "naive_worsened": z > beyond,
        }
    )


def wilson(events: pd.Series, cases: pd.Series) -> tuple[pd.Series, pd.Series]:
    """95 % interval of a proportion (Wilson 1927)."""
    z = norm.ppf(0.975)
    share = events / cases
    centre = (share + z**2 / (2 * cases)) / (1 + z**2 / cases)
    half = z / (1 + z**2 / cases) * np.sqrt(share * (1 - share) / cases + z**2 / (4 * cases**2))
    return centre - half, centre + half

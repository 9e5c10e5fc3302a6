"""Simulated collaboratives with comparators and staggered joining, and the truth behind them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from collabeval import panel
from collabeval.params import Params

FIRST_YEAR = 2018
RATE = {"binomial": np.log(0.13 / 0.87), "poisson": np.log(0.02), "normal": 7.0}
CASES = {"binomial": 70, "poisson": 700, "normal": 60}
SPREAD = 3.0  # between patients, of means


@dataclass(frozen=True)
class World:
    """Tables as the contract gives them, and the mean outcome of each row of a site with and without the programme."""

    params: Params
    sites: pd.DataFrame
    panel: pd.DataFrame
    comparators: pd.DataFrame
    truth: pd.DataFrame  # site, period, with_programme, without


def params_of(family, **changes):
    return Params.model_validate(
        {
            "collaborative": "c",
            "title": "T",
            "edition": "1",
            "data": {"sites": "s", "outcomes": "o"},
            "measures": {"m": {"label": "Complications", "family": family, "better": "lower", "per": 100}},
            "periods": {"length": "quarter"},
            "sampling": {"seed": 1, "draws": 500, "chains": 2, "minimum_ess": 400},
            **changes,
        }
    )


def label(step):
    return f"{FIRST_YEAR + step // 4}Q{step % 4 + 1}"


def day(step):
    return pd.Timestamp(FIRST_YEAR + step // 4, 1 + 3 * (step % 4), 1)


def world(
    seed,
    family="binomial",
    joining=(4, 6, 8),
    sites=18,
    comparators=18,
    periods=12,
    effect=lambda event_time, joined: -0.3,
    higher=0.2,
    pre_trend=0.0,
    drift=0.05,
    noise=0.1,
    cases=None,
    anticipation=0,
):
    """`sites` units joining in turn at the steps `joining`, `comparators` that never do.

    seed : a number or several, as of `numpy.random.default_rng`; of one seed the units of all families are alike.
    effect : on the link scale (means: in units of `SPREAD`), by event time and step of joining; higher : by how much
    joiners are higher from the start; pre_trend : by how much more a year they rise; drift, noise : sd of slopes a
    year and of single cells.
    """
    random = np.random.default_rng(seed)
    units = sites + comparators
    when = np.array([joining[j % len(joining)] if j < sites else 10_000 for j in range(units)])
    joins = when < 10_000
    level = random.normal(0, 0.25, units) + higher * joins
    slope = random.normal(0, drift, units) + pre_trend * joins
    walk = np.cumsum(random.normal(-0.01, 0.03, periods))
    unit, step = (part.ravel() for part in np.meshgrid(np.arange(units), np.arange(periods), indexing="ij"))
    without = level[unit] + slope[unit] * step / 4 + walk[step] + random.normal(0, noise, len(unit))
    event_time = step - when[unit]
    gain = np.array([effect(k, when[u]) if k >= 0 else 0.0 for k, u in zip(event_time, unit, strict=True)])
    n = random.poisson(CASES[family] if cases is None else cases, len(unit)).clip(2)
    rows, truth = drawn(random, family, n, without, gain)
    rows = rows.assign(unit=unit, period=[label(t) for t in step], measure="m")
    rows["site"] = [f"S{u:02d}" if u < sites else f"C{u:02d}" for u in unit]
    own = joins[unit]
    params = params_of(family, effect={"anticipation": anticipation})
    joined = [day(w) if w < 10_000 else pd.NaT for w in when[:sites]]
    listed = pd.DataFrame({"site": [f"S{u:02d}" for u in range(sites)], "joined": joined})
    truth = truth.assign(site=rows["site"], period=rows["period"], event_time=event_time)[own]
    outside = rows[~own].assign(unit=rows["site"]).drop(columns="site").reset_index(drop=True)
    return World(params, listed, panel.build(params, listed, rows[own].drop(columns="unit")), outside, truth)


def drawn(random, family, n, without, gain):
    """Rows of a family, and the mean outcome (events, or n times the mean) with and without the gain."""
    empty = {name: np.nan for name in ("numerator", "denominator", "expected", "mean", "sd", "n", "se")}
    if family == "normal":
        middle = RATE[family] + SPREAD * without
        mean = random.normal(middle + SPREAD * gain, SPREAD / np.sqrt(n))
        sd = SPREAD * np.sqrt(random.chisquare(n - 1) / (n - 1))
        rows = pd.DataFrame({**empty, "mean": mean, "sd": sd, "n": n.astype(float)})
        return rows, pd.DataFrame({"with_programme": n * (middle + SPREAD * gain), "without": n * middle, "n": n})
    inverse = expit if family == "binomial" else np.exp
    before, after = (n * inverse(RATE[family] + without + shift) for shift in (0, gain))
    events = random.binomial(n, after / n) if family == "binomial" else random.poisson(after)
    rows = pd.DataFrame({**empty, "numerator": events.astype(float), "denominator": n.astype(float)})
    return rows, pd.DataFrame({"with_programme": after, "without": before, "n": n})

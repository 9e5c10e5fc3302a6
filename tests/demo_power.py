"""How often the words would name the sites planted in the demo: a calculation without sampling.

Every cell of a site says its effect with a normal error of variance 1/information (n p(1−p), expected events, n); given
the spreads between sites and over time, what a fit would then know of a site is normal too, with a mean and covariance
known in closed form. Data are drawn again and again from the truth, and the rules are asked of each draw.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from collabeval.params import Rules
from collabeval.simulate import Behaviour, Simulated
from collabeval.words import share_size

LAST_YEAR, FIRST_YEAR = slice(-4, None), slice(0, 4)
DRAWS = 500


@dataclass(frozen=True)
class Site:
    """What is known of a site before its data: true effect (Q,), information (Q,) and prior covariance (Q, Q)."""

    name: str
    role: str
    truth: np.ndarray
    information: np.ndarray
    prior: np.ndarray


def named(simulated: Simulated, measure: str, behaviour: Behaviour, rules: Rules, times: int = 100) -> pd.Series:
    """Share of `times` new data sets in which each planted site gets the words it was planted for, by site.

    A high performer: P(best share) ≥ `deviant` and P(better now and in both years before) ≥ `persistence`. The
    deteriorating one: P(worse) ≥ `level` and P(worsened) ≥ `trajectory`, its own slope and the programme's together.
    """
    sites = _sites(simulated, measure, behaviour)
    random = np.random.default_rng(1)
    found = {site.name: np.zeros(times, dtype=bool) for site in sites if site.role}
    size = share_size(len(sites), rules.best_share)
    for time in range(times):
        drawn = [_drawn(site, random) for site in sites]  # effects in three years and at baseline, (4, DRAWS) a site
        effects = np.stack(drawn)
        effects = effects - effects.mean(axis=0)
        rank = effects[:, 0].argsort(axis=0).argsort(axis=0)
        for j, site in enumerate(sites):
            if site.role == "positive_deviant":
                best, sustained = (rank[j] < size).mean(), (effects[j, :3] < 0).all(axis=0).mean()
                found[site.name][time] = best >= rules.deviant and sustained >= rules.persistence
            elif site.role:
                own = drawn[j][0] - drawn[j][3] + behaviour.improvement
                worse, worsened = (effects[j, 0] > 0).mean(), (own > 0).mean()
                found[site.name][time] = worse >= rules.level and worsened >= rules.trajectory
    return pd.Series({name: hits.mean() for name, hits in found.items()})


def _drawn(site: Site, random: np.random.Generator) -> np.ndarray:
    """Draws (4, DRAWS) of a site's effect now, in the two years before and at baseline, given data drawn anew."""
    seen = site.information > 0
    error = np.diag(1 / site.information[seen])
    gain = np.linalg.solve(site.prior[np.ix_(seen, seen)] + error, site.prior[seen]).T
    data = site.truth[seen] + random.normal(size=seen.sum()) / np.sqrt(site.information[seen])
    covariance = site.prior - gain @ site.prior[seen]
    weight = np.zeros((4, len(seen)))
    for row, quarters in enumerate((LAST_YEAR, slice(-8, -4), slice(-12, -8), FIRST_YEAR)):
        cases = np.maximum(site.information[quarters], 1e-9)
        weight[row, quarters] = cases / cases.sum()
    mean, spread = weight @ gain @ data, weight @ covariance @ weight.T
    return random.multivariate_normal(mean, spread, DRAWS, method="cholesky").T


def _sites(simulated: Simulated, measure: str, behaviour: Behaviour) -> list[Site]:
    truth = simulated.truth[simulated.truth["measure"].eq(measure)]
    levels = truth[truth["quantity"].eq("level")].set_index("site")
    slopes = truth[truth["quantity"].eq("slope")].set_index("site")["value"]
    effects = truth[truth["quantity"].eq("effect")].pivot(index="site", columns="period", values="value")
    trend = truth[truth["quantity"].eq("trend")].set_index("period")["value"].reindex(effects.columns)
    rows = simulated.outcomes[simulated.outcomes["measure"].eq(measure)].assign(
        cases=lambda table: table["denominator"].fillna(table["n"]).astype(float)
    )
    cases = rows.pivot(index="site", columns="period", values="cases").reindex_like(effects).fillna(0.0).to_numpy()
    shift = effects.to_numpy() + trend.to_numpy()
    years = (np.arange(cases.shape[1]) - (cases.shape[1] - 1) / 2) / 4
    # planted sites widen what a fit learns of the spreads between all sites
    prior = np.mean(levels["value"] ** 2) + np.mean(slopes**2) * np.outer(years, years)
    prior = prior + behaviour.overdispersion_sd**2 * np.eye(len(years))
    information = _information(behaviour, cases, np.nan_to_num(shift))
    return [
        Site(str(name), str(levels.loc[name, "role"]), np.nan_to_num(effects.to_numpy()[j]), information[j], prior)
        for j, name in enumerate(effects.index)
    ]


def _information(behaviour: Behaviour, cases: np.ndarray, shift: np.ndarray) -> np.ndarray:
    if behaviour.family == "normal":
        return cases
    if behaviour.family == "poisson":
        return cases * behaviour.rate * np.exp(shift)
    odds = behaviour.rate / (1 - behaviour.rate) * np.exp(shift)
    return cases * odds / (1 + odds) ** 2

"""Reasons to look whether an index changed what is recorded: fewer cases, sicker cases, gaps and crowds at thresholds.

None is evidence of anything by itself; each comes with the chance that it is more than chance.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import betainc, ndtr

from collabeval.estimates.posterior import Posterior
from collabeval.panel import Window
from collabeval.params.scorecards import Scorecard
from collabeval.scorecard.points import tier_of
from collabeval.scorecard.score import PartScore, Scored

COLUMNS = ("scorecard", "part", "site", "signal", "value", "reference", "probability", "flagged")
JEFFREYS = 0.5
Row = tuple[str, str, str, float, float, float]  # part, site, signal, value, reference, probability


def signals_table(
    scored: Scored, posteriors: Mapping[str, Posterior], off: Mapping[str, np.ndarray], generator: np.random.Generator
) -> pd.DataFrame:
    """One row per signal that could be worked out; `flagged` where its probability reaches the scorecard's threshold.

    fewer_cases : cases now over those before, relative to all sites together; P(true ratio below `fewer_cases`).
    sicker_cases : the same of expected events per case; P(true ratio above `sicker_cases`).
    gaps : share of the window's periods that are missing; P(the tier would be lost, had they been sent).
    crowding : (site "") sites within one event on the good side of a threshold, against those on either side;
        P(a site that near is more likely on the good side).

    `off` says by measure which periods of the window are waived for each site of the scorecard, (J, T); a site with a
    waiver in the window is not asked for fewer or sicker cases, and its waived periods are no gaps.
    """
    rows: list[Row] = []
    for part in scored.parts:
        posterior = posteriors.get(part.part.measure or "")
        if posterior is not None:
            waived = off[posterior.name]
            rows += _against_before(part, posterior, scored.card, set(scored.sites[waived.any(axis=1)]))
            rows += _gaps(part, posterior, waived, generator)
        rows += _crowding(part)
    table = pd.DataFrame(rows, columns=list(COLUMNS[1:7])).assign(scorecard=scored.name)
    least = {"gaps": scored.card.signals.gaps}
    return table.assign(flagged=table["probability"].ge(table["signal"].map(least).fillna(scored.card.signals.chance)))[
        list(COLUMNS)
    ]


def fewer(now: np.ndarray, before: np.ndarray, all_now: float, all_before: float, below: float) -> np.ndarray:
    """P(rate of cases now over before, relative to all sites, is below `below`), for Poisson counts.

    Under Jeffreys' priors the share of a site's cases that fall into now is Beta(now + 1/2, before + 1/2) where both
    windows are taken as equally long; the ratio of all sites is taken as known.
    """
    ratio = below * all_now / all_before
    return betainc(now + JEFFREYS, before + JEFFREYS, ratio / (1 + ratio))


def sicker(
    ratio: np.ndarray, cases_now: np.ndarray, cases_before: np.ndarray, variance: float, above: float
) -> np.ndarray:
    """P(true ratio of expected events per case now over before exceeds `above`), from the ratios recorded.

    The logarithm of the ratio is normal with variance ``variance * (1/cases now + 1/cases before)``.
    """
    sd = np.sqrt(variance * (1 / cases_now + 1 / cases_before))
    with np.errstate(divide="ignore", invalid="ignore"):  # without any spread the ratio is known
        return ndtr((np.log(ratio) - np.log(above)) / sd)


def variance_per_case(risk: np.ndarray, cases: np.ndarray, group: np.ndarray) -> float:
    """Variance of log expected events per case that one case alone would have, from periods of the same site.

    `risk` (n,) are the means of periods, `cases` how many each is the mean of, `group` the site and window it belongs
    to. Pooled over all groups: the squares around each group's mean, weighted by cases, over their degrees of freedom.
    NaN where no group has two periods.
    """
    rows = pd.DataFrame({"log": np.log(risk), "cases": cases, "group": group})
    rows["weighted"] = rows["log"] * rows["cases"]
    sums = rows.groupby("group")[["weighted", "cases"]].transform("sum")
    squares = (rows["cases"] * (rows["log"] - sums["weighted"] / sums["cases"]) ** 2).sum()
    freedom = len(rows) - rows["group"].nunique()
    return float(squares / freedom) if freedom else float("nan")


def _against_before(part: PartScore, posterior: Posterior, card: Scorecard, excused: set[str]) -> list[Row]:
    """Cases and expected events now against the window before, or the baseline where there is none."""
    windows = posterior.windows
    before = windows.earlier[0] if windows.earlier else windows.baseline
    if before is None or part.part.unit != "site" or not np.isfinite(posterior.cases).all():
        return []
    had, has = (_sums(posterior, window) for window in (before, windows.current))
    both = np.isfinite(had[0]) & np.isfinite(has[0]) & ~np.isin(posterior.sites, list(excused))
    if not both.any():
        return []
    sites = posterior.sites[both]
    (cases_before, expected_before), (cases, expected) = ([column[both] for column in sums] for sums in (had, has))
    ratio = cases.sum() / cases_before.sum()
    chance = fewer(cases, cases_before, cases.sum(), cases_before.sum(), card.signals.fewer_cases)
    below = zip(sites, cases / cases_before / ratio, chance, strict=True)
    limit = card.signals.fewer_cases
    rows = [(part.code, str(site), "fewer_cases", value, limit, p) for site, value, p in below]
    if not posterior.has_registry_expectation:
        return rows
    common = (expected.sum() / cases.sum()) / (expected_before.sum() / cases_before.sum())
    change = (expected / cases) / (expected_before / cases_before) / common
    variance = _variance_of_risk(posterior, (before, windows.current))
    if not np.isfinite(variance):
        return rows
    limit = card.signals.sicker_cases
    above = zip(sites, change, sicker(change, cases, cases_before, variance, limit), strict=True)
    return rows + [(part.code, str(site), "sicker_cases", value, limit, p) for site, value, p in above]


def _variance_of_risk(posterior: Posterior, windows: tuple[Window, Window]) -> float:
    """`variance_per_case` of the periods of these windows."""
    cells = [posterior.cells_of(window.periods) for window in windows]
    every = np.concatenate(cells)
    risk = posterior.expected[every] / posterior.cases[every]
    of_window = np.repeat([0, 1], [len(some) for some in cells])
    return variance_per_case(risk, posterior.cases[every], 2 * posterior.site[every] + of_window)


def _sums(posterior: Posterior, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """Cases and expected events of each site (J,); NaN without data."""
    cells = posterior.cells_of(window.periods)
    cases = posterior.by_site(cells, posterior.cases[cells])
    return cases, posterior.by_site(cells, posterior.expected[cells])


def _gaps(part: PartScore, posterior: Posterior, waived: np.ndarray, generator: np.random.Generator) -> list[Row]:
    """Sites at a tier on the data with periods missing: would they have kept it?

    The missing periods are taken to be as large as the site's own others, with events drawn at its true rate.
    """
    labels, values = posterior.windows.current.periods, part.values
    if len(labels) < 2 or part.part.unit != "site" or not np.isfinite(values.per):
        return []
    due, sent = (~waived).sum(axis=1), (_sent(part, posterior) & ~waived).sum(axis=1)
    rows: list[Row] = []
    for row in np.flatnonzero(part.scored & (part.tier > 0) & (sent > 0) & (sent < due)):
        more = (due - sent)[row] / sent[row]
        missing = values.weight[row] * more
        rate = np.clip(values.draws[row] / values.per, 0, 1 if posterior.measure.family == "binomial" else None)
        if posterior.measure.family == "binomial":
            size = max(round(values.cases[row] * more), 1)
            unsent = generator.binomial(size, rate) * missing / size
        else:
            unsent = generator.poisson(rate * missing)
        whole = values.per * (values.events[row] + unsent) / (values.weight[row] + missing)
        lost = float((tier_of(whole, part.part, part.better) < part.tier[row]).mean())
        rows.append((part.code, str(part.sites[row]), "gaps", 1 - sent[row] / due[row], 0.0, lost))
    return rows


def _sent(part: PartScore, posterior: Posterior) -> np.ndarray:
    """Whether each scored site has data in each period of the current window (J, T)."""
    labels = posterior.windows.current.periods
    cells = posterior.cells_of(labels)
    had = set(zip(posterior.sites[posterior.site[cells]], posterior.periods[posterior.period[cells]], strict=True))
    return np.array([[(site, label) in had for label in labels] for site in part.sites])


def _crowding(part: PartScore) -> list[Row]:
    """Sites within one event of any threshold: how many are on its good side."""
    values = part.values
    if part.part.unit != "site" or not np.isfinite(values.per) or values.draws.shape[1] == 1:
        return []
    step = np.where(part.scored, values.per / np.where(values.weight > 0, values.weight, np.nan), np.nan)
    sign = 1.0 if part.better == "higher" else -1.0
    ahead = sign * (values.observed[:, None] - np.array([tier.at for tier in part.part.ordered])) / step[:, None]
    with np.errstate(invalid="ignore"):
        good, bad = int(((ahead >= -1e-9) & (ahead < 1)).sum()), int(((ahead < -1e-9) & (ahead >= -1)).sum())
    if good + bad == 0:
        return []
    chance = float(betainc(bad + JEFFREYS, good + JEFFREYS, 0.5))
    return [(part.code, "", "crowding", good / (good + bad), 0.5, chance)]

"""One scorecard as a whole, and by volume: how much of what it awards is noise, and what would make it less."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from collabeval.scorecard.noise import noise_interval, noise_share, too_little, too_much
from collabeval.scorecard.score import Scored

BANDS = ("small", "medium", "large")
FEWEST_A_BAND = 5
COLUMNS = ("scorecard", "part", "volume", "estimand", "value", "q025", "q975")


@dataclass(frozen=True)
class Summarised:
    """One scorecard as scored, and as it would have been with points that rise evenly between thresholds."""

    scored: Scored
    on_lines: Scored


def volume(scored: Scored) -> np.ndarray:
    """Size of each site (J,): its cases over the median site's, averaged over the lines with chance; NaN without any.

    Lines scored on a group, region or the collaborative say nothing of the site's own size.
    """
    sizes = []
    for part in scored.parts:
        if part.part.unit == "site" and part.values.draws.shape[1] > 1:
            cases = np.where(part.scored, part.values.cases, np.nan)
            sizes.append(cases / np.nanmedian(cases) if part.scored.any() else cases)
    if not sizes:
        return np.full(len(scored.sites), np.nan)
    stacked = np.stack(sizes)
    known = np.isfinite(stacked)
    with np.errstate(invalid="ignore"):
        return np.where(known, stacked, 0.0).sum(axis=0) / known.sum(axis=0)


def bands(scored: Scored) -> np.ndarray:
    """`small`, `medium` or `large` for each site (J,), a third of the sites each; "" where sites are too few."""
    size = volume(scored)
    known = np.isfinite(size) & scored.has_points
    found = np.full(len(size), "", dtype=object)
    if known.sum() < FEWEST_A_BAND * len(BANDS):
        return found
    order = np.argsort(size[known], kind="stable")
    thirds = np.empty(len(order), dtype=int)
    thirds[order] = len(BANDS) * np.arange(len(order)) // len(order)
    found[known] = np.array(BANDS, dtype=object)[thirds]
    return found


def summary_table(summarised: Summarised) -> pd.DataFrame:
    """Tidy table of `COLUMNS`: a blank part is the whole scorecard, a blank volume all sites (docs/scorecards.md)."""
    scored, found = summarised.scored, bands(summarised.scored)
    rows: list[tuple[str, str, str, float, float, float]] = []
    for band in ("", *(name for name in BANDS if (found == name).any())):
        within = scored.has_points & ((found == band) if band else True)
        rows += [("", band, *row) for row in _whole(summarised, within)]
    for part in scored.parts:
        used = part.counted & scored.has_points
        paid, earned = part.points[used], part.drawn[used]
        rows.append((part.code, "", "noise_share", noise_share(paid, earned), np.nan, np.nan))
        rows.append((part.code, "", "variance_share", _variance_share(scored, part.points, used), np.nan, np.nan))
    table = pd.DataFrame(rows, columns=list(COLUMNS[1:]))
    return table.assign(scorecard=scored.name)[list(COLUMNS)]


def _variance_share(scored: Scored, points: np.ndarray, used: np.ndarray) -> float:
    """Share of the differences in points between sites that this line makes: covariance with the sum over its variance.

    The shares of all lines sum to 1 where points are plain sums and every line counts for every site.
    """
    own, whole = points[used], scored.points[used]
    spread = whole.var() if len(whole) else 0.0
    return float(((own - own.mean()) * (whole - whole.mean())).mean() / spread) if spread > 0 else float("nan")


def _whole(summarised: Summarised, within: np.ndarray) -> Iterator[tuple[str, float, float, float]]:
    """Estimand, value, and 95 % interval where it has one, over the sites `within` (J,)."""
    scored, nan = summarised.scored, float("nan")
    paid, earned = scored.points[within], scored.drawn[within]
    yield "sites", float(within.sum()), nan, nan
    yield "points", _mean(paid), nan, nan
    yield "expected_points", _mean(earned.mean(axis=1)), nan, nan
    yield "error", _mean(np.abs(paid[:, None] - earned).mean(axis=1)), nan, nan
    yield "full_marks", _mean(paid >= scored.card.total * (1 - 1e-9)), nan, nan
    if scored.card.steps:
        other = (scored.drawn_award != scored.award[:, None])[within].mean(axis=1)
        yield "misclassified", _mean(other), nan, nan
        yield "awarded", _mean(scored.award[within] > 0), nan, nan
    low, high = noise_interval(paid, earned, (0.025, 0.975))
    yield "noise_share", noise_share(paid, earned), float(low), float(high)
    yield "noise_share_pooled", noise_share(earned.mean(axis=1), earned), nan, nan
    lines = summarised.on_lines
    yield "noise_share_lines", noise_share(lines.points[within], lines.drawn[within]), nan, nan
    money, true = scored.money[within], scored.drawn_money[within]
    totals = true.sum(axis=0)
    yield "money", float(money.sum()), nan, nan
    yield "money_earned", float(totals.mean()), float(np.quantile(totals, 0.025)), float(np.quantile(totals, 0.975))
    yield "money_too_much", too_much(money, true), nan, nan
    yield "money_too_little", too_little(money, true), nan, nan


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")

"""Checks of data that may be used but should be looked at: every check with its result, shown in the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import pandas as pd

from collabeval import periods as period_texts
from collabeval.panel import VALUES
from collabeval.params import Params
from collabeval.periods import Period

COLUMNS = ("check", "measure", "site", "period", "level", "passed", "value", "limit", "message")
COMPLETE = 0.8  # share of a site's periods below which its missingness is shown as a warning
HALF = 0.5
ENOUGH_CASES = 20  # cases below which half as many, or a last digit, mean nothing
ENOUGH_DIGITS = 30  # numbers needed before their last digits are judged
DIGIT_CHANCE = 0.001  # chance of so many round numbers where nobody rounds
SAME_PERIODS = 3  # periods two sites must share, all of them alike, to be called copies
STOPPING = {
    "numerator above denominator": "No numerator is above its denominator (binomial measures).",
    "counts": "Counts are whole and not negative.",
    "positive": "Denominators and expected values are above 0.",
    "expected complete": "Expected values are in all rows of a measure or in none, and lie below the denominator.",
    "keys": "No site, period and measure is there twice.",
    "sites known": "Every site of the outcomes is in the table of sites.",
    "periods": "All periods are readable and of the length that params state.",
    "standard deviations": "No standard deviation is 0 where there is more than one observation.",
    "numbers": "Every number is a number, in the declared encoding.",
}


@dataclass(frozen=True)
class Finding:
    """One result of one check, a row of `data/quality.parquet`."""

    check: str
    measure: str = ""
    site: str = ""
    period: str = ""
    level: str = "warn"
    passed: bool = False
    value: float = float("nan")
    limit: float = float("nan")
    message: str = ""


@dataclass(frozen=True)
class Series:
    """What a check looks at: the rows of one measure, the sites, and all periods between the first and last row."""

    measure: str
    rows: pd.DataFrame
    sites: pd.DataFrame
    periods: tuple[Period, ...]


def check(params: Params, sites: pd.DataFrame, panel: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Every check with its result: those that would have stopped the run, and those that warn.

    Returns
    -------
    DataFrame with `COLUMNS`; `level` is stop, warn or info. A check that found nothing has one row for each measure,
    passed. Messages hold no site code and no count, so that they may be shown; `site` says whom they are about.
    """
    findings = [Finding(name, level="stop", passed=True, value=0.0, limit=0.0, message=message)
                for name, message in STOPPING.items()]  # fmt: skip
    findings.append(_rows_read(panel, outcomes))
    for measure in params.measures:
        series = series_of(params, measure, sites, panel)
        for name, (clean, find) in CHECKS.items():
            found = [replace(finding, check=name, measure=measure) for finding in find(series)]
            findings += found or [Finding(name, measure, level="warn", passed=True, message=clean)]
        findings += completeness(series)
    table = pd.DataFrame([vars(finding) for finding in findings], columns=list(COLUMNS))
    return table.astype({"passed": bool, "value": "float64", "limit": "float64"})


def completeness(series: Series) -> Iterator[Finding]:
    """Share sent in of the periods a site owes: from joining (or, where that is unknown, its first row) to the last."""
    submitted = {str(site): set(labels) for site, labels in series.rows.groupby("site")["period"]}
    for site, joined in zip(series.sites["site"], series.sites["joined"], strict=True):
        sent = submitted.get(site, set())
        owed = due(series, joined, sent)
        share = len(sent & set(owed)) / len(owed) if owed else 1.0
        level = "info" if share >= COMPLETE else "warn"
        message = f"Sent in {len(sent & set(owed))} of {len(owed)} periods." if series.periods else "Sent in its data."
        yield Finding(
            "completeness", series.measure, site, "", level, share >= COMPLETE, share, COMPLETE,
            message if sent else "Sent in no data.",
        )  # fmt: skip


def due(series: Series, joined: pd.Timestamp, sent: set[str]) -> list[str]:
    """The periods a site owes; without periods, its one row."""
    if not series.periods:
        return [""]
    labels = [period.label for period in series.periods]
    if not pd.isna(joined):
        return [period.label for period in series.periods if pd.Timestamp(period.end) > joined]
    first = min((labels.index(label) for label in sent), default=0)
    return labels[first:]


def vanished(series: Series) -> Iterator[Finding]:
    """Sites whose rows end before the last period of the measure; the value is how many periods are missing."""
    labels = [period.label for period in series.periods]
    if not labels:
        return
    last = series.rows.groupby("site")["period"].agg(lambda sent: max(map(labels.index, sent)))
    for site, at in zip(last.index, last, strict=True):
        missing = len(labels) - 1 - at
        if missing:
            message = f"No rows after {labels[at]}: the last {missing} of {len(labels)} periods are missing."
            yield Finding("", site=str(site), period=labels[at], value=missing, limit=0.0, message=message)


def fallen_by_half(series: Series) -> Iterator[Finding]:
    """Denominators at most half of the ones before (at least `ENOUGH_CASES` before); the value is their ratio."""
    before = series.rows.groupby("site")["weight"].shift()
    ratio = series.rows["weight"] / before
    found = series.rows[(before >= ENOUGH_CASES) & (ratio <= HALF)]
    for site, period, value in zip(found["site"], found["period"], ratio[found.index], strict=True):
        message = f"Cases fell to {value:.0%} of those in the period before."
        yield Finding("", site=site, period=period, value=value, limit=HALF, message=message)


def digit_preference(series: Series) -> Iterator[Finding]:
    """More denominators ending in 0 or 5 than chance gives, over the measure and for each site."""
    weights = series.rows["weight"]
    counts = series.rows[(weights >= ENOUGH_CASES) & (weights % 1 == 0)].assign(rounded=weights % 5 == 0)
    by_site = counts.groupby("site")["rounded"].agg(["size", "sum"])
    groups = [("", len(counts), int(counts["rounded"].sum())), *by_site.itertuples(name=None)]
    for site, size, rounded in groups:
        limit = most_rounded(size) if size >= ENOUGH_DIGITS else size
        if rounded > limit:
            message = f"{rounded / size:.0%} of {size} denominators end in 0 or 5; chance gives 20%."
            yield Finding("", site=site, value=rounded / size, limit=limit / size, message=message)


def most_rounded(size: int) -> float:
    """How many of so many last digits may be 0 or 5 (one digit in five is, by chance) before it is worth a look."""
    from scipy.stats import binom  # here, as small data never get here: it takes longer to load than all else

    return float(binom.isf(DIGIT_CHANCE, size, 0.2))


def identical_rows(series: Series) -> Iterator[Finding]:
    """The same numbers in two neighbouring periods of a site, or in all periods that two sites share."""
    values = series.rows[list(VALUES)].fillna(-1.0)
    same = (values == values.groupby(series.rows["site"]).shift()).all(axis=1)
    telling = (series.rows["weight"] >= ENOUGH_CASES) & series.rows["numerator"].ne(0)
    found = series.rows[same & telling]
    for site, period in zip(found["site"], found["period"], strict=True):
        message = f"The numbers of {period} are those of the period before."
        yield Finding("", site=site, period=period, value=1.0, limit=0.0, message=message)
    rows = series.rows.assign(numbers=pd.Series(list(values.itertuples(index=False, name=None)), index=values.index))
    for site, periods in sorted(_copies(rows).items()):
        message = f"The numbers of {periods} periods are, in every period both have, those of another site."
        yield Finding("", site=site, value=periods, limit=0.0, message=message)


def _copies(rows: pd.DataFrame) -> dict[str, int]:
    """Sites that agree with another one in every period both have, and in how many."""
    by_site = {
        str(site): dict(zip(mine["period"], mine["numbers"], strict=True)) for site, mine in rows.groupby("site")
    }
    sharing: dict[tuple[str, tuple[float, ...]], list[str]] = {}
    for site, cells in by_site.items():
        for cell in cells.items():
            sharing.setdefault(cell, []).append(site)
    copies: dict[str, int] = {}
    for first, second in {pair for sites in sharing.values() for pair in combinations(sites, 2)}:
        shared = by_site[first].keys() & by_site[second].keys()
        if len(shared) >= SAME_PERIODS and all(by_site[first][one] == by_site[second][one] for one in shared):
            copies |= {first: len(shared), second: len(shared)}
    return copies


def _rows_read(panel: pd.DataFrame, outcomes: pd.DataFrame) -> Finding:
    return Finding("rows analysed", level="info", passed=True, value=len(panel), limit=len(outcomes),
                   message=f"{len(panel)} of {len(outcomes)} rows with values are analysed.")  # fmt: skip


def series_of(params: Params, measure: str, sites: pd.DataFrame, panel: pd.DataFrame) -> Series:
    """What the checks of one measure look at."""
    rows = panel[panel["measure"] == measure]
    length = params.periods.length
    if length == "none" or rows.empty:
        return Series(measure, rows, sites, ())
    parsed = [period_texts.parse(label, length, params.periods.year_starts) for label in rows["period"].unique()]
    return Series(measure, rows, sites, tuple(period_texts.span(min(parsed), max(parsed))))


CHECKS: dict[str, tuple[str, Callable[[Series], Iterator[Finding]]]] = {
    "site vanished": ("Every site has rows up to the last period.", vanished),
    "denominator fell by half": ("No denominator fell by half from one period to the next.", fallen_by_half),
    "digit preference": ("Denominators show no preference for round numbers.", digit_preference),
    "identical rows": ("No numbers are repeated from period to period or site to site.", identical_rows),
}

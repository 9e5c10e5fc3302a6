"""Sites that join in waves, their outcomes with what joining and a practice add, and units outside, which gain none."""

from __future__ import annotations

import numpy as np
import pandas as pd

from collabeval.simulate.draw import DIGITS, Behaviour, hospital, observed
from collabeval.simulate.setting import PER_YEAR, Array, Setting, Truth

JOIN_YEARS = (1.0, 1.5, 2.0)  # after the first quarter: everybody has a year of data from before
SMALL_SHARE = 0.12
MISSING_SHARE = 0.02
SECULAR = 0.25  # of the programme's effect: what everybody gains over the whole time without it
ROLES = ("positive_deviant", "positive_deviant", "deteriorating")
MATTERS = "huddle"
LATER = 0.12  # chance in a year that a site takes up one of the practices that do not matter
SHARES = "checklist"  # the practice that is told as a share of cases
REGIONS = ("north", "south", "west")


def make_sites(generator: np.random.Generator, setting: Setting) -> pd.DataFrame:
    """Sites with, beyond the columns of the contract, `volume` (patients a quarter), `join` (quarter) and `role`."""
    count = len(setting.towns)
    volume = np.clip(np.exp(generator.normal(4.4, 0.4, count)), 35, 220)
    small = generator.permutation(count) < round(SMALL_SHARE * count)
    volume = np.round(np.where(small, generator.uniform(6, 12, count), volume), 2)
    waves = np.array([round(years * PER_YEAR) for years in JOIN_YEARS])
    join = np.minimum(waves[generator.permutation(count) % len(waves)], setting.quarters - 1)
    role = np.full(count, "", dtype=object)
    largest = np.argsort(-volume, kind="stable")[: max(len(ROLES), count // 2)]
    role[generator.permutation(largest)[: len(ROLES)]] = ROLES[: min(len(ROLES), count)]
    kind = np.select([volume >= 100, volume >= 30], ["teaching", "general"], "community")
    days = [setting.start.shifted(int(quarter)).start.isoformat() for quarter in join]
    return pd.DataFrame(
        {
            "site": setting.codes,
            "name": setting.names or [hospital(town, kind[i], i) for i, town in enumerate(setting.towns)],
            "joined": days,
            "peer_group": kind,
            "region": [REGIONS[number % len(REGIONS)] for number in range(count)],
            "beds": np.round(np.exp(generator.normal(0, 0.12, count)) * (90 + 4 * volume), -1).astype(int),
            "volume": volume,
            "join": join,
            "role": role,
        }
    )


def make_practices(
    generator: np.random.Generator, setting: Setting, sites: pd.DataFrame, truth: Truth
) -> tuple[pd.DataFrame, Array]:
    """Which site does what in each year; and who does the one that matters, whose adopters are the same throughout.

    Of the two planted high performers one does it, so that planting them says nothing about it.
    """
    count, parts = len(sites), []
    for practice, share in setting.practices.items():
        begins = np.where(generator.random(count) < share, 0, 99)
        if practice == MATTERS:
            deviants = np.flatnonzero(sites["role"] == "positive_deviant")
            begins[deviants] = np.where(np.arange(len(deviants)) == 0, 0, 99)
            matters = (begins == 0).astype(float)
        else:
            begins = np.minimum(begins, generator.geometric(LATER, count))
        for number, year in enumerate(setting.years):
            does = (begins <= number).astype(float)
            if practice == SHARES:
                does = np.where(does == 1, generator.uniform(0.7, 1, count), generator.uniform(0, 0.25, count)).round(2)
            parts.append(pd.DataFrame({"site": sites["site"], "period": year, "practice": practice, "adopted": does}))
    for name, measure in setting.measures.items():
        gain = np.sign(measure.improvement) * setting.practice_gain
        effects = [gain if practice == MATTERS else 0.0 for practice in setting.practices]
        truth.add("practices", "effect", effects, measure=name, code=list(setting.practices))
    return pd.concat(parts, ignore_index=True), matters


def make_outcomes(
    generator: np.random.Generator, setting: Setting, sites: pd.DataFrame, adopted: Array, truth: Truth
) -> pd.DataFrame:
    """Outcomes of every site in every quarter, those before joining included, but for a few that are missing."""
    cells = _cells(generator, setting, sites[["site", "volume", "join", "role"]])
    parts = []
    for name, measure in setting.measures.items():
        own = _site_effects(generator, sites, measure, adopted * np.sign(measure.improvement) * setting.practice_gain)
        rows = _with_effects(generator, setting, cells.merge(own, on="site", validate="many_to_one"), measure)
        table = observed(generator, rows, measure).assign(measure=name)
        _keep(truth, name, measure, rows, table, own)
        parts.append(table)
    table = _columns(pd.concat(parts, ignore_index=True), "site")
    return table[generator.random(len(table)) >= MISSING_SHARE].reset_index(drop=True)


def make_comparators(generator: np.random.Generator, setting: Setting) -> pd.DataFrame:
    """The same of units that never join: the trend of everybody, and nothing of the programme."""
    units = pd.DataFrame(
        {
            "site": [f"C{number:02d}" for number in range(1, setting.comparators + 1)],
            "volume": np.round(np.clip(np.exp(generator.normal(4.6, 0.3, setting.comparators)), 50, 220), 2),
            "join": setting.quarters,
            "role": "",
        }
    )
    cells, parts = _cells(generator, setting, units), []
    for name, measure in setting.measures.items():
        own = _site_effects(generator, units, measure, np.zeros(len(units)))
        rows = _with_effects(generator, setting, cells.merge(own, on="site", validate="many_to_one"), measure)
        parts.append(observed(generator, rows, measure).assign(measure=name))
    return _columns(pd.concat(parts, ignore_index=True), "unit")


def _columns(table: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Columns as the contract has them, those that no measure uses left out."""
    numbers = ["numerator", "denominator", "expected", "mean", "sd", "n"]
    table = table.rename(columns={"site": unit}).reindex(columns=[unit, "period", "measure", *numbers])
    counts = ["numerator", "denominator", "n"]
    table[counts] = table[counts].astype("Int64")
    return table.dropna(axis="columns", how="all")


def _cells(generator: np.random.Generator, setting: Setting, units: pd.DataFrame) -> pd.DataFrame:
    quarters = pd.DataFrame({"step": range(setting.quarters), "period": setting.labels})
    cells = units.merge(quarters, how="cross")
    return cells.assign(patients=np.maximum(generator.poisson(cells["volume"].to_numpy()), 2))


def _site_effects(
    generator: np.random.Generator, units: pd.DataFrame, measure: Behaviour, gained: Array
) -> pd.DataFrame:
    """Level (what a practice gains included, less its mean) and yearly slope of each unit."""
    count, role = len(units), units["role"].to_numpy()
    level = generator.normal(0, measure.site_sd, count)
    slope = generator.normal(0, measure.trajectory_sd, count)
    level = np.select([role == "positive_deviant", role == "deteriorating"], [measure.deviant, 0.0], level)
    slope = np.select([role == "positive_deviant", role == "deteriorating"], [0.0, measure.worsening], slope)
    return pd.DataFrame(
        {"site": units["site"], "level": (level + gained - gained.mean()).round(DIGITS), "slope": slope.round(DIGITS)}
    )


def _with_effects(
    generator: np.random.Generator, setting: Setting, rows: pd.DataFrame, measure: Behaviour
) -> pd.DataFrame:
    """Rows with `secular` (everybody's trend), `joined` (what joining has added), `trend` (both) and `effect`."""
    last = setting.quarters - 1
    secular = rows["step"] / last * SECULAR * measure.improvement
    joined = np.clip((rows["step"] - rows["join"] + 1) / PER_YEAR, 0, 1) * measure.improvement
    years = (rows["step"] - last / 2) / PER_YEAR
    effect = rows["level"] + rows["slope"] * years + generator.normal(0, measure.overdispersion_sd, len(rows))
    trend = (secular + joined).round(DIGITS)
    return rows.assign(
        secular=secular.round(DIGITS), joined=joined.round(DIGITS), trend=trend, effect=effect.round(DIGITS)
    )


def _keep(
    truth: Truth, name: str, measure: Behaviour, rows: pd.DataFrame, table: pd.DataFrame, own: pd.DataFrame
) -> None:
    """What the outcomes were drawn from, and the events (or days, for means) that the programme has avoided."""
    for quantity in ("level", "slope"):
        truth.add("outcomes", quantity, own[quantity], measure=name, site=own["site"])
    planted = rows[["site", "role"]].drop_duplicates().query("role != ''")
    for role, sites in planted.groupby("role"):
        truth.add("outcomes", str(role), 1.0, measure=name, site=sites["site"])
    for quantity in ("joined", "effect"):
        truth.add("outcomes", quantity, rows[quantity], measure=name, site=rows["site"], period=rows["period"])
    by_period = rows.drop_duplicates("period")
    truth.add("outcomes", "secular", by_period["secular"], measure=name, period=by_period["period"])
    truth.add("outcomes", "programme_effect", measure.improvement, measure=name)
    for quantity in ("site_sd", "trajectory_sd", "overdispersion_sd"):
        truth.add("outcomes", quantity, getattr(measure, quantity), measure=name)
    avoided = (_events(measure, rows, table, rows["joined"]) - _events(measure, rows, table, 0.0)).groupby(
        rows["period"]
    )
    truth.add("outcomes", "avoided", avoided.sum(), measure=name, period=avoided.sum().index)


def _events(measure: Behaviour, rows: pd.DataFrame, table: pd.DataFrame, less: pd.Series | float) -> pd.Series:
    """Mean of the events of each row (for means: of their sum), were its linear predictor lower by `less`."""
    shift = rows["trend"] + rows["effect"] - less
    if measure.family == "normal":
        return table["n"] * (measure.rate + measure.spread * shift)
    if measure.family == "poisson":
        return measure.rate * np.exp(shift) * table["denominator"]
    share = (
        table["expected"] / table["denominator"] if measure.case_mix_sd else pd.Series(measure.rate, index=rows.index)
    )
    return table["denominator"] / (1 + np.exp(-np.log(share / (1 - share)) - shift))

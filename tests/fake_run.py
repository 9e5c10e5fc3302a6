"""A finished run that was never fitted: simulated data, draws near what a fit would give, the real result tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import expit, logit

import effect_stand_ins
import value_stand_ins
from collabeval import classical, draws, estimates, panel, params_file, quality, spc
from collabeval.composite import evaluate_composites
from collabeval.estimates import covariates
from collabeval.features import evaluate_indicators
from collabeval.features.opinions import evaluate_opinions
from collabeval.features.profile import evaluate_profile
from collabeval.params import Params
from collabeval.practices.evaluate import practice_tables
from collabeval.run_folder import RunFolder
from collabeval.scorecard.evaluate import evaluate_scorecards
from collabeval.threats import assess
from collabeval.threats.missing import missingness
from collabeval.threats.tipping import tipping_points
from draws_for_tests import Draws
from indicator_tables import indicator_rows
from opinion_tables import TABLES, opinions

DEATH = {
    "label": "Deaths within 30 days of surgery", "family": "binomial", "better": "lower", "per": 100,
    "unit": "deaths per 100 operations", "events": "deaths", "cases": "operations",
}  # fmt: skip
ON_TIME = {
    "label": "Antibiotics given on time", "family": "binomial", "better": "higher", "role": "process", "per": 100,
    "events": "patients treated on time", "cases": "patients",
}  # fmt: skip
INFECTION = {
    "label": "Infections of the bloodstream", "family": "poisson", "better": "lower", "per": 1000, "role": "balancing",
    "events": "infections", "cases": "line days",
}  # fmt: skip
STAY = {
    "label": "Length of stay", "family": "normal", "better": "lower", "unit": "days", "role": "process",
    "cases": "patients",
}  # fmt: skip
MEASURES = {"death": DEATH, "on_time": ON_TIME, "infection": INFECTION, "stay": STAY}
LEVELS = {"death": 0.05, "on_time": 0.8, "infection": 0.008, "stay": 6.0}
CHECKS = (
    ("divergences", 0.0, 0.0, "blocking"), ("rhat", 1.003, 1.01, "blocking"), ("ess_bulk", 1540.0, 400.0, "blocking"),
    ("predictive_zeros", 0.41, 0.005, "advisory"), ("influence", 0.5, 0.7, "advisory"),
    ("borderline", 0.0, 0.0, "advisory"),
)  # fmt: skip


ENGINE = {"engine": "nuts", "engine_reason": "the weights of the fast engine have k̂ 0.85, above 0.70"}


@dataclass(frozen=True)
class Fake:
    """What to simulate: measures by name, sites, periods (0: none), cases of a site per period, what differs."""

    measures: tuple[str, ...] = ("death",)
    sites: int = 12
    years: int = 0  # periods: years, or quarters
    quarters: bool = False
    cases: float = 150.0
    site_sd: float = 0.45
    change: float = 0.0  # of the programme, on the link scale from first to last period
    worsened: int = 0  # this many sites worsen strongly
    expected: bool = False
    failed: tuple[str, ...] = ()  # checks that did not pass
    seed: int = 1
    report: Mapping[str, Any] | None = None
    level: float | None = None
    blocks: Mapping[str, Any] = field(default_factory=dict)  # further blocks of params
    gaps: int = 0  # this many sites did not send in their last two periods but one
    covariates: Mapping[str, Any] | None = None  # of the model, with effects as in `EFFECTS`
    effect: Mapping[str, Any] | None = None  # words about the effect of the programme: `effect_stand_ins.tables`
    keep_draws: bool = False  # on disk, as a fit leaves them


def parameters(fake: Fake) -> Params:
    """Params of the simulated run."""
    report = {"sites": "named", "minimum_cell": 0, "site_noun": ["hospital", "hospitals"], **(fake.report or {})}
    blocks = {name: block for name, block in fake.blocks.items() if name != "data"}
    return Params.model_validate(
        {
            "collaborative": "heart", "title": "Heart surgery collaborative", "edition": "2024",
            "data": {"sites": "sites.csv", "outcomes": "outcomes.csv", "note": "Data: simulated.",
                     **{name: f"{name}.csv" for name in _further(fake)}, **fake.blocks.get("data", {})},
            "measures": {name: MEASURES[name] for name in fake.measures}, "sampling": {"seed": 20240105},
            "periods": {"length": "none" if not fake.years else "quarter" if fake.quarters else "year"},
            "report": report, **blocks, "effect": None if fake.effect is None else {},
            "model": {"covariates": {name: row[0] for name, row in (fake.covariates or {}).items()}},
        }
    )  # fmt: skip


def _further(fake: Fake) -> list[str]:
    """The further tables of the run, but for those whose params are given whole."""
    return [*(["indicators"] if "indicators" in fake.blocks else []), *(TABLES if "survey" in fake.blocks else [])]


def make(folder: Path, fake: Fake | None = None) -> RunFolder:
    """Write every table of a run into `folder`."""
    fake = fake or Fake()
    run, params, generator = RunFolder(folder), parameters(fake), np.random.default_rng(fake.seed)
    sites = pd.DataFrame({"site": [f"H{number:03d}" for number in range(1, fake.sites + 1)]})
    sites = sites.assign(name=[_name(number) for number in range(fake.sites)], joined=pd.NaT)
    parts = {name: _simulated(name, fake, sites, generator) for name in fake.measures}
    outcomes = pd.concat([rows for rows, _ in parts.values()], ignore_index=True)
    outcomes = _with_gaps(outcomes, fake)
    analysed = panel.build(params, sites, outcomes.drop(columns=["level", "slope"]))
    trees = {name: _draws(name, fake, analysed, outcomes, generator).tree() for name in fake.measures}
    trees = {name: _with_periods(tree) for name, tree in trees.items()}
    for name, tree in trees.items() if fake.keep_draws else ():
        draws.save(tree, run.draws(name))
    found, programme = (
        estimates.evaluate_sites(params, analysed, trees),
        estimates.evaluate_programme(params, analysed, trees),
    )
    tables = {
        "site_estimates": found.estimates, "site_probabilities": found.probabilities,
        "site_statements": found.statements, "programme_estimates": programme.estimates,
        "programme_trend": programme.trend, "funnel": classical.funnel_table(params, analysed),
        "spc": spc.spc_table(params, analysed), "diagnostics": _diagnostics(fake),
        "missingness": missingness(params, sites, analysed), "covariate_effects": _covariates(fake),
        "tipping_point": tipping_points(params, sites, analysed, trees), "threats": _threats(fake, params),
    }  # fmt: skip
    if params.composites:
        tables |= evaluate_composites(params, analysed, trees)
    if params.data.practices:
        done = _practices(outcomes, fake)
        tables |= practice_tables(params, analysed, trees, done)
        run.write(done, run.data_table("practices"))
    if params.scored:
        tables |= evaluate_scorecards(params, sites, analysed, trees, {})
    if fake.effect is not None:
        tables |= effect_stand_ins.tables(params, **fake.effect)
    if "indicators" in params.data.further:
        last = int(_period(fake, max(fake.years, 1) - 1)[:4] or 2024)
        rows = indicator_rows(params, list(sites["site"]), last, np.random.default_rng(fake.seed))
        tables |= evaluate_indicators(params, analysed, {"indicators": rows})
        run.write(rows, run.data_table("indicators"))
    if params.value is not None or "burden" in params.data.further:
        given, made = value_stand_ins.tables(params, sites, analysed, trees, tables)
        tables |= made
        run.write_data(given)
    if "survey" in fake.blocks:
        given = opinions(list(sites["site"]), int(_period(fake, max(fake.years, 1) - 1)[:4] or 2024))
        tables |= evaluate_opinions(params, analysed, sites, given)
        for name, rows in given.items():
            run.write(rows, run.data_table(name))
    if _further(fake):
        tables |= evaluate_profile(params, tables)
    for name, table in tables.items():
        run.write(table, run.table(name))
    run.write(sites, run.sites)
    run.write(analysed, run.panel)
    run.write(quality.check(params, sites, analysed, outcomes), run.quality)
    params_file.write_resolved(params, run)
    return run


def _practices(outcomes: pd.DataFrame, fake: Fake) -> pd.DataFrame:
    """Which site does what: one practice of the sites with the lower half of rates, one by lot, one that all do."""
    level = outcomes[outcomes["measure"].eq(fake.measures[0])].groupby("site")["level"].mean()
    lot = np.random.default_rng(fake.seed).integers(0, 2, len(level)).astype(float)
    done = {"peer_visit": level.lt(level.median()).to_numpy(float), "huddle": lot, "checklist": np.ones(len(level))}
    wide = pd.DataFrame(done, index=level.index).rename_axis(columns="practice")
    table = wide.stack().rename("adopted").reset_index().assign(period="2024")
    return table.assign(starts=pd.Timestamp("2024-01-01"), ends=pd.Timestamp("2025-01-01"))


def _with_periods(tree: xr.DataTree) -> xr.DataTree:
    posterior, constant = (tree[group].to_dataset() for group in ("posterior", "constant_data"))
    constant = constant.assign_coords(period=posterior["period"].to_numpy())
    return xr.DataTree.from_dict({"posterior": posterior, "constant_data": constant})


def _period(fake: Fake, number: int) -> str:
    if not fake.years:
        return ""
    return f"{2020 + number // 4}Q{number % 4 + 1}" if fake.quarters else str(2015 + number)


def _name(number: int) -> str:
    towns = ("Ashby", "Brook", "Carlow", "Denby", "Elton", "Fenwick", "Garth", "Hatton", "Ilkley", "Jarrow", "Kelso",
             "Ludlow", "Malton", "Newby", "Oxted", "Penrith", "Quorn", "Ripon", "Selby", "Tenby")  # fmt: skip
    return f"{towns[number % len(towns)]} {('General', 'Royal', 'St. Mary’s', 'District')[number // len(towns) % 4]}"


def _simulated(
    name: str, fake: Fake, sites: pd.DataFrame, generator: np.random.Generator
) -> tuple[pd.DataFrame, np.ndarray]:
    """Outcomes of one measure, with the truth beside them."""
    measure, years = MEASURES[name], max(fake.years, 1)
    level = generator.normal(0, fake.site_sd, fake.sites)
    slope = np.zeros(fake.sites)
    slope[: fake.worsened] = (0.35 if measure["better"] == "lower" else -0.35) * 6 / years
    rows = []
    for number, site in enumerate(sites["site"]):
        size = fake.cases * generator.lognormal(0, 0.6)
        for year in range(years):
            effect = level[number] + slope[number] * (year - (years - 1) / 2) + fake.change * year / max(years - 1, 1)
            row = {"site": site, "measure": name, "period": _period(fake, year),
                   "level": level[number], "slope": slope[number]}  # fmt: skip
            rows.append(row | _outcome(name, fake, effect, size, generator))
    return pd.DataFrame(rows), level


def _outcome(name: str, fake: Fake, effect: float, size: float, generator: np.random.Generator) -> dict[str, float]:
    typical = fake.level or LEVELS[name]
    if MEASURES[name]["family"] == "normal":
        number = max(int(size), 2)
        return {"mean": typical + effect + generator.normal(0, 3 / np.sqrt(number)), "sd": 3.0, "n": float(number)}
    cases = max(generator.poisson(size * (20 if name == "infection" else 1)), 2)
    if MEASURES[name]["family"] == "poisson":
        return {"numerator": generator.poisson(cases * typical * np.exp(effect)), "denominator": float(cases)}
    expected = {"expected": typical * cases * generator.uniform(0.8, 1.2)} if fake.expected else {}
    base = expected.get("expected", typical * cases) / cases
    return {"numerator": generator.binomial(cases, expit(logit(base) + effect)), "denominator": float(cases)} | expected


def _draws(
    name: str, fake: Fake, analysed: pd.DataFrame, outcomes: pd.DataFrame, generator: np.random.Generator
) -> Draws:
    """Draws near the truth, as wide as the number of events allows."""
    rows = analysed[analysed["measure"].eq(name)].reset_index(drop=True)
    truth = outcomes[outcomes["measure"].eq(name)].groupby("site")[["level", "slope"]].first()
    family, typical = MEASURES[name]["family"], fake.level or LEVELS[name]
    normal = family == "normal"
    information = rows.groupby("site")["n" if normal else "numerator"].sum() / (9.0 if normal else 1.0)
    spread = 1 / np.sqrt(information.clip(lower=0.5) + 1 / fake.site_sd**2)
    size = 1000
    draws = {site: truth.loc[site, "level"] + spread[site] * generator.standard_normal(size) for site in truth.index}
    link = {"normal": typical, "poisson": np.log(typical), "binomial": logit(typical)}[family]
    if family == "binomial" and fake.expected:
        link = 0.0
    over_time: dict[str, Any] = {}
    if fake.years:
        slope_sd = 0.5 / np.sqrt(information.clip(lower=1.0)) + 0.02
        over_time["slope"] = {
            site: truth.loc[site, "slope"] + slope_sd[site] * generator.standard_normal(size) for site in truth.index
        }
        periods = sorted(set(rows["period"]))
        at = np.linspace(-0.5, 0.5, len(periods))
        step = fake.change + 0.5 / np.sqrt(information.sum()) * generator.standard_normal(size)
        over_time["trend"] = {period: at[number] * step for number, period in enumerate(periods)}
        over_time["overdispersion"] = 0.05 * generator.standard_normal((size, len(rows)))
    scales: dict[str, Any] = {"site_sd": fake.site_sd * np.exp(0.1 * generator.standard_normal(size))}
    if fake.years:
        scales |= {
            "trajectory_sd": np.full(size, 0.05),
            "site_correlation": np.zeros(size),
            "overdispersion_sd": np.full(size, 0.05),
        }
    if normal:
        over_time["residual_sd"] = {site: np.full(size, 3.0) for site in truth.index}
    return Draws(
        rows, family, link + 0.02 * generator.standard_normal(size), draws, hyperparameters=scales, **over_time
    )


def _with_gaps(outcomes: pd.DataFrame, fake: Fake) -> pd.DataFrame:
    """The outcomes without what some sites did not send in."""
    late = sorted(set(outcomes["period"]))[-3:-1]
    silent = [f"H{number:03d}" for number in range(1, fake.gaps + 1)]
    return outcomes[~(outcomes["site"].isin(silent) & outcomes["period"].isin(late))].reset_index(drop=True)


def _threats(fake: Fake, params: Params) -> pd.DataFrame:
    """Threats as if they had been looked at, seasons where periods are quarters."""
    found: list[tuple[Any, ...]] = [
        ("volume", "doubling", -0.07, -0.16, 0.02, 0.06), ("regression_to_mean", "sites", 3.0),
        ("regression_to_mean", "recorded", -0.31), ("regression_to_mean", "modelled", -0.12, -0.25, 0.01),
        ("site_prediction", "sites", float(fake.sites)), ("site_prediction", "outside", 1.0),
        ("site_prediction", "by chance", 0.01 * fake.sites),
    ]  # fmt: skip
    if fake.gaps:
        found.append(("missing", "ten points", 0.11, -0.12, 0.35, 0.83))
    if fake.quarters:
        found += [("season", f"Q{n}", 0.1 * (n == 1) - 0.025, -0.06, 0.11, 0.9) for n in (1, 2, 3, 4)]
        found.append(("season", "any", 4.2, np.nan, np.nan, 0.24))
    rows = [dict(zip(assess.COLUMNS[1:], row, strict=False)) for row in found]
    return pd.DataFrame([{"measure": name, **row} for name in fake.measures for row in rows],
                        columns=list(assess.COLUMNS))  # fmt: skip


def _covariates(fake: Fake) -> pd.DataFrame:
    """Effects of the covariates as given."""
    rows = [
        {"measure": measure, "covariate": name, "part": "", "reference": "", "adjusted": False, **row[1]}
        for measure in fake.measures
        for name, row in (fake.covariates or {}).items()
    ]
    return pd.DataFrame(rows, columns=list(covariates.COLUMNS))


def _diagnostics(fake: Fake) -> pd.DataFrame:
    rows = [
        {"model": name, "check": check, "value": value, "limit": limit, "level": level,
         "passed": check not in fake.failed, "advice": "Run more `chains`." if check in fake.failed else "Good.",
         "changes": "H001 level: worse → unclear" if check in fake.failed else "", **ENGINE}
        for name in fake.measures
        for check, value, limit, level in CHECKS
    ]  # fmt: skip
    return pd.DataFrame(rows)

"""A portfolio whose collaboratives' runs were never fitted: chosen numbers in the tables that a portfolio reads."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from collabeval import params_file, portfolio, portfolio_file
from collabeval.params import Params
from collabeval.params.indicators import FIVE
from collabeval.params.portfolio import Portfolio
from collabeval.portfolio_file import Outcome
from collabeval.run_folder import RunFolder
from fake_run import Fake, make

TITLES = ("Hips", "Strokes", "Births", "Sepsis", "Falls", "Bowels", "Hearts", "Newborns", "Lungs", "Kidneys")
EVERY = ("effect", "features", "practices", "value", "scorecards")


@dataclass(frozen=True)
class Case:
    """One collaborative: its sites, its change on the link scale, which parts it has, how its run ended."""

    sites: int = 8
    change: float = -0.8
    has: Collection[str] = EVERY
    status: str = "complete"
    level: float = 0.0  # of every feature, from −1 to 1
    engines: tuple[tuple[str, str], ...] = (("laplace", "passed"),)  # as its run.json says; () for one that does not


def make_funder(folder: Path, cases: dict[str, Case], register: bool = True, **params: object) -> RunFolder:
    """Write the runs of all cases and the folder of the portfolio's run, as the pipeline leaves it before `gather`."""
    outcomes = [_member(folder / name, name, case, place) for place, (name, case) in enumerate(cases.items())]
    run = RunFolder(folder / "together")
    run.path.mkdir(parents=True)
    asked: dict[str, object] = {
        "portfolio": "funder", "title": "All of one funder", "edition": "2025", "sampling": {"seed": 1},
        "collaboratives": {name: {"params": f"{name}.yml"} for name in cases},
        "report": {"site_noun": ["hospital", "hospitals"], "minimum_sites": 4}, "render": "embedded",
    }  # fmt: skip
    if register:
        asked["site_register"] = str(write_register(folder / "register.csv", cases))
        asked["best_of"] = {"all": {"label": "Best two of all", "scorecard": "index", "best": 2}}
    portfolio_file.write_resolved(Portfolio.model_validate(asked | params), run)
    portfolio_file.write_members(outcomes, run)
    return run


def gathered(run: RunFolder) -> dict[str, pd.DataFrame]:
    """The tables of `gather`, also written into the run."""
    tables = portfolio.gather(portfolio.open_funder(str(run.path)))
    run.write_tables(tables)
    return tables


def write_register(path: Path, cases: dict[str, Case]) -> Path:
    """Site number n of one collaborative is site number n of every other."""
    rows = [
        (f"N{number}", name, f"H{number:03d}") for name, case in cases.items() for number in range(1, case.sites + 1)
    ]
    pd.DataFrame(rows, columns=["national", "collaborative", "site"]).to_csv(path, index=False)
    return path


def _member(folder: Path, name: str, case: Case, place: int) -> Outcome:
    if case.status == "failed":
        return Outcome(name, "failed", reasons=("sites.csv:4 site 'H003' → is there twice",), exit_code=2)
    fake = Fake(sites=case.sites, years=5, change=case.change, site_sd=0.25, seed=place, report={"sites": "coded"})
    run = make(folder, fake)
    params = params_file.read_resolved(run.params)
    data = params.data.model_copy(update={"practices": "practices.csv"} if "practices" in case.has else {})
    update: dict[str, object] = {"collaborative": name, "title": TITLES[place % len(TITLES)], "data": data}
    if "value" in case.has:
        update["value"] = (
            Params.model_fields["value"].annotation.__args__[0].model_validate({"currency": "US$", "price_year": 2025})
        )
    params = params.model_copy(update=update)
    params_file.write_resolved(params, run)
    sites = list(run.read(run.sites)["site"])
    made = {"effect": _effect, "features": _features, "value": _value, "scorecards": _scorecards}
    for part, tables in made.items():
        if part in case.has:
            run.write_tables(tables(case, sites))
    if "practices" in case.has:
        run.write(_practices(case, sites), run.data_table("practices"))
    reasons = ("death: rhat is 1.2, limit 1.01",) if case.status == "provisional" else ()
    report = (f"report/{name}-2024.html",)
    return Outcome(name, case.status, str(folder), reasons, report, 3 if reasons else 0, case.engines)


def numbers(mean: float, sd: float) -> dict[str, float]:
    """Summary columns of a normal distribution."""
    quantiles = {"q025": -1.959964, "q25": -0.67449, "q50": 0.0, "q75": 0.67449, "q975": 1.959964}
    return {"mean": mean, "sd": sd, **{name: mean + sd * z for name, z in quantiles.items()}}


def _effect(case: Case, sites: list[str]) -> dict[str, pd.DataFrame]:
    without = 5.0
    now = without * np.exp(case.change)
    rows = [
        {"estimand": "rate_with", "mean": now, "q50": now},
        {"estimand": "rate_without", **numbers(without, 0.2)},
        {"estimand": "effect", **numbers(now - without, 0.2)},
        {"estimand": "events_avoided", **numbers(200 * -case.change, 20)},
    ]
    word = "better" if case.change < -0.1 else "unclear"
    said = {"measure": "death", "slot": "effect", "statement": word, "probability": 0.99, "rule": ""}
    return {"effect_summary": pd.DataFrame(rows).assign(measure="death"), "effect_statements": pd.DataFrame([said])}


def _features(case: Case, sites: list[str]) -> dict[str, pd.DataFrame]:
    scores = {feature: 60 + 20 * case.level - 4 * number for number, feature in enumerate(FIVE)}
    rows = [
        {"feature": feature, "years_back": 0, "estimand": "score", **numbers(score, 4)}
        for feature, score in scores.items()
    ]
    chances = [{"feature": feature, "event": "at_target", "probability": 0.9 if score > 70 else 0.02}
               for feature, score in scores.items()]  # fmt: skip
    judged = [{"indicator": f"{feature}_{number}", "feature": feature, "site": site, "years_back": back,
               "event": "at_target", "probability": chance}
              for feature in FIVE for number, chance in enumerate((0.99, 0.5, 0.01)) for site in ("", sites[0])
              for back in (0, 1)]  # fmt: skip
    return {"feature_profile": pd.DataFrame(rows), "feature_profile_probabilities": pd.DataFrame(chances),
            "feature_probabilities": pd.DataFrame(judged)}  # fmt: skip


def _value(case: Case, sites: list[str]) -> dict[str, pd.DataFrame]:
    rows = [
        {"estimand": "programme_cost", "mean": 1e6, "q50": 1e6},
        {"estimand": "cost_avoided", **numbers(-3e6 * case.change, 2e5)},
        {"estimand": "net_benefit", **numbers(-3e6 * case.change - 1e6, 2e5), "event": "positive", "probability": 0.97},
        {"estimand": "benefit_cost_ratio", **numbers(-3 * case.change, 0.2)},
    ]
    keys = {"measure": "", "basis": "effect", "period": "2015/2019"}
    return {"value_summary": pd.DataFrame(rows).assign(**keys)}


def _scorecards(case: Case, sites: list[str]) -> dict[str, pd.DataFrame]:
    share = np.linspace(0.4, 0.9, len(sites)) + 0.1 * case.level
    rows = {"scorecard": "index", "site": sites, "available": 50.0, "points": 50 * share,
            "expected_points": 50 * (0.9 * share + 0.05), "sd": 2.0}  # fmt: skip
    return {"scorecard_sites": pd.DataFrame(rows)}


def _practices(case: Case, sites: list[str]) -> pd.DataFrame:
    rows = []
    for year in ("2018", "2019"):
        for number, site in enumerate(sites):
            doing = {"huddle": float(number < len(sites) / 2 + (year == "2019")), "diary": 0.25}
            rows += [
                {"site": site, "period": year, "practice": name, "adopted": value} for name, value in doing.items()
            ]
    return pd.DataFrame(rows).assign(starts=lambda table: pd.to_datetime(table["period"]))


def ten(**changes: Case) -> dict[str, Case]:
    """Ten collaboratives whose change goes with their features, some of them changed."""
    spread = np.linspace(-1, 1, 10)
    cases = {
        title.lower(): Case(level=level, change=-0.4 - 0.3 * level) for title, level in zip(TITLES, spread, strict=True)
    }
    return {name: changes.get(name, case) for name, case in cases.items()}


def without(case: Case, *parts: str) -> Case:
    """The same without some of its parts."""
    return replace(case, has=tuple(part for part in case.has if part not in parts))

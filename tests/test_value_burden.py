"""Burden of collecting data: recorded sums, years counted back from the end, and the truth found again by site."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import value_case
import value_stand_ins
from collabeval import diagnostics
from collabeval.diagnostics.check import Check
from collabeval.value import burden as module
from collabeval.value.burden import burden_table

SITES = [f"S{number:02d}" for number in range(36)]
SMALL = SITES[:16]  # with some five cases a year
CASE_CV = 0.5


def simulated(seed: int = 11) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Quarterly hours over three years whose true hours per case are known by site and year; and that truth."""
    random, rows, truth = np.random.default_rng(seed), [], []
    for site in SITES:
        level, size = random.normal(0, 0.3), 1.2 if site in SMALL else random.lognormal(3.0, 0.8)
        for year in range(2020, 2023):
            rate = 1.3 * np.exp(level - 0.1 * (year - 2020) + random.normal(0, 0.1))
            truth.append((site, year, rate))
            for quarter in range(1, 5):
                cases = max(1, random.poisson(size))
                times = random.gamma(CASE_CV**-2, rate * CASE_CV**2, cases)
                rows.append((site, f"{year}Q{quarter}", times.sum(), float(cases), np.nan))
    table = pd.DataFrame(rows, columns=["site", "period", "hours", "cases", "cost"])
    table = table.join(value_stand_ins.spans(list(table["period"])))
    return table, pd.DataFrame(truth, columns=["site", "year", "rate"]).pivot(
        index="site", columns="year", values="rate"
    )


@pytest.fixture(scope="module")
def found() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The given table, the truth, and the results; one site recorded no hours in the last year."""
    given, truth = simulated()
    given.loc[given["site"].eq("S35") & given["period"].str.startswith("2022"), "hours"] = 0.0
    params = value_case.params_of({"currency": "£", "price_year": 2022, "burden": {"hours": 1.2}}, ("burden",))
    return given, truth, burden_table(params, given)


def of_sites(table: pd.DataFrame, estimand: str) -> pd.DataFrame:
    return table[table["estimand"].eq(estimand) & table["site"].ne("")].set_index("site")


class TestTruth:
    def test_is_found_again(self, found):
        _, truth, table = found
        rows = of_sites(table, "hours_per_case")
        inside = (rows["q025"] <= truth[2022].reindex(rows.index)) & (truth[2022].reindex(rows.index) <= rows["q975"])
        assert len(rows) == len(SITES) - 1
        assert inside.sum() >= 29  # 33.2 to be expected of 35: P(fewer than 29) is .002

    def test_of_the_change_is_found_again(self, found):
        _, truth, table = found
        rows = of_sites(table, "change_of_hours_per_case")
        change = (truth[2022] - truth[2021]).reindex(rows.index)
        assert ((rows["q025"] <= change) & (change <= rows["q975"])).sum() >= 29

    def test_few_cases_are_drawn_towards_the_others_and_so_nearer_to_the_truth(self, found):
        given, truth, table = found
        last = given[given["period"].str.startswith("2022")].groupby("site")[["hours", "cases"]].sum()
        raw, estimate = np.log(last["hours"] / last["cases"]), np.log(of_sites(table, "hours_per_case")["q50"])
        true = np.log(truth[2022])
        assert ((estimate - true)[SMALL] ** 2).sum() < ((raw - true)[SMALL] ** 2).sum()
        assert estimate[SMALL].std() < raw[SMALL].std()
        moved = (estimate - raw).abs()
        assert moved[SMALL].mean() > 3 * moved.drop(SMALL).mean()

    def test_the_chance_of_lying_above_the_benchmark_is_that_of_the_draws(self, found):
        rows = of_sites(found[2], "hours_per_case")
        assert set(rows["event"]) == {"above_benchmark"}
        for quantile, chance in (("q025", 0.975), ("q25", 0.75), ("q50", 0.5), ("q975", 0.025)):
            assert ((rows[quantile] > 1.2) == (rows["probability"] > chance - 1e-9)).all()

    def test_the_engine_is_told_of_what_is_estimated_alone(self, found):
        table = found[2]
        estimated = table["estimand"].str.endswith("hours_per_case") & ~table["estimand"].str.startswith("recorded")
        assert estimated.any()
        assert set(table[estimated]["engine"]) == {"laplace"}
        assert set(table[estimated]["engine_reason"]) == {"its own check passed"}
        assert set(table[~estimated]["engine"]) == {""}


class TestRecorded:
    def test_sums_are_those_of_the_table(self, found):
        given, _, table = found
        last = given[given["period"].str.startswith("2022")]
        rows = table[table["period"].eq("2022Q1/2022Q4")].set_index("estimand")["mean"]
        assert rows["hours"] == pytest.approx(last["hours"].sum())
        assert rows["recorded_hours_per_case"] == pytest.approx(last["hours"].sum() / last["cases"].sum())

    def test_no_hours_is_told_and_not_estimated(self, found):
        table = found[2]
        assert list(table.loc[table["estimand"].eq("without_hours"), "site"]) == ["S35"]
        assert "S35" not in of_sites(table, "hours_per_case").index

    def test_the_cases_of_a_change_are_those_of_the_smaller_year(self, found):
        given, _, table = found
        by_year = given.assign(year=given["period"].str[:4]).pivot_table("cases", "site", "year", "sum")
        rows = of_sites(table, "change_of_hours_per_case")
        assert (rows["cases"] == by_year[["2021", "2022"]].min(axis=1).reindex(rows.index)).all()


@pytest.fixture
def unfitted(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[Check]], None]:
    """Stand-ins for the fit (draws near what was recorded) and for its checks."""

    def checked(checks: list[Check]) -> None:
        monkeypatch.setattr(module, "fit_per_case", value_stand_ins.per_case)
        monkeypatch.setattr(diagnostics, "blocking", lambda *_: checks)

    return checked


def test_a_fit_that_fails_a_check_shows_no_site(unfitted):
    unfitted([Check("hours", "pareto_k", 1.2, 0.7, "blocking", False, "")])
    table = burden_table(value_case.params_of(None, ("burden",)), simulated()[0])
    assert of_sites(table, "hours_per_case").empty
    failed = table[table["estimand"].eq("hours_not_fitted")]
    assert failed[["event", "engine"]].to_numpy().tolist() == [["pareto_k", "laplace"]]
    assert table["estimand"].eq("hours").any()


def test_costs_are_brought_to_the_price_year(unfitted):
    unfitted([])
    given = simulated()[0].assign(cost=lambda rows: 10 * rows["cases"])
    params = value_case.params_of({"currency": "£", "price_year": 2023, "inflation": 0.1}, ("burden",))
    rows = burden_table(params, given)
    recorded = rows[rows["estimand"].eq("recorded_cost_per_case")].set_index("period")["mean"]
    assert list(recorded) == pytest.approx([10 * 1.1**3, 10 * 1.1**2, 10 * 1.1])
    without = burden_table(value_case.params_of(None, ("burden",)), given)
    assert not without["estimand"].str.contains("cost").any()


def test_a_year_is_counted_back_from_the_end_of_the_table(unfitted):
    unfitted([])
    given = simulated()[0]
    rows = burden_table(value_case.params_of(None, ("burden",)), given[given["period"] <= "2022Q2"])
    assert list(rows.loc[rows["estimand"].eq("hours"), "period"]) == ["2020Q1/2020Q2", "2020Q3/2021Q2", "2021Q3/2022Q2"]


def test_one_site_is_told_and_not_estimated(unfitted):
    unfitted([])
    given = simulated()[0]
    rows = burden_table(value_case.params_of(None, ("burden",)), given[given["site"].eq("S05")])
    assert set(rows["estimand"]) == {"hours", "cases_with_hours", "recorded_hours_per_case"}

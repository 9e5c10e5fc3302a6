"""What the programme was worth: examples worked by hand, rules, and that only costs and events of one time meet."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit, logit

import collabeval.panel
import fake_run
import value_case
import value_stand_ins
from calibration import effect_worlds
from collabeval.effect.estimate import estimate
from collabeval.params import Params
from collabeval.value import curve, tornado
from collabeval.value.events import Avoided
from collabeval.value.given import Given
from collabeval.value.ledger import Ledger, open_ledger
from collabeval.value.worth import worth_tables

PLAIN = {"currency": "US$", "price_year": 2022}


def cell(table: pd.DataFrame, estimand: str, column: str = "mean", measure: str = "") -> Any:
    rows = table[table["estimand"].eq(estimand) & table["measure"].eq(measure)]
    assert len(rows) == 1, f"{len(rows)} rows of {estimand}"
    return rows.iloc[0][column]


def panel(years: range, cases: float = 1000.0, sites: tuple[str, ...] = ("A", "B")) -> pd.DataFrame:
    """A hundred events a thousand cases in every year."""
    rows = [(site, str(year), float(year - years[0])) for site in sites for year in years]
    table = pd.DataFrame(rows, columns=["site", "period", "time"])
    return table.assign(measure="death", numerator=cases / 10, denominator=cases, weight=cases)


def tables(
    value: dict[str, Any],
    events: float | np.ndarray,
    costs: pd.DataFrame | None,
    years: range = range(2022, 2023),
    **own: Any,
) -> dict[str, pd.DataFrame]:
    """The results of a programme whose sites joined before the first year and avoided these events."""
    drawn = np.full(1000, events) if np.isscalar(events) else np.asarray(events)
    effect = pd.DataFrame(
        {"measure": "death", "draw": np.arange(len(drawn)), "events_avoided": drawn, "treated_cases": 1.0}
    )
    sites = pd.DataFrame({"site": ["A", "B"], "joined": pd.Timestamp("2010-01-01")})
    given = Given(panel(years), sites, costs, None, {"effect_draws": effect, **own})
    return worth_tables(value_case.params_of(PLAIN | value, ("costs",) if costs is not None else ()), given)


class TestWorkedExample:
    """Complications 13.1 → 10.5 % against 12.5 → 11.5 % elsewhere; 20 million saved on 5 million spent."""

    def test_from_counts_to_the_return_on_investment(self):
        """The effect is estimated from counts. Without the programme: 12.5 → 11.5 on the log-odds scale from 13.1.

        That is −1.559 points, which one decimal tells with draws enough: 4,000 have a Monte Carlo error of 0.002.
        """
        cases, sites = 40_000, [f"S{number}" for number in range(10)]
        without = expit(logit(0.131) + logit(0.115) - logit(0.125))
        price = 20e6 / ((without - 0.105) * cases * len(sites))
        value = {"currency": "US$", "price_year": 2024, "cost_per_event": {"m": price}}
        data = {"sites": "s", "outcomes": "o", "comparators": "c", "costs": "k"}
        precise = {"seed": 1, "draws": 1000, "chains": 4, "minimum_ess": 4000}
        params = effect_worlds.params_of(
            "binomial", periods={"length": "year"}, value=value, data=data, sampling=precise
        )
        inside, outside = (
            pd.DataFrame([
                {"site": site, "period": year, "measure": "m", "numerator": rate * cases, "denominator": float(cases)}
                for site in units for year, rate in zip(("2023", "2024"), rates, strict=True)
            ])
            for units, rates in ((sites, (0.131, 0.105)), ([f"C{number}" for number in range(10)], (0.125, 0.115)))
        )  # fmt: skip
        joined = pd.DataFrame({"site": sites, "joined": pd.Timestamp("2024-01-01")})
        analysed = collabeval.panel.build(params, joined, inside)
        found = estimate(params, analysed, joined, outside.rename(columns={"site": "unit"}))
        made = {f"effect_{name}": getattr(found, name) for name in ("draws", "basis", "statements")}
        costs = value_stand_ins.cost_table([("2024", "All", 5e6)])
        worth = worth_tables(params, Given(analysed, joined, costs, None, made))["value_summary"]
        effect = found.summary.set_index("estimand").loc["effect", "mean"]
        assert round(effect, 1) == -1.6
        assert cell(worth, "events_avoided", measure="m") == pytest.approx(-effect / 100 * cases * len(sites))
        assert cell(worth, "cost_avoided") == pytest.approx(20e6, rel=0.0125)
        assert round(cell(worth, "benefit_cost_ratio"), 1) == 4.0
        assert round(cell(worth, "return_on_investment"), 1) == 3.0

    def test_by_hand(self):
        points = (10.5 - 13.1) - (11.5 - 12.5)
        assert points == pytest.approx(-1.6)
        cases = 100_000
        found = tables(
            {"cost_per_event": {"death": 12_500.0}},
            -points / 100 * cases,
            value_stand_ins.cost_table([("2022", "All", 5e6)]),
        )["value_summary"]
        assert cell(found, "events_avoided", measure="death") == pytest.approx(1600)
        assert cell(found, "cost_avoided") == pytest.approx(20e6)
        assert cell(found, "programme_cost") == pytest.approx(5e6)
        assert cell(found, "net_benefit") == pytest.approx(15e6)
        assert cell(found, "benefit_cost_ratio") == pytest.approx(4.0)
        assert cell(found, "return_on_investment") == pytest.approx(3.0)
        assert cell(found, "break_even", measure="death") == pytest.approx(5e6 / 1600)
        assert cell(found, "net_benefit", "probability") == 1.0


class TestTime:
    """Costs and events meet where they are of the same time."""

    def test_both_are_discounted_alike(self):
        costs = value_stand_ins.yearly_costs(range(2020, 2023), {"All": 1000.0})
        found = tables({"cost_per_event": {"death": 50.0}, "discount_rate": 0.1}, 90.0, costs, range(2020, 2023))
        factors = 1 + 1 / 1.1 + 1 / 1.21  # 30 events a year, as cases are alike in all years
        assert cell(found["value_summary"], "programme_cost") == pytest.approx(1000 * factors)
        assert cell(found["value_summary"], "cost_avoided") == pytest.approx(30 * 50 * factors)
        assert cell(found["value_summary"], "events_avoided", measure="death") == pytest.approx(90)
        assert cell(found["value_summary"], "break_even", measure="death") == pytest.approx(1000 / 30)

    def test_another_year_may_be_the_one_that_is_not_discounted(self):
        costs = value_stand_ins.yearly_costs(range(2020, 2023), {"All": 1000.0})
        own = {"cost_per_event": {"death": 50.0}, "discount_rate": 0.1, "discount_to": 2022}
        found = tables(own, 90.0, costs, range(2020, 2023))["value_summary"]
        assert cell(found, "programme_cost") == pytest.approx(1000 * (1.21 + 1.1 + 1))

    def test_old_prices_are_brought_to_the_price_year(self):
        costs = value_stand_ins.cost_table([("2021", "All", 100.0), ("2022", "All", 100.0)])
        found = tables({"price_index": {"2021": 80.0, "2022": 100.0}}, 10.0, costs, range(2021, 2023))
        assert list(found["value_costs"]["price_year_amount"]) == pytest.approx([125, 100])
        assert cell(found["value_summary"], "programme_cost") == pytest.approx(225)

    def test_events_of_years_without_costs_do_not_count(self):
        costs = value_stand_ins.cost_table([("2022", "All", 1000.0)])
        found = tables({"cost_per_event": {"death": 50.0}}, 90.0, costs, range(2020, 2023))["value_summary"]
        assert cell(found, "events_avoided", measure="death") == pytest.approx(30)
        assert sorted(found[found["estimand"].eq("without_costs")]["period"]) == ["2020", "2021"]
        assert cell(found, "cost_avoided") == pytest.approx(1500)

    def test_what_was_spent_on_starting_counts_and_what_came_after_does_not(self):
        costs = value_stand_ins.yearly_costs(range(2019, 2024), {"All": 100.0})
        found = tables({}, 9.0, costs, range(2021, 2023))["value_costs"].set_index("year")["counted"]
        assert found.to_dict() == {2019: 1.0, 2020: 1.0, 2021: 1.0, 2022: 1.0, 2023: 0.0}

    def test_the_time_of_the_costs_is_told_with_their_start(self):
        costs = value_stand_ins.yearly_costs(range(2019, 2024), {"All": 100.0})
        found = tables({"cost_per_event": {"death": 5.0}}, 9.0, costs, range(2021, 2023))["value_summary"]
        assert cell(found, "programme_cost", "period") == "2019/2022"
        assert cell(found, "cost_avoided", "period") == "2021/2022"

    def test_half_a_year_of_events_takes_half_of_a_years_costs(self):
        """Quarterly outcomes, yearly costs: of the year, the days of the quarters count."""
        ledger = one_ledger({}, ["2022Q1", "2022Q2"], value_stand_ins.cost_table([("2022", "All", 365.0)]))
        assert ledger.rows is not None
        assert ledger.rows["counted"].iloc[0] == pytest.approx((31 + 28 + 31 + 30 + 31 + 30) / 365)
        assert ledger.not_covered == ()

    def test_a_quarter_that_costs_cover_in_part_does_not_count(self):
        ledger = one_ledger(
            {}, ["2022Q1", "2022Q2"], value_stand_ins.cost_table([("2022-01", "All", 1.0), ("2022-02", "All", 1.0)])
        )
        assert ledger.not_covered == ("2022Q1", "2022Q2")

    def test_collecting_counts_as_a_cost_only_where_params_say_so(self):
        burden = value_stand_ins.burden_table(["A", "B"], range(2022, 2023))
        spent = {}
        for add in (False, True):
            params = value_case.params_of(PLAIN | {"add_burden": add})
            given = Given(
                panel(range(2022, 2023)), pd.DataFrame(), value_stand_ins.yearly_costs(range(2022, 2023)), burden
            )
            ledger = open_ledger(params, given, ())
            spent[add] = ledger.programme_cost()
        assert spent[True] - spent[False] == pytest.approx(burden["cost"].sum())


def one_ledger(value: dict[str, Any], labels: list[str], costs: pd.DataFrame) -> Ledger:
    params = value_case.params_of(PLAIN | value, ("costs",), quarters=True)
    change = Avoided("death", "change", np.full(10, 8.0), pd.Series(100.0, index=labels))
    return open_ledger(params, Given(pd.DataFrame(), pd.DataFrame(), costs), (change,))


class TestRatios:
    def test_a_divisor_that_may_be_none_gives_no_summary(self):
        events = np.random.default_rng(1).normal(20, 15, 4000)
        found = tables({"cost_per_event": {"death": 50.0}}, events, value_stand_ins.cost_table([("2022", "All", 1e4)]))
        row = found["value_summary"].set_index(["estimand", "measure"]).loc[("break_even", "death")]
        assert row[["mean", "sd", "q025", "q50", "q975"]].isna().all()
        assert row["event"] == "denominator_spans_0"
        assert row["probability"] == pytest.approx((events > 0).mean())
        assert len(found["value_curve"])

    def test_the_break_even_cost_is_the_inverse_of_the_curve(self):
        events = np.random.default_rng(2).normal(100, 20, 40_000)
        found = tables({}, events, value_stand_ins.cost_table([("2022", "All", 1e4)]))["value_summary"]
        for quantile, chance in (("q025", 0.025), ("q50", 0.5), ("q975", 0.975)):
            cost = cell(found, "break_even", quantile, "death")
            assert curve.acceptability(events, np.array(1e4), np.array([cost]))[0] == pytest.approx(chance, abs=1e-3)

    def test_a_programme_that_earns_has_no_ratio(self):
        found = tables({"cost_per_event": {"death": 5.0}}, 9.0, value_stand_ins.cost_table([("2022", "Fees", -100.0)]))
        assert not found["value_summary"]["estimand"].isin(["benefit_cost_ratio", "return_on_investment"]).any()
        assert cell(found["value_summary"], "net_benefit") == pytest.approx(145)


def test_the_curve_agrees_with_the_normal_distribution():
    """P(λE > C) = Φ((m − C/λ) / s) for E ~ Normal(m, s)."""
    events, ladder = np.random.default_rng(3).normal(60, 24, 200_000), np.array([100.0, 400.0, 1000.0, 3000.0])
    exact = stats.norm.cdf((60 - 20_000 / ladder) / 24)
    assert curve.acceptability(events, np.array(20_000.0), ladder) == pytest.approx(exact, abs=0.005)


def test_what_is_uncertain_is_drawn_independently():
    """Var(EU) = Var E Var U + Var E (mean U)² + Var U (mean E)², and the mean of the product is that of the means."""
    events = np.random.default_rng(4).normal(100, 20, 100_000)
    value = {"cost_per_event": {"death": {"mean": 1000.0, "se": 300.0}}}
    found = tables(value, events, value_stand_ins.cost_table([("2022", "All", 1e4)]))["value_summary"]
    assert cell(found, "cost_avoided") == pytest.approx(100_000, rel=0.005)
    expected = math.sqrt(20**2 * 300**2 + 20**2 * 1000**2 + 300**2 * 100**2)
    assert cell(found, "cost_avoided", "sd") == pytest.approx(expected, rel=0.01)


def test_the_tornado_by_hand():
    events = np.linspace(90, 110, 2001)  # 2.5% and 97.5%: 90.5 and 109.5
    value = {
        "cost_per_event": {"death": {"mean": 50.0, "low": 40.0, "high": 65.0}},
        "ranges": {"programme_cost": [0.5, 2.0], "discount_rate": [0.0, 0.25]},
    }
    costs = value_stand_ins.yearly_costs(range(2021, 2023), {"All": 1000.0})
    found = tables(value, events, costs, range(2021, 2023))["value_tornado"].set_index("input")
    nets = {name: (row["net_low"], row["net_high"]) for name, row in found.iterrows()}
    assert found["base"].to_numpy() == pytest.approx(100 * 50 - 2000)
    assert nets["events_avoided"] == pytest.approx((90.5 * 50 - 2000, 109.5 * 50 - 2000))
    assert nets["cost_per_event"] == pytest.approx((100 * 40 - 2000, 100 * 65 - 2000))
    assert nets["programme_cost"] == pytest.approx((5000 - 1000, 5000 - 4000))
    assert nets["discount_rate"] == pytest.approx((3000, (2500 - 1000) * 1.8))
    assert list(found.index) == ["programme_cost", "cost_per_event", "events_avoided", "discount_rate"]
    assert tornado.table(None).empty


class TestTwoMeasures:
    def test_savings_add_up_and_each_breaks_even_with_the_other(self):
        params, given = self.case()
        found = worth_tables(params, given)["value_summary"]
        assert cell(found, "cost_avoided") == pytest.approx(40 * 30 + 10 * 100)
        assert cell(found, "break_even", measure="death") == pytest.approx((2000 - 10 * 100) / 40)
        assert cell(found, "break_even", measure="infection") == pytest.approx((2000 - 40 * 30) / 10)

    def test_one_without_a_price_is_counted_and_not_valued(self):
        params, given = self.case()
        assert params.value is not None
        only = params.value.model_copy(update={"cost_per_event": {"death": 30.0}})
        found = worth_tables(params.model_copy(update={"value": only}), given)["value_summary"]
        assert cell(found, "cost_avoided") == pytest.approx(40 * 30)
        assert not (found["measure"].eq("infection") & found["estimand"].eq("cost_avoided")).any()

    @staticmethod
    def case() -> tuple[Params, Given]:
        value = PLAIN | {"cost_per_event": {"death": 30.0, "infection": 100.0}}
        params = value_case.params_of(value, ("costs",), measures=("death", "infection"))
        rows = panel(range(2022, 2023))
        effect = pd.concat([
            pd.DataFrame({"measure": name, "draw": np.arange(50), "events_avoided": number, "treated_cases": 1.0})
            for name, number in (("death", 40.0), ("infection", 10.0))
        ])  # fmt: skip
        sites = pd.DataFrame({"site": ["A", "B"], "joined": pd.Timestamp("2010-01-01")})
        costs = value_stand_ins.cost_table([("2022", "All", 2000.0)])
        both = pd.concat([rows, rows.assign(measure="infection")])
        return params, Given(both, sites, costs, None, {"effect_draws": effect})


class TestBasis:
    """What is change is marked so, and is worth nothing unless params say so."""

    @pytest.fixture(scope="class")
    @staticmethod
    def changed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
        found = {}
        for basis in ("effect", "change"):
            value = value_stand_ins.VALUE | {"basis": basis}
            run = value_case.make(tmp_path_factory.mktemp(basis), value_case.params_of(value, ("costs",)), None)
            found[basis] = run.read(run.table("value_summary"))
        return found

    def test_without_an_effect_there_is_no_return(self, changed):
        found = changed["effect"]
        assert set(found["estimand"]) == {"programme_cost", "events_avoided", "not_valued"}
        assert cell(found, "events_avoided", "basis", "death") == "change"
        assert cell(found, "not_valued", "event", "death") == "no_effect_step"

    def test_a_change_counts_where_params_say_so(self, changed):
        found = changed["change"]
        assert set(found.loc[found["basis"].ne(""), "basis"]) == {"change"}
        assert {"net_benefit", "return_on_investment"} <= set(found["estimand"])
        assert cell(found, "programme_cost") == pytest.approx(
            sum(value_stand_ins.ITEMS.values())
        )  # of the last year alone

    def test_the_change_is_that_of_the_programme_estimates(self, changed, tmp_path):
        fake = fake_run.Fake(years=8, change=-0.35, sites=14)
        run = fake_run.make(tmp_path, fake)
        estimates, rows = run.read(run.table("programme_estimates")), run.read(run.panel)
        change = estimates[estimates["estimand"].eq("change")].iloc[0]
        now = rows.loc[rows["period"].eq("2022"), "denominator"].sum()
        for name, other in (("q025", "q975"), ("q50", "q50"), ("mean", "mean")):
            assert cell(changed["change"], "events_avoided", name, "death") == pytest.approx(
                -change[other] / 100 * now, rel=1e-6
            )

    @pytest.mark.parametrize(
        ("own", "reason"),
        [
            ({"effect_basis": pd.DataFrame({"measure": ["death"], "needs": ["untreated"]})}, "untreated"),
            ({"effect_statements": pd.DataFrame({"measure": ["death"], "statement": ["in_doubt"]})}, "in_doubt"),
            (
                {"effect_statements": pd.DataFrame({"measure": ["death"], "statement": ["not_reliable"]})},
                "not_reliable",
            ),
        ],
    )
    def test_an_effect_that_is_missing_or_in_doubt_is_not_valued(self, own, reason):
        found = tables(
            {"cost_per_event": {"death": 5.0}}, 9.0, value_stand_ins.cost_table([("2022", "All", 9.0)]), **own
        )
        assert cell(found["value_summary"], "not_valued", "event", "death") == reason
        assert "net_benefit" not in set(found["value_summary"]["estimand"])

    def test_events_lie_where_the_effect_was_estimated(self):
        basis = pd.DataFrame({"measure": ["death"], "needs": [""], "first": ["2021"], "last": ["2021"]})
        costs = value_stand_ins.yearly_costs(range(2020, 2023), {"All": 100.0})
        found = tables({}, 9.0, costs, range(2020, 2023), effect_basis=basis)["value_summary"]
        assert cell(found, "events_avoided", "period", "death") == "2021"
        assert cell(found, "programme_cost") == pytest.approx(200)  # of 2021, and of the start


def test_without_costs_there_is_no_net_benefit():
    found = tables({"cost_per_event": {"death": 50.0}}, 90.0, None, range(2020, 2023))
    assert cell(found["value_summary"], "cost_avoided") == pytest.approx(4500)
    assert set(found["value_summary"]["estimand"]) == {"cost_avoided", "events_avoided", "cost_per_event"}
    assert found["value_curve"].empty
    assert found["value_tornado"].empty


def test_without_a_block_in_params_all_tables_are_there_and_empty():
    found = worth_tables(value_case.params_of(None, ()), Given(panel(range(2022, 2023)), pd.DataFrame()))
    assert set(found) == {"value_costs", "value_summary", "value_curve", "value_tornado"}
    assert all(table.empty for table in found.values())

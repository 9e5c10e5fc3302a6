"""From the tables and draws of a run to the results of its scorecards: waivers, units, indicators, signals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from collabeval.errors import CollabevalError
from collabeval.params import Params
from collabeval.scorecard.evaluate import NAMES, evaluate_scorecards
from draws_for_tests import SIZE, Draws, panel_of
from draws_for_tests import params as params_of
from scorecard_examples import indicator

QUARTERS = tuple(f"{year}Q{quarter}" for year in (2024, 2025) for quarter in (1, 2, 3, 4))
LINE = {"measure": "m", "tiers": [{"at": 10, "points": 10}, {"at": 20, "points": 5}]}


def params(card: dict[str, Any], **blocks: Any) -> Params:
    return params_of(
        length="quarter",
        periods={"baseline": ["2024Q1", "2024Q4"], "current": ["2025Q1", "2025Q4"]},
        **{"scorecards": {"card": {"label": "Card", **card}}, **blocks},
    )


def panel(**events: list[float]) -> pd.DataFrame:
    """100 cases a quarter; the events of each site in the eight quarters, NaN for a quarter that was not sent."""
    rows = [
        {"site": site, "period": period, "numerator": count}
        for site, counts in events.items()
        for period, count in zip(QUARTERS, counts, strict=True)
        if count == count
    ]
    return panel_of(rows)


def draws(table: pd.DataFrame, spread: float = 0.3, **rates: float) -> Draws:
    generator = np.random.default_rng(1)
    level = {site: logit(rate / 100) + spread * generator.normal(size=SIZE) for site, rate in rates.items()}
    return Draws(table, intercept=0.0, level=level)


def results(
    given: Params, table: pd.DataFrame, drawn: Draws, sites: pd.DataFrame | None = None, **further: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    sites = pd.DataFrame({"site": sorted(set(table["site"]))}) if sites is None else sites
    return evaluate_scorecards(given, sites, table, {"m": drawn.tree()}, further)


def indicators(*rows: tuple[str, str, float, float, float]) -> pd.DataFrame:
    """Rows of site, period, numerator, denominator, value of the indicator `i`."""
    table = pd.DataFrame(rows, columns=["site", "period", "numerator", "denominator", "value"]).assign(indicator="i")
    start = pd.PeriodIndex(table["period"], freq="Q")
    return table.assign(starts=start.start_time, ends=(start + 1).start_time)


def waiver(site: str, first: str, last: str, measure: str = "") -> pd.DataFrame:
    days = {"from": pd.Timestamp(first), "to": pd.Timestamp(last) if last else pd.NaT}
    return pd.DataFrame([{"site": site, "measure": measure, "reason": "flood", **days}])


TWO = {"A": [12.0] * 8, "B": [30.0] * 8}
TABLES = {"sites": "s", "outcomes": "o", "indicators": "x"}


def test_the_recorded_rate_of_the_current_window_is_scored_and_the_true_one_drawn():
    table = panel(A=[50] * 4 + [8, 12, 8, 12], B=[1] * 4 + [30] * 4)
    found = results(params({"parts": {"m": LINE}}), table, draws(table, A=10.0, B=30.0))
    assert list(found) == list(NAMES)
    sites = found["scorecard_sites"].set_index("site")
    assert sites.loc["A", "points"] == 10
    assert sites.loc["B", "points"] == 0
    assert 5 < sites.loc["A", "expected_points"] < 10
    parts = found["scorecard_parts"].set_index("site")
    assert parts.loc["A", ["observed", "events", "cases"]].tolist() == [10, 40, 400]
    assert parts.loc["A", "misclassified"] == pytest.approx(0.5, abs=0.05)  # its true rate is centred on the threshold
    assert parts.loc["B", "misclassified"] < 0.1


def test_expected_events_adjust_the_recorded_rate():
    """The registry expects twice the events there are: that moves no site, only how its cases compare does."""
    rows = panel(A=[10.0] * 8, B=[20.0] * 8).assign(expected=[15.0] * 8 + [45.0] * 8)
    parts = results(params({"parts": {"m": LINE}}), rows, draws(rows, A=10.0, B=30.0))["scorecard_parts"]
    # O/E of the site over that of all, times the rate of all: 10/15 and 20/45 over 30/60, times 15 %
    assert parts["observed"].tolist() == pytest.approx([10 / 15 / 0.5 * 15, 20 / 45 / 0.5 * 15])
    assert parts["events"].tolist() == pytest.approx([40, 80])


@pytest.mark.parametrize("calibration", [0.5, 1.0, 1.6])
def test_recorded_and_true_rates_are_on_one_scale_however_the_registry_is_calibrated(calibration):
    """Draws at the sites' own odds ratios: with many cases the recorded adjusted rate is the mean of the drawn one."""
    ratio = {"A": 0.7, "B": 1.0, "C": 1.4}
    base = {"A": 0.06, "B": 0.10, "C": 0.14}
    rows = panel(**{site: [100 * expit(logit(base[site]) + np.log(ratio[site]))] * 8 for site in ratio})
    rows["expected"] = 100 * rows["site"].map(base) * calibration
    odds = {site: rows.loc[rows["site"].eq(site), "numerator"].iloc[0] / 100 for site in ratio}
    own = {site: logit(odds[site]) - logit(base[site] * calibration) for site in ratio}
    parts = results(params({"parts": {"m": LINE}}), rows, Draws(rows, level=own))["scorecard_parts"]
    assert parts["mean"].to_numpy() == pytest.approx(parts["observed"].to_numpy(), rel=0.06)


@pytest.mark.parametrize(
    ("first", "last", "status", "observed"),
    [
        ("2025-01-01", "2025-12-31", "waived", np.nan),
        ("2025-01-01", "", "waived", np.nan),
        ("2025-01-01", "2025-06-30", "scored", 8.0),
        ("2025-01-01", "2025-02-10", "scored", 20.0),  # 41 of 90 days: less than half of the first quarter
        ("2025-01-01", "2025-02-20", "scored", 16.0),  # more than half of it
        ("2023-01-01", "2023-12-31", "scored", 20.0),
    ],
)  # fmt: skip
def test_waived_quarters_leave_the_value_and_a_waived_year_leaves_the_line(first, last, status, observed):
    table = panel(A=[10] * 4 + [32, 32, 8, 8], B=[10] * 8)
    given = params({"parts": {"m": LINE}})
    found = results(given, table, draws(table, A=10, B=10), waivers=waiver("A", first, last))
    own = found["scorecard_parts"].set_index("site").loc["A"]
    assert own["status"] == status
    assert own["observed"] == pytest.approx(observed, nan_ok=True)
    assert found["scorecard_parts"].set_index("site").loc["B", "observed"] == 10


def test_a_waiver_of_another_measure_waives_nothing_here():
    table = panel(**TWO)
    given = params({"parts": {"m": LINE}})
    found = results(given, table, draws(table, A=10, B=10), waivers=waiver("A", "2025-01-01", "", "other"))
    assert found["scorecard_parts"]["status"].tolist() == ["scored", "scored"]


def test_waived_quarters_leave_the_true_rate_too():
    """The site is bad in the first half and good in the second: with the first half waived, it is drawn as good."""
    table = panel(A=[10] * 4 + [40, 40, 5, 5], B=[10] * 8)
    effects = np.zeros((SIZE, len(table)))
    bad = table["site"].eq("A") & table["period"].isin(["2025Q1", "2025Q2"])
    effects[:, bad.to_numpy()] = 3.0
    drawn = Draws(table, level={"A": logit(0.05), "B": logit(0.10)}, overdispersion=effects)
    given = params({"parts": {"m": LINE}})
    means = [
        results(given, table, drawn, **tables)["scorecard_parts"].set_index("site").loc["A", "mean"]
        for tables in ({}, {"waivers": waiver("A", "2025-01-01", "2025-06-30")})
    ]
    assert means[1] == pytest.approx(5)
    assert means[0] > 15


def test_a_waived_site_leaves_the_mean_of_its_region_and_is_not_scored_on_it():
    table = panel(A=[10] * 8, B=[30] * 8, C=[50] * 8)
    sites = pd.DataFrame({"site": ["A", "B", "C"], "region": ["north", "north", "south"]})
    given = params({"parts": {"m": {**LINE, "unit": "region"}}})
    found = results(given, table, draws(table, A=10, B=30, C=50), sites, waivers=waiver("B", "2025-01-01", ""))
    parts = found["scorecard_parts"].set_index("site")
    assert parts["status"].tolist() == ["scored", "waived", "scored"]
    assert parts.loc["A", "observed"] == 10
    whole = results(given, table, draws(table, A=10, B=30, C=50), sites)["scorecard_parts"].set_index("site")
    assert whole.loc["A", "observed"] == 20
    with pytest.raises(CollabevalError, match="needs the column region"):
        results(given, table, draws(table), sites[["site"]])


def test_indicators_are_summed_over_the_window_whatever_the_length_of_their_periods():
    table = panel(**TWO)
    line = {"indicator": "i", "better": "higher", "tiers": [{"at": 80, "points": 10}]}
    given = params({"parts": {"i": line}}, indicators=[indicator("i")], data=TABLES)
    rows = indicators(
        ("A", "2024Q4", 0, 100, np.nan), ("A", "2025Q1", 90, 100, np.nan), ("A", "2025Q2", 70, 100, np.nan),
        ("B", "2025Q1", 5, 10, np.nan),
    )  # fmt: skip
    parts = results(given, table, draws(table), indicators=rows)["scorecard_parts"].set_index("site")
    assert parts.loc["A", ["observed", "cases", "points"]].tolist() == [80, 200, 10]
    assert parts.loc["B", "mean"] == pytest.approx(50, abs=1)
    assert parts.loc["B", "sd"] == pytest.approx(100 * np.sqrt(0.25 / 12), abs=1)  # sd of Beta(5.5, 5.5)
    yearly = rows.iloc[[0, 3]].assign(starts=pd.Timestamp("2025-01-01"), ends=pd.Timestamp("2026-01-01"))
    assert results(given, table, draws(table), indicators=yearly)["scorecard_parts"]["cases"].tolist() == [100, 10]
    with pytest.raises(CollabevalError, match="has no row of it"):
        results(given, table, draws(table), indicators=rows.assign(indicator="j"))


@pytest.mark.parametrize(("how", "value"), [("mean", 3.0), ("sum", 6.0), ("last", 4.0)])
def test_values_without_denominator_are_put_together_as_declared(how, value):
    table = panel(**TWO)
    line = {"indicator": "i", "better": "higher", "over_periods": how, "tiers": [{"at": 3, "points": 10}]}
    given = params({"parts": {"i": line}}, indicators=[indicator("i")], data=TABLES)
    rows = indicators(("A", "2025Q1", np.nan, np.nan, 2), ("A", "2025Q3", np.nan, np.nan, 4))
    parts = results(given, table, draws(table), indicators=rows)["scorecard_parts"].set_index("site")
    assert parts.loc["A", "observed"] == value
    assert parts.loc["B", "status"] == "missing"


def test_the_collaboratives_own_row_is_scored_where_there_is_one():
    table = panel(**TWO)
    line = {"indicator": "i", "better": "higher", "unit": "collaborative", "tiers": [{"at": 3, "points": 10}]}
    given = params({"parts": {"i": line}}, indicators=[indicator("i")], data=TABLES)
    rows = indicators(("", "2025Q1", np.nan, np.nan, 5), ("A", "2025Q1", np.nan, np.nan, 1))
    parts = results(given, table, draws(table), indicators=rows)["scorecard_parts"]
    assert parts["observed"].tolist() == [5, 5]


def test_scorecards_that_look_at_indicators_are_left_out_without_a_table_of_them():
    table, tiers = panel(**TWO), [{"at": 1, "points": 10}]
    own = {"label": "Own", "parts": {"m": {"measure": "m", "tiers": [{"at": 20, "points": 10}]}}}
    gated = own | {"gates": {"present": {"indicator": "i", "at": 1, "keeps": 0.5}}}
    counting = {"label": "Counting", "parts": {"gated": {"scorecard": "gated", "tiers": tiers}}}
    cards = {"own": own, "gated": gated, "counting": counting}
    blocks = {"scorecards": cards, "indicators": [indicator("i") | {"better": "higher"}]}
    without = params(own, **blocks)
    assert list(without.scored) == ["own"]
    assert set(results(without, table, draws(table))["scorecard_sites"]["scorecard"]) == {"own"}
    assert list(params(own, data=TABLES, **blocks).scored) == ["own", "gated", "counting"]


def test_a_scorecard_may_count_another_one():
    table = panel(A=[10] * 8, B=[15] * 8)
    inner = {"label": "Inner", "parts": {"m": LINE}}
    outer = {"label": "Outer", "parts": {"inner": {"scorecard": "inner", "better": "higher", "between": "line",
             "tiers": [{"at": 0, "points": 0}, {"at": 100, "points": 40}]}}}  # fmt: skip
    given = params({"parts": {"m": LINE}}).model_copy(
        update={"scorecards": params_of(scorecards={"inner": inner, "outer": outer}).scorecards}
    )
    sites = results(given, table, draws(table, A=10, B=15))["scorecard_sites"].set_index(["scorecard", "site"])
    assert sites.loc["outer", "points"].tolist() == pytest.approx([40, 20])
    twice = sites.loc["outer", "expected_points"] / sites.loc["inner", "expected_points"]
    assert twice.to_numpy() == pytest.approx([4, 4])  # the same draws in both


def test_money_may_be_the_share_of_what_each_site_can_earn():
    table = panel(A=[10] * 8, B=[15] * 8)
    sites = pd.DataFrame({"site": ["A", "B"], "potential": [1000.0, 3000.0]})
    given = params({"parts": {"m": LINE}, "money": {"column": "potential"}})
    found = results(given, table, draws(table, A=10, B=15), sites)["scorecard_sites"]
    assert found["money"].tolist() == pytest.approx([1000, 1500])


@pytest.mark.parametrize(("together", "factor"), [([], np.sqrt(2)), (["m", "k"], 2)])
def test_draws_of_separate_fits_are_not_paired_by_their_order_and_those_of_one_fit_are(together, factor):
    """Two lines with the same draws, handed over sorted: independent unless the measures were fitted together."""
    table = pd.concat([panel(**TWO), panel(**TWO).assign(measure="k")], ignore_index=True)
    ordered = {site: np.sort(logit(0.2) + 0.5 * np.random.default_rng(2).normal(size=SIZE)) for site in ("A", "B")}
    tree = Draws(panel(**TWO), level=ordered).tree()
    one = params({"parts": {"m": {**LINE, "between": "line"}}})
    card = one.scorecards["card"]
    parts = {"m": card.parts["m"], "k": card.parts["m"].model_copy(update={"measure": "k"})}
    both = one.model_copy(
        update={
            "measures": {"m": one.measures["m"], "k": one.measures["m"]},
            "scorecards": {"card": card.model_copy(update={"parts": parts})},
            "model": one.model.model_copy(update={"together": tuple(together)}),
        }
    )
    sites = pd.DataFrame({"site": ["A", "B"]})
    spread = evaluate_scorecards(both, sites, table, {"m": tree, "k": tree}, {})["scorecard_sites"]["sd"].to_numpy()
    single = evaluate_scorecards(one, sites, panel(**TWO), {"m": tree}, {})["scorecard_sites"]["sd"].to_numpy()
    assert spread == pytest.approx(factor * single, rel=0.1)


# --- signals


def test_a_site_that_sends_half_its_cases_is_flagged_and_the_others_are_not():
    table = panel(A=[10] * 8, B=[10] * 8, C=[10] * 8, D=[10] * 8)
    table.loc[table["site"].eq("A") & table["period"].str.startswith("2025"), ["denominator", "weight"]] = 40.0
    found = results(params({"parts": {"m": LINE}}), table, draws(table, A=10, B=10, C=10, D=10))
    signals = found["scorecard_signals"].query("signal == 'fewer_cases'").set_index("site")
    assert signals["flagged"].tolist() == [True, False, False, False]
    assert signals.loc["A", "value"] == pytest.approx(0.4 / (1360 / 1600))
    waived = results(params({"parts": {"m": LINE}}), table, draws(table), waivers=waiver("A", "2025-01-01", ""))
    assert "A" not in set(waived["scorecard_signals"].query("signal == 'fewer_cases'")["site"])


def test_a_site_whose_cases_are_suddenly_expected_to_do_worse_is_flagged():
    table = panel(A=[10] * 8, B=[10] * 8, C=[10] * 8)
    table["expected"] = 10.0 + np.tile([0.5, -0.5], len(table) // 2)
    table.loc[table["site"].eq("A") & table["period"].str.startswith("2025"), "expected"] *= 1.8
    found = results(params({"parts": {"m": LINE}}), table, draws(table))
    signals = found["scorecard_signals"].query("signal == 'sicker_cases'").set_index("site")
    assert signals["flagged"].tolist() == [True, False, False]


def test_missing_quarters_at_a_threshold_are_shown_and_those_far_from_it_are_not():
    table = panel(A=[30] * 4 + [9, 9, np.nan, 12], B=[2] * 4 + [2, 2, np.nan, 2], C=[10] * 8)
    found = results(params({"parts": {"m": LINE}}), table, draws(table, A=16, B=2, C=10))
    gaps = found["scorecard_signals"].query("signal == 'gaps'").set_index("site")
    assert gaps.loc["A", "value"] == 0.25
    assert gaps["flagged"].to_dict() == {"A": True, "B": False}
    waived = results(
        params({"parts": {"m": LINE}}),
        table,
        draws(table, A=16, B=2, C=10),
        waivers=waiver("A", "2025-07-01", "2025-09-30"),
    )
    assert set(waived["scorecard_signals"].query("signal == 'gaps'")["site"]) == {"B"}


def test_sites_that_crowd_on_the_good_side_of_a_threshold_are_told_of_together():
    ahead = {f"S{number:02d}": [10.0] * 8 for number in range(12)}
    table = panel(**ahead)
    found = results(params({"parts": {"m": LINE}}), table, draws(table, **{site: 10.0 for site in ahead}))
    crowd = found["scorecard_signals"].query("signal == 'crowding'").iloc[0]
    assert crowd[["site", "value", "flagged"]].tolist() == ["", 1.0, True]
    even = panel(**{f"S{number:02d}": [10.0] * 7 + [10.0 if number % 2 else 11.0] for number in range(12)})
    found = results(params({"parts": {"m": LINE}}), even, draws(even))
    crowd = found["scorecard_signals"].query("signal == 'crowding'").iloc[0]
    assert crowd[["value", "flagged"]].tolist() == [0.5, False]

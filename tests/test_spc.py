"""Shewhart charts: published limits, each rule by hand, and what a chart of pure chance does."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collabeval.params import Params
from collabeval.spc import COLUMNS, Chart, attribute_chart, broken_rules, spc_table, xmr

# set.seed(123); rnorm(20) in R
R_NORMAL = [
    -0.56047565, -0.23017749, 1.55870831, 0.07050839, 0.12928774, 1.71506499, 0.46091621, -1.26506123, -0.68685285,
    -0.44566197, 1.22408180, 0.35981383, 0.40077145, 0.11068272, -0.55584113, 1.78691314, 0.49785048, -1.96661716,
    0.70135590, -0.47279141,
]  # fmt: skip
# Montgomery, Introduction to Statistical Quality Control: cans of orange juice (samples of 50), and computers (of 5)
CANS = [12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6]
COMPUTERS = [10, 12, 8, 14, 10, 16, 11, 7, 10, 15, 9, 5, 7, 11, 12, 6, 8, 10, 7, 5]


def unit_chart(values):
    """A chart with mean 0 and sd 1, so that rules can be read off the values."""
    values = np.asarray(values, dtype=float)
    return Chart(values, np.zeros(values.shape), np.ones(values.shape))


def flagged(values, rule):
    return {int(i): int(s) for i, s in enumerate(broken_rules(unit_chart(values))[rule]) if s}


def params_of(family="binomial", better="lower", per=100):
    measure = {"label": "Events", "family": family, "better": better, "per": per}
    return Params.model_validate(
        {
            "collaborative": "test", "title": "Test", "edition": "1", "data": {"sites": "s", "outcomes": "o"},
            "measures": {"event": measure}, "sampling": {"seed": 1}, "periods": {"length": "quarter"},
        }
    )  # fmt: skip


def panel_of(periods, **columns):
    labels = [f"{2020 + i // 4}Q{i % 4 + 1}" for i in range(periods)]
    panel = pd.DataFrame({"measure": "event", "site": "A", "period": labels, "time": np.arange(periods) / 4, **columns})
    for name in ("numerator", "denominator", "expected", "mean", "sd", "n", "se"):
        panel[name] = panel.get(name, np.nan)
        panel[name] = panel[name].astype(float)
    return panel


def test_published_xmr_limits():
    """Mean .1416238 and limits −3.01138, 3.294627: 2.66 × the mean moving range (not 3/1.128, which gives 3.294123)."""
    chart = xmr(R_NORMAL)
    assert chart.centre[0] == pytest.approx(0.1416238, abs=5e-8)
    assert chart.lower[0] == pytest.approx(-3.01138, abs=5e-6)
    assert chart.upper[0] == pytest.approx(3.294627, abs=5e-7)


def test_a_freak_moving_range_does_not_widen_the_limits():
    """Moving ranges 1 but for two of 29: mean 3.67, both are beyond 3.267 × that, so the limits rest on the ones."""
    values = [0, 1] * 10 + [30] + [1, 0] * 5
    chart = xmr(values)
    assert chart.sigma[0] == pytest.approx(2.66 / 3)


def test_rare_events_in_a_row_of_none_are_not_each_a_signal():
    """Two events in 20 quarters: screening would leave only zero ranges, and limits without width."""
    values = np.zeros(20)
    values[[5, 13]] = 1
    chart = xmr(values)
    assert chart.sigma[0] == pytest.approx(2.66 / 3 * 4 / 19)


def test_published_p_chart_limits():
    cans, rate = np.array(CANS, dtype=float), sum(CANS) / 1500
    chart = attribute_chart(cans, np.full(30, 50 * rate), np.full(30, 50.0), rate)
    assert chart.centre[0] == pytest.approx(0.2313, abs=5e-5)
    assert [chart.lower[0], chart.upper[0]] == pytest.approx([0.0524, 0.4102], abs=1e-4)
    beyond = broken_rules(chart)["outside_limits"]
    assert np.flatnonzero(beyond).tolist() == [14, 22]  # samples 15 and 23, as the book says


def test_published_u_chart_limits():
    faults, rate = np.array(COMPUTERS, dtype=float), sum(COMPUTERS) / 100
    chart = attribute_chart(faults, np.full(20, 5 * rate), None, rate)
    assert chart.centre[0] == pytest.approx(1.93)
    assert [chart.lower[0], chart.upper[0]] == pytest.approx([0.07, 3.79], abs=5e-3)


def test_a_risk_adjusted_chart_is_about_observed_over_expected():
    """A site with 20 % more events than expected has its mean there, whatever its case-mix does."""
    expected = np.array([5.0, 10.0, 20.0])
    chart = attribute_chart(1.2 * expected, expected, np.array([50.0, 200.0, 100.0]), 0.1)
    assert chart.values == pytest.approx([0.12] * 3)
    assert chart.centre == pytest.approx([0.12] * 3)
    assert chart.sigma[0] == pytest.approx(np.sqrt(6 * (1 - 6 / 50)) / 5 * 0.1)


def test_a_point_outside_the_limits():
    assert flagged([0, 3.01, 0, -3.01, 3.0], "outside_limits") == {1: 1, 3: -1}


def test_a_shift_needs_seven():
    assert flagged([-1] + [0.1] * 6 + [-1], "shift") == {}
    assert flagged([-1] + [0.1] * 7 + [-1], "shift") == dict.fromkeys(range(1, 8), 1)


def test_a_point_on_the_mean_ends_a_shift():
    assert flagged([0.1] * 4 + [0] + [0.1] * 4, "shift") == {}


def test_a_trend_needs_six():
    assert flagged([0.5, 0.1, 0.2, 0.3, 0.4, 0.5, 0.1], "trend") == {}
    assert flagged([0.5, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.1], "trend") == dict.fromkeys(range(1, 7), 1)
    assert flagged([6, 5, 4, 3, 2, 1], "trend") == dict.fromkeys(range(6), -1)


def test_two_equal_points_end_a_trend():
    assert flagged([1, 2, 3, 3, 4, 5, 6], "trend") == {}


def test_two_of_three_near_one_limit():
    assert flagged([0, 2.1, 0, 2.1, 0, 0, 2.1], "two_of_three") == {1: 1, 3: 1}
    assert flagged([0, 2.1, 0, 0, 2.1], "two_of_three") == {}
    assert flagged([0, 2.1, -2.1, 0], "two_of_three") == {}
    assert flagged([-2.1, -2.5, 0], "two_of_three") == {0: -1, 1: -1}


@pytest.mark.parametrize(("better", "signal"), [("lower", "improvement"), ("higher", "concern")])
def test_a_fall_is_good_or_bad_as_params_say(better, signal):
    numerator = [20, 22] * 5 + [14, 16] * 5
    table = spc_table(params_of(better=better), panel_of(20, numerator=numerator, denominator=[100] * 20))
    late = table.query("site == 'A' and method == 'xmr'").tail(10)
    assert set(late["flag"]) == {"shift"}
    assert set(late["signal"]) == {signal}


def test_the_table_has_every_series_on_the_display_scale():
    panel = pd.concat([panel_of(12, numerator=[3] * 12, denominator=[30] * 12).assign(site=site) for site in "AB"])
    table = spc_table(params_of(per=1000), panel)
    assert list(table.columns) == list(COLUMNS)
    assert table.groupby(["site", "method"]).size().to_dict() == {
        (site, method): 12 for site in ("", "A", "B") for method in ("xmr", "p")
    }
    assert table["value"].to_numpy() == pytest.approx(100)
    assert set(table["flag"]) == {""}


def test_the_collaborative_adds_up_its_sites():
    panel = pd.concat(
        [
            panel_of(12, numerator=[1] * 12, denominator=[10] * 12),
            panel_of(12, numerator=[9] * 12, denominator=[30] * 12).assign(site="B"),
        ]
    )
    table = spc_table(params_of(), panel).query("site == '' and method == 'p'")
    assert table["value"].to_numpy() == pytest.approx(25)
    assert (table["upper"] - table["centre"]).to_numpy() == pytest.approx(300 * np.sqrt(0.25 * 0.75 / 40))


def test_the_collaborative_is_drawn_as_recorded_whatever_was_expected():
    """An expectation recalibrated in each period sums to the observed there: an adjusted chart of all would be flat."""
    events = [10, 20] * 6
    panel = panel_of(12, numerator=events, denominator=[100] * 12, expected=[float(count) for count in events])
    table = spc_table(params_of(), panel).query("method == 'p'")
    assert table.query("site == ''")["value"].tolist() == pytest.approx(events)
    assert table.query("site == 'A'")["value"].to_numpy() == pytest.approx(15)


def test_means_are_weighted_by_cases():
    panel = pd.concat(
        [
            panel_of(12, mean=[4.0] * 12, sd=[1.0] * 12, n=[10] * 12),
            panel_of(12, mean=[8.0] * 12, sd=[1.0] * 12, n=[30] * 12).assign(site="B"),
        ]
    )
    table = spc_table(params_of("normal"), panel)
    assert set(table["method"]) == {"xmr"}
    assert table.query("site == ''")["value"].to_numpy() == pytest.approx(7)


def test_a_short_series_has_no_limits_and_no_signals():
    table = spc_table(params_of(), panel_of(9, numerator=[1] * 7 + [90] * 2, denominator=[100] * 9))
    assert table["lower"].isna().all()
    assert set(table["flag"]) == {""}
    assert table["centre"].notna().all()


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_no_events_anywhere_is_a_flat_line(family):
    table = spc_table(params_of(family), panel_of(12, numerator=[0] * 12, denominator=[10] * 12))
    assert table[["value", "centre", "lower", "upper"]].to_numpy() == pytest.approx(0)
    assert set(table["flag"]) == {""}


def test_order_of_rows_does_not_matter():
    generator = np.random.default_rng(4)
    panel = panel_of(20, numerator=generator.binomial(50, 0.2, 20), denominator=[50] * 20)
    shuffled = panel.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(spc_table(params_of(), panel), spc_table(params_of(), shuffled))


def test_pure_chance_is_flagged_at_the_rate_the_literature_gives():
    """About 1 point in 370 falls outside known 3 sd limits; the four rules together flag some 5 % of points."""
    values = np.random.default_rng(11).normal(size=40_000)
    broken = broken_rules(unit_chart(values))
    assert np.mean(broken["outside_limits"] != 0) == pytest.approx(0.0027, abs=0.0008)
    anything = np.any([broken[rule] != 0 for rule in broken], axis=0)
    assert 0.03 < anything.mean() < 0.09


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=40), st.floats(0.1, 50), st.floats(-50, 50))
def test_rules_do_not_depend_on_unit_and_mirror_with_sign(values, scale, shift):
    points = np.round(np.array(values), 3)
    chart, mirrored = xmr(points), xmr(-points)
    for rule, signs in broken_rules(chart).items():
        if rule in ("outside_limits", "two_of_three"):
            continue  # at the very limit these hang on rounding
        np.testing.assert_array_equal(signs, -broken_rules(mirrored)[rule])

"""Money of different years, and what one event costs: hand-calculated formulas, published numbers, SciPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from collabeval import params_file
from collabeval.errors import ParamsError, UsageError
from collabeval.params import Value
from collabeval.params.value import UnitCost
from collabeval.value import unit_costs
from collabeval.value.money import discount_factors, price_factors

BASE = {"currency": "US$", "price_year": 2022}


def value(**own: Any) -> Value:
    return Value.model_validate(BASE | own)


def test_the_textbook_example_of_discounting():
    """Two programmes of three years at 5%, costs at the end of each year: 26.79 and 26.81 (Drummond et al. 2005)."""
    first, second = np.array([5.0, 10.0, 15.0]), np.array([15.0, 10.0, 4.0])
    at_the_end = discount_factors(0.05, [1, 2, 3], base=0)
    assert (first @ at_the_end).round(2) == 26.79
    assert (second @ at_the_end).round(2) == 26.81
    at_the_beginning = discount_factors(0.05, [1, 2, 3], base=1)
    assert first @ at_the_beginning == pytest.approx(26.790 * 1.05, abs=5e-4)
    assert list(at_the_beginning) == pytest.approx([1, 1 / 1.05, 1 / 1.1025])


def test_inflation_by_hand():
    assert 100 * price_factors(value(inflation=0.03), 2020) == pytest.approx(106.09)  # 100 × 1.03²
    assert 100 * price_factors(value(inflation=0.03), [2022, 2023]) == pytest.approx([100, 97.0874], abs=1e-4)


def test_a_price_index_by_hand():
    index = {"2020": 94.0, "2021": 96.0, "2022": 100.0}
    assert 470 * price_factors(value(price_index=index), 2020) == pytest.approx(500)
    assert price_factors(value(price_index=index), 2022) == 1
    with pytest.raises(UsageError, match="lacks 2018, 2019"):
        price_factors(value(price_index=index), [2018, 2019, 2021])


def test_without_either_amounts_stay_as_they_are():
    assert list(price_factors(value(), [1999, 2022])) == [1, 1]


@pytest.mark.parametrize(
    "cost", [{"dist": "gamma", "se": 2000.0}, {"dist": "lognormal", "se": 2000.0}, {"low": 6000.0, "high": 12000.0}]
)
def test_draws_keep_mean_and_spread(cost):
    made = UnitCost(mean=9000.0, **cost)
    drawn = unit_costs.drawn(made, value(), 400_000, np.random.default_rng(1))
    expected = 2000.0 if "se" in cost else (12000.0 - 6000.0) / (2 * stats.norm.ppf(0.975))
    assert drawn.mean() == pytest.approx(9000, rel=0.005)
    assert drawn.std() == pytest.approx(expected, rel=0.01)
    assert (drawn > 0).all()


def test_a_lognormal_range_is_that_of_the_logarithms():
    made = UnitCost(mean=9000.0, low=4500.0, high=18000.0, dist="lognormal")
    assert unit_costs.spread(made) == pytest.approx(np.log(4) / (2 * 1.959964), rel=1e-6)
    drawn = unit_costs.drawn(made, value(), 400_000, np.random.default_rng(2))
    assert drawn.mean() == pytest.approx(9000, rel=0.005)


def test_ends_agree_with_scipy():
    gamma = UnitCost(mean=9000.0, se=2000.0)
    shape = (9000 / 2000) ** 2
    assert unit_costs.ends(gamma, value()) == pytest.approx(stats.gamma.ppf([0.025, 0.975], shape, scale=9000 / shape))
    lognormal = UnitCost(mean=9000.0, se=2000.0, dist="lognormal")
    width = np.sqrt(np.log1p((2 / 9) ** 2))
    expected = stats.lognorm.ppf([0.025, 0.975], width, scale=9000 * np.exp(-(width**2) / 2))
    assert unit_costs.ends(lognormal, value()) == pytest.approx(expected)
    declared = UnitCost(mean=9000.0, low=6000.0, high=14000.0, price_year=2020)
    assert unit_costs.ends(declared, value(inflation=0.1)) == pytest.approx((6000 * 1.21, 14000 * 1.21))


def test_a_known_cost_has_no_spread():
    known = value(cost_per_event={"death": 5000.0}).unit_costs["death"]
    assert set(unit_costs.drawn(known, value(), 10, np.random.default_rng(1))) == {5000.0}
    assert unit_costs.ends(known, value()) == (5000.0, 5000.0)


GOOD = """\
collaborative: t
title: T
edition: "2025"
data: {sites: s.csv, outcomes: o.csv}
measures:
  death: {label: Deaths, family: binomial, better: lower}
  bundle: {label: Bundle, family: binomial, better: higher}
sampling: {seed: 1}
value: {currency: "$", price_year: 2022, OWN}
"""


def load(folder: Path, own: str) -> Value:
    path = folder / "t.yml"
    path.write_text(GOOD.replace("OWN", own), encoding="utf-8")
    found = params_file.load(path).value
    assert found is not None
    return found


def test_params_are_read_as_written(tmp_path):
    found = load(tmp_path, "price_index: {2021: 96, 2022: 100}, cost_per_event: {death: {mean: 9, low: 5, high: 12}}")
    assert found.price_index == {"2021": 96, "2022": 100}
    assert found.unit_costs["death"].high == 12
    assert load(tmp_path, "cost_per_event: {death: 100}").unit_costs["death"].mean == 100


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("inflation: 0.02, price_index: {2022: 1}", "both `inflation` and `price_index`"),
        ("price_index: {2021: 1}", "lacks the price year 2022"),
        ("price_index: {20x1: 1, 2022: 1}", "is not a year"),
        (
            "price_index: {2022: 1}, cost_per_event: {death: {mean: 9, price_year: 2019}}",
            "lacks 2019, the year of death",
        ),
        ("cost_per_event: {dead: 1}", "dead is not one of the measures"),
        ("cost_per_event: {bundle: 1}", "of bundle more is better"),
        ("cost_per_event: {death: {mean: 9, low: 5}}", "a range has two ends"),
        ("cost_per_event: {death: {mean: 9, low: 5, high: 12, se: 1}}", "the spread is given twice"),
        ("cost_per_event: {death: {mean: 9, low: 10, high: 12}}", "does not lie between"),
        ("ranges: {inflation: [0, 0.1]}", "but no `inflation`"),
        ("ranges: {programme_cost: [1.3, 0.8]}", "is no range"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, own, said):
    with pytest.raises(ParamsError) as error:
        load(tmp_path, own)
    assert said in str(error.value)


def test_every_problem_of_the_block_is_told_at_once(tmp_path):
    own = (
        "discount_rate: 3, inflation: 0.02, price_index: {2021: 1}, cost_per_event: {death: {mean: 9, low: 5, se: 1}}, "
        "burden: {hours: 0}, ranges: {inflation: [0.3, 0.1], programme_cost: [1.3, 0.8], discount_rate: [0.2, 0.1]}"
    )
    with pytest.raises(ParamsError) as error:
        load(tmp_path, own)
    found = str(error.value)
    for said in (
        "must be less than 1", "both `inflation`", "lacks the price year", "a range has two ends", "given twice",
        "must be greater than 0", "[0.3, 0.1] is no range", "[1.3, 0.8] is no range", "[0.2, 0.1] is no range",
    ):  # fmt: skip
        assert said in found
    with pytest.raises(ParamsError) as error:
        load(tmp_path, "cost_per_event: {dead: 1, bundle: 2, beath: 3}")
    for said in ("dead is not", "beath is not", "of bundle more is better"):
        assert said in str(error.value)

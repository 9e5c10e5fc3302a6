"""New York State's own calls on its 380 hospital-years of bypass surgery, reproduced by the State's rule.

The data are the State's and do not ship; the tests look for them beside the project and skip, visibly, where there are
none.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from collabeval.classical import official_calls

FOLDER = Path(__file__).parents[1].parent / "shared" / "data" / "ny_cabg"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"New York's data are not in {FOLDER}")
CALLS = {
    "Rate significantly higher than Statewide Rate": "higher",
    "Rate significantly lower than Statewide Rate": "lower",
    "Rate not different than Statewide Rate": "",
}


@pytest.fixture(scope="module")
def outcomes():
    return pd.read_csv(FOLDER / "outcomes.csv", dtype={"site": str, "period": str})


@pytest.fixture(scope="module")
def published():
    table = pd.read_csv(FOLDER / "official_calls.csv", dtype={"site": str, "period": str})
    return table.assign(call=table["official_call"].map(CALLS))


def beside(outcomes, published, limits):
    ours = official_calls(outcomes, limits)
    return ours.merge(published, on=["site", "period"], suffixes=("", "_published"), validate="one_to_one")


def test_every_call_of_the_state_is_reproduced(outcomes, published):
    """All 380, with 15 higher and 3 lower, by the approximation of Byar that the State's intervals follow."""
    table = beside(outcomes, published, "byar")
    assert len(table) == 380
    assert (table["call"] == table["call_published"]).all()
    assert table["call"].value_counts().to_dict() == {"": 362, "higher": 15, "lower": 3}


def test_exact_limits_differ_from_the_state_in_one_call(outcomes, published):
    """Hospital 1463 in 2011: 4 deaths where 1.0824 were expected.

    Its exact lower limit is 1.249 per 100, just above the statewide rate of 1.240; by Byar's approximation, which is a
    little wider at small counts (1.075 instead of 1.090 for 4 deaths), it is 1.233, just below, and the State says "not
    different". Rounding explains nothing here: the published 1.23 is Byar's limit to the digit.
    """
    table = beside(outcomes, published, "exact")
    other = table[table["call"] != table["call_published"]]
    assert other[["site", "period", "call", "call_published"]].values.tolist() == [["1463", "2011", "higher", ""]]
    assert other[["lower", "statewide_rate"]].iloc[0].tolist() == pytest.approx([1.2488, 1.2403], abs=5e-5)
    approximate = beside(outcomes, published, "byar").loc[other.index[0]]
    assert approximate["lower"] == pytest.approx(1.2329, abs=5e-4)
    assert approximate["ci_low"] == 1.23


def test_the_published_intervals_are_byars_within_their_rounding(outcomes, published):
    """The State rounds its results to 0.01, and the expected rates we have to 0.01 per 100 before that."""
    table = beside(outcomes, published, "byar").merge(outcomes, on=["site", "period"])
    expected_rate = 100 * table["expected"] / table["denominator"]
    slack = 1 + 0.005 / expected_rate + 1e-3
    pairs = [("risk_adjusted_rate", "risk_adjusted_rate_published"), ("lower", "ci_low"), ("upper", "ci_high")]
    for ours, theirs in pairs:
        assert (table[theirs] <= table[ours] * slack + 0.0051).all()
        assert (table[theirs] >= table[ours] / slack - 0.0051).all()


def test_no_exact_interval_would_explain_what_the_state_published(outcomes, published):
    """With no deaths, 40 hospital-years: the published upper limits need 3.67 deaths (Byar), not 3.69 (exact)."""
    table = beside(outcomes, published, "exact").merge(outcomes, on=["site", "period"])
    none = table[table["numerator"] == 0]
    assert len(none) == 40
    largest = (none["ci_high"] + 0.005) * (none["expected"] + 5e-5 * none["denominator"]) / none["statewide_rate"]
    assert largest.min() < stats.chi2.isf(0.025, 2) / 2
    assert largest.min() > (8 / 9 + stats.norm.isf(0.025) / 3) ** 3


def test_expected_deaths_add_up_to_observed_ones(outcomes):
    """The State's expectation is calibrated within each year, so the funnel's centre of 1 is the statewide rate."""
    totals = outcomes.groupby("period")[["numerator", "expected"]].sum()
    np.testing.assert_allclose(totals["expected"], totals["numerator"], rtol=0.001)

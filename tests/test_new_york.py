"""New York State's own calls on its 380 hospital-years of bypass surgery, reproduced by the State's rule.

The data are the State's and do not ship; the tests look for them beside the project and skip, visibly, where there are
none.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from collabeval import contract, estimates, fit, panel, params_file
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


@pytest.mark.slow
def test_the_words_of_2019_and_where_they_differ_from_the_state():
    """The State calls two hospitals higher in 2019; the model's words name one other, and neither of these.

    1 (10 deaths, 4.5 expected) and 925 (9, 4.1): O/E is 2.2 in both, but a year of some 200 operations is half noise.
    The model pulls them towards the other hospitals and their own other years: predicted over expected is 1.5 and 1.3,
    the chance of being worse .96 and .80, below the .975 that the word takes. Hospital 1 is said to have worsened since
    2010-2012; 925 has no such years to compare with.

    3058 (4 deaths, 1.4 expected, 135 operations): one year says little, and the State sees no difference; but it called
    this hospital higher in 2017 and in 2018. The model counts those years through the site's level and trajectory:
    chance .99. With so few operations the word is the warning on few cases, not a judgement.
    """
    source = [f"data.sites={FOLDER / 'sites.csv'}", f"data.outcomes={FOLDER / 'outcomes.csv'}"]
    params = params_file.load(Path(__file__).parents[1] / "params" / "ny_cabg.yml", source)
    inputs = contract.read_inputs(params)
    rows = panel.build(params, inputs.sites, inputs.outcomes)
    found = estimates.evaluate_sites(params, rows, {"death": fit.sample(rows, "death", params)})
    words = found.statements.pivot(index="site", columns="slot", values="statement")
    assert words.loc[["1", "925"], "level"].tolist() == ["unclear", "unclear"]
    assert words.loc["1", "trajectory"] == "worsened"
    assert words.index[words["level"].isin(["worse", "worse_few_cases"])].tolist() == ["3058"]
    worse = found.probabilities.query("event == 'worse'").set_index("site")["probability"]
    assert worse[["1", "925", "3058"]].tolist() == pytest.approx([0.96, 0.80, 0.99], abs=0.03)
    shrunk = found.estimates.query("estimand == 'predicted_expected_ratio' and period == '2019'").set_index("site")[
        "mean"
    ]
    assert shrunk[["1", "925"]].tolist() == pytest.approx([1.55, 1.27], abs=0.1)


def test_the_state_called_the_hospital_the_model_warns_of_in_the_years_before(published):
    calls = published.query("site == '3058'").set_index("period")["call"]
    assert calls[["2017", "2018", "2019"]].tolist() == ["higher", "higher", ""]

"""Case-mix by site: slopes that are one are called different as often as said, others found, small sites left out."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import binom, linregress, t

from collabeval.casemix.by_site import by_site
from collabeval.casemix.model import CaseMixModel
from collabeval.casemix.patterns import Coded, collapse, merged
from collabeval.casemix.slopes import Slopes, slopes
from collabeval.disclosure.threats import Threats
from collabeval.disclosure.view import MeasureView
from collabeval.panel import Window, Windows
from collabeval.params import Measure
from collabeval.statements import threats as say
from collabeval.threats.case_mix import by_case_mix

FAMILIES = ["binomial", "poisson", "normal"]
LEVEL = -1.5
NOUNS = ("hospital", "hospitals")


def coded(values) -> Coded:
    codes, distinct = pd.factorize(np.asarray(values), sort=True)
    return Coded(codes, list(distinct))


def world(random, family="binomial", sites=25, cases=120, slope=1.0):
    """Sites of their own levels and volumes whose outcomes follow the model's predictions with a slope (each its own).

    Means have a residual variance of their own at each site.
    """
    size = np.maximum(random.poisson(cases * random.lognormal(0, 0.5, sites)), 3)
    site, level = np.repeat(np.arange(sites), size), random.normal(0, 0.4, sites)
    x = np.round(random.normal(0.3 * level[site], 0.9), 1)
    eta = LEVEL + level[site] + np.broadcast_to(slope, sites)[site] * x
    outcome = {
        "binomial": lambda: random.binomial(1, expit(eta)),
        "poisson": lambda: random.poisson(np.exp(eta)),
        "normal": lambda: eta + random.lognormal(0, 0.4, sites)[site] * random.normal(size=len(eta)),
    }[family]()
    return site, x, outcome.astype(float)


def model_and_cells(family, site, x, outcome):
    once = coded([""] * len(x))
    patterns = collapse(coded([f"S{one:03d}" for one in site]), once, once, {"x": coded(x)}, outcome, None)
    eta = LEVEL + patterns.covariates["x"].to_numpy(float)
    return CaseMixModel(family, eta, pd.DataFrame(), 1.0, 0.0), patterns.cells


def compared(family, site, x, outcome) -> Slopes:
    """Of the sites with ten events and ten without; of means ten cases."""
    events = pd.Series(outcome).groupby(site).transform("sum").to_numpy()
    others = pd.Series(1 - outcome).groupby(site).transform("sum").to_numpy()
    kept = (events >= 10) & ((others >= 10) | (family != "binomial"))
    if family == "normal":
        kept = np.bincount(site)[site] >= 10
    model, cells = model_and_cells(family, site[kept], x[kept], outcome[kept])
    sums = merged(cells, ["site", "pattern"])
    return slopes(family, model.linear_predictor[sums["pattern"]], sums, sums["site"].cat.codes.to_numpy())


@pytest.mark.parametrize("family", FAMILIES)
def test_slopes_that_are_one_are_called_different_as_often_as_said(family):
    """200 worlds: each count below its 99.9 % point at 5 %, and Q is as large as its degrees of freedom, to a tenth."""
    found = [
        compared(family, *world(np.random.default_rng(seed), family, cases=100 if family != "normal" else 30))
        for seed in range(200)
    ]
    most = binom.ppf(0.999, 200, 0.05)
    assert sum(one.probability < 0.05 for one in found) <= most
    assert sum(one.apart.min() < 0.05 for one in found) <= most
    assert np.mean([one.q / (len(one.slope) - 1) for one in found]) == pytest.approx(1, abs=0.1)
    assert sum(abs(one.mean[0] - 1) > 1.96 * one.mean[1] for one in found) <= most
    assert sum(one.spread[1] > 0 for one in found) <= binom.ppf(0.999, 200, 0.025)


@pytest.mark.slow  # the rate at which slopes are called different stays in the fast tier
@pytest.mark.parametrize("family", FAMILIES)
def test_how_far_slopes_lie_apart_is_found(family):
    """Standard deviation 0.3: every interval leaves 0 out, and as many as 95 % should (999 in 1,000) hold it."""
    found = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        found.append(compared(family, *world(random, family, 30, 600, random.normal(1, 0.3, 30))).spread)
    middle, low, high = np.array(found).T
    assert np.sum((low < 0.3) & (high > 0.3)) >= binom.ppf(0.001, 60, 0.95)
    assert np.all(low > 0)
    assert middle.mean() == pytest.approx(0.3, abs=4 * middle.std() / np.sqrt(60))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_site_where_covariates_count_otherwise_is_set_apart_alone(family):
    slope = np.ones(20)
    slope[7] = 0.2
    cases = 1500 if family == "binomial" else 500
    table, differences = by_site(*model_and_cells(family, *world(np.random.default_rng(3), family, 20, cases, slope)))
    table = table.set_index("site")
    assert table.index[table["apart"] < 0.05].tolist() == ["S007"]
    assert table["slope_upper"]["S007"] < 0.6
    assert table["distance"]["S007"] < -4
    found = differences.iloc[0]
    assert found["apart"] == 1
    assert found["probability"] < 0.01
    assert (table["c_statistic"].notna()).all() == (family == "binomial")


def test_a_site_s_slope_and_limits_are_those_of_plain_regression():
    site, x, outcome = world(np.random.default_rng(4), "normal", 6, 80)
    table = by_site(*model_and_cells("normal", site, x, outcome))[0]
    assert table["not_assessed"].tolist() == [""] * 6
    for number, row in enumerate(table.itertuples()):
        plain = linregress(x[site == number], outcome[site == number])
        own = (row.slope_upper - row.slope_lower) / 2
        assert row.slope == pytest.approx(plain.slope, rel=1e-6)
        assert own == pytest.approx(t.ppf(0.975, (site == number).sum() - 2) * plain.stderr, rel=1e-6)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_limits_of_single_sites_hold_what_they_say(family):
    """Sites of some 30 events: at 97.5 % each side, 1 in 40 misses expected; slopes below and above the truth alike."""
    below, above, count = 0, 0, 0
    for seed in range(8):
        table = by_site(*model_and_cells(family, *world(np.random.default_rng(seed), family, 25, 120)))[0]
        known = table[table["not_assessed"].eq("")]
        count += len(known)
        below, above = below + (known["slope_upper"] < 1).sum(), above + (known["slope_lower"] > 1).sum()
    assert count > 150
    assert max(below, above) <= binom.ppf(0.999, count, 0.025)


def test_small_sites_and_those_that_do_not_tell_are_named_with_the_reason():
    random = np.random.default_rng(5)
    site, x, outcome = world(random, sites=7, cases=300)
    first = {number: np.flatnonzero(site == number) for number in range(7)}
    outcome[first[0]] = np.arange(len(first[0])) < 9
    outcome[first[1]] = np.arange(len(first[1])) >= 9
    x[first[2]] = 0.0
    outcome[first[3]] = x[first[3]] > 0
    table, differences = by_site(*model_and_cells("binomial", site, x, outcome))
    why = table.set_index("site")["not_assessed"]
    assert why.tolist() == [
        "fewer than 10 events", "fewer than 10 cases without the event", "all predictions are the same",
        "predictions part cases with and without the event", "", "", "",
    ]  # fmt: skip
    numbers = table.set_index("site")[["slope", "slope_lower", "slope_upper"]]
    assert numbers.isna().all(axis=1).tolist() == [True, True, True, True, False, False, False]
    assert table["observed"].notna().all()
    assert differences.iloc[0][["sites", "not_assessed"]].tolist() == [4, 3]


def test_of_two_sites_it_is_not_asked_whether_they_differ():
    table, differences = by_site(*model_and_cells("binomial", *world(np.random.default_rng(6), sites=2, cases=300)))
    assert table["slope"].notna().all()
    assert table[["distance", "apart"]].isna().all(axis=None)
    rows = list(by_case_mix(differences.assign(measure="m")))
    assert {row["part"] for row in rows} == {"sites", "not_assessed"}
    assert said_of(differences) == (
        "How well the case-mix model fits single hospitals is not assessed: too few have enough deaths for it."
    )


def said_of(differences) -> str:
    words = {"label": "Deaths", "events": "deaths", "cases": "operations", "better": "lower", "family": "binomial"}
    view = MeasureView("m", Measure.model_validate(words), 100, True, Windows(Window("2024", ("2024",)), None, ()))
    columns = ["measure", "threat", "part", "value", "lower", "upper", "probability"]
    found = pd.DataFrame(list(by_case_mix(differences.assign(measure="m"))), columns=columns)
    nothing = pd.DataFrame()
    return say.case_mix(view, Threats(nothing, found, nothing, nothing, 0), NOUNS).replace("\xa0", " ")


def test_the_line_follows_the_probability_of_q():
    row = {
        "sites": 24.0, "not_assessed": 3.0, "q": 40.0, "probability": 0.02, "slope": 0.9, "slope_lower": 0.8,
        "slope_upper": 1.0, "slope_sd": 0.2, "slope_sd_lower": 0.1, "slope_sd_upper": 0.4, "apart": 1.0,
        "c_statistic": 0.71,
    }  # fmt: skip
    differ, alike = said_of(pd.DataFrame([row])), said_of(pd.DataFrame([{**row, "probability": 0.06, "apart": 0.0}]))
    assert "at 24 hospitals differ more than chance would make them" in differ
    assert "95% interval 0.10 to 0.40): it does not serve all of them alike. One of 24 hospitals stands apart" in differ
    assert "even allowing for having looked at 24" in differ
    assert "Not assessed for three of 27 hospitals: too few deaths" in differ
    assert "differ no more than chance would make them" in alike
    assert "alike" not in alike
    assert "apart" not in alike
    assert "0.71" in alike

"""What high performers do differently: the regression is the one written down, calibrated, and finds what is there."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit

from collabeval import fit
from collabeval.estimates.posterior import read
from collabeval.estimates.window_draws import window_draws
from collabeval.practices import ALIKE, ESTIMATED, evaluate
from collabeval.practices.evaluate import practice_tables
from collabeval.practices.evidence import own_evidence
from collabeval.practices.regression import SHARE_PRIOR, given, regress
from collabeval.statements import practices as say
from fitting import params_for, whole

NAMES = ["bundle", "checklist", "debrief", "huddle", "rounds"]


def test_the_density_given_the_scales_is_that_of_a_multivariate_normal():
    """The flat level is a Normal with variance 1,000 here, whose own factor is the same for all scales."""
    random = np.random.default_rng(1)
    x = random.integers(0, 2, (12, 3)).astype(float)
    x -= x.mean(axis=0)
    effect, variance = random.normal(0, 0.4, 12), random.uniform(0.01, 0.2, 12)
    ours, theirs = [], []
    for tau, ridge in ((0.1, 0.3), (0.4, 0.05), (0.02, 1.0)):
        ours.append(given(effect, variance, x, np.array([tau]), np.array([ridge]))[0][0])
        covariance = np.diag(variance + tau**2) + ridge**2 * x @ x.T + 1e3
        theirs.append(stats.multivariate_normal(np.zeros(12), covariance).logpdf(effect))
    assert np.diff(ours) == pytest.approx(np.diff(theirs), abs=1e-3)


def test_intervals_hold_the_truth_as_often_as_they_say():
    """200 worlds drawn from the prior, 5 practices: 50 % and 95 % intervals, and the place of R² among its draws."""
    random = np.random.default_rng(2)
    inside, half, place = [], [], []
    for seed in range(200):
        x = random.integers(0, 2, (40, 5)).astype(float)
        spread = (x - x.mean(axis=0)).var(axis=0).sum()
        omega, share = abs(random.normal(0, 0.5)), random.beta(*SHARE_PRIOR)
        beta = omega * np.sqrt(share / spread) * random.normal(size=5)
        variance = random.uniform(0.005, 0.1, 40)
        effect = (
            x @ beta + omega * np.sqrt(1 - share) * random.normal(size=40) + np.sqrt(variance) * random.normal(size=40)
        )
        found = regress(effect, variance, x, 400, seed)
        limits = np.quantile(found.effects, [0.025, 0.25, 0.75, 0.975], axis=1)
        inside += ((limits[0] < beta) & (beta < limits[3])).tolist()
        half += ((limits[1] < beta) & (beta < limits[2])).tolist()
        place.append(np.mean(found.share < share))
    assert 0.93 < np.mean(inside) < 0.97  # 1,000 intervals: three binomial standard errors
    assert 0.45 < np.mean(half) < 0.55
    assert stats.kstest(place, "uniform").pvalue > 1e-3


def world(seed, effects, sites=60, cases=300, family="binomial"):
    """Sites that do or do not do five practices, and their outcomes over four quarters."""
    random = np.random.default_rng(seed)
    done = random.integers(0, 2, (sites, len(NAMES))).astype(float)
    level = done @ np.array(effects) + 0.2 * random.normal(size=sites)
    codes = [f"S{j:02d}" for j in range(sites)]
    labels = [f"2024Q{quarter}" for quarter in (1, 2, 3, 4)]
    rows = pd.DataFrame([(site, label) for site in codes for label in labels], columns=["site", "period"])
    j = rows["site"].str[1:].astype(int)
    rows["time"] = rows["period"].str[-1].astype(float) / 4
    n = random.poisson(cases, len(rows))
    if family == "normal":
        means = random.normal(5 + 2 * level[j], 2 / np.sqrt(n))
        rows = whole(rows.assign(mean=means, sd=2.0, n=n))
    else:
        rows = whole(rows.assign(numerator=random.binomial(n, expit(-1.5 + level[j])), denominator=n))
    table = pd.DataFrame([(codes[k], "2024", name, done[k, at]) for k in range(sites) for at, name in enumerate(NAMES)],
                         columns=["site", "period", "practice", "adopted"])  # fmt: skip
    return rows, table.assign(starts=pd.Timestamp("2024-01-01"), ends=pd.Timestamp("2025-01-01"))


def evaluation(family="binomial", better="lower", minimal=1.0):
    params = params_for(family, {"engine": "laplace", "trend": "none", "trajectory": False, "overdispersion": False},
                        minimum_ess=400, draws=500)  # fmt: skip
    changes = {"minimum_denominator": 1.0, "better": better, "minimal_difference": minimal}
    measure = params.measures["m"].model_copy(update=changes)
    periods = params.periods.model_copy(update={"length": "quarter"})
    return params.model_copy(update={"periods": periods, "measures": {"m": measure}})


def effects_of(params, rows, tree, practices):
    """Rows of the effects, on the link scale or in the unit of means, by practice."""
    table = practice_tables(params, rows, {"m": tree}, practices)["practice_effects"]
    return table[table["estimand"].ne("gain")].set_index("practice")


@pytest.fixture(scope="module")
def told():
    """Two practices that matter, one each way, and three that do not."""
    rows, practices = world(3, (-0.5, 0.0, 0.4, 0.0, 0.0))
    params = evaluation()
    tree = fit.sample(rows, "m", params)
    return rows, params, tree, practices


def test_pooling_is_taken_off_what_the_sites_own_data_say(told):
    """With four equal quarters the likelihood of a site is about Normal at its own log-odds, by known formulas."""
    rows, params, tree, _ = told
    posterior = read(params, "m", rows, tree)
    evidence = own_evidence(posterior, window_draws(posterior, posterior.windows.current))
    sums = rows.groupby("site")[["numerator", "denominator"]].sum()
    own = np.log(sums["numerator"] / (sums["denominator"] - sums["numerator"]))
    error = 1 / sums["numerator"] + 1 / (sums["denominator"] - sums["numerator"])
    assert evidence.effect == pytest.approx((own - own.mean()).to_numpy(), abs=0.06)
    assert np.median(evidence.variance / error) == pytest.approx(1, abs=0.15)
    pooled = posterior.level.mean(axis=1)
    assert np.std(pooled) < np.std(evidence.effect)


def test_practices_that_matter_are_found_with_their_sign_and_others_are_not(told):
    rows, params, tree, practices = told
    table = effects_of(params, rows, tree, practices)
    assert table.loc["bundle", "q025"] < -0.5 < table.loc["bundle", "q975"] < 0
    assert 0 < table.loc["debrief", "q025"] < 0.4 < table.loc["debrief", "q975"]
    assert table.loc["bundle", "helps"] > 0.99
    assert table.loc["debrief", "helps"] < 0.01
    for name in ("checklist", "huddle", "rounds"):
        assert table.loc[name, "q025"] < 0 < table.loc[name, "q975"]
    assert table.loc["bundle", "matters"] > 0.99  # some 6 in 100 fewer, where 1 in 100 matters
    assert table.loc["debrief", "harms"] > 0.99
    assert table.loc["huddle", "matters"] < 0.5
    assert 0.3 < table.loc["", "mean"] < 0.95


def test_intervals_cover_over_whole_analyses():
    """Six worlds, five practices each: 30 intervals of 95 %; fewer than 25 in 1 of 700 such tests."""
    truth = (-0.3, 0.0, 0.2, 0.0, -0.1)
    params, covered = evaluation(), 0
    for seed in range(6):
        rows, practices = world(50 + seed, truth, sites=40, cases=100)
        tree = fit.sample(rows, "m", params)
        table = effects_of(params, rows, tree, practices)
        low, high = (table.loc[NAMES, limit].to_numpy() for limit in ("q025", "q975"))
        covered += int(((low < truth) & (truth < high)).sum())
    assert covered >= 25


def test_means_are_in_their_unit_and_more_may_be_better():
    rows, practices = world(4, (0.5, 0.0, 0.0, 0.0, 0.0), sites=40, family="normal")
    params = evaluation("normal", better="higher", minimal=0.3)
    tree = fit.sample(rows, "m", params)
    table = practice_tables(params, rows, {"m": tree}, practices)["practice_effects"]
    effect, gain = (table[table["estimand"].eq(name)].set_index("practice") for name in ("effect", "gain"))
    weights = rows.assign(total=rows["mean"] * rows["n"]).groupby("site")[["total", "n"]].sum()
    done = practices.pivot(index="site", columns="practice", values="adopted").loc[weights.index, NAMES]
    unit = read(params, "m", rows, tree).scale
    own, variance = weights["total"] / weights["n"] / unit, (2 / unit) ** 2 / weights["n"]
    plain = unit * regress(own.to_numpy(), variance.to_numpy(), done.to_numpy(), 4000, 1).effects
    assert effect.loc[NAMES, "mean"].to_numpy() == pytest.approx(plain.mean(axis=1), abs=0.05)
    assert effect.loc[NAMES, "sd"].to_numpy() == pytest.approx(plain.std(axis=1), rel=0.1)
    assert gain.loc[NAMES, "mean"].to_numpy() == pytest.approx(effect.loc[NAMES, "mean"].to_numpy(), abs=1e-9)
    assert effect.loc["bundle", "helps"] > 0.99
    assert effect.loc["bundle", "matters"] > 0.95


def test_what_all_or_hardly_any_do_is_not_asked(told):
    rows, params, tree, practices = told
    same = practices.copy()
    same.loc[same["practice"].eq("huddle"), "adopted"] = 1.0
    two = same["practice"].eq("rounds") & same["site"].isin(["S00", "S01"])
    same.loc[same["practice"].eq("rounds"), "adopted"] = 0.0
    same.loc[two, "adopted"] = 1.0
    table = effects_of(params, rows, tree, same)
    assert table.loc[["huddle", "rounds"], "status"].tolist() == ["alike", "alike"]
    assert table.loc[["huddle", "rounds"], "mean"].isna().all()
    assert table.loc["huddle", "share"] == 1.0
    few = practices[practices["site"].isin([f"S{j:02d}" for j in range(8)])]
    small = practice_tables(params, rows, {"m": tree}, few)["practice_effects"]
    assert set(small["status"]) <= {"few sites", "alike"}
    assert small["mean"].isna().all()


def test_a_practice_is_taken_as_it_was_in_the_window_or_last_before(told):
    _, params, _, _ = told
    of_a = [("A", "2023Q4", 0.0), ("A", "2024Q1", 1.0), ("A", "2024Q3", 0.5)]
    rows = [*of_a, ("B", "2023Q1", 0.0), ("B", "2023Q3", 1.0), ("C", "2025Q1", 1.0)]
    table = pd.DataFrame(rows, columns=["site", "period", "adopted"]).assign(practice="bundle")
    start = pd.PeriodIndex(table["period"], freq="Q")
    table = table.assign(starts=start.start_time, ends=(start + 1).start_time)
    found = evaluate.in_window(table, evaluate.Window("2024Q1/2024Q4", ()), params)["bundle"]
    assert found.to_dict() == {"A": 0.75, "B": 1.0}


def test_adoption_is_told_by_period(told):
    rows, params, tree, practices = told
    table = practice_tables(params, rows, {"m": tree}, practices)["practice_adoption"]
    assert table["period"].unique().tolist() == ["2024"]
    assert table.set_index("practice")["sites"].to_dict() == dict.fromkeys(NAMES, 60)


@pytest.mark.parametrize(
    ("helps", "said"),
    [
        (
            (0.976, 0.5),
            ["have better results where they do: ward huddle (98 in 100)", "does not show", "On average"][:2],
        ),
        (
            (0.02, 0.99),
            ["have better results where they do: peer visit (99 in 100)", "worse results where they do: ward"],
        ),
        ((0.974, 0.026), ["Of no practice can it be told"]),
    ],
)
def test_a_practice_gets_its_word_by_the_rule_and_both_ways(helps, said):
    rows = pd.DataFrame({"practice": ["ward_huddle", "peer_visit"], "helps": helps})
    text = say.finding(rows, evaluation().rules, ("hospital", "hospitals")).replace("\N{NO-BREAK SPACE}", " ")
    for part in said:
        assert part in text
    assert ("On average" in text) == (len(said) == 2 and "worse" in said[1])


def test_what_is_not_compared_is_named_with_its_reason():
    table = pd.DataFrame({"measure": "m", "practice": ["a_b", "c"], "status": [ALIKE, ESTIMATED]})
    assert say.not_asked(table, "m", ("hospital", "hospitals")) == (
        "Not compared: a b (fewer than three hospitals do it, or do not)."
    )

"""Threats to the conclusions: each found where it was planted, and not where it was not."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from collabeval import fit
from collabeval.diagnostics.effects import site_part
from collabeval.estimates.posterior import read
from collabeval.estimates.sites import evaluated
from collabeval.laplace.mode import covariate_effects
from collabeval.models.design import read_design
from collabeval.params import Model
from collabeval.threats import chance, tipping
from collabeval.threats.differences import by_missingness, by_season, by_volume
from collabeval.threats.missing import missingness, owed_periods
from collabeval.threats.tipping import tipping_points
from draws_for_tests import Draws
from draws_for_tests import panel_of as panel_by_hand
from draws_for_tests import params as params_by_hand
from fitting import params_for, whole

QUICK = {"engine": "laplace", "trend": "none"}


def world(seed, sites=40, quarters=12, site_sd=0.4, cell_sd=0.15, cases=150, volume=0.0, season=0.0):
    """Rows of simulated sites and quarters, with the true effect of each."""
    random = np.random.default_rng(seed)
    j, t = (grid.ravel() for grid in np.meshgrid(range(sites), range(quarters), indexing="ij"))
    size = random.lognormal(np.log(cases), 0.6, sites)
    level = site_sd * random.normal(size=sites) + volume * np.log2(size / cases)
    effect = level[j] + cell_sd * random.normal(size=len(j))
    n = np.maximum(random.poisson(size[j]), 20)
    events = random.binomial(n, expit(-1.5 + effect + season * (t % 4 == 0)))
    label = [f"{2021 + step // 4}Q{step % 4 + 1}" for step in t]
    rows = {"site": [f"S{one:02d}" for one in j], "period": label, "time": t / 4, "numerator": events, "denominator": n}
    return whole(pd.DataFrame(rows)).assign(effect=effect)


def evaluation(**model):
    params = params_for(model={**QUICK, **model}, minimum_ess=400, draws=500)
    measure = params.measures["m"].model_copy(update={"minimum_denominator": 1.0})
    periods = params.periods.model_copy(update={"length": "quarter"})
    return params.model_copy(update={"periods": periods, "measures": {"m": measure}})


def sites_of(rows):
    return pd.DataFrame({"site": sorted(rows["site"].unique()), "joined": pd.NaT})


def found_in(rows):
    """A threat's rows by part."""
    return pd.DataFrame(list(rows)).set_index("part")


def test_the_quick_look_agrees_with_a_whole_fit():
    rows = world(1, volume=-0.2).drop(columns="effect")
    rows["covariate volume"] = rows.groupby("site")["weight"].transform("mean")
    params = evaluation(covariates={"volume": "volume"}, trajectory=False)
    mean, covariance = covariate_effects(read_design(rows, "binomial", params.model))
    drawn = fit.sample(rows, "m", params)["posterior"]["covariates"]
    assert mean[0] == pytest.approx(float(drawn.mean()), abs=0.2 * float(drawn.std()))
    assert np.sqrt(covariance[0, 0]) == pytest.approx(float(drawn.std()), rel=0.15)


def test_volume_and_season_are_found_where_they_matter():
    rows, params = world(2, volume=-0.3, season=0.2), evaluation(trajectory=False)
    doubling = found_in(by_volume(params, "m", rows)).loc["doubling"]
    assert doubling["lower"] < -0.3 < doubling["upper"] < 0
    assert doubling["probability"] < 0.01
    seasons = found_in(by_season(params, "m", rows))
    assert seasons.loc["any", "probability"] < 1e-4
    assert seasons.loc["Q1", "lower"] < 0.2 * 3 / 4 < seasons.loc["Q1", "upper"]
    assert seasons.drop(index="any")["value"].sum() == pytest.approx(0, abs=1e-9)


def test_chance_alone_is_called_a_season_as_often_as_said():
    """p of the Wald test over 60 worlds without seasons: 3 expected below .05, 9 or more in 1 of 300 such tests."""
    params = evaluation(trajectory=False, overdispersion=False)
    p = [found_in(by_season(params, "m", world(100 + k, sites=12, quarters=8, cell_sd=0.0))).loc["any", "probability"]
         for k in range(60)]  # fmt: skip
    assert sum(value < 0.05 for value in p) <= 8
    assert 0.35 < np.mean(p) < 0.65


def test_seasons_are_not_asked_of_years_or_less_than_two_of_them():
    rows, params = world(2, sites=5, quarters=7), evaluation()
    assert list(by_season(params, "m", rows)) == []
    yearly = params.model_copy(update={"periods": params.periods.model_copy(update={"length": "year"})})
    assert list(by_season(yearly, "m", rows)) == []


def test_what_was_not_sent_in_is_counted_by_site_and_by_period():
    rows = world(3, sites=3, quarters=4)
    gaps = {("S00", "2021Q2"), ("S00", "2021Q3"), ("S02", "2021Q3"), ("S01", "2021Q1")}
    kept = rows[[pair not in gaps for pair in zip(rows["site"], rows["period"], strict=True)]]
    sites = sites_of(rows).assign(joined=pd.to_datetime(["2021-01-01", None, "2021-01-01"]))
    table = missingness(evaluation(), sites, kept)
    by_site = table[table["period"] == ""].set_index("site")
    assert by_site["due"].to_dict() == {"S00": 4, "S01": 3, "S02": 4}  # S01 owes from its first row on
    assert by_site["submitted"].to_dict() == {"S00": 2, "S01": 3, "S02": 3}
    by_period = table[table["site"] == ""].set_index("period")
    assert by_period.loc["2021Q3", ["due", "submitted"]].tolist() == [3, 1]
    assert by_period.loc["2021Q1", ["due", "submitted"]].tolist() == [2, 2]


def test_sites_that_do_worse_and_send_less_are_found_out():
    rows, random = world(4), np.random.default_rng(1)
    worst = rows.groupby("site")["effect"].mean().rank(pct=True)
    left_out = random.random(len(rows)) < 0.4 * rows["site"].map(worst) ** 2
    left_out &= ~rows["period"].isin(["2021Q1", "2023Q4"])
    found = found_in(by_missingness(evaluation(trajectory=False), "m", sites_of(rows), rows[~left_out]))
    assert found.loc["ten points", "lower"] > 0
    complete = by_missingness(evaluation(trajectory=False), "m", sites_of(rows), rows)
    assert list(complete) == []  # nothing is missing: nothing to ask


def leaving(rows, random):
    """Rows without those of sites that drop out for good, by chance, once what they sent in so far looks bad."""
    kept = []
    for _, own in rows.groupby("site"):
        so_far = own["numerator"].cumsum() / own["denominator"].cumsum()
        gone = ((so_far > 0.2) & (random.random(len(own)) < 0.25)).shift(fill_value=False).cummax()
        kept.append(own[~gone.astype(bool)])
    return pd.concat(kept, ignore_index=True)


def test_values_missing_at_random_do_not_mislead():
    """Sites with bad results so far drop out: the crude rate falls by itself, the model's trend stays where it is.

    Nothing changes in truth. 120 intervals of 95 % of the sites' levels, three worlds: at 106 or more truth is covered
    in 999 of 1,000 such tests.
    """
    covered, crude, slopes = [], [], []
    for seed in range(3):
        rows = world(10 + seed, cell_sd=0.0)
        kept = leaving(rows, np.random.default_rng(seed))
        params = evaluation(trajectory=False, overdispersion=False, trend="linear")
        posterior = fit.sample(kept.drop(columns="effect"), "m", params)["posterior"]
        draws = posterior["site_level"].to_numpy()[0]
        truth = rows.groupby("site")["effect"].first().to_numpy()
        low, high = np.quantile(draws - draws.mean(axis=1, keepdims=True), [0.025, 0.975], axis=0)
        covered.append((low < truth - truth.mean()) & (truth - truth.mean() < high))
        year = kept.groupby(kept["period"].str[:4])[["numerator", "denominator"]].sum()
        crude.append(np.log(year["numerator"] / year["denominator"]).diff().sum() / 2)
        slopes.append(np.quantile(posterior["trend_slope"], [0.005, 0.5, 0.995]))
    assert np.sum(covered) >= 106
    assert np.mean(crude) < -0.08  # a year, on the log scale
    for low, _, high in slopes:
        assert low < 0 < high
    assert abs(np.mean([middle for _, middle, _ in slopes])) < 0.3 * abs(np.mean(crude))


def by_hand(gaps, level, **options):
    """Two years of four quarters, 20 sites, equal cases, draws of the level as given; `gaps` lists site and period."""
    labels = [f"{year}Q{quarter}" for year in (2021, 2022) for quarter in (1, 2, 3, 4)]
    rows = [{"site": f"s{j:02d}", "period": label, "numerator": 50.0, "denominator": 500.0, "time": step / 4}
            for j in range(20) for step, label in enumerate(labels) if (f"s{j:02d}", label) not in gaps]  # fmt: skip
    params = params_by_hand(length="quarter", **options)
    sites = pd.DataFrame({"site": [f"s{j:02d}" for j in range(20)], "joined": pd.Timestamp("2021-01-01")})
    draws = Draws(panel_by_hand(rows), intercept=-2.0, level=level, hyperparameters={"site_sd": 0.5})
    return params, sites, draws.panel, draws.tree()


def test_the_tipping_point_is_where_the_probability_crosses_its_threshold():
    """s00 is better by N(.5, .1), half its current quarters missing: with δ it is better by N(.5 − δ/2, .1)."""
    random = np.random.default_rng(5)
    standard = np.sort(random.normal(size=1000))
    standard = (standard - standard.mean()) / standard.std()
    level = {"s00": -0.5 + 0.1 * random.permutation(standard), "s01": 0.0 * standard}
    params, sites, panel, tree = by_hand({("s00", "2022Q2"), ("s00", "2022Q4")}, level)
    average = -0.5 / 20
    table = tipping_points(params, sites, panel, {"m": tree})
    assert set(table["site"]) == {"s00"}
    row = table.query("slot == 'level' and towards == 'worse'").iloc[0]
    assert (row["statement"], row["becomes"], row["periods"]) == ("better", "unclear", 2)
    assert row["cases"] == pytest.approx(0.5)
    z = np.quantile(standard, 0.975)
    exact = 2 * (average + 0.5 - 0.1 * z)
    steps = tipping.DELTAS
    assert row["delta"] == pytest.approx(steps[np.searchsorted(steps, exact)], abs=1e-12)
    assert table.query("slot == 'level' and towards == 'better'")["delta"].isna().all()


def test_a_site_with_all_its_periods_has_no_tipping_point():
    params, sites, panel, tree = by_hand(set(), {"s00": -0.5})
    assert tipping_points(params, sites, panel, {"m": tree}).empty


def test_the_best_share_is_asked_of_each_site_against_the_others_as_they_are():
    """Four best of 20; s00 leads by .5 and falls behind the fifth, s04 at −.3, once its quarter pulls it there."""
    level = {f"s{j:02d}": -0.8 + 0.125 * j for j in range(5)} | {"s00": -0.8}
    params, sites, panel, tree = by_hand({("s00", "2022Q1")}, level)
    found = evaluated(read(params, "m", panel, tree), params.rules)
    lacking = tipping._lacking(found, owed_periods(params, "m", sites, panel), 1)
    for delta, best in ((1.9, True), (2.1, False)):  # a quarter of the cases: −.8 + δ/4 against −.3
        moved = tipping._moved(found, lacking, found.current, delta)
        share = {event.name: event for event in tipping._shares(found, lacking.rows, moved)}
        assert bool(share["best_share"].happens.all()) is best
        assert not share["worst_share"].happens.any()


def test_periods_that_were_worse_than_said_are_covered_with_their_delta_and_not_without():
    """Half the sites lack two quarters in which they did worse by δ = 1 than the model of the others would have it."""
    delta, covered = 1.0, {0.0: [], 1.0: []}
    for seed in range(3):
        rows = world(30 + seed, sites=40, quarters=8, cases=120)
        silent = rows["site"].isin([f"S{j:02d}" for j in range(20)]) & rows["period"].isin(["2022Q2", "2022Q3"])
        now = rows[rows["period"].str.startswith("2022")]
        full = now["effect"] + delta * silent[now.index]
        mean = now.groupby("site")["weight"].transform("mean")
        truth = (full * mean).groupby(now["site"]).sum() / mean.groupby(now["site"]).sum()
        params = evaluation(trajectory=False, overdispersion=True)
        kept = rows[~silent].reset_index(drop=True)
        tree = fit.sample(kept.drop(columns="effect"), "m", params)
        found = evaluated(read(params, "m", kept, tree), params.rules)
        lacking = tipping._lacking(found, owed_periods(params, "m", sites_of(rows), kept), seed)
        assert len(lacking.rows) == 20
        base = found.current.effect[20:].mean(axis=0) - truth.iloc[20:].mean()  # the level, which the intercept shares
        for assumed in covered:
            drawn = tipping._moved(found, lacking, found.current, assumed).effect - base
            low, high = np.quantile(drawn, [0.025, 0.975], axis=1)
            covered[assumed].append(((low < truth.iloc[:20]) & (truth.iloc[:20] < high)).mean())
    assert np.mean(covered[1.0]) > 0.87  # 60 intervals of 95 %: 53 or more in 99 of 100
    assert np.mean(covered[0.0]) < 0.5


def test_regression_to_the_mean_is_seen_as_what_it_is():
    """Nothing changed: the sites recorded worst at baseline come out better, and the estimates do not follow."""
    rows = world(6, cell_sd=0.0, site_sd=0.1, cases=25, quarters=8)
    params = evaluation(trajectory=True, overdispersion=False)
    tree = fit.sample(rows.drop(columns="effect"), "m", params)
    found = found_in(chance.regression_to_mean(evaluated(read(params, "m", rows, tree), params.rules)))
    assert found.loc["sites", "value"] == 8
    assert found.loc["recorded", "value"] < -0.1
    assert abs(found.loc["modelled", "value"]) < 0.5 * abs(found.loc["recorded", "value"])
    assert found.loc["modelled", "lower"] < 0 < found.loc["modelled", "upper"]


def test_sites_that_the_model_does_not_fit_are_counted():
    rows = world(7, sites=40)
    params = evaluation(trajectory=False, overdispersion=False)
    whole_fit = fit.sample(rows.drop(columns="effect"), "m", params)
    usual = found_in(chance.site_prediction("binomial", rows, whole_fit, 1))
    assert usual.loc["outside", "value"] <= 2
    assert usual.loc["by chance", "value"] == pytest.approx(0.4)
    far = rows.copy()
    far.loc[far["site"].isin(["S03", "S04"]), "numerator"] = far["denominator"] * 0.9
    found = found_in(chance.site_prediction("binomial", far, whole_fit, 1))
    assert found.loc["outside", "value"] == usual.loc["outside", "value"] + 2


def test_what_covariates_explain_is_not_drawn_anew_with_the_sites():
    rows = world(8, volume=-0.5).drop(columns="effect")
    rows["covariate volume"] = rows.groupby("site")["weight"].transform("mean")
    params = evaluation(covariates={"volume": "volume"}, trajectory=False, overdispersion=False)
    tree = fit.sample(rows, "m", params)
    posterior, constant = tree["posterior"].to_dataset(), tree["constant_data"].to_dataset()
    own = site_part(posterior, constant)
    spread = own[:, ~rows["site"].duplicated()].std(axis=1).mean()
    level = posterior["site_level"].to_numpy()[0].std(axis=1).mean()
    assert spread == pytest.approx(float(posterior["site_sd"].mean()), rel=0.1)
    assert level > 1.1 * spread


def test_models_the_engine_cannot_fit_leave_the_question_open():
    rows = world(9, sites=6, quarters=4)
    flat = {"intercept": {"dist": "Cauchy", "alpha": 0.0, "beta": 1.0}}
    params = evaluation().model_copy(update={"model": Model.model_validate({**QUICK, "priors": flat})})
    assert list(by_volume(params, "m", rows)) == []

"""Covariates of site performance: their columns, their effects recovered, and what they do to the words."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from collabeval import covariates as panel_covariates
from collabeval import draws as stored
from collabeval import estimates, fit, panel
from collabeval.errors import ContractError
from collabeval.estimates.covariates import covariate_table
from collabeval.estimates.posterior import read
from collabeval.estimates.reliability import rankability
from collabeval.estimates.window_draws import window_draws
from collabeval.models.covariates import BETWEEN, read_covariates
from collabeval.models.design import read_design
from collabeval.params import Model, Params
from fitting import params_for, small_panel, whole
from small_covariates import COVARIATES, with_covariates


def evaluation(covariates, length="quarter", **measure):
    declared = {"label": "M", "family": "binomial", "better": "lower", "minimum_denominator": 1, **measure}
    return Params.model_validate(
        {
            "collaborative": "c", "title": "t", "edition": "1", "data": {"sites": "s", "outcomes": "o"},
            "sampling": {"seed": 1, "minimum_ess": 400, "draws": 500}, "measures": {"m": declared},
            "periods": {"length": length}, "model": {"covariates": covariates, "engine": "laplace"},
        }
    )  # fmt: skip


def tables(sites=6, quarters=5, share=None):
    """A table of sites and one of outcomes, as the contract gives them."""
    codes = [f"S{j}" for j in range(sites)]
    beds, teaching = np.arange(sites) * 10.0 + 100, ["yes" if j % 3 == 0 else "no" for j in range(sites)]
    of_sites = pd.DataFrame({"site": codes, "joined": pd.NaT, "beds": beds, "teaching": teaching})
    labels = [f"{2021 + i // 4}Q{i % 4 + 1}" for i in range(quarters)]
    rows = pd.DataFrame([(site, label) for site in codes for label in labels], columns=["site", "period"])
    cases = 50.0 + 10 * rows["site"].str[1:].astype(float) + np.arange(len(rows)) % 3
    rows = rows.assign(measure="m", numerator=5.0, denominator=cases, expected=cases / 10, mean=np.nan, sd=np.nan)
    share = [str(value) for value in (share if share is not None else np.arange(len(rows)) / 10)]
    return of_sites, rows.assign(n=np.nan, se=np.nan, share=share)


def built(covariates, of_sites, outcomes, **options):
    return panel.build(evaluation(covariates, **options), of_sites, outcomes)


def test_each_row_has_the_values_of_its_site_and_period():
    of_sites, outcomes = tables()
    shuffled = outcomes.sample(frac=1, random_state=1, ignore_index=True)
    named = {"beds": "linear", "teaching": "category", "share": {"kind": "linear", "table": "outcomes"}}
    rows = built({**named, "v": "volume", "c": "case_mix", "s": "season"}, of_sites, shuffled)
    third = rows[rows["site"].eq("S3") & rows["period"].eq("2022Q1")].iloc[0]
    assert third["covariate sites.beds"] == 130
    assert third["covariate sites.teaching"] == "yes"
    assert third["covariate outcomes.share"] == pytest.approx((3 * 5 + 4) / 10)
    assert third["covariate volume"] == pytest.approx(outcomes[outcomes["site"].eq("S3")]["denominator"].mean())
    assert third["covariate case_mix"] == pytest.approx(0.1)
    assert third["covariate season"] == "Q1"


@pytest.mark.parametrize(
    ("covariates", "change", "said"),
    [
        ({"depth": "linear"}, {}, "the table of sites has no such column"),
        ({"teaching": "linear"}, {}, "is no number: no, yes"),
        ({"beds": "linear"}, {"beds": [1, np.nan, 3, 4, 5, 6]}, "is blank for S1"),
        ({"beds": "log"}, {"beds": [1, 0, 3, 4, 5, -6]}, "has no logarithm for S1, S5"),
        ({"beds": "linear"}, {"beds": 7.0}, "is the same in every row of m"),
        ({"teaching": {"kind": "category", "reference": "maybe"}}, {}, "has no level 'maybe' → levels: no, yes"),
    ],
)
def test_a_covariate_that_cannot_be_used_is_refused_with_the_reason(covariates, change, said):
    of_sites, outcomes = tables()
    with pytest.raises(ContractError) as error:
        built(covariates, of_sites.assign(**change), outcomes)
    assert said in str(error.value)


def test_seasons_need_periods_shorter_than_a_year_and_case_mix_predicted_numbers():
    of_sites, outcomes = tables()
    yearly = outcomes[outcomes["period"].str.endswith("Q1")].assign(period=lambda rows: rows["period"].str[:4])
    with pytest.raises(ContractError, match=r"there are no seasons where `periods\.length` is year"):
        built({"s": "season"}, of_sites, yearly, length="year")
    with pytest.raises(ContractError, match="no measure has predicted numbers"):
        built({"c": "case_mix"}, of_sites, outcomes.assign(expected=np.nan))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"v": {"kind": "volume", "table": "outcomes"}}, "no column is read"),
        ({"beds": {"kind": "linear", "between": True}}, "`between` is for numbers of the table of outcomes"),
        ({"beds": {"kind": "linear", "reference": "a"}}, "`reference` makes no sense where `kind` is linear"),
        ({"share": {"kind": "linear", "table": "outcomes", "adjust": False}}, "is always adjusted for"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        Model.model_validate({"covariates": wrong})


def test_columns_are_centred_and_standardised_where_they_vary():
    rows = with_covariates(small_panel(sites=9))
    found = read_covariates(rows, "binomial", Model.model_validate({"covariates": COVARIATES}))
    assert found.names == ["beds", "teaching: yes", "share", f"share: {BETWEEN}"]
    assert found.adjusted.tolist() == [False, True, True, False]
    once = ~rows["site"].duplicated().to_numpy()
    for name, counted in (("beds", once), ("share", once | True), (f"share: {BETWEEN}", once)):
        values = found.values[counted, found.names.index(name)]
        assert values.mean() == pytest.approx(0, abs=1e-12)
        assert values.std() == pytest.approx(1)
    teaching = found.values[once, 1]
    assert sorted(set(teaching.round(12))) == pytest.approx([-1 / 3, 2 / 3])
    assert found.terms[0].unit == pytest.approx(np.log(rows[once]["covariate sites.beds"]).std(ddof=0))


def test_a_measure_without_predicted_numbers_goes_without_the_case_mix_of_others():
    rows = small_panel().assign(**{"covariate case_mix": np.nan})
    assert read_covariates(rows, "binomial", Model.model_validate({"covariates": {"c": "case_mix"}})).names == []


def simulated(sites=60, periods=5, seed=2, cases=200, **effects):
    """Sites whose level follows beds, and rows whose level follows a share that is higher where sites are worse."""
    random = np.random.default_rng(seed)
    own = effects.get("site_sd", 0.2) * random.normal(size=sites)
    beds = random.lognormal(5, 0.5, sites)
    rows = small_panel(sites=sites, periods=periods)
    j = rows["site"].str[1:].astype(int).to_numpy()
    share = random.normal(size=len(rows)) + effects.get("confounding", 0.0) * own[j]
    eta = -2.0 + own[j] + effects.get("beds", 0.0) * np.log2(beds / beds.mean())[j] + effects.get("share", 0.0) * share
    numerator = random.binomial(cases, expit(eta)).astype(float)
    columns = {"covariate sites.beds": beds[j], "covariate outcomes.share": share}
    return whole(rows.assign(denominator=float(cases), numerator=numerator, **columns)), own, beds


def fitted(rows, covariates, **model):
    settings = {"engine": "laplace", "covariates": covariates, "trend": "none", "overdispersion": False, **model}
    params = params_for(model={"trajectory": False, **settings}, minimum_ess=400, draws=500)
    params = params.model_copy(update={"periods": params.periods.model_copy(update={"length": "year"})})
    return params, fit.sample(rows, "m", params)


def test_effects_are_recovered_per_doubling_and_per_standard_deviation():
    rows, _, _ = simulated(beds=-0.3, share=0.15)
    params, tree = fitted(rows, {"beds": "log", "share": {"kind": "linear", "table": "outcomes"}})
    table = covariate_table(params, rows, {"m": tree}).set_index("covariate")
    assert table.loc["beds", "q025"] < -0.3 < table.loc["beds", "q975"]
    assert table.loc["beds", "q975"] - table.loc["beds", "q025"] < 0.25
    assert table.loc["beds", "amount"] == 2
    sd = rows["covariate outcomes.share"].std(ddof=0)
    assert table.loc["share", "amount"] == pytest.approx(sd)
    assert table.loc["share", "q025"] < 0.15 * sd < table.loc["share", "q975"]
    assert table["probability"].tolist() == [0.0, 1.0]
    assert table["adjusted"].tolist() == [False, True]


def test_the_effect_within_sites_is_free_of_what_differs_between_them_only_with_their_means():
    """Mundlak: a share that is higher at sites that do worse anyway seems to do harm where it does none."""
    rows, _, _ = simulated(site_sd=0.5, confounding=3.0, share=0.0, cases=60)
    term = {"kind": "linear", "table": "outcomes"}
    slopes = {}
    for between in (False, True):
        params, tree = fitted(rows, {"share": {**term, "between": between}})
        slopes[between] = covariate_table(params, rows, {"m": tree}).iloc[0]
    assert slopes[False]["q025"] > 0
    assert slopes[True]["q025"] < 0 < slopes[True]["q975"]


def test_what_is_adjusted_for_leaves_the_comparison_and_what_is_not_stays_in_it():
    rows, own, beds = simulated(beds=-0.6, site_sd=0.05)
    slope = np.log2(beds / beds.mean())
    found = {}
    for adjust in (False, True):
        params, tree = fitted(rows, {"beds": {"kind": "log", "adjust": adjust}})
        effects = estimates.evaluate_sites(params, rows, {"m": tree}).estimates.query("estimand == 'site_effect'")
        effects = effects.drop_duplicates("site").set_index("site")["mean"]
        found[adjust] = effects.reindex([f"S{j}" for j in range(len(beds))]).to_numpy()
    assert np.corrcoef(found[False], -0.6 * slope + own)[0, 1] > 0.95
    assert abs(np.corrcoef(found[True], slope)[0, 1]) < 0.5
    assert found[True].std() < 0.3 * found[False].std()


@pytest.fixture(scope="module")
def adjusted():
    rows, _, _ = simulated(sites=12, periods=3, beds=-0.6, share=0.3)
    rows["denominator"] = rows["weight"] = 150.0 + 10 * np.arange(len(rows))
    params, tree = fitted(rows, {"beds": "log", "share": {"kind": "linear", "table": "outcomes"}})
    return rows, params, tree


def test_a_standardised_rate_is_over_the_cases_with_their_covariates(adjusted):
    rows, params, tree = adjusted
    posterior = read(params, "m", rows, tree)
    drawn = window_draws(posterior, posterior.windows.current)
    cells = posterior.cells_of(posterior.windows.current.periods)
    design = read_design(rows, "binomial", params.model)
    known = design.cell_covariates[cells] @ posterior.covariate_effects
    level = posterior.base[posterior.period[cells]] + known
    by_hand = rows["weight"].to_numpy()[cells] @ expit(level + drawn.effect[4])
    assert drawn.standardised[4] == pytest.approx(by_hand / rows["weight"].to_numpy()[cells].sum(), abs=6e-7)
    eta = stored.linear_predictor(tree["posterior"].to_dataset(), tree["constant_data"].to_dataset())[0]
    assert logit(drawn.predicted[4] / drawn.cases[4]) == pytest.approx(eta[:, cells[4]], abs=1e-9)


def test_differences_that_covariates_explain_count_in_a_ranking_but_are_no_data_of_a_site(adjusted):
    rows, params, tree = adjusted
    posterior = read(params, "m", rows, tree)
    drawn = window_draws(posterior, posterior.windows.current)
    explained = posterior.covariate_effects[[0]] * read_design(rows, "binomial", params.model).site_covariates[:, [0]]
    assert posterior.explained == pytest.approx(explained)
    left = np.median(drawn.effect.var(axis=1, ddof=1))
    between = (posterior.hyperparameters["site_sd"] ** 2).mean() + explained.var(axis=0).mean()
    assert rankability(posterior, drawn) == pytest.approx(1 - left / between)
    found = estimates.evaluate_sites(params, rows, {"m": tree}).estimates.query("estimand == 'reliability'")
    own = (posterior.hyperparameters["site_sd"] ** 2).mean()
    assert found["mean"].to_numpy() == pytest.approx(np.clip(1 - drawn.effect.var(axis=1, ddof=1) / own, 0, 1))


def test_columns_of_other_models_are_in_the_panel_too():
    of_sites, outcomes = tables()
    params = evaluation({"beds": "linear"})
    other = Model.model_validate({"covariates": {"v": "volume"}})
    both = panel.build(params.model_copy(update={"compare": {"other": other}}), of_sites, outcomes)
    assert panel_covariates.columns(params.model, other) == ["covariate sites.beds", "covariate volume"]
    assert list(both.columns[-2:]) == ["covariate sites.beds", "covariate volume"]

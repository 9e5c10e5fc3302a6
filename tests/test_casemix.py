"""Case-mix: collapsing loses nothing, known truth comes back, expected numbers add up, and the judging is right."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from collabeval.casemix.design import Levels, Spline
from collabeval.casemix.judge import c_statistic, calibration, deciles
from collabeval.casemix.model import fit_case_mix
from collabeval.casemix.patterns import Coded, collapse, merged
from collabeval.casemix.regression import NoFitError, log_likelihood
from collabeval.casemix.sites import expected_rows, outcome_rows, standardised
from collabeval.params import Measure

TRUTH = {"age": 0.5, "sex = M": 0.3, "kind = b": -0.6, "kind = c": 0.8}


def coded(values) -> Coded:
    codes, distinct = pd.factorize(np.asarray(values), sort=True)
    return Coded(codes, list(distinct))


def people(count=20_000, sites=30, seed=1, family="binomial", confounded=0.0, quality=0.5) -> pd.DataFrame:
    """Patients of known truth; with `confounded` worse sites have the older patients."""
    generator = np.random.default_rng(seed)
    level = generator.normal(0, quality, sites)
    site = generator.integers(0, sites, count)
    table = pd.DataFrame(
        {
            "site": [f"S{number:02d}" for number in site],
            "period": generator.choice(["2020", "2021"], count),
            "age": np.round(generator.normal(confounded * level[site], 1), 1),
            "sex": generator.choice(["F", "M"], count),
            "kind": generator.choice(["a", "b", "c"], count, p=[0.5, 0.3, 0.2]),
        }
    )
    eta = -1.5 + level[site] + TRUTH["age"] * table["age"] + TRUTH["sex = M"] * table["sex"].eq("M")
    eta = eta + table["kind"].map({"a": 0.0, "b": TRUTH["kind = b"], "c": TRUTH["kind = c"]})
    table["exposure"] = generator.uniform(0.5, 3, count)
    table["outcome"] = {
        "binomial": lambda: generator.binomial(1, expit(eta)),
        "poisson": lambda: generator.poisson(table["exposure"] * np.exp(eta)),
        "normal": lambda: eta + generator.normal(0, 2, count),
    }[family]()
    return table.astype({"outcome": float})


def patterns_of(table: pd.DataFrame, exposure=False, covariates=("age", "sex", "kind")):
    return collapse(
        coded(table["site"]), coded(table["period"]), coded(table["period"]),
        {name: coded(table[name]) for name in covariates}, table["outcome"].to_numpy(),
        table["exposure"].to_numpy() if exposure else None,
    )  # fmt: skip


def measure_of(family="binomial", sites="fixed", **records) -> Measure:
    case_mix = {
        "age": "linear",
        "sex": {"kind": "category", "reference": "F"},
        "kind": {"kind": "category", "reference": "a"},
    }
    block = {"outcome": "outcome", "sites": sites, "case_mix": case_mix, **records}
    return Measure.model_validate({"label": "x", "family": family, "better": "lower", "records": block})


def fitted(table, family="binomial", exposure=False, baseline=None, **records):
    patterns = patterns_of(table, exposure)
    everything = (
        np.ones(len(patterns.cells), dtype=bool) if baseline is None else patterns.cells["period"].isin(baseline)
    )
    measure = measure_of(family, **records)
    return measure, patterns, fit_case_mix(measure, patterns, np.asarray(everything))


def _by_record(family, y, eta, exposure) -> float:
    """The log-likelihood of records one by one."""
    if family == "binomial":
        return (y * np.log(expit(eta)) + (1 - y) * np.log(expit(-eta))).sum()
    if family == "poisson":
        return (y * np.log(exposure * np.exp(eta)) - exposure * np.exp(eta)).sum()
    return (-0.5 * (y - eta) ** 2).sum()


@pytest.mark.parametrize("family", ["binomial", "poisson", "normal"])
def test_patterns_have_the_likelihood_of_their_records(family):
    """At any coefficients the log-likelihoods of rows and patterns differ by the same constant."""
    table = people(4000, family=family)
    patterns = patterns_of(table, exposure=family == "poisson")
    assert len(patterns.cells) < len(table)
    generator, gaps = np.random.default_rng(2), []
    for _ in range(4):
        one, two, three = generator.normal(0, 0.5, 3)
        eta = one + two * table["age"] + three * table["sex"].eq("M")
        exposure = table["exposure"] if family == "poisson" else 1.0
        rows = _by_record(family, table["outcome"], eta, exposure)
        shared, cells = patterns.covariates, patterns.cells
        by_pattern = (one + two * shared["age"] + three * shared["sex"].eq("M")).to_numpy()[cells["pattern"]]
        size = cells["exposure"] if family == "poisson" else cells["cases"]
        gaps.append(rows - log_likelihood(family, by_pattern, size.to_numpy(), cells["total"].to_numpy()))
    assert gaps == pytest.approx([gaps[0]] * 4, abs=1e-7)


def test_the_collapse_keeps_every_record_and_merges_exactly():
    table = people(3000, family="normal")
    patterns = patterns_of(table)
    assert patterns.records == 3000
    by_site = merged(patterns.cells, ["site"]).set_index("site")
    sums = table.groupby("site")["outcome"].agg(["size", "sum"])
    assert by_site["cases"].to_dict() == sums["size"].to_dict()
    assert by_site["total"].to_dict() == pytest.approx(sums["sum"].to_dict())
    assert by_site["squares"].sum() == pytest.approx((table["outcome"] ** 2).sum())


def test_many_columns_of_many_values_are_joined_without_running_over():
    generator = np.random.default_rng(3)
    table = pd.DataFrame({f"x{at}": generator.integers(0, 5000, 400) for at in range(8)})
    blank = coded([""] * 400)
    twice = pd.concat([table, table], ignore_index=True)
    patterns = collapse(
        coded([""] * 800),
        coded([""] * 800),
        coded([""] * 800),
        {name: coded(twice[name]) for name in twice},
        np.ones(800),
        None,
    )
    assert len(blank.codes) == 400
    assert len(patterns.covariates) == len(table.drop_duplicates())
    assert patterns.cells["cases"].eq(2).all()


@pytest.mark.parametrize("family", ["binomial", "poisson", "normal"])
@pytest.mark.parametrize("sites", ["fixed", "mundlak"])
def test_known_truth_comes_back(family, sites):
    """Within four standard errors, though worse sites have the older patients."""
    table = people(40_000, family=family, confounded=1.0)
    _, _, model = fitted(table, family, exposure=family == "poisson", sites=sites)
    found = model.coefficients.set_index("term")
    for term, truth in TRUTH.items():
        # the site means stand in for the sites' levels, which differ besides: its slopes are a little flatter (logit)
        slack = 0.03 if (sites, family) == ("mundlak", "binomial") else 0.0
        assert abs(found["estimate"][term] - truth) < 4 * found["se"][term] + slack, term


def test_without_terms_for_sites_confounding_is_taken_for_case_mix():
    """The default is there for a reason: age takes over what belongs to the sites."""
    table = people(40_000, confounded=1.0, quality=0.8)
    naive = fitted(table, sites="none")[2].coefficients.set_index("term")["estimate"]["age"]
    within = fitted(table, sites="fixed")[2].coefficients.set_index("term")["estimate"]["age"]
    assert naive > TRUTH["age"] + 0.1
    assert within == pytest.approx(TRUTH["age"], abs=0.06)


def test_a_spline_is_natural_and_finds_a_curve():
    spline = Spline("age", (-2.0, -0.5, 0.5, 2.0))
    at = pd.Series(np.linspace(-6, 6, 241))
    columns = spline.columns(at)
    bend = np.abs(np.diff(columns, n=2, axis=0)).max(axis=1)
    outside = (at[1:-1] < -2.1) | (at[1:-1] > 2.1)
    assert bend[outside].max() < 1e-9
    assert bend[~outside].max() > 1e-4
    knots = np.column_stack([np.ones(4), spline.columns(pd.Series(spline.knots))])
    assert np.linalg.matrix_rank(knots) == 4
    table = people(30_000, quality=0.0)
    generator = np.random.default_rng(5)
    table["outcome"] = generator.binomial(1, expit(-1 + table["age"] ** 2 / 2)).astype(float)
    measure = measure_of(case_mix={"age": {"kind": "spline", "knots": 5}})
    patterns = patterns_of(table, covariates=("age",))
    model = fit_case_mix(measure, patterns, np.ones(len(patterns.cells), dtype=bool))
    middle = patterns.covariates["age"].abs() < 1.5
    truth = -1 + patterns.covariates["age"] ** 2 / 2
    assert np.abs(model.linear_predictor - truth)[middle].max() < 0.2


def test_levels_not_of_the_model_are_none_of_its_columns():
    assert Levels("kind", "a", ("b", "c")).columns(pd.Series(["a", "b", "c"])).tolist() == [[0, 0], [1, 0], [0, 1]]


@pytest.mark.parametrize("sites", ["fixed", "mundlak", "none"])
@pytest.mark.parametrize("family", ["binomial", "poisson", "normal"])
def test_expected_and_observed_agree_in_the_baseline_and_recalibrated_ones_in_every_period(family, sites):
    table = people(6000, family=family)
    table.loc[table["period"].eq("2021"), "outcome"] *= 0 if family == "normal" else 1
    measure, patterns, model = fitted(table, family, exposure=family == "poisson", baseline=["2020"], sites=sites)
    sums = expected_rows(measure, patterns, model).groupby("period")[["observed", "frozen", "recalibrated"]].sum()
    assert sums.loc["2020", "frozen"] == pytest.approx(sums.loc["2020", "observed"], rel=1e-6)
    assert sums["recalibrated"].tolist() == pytest.approx(sums["observed"].tolist(), rel=1e-9, abs=1e-6)
    assert sums.loc["2021", "frozen"] != pytest.approx(sums.loc["2021", "observed"], rel=1e-4)


def test_means_are_adjusted_patient_by_patient():
    table = people(3000, family="normal")
    measure, patterns, model = fitted(table, "normal")
    rows = outcome_rows("x", measure, expected_rows(measure, patterns, model), level=10.0).set_index(["site", "period"])
    predicted = dict(zip(map(tuple, patterns.covariates.to_numpy()), model.expected, strict=True))
    away = table["outcome"] - [
        predicted[key] for key in table[["age", "sex", "kind"]].itertuples(index=False, name=None)
    ]
    direct = away.groupby([table["site"], table["period"]]).agg(["mean", "std", "size"])
    assert rows["mean"].to_dict() == pytest.approx((direct["mean"] + 10).to_dict())
    assert rows["sd"].to_dict() == pytest.approx(direct["std"].to_dict())
    assert rows["n"].to_dict() == direct["size"].to_dict()


def test_standardisation_removes_case_mix_and_keeps_quality():
    """Two sites of one quality and different patients have the same rate, a third of worse quality a higher one."""
    table = people(60_000, sites=3, quality=0.0)
    table = table[~(table["site"].eq("S00") & table["kind"].eq("c"))].reset_index(drop=True)
    generator = np.random.default_rng(9)
    eta = (
        -1.5
        + TRUTH["age"] * table["age"]
        + table["kind"].map({"a": 0.0, "b": -0.6, "c": 0.8})
        + table["site"].eq("S02")
    )
    table["outcome"] = generator.binomial(1, expit(eta)).astype(float)
    measure, patterns, model = fitted(table)
    found = standardised(measure, patterns, model, ["2020", "2021"]).set_index("site")
    crude = found["observed"] / found["cases"]
    assert crude["S01"] - crude["S00"] > 0.02
    assert found.loc["S00", "direct_rate"] == pytest.approx(found.loc["S01", "direct_rate"], abs=0.012)
    truth = table.assign(rate=expit(eta - table["site"].eq("S02") + 1))["rate"].mean()
    assert found.loc["S02", "direct_rate"] == pytest.approx(truth, abs=0.012)
    assert found["ratio"].to_dict() == pytest.approx((found["observed"] / found["expected"]).to_dict())


def test_the_c_statistic_counts_pairs():
    generator = np.random.default_rng(4)
    risk, event = generator.integers(0, 6, 300) / 6.0, generator.integers(0, 2, 300)
    with_event, without = risk[event == 1], risk[event == 0]
    pairs = (with_event[:, None] > without).mean() + (with_event[:, None] == without).mean() / 2
    assert c_statistic(risk, event.astype(float), np.ones(300)) == pytest.approx(pairs)
    assert np.isnan(c_statistic(risk, np.zeros(300), np.ones(300)))


def test_a_model_is_calibrated_on_its_own_year_and_a_change_of_level_shows_in_the_next():
    table = people(40_000, quality=0.0)
    generator = np.random.default_rng(8)
    later = table["period"].eq("2021")
    eta = (
        -1.5
        + TRUTH["age"] * table["age"]
        + 0.3 * table["sex"].eq("M")
        + table["kind"].map({"a": 0.0, "b": -0.6, "c": 0.8})
    )
    table["outcome"] = generator.binomial(1, expit(np.where(later, 0.5 * eta + 0.7, eta))).astype(float)
    _, patterns, model = fitted(table, baseline=["2020"], sites="none")
    years = calibration(model, patterns.cells).set_index("year")
    assert years.loc["2020", "in_the_large"] == pytest.approx(0, abs=1e-6)
    assert years.loc["2020", "slope"] == pytest.approx(1, abs=1e-6)
    assert years.loc["2021", "slope_lower"] < 0.5 < years.loc["2021", "slope_upper"] < 1
    assert years.loc["2021", "in_the_large_lower"] > 0
    assert years.loc["2021", "c_statistic"] < years.loc["2020", "c_statistic"]
    assert years.loc["2020", "brier"] < years.loc["2020", "brier_of_mean"]
    rows = table[~later]
    predicted = dict(zip(map(tuple, patterns.covariates.to_numpy()), model.expected, strict=True))
    risk = [predicted[key] for key in rows[["age", "sex", "kind"]].itertuples(index=False, name=None)]
    assert years.loc["2020", "brier"] == pytest.approx(((rows["outcome"] - risk) ** 2).mean())


def test_tenths_hold_all_cases_in_the_order_of_their_risk():
    _, patterns, model = fitted(people(20_000))
    table = deciles(model, patterns.cells)
    assert table["cases"].sum() == 20_000
    for _, year in table.groupby("year"):
        assert year["group"].tolist() == list(range(1, 11))
        assert (year["expected"] / year["cases"]).is_monotonic_increasing
        assert year["cases"].between(800, 1200).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.loc[table["kind"].eq("c"), "outcome"].index, "kind = c has no event in the baseline"),
        (None, "these terms say nothing that the others do not: twin"),
    ],
)
def test_what_cannot_be_fitted_is_said(change, said):
    table = people(3000)
    records = {}
    if change is not None:
        table.loc[change(table), "outcome"] = 0.0
    else:
        table["twin"] = 2 * table["age"]
        records = {"case_mix": {"age": "linear", "twin": "linear"}}
    patterns = patterns_of(table, covariates=("age", "twin") if records else ("age", "sex", "kind"))
    with pytest.raises(NoFitError, match=said):
        fit_case_mix(measure_of(**records), patterns, np.ones(len(patterns.cells), dtype=bool))


def test_perfect_prediction_has_no_finite_answer_and_says_so():
    table = people(2000, quality=0.0)
    table["outcome"] = (table["age"] > 0.35).astype(float)
    patterns = patterns_of(table, covariates=("age",))
    with pytest.raises(NoFitError, match="no finite answer"):
        fit_case_mix(
            measure_of(case_mix={"age": "linear"}, sites="none"), patterns, np.ones(len(patterns.cells), dtype=bool)
        )


def test_a_covariate_of_the_site_is_no_case_mix_where_sites_are_fixed():
    table = people(3000)
    table["kind"] = np.where(table["site"].isin(["S00", "S01", "S02"]), "a", "b")
    patterns = patterns_of(table, covariates=("age", "kind"))
    case_mix = {"age": "linear", "kind": "category"}
    with pytest.raises(NoFitError, match="these terms say nothing that the others do not: kind"):
        fit_case_mix(measure_of(case_mix=case_mix), patterns, np.ones(len(patterns.cells), dtype=bool))


def test_a_level_that_comes_up_after_the_baseline_stops():
    table = people(3000)
    table.loc[table["period"].eq("2021") & table["kind"].eq("c"), "kind"] = "new"
    with pytest.raises(NoFitError, match="kind = new comes up only after the baseline"):
        fitted(table, baseline=["2020"])


def test_recalibrated_numbers_need_events_in_every_period():
    table = people(3000)
    table.loc[table["period"].eq("2021"), "outcome"] = 0.0
    measure, patterns, model = fitted(table, baseline=["2020"], expected="recalibrated")
    with pytest.raises(NoFitError, match="nothing happened anywhere in 2021"):
        outcome_rows("x", measure, expected_rows(measure, patterns, model), 0.1)

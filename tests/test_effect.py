"""Improvement attributable to the programme: known effects recovered, none found where there is none, and refusals."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pytensor.compile.mode import Mode
from scipy.special import expit, logit

from calibration.effect_worlds import params_of, world
from collabeval import panel
from collabeval.effect.estimate import _engines, estimate, failing
from collabeval.effect.found import fit_both
from collabeval.effect.judge import Judged, judged
from collabeval.effect.layout import NEVER, lay_out
from collabeval.effect.trends import joint_tail, slope_of
from collabeval.effect.untreated import fit_untreated, pose_untreated, untreated_design
from collabeval.effect.waves import merged, waves_of
from collabeval.laplace.density import Point, log_density
from collabeval.models.untreated import build_untreated_model
from collabeval.params import Rules

INTERPRETED = Mode(linker="py", optimizer=None)
SMALL = {"joining": (3, 4), "sites": 6, "comparators": 4, "periods": 6}
SHORT = {"joining": (3, 5), "sites": 12, "comparators": 12, "periods": 8}


def laid_out(made):
    return lay_out(made.params, "m", made.panel, made.sites, made.comparators)


def estimated(made):
    return estimate(made.params, made.panel, made.sites, made.comparators)


def summary(found):
    return found.summary.set_index("estimand")


def word(found, slot="effect"):
    return found.statements.set_index("slot").loc[slot, "statement"]


def true_effect(made, last=None):
    """Outcome with less without the programme, per case (per 100 for counts), over the treated rows up to a period."""
    rows = made.truth[made.truth["event_time"] >= 0]
    rows = rows if last is None else rows[rows["period"] < last]
    per = 1 if made.params.measures["m"].family == "normal" else 100
    return per * (rows["with_programme"] - rows["without"]).sum() / rows["n"].sum()


# what is compared with what


def test_event_times_count_periods_since_the_one_of_joining():
    made = world(1, **SMALL)
    sites = made.sites.assign(joined=made.sites["joined"] + pd.Timedelta(days=40))  # within the same quarter
    rows = lay_out(made.params, "m", made.panel, sites, made.comparators).rows
    first = rows[rows["unit"].eq("site S00")]
    assert list(first["event_time"]) == [-3, -2, -1, 0, 1, 2]
    assert list(first["state"]) == ["untreated"] * 3 + ["treated"] * 3
    outside = rows[rows["unit"].str.startswith("comparator")]
    assert set(outside["state"]) == {"untreated"}
    assert set(outside["joined"]) == {NEVER}
    assert list(first["time"]) == [0, 0.25, 0.5, 0.75, 1, 1.25]


def test_periods_of_anticipation_are_neither_before_nor_after():
    made = world(1, anticipation=2, **SMALL)
    rows = laid_out(made).rows
    first = rows[rows["unit"].eq("site S00")]
    assert list(first["state"]) == ["untreated", "anticipating", "anticipating", "treated", "treated", "treated"]


def test_without_comparators_an_effect_ends_where_the_last_site_joins():
    made = world(1, joining=(3, 6, 9), sites=9, comparators=0, periods=12)
    found = laid_out(made)
    assert found.imputed["step"].max() == 8
    assert set(found.imputed["unit"]) == {f"site S{j:02d}" for j in range(9) if j % 3 < 2}
    assert found.uncompared == 6 * 3 + 3 * 3  # periods 9 to 11 of everyone


@pytest.mark.parametrize(
    ("changes", "needs"),
    [
        ({"joining": (4,), "comparators": 0}, "untreated"),  # all join at once, and nobody else
        ({"joining": (0,)}, "before"),
        ({"joining": (6,)}, "after"),
    ],
)
def test_nothing_is_estimated_without_someone_untreated_before_and_after(changes, needs):
    made = world(1, **{**SMALL, **changes})
    assert laid_out(made).needs == needs
    found = estimated(made)
    assert found.summary.empty
    assert found.event_time.empty
    assert found.draws.empty
    assert word(found) == "not_estimable"
    assert list(found.basis["needs"]) == [needs]


def test_nothing_is_estimated_without_dates_periods_or_expected_numbers_on_both_sides():
    made = world(1, **SMALL)
    nobody = made.sites.assign(joined=pd.NaT)
    assert lay_out(made.params, "m", made.panel, nobody, made.comparators).needs == "dates"
    once = params_of("binomial", periods={"length": "none"})
    assert lay_out(once, "m", made.panel.assign(period=""), made.sites, made.comparators).needs == "periods"
    outside = made.comparators.assign(expected=5.0)
    assert lay_out(made.params, "m", made.panel, made.sites, outside).needs == "expected"


def test_comparators_that_were_never_seen_beside_a_site_before_it_joined_say_nothing_of_it():
    made = world(1, **{**SMALL, "joining": (3,)})
    late = made.comparators[made.comparators["period"] > "2018Q3"]
    assert lay_out(made.params, "m", made.panel, made.sites, late).needs == "untreated"
    some = pd.concat([late, made.comparators[made.comparators["period"].eq("2018Q2")].iloc[:1]])
    assert lay_out(made.params, "m", made.panel, made.sites, some).needs == ""


def test_sites_without_date_or_with_nothing_from_before_are_left_out_and_counted():
    made = world(1, **{**SMALL, "joining": (3, 0)})
    made.sites.loc[0, "joined"] = pd.NaT
    found = laid_out(made)
    assert (found.undated, found.without_before) == (1, 3)
    assert set(found.imputed["unit"]) == {"site S02", "site S04"}


def test_waves_hold_three_units_and_the_last_to_join_are_compared_with():
    assert list(merged(np.array([1, 1, 1, 2, 3, 3, 5, NEVER, NEVER]))) == [1, 1, 1, 2, 2, 2, 2, 0, 0]
    assert list(merged(np.array([4, 4, 9]))) == [1, 1, 0]
    made = world(1, joining=(3, 6, 9), sites=9, comparators=0, periods=12)
    rows = laid_out(made).untreated
    design = untreated_design(rows, "binomial", made.params.model)
    waves = waves_of(rows, design, leads=True)
    leads = pd.DataFrame({"joined": rows["joined"], "event_time": rows["event_time"], "lead": waves.lead})
    assert (leads.loc[leads["joined"].eq(9), "lead"] == -1).all()  # the last wave has no leads: they could not be told
    assert (leads.loc[leads["event_time"].eq(-1), "lead"] == -1).all()
    assert waves.event_times == (-6, -5, -4, -3, -2)


# the model


def point_of(problem, random):
    cells = problem.cells
    return Point(
        u=random.uniform(0.2, 0.8, len(problem.hyper)),
        g=problem.programme.centre + 0.3 * random.normal(size=len(problem.programme.centre)),
        z=random.normal(size=(len(cells.squares), 2)),
        rho=random.normal(size=len(cells.squares)),
        own=random.normal(size=len(cells.y)),
    )


def named_point(problem, waves, point):
    """The same point by the names of the PyMC model's variables, not centred."""
    design, own = problem.design, np.empty(problem.design.cells)
    own[problem.order] = point.own
    periods, count = len(design.periods), len(waves.labels)
    values = {"intercept": point.g[0], "trend_raw": point.g[1:periods], "wave": point.g[periods : periods + count]}
    values |= {"lead": point.g[periods + count : -1], "secular": point.g[-1]}
    values |= {"site_level_raw": point.z[:, 0], "site_slope_raw": point.z[:, 1]}
    values |= {"overdispersion_raw": own, "residual_sd_raw": point.rho}
    for d, each in enumerate(problem.hyper):
        suffix = "_half" if each.name == "site_correlation" else ""
        values[each.name + suffix] = each.drawn(point.u[d : d + 1])[0]
    return values


@pytest.mark.parametrize("leads", [False, True])
@pytest.mark.parametrize("family", ["binomial", "poisson", "normal"])
def test_both_engines_have_one_definition_of_untreated_outcomes(family, leads):
    made = world(2, family, **SMALL)
    rows = laid_out(made).untreated
    settings = made.params.model.model_copy(update={"parametrisation": "non_centred"})
    design = untreated_design(rows, family, settings)
    assert design.trajectory
    waves = waves_of(rows, design, leads)
    model, problem, random = (
        build_untreated_model(design, waves),
        pose_untreated(design, waves),
        np.random.default_rng(5),
    )
    density = model.compile_logp(jacobian=False, mode=INTERPRETED)
    differences = []
    for _ in range(3):
        point = point_of(problem, random)
        named, values = named_point(problem, waves, point), {}
        for variable in model.free_RVs:
            transform, value = model.rvs_to_transforms[variable], np.asarray(named[variable.name], dtype=float)
            if transform is not None:
                value = transform.forward(value, *variable.owner.inputs).eval()
            values[model.rvs_to_values[variable].name] = value
        differences.append((log_density(problem, point), float(density(values))))
    ours, theirs = np.array(differences).T
    np.testing.assert_allclose(ours - ours[0], theirs - theirs[0], rtol=1e-8, atol=1e-8 * np.abs(theirs).max())


def two_way(rows, treated):
    """Least squares on a level for each unit and period and one number for `treated` (N,): two-way fixed effects."""
    unit, step = rows["unit"].factorize()[0], rows["step"].to_numpy()
    columns = [np.eye(unit.max() + 1)[unit], np.eye(step.max() + 1)[step], np.asarray(treated, float)[:, None]]
    return np.linalg.lstsq(np.hstack(columns), rows["mean"].to_numpy(), rcond=None)[0]


def imputed_by_least_squares(found):
    """Effect of the imputation estimator (Borusyak, Jaravel & Spiess 2024), equally weighted, by least squares."""
    before, after = found.untreated, found.imputed
    both = pd.concat([before, after])
    unit = pd.Series(pd.factorize(both["unit"])[0], index=both.index).to_numpy()
    step, size = both["step"].to_numpy(), both["unit"].nunique()
    design = np.hstack([np.eye(size)[unit], np.eye(step.max() + 1)[step]])
    levels = np.linalg.lstsq(design[: len(before)], before["mean"].to_numpy(), rcond=None)[0]
    return float((after["mean"] - design[len(before) :] @ levels).mean())


def test_means_agree_with_the_imputation_estimator_by_least_squares():
    """Much data, no drift: pooling and the prior of the trend hardly matter, and both impute the same."""
    made = world(3, "normal", drift=0.0, noise=0.02, cases=4000)
    found = estimated(made)
    ours = summary(found).loc["effect"]
    assert ours["mean"] == pytest.approx(imputed_by_least_squares(laid_out(made)), abs=0.15 * ours["sd"])
    assert ours["q025"] < true_effect(made) < ours["q975"]


def test_growing_effects_of_those_who_join_in_turn_are_found_where_two_way_fixed_effects_is_wrong():
    """Two-way fixed effects takes early joiners for untreated when others join: their growing effect is subtracted."""
    made = world(4, "normal", joining=(2, 5, 9), comparators=0, sites=18, drift=0.0, noise=0.02, cases=2000,
                 effect=lambda event_time, joined: -0.05 * (1 + event_time) * (2 if joined == 2 else 1))  # fmt: skip
    found, rows = estimated(made), laid_out(made).rows
    last = rows.loc[rows["estimable"], "period"].max()
    compared = rows[rows["period"] <= last]
    truth = true_effect(made, last="2020Q2")
    naive = two_way(compared, compared["state"].eq("treated"))[-1]
    ours = summary(found).loc["effect"]
    assert last == "2020Q1"
    assert naive > 0.7 * truth  # less than 70 % of an effect below zero: biased by more than three tenths
    assert not ours["q025"] < naive < ours["q975"]
    assert ours["q025"] < truth < ours["q975"]
    assert abs(ours["mean"] - truth) < 0.1 * abs(truth)


def counts(site, period, events, cases):
    return {"site": site, "period": period, "measure": "m", "numerator": float(events), "denominator": float(cases)}


def test_the_worked_example_of_two_years_is_1_6_points():
    """Complications 13.1 to 10.5 % in the programme against 12.5 to 11.5 % elsewhere: −1.6 points.

    On the model's scale, log-odds, the difference in differences is −1.559, so one decimal needs draws enough: with
    4,000 effective ones the Monte Carlo error is 0.005.
    """
    precise = {"seed": 1, "draws": 1000, "chains": 4, "minimum_ess": 4000}
    params = params_of("binomial", periods={"length": "year"}, sampling=precise)
    rows = [counts(f"S{j}", year, events, 1000) for j in range(40) for year, events in (("2023", 131), ("2024", 105))]
    outside = [
        counts(f"C{j}", year, events, 1000) for j in range(40) for year, events in (("2023", 125), ("2024", 115))
    ]
    sites = pd.DataFrame({"site": [f"S{j}" for j in range(40)], "joined": pd.Timestamp("2024-01-01")})
    comparators = pd.DataFrame(outside).rename(columns={"site": "unit"})
    found = estimate(params, panel.build(params, sites, pd.DataFrame(rows)), sites, comparators)
    effect = summary(found)
    by_hand = 10.5 - 100 * expit(logit(0.131) + logit(0.115) - logit(0.125))
    monte_carlo_error = effect.loc["effect", "sd"] / np.sqrt(effect.loc["effect", "ess_bulk"])
    assert effect.loc["effect", "mean"] == pytest.approx(by_hand, abs=4 * monte_carlo_error)
    assert round(effect.loc["effect", "mean"], 1) == -1.6
    assert effect.loc["effect", "q975"] < 0
    assert effect.loc["rate_with", "mean"] == pytest.approx(10.5)
    assert effect.loc["events_avoided", "mean"] == pytest.approx(-400 * effect.loc["effect", "mean"])
    assert word(found) == "better"
    assert word(found, "pre_trend") == "not_seen"  # one year before joining shows no course


@pytest.mark.parametrize("family", ["binomial", "poisson", "normal"])
def test_a_known_effect_is_found_and_adds_up(family):
    made = world(11, family, effect=lambda event_time, joined: -0.6, **SHORT)
    found = estimated(made)
    effect = summary(found)
    assert word(found) == "better"
    assert effect.loc["effect", "q025"] < true_effect(made) < effect.loc["effect", "q975"]
    per = 1 if family == "normal" else 100
    cases = float(found.basis["cases"].iloc[0])
    assert effect.loc["events_avoided", "mean"] == pytest.approx(-effect.loc["effect", "mean"] * cases / per)
    by_time = found.event_time[found.event_time["estimand"].eq("effect")]
    assert (by_time["mean"] * by_time["cases"]).sum() / cases == pytest.approx(effect.loc["effect", "mean"])
    assert found.draws["events_avoided"].mean() == pytest.approx(effect.loc["events_avoided", "mean"])
    assert set(found.draws["treated_cases"]) == {cases}
    wrong = -true_effect(made)  # the interval can miss
    assert not effect.loc["effect", "q025"] < wrong < effect.loc["effect", "q975"]


def test_more_is_better_where_params_say_so():
    made = world(11, "normal", effect=lambda event_time, joined: -0.6, **SHORT)
    turned = made.params.measures["m"].model_copy(update={"better": "higher"})
    params = made.params.model_copy(update={"measures": {"m": turned}})
    assert word(estimate(params, made.panel, made.sites, made.comparators)) == "worse"


def about(middle, sd=1.0):
    """Draws of a normal number."""
    return middle + sd * np.random.default_rng(1).standard_normal(4000)


STEADY = {"slope": about(0.0), "carried": about(0.0), "tail": 0.5}


@pytest.mark.parametrize(
    ("given", "effect", "before"),
    [
        ({"gain": about(3.0)}, "better", "not_seen"),
        ({"gain": about(-3.0), **STEADY}, "worse", "unclear"),
        ({"gain": about(1.0), **STEADY}, "unclear", "unclear"),
        ({"gain": about(0.0), "minimal": 3.0, **STEADY}, "close", "parallel"),
        ({"gain": about(0.0), "minimal": 1.0, **STEADY}, "unclear", "unclear"),
        ({"gain": about(9.0), **STEADY, "slope": about(3.0)}, "in_doubt", "diverging"),
        ({"gain": about(9.0), **STEADY, "tail": 0.02}, "in_doubt", "diverging"),
    ],
)
def test_words_follow_their_rules(given, effect, before):
    said = judged(Judged(**given), Rules()).set_index("slot")["statement"]
    assert (said["effect"], said["pre_trend"]) == (effect, before)


@pytest.fixture(scope="module")
def found():
    """Both fits of a small world."""
    made = world(11, "normal", effect=lambda event_time, joined: -0.6, **SHORT)
    return fit_both(made.params, "m", laid_out(made), lambda message: None)


def test_draws_that_fail_their_gates_have_no_word_but_that(found):
    said = judged(Judged(gain=about(9.0), failed="R-hat 1.20, above 1.01", **STEADY), Rules())
    assert list(said["statement"]) == ["not_reliable"]
    rows = pd.DataFrame(
        {"sd": [1.0, 0.0], "rhat": [np.nan] * 2, "ess_bulk": [800.0, np.nan], "ess_tail": [500.0, np.nan]}
    )
    assert failing(found, rows) == ""
    assert "R-hat 1.02" in failing(found, rows.assign(rhat=[1.02, np.nan]))
    assert "399 effective" in failing(found, rows.assign(ess_tail=[399.0, np.nan]))
    diverged = replace(found, leading=replace(found.leading, attributes={"divergences": 3}))
    assert "3 divergent" in failing(diverged, rows)


def test_both_fits_say_which_engine_made_them_and_why(found):
    sampled = replace(found.leading, attributes={"engine": "nuts", "engine_reason": "it must"})
    assert _engines(replace(found, leading=sampled)) == {
        "engine": "laplace", "engine_reason": "its own check passed", "leads_engine": "nuts",
        "leads_engine_reason": "it must",
    }  # fmt: skip
    assert set(_engines(None).values()) == {""}


def test_joiners_who_were_on_another_course_before_are_not_credited_with_it():
    made = world(6, "normal", effect=lambda event_time, joined: 0.0, pre_trend=-0.2, joining=(8,), cases=400)
    found = estimated(made)
    assert summary(found).loc["effect", "q975"] < 0  # it looks like an effect
    assert word(found, "pre_trend") == "diverging"
    assert word(found) == "in_doubt"
    beyond = summary(found).loc["effect_beyond_pre_trend"]
    assert beyond["q025"] < 0 < beyond["q975"]
    assert summary(found).loc["pre_trend", "mean"] == pytest.approx(-0.2, abs=0.1)


def test_slope_of_leads_is_that_of_generalised_least_squares():
    random, times = np.random.default_rng(3), np.array([-4, -3, -2])
    levels = random.normal(0, 0.1, (4, 200_000)) + 0.3 * np.array([-4, -3, -2, -1])[:, None]  # at −4 … −1
    slopes = slope_of(times, levels[:-1] - levels[-1], -1, 1.0)
    line = np.polynomial.polynomial.polyfit([-4, -3, -2, -1], levels, 1)[1]  # ordinary, of independent levels
    np.testing.assert_allclose(slopes, line, atol=0.01)


def test_leads_that_are_all_noise_have_a_joint_tail_that_says_so():
    random = np.random.default_rng(4)
    noise = random.multivariate_normal([0.1, -0.1], 0.04 * np.eye(2), 50_000).T
    assert joint_tail(noise) == pytest.approx(np.exp(-0.25), abs=0.02)  # χ² with 2 degrees of freedom at 0.5
    assert joint_tail(noise + np.array([[0.9], [0.0]])) < 0.001


@pytest.mark.slow
def test_both_engines_agree():
    made = world(6, "binomial")
    rows = laid_out(made).untreated
    found = {}
    for engine in ("laplace", "nuts"):
        settings = made.params.model.model_copy(update={"engine": engine})
        sampling = made.params.sampling.model_copy(update={"draws": 1000, "chains": 4, "minimum_ess": 800})
        params = made.params.model_copy(update={"model": settings, "sampling": sampling})
        found[engine] = fit_untreated(rows, "m", params, True, lambda each: each.values("lead").T, lambda message: None)
        assert found[engine].attributes["engine"] == engine
    for name in ("intercept", "wave", "lead", "trend", "site_level", "trajectory_sd", "overdispersion_sd", "site_sd"):
        ours, theirs = (each.values(name) for each in found.values())
        away = np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) / theirs.std(axis=0)
        assert np.max(away) < 0.25, name
        ratio = ours.std(axis=0) / theirs.std(axis=0)
        assert 0.75 < np.min(ratio) <= np.max(ratio) < 1.33, name


def share_within(successes, of, share):
    """Whether a count is one that a share of so many would give, by its central 99.8 %."""
    from scipy.stats import binom

    return binom.ppf(0.001, of, share) <= successes <= binom.ppf(0.999, of, share)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["binomial", "poisson", "normal"])
@pytest.mark.parametrize("effect", [0.0, -0.3])
def test_intervals_cover_and_nothing_is_found_where_there_is_nothing(family, effect):
    """60 worlds: 95 % intervals hold the truth as often as they say; without effect a word is as rare as by chance.

    `better` and `worse` together have 5 % by the rule; a trend before joining takes some of them away.
    """
    count, covered, named = 60, 0, 0
    for seed in range(count):
        made = world(1000 + seed, family, effect=lambda event_time, joined: effect)
        found = estimated(made)
        interval = summary(found).loc["effect"]
        covered += int(interval["q025"] < true_effect(made) < interval["q975"])
        named += int(word(found) in ("better", "worse"))
    assert share_within(covered, count, 0.95)
    if effect == 0.0:
        assert named <= 8  # of 60 at 5 %: exceeded once in 200 times
    else:
        assert named > 30

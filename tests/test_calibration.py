"""The engines are calibrated: truth drawn from the priors lies anywhere among their draws (docs/calibration.md)."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from calibration import control, control_page, rank_page, rank_tables, ranks, spreads, studies, worlds
from calibration.forms import FAMILIES, FORMS, PER_YEAR, Form, world
from calibration.replicates import Store
from calibration.uniform import curve, strays
from collabeval.laplace.engine import fit as fast_fit
from collabeval.params import Sampling

SAMPLING = Sampling(seed=0, chains=2, draws=100, minimum_ess=400)


def test_the_band_holds_uniform_places_and_no_others():
    """Of 200 uniform samples 95 % stay within their band; places that crowd together or lean to one side do not."""
    random = np.random.default_rng(2)
    inside = [curve(random.random(60)).p_value >= 0.05 for _ in range(200)]
    assert 0.90 <= np.mean(inside) <= 0.99
    assert curve(0.5 + 0.5 * (random.random(300) - 0.5)).p_value < 0.001
    assert curve(random.beta(1.6, 1.0, 300)).p_value < 0.001
    found = curve(random.random(300))
    within = np.all((found.low <= found.difference) & (found.difference <= found.high))
    assert within == (found.p_value >= 0.05)


def test_worlds_are_drawn_from_the_priors():
    """Parameters have the priors' moments; effects have the parameters' spreads and correlation."""
    rows, design, _ = world("binomial", FORMS["full"], 1, 0)
    random = np.random.default_rng(4)
    drawn = [worlds.parameters(design, random) for _ in range(4000)]
    assert np.mean([values["site_sd"] for values in drawn]) == pytest.approx(0.5 * np.sqrt(2 / np.pi), abs=0.015)
    assert np.std([values["intercept"] for values in drawn]) == pytest.approx(1.0, abs=0.04)
    assert np.std([values["site_correlation"] for values in drawn]) == pytest.approx(np.sqrt(1 / 5), abs=0.02)
    given = drawn[0] | {"site_sd": 0.4, "trajectory_sd": 0.2, "site_correlation": 0.6, "trend_sd": 0.3}
    worlds_drawn = [worlds.effects(design, given, random) for _ in range(400)]
    level = np.concatenate([world["site_level"].to_numpy().ravel() for world in worlds_drawn])
    slope = np.concatenate([world["site_slope"].to_numpy().ravel() for world in worlds_drawn])
    steps = np.concatenate([np.diff(world["trend"].to_numpy().ravel()) for world in worlds_drawn])
    assert level.std() == pytest.approx(0.4, abs=0.02)
    assert slope.std() == pytest.approx(0.2, abs=0.01)
    assert np.corrcoef(level, slope)[0, 1] == pytest.approx(0.6, abs=0.04)
    assert steps.std() == pytest.approx(0.3 * np.sqrt(1 / PER_YEAR), abs=0.015)
    assert len(rows) == 50


def test_covariates_are_drawn_from_their_prior_and_explain_the_levels():
    """Without a spread of their own, sites lie where their covariates put them; what is adjusted for stays out."""
    _, design, _ = world("binomial", FORMS["covariates"], 1, 0)
    assert design.covariates.names == ["beds", "teaching: yes", "volume"]
    assert list(design.covariates.adjusted) == [False, True, False]
    random = np.random.default_rng(4)
    given = worlds.parameters(design, random) | {"site_sd": 0.0}
    drawn = [worlds.effects(design, given, random) for _ in range(1000)]
    found = np.array([each["covariates"].to_numpy().ravel() for each in drawn])
    np.testing.assert_allclose(found.std(axis=0), 1.0, atol=0.07)
    once = np.flatnonzero(~pd.Series(design.site_index).duplicated())
    beds, _, volume = design.covariates.values[once].T
    level = drawn[0]["site_level"].to_numpy().ravel()
    np.testing.assert_allclose(level, found[0, 0] * beds + found[0, 2] * volume)


def test_student_sites_have_their_distribution_and_freedom_its_prior():
    _, design, _ = world("binomial", FORMS["student"], 1, 0)
    random = np.random.default_rng(4)
    freedom = np.array([worlds.parameters(design, random)["degrees_of_freedom"] for _ in range(4000)])
    prior = stats.gamma(2, scale=10)
    assert stats.kstest(freedom, lambda x: (prior.cdf(x) - prior.cdf(2)) / prior.sf(2)).pvalue > 0.001
    given = worlds.parameters(design, random) | {"site_sd": 0.3, "degrees_of_freedom": 3.0, "site_correlation": 0.6}
    drawn = [worlds.effects(design, given | {"trajectory_sd": 0.2}, random) for _ in range(1000)]
    level, slope = (np.concatenate([each[name].to_numpy().ravel() for each in drawn])
                    for name in ("site_level", "site_slope"))  # fmt: skip
    assert stats.kstest(level / 0.3, stats.t(3).cdf).pvalue > 0.001
    assert stats.kstest(level / 0.3, stats.norm.cdf).pvalue < 1e-6
    own = slope - 0.2 * 0.6 * level / (0.3 * np.sqrt(3))  # the part of a slope that its level does not explain
    assert own.std() == pytest.approx(0.2 * 0.8, abs=0.005)


NEW = {
    "linear": {"trend_slope"},
    "covariates": {"covariate beds", "covariate teaching: yes", "covariate volume"},
    "expected": {"covariate case_mix", "covariate volume"},
    "within": {"covariate share", "covariate share: mean of the site"},
}


@pytest.mark.parametrize("study", [study for study in studies.STUDIES if study.form.name in NEW
                                   and study.engine == "laplace"], ids=lambda study: study.name)  # fmt: skip
def test_a_world_of_every_form_is_fitted_and_ranked(study):
    row = ranks.replicate(study.family, study.form, 3, 0, "laplace", SAMPLING)
    assert row["failure"] == ""
    found = {name: row[name] for name in row if name not in rank_tables.SAID}
    assert {"site_sd", "site_level", "window_effect", "log_likelihood"} | NEW[study.form.name] <= set(found)
    assert ("trend" in found) == (study.form.name != "linear")  # a multiple of the slope, which is ranked
    assert all(0 < place < 1 for place in found.values())
    rows, design, _ = world(study.family, study.form, 3, 0)
    assert design.has_expected == study.form.expected
    if study.form.expected:
        assert (rows["expected"] < rows["denominator"]).all()
        assert design.settings.priors.intercept is None


def test_students_are_fitted_by_nuts_with_their_own_model(monkeypatch):
    """What goes to `fit.sample` is the world's own model; its draws are ranked, freedom and all."""
    truth = world("poisson", FORMS["student"], 3, 0)[2]
    seen = []

    def sample(rows, name, asked):
        seen.append((asked.model.engine, asked.model.site_effects, asked.sampling.seed, len(rows)))
        posterior = truth.isel(draw=[0] * 9).assign_coords(draw=range(9))
        posterior = posterior.assign(degrees_of_freedom=posterior["degrees_of_freedom"] + xr.DataArray(
            np.arange(-4, 5) - 0.5, dims="draw"))  # fmt: skip
        return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": xr.Dataset({"diverging": ("draw", [1])})})

    monkeypatch.setattr(ranks.fit_module, "sample", sample)
    row = ranks.replicate("poisson", FORMS["student"], 3, 0, "nuts", SAMPLING)
    assert seen == [("nuts", "student_t", 0, 60)]
    assert 0.5 <= row["degrees_of_freedom"] < 0.6  # five of nine draws below it
    assert row["failure"] == "1 divergences"
    assert list(rank_tables.kinds(pd.DataFrame([row]))) == ["diverged"]


def test_every_form_has_a_study_of_each_engine_that_can_fit_it():
    """Student-t sites by NUTS alone; each study its own file; worlds of two forms have different random numbers."""
    names = [study.name for study in studies.STUDIES]
    assert len(set(names)) == len(names)
    by_engine = {engine: {(study.form.name, study.family) for study in studies.STUDIES if study.engine == engine}
                 for engine in studies.GOAL}  # fmt: skip
    assert by_engine["nuts"] - by_engine["laplace"] == {("student", family) for family in FAMILIES}
    streams = [(form.sites, form.periods, form.stream) for form in FORMS.values()]
    assert len(set(streams)) == len(streams)


def made_up(places):
    """A study's table with these places of two quantities."""
    return pd.DataFrame({"replicate": range(len(places)), "failure": "", "site_sd": places, "log_likelihood": places})


def test_a_set_of_ranks_that_is_wrong_is_named_on_the_page_and_one_that_is_right_is_not():
    random = np.random.default_rng(7)
    right, wrong = random.random(300), 0.5 + 0.5 * (random.random(300) - 0.5)
    table = made_up(right).assign(site_sd=wrong)
    study = studies.STUDIES[0]
    said = strays(rank_page.named({study: rank_tables.curves_of(table)}))
    assert said["below"] == f"{study.title}: `site_sd`."
    assert strays(rank_page.named({study: rank_tables.curves_of(made_up(right))}))["below"] == "none."
    assert rank_tables.curves_of(table.head(rank_tables.FEWEST - 1)) == {}


def test_the_page_says_how_many_replicates_there_are_where_there_are_few_or_none(tmp_path):
    store = Store(tmp_path / "work", tmp_path / "results")
    for folder in (store.work, store.results, tmp_path / "docs" / "pictures"):
        folder.mkdir(parents=True)
    few, enough = studies.chosen(["linear"], ["binomial", "poisson"], "laplace")
    places = np.random.default_rng(3).random(30)
    for number, place in enumerate(places):
        store.add(enough.name, made_up([place]).assign(replicate=number).iloc[0].to_dict())
    store.keep(few.name, made_up(places[:4]))
    rank_page.write(store, tmp_path / "docs")
    text = (tmp_path / "docs" / "calibration.md").read_text(encoding="utf-8")
    assert "| poisson, linear trend | 30 | 30 | 30 | 0 |" in text
    assert "| binomial, linear trend | 4 | 4 | 4 | 0 |" in text
    assert "| normal, linear trend | 0 | – |" in text
    assert "| `site_sd` | – |" not in text.split("**Linear trend**")[1].split("**")[0]
    assert (tmp_path / "docs" / "pictures" / "calibration.svg").exists()


def test_replicates_made_here_come_before_those_that_were_kept(tmp_path):
    store = Store(tmp_path, tmp_path)
    assert store.table("s") is None
    store.keep("s", made_up([0.123456, 0.2]))
    store.add("s", {"replicate": 1, "failure": "", "site_sd": 0.7})
    store.add("s", {"replicate": 2, "failure": "", "site_sd": 0.8})
    found = store.table("s")
    assert list(found["replicate"]) == [0, 1, 2]
    assert list(found["site_sd"]) == pytest.approx([0.12346, 0.7, 0.8], abs=1e-9)


def test_rates_of_the_negative_control_are_those_worked_out_by_hand():
    """One false word of four worlds: 25 %, exact interval 0.63 to 80.6 %; mean 0.1, error √(0.26 / 3 / 4) = 0.147."""
    table = pd.DataFrame(
        {
            "effect": ["better", "unclear", "in_doubt", "unclear"],
            "pre_trend": ["unclear", "not_seen", "diverging", "parallel"],
            "mean": [0.1, -0.3, 0.2, 0.4],
            "q025": [0.05, -1.0, 0.1, -0.2],
            "q975": [0.3, 0.2, 0.4, 1.0],
            "engine": ["laplace", "nuts", "laplace", "laplace"],
            "leads_engine": ["laplace", "nuts", "nuts", "laplace"],
        }
    )
    of_one = "25.0 (0.6 to 80.6)"
    assert control_page.row("binomial", table) == [
        "binomial", "4", "1", of_one, "2", "50.0 (6.8 to 93.2)", "1", of_one, "0.100 (0.147)", "2",
    ]  # fmt: skip
    assert control_page.nominal() == pytest.approx(0.05)


def test_worlds_without_effect_are_others_in_each_family(monkeypatch):
    """Drawn alike, three families would be one piece of evidence. No world has an effect."""
    seen = []
    monkeypatch.setattr(control, "estimate", lambda params, rows, sites, comparators: seen.append(len(rows)))
    monkeypatch.setattr(control, "said", lambda found: {})
    made = []
    real = control.world
    monkeypatch.setattr(control, "world", lambda *given, **how: made.append(real(*given, **how)) or made[-1])
    for family in FAMILIES:
        assert control.replicate(family, 3)["replicate"] == 3
    assert seen == [18 * 12] * 3
    assert all((each.truth["with_programme"] == each.truth["without"]).all() for each in made)
    first = [float(each.truth["n"].iloc[:50].rank().corr(made[0].truth["n"].iloc[:50].rank())) for each in made[1:]]
    assert max(np.abs(first)) < 0.5


def test_what_an_estimate_without_effect_says_is_kept():
    found = SimpleNamespace(
        summary=pd.DataFrame({"estimand": ["rate_with", "effect"], "mean": [9.0, 0.1], "sd": [1.0, 0.2],
                              "q025": [8.0, -0.3], "q975": [10.0, 0.5]}),
        statements=pd.DataFrame({"slot": ["pre_trend", "effect"], "statement": ["diverging", "in_doubt"]}),
        basis=pd.DataFrame({"engine": ["laplace"], "leads_engine": ["nuts"]}),
    )  # fmt: skip
    assert control.said(found) == {
        "mean": 0.1, "sd": 0.2, "q025": -0.3, "q975": 0.5, "effect": "in_doubt", "pre_trend": "diverging",
        "engine": "laplace", "leads_engine": "nuts",
    }  # fmt: skip


@pytest.mark.slow
def test_means_by_nuts_in_a_unit_of_one_agree_with_the_fast_engine():
    """The same model in both: were the unit that of the data, priors and effects would be a third of it off."""
    rows, design, _ = world("normal", FORMS["full"], 5, 1)
    assert design.scale == 1.0
    sampling = Sampling(seed=1, chains=2, draws=1000, minimum_ess=800)
    ours, theirs = (ranks.ENGINES[engine](rows, design, "normal", sampling)[0] for engine in ("laplace", "nuts"))
    for name in ("site_sd", "residual_sd_typical", "overdispersion_sd", "intercept"):
        away = abs(float(ours[name].mean() - theirs[name].mean())) / float(theirs[name].std())
        assert away < 0.2, name


@pytest.mark.slow
def test_the_fast_engine_is_calibrated():
    """Sixty worlds of twelve sites: every quantity's places are uniform; those of draws that are too narrow are not."""
    form = Form("level", 12, 1)
    found = [ranks.replicate("normal", form, 11, number, "laplace", SAMPLING) for number in range(60)]
    assert not [row["failure"] for row in found if row["failure"]]
    names = [name for name in found[0] if name not in {"replicate", "failure", "seconds", "pareto_k", "site_share"}]
    assert {"site_sd", "intercept", "site_level", "window_effect", "log_likelihood"} <= set(names)
    for name in names:
        places = np.array([row[name] for row in found])
        assert curve(places).p_value > 0.05 / 10 / len(names), name
    # draws with 40 % of their spread put the truth at the ends
    squeezed = np.clip(0.5 + 2.5 * (np.array([row["site_level"] for row in found]) - 0.5), 0, 1)
    assert curve(squeezed).p_value < 0.05 / 10 / len(names)


@pytest.mark.slow
def test_spreads_of_means_are_those_of_a_grid():
    """The engine beside brute force, on worlds whose means say next to nothing of the sites' sds: one period each."""
    sampling = Sampling(seed=0, chains=2, draws=1000, minimum_ess=2000)
    for number in range(8):
        _, design, truth = world("normal", FORMS["level"], 5, number)
        posterior = fast_fit(design, sampling, lambda message: None).posterior
        for name, place in spreads.places(design, truth).items():
            # 2,000 draws: a standard error of 0.011 at most
            assert float((posterior[name] < truth[name].item()).mean()) == pytest.approx(place, abs=0.045)

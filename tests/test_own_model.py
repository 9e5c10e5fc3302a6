"""A model of one's own: held to the names and the linear predictor of results; the same model, the same words."""

import numpy as np
import pytest

import own_models
from collabeval import estimates, fit, params_file
from collabeval.convergence import convergence
from collabeval.errors import ParamsError, UsageError
from collabeval.models.design import read_design
from collabeval.models.families import own
from collabeval.params import Model
from fitting import QUICK, infant_panel, params_for

PLAIN = {"trend": "none", "trajectory": False, "overdispersion": False}


def own_params(path, **sampling):
    return params_for(model={**PLAIN, "engine": "auto", "functions": {"m": f"{path}:build"}}, **sampling)


@pytest.mark.parametrize("broken", own_models.BROKEN)
def test_a_broken_model_is_refused_in_plain_words(tmp_path, broken):
    old, new, said = own_models.BROKEN[broken]
    path = own_models.write(tmp_path, old, new)
    with pytest.raises(ParamsError) as caught:
        fit.sample(infant_panel(), "m", own_params(path))
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_the_built_in_models_pass_the_checks_that_ones_own_must_pass(tmp_path):
    panel = infant_panel()
    path = tmp_path / "built_in.py"
    path.write_text(
        "from collabeval.models.families import MODELS\n"
        "def build(panel, settings):\n    return MODELS['binomial'](panel, settings)\n"
    )
    settings = Model(**PLAIN)
    model = own.build(f"{path}:build", panel, settings, read_design(panel, "binomial", settings))
    assert {"intercept", "site_level", "site_sd"} <= set(own.kept(model))


@pytest.fixture(scope="module")
def fits(tmp_path_factory):
    """The infants' surgery by the built-in model and by the same written anew."""
    path = own_models.write(tmp_path_factory.mktemp("own"))
    sampling = {"draws": 1000, "tune": 500, "chains": 4, "minimum_ess": 1}
    built_in = params_for(model=PLAIN, **sampling)
    return {
        "built_in": (built_in, fit.sample(infant_panel(), "m", built_in)),
        "own": (own_params(path, **sampling), fit.sample(infant_panel(), "m", own_params(path, **sampling))),
    }


def test_the_same_model_written_anew_gives_the_same_words(fits):
    """But for words within Monte Carlo error of a threshold, which `otherwise` lists."""
    tables = {}
    for name, (params, tree) in fits.items():
        said = estimates.evaluate_sites(params, infant_panel(), {"m": tree}).statements
        tables[name] = said.set_index(["site", "slot"])
    ours, theirs = tables["built_in"], tables["own"]
    may = ours["otherwise"].str.split("; ")
    differ = ours.index[ours["statement"] != theirs["statement"]]
    assert all(theirs.loc[key, "statement"] in may[key] for key in differ)
    assert (ours["statement"] != "unclear").any()
    level = {
        name: tree["posterior"]["site_level"].mean(("chain", "draw")).to_numpy() for name, (_, tree) in fits.items()
    }
    assert level["own"] == pytest.approx(level["built_in"], abs=0.03)


def test_it_is_sampled_by_nuts_and_the_draws_say_so(fits):
    tree = fits["own"][1]
    assert tree.attrs["engine"] == "nuts"
    assert tree.attrs["model"] == "own.py:build"
    assert "own.py:build is a model of your own" in tree.attrs["engine_reason"]
    draws = tree["posterior"]["site_sd"].to_numpy()[None]
    assert convergence(draws).rhat[0] < 1.05


def test_its_log_prior_is_its_own(fits):
    """HalfNormal(0.5) and Normal(·, 1.5) are those of the built-in model, whose densities are written out in numpy."""
    _, tree = fits["own"]
    prior, values = tree["log_prior"], tree["posterior"]
    assert set(prior.data_vars) == {"intercept", "site_sd"}
    gap = prior["site_sd"] + 0.5 * (values["site_sd"] / 0.5) ** 2
    assert float(np.ptp(gap.to_numpy())) < 1e-9


def test_the_fast_engine_refuses_it(tmp_path):
    params = own_params(own_models.write(tmp_path))
    asked = params.fitted_by(params.model.model_copy(update={"engine": "laplace"}))
    with pytest.raises(UsageError, match="only NUTS can fit"):
        fit.sample(infant_panel(), "m", asked)


def test_a_further_variable_is_kept(tmp_path):
    path = own_models.write(
        tmp_path, '"site_sd", 0.5)', '"site_sd", 0.5); pm.Normal("volume_effect"); pm.Normal("z_raw")'
    )
    posterior = fit.sample(infant_panel(), "m", own_params(path, **QUICK))["posterior"]
    assert "volume_effect" in posterior
    assert "z_raw" not in posterior


PARAMS = """
collaborative: c
title: t
edition: "1"
data: {{sites: s.csv, outcomes: o.csv}}
measures: {{m: {{label: M, family: binomial, better: lower}}}}
sampling: {{seed: 1}}
model:
  functions:
    {measure}: {function}
"""


@pytest.mark.parametrize(
    ("measure", "function", "said"),
    [
        ("m", "gone.py:build", "there is no such file"),
        ("m", "own.py:other", "has no function other at its top level → it has build"),
        ("m", "own.py:one", "one takes (panel)"),
        ("m", "bad.py:build", "is not Python: line 1"),
        ("m", "own.py", "names no file and function"),
        ("n", "own.py:build", "is not one of the measures → the measures are m"),
    ],
)
def test_a_function_that_cannot_be_called_is_told_with_its_line_before_anything_runs(
    tmp_path, monkeypatch, measure, function, said
):
    monkeypatch.chdir(tmp_path)
    path = own_models.write(tmp_path)
    path.write_text(path.read_text() + "\ndef one(panel):\n    pass\n")
    (tmp_path / "bad.py").write_text("def build(:\n")
    (tmp_path / "p.yml").write_text(PARAMS.format(measure=measure, function=function))
    with pytest.raises(ParamsError) as caught:
        params_file.load(tmp_path / "p.yml")
    assert said in str(caught.value)
    assert "p.yml:10" in str(caught.value) or "p.yml:9" in str(caught.value)


def test_the_path_counts_from_the_working_folder_and_is_resolved(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = own_models.write(tmp_path)
    (tmp_path / "p.yml").write_text(PARAMS.format(measure="m", function="own.py:build"))
    assert params_file.load(tmp_path / "p.yml").model.functions == {"m": f"{path}:build"}


def test_an_alternative_takes_over_what_it_leaves_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own_models.write(tmp_path)
    block = (
        "  trend: linear\n  priors: {site_sd: {dist: HalfNormal, sigma: 2.0}}\n"
        "compare:\n  flat: {trend: none, functions: {m: ''}}\n"
        "  wide: {priors: {intercept: {dist: Normal, mu: 0, sigma: 9}}}\n"
    )
    (tmp_path / "p.yml").write_text(PARAMS.format(measure="m", function="own.py:build") + block)
    params = params_file.load(tmp_path / "p.yml", ["compare.wide.trajectory=false"])
    flat, wide = params.compare["flat"], params.compare["wide"]
    assert (flat.trend, wide.trend) == ("none", "linear")
    assert (flat.functions, wide.functions) == ({"m": ""}, params.model.functions)
    assert wide.priors.site_sd == params.model.priors.site_sd
    assert wide.priors.intercept.sigma == 9
    assert not wide.trajectory

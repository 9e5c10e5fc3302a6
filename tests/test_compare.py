"""Several models of the same data: leave-one-out, the words that change, the grid, and what a report shows of them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from arviz_stats import loo
from scipy import integrate, stats
from scipy.special import expit

import fake_run
import own_models
from collabeval import estimates, fit, sections
from collabeval.comparison.basis import basis
from collabeval.comparison.changes import changes
from collabeval.comparison.compare import compare_measure
from collabeval.comparison.elpd import constants, leave_one_out, ranked
from collabeval.comparison.fits import fit_alternative
from collabeval.comparison.names import alternatives, draws_name
from collabeval.diagnostics.influence import integrated_log_likelihood
from collabeval.disclosure import Compared, publish_changes
from collabeval.errors import ParamsError, UsageError
from collabeval.models.log_prior import FROM_SD, LOG_DENSITY
from collabeval.params import PARAMS_MODEL, Model, Params, Prior
from collabeval.params.grid import grid, scaled, with_grid
from collabeval.pipeline import CompareRequest, Request
from collabeval.statements import alternatives as said
from draws_for_tests import SIZE, Draws, panel_of, spread
from fake_run import Fake
from fitting import infant_panel, params_for, small_panel
from small_project import ROOT

PLAIN = {"trend": "none", "trajectory": False, "overdispersion": False}
TIGHT = {"priors": {"site_sd": {"dist": "HalfNormal", "sigma": 0.03}}}


def comparing(model, compare, **sampling):
    """Params of measure `m` with other models, each whole, as `params_file.load` leaves them."""
    params = params_for(model=model, **sampling)
    models = {name: params.model.with_changes(Model.model_validate(given)) for name, given in compare.items()}
    return params.model_copy(update={"compare": models})


@pytest.fixture(scope="module")
def infants():
    """The infants' surgery by the fast engine: its own model, the same again, and one that hardly lets sites differ."""
    params = comparing({**PLAIN, "engine": "laplace"}, {"same": {}, "tight": TIGHT}, draws=500, chains=4)
    panel = infant_panel()
    trees = {}
    for name in alternatives(params):
        trees |= fit_alternative(params, panel, name)[0]
    return params, panel, trees


@pytest.fixture(scope="module")
def compared(infants):
    params, panel, trees = infants
    return compare_measure(params, panel, "m", lambda name, measure: trees[draws_name(name, measure)])


def test_the_sites_whose_word_changes_are_listed_from_and_to(infants, compared):
    params, panel, trees = infants
    words = {
        name: estimates.evaluate_words(params, panel, {"m": trees[draws_name(name, "m")]})
        for name in ("params", "tight")
    }
    now, then = (table.set_index(["site", "slot"])["statement"] for table in words.values())
    differ = now.index[now != then]
    listed = compared[1]
    assert set(listed["alternative"]) == {"tight"}
    assert set(zip(listed["site"], listed["slot"], strict=True)) == set(differ)
    worst = listed[(listed["site"] == "H") & (listed["slot"] == "level")].iloc[0]  # 31 deaths of 215
    assert (worst["now"], worst["chance"]) == ("worse", False)
    assert worst["then"] == then[("H", "level")] != "worse"


def test_a_model_that_predicts_worse_is_told_with_its_engine_and_gates(compared):
    table = compared[0].set_index("alternative")
    assert list(table.index) == [PARAMS_MODEL, "same", "tight"]
    assert table.loc[PARAMS_MODEL, "elpd_difference"] == 0
    assert table.loc["same", "elpd_difference"] == 0
    assert table.loc["tight", "elpd_difference"] < -2
    assert table["weight"].sum() == pytest.approx(1, abs=1e-6)
    assert table.loc["tight", "weight"] < 0.2
    assert set(table["engine"]) == {"laplace"}
    assert {check.check for check in compared[2]} >= {"pareto_k", "ess_bulk", "not_a_number"}
    assert {check.model for check in compared[2]} == {"params@m", "same@m", "tight@m"}


def test_leave_one_out_is_arvizs_where_no_row_stands_alone():
    """Eight sites with four rows each, no effects of cells: nothing is integrated out."""
    params, panel = params_for(model={**PLAIN, "engine": "laplace"}, draws=400, chains=4), small_panel()
    tree = fit.sample(panel, "m", params)
    ours, theirs = leave_one_out(params, "m", panel, tree), loo(tree, pointwise=True, reff=1.0)
    assert ours.elpd == pytest.approx(theirs.elpd, abs=1e-3)
    assert ours.se == pytest.approx(theirs.se, abs=1e-3)
    assert ours.pareto_k.to_numpy() == pytest.approx(theirs.pareto_k.to_numpy(), abs=0.02)


def test_differences_are_sums_over_rows():
    """se = √(N var(difference of each row)) (Vehtari, Gelman & Gabry 2017, eq. 24)."""
    random = np.random.default_rng(0)
    draws = {name: random.normal(-2 - shift, 0.1, (1, 800, 50)) for name, shift in (("params", 0.0), ("other", 0.3))}
    draws["other"][..., :10] -= 1.0
    found = {
        name: loo(xr.DataTree.from_dict({"log_likelihood": xr.Dataset({"y": (("chain", "draw", "cell"), values)})}),
                  pointwise=True, reff=1.0)
        for name, values in draws.items()
    }  # fmt: skip
    row = ranked(found).set_index("alternative").loc["other"]
    each = (found["other"].elpd_i - found["params"].elpd_i).to_numpy()
    assert row["elpd_difference"] == pytest.approx(each.sum())
    assert row["elpd_difference"] == pytest.approx(-0.3 * 50 - 10, abs=0.5)
    assert row["difference_se"] == pytest.approx(np.sqrt(50) * each.std())


def test_a_model_that_leave_one_out_would_flatter_has_no_difference_and_no_weight(infants):
    """With the levels of single-row sites left as drawn, each row has drawn its own effect to itself."""
    params, panel, trees = infants
    tree = trees["params@m"]
    own = params.fitted_by(params.model.model_copy(update={"functions": {"m": "own.py:build"}}))
    found = {PARAMS_MODEL: leave_one_out(params, "m", panel, tree), "own": leave_one_out(own, "m", panel, tree)}
    table = ranked(found | {"same": found[PARAMS_MODEL]}).set_index("alternative")
    assert table.loc["own", "high_k"] > 2
    assert table.loc["own", "elpd"] > table.loc[PARAMS_MODEL, "elpd"] + 0.5
    assert table.loc["own", ["elpd_difference", "difference_se", "weight"]].isna().all()
    assert table["weight"].sum() == pytest.approx(1)


@pytest.mark.parametrize("freedom", [2.5, 6.0])
def test_a_student_t_level_of_a_site_with_one_row_is_integrated_out_exactly(freedom):
    events, cases = [3.0, 30.0, 14.0, 0.0], [90.0, 100.0, 60.0, 4.0]
    rows = [
        {"site": f"s{j}", "numerator": y, "denominator": n} for j, (y, n) in enumerate(zip(events, cases, strict=True))
    ]
    panel = panel_of(rows)
    spreads = {"site_sd": np.full(SIZE, 0.4), "degrees_of_freedom": np.full(SIZE, freedom)}
    tree = Draws(
        panel,
        intercept=np.full(SIZE, -1.8),
        level={f"s{j}": spread(0, 0.1, j) for j in range(4)},
        hyperparameters=spreads,
    ).tree()
    found = (integrated_log_likelihood("binomial", panel, tree) + constants("binomial", panel))[0]
    for j, (y, n) in enumerate(zip(events, cases, strict=True)):
        exact = integrate.quad(
            lambda x, y=y, n=n: stats.binom.pmf(y, n, expit(-1.8 + 0.4 * x)) * stats.t.pdf(x, freedom), -60, 60,
            points=[-8, -2, 0, 2, 8], limit=500, epsabs=0,
        )[0]  # fmt: skip
        assert found[j] == pytest.approx(np.log(exact), abs=2e-3)


def test_a_change_within_monte_carlo_error_is_marked():
    columns = ["measure", "site", "slot", "statement", "otherwise"]
    now = pd.DataFrame(
        [("m", "A", "level", "worse", "unclear"), ("m", "B", "level", "worse", ""), ("m", "C", "level", "close", "")],
        columns=columns,
    )
    then = now.assign(statement=["unclear", "unclear", "close"], otherwise=["", "", ""])
    found = changes("x", now, then)
    assert found[["site", "now", "then", "chance"]].to_numpy().tolist() == [
        ["A", "worse", "unclear", True],
        ["B", "worse", "unclear", False],
    ]
    assert changes("x", then, now)["chance"].tolist() == [True, False]


PRIORS = [
    Prior(on="sd", dist="HalfNormal", sigma=0.5), Prior(dist="HalfStudentT", nu=3, sigma=1),
    Prior(dist="HalfCauchy", beta=1),
    Prior(dist="Gamma", alpha=2, beta=3), Prior(dist="Exponential", lam=2), Prior(dist="LogNormal", mu=-1, sigma=1),
    Prior(dist="InverseGamma", alpha=2, beta=1), Prior(on="precision", dist="Gamma", alpha=0.1, beta=0.2),
    Prior(on="variance", dist="Gamma", alpha=2, beta=3), Prior(on="log_sd", dist="Normal", mu=-1, sigma=1),
    Prior(on="variance", dist="LogNormal", mu=-1, sigma=1), Prior(on="precision", dist="Exponential", lam=2),
]  # fmt: skip


@pytest.mark.parametrize("prior", PRIORS, ids=lambda prior: f"{prior.dist} on {prior.on}")
def test_a_doubled_prior_has_the_same_density_at_twice_the_sd_but_for_a_constant(prior):
    doubled, sd = scaled(prior, 2.0), np.array([0.1, 0.4, 1.0, 2.5])
    before = LOG_DENSITY[prior.dist](FROM_SD[prior.on](sd), prior.numbers)
    after = LOG_DENSITY[prior.dist](FROM_SD[prior.on](2 * sd), doubled.numbers)
    assert np.ptp(after - before) < 1e-12
    assert doubled != prior


def test_a_uniform_prior_is_stretched_and_one_without_a_stretched_form_is_left_out():
    stretched = scaled(Prior(dist="Uniform", lower=0, upper=1), 2.0)
    assert (stretched.lower, stretched.upper) == (0, 2)
    assert scaled(Prior(dist="Beta", alpha=1, beta=2), 2.0) is None
    assert scaled(Prior(on="log_sd", dist="HalfNormal", sigma=1), 2.0) is None


def test_the_grid_changes_one_thing_at_a_time():
    found = grid(Model(), over_time=True)
    assert set(found) == {
        "site_sd_halved", "site_sd_doubled", "trajectory_sd_halved", "trajectory_sd_doubled",
        "overdispersion_sd_halved",
        "overdispersion_sd_doubled", "site_effects_student_t", "trend_none", "trend_linear", "overdispersion_on",
        "overdispersion_off",
    }  # fmt: skip
    params = params_for(model={"engine": "nuts"})
    whole = with_grid(params.model_copy(update={"periods": params.periods.model_copy(update={"length": "year"})}))
    assert all(said.difference(whole, name).count(";") == 0 for name in whole.compare)
    assert all(model.engine == "auto" for model in (whole.model, *whole.compare.values()))
    assert set(grid(Model(**PLAIN), over_time=False)) == {"site_sd_halved", "site_sd_doubled", "site_effects_student_t"}
    assert "site_effects_normal" in grid(Model(site_effects="student_t"), over_time=False)


def test_what_a_model_has_otherwise_is_said_in_words():
    params = comparing(PLAIN, {"other": {**TIGHT, "trend": "linear", "functions": {"m": "a/own.py:build"}}})
    assert said.difference(params, "other") == (
        "trend of the collaborative: straight line, not none; prior of the differences between sites (standard "
        "deviation): HalfNormal(sigma = 0.03), not HalfNormal(sigma = 0.5); m: its own model (own.py:build)"
    )
    assert said.difference(comparing(PLAIN, {"same": {}}), "same") == "nothing"


def some_changes(sites, measure="death"):
    rows = [("trend_none", measure, site, "level", "worse", "unclear", False) for site in sites]
    columns = ["alternative", "measure", "site", "slot", "now", "then", "chance"]
    return pd.DataFrame(rows, columns=columns)


def test_sites_are_labelled_as_in_the_report_and_those_with_hidden_counts_not_named(tmp_path):
    fake = Fake(years=4, sites=12, cases=60, report={"sites": "coded", "minimum_cell": 11})
    run, params = fake_run.make(tmp_path, fake), fake_run.parameters(fake)
    sites, panel = run.read(run.sites), run.read(run.panel)
    one = some_changes(sites["site"])
    both = pd.concat([one, one.assign(alternative="trend_linear")], ignore_index=True)
    published = publish_changes(sites, panel, params, both)
    report = sections.open_report(str(tmp_path)).published
    shown = report.statements[report.statements["slot"].eq("level")]
    assert published.unnamed == shown["hidden"].sum() > 0
    compared = Compared(params, pd.DataFrame({"alternative": [PARAMS_MODEL, "trend_none", "trend_linear"]}), published)
    assert compared.changed() == compared.changed(["trend_none"]) == len(sites)
    assert set(published.changes["site"]) == set(shown[~shown["hidden"]]["site"])
    assert not set(published.changes["site"]) & set(sites["site"])


@pytest.fixture
def with_grid_run(tmp_path):
    """A finished run over time, and a grid of which one alternative, another trend, changes the words of two sites."""
    fake = Fake(years=4, sites=12, cases=300)
    run, params = fake_run.make(tmp_path, fake), fake_run.parameters(fake)
    panel = run.read(run.panel)
    names = list(alternatives(with_grid(params)))
    found = pd.DataFrame({"alternative": names, "measure": "death", "basis": basis(params, panel)})
    found["changed"] = np.where(found["alternative"] == "trend_none", 2, 0)
    folder = run.comparison("sensitivity")
    folder.write(found, folder.table("alternatives"))
    folder.write(some_changes(["H001", "H002"]), folder.table("changes"))
    return run


def chapters(run):
    report = sections.open_report(str(run.path))
    return sections.diagnostics(report).markdown, sections.limits(report).markdown


def test_the_report_shows_what_the_grid_found(with_grid_run):
    diagnostics, limits = chapters(with_grid_run)
    assert "Two words about two hospitals would be others under at least one of the 11 other models." in diagnostics
    assert re.search(
        r"Ashby General +\| level +\| worse than average → cannot be told apart +\| trend none", diagnostics
    )
    assert re.search(
        r"With another trend \(none and straight line\), 2 of \d+ words about hospitals would be others", limits
    )


def test_it_says_not_assessed_where_there_is_no_grid_or_one_of_other_data(with_grid_run):
    run = with_grid_run
    panel = run.read(run.panel)
    run.write(panel.assign(numerator=panel["numerator"] + (panel.index == 0)), run.panel)
    for text in chapters(run):
        assert "Not assessed" in text
        assert "would be others" not in text
    run.write(panel, run.panel)
    assert "would be others" in chapters(run)[0]
    run.comparison("sensitivity").table("changes").unlink()
    assert "Not assessed. `collabeval compare --sensitivity`" in chapters(run)[0]


def test_the_basis_is_of_data_model_and_rules_and_not_of_the_engine():
    params, panel = params_for(), infant_panel()
    known = basis(params, panel)
    assert basis(params.fitted_by(params.model.model_copy(update={"engine": "auto"})), panel) == known
    others = [
        params.fitted_by(params.model.model_copy(update={"trend": "none"})),
        params.model_copy(update={"rules": params.rules.model_copy(update={"level": 0.9})}),
    ]
    assert all(basis(other, panel) != known for other in others)


PROJECT = """
collaborative: c
title: t
edition: "1"
data: {sites: s.csv, outcomes: o.csv}
measures: {m: {label: M, family: binomial, better: lower}, k: {label: K, family: binomial, better: lower}}
sampling: {seed: 1}
compare:
  own: {functions: {m: own.py:build}}
  flat: {trend: none}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLLABEVAL_HOME", str(ROOT))
    own_models.write(tmp_path)
    (tmp_path / "p.yml").write_text(PROJECT, encoding="utf-8")
    for name in ("s.csv", "o.csv"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    return tmp_path


def keys(request):
    return {step.name: dict(step.keys) for step in request.evaluation(*request.load()).steps()}


def test_a_changed_file_of_ones_own_runs_the_fits_again_that_use_it_and_no_other(project):
    requests = {
        "compare": CompareRequest(Path("p.yml")),
        "run": Request(Path("p.yml"), ("model.functions={m: own.py:build}",)),
    }
    before = {kind: keys(request) for kind, request in requests.items()}
    path = project / "own.py"
    path.write_text(path.read_text() + "# another thought\n")
    changed = {
        (kind, step)
        for kind, request in requests.items()
        for step, found in keys(request).items()
        if found != before[kind][step]
    }
    assert changed == {("compare", "fit-own"), ("run", "fit-m")}


def test_a_comparison_lies_below_its_run_and_fits_every_model(project):
    request = CompareRequest(Path("p.yml"))
    params, run = request.load()
    assert run.path == project / "runs/c/1/compare/models"
    names = [step.name for step in request.evaluation(params, run).steps()]
    assert names == ["data", "fit-params", "fit-own", "fit-flat", "compare", "report", "render"]
    _, run = CompareRequest(Path("p.yml"), sensitivity=True).load()
    assert run.path == project / "runs/c/1/compare/sensitivity"


def test_nothing_to_compare_is_said_and_how_to_mend_it(project):
    (project / "p.yml").write_text(PROJECT.partition("compare:")[0], encoding="utf-8")
    with pytest.raises(UsageError, match="--sensitivity"):
        CompareRequest(Path("p.yml")).load()
    (project / "p.yml").write_text(PROJECT + "  params: {trend: none}\n", encoding="utf-8")
    with pytest.raises(ParamsError, match="a name of its own"):
        CompareRequest(Path("p.yml")).load()


def test_the_example_of_the_guide_for_statisticians_works(tmp_path):
    guide = (ROOT / "docs" / "statistician.md").read_text(encoding="utf-8")
    code = guide[guide.index("# my_models/volume.py") :].partition("```")[0]
    (tmp_path / "volume.py").write_text(code, encoding="utf-8")
    model = {**PLAIN, "functions": {"m": f"{tmp_path / 'volume.py'}:build"}}
    params = params_for(model=model, draws=300, tune=300, chains=2, minimum_ess=1)
    tree = fit.sample(infant_panel(), "m", params)
    assert tree.attrs["model"] == "volume.py:build"
    assert set(tree["log_prior"].data_vars) == {"intercept", "site_sd", "volume_effect"}
    assert len(estimates.evaluate_words(params, infant_panel(), {"m": tree}))
    found = ranked({PARAMS_MODEL: leave_one_out(params, "m", infant_panel(), tree)})
    assert np.isfinite(found["elpd"]).all()
    block = guide[guide.index("compare:\n  volume") :].partition("```")[0]
    assert {"volume:", "far_sites:", "wide:"} <= set(block.split())


def test_params_hold_every_model_whole():
    assert Params.model_fields["compare"].default_factory() == {}
    params = comparing({"trend": "linear"}, {"x": {"trajectory": False}})
    assert (params.compare["x"].trend, params.compare["x"].trajectory) == ("linear", False)

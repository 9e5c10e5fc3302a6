"""The models say what docs/methods.md says: by hand, under every option, whatever the order of rows."""

import numpy as np
import pandas as pd
import pymc as pm
import pytest
from pytensor.compile.mode import Mode
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from scipy import stats
from scipy.special import expit

from collabeval.models import terms
from collabeval.models.design import read_design
from collabeval.models.families import MODELS
from collabeval.models.forms import Forms, forms, pulls
from collabeval.params import Model
from models_by_hand import ByHand
from small_covariates import COVARIATES, with_covariates

AS_WRITTEN = Mode(linker="py", optimizer=RewriteDatabaseQuery(include=[]))  # nothing compiled, nothing rewritten


def panel_of(family, periods=5, sites=6, expected=False, se=False, seed=1):
    """A small panel with a gap in time (one period missing), a late joiner, and rows in no particular order."""
    random = np.random.default_rng(seed)
    rows = [
        (f"S{j}", str(2015 + t), float(t))
        for j in range(sites)
        for t in range(periods)
        if (periods == 1 or t != 2) and not (j == 0 and t < periods - 2)
    ]
    panel = pd.DataFrame(rows, columns=["site", "period", "time"]).sample(frac=1, random_state=seed, ignore_index=True)
    size = len(panel)
    if family == "normal":
        n = random.integers(8, 60, size).astype(float)
        given = {"se": random.uniform(0.2, 0.6, size)} if se else {"sd": random.uniform(1.5, 3, size), "n": n}
        return panel.assign(mean=random.normal(7, 1, size), weight=1.0 if se else n, **given)
    n = random.integers(20, 400, size).astype(float)
    panel = panel.assign(numerator=random.binomial(n.astype(int), 0.1).astype(float), denominator=n, weight=n)
    return panel.assign(expected=n * random.uniform(0.05, 0.15, size)) if expected else panel


def random_point(model, seed=0):
    random = np.random.default_rng(seed)
    start = model.initial_point(random_seed=0)
    return {name: value + random.normal(0, 0.3, value.shape) for name, value in start.items()}


def untransformed(model, point):
    """The values of the random variables themselves, by formula and not by PyMC's transforms."""
    values = {}
    for name, value in point.items():
        if name.endswith("_log__"):
            values[name.removesuffix("_log__")] = np.exp(value)
        elif name.endswith("_logodds__"):
            values[name.removesuffix("_logodds__")] = expit(value)
        elif name == "degrees_of_freedom_interval__":
            values["degrees_of_freedom"] = 2 + np.exp(value)
        elif name == "site_correlation_interval__":
            values["site_correlation"] = -0.5 + expit(value)
        else:
            assert not name.endswith("__"), name
            values[name] = value
    return values


BUGS = {
    "intercept": {"dist": "Normal", "mu": 0.0, "sigma": 1000.0},
    "site_sd": {"on": "precision", "dist": "Gamma", "alpha": 0.001, "beta": 0.001},
}
OTHERS = {
    "intercept": {"dist": "StudentT", "nu": 3.0, "mu": -2.0, "sigma": 1.0},
    "trend_sd": {"on": "variance", "dist": "InverseGamma", "alpha": 2.0, "beta": 0.1},
    "site_sd": {"on": "log_sd", "dist": "Normal", "mu": -1.0, "sigma": 0.5},
    "trajectory_sd": {"on": "sd", "dist": "Exponential", "lam": 8.0},
    "overdispersion_sd": {"dist": "HalfCauchy", "beta": 0.3},
    "site_correlation": {"dist": "Uniform", "lower": -0.5, "upper": 0.5},
}
SHIFTED = {"dist": "StudentT", "nu": 4.0, "mu": 0.2, "sigma": 0.5}
CASES = {
    "binomial": ("binomial", {}, {}),
    "binomial, non-centred": ("binomial", {}, {"parametrisation": "non_centred"}),
    "binomial, centred": ("binomial", {}, {"parametrisation": "centred"}),
    "binomial, one period": ("binomial", {"periods": 1}, {}),
    "binomial, one period, BUGS": ("binomial", {"periods": 1}, {"priors": BUGS}),
    "binomial, other priors": ("binomial", {}, {"priors": OTHERS, "overdispersion": True}),
    "binomial, expected": ("binomial", {"expected": True}, {}),
    "binomial, linear trend": ("binomial", {}, {"trend": "linear"}),
    "binomial, nothing over time": ("binomial", {}, {"trend": "none", "trajectory": False, "overdispersion": False}),
    "binomial, Student t": ("binomial", {}, {"site_effects": "student_t", "parametrisation": "centred"}),
    "binomial, Student t, non-centred": (
        "binomial", {}, {"site_effects": "student_t", "parametrisation": "non_centred", "overdispersion": True},
    ),
    "poisson": ("poisson", {}, {"overdispersion": True}),
    "poisson, expected": ("poisson", {"expected": True}, {"trend": "linear", "parametrisation": "non_centred"}),
    "binomial, covariates": ("binomial", {}, {"covariates": COVARIATES, "parametrisation": "non_centred"}),
    "binomial, covariates, centred": (
        "binomial", {"expected": True}, {"covariates": COVARIATES, "parametrisation": "centred"},
    ),
    "poisson, covariates, Student t": (
        "poisson", {}, {"covariates": COVARIATES, "site_effects": "student_t", "priors": {"covariates": SHIFTED}},
    ),
    "normal, covariates": ("normal", {}, {"covariates": COVARIATES, "overdispersion": True}),
    "normal": ("normal", {}, {}),
    "normal, centred": ("normal", {}, {"parametrisation": "centred", "overdispersion": True}),
    "normal, non-centred": ("normal", {}, {"parametrisation": "non_centred", "site_effects": "student_t"}),
    "normal, known standard errors": ("normal", {"se": True}, {"overdispersion": False}),
}  # fmt: skip


def check_against_hand(family, panel, settings, trend_centred):
    model = MODELS[family](panel, settings)
    logp = model.compile_logp(jacobian=False, mode=AS_WRITTEN)
    for seed in range(3):
        point = random_point(model, seed)
        by_hand = ByHand(panel, family, settings, untransformed(model, point), trend_centred).logp()
        assert logp(point) == pytest.approx(by_hand, rel=1e-8)


@pytest.mark.parametrize("case", CASES)
def test_the_log_density_is_the_one_worked_out_by_hand(case):
    family, shape, options = CASES[case]
    panel, settings = with_covariates(panel_of(family, **shape)), Model.model_validate(options)
    check_against_hand(family, panel, settings, forms(read_design(panel, family, settings)).trend)


@pytest.mark.parametrize("family", ["binomial", "poisson", "normal"])
def test_the_same_with_everything_centred(family, monkeypatch):
    monkeypatch.setattr(terms, "forms", lambda design: Forms(level=True, slope=True, trend=True, cells=True))
    check_against_hand(family, panel_of(family), Model(overdispersion=True), trend_centred=True)


def test_coordinates_of_a_centred_trend_are_a_rotation():
    basis = terms.mean_zero_basis(7)
    assert basis.T @ basis == pytest.approx(np.eye(6), abs=1e-12)
    assert basis.sum(axis=0) == pytest.approx(np.zeros(6), abs=1e-12)


@pytest.mark.parametrize("family", ["binomial", "poisson", "normal"])
def test_the_order_of_rows_does_not_matter(family):
    panel = panel_of(family)
    order = np.random.default_rng(5).permutation(len(panel))
    settings = Model(overdispersion=True)
    first = MODELS[family](panel, settings)
    second = MODELS[family](panel.iloc[order].reset_index(drop=True), settings)
    point = random_point(first)
    cells = next(name for name in point if name in ("overdispersion_raw", "cell_mean_raw"))
    moved = point | {cells: point[cells][order]}
    at = [model.compile_logp(mode=AS_WRITTEN)(where) for model, where in ((first, point), (second, moved))]
    assert at[0] == pytest.approx(at[1], rel=1e-12)


@pytest.mark.parametrize(
    ("prior", "drawn", "sd", "slope"),
    [
        ({"on": "precision", "dist": "Gamma", "alpha": 2.0, "beta": 0.5}, "site_sd_precision_log__", 0.4, -0.5),
        ({"on": "variance", "dist": "Gamma", "alpha": 2.0, "beta": 0.5}, "site_sd_variance_log__", 0.4, 0.5),
        ({"on": "log_sd", "dist": "Normal", "mu": -1.0, "sigma": 0.5}, "site_sd_log_sd", 0.4, 1.0),
        ({"on": "sd", "dist": "Gamma", "alpha": 2.0, "beta": 0.5}, "site_sd_log__", 0.4, 1.0),
    ],
)
def test_a_prior_stands_on_the_scale_it_names(prior, drawn, sd, slope):
    """Density of log sd (what every form is sampled on, up to a factor) = prior density × |d scale / d log sd|."""
    model = MODELS["binomial"](panel_of("binomial", periods=1), Model.model_validate({"priors": {"site_sd": prior}}))
    only = model.compile_logp(
        vars=model["site_sd" if prior["on"] == "sd" else f"site_sd_{prior['on']}"], mode=AS_WRITTEN
    )
    point = random_point(model)
    point[drawn] = np.array(np.log(sd) / slope)
    scale = {"precision": sd**-2, "variance": sd**2, "sd": sd, "log_sd": np.log(sd)}[prior["on"]]
    frozen = stats.norm(-1, 0.5) if prior["dist"] == "Normal" else stats.gamma(2, scale=2)
    jacobian = 0.0 if prior["on"] == "log_sd" else np.log(scale)
    assert only(point) == pytest.approx(frozen.logpdf(scale) + jacobian)
    assert value_of(model, "site_sd", point) == pytest.approx(sd)


def value_of(model, name, point):
    """A variable of the model at a point of its unconstrained space."""
    found = model.replace_rvs_by_values([model[name]])
    return model.compile_fn(found, inputs=model.value_vars, on_unused_input="ignore", mode=AS_WRITTEN)(point)[0]


def names(model):
    return {variable.name for variable in model.unobserved_RVs}


def test_one_period_leaves_no_trend_no_trajectory_and_no_overdispersion():
    found = names(MODELS["binomial"](panel_of("binomial", periods=1), Model()))
    assert found == {"intercept", "site_sd", "site_level", *(found & {"site_mean_raw", "site_level_raw"})}


@pytest.mark.parametrize(
    ("counts", "on"), [([4, 4, 4], True), ([1, 4, 9], True), ([3, 3, 9], False), ([1, 3, 3], False)]
)
def test_overdispersion_is_on_from_four_periods_at_the_median_site(counts, on):
    rows = [(f"S{j}", str(2000 + t), float(t)) for j, count in enumerate(counts) for t in range(count)]
    panel = pd.DataFrame(rows, columns=["site", "period", "time"]).assign(numerator=3.0, denominator=50.0)
    assert read_design(panel, "binomial", Model()).overdispersion is on
    assert read_design(panel, "binomial", Model(overdispersion=True)).overdispersion is True


def test_the_trend_has_mean_zero_and_wider_steps_across_gaps():
    model = MODELS["binomial"](panel_of("binomial"), Model(parametrisation="non_centred"))
    at = random_point(model) | {"trend_raw": np.ones(3), "trend_sd_log__": np.log(np.array(0.3))}
    trend = value_of(model, "trend", at)
    assert trend.mean() == pytest.approx(0, abs=1e-12)
    assert np.diff(trend) == pytest.approx([0.3, 0.3 * np.sqrt(2), 0.3])  # years 0, 1, 3, 4


@pytest.mark.parametrize("form", ["centred", "non_centred"])
def test_level_and_slope_have_the_correlation_and_spreads_of_the_prior(form):
    """Drawn from the prior: sd of levels τ, sd of slopes τ_δ, correlation ρ."""
    panel = panel_of("binomial", sites=400)
    fixed = {
        "site_sd": {"dist": "LogNormal", "mu": float(np.log(0.6)), "sigma": 1e-6},
        "trajectory_sd": {"dist": "LogNormal", "mu": float(np.log(0.2)), "sigma": 1e-6},
        "site_correlation": {"dist": "Uniform", "lower": 0.69999, "upper": 0.70001},
    }
    model = MODELS["binomial"](panel, Model.model_validate({"parametrisation": form, "priors": fixed}))
    level, slope = pm.draw([model["site_level"], model["site_slope"]], draws=20, random_seed=1, mode=AS_WRITTEN)
    assert level.std() == pytest.approx(0.6, rel=0.03)
    assert slope.std() == pytest.approx(0.2, rel=0.03)
    assert np.corrcoef(level.ravel(), slope.ravel())[0, 1] == pytest.approx(0.7, abs=0.03)


def test_offsets():
    panel = panel_of("binomial", expected=True)
    share = panel["expected"] / panel["denominator"]
    assert read_design(panel, "binomial", Model()).offset == pytest.approx(np.log(share / (1 - share)))
    assert read_design(panel, "poisson", Model()).offset == pytest.approx(np.log(panel["expected"]))
    without = panel.drop(columns="expected")
    assert read_design(without, "binomial", Model()).offset == pytest.approx(np.zeros(len(panel)))
    assert read_design(without, "poisson", Model()).offset == pytest.approx(np.log(panel["denominator"]))


def simulated(cases, level=0.0, slope=0.0, step=0.0, cell=0.0, sites=40, periods=8, family="binomial"):
    """Sites × years with effects of these sds; a site has `cases` cases a year, one in ten with the event."""
    random = np.random.default_rng(2)
    j, t = (grid.ravel() for grid in np.meshgrid(range(sites), range(periods), indexing="ij"))
    effect = level * random.standard_normal(sites)[j] + slope * random.standard_normal(sites)[j] * (t - t.mean())
    effect = effect + cell * random.standard_normal(len(j)) + np.cumsum(step * random.standard_normal(periods))[t]
    panel = pd.DataFrame({"site": [f"S{site:02d}" for site in j], "period": (2000 + t).astype(str), "time": t * 1.0})
    if family == "normal":
        means = 5 + 2 * effect + random.normal(0, 2 / np.sqrt(cases), len(j))
        return panel.assign(mean=means, sd=2.0, n=float(cases), weight=float(cases))
    if family == "poisson":
        return panel.assign(numerator=random.poisson(0.1 * cases * np.exp(effect)) * 1.0, denominator=float(cases))
    events = random.binomial(cases, expit(np.log(0.1 / 0.9) + effect))
    return panel.assign(numerator=events * 1.0, denominator=float(cases))


@pytest.mark.parametrize(("family", "information"), [("binomial", 0.09), ("poisson", 0.1), ("normal", 1.0)])
@pytest.mark.parametrize("strength", [0.2, 10.0])
def test_pulls_are_information_times_variance(family, information, strength):
    """Of one kind of effect at a time, with the others absent: its own pull is found, the others' stay below."""
    each = 300 * information  # of a cell: 8 of them a site, with Σ (t − t̄)² = 42; 40 sites a period
    kinds = {"level": 8 * each, "slope": 42 * each, "step": 40 * each / 2, "cell": each}
    for kind, amount in kinds.items():
        panel = simulated(300, family=family, **{kind: np.sqrt(strength / amount)})
        found = pulls(read_design(panel, family, Model()))
        own = {"level": found.level, "slope": found.slope, "step": found.trend, "cell": found.cells}
        assert own.pop(kind) == pytest.approx(strength, rel=0.75, abs=0.3), kind
        assert max(own.values()) < 0.6, (kind, own)


def test_the_form_of_each_kind_of_effect_follows_its_pull():
    strong = MODELS["binomial"](simulated(3000, 0.4, 0.2, 0.3, 0.3), Model())
    weak = MODELS["binomial"](simulated(30, 0.05), Model())
    assert {"site_mean_raw", "site_drift_raw", "cell_mean_raw"} <= {variable.name for variable in strong.free_RVs}
    assert "trend_steps" in {potential.name for potential in strong.potentials}
    assert {"site_level_raw", "site_slope_raw", "trend_raw", "overdispersion_raw"} <= names(weak)
    assert not weak.potentials


def test_the_chosen_form_can_be_overruled():
    panel = simulated(3000, 0.4, 0.2, 0.3, 0.3)
    assert forms(read_design(panel, "binomial", Model(parametrisation="non_centred"))) == Forms(*[False] * 4)
    assert forms(read_design(simulated(30, 0.05), "binomial", Model(parametrisation="centred"))).level

"""From a panel to draws: the same seed gives the same draws, blocks and retries happen, the tree is as promised."""

import ctypes
import os
import subprocess
import sys

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from numba import njit
from pymc.model.transform.optimization import freeze_dims_and_data
from pymc.pytensorf import join_nonshared_inputs
from scipy import stats
from scipy.optimize import approx_fprime

from collabeval import fit
from collabeval.convergence import RHAT
from collabeval.draws import GROUPS, POSTERIOR, linear_predictor
from collabeval.fit import chains, nuts
from collabeval.fit import outcomes as outcomes_module
from collabeval.fit.compiled import compile_model
from collabeval.fit.predictive import log_likelihood, predictive, standard_error
from collabeval.laplace.outcomes import binomial
from collabeval.models.design import read_design
from collabeval.models.families import MODELS
from collabeval.params import Model, Sampling
from fitting import QUICK, infant_panel, params_for, small_panel

ONE_PERIOD = {"trend": "none", "trajectory": False, "overdispersion": False}


def quick_fit(**changes):
    return fit.sample(infant_panel(), "m", params_for(model=ONE_PERIOD, **{**QUICK, **changes}))


def identical(first, second):
    return all(first[group].to_dataset().identical(second[group].to_dataset()) for group in GROUPS)


def test_the_same_seed_gives_the_same_draws_bit_for_bit_however_many_cores(monkeypatch):
    monkeypatch.setenv("COLLABEVAL_CORES", "2")
    first = quick_fit()
    monkeypatch.setenv("COLLABEVAL_CORES", "1")
    assert identical(first, quick_fit())
    assert not identical(first, quick_fit(seed=8))


def test_another_process_gives_the_same_draws(tmp_path):
    """What is loaded from the cache of compiled code samples as what was compiled."""
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from pathlib import Path\n"
        "from collabeval import fit\n"
        "from fitting import QUICK, infant_panel, params_for\n"
        "fit.save(fit.sample(infant_panel(), 'm', params_for(**QUICK)), Path(sys.argv[1]))"
    )
    paths = [tmp_path / name for name in ("cold.nc", "warm.nc")]
    for path in paths:
        environment = {**os.environ, "COLLABEVAL_CACHE": str(tmp_path / "cache")}
        subprocess.run([sys.executable, "-c", code, str(path)], check=True, env=environment)
    assert identical(*map(fit.load, paths))
    assert list((tmp_path / "cache").glob("*/numba/*logp-*.nbc"))


@pytest.mark.parametrize("family", ["binomial", "poisson", "normal"])
def test_the_tree_is_as_promised(family, tmp_path, capfd):
    panel = small_panel(family)
    tree = fit.sample(panel, "m", params_for(family, {"overdispersion": True}, **QUICK))
    assert capfd.readouterr() == ("", "")
    assert set(tree.children) == set(GROUPS)
    posterior = tree["posterior"].to_dataset()
    names = {"intercept", "trend", "trend_sd", "site_level", "site_sd", "site_slope", "trajectory_sd",
             "site_correlation", "overdispersion", "overdispersion_sd"}  # fmt: skip
    names |= {name for name in POSTERIOR if name.startswith("residual")} if family == "normal" else set()
    assert set(posterior.data_vars) == names
    assert posterior["site_slope"].dims == ("chain", "draw", "site")
    assert list(posterior["site"].values) == sorted(panel["site"].unique())
    assert list(posterior["period"].values) == ["2015", "2016", "2017", "2018"]
    for group in ("posterior_predictive", "log_likelihood"):
        assert tree[group]["outcome"].dims == ("chain", "draw", "cell")
        assert tree[group]["outcome"].dtype == np.float32
    observed = panel["mean" if family == "normal" else "numerator"]
    assert np.array_equal(tree["observed_data"]["outcome"], observed)
    assert np.isfinite(tree["log_likelihood"]["outcome"]).all()
    assert tree.attrs["engine"] == "nuts"
    loaded = fit.load(fit.save(tree, tmp_path / "draws" / "m.nc"))
    assert identical(tree, loaded)
    assert loaded.attrs["seed"] == 7


@pytest.mark.parametrize("family", ["binomial", "poisson", "normal"])
def test_log_likelihood_and_predictor_are_pymcs(family):
    """Numpy from the draws against PyMC's own, draw by draw."""
    panel, settings = small_panel(family), Model(overdispersion=True)
    tree = fit.sample(panel, "m", params_for(family, {"overdispersion": True}, **QUICK))
    model = MODELS[family](panel, settings.model_copy(update={"parametrisation": tree.attrs["parametrisation"]}))
    design = read_design(panel, family, settings)
    compiled = compile_model(model)
    model = freeze_dims_and_data(model)  # as compiled
    points = np.stack([compiled.jittered(seed) for seed in range(5)])
    names = compiled.constrain(points)
    posterior = xr.Dataset({name: (("chain", "draw", *compiled.dims.get(name, ())), values[None])
                            for name, values in names.items()})  # fmt: skip
    ours = log_likelihood(posterior, design)[0]
    elementwise = model.logp(vars=model["outcome"], sum=False)
    (outcome,), joined = join_nonshared_inputs(model.initial_point(), elementwise, model.continuous_value_vars)
    theirs = pm.pytensorf.compile([joined], outcome, mode="FAST_COMPILE")
    assert ours == pytest.approx(np.stack([theirs(point) for point in points]), rel=1e-9)


def test_the_machine_code_is_pymcs_log_density_and_its_gradient_is_right():
    panel = small_panel()
    model = MODELS["binomial"](panel, Model(overdispersion=True))
    compiled = compile_model(model)
    size = compiled.start.size
    pointer = ctypes.POINTER(ctypes.c_double)

    def at(point):
        slope, value = np.empty(size), np.empty(1)
        arrays = [array.ctypes.data_as(pointer) for array in (np.ascontiguousarray(point), slope, value)]
        assert compiled.logp.ctypes(size, *arrays, None) == 0
        return value[0], slope

    point = compiled.jittered(1)
    frozen = freeze_dims_and_data(model)  # as compiled: the parts of a point are in the order of its variables
    start, order = frozen.initial_point(), [variable.name for variable in frozen.continuous_value_vars]
    split = np.split(point, np.cumsum([np.size(start[name]) for name in order])[:-1])
    named = {name: part.reshape(np.shape(start[name])) for name, part in zip(order, split, strict=True)}
    value, slope = at(point)
    assert value == pytest.approx(float(model.compile_logp(mode="FAST_COMPILE")(named)), rel=1e-10)
    assert slope == pytest.approx(approx_fprime(point, lambda x: at(x)[0], 1e-6), rel=1e-3, abs=1e-3)
    assert compiled.logp.ctypes(size, *(np.full(size, np.nan).ctypes.data_as(pointer) for _ in range(3)), None) == 3


def test_replicates_have_the_mean_and_spread_of_their_cells():
    for family in ("binomial", "poisson", "normal"):
        panel = small_panel(family, sites=3, periods=2)
        design = read_design(panel, family, Model())
        draws = 20_000
        level = xr.DataArray(np.tile([-0.3, 0.0, 0.4], (1, draws, 1)), dims=("chain", "draw", "site"))
        centre = {"binomial": -2.0, "poisson": -2.0, "normal": 5.0}[family]
        fixed = {"intercept": (("chain", "draw"), np.full((1, draws), centre)), "site_level": level}
        if family == "normal":
            fixed["residual_sd"] = (("chain", "draw", "site"), np.tile([1.0, 1.5, 2.0], (1, draws, 1)))
        posterior = xr.Dataset(fixed)
        found = predictive(posterior, design, seed=1)[0]
        eta = linear_predictor(posterior, fit.constant_data(design))[0, 0]
        n = panel["denominator"].to_numpy()
        chance = 1 / (1 + np.exp(-eta))
        mean, spread = {
            "binomial": (n * chance, np.sqrt(n * chance * (1 - chance))),
            "poisson": (np.exp(eta), np.sqrt(np.exp(eta))),
            "normal": (eta, standard_error(posterior, design)[0, 0] if family == "normal" else eta),
        }[family]
        assert np.abs(found.mean(axis=0) - mean).max() < 5 * spread.max() / np.sqrt(draws)
        assert found.std(axis=0) == pytest.approx(spread, rel=0.03)


@pytest.mark.parametrize("family", ["binomial", "poisson", "normal"])
def test_compiled_outcomes_are_those_of_numpy(family, monkeypatch):
    """Few events and many: log-likelihoods to the last digits, replicates in mean, spread and skewness."""
    monkeypatch.setattr(outcomes_module, "BLOCK", 6 * 700)
    panel = small_panel(family, sites=3, periods=2)
    panel["denominator"] = [3.0, 20, 60, 300, 3000, 40]
    design, draws = read_design(panel, family, Model()), 30_000
    random, level = np.random.default_rng(3), np.array([-1.0, 0.0, 2.5])
    fixed = {"intercept": (("chain", "draw"), np.full((1, draws), {"normal": 5.0}.get(family, -1.5))),
             "site_level": (("chain", "draw", "site"), level + 0.01 * random.normal(size=(1, draws, 3)))}  # fmt: skip
    if family == "normal":
        fixed["residual_sd"] = (("chain", "draw", "site"), np.tile([1.0, 1.5, 2.0], (1, draws, 1)))
    posterior = xr.Dataset(fixed)
    again, density = outcomes_module.outcomes(posterior, design, 1, np.float64)
    np.testing.assert_allclose(density, log_likelihood(posterior, design), rtol=1e-12, atol=1e-12)
    ours, theirs = again[0], predictive(posterior, design, seed=2)[0]
    assert np.all(ours == np.floor(ours)) or family == "normal"
    spread = theirs.std(axis=0)
    assert np.abs((ours.mean(axis=0) - theirs.mean(axis=0)) / spread).max() < 5 * np.sqrt(2 / draws)
    np.testing.assert_allclose(ours.std(axis=0), spread, rtol=0.03)
    third = [(((each - each.mean(axis=0)) / spread) ** 3).mean(axis=0) for each in (ours, theirs)]
    np.testing.assert_allclose(third[0], third[1], atol=0.2)
    assert np.array_equal(again, outcomes_module.outcomes(posterior, design, 1, np.float64)[0])


@pytest.mark.parametrize(("n", "p"), [(5, 0.3), (40, 0.2), (40, 0.9), (30, 0.5), (400, 0.04), (2000, 0.3)])
def test_binomial_numbers_have_their_distribution(n, p):
    seen = binomials(np.random.default_rng(1), n, p, 200_000)
    expected = 200_000 * stats.binom.pmf(np.arange(n + 1), n, p)
    often = expected > 5
    found = np.append(seen[often], seen[~often].sum())
    assert stats.chisquare(found, np.append(expected[often], expected[~often].sum() + 1e-9)).pvalue > 1e-4


@njit
def binomials(random, n, p, count):
    seen = np.zeros(n + 1)
    for _ in range(count):
        seen[int(binomial(random, float(n), p))] += 1
    return seen


def test_blocks_follow_until_every_quantity_is_precise_enough():
    told = []
    settings = params_for(model=ONE_PERIOD, draws=50, tune=300, chains=2, minimum_ess=150)
    tree = fit.sample(infant_panel(), "m", settings, progress=told.append)
    assert tree.attrs["blocks"] >= 2
    assert tree.attrs["blocks"] == sum("sampling" in line for line in told)
    assert list(tree["posterior"]["chain"].values) == list(range(tree["posterior"].sizes["chain"]))
    assert tree["log_likelihood"].sizes["chain"] == tree["sample_stats"].sizes["chain"] > 2
    assert chains.precision(tree["posterior"].to_dataset())[0] >= 150
    first = tree["posterior"]["intercept"].values
    assert len(np.unique(first[:, 0])) == len(first), "each block has a seed of its own"


def test_chains_are_added_while_they_disagree_by_more_than_a_report_may_rest_on():
    """The first block has a chain apart, which costs few effective draws; the others outweigh it."""
    random, asked = np.random.default_rng(3), []

    def sampler(block):
        asked.append(block)
        apart = np.where((np.arange(block.chains) == 0) & (len(asked) < 2), 0.35, 0.0)
        dims = ("chain", "draw")
        values = random.normal(size=(block.chains, block.draws)) + apart[:, None]
        statistics = {"diverging": (dims, np.zeros(values.shape, bool))}
        return xr.DataTree.from_dict(
            {"posterior": xr.Dataset({"x": (dims, values)}), "sample_stats": xr.Dataset(statistics)}
        )

    def blocks(minimum_ess):
        asked.clear()
        sampling = Sampling(seed=5, draws=2000, chains=4, minimum_ess=minimum_ess)
        attempt = chains.Attempt("centred", 0.9)
        found = chains.sample_blocks(sampler, sampling, attempt, lambda tree: tree["posterior"].to_dataset(), len)
        return found, chains.precision(found.tree["posterior"].to_dataset())

    alone, (least, greatest) = blocks(100)
    assert alone.blocks == 1
    assert least > 100
    assert greatest > RHAT
    found, (least, greatest) = blocks(400)
    assert found.blocks > 1
    assert least >= 400
    assert greatest <= RHAT
    assert [block.chains for block in asked] == [4] * found.blocks


def test_blocks_end_at_the_maximum():
    settings = params_for(model=ONE_PERIOD, draws=20, tune=100, chains=2, minimum_ess=100_000, maximum_blocks=1)
    assert fit.sample(infant_panel(), "m", settings).attrs["blocks"] == 2


def test_only_what_is_reported_must_be_precise():
    settings = params_for(model=ONE_PERIOD, draws=50, tune=100, chains=2, minimum_ess=5_000)

    def reported(tree):
        assert {"constant_data", "posterior"} <= set(tree.children)
        return xr.Dataset({"constant": xr.ones_like(tree["posterior"]["intercept"])})

    assert fit.sample(infant_panel(), "m", settings, reported).attrs["blocks"] == 1


class Diverging:
    """A sampler that diverges as often as it is told to, and writes down what it was asked for."""

    def __init__(self, divergences):
        self.divergences, self.asked = list(divergences), []

    def __call__(self, model, sampling):
        form = "centred" if "site_mean_raw" in model.named_vars else "non_centred"

        def sample(block):
            self.asked.append((form, block.target_accept, block.seed))
            random = np.random.default_rng(block.seed)
            shape = (block.chains, block.draws)
            diverging = np.zeros(shape, dtype=bool)
            diverging.flat[: self.divergences.pop(0)] = True
            sites = random.normal(size=(*shape, 12))
            posterior = xr.Dataset(
                {"intercept": (("chain", "draw"), random.normal(size=shape)),
                 "site_level": (("chain", "draw", "site"), sites)},
                {"chain": range(block.chains), "draw": range(block.draws), "site": list("ABCDEFGHIJKL")},
            )  # fmt: skip
            statistics = xr.Dataset({"diverging": (("chain", "draw"), diverging)})
            return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": statistics})

        return sample


@pytest.mark.parametrize(
    ("divergences", "retries", "kept", "target"),
    [([0], 0, 0, 0.9), ([3, 0], 1, 0, 0.99), ([3, 2, 0], 2, 0, 0.99), ([3, 1, 2], 2, 1, 0.99), ([1, 1, 2], 2, 1, 0.9)],
)
def test_divergences_lead_to_higher_acceptance_then_to_the_other_form(monkeypatch, divergences, retries, kept, target):
    sampler = Diverging(divergences)
    monkeypatch.setitem(chains.SAMPLERS, "nutpie", sampler)
    tree = fit.sample(infant_panel(), "m", params_for(model=ONE_PERIOD, draws=100, minimum_ess=1))
    plan = [("centred", 0.9, 7), ("centred", 0.99, 7), ("non_centred", 0.99, 7)]
    assert sampler.asked == plan[: retries + 1]
    assert (tree.attrs["retries"], tree.attrs["divergences"], tree.attrs["target_accept"]) == (retries, kept, target)


def test_a_real_fit_that_diverges_is_tried_again():
    """Under the BUGS priors the non-centred form has a funnel that acceptance .6 cannot follow."""
    priors = {"site_sd": {"on": "precision", "dist": "Gamma", "alpha": 0.001, "beta": 0.001}}
    model = {**ONE_PERIOD, "parametrisation": "non_centred", "priors": priors}
    settings = params_for(model=model, draws=500, tune=500, chains=4, target_accept=0.6, minimum_ess=1)
    tree = fit.sample(infant_panel(), "m", settings)
    assert tree.attrs["retries"] >= 1
    assert tree.attrs["divergences"] == tree["sample_stats"]["diverging"].sum()


def test_pymcs_own_sampler_can_be_chosen():
    tree = quick_fit(sampler="pymc")
    assert tree.attrs["sampler"] == "pymc"
    assert set(tree["posterior"].data_vars) == {"intercept", "site_level", "site_sd"}
    assert set(tree["sample_stats"].data_vars) == set(nuts.STATISTICS)


def test_sampling_loads_neither_arviz_nor_matplotlib():
    code = (
        "import sys\n"
        "from collabeval.fit.nuts import import_nutpie\n"
        "nutpie = import_nutpie()\n"
        "assert not {'arviz', 'matplotlib'} & sys.modules.keys(), 'loaded'\n"
        "import arviz\n"
        "assert arviz.hdi and nutpie.sample.__globals__['arviz'].hdi is arviz.hdi\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

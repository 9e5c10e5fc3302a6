"""The fast engine: one definition with the PyMC models, its integrals, and what it does where it cannot be trusted."""

import numpy as np
import pandas as pd
import pytest
from numba import njit
from pytensor.compile.mode import Mode
from scipy import integrate

from calibration.forms import FORMS, world
from collabeval import fit
from collabeval.errors import UsageError
from collabeval.laplace import centre as laplace_centre
from collabeval.laplace import depths, engine, weights
from collabeval.laplace.blocks import known_part
from collabeval.laplace.centre import NEWTON, locate
from collabeval.laplace.density import Point, log_density
from collabeval.laplace.kernels import BINOMIAL, POISSON, draw_own, log_likelihood
from collabeval.laplace.polynomials import nothing_known
from collabeval.laplace.problem import pose, rule
from collabeval.laplace.search import Search
from collabeval.laplace.site_draws import draw_effects
from collabeval.laplace.sites import at_effects
from collabeval.models.design import read_design
from collabeval.models.families import MODELS
from collabeval.params import Model, Sampling
from fitting import infant_panel, params_for, small_panel
from small_covariates import COVARIATES, with_covariates

INTERPRETED = Mode(linker="py", optimizer=None)  # compiling takes longer than four evaluations
PRIORS = {
    "site_sd": {"on": "precision", "dist": "Gamma", "alpha": 2.0, "beta": 0.1},
    "trajectory_sd": {"on": "variance", "dist": "InverseGamma", "alpha": 3.0, "beta": 0.1},
    "overdispersion_sd": {"on": "log_sd", "dist": "Normal", "mu": -2.0, "sigma": 0.7},
    "trend_sd": {"on": "sd", "dist": "Uniform", "lower": 0.0, "upper": 2.0},
    "site_correlation": {"dist": "Uniform", "lower": -0.9, "upper": 0.9},
    "intercept": {"dist": "Normal", "mu": -2.0, "sigma": 3.0},
}
CASES: dict[str, dict] = {
    "as it comes": {"overdispersion": True},
    "level alone": {"trajectory": False, "overdispersion": False, "trend": "none"},
    "a straight trend": {"trend": "linear", "overdispersion": False},
    "other priors": {"overdispersion": True, "priors": PRIORS},
    "covariates": {"overdispersion": True, "covariates": COVARIATES},
    "covariates, one level each": {
        "trajectory": False,
        "overdispersion": False,
        "trend": "none",
        "covariates": COVARIATES,
        "priors": {"covariates": {"dist": "Normal", "mu": 0.3, "sigma": 2.0}},
    },
}


@njit
def own_draw(random, family, y, n, eta, s):
    return draw_own(random, family, y, n, 0.0, eta, s, 0.0)[0]


def panel_of(kind):
    """A small panel of a family, or of means with known standard errors, or of counts with an expectation."""
    family = kind.split()[0]
    panel = small_panel(family, sites=6, periods=3)
    if "expected" in kind:
        panel["expected"] = np.random.default_rng(1).uniform(2, 9, len(panel))
    if "known" in kind:
        panel = panel.assign(se=0.4, sd=np.nan, n=np.nan)
    if "mixed" in kind:
        panel.loc[::3, "se"] = 0.3
    return with_covariates(panel), family


def random_point(problem, random):
    cells = problem.cells
    return Point(
        u=random.uniform(0.2, 0.8, len(problem.hyper)),
        g=problem.programme.centre + 0.3 * random.normal(size=len(problem.programme.centre)),
        z=random.normal(size=(len(cells.squares), 2)),
        rho=random.normal(size=len(cells.squares)),
        own=random.normal(size=len(cells.y)),
    )


def as_pymc_has_it(problem, point):
    """The same point by the names of the non-centred PyMC model's variables."""
    design, own = problem.design, np.empty(problem.design.cells)
    own[problem.order] = point.own
    values = {"intercept": point.g[0], "site_level_raw": point.z[:, 0], "site_slope_raw": point.z[:, 1]}
    course = point.g[: len(point.g) - len(design.covariates.terms)]
    values |= {"overdispersion_raw": own, "trend_raw": course[1:], "residual_sd_raw": point.rho}
    values |= {"trend_slope": course[-1], "covariates": point.g[len(course) :]}
    for d, each in enumerate(problem.hyper):
        suffix = "" if each.prior.on in ("value", "sd") else f"_{each.prior.on}"
        half = "_half" if each.name == "site_correlation" and each.prior.dist == "Beta" else ""
        values[each.name + suffix + half] = each.drawn(point.u[d : d + 1])[0]
    assert design.sites.size == len(point.z)
    return values


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    "kind",
    ["binomial", "binomial expected", "poisson", "poisson expected", "normal", "normal known", "normal mixed"],
)
def test_both_engines_have_one_definition(kind, case):
    panel, family = panel_of(kind)
    settings = Model.model_validate({**CASES[case], "parametrisation": "non_centred"})
    model, random = MODELS[family](panel, settings), np.random.default_rng(5)
    problem = pose(read_design(panel, family, settings))
    density = model.compile_logp(jacobian=False, mode=INTERPRETED)
    transforms = {variable.name: model.rvs_to_transforms[variable] for variable in model.free_RVs}
    differences = []
    for _ in range(4):
        point = random_point(problem, random)
        named = as_pymc_has_it(problem, point)
        values = {}
        for variable in model.free_RVs:
            transform, value = transforms[variable.name], np.asarray(named[variable.name], dtype=float)
            if transform is not None:
                value = transform.forward(value, *variable.owner.inputs).eval()
            values[model.rvs_to_values[variable].name] = value
        differences.append((log_density(problem, point), float(density(values))))
    ours, theirs = np.array(differences).T
    np.testing.assert_allclose(ours - ours[0], theirs - theirs[0], rtol=1e-8, atol=1e-8 * np.abs(theirs).max())


@pytest.mark.parametrize("kind", ["binomial", "poisson expected", "normal known"])
def test_a_sites_integral_is_that_of_the_density(kind):
    """Two whitened effects of one site with one cell, integrated by adaptive quadrature."""
    panel, family = panel_of(kind)
    panel = panel[(panel["site"] == "S0") & (panel["period"] == "2015")].reset_index(drop=True)
    settings = Model.model_validate({"trend": "none", "trajectory": False, "overdispersion": True})
    problem = pose(read_design(panel, family, settings))
    search = Search(problem, rule(11, 9))
    u = np.array([0.7, 0.5])
    search(u)
    found = search.quadrature(u, depths.alike(depths.FINEST, 1))

    def value(own, z):
        return np.exp(
            log_density(problem, Point(u, search.g, np.array([[z, 0.0]]), np.zeros(1), np.array([own]))) - top
        )

    top = log_density(problem, Point(u, search.g, search.z.copy(), np.zeros(1), np.zeros(1)))
    truth, _ = integrate.dblquad(value, -9, 9, -9, 9)
    prior = sum(float(each.log_prior(u[d : d + 1])[0]) for d, each in enumerate(problem.hyper))
    assert found == pytest.approx(np.log(truth / (2 * np.pi)) + top - prior, abs=1e-6)


@pytest.mark.parametrize(
    ("family", "y", "n", "eta"),
    [(BINOMIAL, 0, 50, -1.5), (BINOMIAL, 9, 9, 0.5), (POISSON, 0, 1, 1.0), (POISSON, 30, 1, 2.5)],
)
def test_a_cells_own_effect_is_drawn_from_its_distribution(family, y, n, eta):
    """All or nothing where much was expected, single cells varying widely: as far from a Gaussian as cells get."""
    s, random = 1.2, np.random.default_rng(2)
    grid = np.linspace(-7, 5, 4001)
    log_density = np.array([log_likelihood(family, y, n, eta + s * e) for e in grid]) - grid**2 / 2
    density = np.exp(log_density - log_density.max())
    density /= density.sum()
    mean, sd = density @ grid, np.sqrt(density @ grid**2 - (density @ grid) ** 2)
    drawn = np.array([own_draw(random, family, y, n, eta, s) for _ in range(20_000)])
    assert abs(drawn.mean() - mean) < 0.025 * sd
    assert drawn.std() == pytest.approx(sd, rel=0.02)


@pytest.mark.parametrize("kind", ["binomial", "poisson"])
def test_the_series_is_as_good_as_the_density_itself(kind):
    panel, family = panel_of(kind)
    problem = pose(read_design(panel, family, Model.model_validate({"overdispersion": True})))
    centre = locate(problem)
    assert not centre.depths.exact[centre.depths.choice].any()
    search = Search(problem, NEWTON)
    ways = (centre.depths, depths.alike(depths.FINEST, 6), depths.table(np.zeros(6), ((1, 1, 1, False),)))
    taken, finest, coarsest = (search.quadrature(centre.u, way) for way in ways)
    assert taken == pytest.approx(finest, abs=0.02)
    assert coarsest != pytest.approx(finest, abs=1e-3)


def test_sites_that_no_series_follows_are_integrated_at_nodes():
    """A tenth of the events that would make sites Gaussian, sites widely apart: the density itself, site by site."""
    _, design, _ = world("poisson", FORMS["level"], 20250, 19)
    problem = pose(design)
    centre, search = locate(problem), Search(problem, NEWTON)
    exact = centre.depths.exact[centre.depths.choice]
    assert exact.any()
    assert not exact.all()  # sites with many events have their series
    far = search.place(centre.u + 1.5 * centre.axes.sum(axis=1))
    sites = np.arange(len(exact))
    beyond = depths.table(np.zeros(len(sites)), ((31, 31, 31, True),))
    found, truth = (depths.integrals(problem, [far], each, sites)[0] for each in (centre.depths, beyond))
    by_series = depths.integrals(problem, [far], depths.alike(depths.FINEST - 4, len(sites)), sites)[0]
    assert np.abs(found - truth).sum() < 0.02 < np.abs(by_series - truth).sum()


def test_what_the_finest_nodes_miss_is_refused(monkeypatch):
    _, design, _ = world("poisson", FORMS["level"], 20250, 19)
    monkeypatch.setattr(depths, "LADDER", (*depths.LADDER[:4], (3, 3, 3, True)))
    monkeypatch.setattr(depths, "FINEST", 4)
    with pytest.raises(depths.TooCoarseError, match="integrals are off by"):
        locate(pose(design))


@pytest.mark.parametrize(("family", "trajectory"), [("poisson", True), ("poisson", False), ("binomial", True)])
def test_a_sites_effects_are_drawn_from_their_distribution(family, trajectory):
    """No event where some were expected: draws against the density on a grid, cells' own effects integrated out."""
    panel = small_panel(family, sites=3, periods=3)
    panel.loc[panel["site"] == "S1", "numerator"] = 0
    settings = Model.model_validate({"overdispersion": True, "trajectory": trajectory})
    problem = pose(read_design(panel, family, settings))
    place = Search(problem, NEWTON).place(np.full(len(problem.hyper), 0.9))
    known = np.empty(len(problem.cells.y))
    known_part(problem.cells, (problem.programme.fixed + place.trend * problem.programme.walk) @ place.g, known)
    fine = rule(15, 9)
    grid = np.linspace(-6, 6, 121)
    across = grid if trajectory else np.zeros(1)
    values = np.empty((len(across), len(grid)))
    on_grid(problem.cells, place.scales, fine, known, grid, across, values)
    density = np.exp(values - values.max())
    density /= density.sum()
    means = np.array([(density.sum(axis=0) * grid).sum(), (density.sum(axis=1) * across).sum()])
    squares = np.array([(density.sum(axis=0) * grid**2).sum(), (density.sum(axis=1) * across**2).sum()])
    for depth in (3, depths.FINEST):
        drawn = site_draws_of(problem, place, known, depth, 4000)
        spread = np.sqrt(squares - means**2)
        assert np.all(np.abs(drawn.mean(axis=0) - means) <= 4 * spread / np.sqrt(4000))
        np.testing.assert_allclose(drawn.std(axis=0), spread, rtol=0.06)


def site_draws_of(problem, place, known, depth, count):
    """So many draws of site 1's effects, each from proposals of its own."""
    chosen, effects, rho = depths.alike(depth, 3), np.zeros((count, 3, 2)), np.zeros((count, 3))
    random = np.random.default_rng(1)
    for k in range(count):
        one_site(random, problem.cells, place.scales, chosen, known, place.z[1], np.array([k]), effects, rho)
    return effects[:, 1]


@njit
def on_grid(cells, scales, fine, known, grid, across, values):
    """Site 1's density (B, A)."""
    for b in range(len(across)):
        for a in range(len(grid)):
            values[b, a] = at_effects(cells, 1, scales, fine, known, nothing_known(cells), grid[a], across[b])


@njit
def one_site(random, cells, scales, chosen, known, mode, places, effects, rho):
    draw_effects(
        random, cells, 1, scales, chosen, known, nothing_known(cells), mode, places, False, effects, rho,
        np.zeros((0, 3)), 0,
    )  # fmt: skip


@pytest.mark.parametrize("family", ["binomial", "poisson", "normal"])
def test_whole_numbers_are_not_compiled_apart(family):
    panel = small_panel(family, sites=3, periods=2)
    whole = panel.assign(
        **{name: panel[name].astype(int) for name in ("numerator", "denominator") if family != "normal"}
    )
    for rows in (panel, whole):
        cells = pose(read_design(rows, family, Model())).cells
        kinds = {name: array.dtype for name, array in cells._asdict().items() if isinstance(array, np.ndarray)}
        assert {name for name, kind in kinds.items() if kind.kind != "f"} == {"start", "column"}
        assert {kinds["start"], kinds["column"]} == {np.dtype(np.int64)}


def test_the_same_seed_gives_the_same_draws_however_many_cores(monkeypatch):
    settings = params_for(model={"engine": "laplace"})
    panel = small_panel(sites=6, periods=4)
    monkeypatch.setenv("COLLABEVAL_CORES", "2")
    first = fit.sample(panel, "m", settings)
    monkeypatch.setenv("COLLABEVAL_CORES", "1")
    assert first.identical(fit.sample(panel, "m", settings))
    other = params_for(model={"engine": "laplace"}, seed=8)
    assert not first["posterior"].equals(fit.sample(panel, "m", other)["posterior"])


@pytest.mark.parametrize("family", ["binomial", "poisson", "normal"])
def test_both_engines_agree(family):
    panel = small_panel(family, sites=12, periods=4)
    model = {"overdispersion": True, "trend": "random_walk"}
    trees = [fit.sample(panel, "m", params_for(family, {**model, "engine": engine})) for engine in ("laplace", "nuts")]
    fast, slow = (tree["posterior"].to_dataset() for tree in trees)
    assert set(fast) == set(slow)
    for name in fast:
        assert fast[name].dims == slow[name].dims
        ours, theirs = (values[name].stack(all=("chain", "draw")) for values in (fast, slow))
        away = np.abs(ours.mean("all") - theirs.mean("all")) / theirs.std("all")
        assert float(away.max()) < 0.25, name  # some 1,000 effective draws each, worst of up to 48 effects
        ratio = ours.std("all") / theirs.std("all")
        assert 0.75 < float(ratio.min()) <= float(ratio.max()) < 1.33, name


def test_a_model_without_gaussian_form_goes_to_nuts_and_says_why():
    model = {
        "engine": "auto",
        "site_effects": "student_t",
        "trend": "none",
        "trajectory": False,
        "overdispersion": False,
    }
    quick = {"draws": 60, "tune": 150, "chains": 2, "minimum_ess": 1}
    tree = fit.sample(infant_panel(), "m", params_for(model=model, **quick))
    assert tree.attrs["engine"] == "nuts"
    assert "student_t" in tree.attrs["engine_reason"]
    with pytest.raises(UsageError, match="student_t has no Gaussian form → use auto or nuts"):
        fit.sample(infant_panel(), "m", params_for(model={**model, "engine": "laplace"}, **quick))


def test_a_fast_fit_that_fails_its_check_goes_to_nuts_unless_it_was_asked_for(monkeypatch):
    monkeypatch.setattr(weights, "LIMIT", -5.0)
    quick = {"draws": 60, "tune": 150, "chains": 2, "minimum_ess": 1}
    tree = fit.sample(infant_panel(), "m", params_for(model={"engine": "auto"}, **quick))
    assert tree.attrs["engine"] == "nuts"
    assert "k̂" in tree.attrs["engine_reason"]
    asked = fit.sample(infant_panel(), "m", params_for(model={"engine": "laplace"}, **quick))
    assert asked.attrs["engine"] == "laplace"
    assert asked.attrs["pareto_k"] > asked.attrs["pareto_k_limit"]


def test_auto_takes_the_fast_engine_where_its_check_passes():
    tree = fit.sample(infant_panel(), "m", params_for(model={"engine": "auto"}))
    assert tree.attrs["engine"] == "laplace"
    assert tree.attrs["pareto_k"] <= tree.attrs["pareto_k_limit"]
    assert tree.attrs["importance_ess"] >= 1000


def test_weights_find_a_posterior_that_the_first_aim_misses(monkeypatch):
    """Profiles squeezed to a third: k̂ says so, and the kernels that follow mend it."""
    problem = pose(read_design(small_panel(sites=20, periods=4), "binomial", Model()))
    centre, random = locate(problem), np.random.default_rng(3)
    narrow = [type(each)(each.place / 3, each.log_density) for each in centre.profiles]
    squeezed = type(centre)(**{**vars(centre), "profiles": tuple(narrow)})
    first = weights.importance_sample(problem, squeezed, 1, weights.BATCH, random)
    assert len(first.aims) > 1
    truth = weights.importance_sample(problem, centre, 1000, 8000, random)
    found = weights.importance_sample(problem, squeezed, 1000, 8000, random)
    means = [each.smoothed[0] @ each.u for each in (truth, found)]
    spread = np.sqrt(truth.smoothed[0] @ truth.u**2 - means[0] ** 2)
    assert np.all(np.abs(means[1] - means[0]) < 0.25 * spread)


def test_spreads_keep_their_width_where_quadrature_is_rough():
    """Few events and cells that vary widely: slopes by quadrature fall short of the log-density's own near the mode.

    A search that took this for failure once made every draw of a spread the same, with weights that looked fine.
    """
    rows, design, truth = world("poisson", FORMS["full"], 20250, 78)
    assert len(rows) == design.cells
    found = engine.fit(design, Sampling(seed=1, chains=2, draws=300, minimum_ess=400), lambda message: None)
    spread = found.posterior["overdispersion_sd"]
    assert float(spread.std()) > 0.05
    assert float(spread.min()) < float(np.ravel(truth["overdispersion_sd"])[0]) < float(spread.max())


def test_a_picture_of_the_posterior_that_collapsed_is_refused():
    whole = laplace_centre.Side([0.7, 1.8, 2.9], [0.25, 1.6, 4.5], np.zeros(1), np.zeros(1))
    laplace_centre._trust([(whole, whole)])
    collapsed = laplace_centre.Side([0.7, 1.8, 2.9], [0.0, 0.0, 1e-9], np.zeros(1), np.zeros(1))
    with pytest.raises(laplace_centre.TooCoarseError, match="not of a shape"):
        laplace_centre._trust([(whole, collapsed)])


def test_eight_schools():
    """Rubin (1981); μ ~ N(0, 5), τ ~ half-Cauchy(0, 5). Exact posterior means by numerical integration."""
    exact = {"theta": [6.212, 4.940, 3.927, 4.757, 3.615, 4.043, 6.297, 4.854], "mu": 4.397, "tau": 3.598}
    schools = pd.DataFrame({"site": list("ABCDEFGH"), "mean": [28.0, 8, -3, 7, -1, 1, 18, 12]})
    schools = schools.assign(se=[15.0, 10, 16, 11, 9, 11, 10, 18], period="", time=0.0, measure="m", weight=1.0)
    for name in ("numerator", "denominator", "expected", "sd", "n"):
        schools[name] = np.nan
    scale = read_design(schools, "normal", Model()).scale
    priors = {
        "intercept": {"dist": "Normal", "mu": 0.0, "sigma": 5.0},
        "site_sd": {"on": "sd", "dist": "HalfCauchy", "beta": 5.0 / scale},
    }
    one_period = {"trend": "none", "trajectory": False, "overdispersion": False}
    settings = params_for("normal", {**one_period, "engine": "laplace", "priors": priors}, minimum_ess=4000, draws=2000)
    tree = fit.sample(schools, "m", settings)
    posterior, effective = tree["posterior"].to_dataset(), tree.attrs["importance_ess"]
    assert tree.attrs["pareto_k"] < 0.7
    mu, tau = posterior["intercept"].to_numpy().ravel(), scale * posterior["site_sd"].to_numpy().ravel()
    theta = mu[:, None] + scale * posterior["site_level"].to_numpy()[0]
    for found, truth in ((mu, exact["mu"]), (tau, exact["tau"]), *zip(theta.T, exact["theta"], strict=True)):
        assert abs(found.mean() - truth) < 3 * found.std() / np.sqrt(effective)

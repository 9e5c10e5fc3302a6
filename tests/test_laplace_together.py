"""Several measures in the fast engine: tables of levels, what a correlation adds to them, draws, and the posterior."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

from collabeval import estimates, fit
from collabeval.errors import UsageError
from collabeval.laplace import combinations, coupled, together
from collabeval.laplace.aims import Gaussianlike
from collabeval.laplace.combinations import Coupled, correlations
from collabeval.laplace.engine import SITE_SHARE, failure, worst_site
from collabeval.laplace.levels import POINTS, STEP
from collabeval.laplace.problem import pose
from collabeval.laplace.together import Together
from collabeval.models.correlation import CORRELATION, beta_shapes, correlation_matrices, memberships
from collabeval.models.design import read_design
from collabeval.params import Model, Sampling
from fitting import params_for, whole
from together_case import correlated, density_at

R = np.array([[1, 0.6, 0.2], [0.6, 1, -0.3], [0.2, -0.3, 1]])


def gaussians(middle, spread):
    """Places (…, 4) and tables (…, POINTS) of Gaussian levels."""
    middle, spread = np.broadcast_arrays(middle, spread)
    places = np.stack([middle, spread, middle, spread**2], axis=-1).astype(float)
    steps = STEP * (np.arange(POINTS) - POINTS // 2)
    return places, norm.logpdf(steps) - np.log(spread[..., None])


def made(has, seed=0, proposals=3, skew=0.0):
    """Levels of some sites in some proposals of three measures; `skew` of their log-densities, in cubes."""
    random = np.random.default_rng(seed)
    shape = (has.shape[1], proposals, len(has))
    places, tables = gaussians(random.normal(size=shape), random.uniform(0.3, 0.9, shape))
    tables += skew * (STEP * (np.arange(POINTS) - POINTS // 2)) ** 3
    kinds = np.unique(has, axis=0, return_inverse=True)[1]
    weights = tuple(np.full(proposals, 1 / proposals) for _ in range(has.shape[1]))
    held = np.argsort(~has, axis=1, kind="stable")
    return Coupled(
        places, tables, held, has.sum(axis=1), kinds, weights, tuple(random.normal(size=(has.shape[1], proposals, 2)))
    )


HAS = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1], [1, 0, 0]], bool)


def u_of(matrix):
    """Where R is among the combinations' coordinates."""
    a, b, c = matrix[1, 0], matrix[2, 0], matrix[2, 1]
    partial_c = (c - a * b) / np.sqrt((1 - a * a) * (1 - b * b))
    return 2 * np.arctanh([[a, b, partial_c]])


def test_partial_correlations_make_r():
    np.testing.assert_allclose(correlations(u_of(R), 3)[0], R, atol=1e-12)
    assert list(beta_shapes(3)) == [2.5, 2.5, 2.0]
    random = np.random.default_rng(1)
    shapes = beta_shapes(4)
    drawn = correlation_matrices(2 * random.beta(shapes, shapes, (20000, 6)) - 1, 4)
    for row, column in zip(*np.tril_indices(4, -1), strict=True):
        # each r of R ~ LKJ(2) is 2 Beta(η + (M − 2)/2, ·) − 1 (Lewandowski, Kurowicka & Joe 2009)
        assert drawn[:, row, column].var() == pytest.approx(1 / (2 * 3 + 1), rel=0.04)


@pytest.mark.parametrize("exact", [True, False])
def test_what_r_adds_to_gaussian_levels_is_known(exact):
    """∫ Π N(z; m, v) N(z; 0, R)/N(z; 0, I) dz: by the densities of sums of Gaussians."""
    found = made(HAS)
    picks = np.array([[0, 1, 2], [2, 0, 0]])
    expected = []
    for pick in picks:
        total = 0.0
        for j, measures in enumerate(map(np.flatnonzero, HAS)):
            place = found.places[measures, pick[measures], j]
            own = R[np.ix_(measures, measures)]
            # N(z; m, v) over N(z; 0, 1) is a Gaussian likelihood of precision 1/v − 1, whose estimate is e
            v = 1 / (1 / place[:, 3] - 1)
            e = place[:, 2] / place[:, 3] * v
            total += multivariate_normal(np.zeros(len(e)), own + np.diag(v)).logpdf(e)
            total -= norm.logpdf(e, 0, np.sqrt(1 + v)).sum()
        expected.append(total)
    np.testing.assert_allclose(found.added(picks, np.repeat(u_of(R), 2, axis=0), exact), expected, atol=1e-6)


def test_what_r_adds_to_skew_levels_is_their_sum_on_a_grid():
    found = made(HAS[:3], skew=0.02)
    pick, matrix = np.array([1, 2, 0]), correlations(u_of(R), 3)[0]
    expected, grid = 0.0, np.linspace(-6, 6, 101)
    for j, measures in enumerate(map(np.flatnonzero, HAS[:3])):
        logs = []
        for m in measures:
            at = partial(density_at, found.places[m, pick[m], j][None], found.tables[m, pick[m], j][None])
            logs.append(np.array([at(level) for level in grid]))
        z = np.stack(np.meshgrid(*[grid] * len(measures), indexing="ij"), axis=-1)
        own = matrix[np.ix_(measures, measures)]
        value = multivariate_normal(np.zeros(len(measures)), own).logpdf(z) - norm.logpdf(z).sum(axis=-1)
        for place, log in enumerate(logs):
            value = value + log.reshape([-1 if d == place else 1 for d in range(len(logs))])
        expected += logsumexp(value) + len(measures) * np.log(grid[1] - grid[0])
    assert found.added(pick[None], u_of(R))[0] == pytest.approx(expected, abs=3e-3)


def test_nothing_is_added_where_levels_do_not_correlate():
    assert made(HAS).added(np.array([[0, 1, 2]]), np.zeros((1, 3)))[0] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("measures", [2, 3, 4])
def test_the_rule_has_nodes_enough(measures, monkeypatch):
    """Against eleven nodes a measure, for skew levels of twelve sites that correlate."""
    found = made(np.ones((12, measures), bool), skew=0.02)
    finer = made(np.ones((12, measures), bool), skew=0.02)
    pick = np.zeros((1, measures), int)
    u = np.full((1, measures * (measures - 1) // 2), 1.0)  # every partial correlation 0.46
    value = found.added(pick, u)[0]
    monkeypatch.setattr(combinations, "NODES", (0, 0, 11, 11, 11))
    assert value == pytest.approx(finer.added(pick, u)[0], abs=0.01)
    assert value != finer.added(pick, u, exact=False)[0]


def test_a_proposal_is_taken_as_it_goes_with_those_before():
    """Candidates in proportion to what R adds by Gaussians, and their mean share over that of the one taken."""
    found, count = made(HAS, proposals=4), 4000
    order, u = np.array([1, 2, 0]), u_of(R)
    candidates = np.tile(np.arange(4), (count, 3, 1))
    picks = np.zeros((count, 3), np.int64)
    chances = np.random.default_rng(5).random((count, 3))
    weights = coupled.pair(found.places, found.held, found.counts, found.kinds, np.repeat(R[None], count, axis=0),
                           order, candidates, chances, picks)  # fmt: skip
    assert (picks[:, 1] == 0).all()
    every = np.array([[a, 0, c] for a in range(4) for c in range(4)])
    added = found.added(every, np.repeat(u, 16, axis=0), exact=False).reshape(4, 4)
    for c in range(4):
        mine = picks[picks[:, 2] == c, 0]
        share = np.exp(added[:, c] - logsumexp(added[:, c]))
        taken = np.bincount(mine, minlength=4) / len(mine)
        np.testing.assert_allclose(taken, share, atol=4 * np.sqrt(0.25 / len(mine)))
    # that each is taken as often as it weighs makes the mean weight of what R adds the mean over all combinations
    values = weights + added[picks[:, 0], picks[:, 2]]
    error = np.exp(values).std() / np.sqrt(count)
    assert np.exp(values).mean() == pytest.approx(np.exp(added).mean(), abs=4 * error)


def test_levels_are_drawn_from_their_joint_density():
    found, families, each, pick = made(HAS[:3]), 800, 25, np.array([[0, 1, 2]])
    count = families * each
    drawn, ratios = np.zeros((count, 3, 3)), np.zeros((families, 40, 3), np.float32)
    coupled.draw_levels(np.random.default_rng(3), found.places, found.tables, found.held, found.counts,
                        np.repeat(pick, families, axis=0), np.repeat(R[None], families, axis=0),
                        each * np.arange(families + 1), np.arange(count), drawn, ratios)  # fmt: skip
    for j, measures in enumerate(map(np.flatnonzero, HAS[:3])):
        place, own = found.places[measures, pick[0, measures], j], R[np.ix_(measures, measures)]
        precision = np.linalg.inv(own) - np.eye(len(measures)) + np.diag(1 / place[:, 3])
        covariance = np.linalg.inv(precision)
        mean = covariance @ (place[:, 2] / place[:, 3])
        mine = drawn[:, j, measures]
        # eight proposals are made for each draw
        np.testing.assert_allclose(mine.mean(axis=0), mean, atol=5 * np.sqrt(np.diag(covariance) / count).max())
        np.testing.assert_allclose(np.cov(mine.T), covariance, atol=0.05 * np.diag(covariance).max())
    assert not drawn[:, 1, 1].any()
    assert worst_site(ratios.reshape(-1, 3)) > SITE_SHARE


def test_weights_of_combinations_do_not_depend_on_what_proposed_them(monkeypatch):
    """The mean of the weights estimates one constant, whatever R is aimed by and however many candidates there are."""
    found, means, sizes = made(HAS, proposals=6), [], []
    random = np.random.default_rng(4)
    aim = combinations.most_probable(found, random)
    wide = Gaussianlike(aim.middle + 0.2, 1.3 * aim.factor)
    for candidates, one in ((1, aim), (1, wide), (8, aim), (8, wide)):
        monkeypatch.setattr(combinations, "CANDIDATES", candidates)
        made_of = combinations.batch(found, one, 4000, random)
        weights = np.exp(made_of.log_weights)
        means.append((weights.mean(), weights.std() / np.sqrt(len(weights))))
        sizes.append(made_of.effective)
    for mean, error in means[1:]:
        assert abs(mean - means[0][0]) < 4 * np.hypot(error, means[0][1])
    assert sizes[2] > 1.3 * sizes[0], "proposals that go together are found"


@pytest.mark.parametrize(("own", "of_combinations", "said"), [
    (0.2, 0.5, 0.5), (0.6, 0.1, 0.6), (np.nan, 0.1, np.nan), (0.2, np.nan, np.nan), (np.inf, 0.1, np.inf),
])  # fmt: skip
def test_a_measure_says_the_worse_k_of_proposals_and_combinations(own, of_combinations, said):
    drawn = SimpleNamespace(attributes={"pareto_k": own, "pareto_k_limit": 0.7, "importance_ess": 900.0,
                                        "proposals_lost": 0.0})  # fmt: skip
    combined = SimpleNamespace(smoothed=(None, of_combinations), u=np.zeros((4000, 1)), effective=800.0)
    found = together._said(drawn, combined, np.zeros((40, 3)))
    assert found["pareto_k"] == pytest.approx(said, nan_ok=True)
    assert found["importance_ess"] == 800
    assert bool(failure(found)) == (not said <= 0.7)


def means_of_two(sites=30, truth=0.7, seed=8):
    """Two measures of one period whose means have known standard errors; the second is not of all sites."""
    random = np.random.default_rng(seed)
    z = random.multivariate_normal([0, 0], [[1, truth], [truth, 1]], sites)
    parts = []
    for m, (name, sd, error) in enumerate((("a", 0.5, 0.25), ("b", 0.8, 0.7))):
        mean = (1.0, -2.0)[m] + sd * z[:, m] + error * random.normal(size=sites)
        rows = whole(pd.DataFrame({"site": [f"S{j:02d}" for j in range(sites)], "period": "", "time": 0.0}))
        rows = rows.assign(measure=name, mean=mean, se=error)
        parts.append(rows.iloc[: sites - 5 * m])
    return pd.concat(parts, ignore_index=True)


def exact_means(panel, designs, problems):
    """Posterior mean and sd of τ_a, τ_b, r and of the intercepts by summing over a grid: all else is Gaussian."""
    names = list(designs)
    rows = {name: panel[panel["measure"] == name] for name in names}
    sites = sorted(set(panel["site"]))
    place = np.concatenate([[sites.index(site) for site in rows[name]["site"]] for name in names])
    of = np.repeat([0, 1], [len(rows[name]) for name in names])
    y = np.concatenate([rows[name]["mean"] for name in names])
    error = np.concatenate([rows[name]["se"] for name in names])
    scale = np.array([designs[name].scale for name in names])
    g = [(problems[name].programme.centre[0], problems[name].programme.precision[0] ** -0.5) for name in names]
    same, intercepts = place[:, None] == place, (of[:, None] == of) * np.array([sd for _, sd in g])[of] ** 2
    middle = np.array([mean for mean, _ in g])[of]
    roots, rs = np.linspace(0.05, 1.6, 32), np.linspace(-0.98, 0.98, 50)
    total, values = [], []
    for a in roots:
        for b in roots:
            prior = sum(
                float(problems[name].log_prior(np.array([[root]]))[0]) for name, root in zip(names, (a, b), strict=True)
            )
            tau = np.array([a * a, b * b]) * scale
            link = np.where(of[:, None] == of, 1.0, rs[:, None, None]) * same
            factor = np.linalg.cholesky(link * np.outer(tau[of], tau[of]) + intercepts + np.diag(error**2))
            away = np.linalg.solve(factor, (y - middle)[:, None])[..., 0]
            log_root = np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
            total += list(prior + np.log(1 - rs**2) - 0.5 * (away**2).sum(axis=1) - log_root)
            values += [(a * a, b * b, r) for r in rs]
    weights = np.exp(np.array(total) - np.max(total))
    weights /= weights.sum()
    mean = weights @ np.array(values)
    return mean, np.sqrt(weights @ (np.array(values) - mean) ** 2)


def test_the_posterior_is_that_of_a_grid():
    panel = means_of_two()
    settings = Model.model_validate({"trend": "none", "overdispersion": False})
    designs = {
        name: read_design(panel[panel["measure"] == name].reset_index(drop=True), "normal", settings) for name in "ab"
    }
    problems = {name: pose(design) for name, design in designs.items()}
    mean, sd = exact_means(panel, designs, problems)
    found = Together(problems, Sampling(seed=2), lambda said: None).fitted(1000)
    assert not found.failure
    posteriors = [found.measures[name].posterior for name in "ab"]
    drawn = [*(one["site_sd"].to_numpy().ravel() for one in posteriors), found.correlation.to_numpy()[0, :, 1, 0]]
    for values, centre, spread in zip(drawn, mean, sd, strict=True):
        assert values.mean() == pytest.approx(centre, abs=4 * spread / np.sqrt(1000))
        assert values.std() == pytest.approx(spread, rel=0.08)
    assert mean[2] > 0.3, "the correlation can be told from these data"


def params_together(model=None, families=("normal", "normal")):
    base = params_for()
    measures = {
        name: base.measures["m"].model_copy(update={"family": family, "label": name})
        for name, family in zip("abcde", families, strict=False)
    }
    settings = {
        "together": tuple(measures),
        "trend": "none",
        "overdispersion": False,
        "engine": "auto",
        **(model or {}),
    }
    return base.model_copy(update={"measures": measures, "model": Model.model_validate(settings)})


def test_a_fit_together_has_the_trees_of_its_measures():
    params, panel = params_together(), means_of_two()
    everything = dict.fromkeys("ab", lambda tree: tree["posterior"].to_dataset()[["site_sd", "site_level"]])
    trees = fit.sample_together(panel, params, everything)
    for name, sites in (("a", 30), ("b", 25)):
        tree = trees[name]
        assert tree.attrs["engine"] == "laplace"
        assert tree.attrs["together"] == "a, b"
        assert tree["posterior"]["site_level"].shape == (1, 4000, sites)
        assert tree["posterior"][CORRELATION].sel(measure="a", other="b").shape == (1, 4000)
    matrices = [tree["posterior"][CORRELATION].to_numpy() for tree in trees.values()]
    assert (matrices[0] == matrices[1]).all()
    one, other = (tree["posterior"]["site_level"].to_numpy()[0] for tree in trees.values())
    paired = [np.corrcoef(one[:, j], other[:, j])[0, 1] for j in range(25)]
    assert np.mean(paired) > 0.05, "draw s of one measure belongs to draw s of the other"
    again = fit.sample_together(panel, params, everything)
    assert (again["a"]["posterior"]["site_level"] == trees["a"]["posterior"]["site_level"]).all()


def test_more_measures_than_the_engine_can_go_to_nuts():
    panel = pd.concat([means_of_two().query("measure == 'a'").assign(measure=name) for name in "abcde"])
    params = params_together({"engine": "laplace"}, ["normal"] * 5)
    with pytest.raises(UsageError, match="at most 4 measures together, and params name 5"):
        fit.sample_together(panel, params, {})


def test_sites_and_their_measures_are_told_apart():
    has, place = memberships([np.array(["x", "y"]), np.array(["y", "z"])])
    assert has.tolist() == [[True, False], [True, True], [False, True]]
    assert place[has].tolist() == [0, 1, 0, 1]


@pytest.mark.slow
@pytest.mark.parametrize("overdispersion", [False, True])
def test_both_engines_agree_on_measures_together(overdispersion):
    """Means and spreads of R, of every hyperparameter and of every level, in Monte Carlo errors of both."""
    panel, params, _, _ = correlated(sites=40, periods=8)
    posteriors = []
    for engine in ("laplace", "nuts"):
        model = params.model.model_copy(update={"engine": engine, "overdispersion": overdispersion})
        own = params.model_copy(update={"model": model})
        trees = fit.sample_together(panel, own, estimates.reported_together(own, panel))
        assert {tree.attrs["engine"] for tree in trees.values()} == {engine}
        posteriors.append({name: tree["posterior"] for name, tree in trees.items()})
    gaps = []
    for name in "abc":
        fast, nuts = (one[name] for one in posteriors)
        for variable in fast.data_vars:
            if variable == "overdispersion":
                continue
            ours, theirs = (one[variable].stack(draw_=("chain", "draw")).to_numpy() for one in (fast, nuts))
            spread = theirs.std(axis=-1)
            moving = spread > 1e-9  # R is 1 on its diagonal
            gaps.append(((ours.mean(axis=-1) - theirs.mean(axis=-1))[moving] / spread[moving]).ravel())
            np.testing.assert_allclose(
                ours.std(axis=-1)[moving], spread[moving], rtol=0.15, err_msg=f"{name} {variable}"
            )
    gaps = np.concatenate(gaps)
    # a thousand effective draws of either: a difference has a standard error of 0.045 standard deviations
    assert np.abs(gaps).max() < 4.5 * 0.045
    assert gaps.std() < 1.2 * 0.045

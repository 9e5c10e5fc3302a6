"""Polynomials in place of the cells' integrals, and the aims that proposals learn: as good as what they stand for."""

from dataclasses import replace

import numba
import numpy as np
import pytest
from scipy import integrate

from collabeval.laplace import boxes, depths, weights
from collabeval.laplace.aims import ByKernels, ByProfiles, Gaussianlike, Mixed, promising
from collabeval.laplace.arrow import integrated
from collabeval.laplace.boxes import predictors, some_sites, tabulated
from collabeval.laplace.centre import Profile, locate
from collabeval.laplace.kernels import log_likelihood
from collabeval.laplace.polynomials import interpolated, moments, own_at, taken
from collabeval.laplace.problem import hermite, no_polynomials, pose
from collabeval.laplace.proposals import scales_of
from collabeval.models.design import read_design
from collabeval.params import Model
from fitting import small_panel

OVERDISPERSED = Model.model_validate({"overdispersion": True})


def problem_of(family, sites=12, periods=4):
    return pose(read_design(small_panel(family, sites=sites, periods=periods), family, OVERDISPERSED))


def without(problem):
    """The same problem, every integral by quadrature."""
    return replace(problem, cells=problem.cells._replace(polynomials=no_polynomials(len(problem.cells.y))))


@pytest.fixture(scope="module", params=["binomial", "poisson"])
def made(request):
    return tabulated(problem_of(request.param))


def test_polynomials_are_the_integrals_all_over_their_box(made):
    polynomials, random = made.cells.polynomials, np.random.default_rng(4)
    cells = np.arange(len(made.cells.y))
    assert polynomials.coefficients.shape[2] >= 5
    for acts in np.linspace(polynomials.low, polynomials.high, 9):
        s = np.sqrt(np.expm1(acts) / polynomials.information)
        eta = polynomials.middle + random.uniform(-1, 1, len(cells)) / polynomials.per
        truth = taken(made.cells, cells, eta, s, *hermite(21)) - polynomials.constants
        off = interpolated(polynomials, cells, eta, s) - truth
        assert abs(off.sum()) < 0.02
        assert np.sqrt(np.sum(off**2)) < 0.02
        assert np.ptp(truth) > 0.05  # there is something to be off by


def test_proposals_weigh_the_same_with_and_without_polynomials(made):
    """Within the box and beyond it: hyperparameters far out are integrated, and constants agree."""
    centre = locate(made)
    aim = weights.first(centre.profiles, len(centre.g))
    found = weights.batch(made, centre, aim, 60, np.random.default_rng(8))
    values = made.values(found.u)
    scales, trends = [scales_of(row) for row in made.rows(values)], made.trends(values)
    acts = np.log1p(made.cells.polynomials.information * values["overdispersion_sd"] ** 2)
    inside = (acts > made.cells.polynomials.low) & (acts < made.cells.polynomials.high)
    assert inside.any()
    by_polynomials, by_quadrature = np.array([
        [integrated(cells, made.programme, scales[k], trends[k], centre.depths, found.g[k], found.z[k],
                    own_at(cells, scales[k].own)) for k in range(60)]
        for cells in (made.cells, without(made).cells)
    ])  # fmt: skip
    constant = made.cells.polynomials.constants.sum()
    np.testing.assert_allclose(by_polynomials + constant, by_quadrature, atol=0.03)
    assert np.ptp(by_quadrature) > 2


def test_beyond_the_box_cells_are_integrated_as_finely_as_in_it(made):
    """Half the box's spreads further on no polynomial holds, and a coarse rule would be far off: it once was."""
    centre = locate(made)
    assert centre.depths.cells.min() >= depths.NODES
    far = made.cells.polynomials.high + 0.5 * (made.cells.polynomials.high - made.cells.polynomials.low)
    values = made.values(centre.u[None])
    row = made.rows(values)[0].copy()
    row[3] = np.sqrt(np.expm1(far) / made.cells.polynomials.information)
    scales, trend = scales_of(row), float(made.trends(values)[0])
    own = own_at(made.cells, row[3])
    assert np.isinf(own.per).all()
    sites = len(centre.z)
    ways = (centre.depths, depths.alike(depths.FINEST, sites), depths.alike(0, sites))
    taken, finest, coarse = (
        integrated(made.cells, made.programme, scales, trend, way, centre.g, centre.z, own) for way in ways
    )
    assert abs(taken - finest) < abs(coarse - finest) / 3


@numba.njit
def moments_of(own, i, eta, s):
    return moments(own, i, eta, s)


def test_moments_of_a_cells_own_effect_are_those_of_its_density(made):
    """Nearly: draws are exact about any point, and take the fewer tries the nearer it is to the mode."""
    polynomials = made.cells.polynomials
    s = np.sqrt(np.expm1((polynomials.low + polynomials.high) / 2) / polynomials.information)
    own = own_at(made.cells, s)
    for i in (0, 7, 20):
        eta = polynomials.middle[i] + 0.4 / polynomials.per[i]
        y, n = made.cells.y[i], made.cells.n[i]

        def density(e, power, y=y, n=n, eta=eta):
            top = log_likelihood(made.cells.family, y, n, eta)
            return e**power * np.exp(log_likelihood(made.cells.family, y, n, eta + s * e) - top - e**2 / 2)

        mass, first, second = (integrate.quad(density, -9, 9, args=(power,))[0] for power in range(3))
        mean, variance = moments_of(own, i, eta, s)
        assert mean == pytest.approx(first / mass, abs=0.01)
        assert variance == pytest.approx(second / mass - (first / mass) ** 2, abs=0.01)


def test_nothing_is_compiled_twice(made):
    """Compiling is most of a machine's first fit, and a number of another kind doubles it."""
    assert numba.typeof(made.cells) == numba.typeof(problem_of("poisson").cells)


def test_where_no_degree_does_everything_is_integrated(monkeypatch):
    monkeypatch.setattr(boxes, "DEGREES", ((2, 2),))
    problem = tabulated(problem_of("binomial"))
    assert problem.cells.polynomials.coefficients.size == 0
    assert problem.start is not None


def test_a_search_over_many_sites_begins_with_some(monkeypatch):
    problem = problem_of("poisson", sites=30)
    assert some_sites(problem) is problem
    monkeypatch.setattr(boxes, "ENOUGH", 30)
    few = some_sites(problem)
    assert len(few.cells.start) - 1 == 8
    np.testing.assert_array_equal(few.cells.y[:4], problem.cells.y[:4])
    np.testing.assert_array_equal(few.cells.y[4:8], problem.cells.y[16:20])
    begun = tabulated(problem)
    np.testing.assert_allclose(locate(begun).u, locate(problem).u, atol=0.02)


def test_the_box_is_about_the_mode(made):
    search = locate(made)
    values = made.values(search.u[None])
    scales = scales_of(made.rows(values)[0])
    eta = predictors(made, scales, float(made.trends(values)[0]), search.g, search.z)
    away = np.abs(eta - made.cells.polynomials.middle) * made.cells.polynomials.per
    assert away.max() < 0.5


def test_what_is_left_thin_gets_more_proposals(made, monkeypatch):
    """As many again until a quarter of the most were made, however many are effective."""
    centre = locate(made)
    plain = weights.importance_sample(made, centre, 50, 8000, np.random.default_rng(2))
    monkeypatch.setattr(weights, "LIMIT", -5.0)
    more = weights.importance_sample(made, centre, 50, 8000, np.random.default_rng(2))
    assert len(plain.u) < 2000 < len(more.u) + 1
    assert more.effective > plain.effective


def profiles(size):
    place = np.linspace(-5, 5, 21)
    return tuple(Profile(place, -0.5 * place**2) for _ in range(size))


def weighted(log_density, size, count=1500):
    """Points (S, size) from a wide Gaussian, their weights for a density, and what they were drawn from."""
    random = np.random.default_rng(6)
    wide = Gaussianlike(np.zeros(size), 1.5 * np.eye(size))
    points = wide.draw(count, random)
    mixture = wide.log_density(points)
    found = np.exp(log_density(points) - mixture)
    return points, found / found.sum(), mixture, random


def test_a_gaussian_posterior_is_aimed_at_by_its_moments():
    def shifted(points):
        return -0.5 * np.sum((points - np.array([1.0, -1.0, 0.5, 0, 0])) ** 2, axis=1)

    aim = promising(*weighted(shifted, 5)[:3], profiles(2), np.random.default_rng(1))
    assert isinstance(aim.hyper.parts[0], Gaussianlike)
    assert aim.hyper.parts[0].middle == pytest.approx([1, -1], abs=0.2)
    assert aim.programme.middle == pytest.approx([0.5, 0, 0], abs=0.15)
    np.testing.assert_allclose(aim.programme.factor, np.eye(3), atol=0.1)


def test_a_posterior_of_two_humps_is_aimed_at_by_kernels():
    def humps(points):
        hyper = np.logaddexp(*(-0.5 * np.sum((points[:, :2] - at) ** 2, axis=1) / 0.15 for at in (-1.8, 1.8)))
        return hyper - 0.5 * np.sum(points[:, 2:] ** 2, axis=1)

    aim = promising(*weighted(humps, 5, 4000)[:3], profiles(2), np.random.default_rng(1))
    assert isinstance(aim.hyper.parts[0], ByKernels)


def test_what_profiles_show_is_aimed_at_by_profiles_while_points_are_few():
    def along(x):
        return np.logaddexp(-0.5 * (x + 2) ** 2 / 0.1, -0.5 * (x - 2) ** 2 / 0.1)

    def humps(points):
        return along(points[:, 0]) - 0.5 * np.sum(points[:, 1:] ** 2, axis=1)

    place = np.linspace(-5, 5, 201)
    shape = (Profile(place, along(place)), *profiles(1))
    aim = promising(*weighted(humps, 5, 300)[:3], shape, np.random.default_rng(1))
    assert isinstance(aim.hyper.parts[0], ByProfiles)


def test_a_mixture_is_the_mean_of_its_parts():
    parts = (Gaussianlike(np.zeros(2), np.eye(2)), Gaussianlike(np.array([3.0, 0.0]), 0.5 * np.eye(2)))
    mixed, random = Mixed(parts), np.random.default_rng(3)
    points = mixed.draw(4000, random)
    assert points.mean(axis=0) == pytest.approx([1.5, 0], abs=0.1)
    assert np.mean(points[:, 0] > 2) == pytest.approx(0.5, abs=0.04)
    densities = np.exp([each.log_density(points) for each in (mixed, *parts)])
    np.testing.assert_allclose(densities[0], densities[1:].mean(axis=0))

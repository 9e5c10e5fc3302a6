"""What a site's level is given a proposal of one measure, tabulated: the density, and the slope given the level."""

from functools import partial

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from collabeval.laplace import levels, site_draws
from collabeval.laplace.engine import Sampler
from collabeval.laplace.kernels import compiled
from collabeval.laplace.levels import POINTS
from collabeval.laplace.polynomials import own_at
from collabeval.laplace.problem import pose
from collabeval.laplace.proposals import scales_of
from collabeval.laplace.sites import at_effects, gaussian_site, rule_at, sd_log_density
from collabeval.models.design import read_design
from collabeval.params import Model, Sampling
from fitting import small_panel
from together_case import density_at

GRID = np.linspace(-6, 6, 601)


@compiled
def counts_at(cells, j, scales, depths, known, own, b1, b2):
    return at_effects(cells, j, scales, rule_at(depths, depths.choice[j]), known, own, b1, b2)


@compiled
def means_at(cells, j, scales, known, rho):
    sd = scales.typical * np.exp(scales.spread * rho)
    return gaussian_site(cells, j, scales, known, sd), sd_log_density(cells, j, scales, rho)


@compiled
def effects_of(random, cells, j, scales, depths, known, own, mode, places, given, effects, rho, ratios):
    site_draws.draw_effects(random, cells, j, scales, depths, known, own, mode, places, given, effects, rho, ratios, 0)


class Proposal:
    """One proposal of a small fit, and what the engine knows of its sites."""

    def __init__(self, family: str, overdispersion: bool = True) -> None:
        panel = small_panel(family, sites=5, periods=4)
        settings = Model.model_validate({"overdispersion": overdispersion, "trend": "none"})
        sampler = Sampler(pose(read_design(panel, family, settings)), Sampling(seed=1), lambda said: None)
        found, self.problem, self.depths = sampler.weigh(100, 4000), sampler.problem, sampler.centre.depths
        chosen = [int(np.argmax(found.smoothed[0]))]
        values = self.problem.values(found.u[chosen])
        rows, trends = self.problem.rows(values), self.problem.trends(values)
        sites = len(self.problem.design.sites)
        self.places, self.tables = np.zeros((1, sites, 4)), np.zeros((1, sites, POINTS))
        levels.level_densities(self.problem.cells, self.problem.programme, self.depths, rows, trends, found.g[chosen],
                               found.z[chosen], np.arange(sites), self.places, self.tables)  # fmt: skip
        self.scales, self.mode = scales_of(rows[0]), found.z[chosen[0]]
        cells = self.problem.cells
        self.known, self.own = cells.offset + found.g[chosen[0], 0], own_at(cells, self.scales.own)

    def log_joint(self, j: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Log-density of a site's data and its two effects on a grid (A, B), by its definition."""
        cells = self.problem.cells
        if self.problem.design.family != "normal":
            at = partial(counts_at, cells, j, self.scales, self.depths, self.known, self.own)
            return np.array([[at(a, b) for b in second] for a in first])
        parts = []
        for rho in np.linspace(-6, 6, 121):
            (z1, z2, d11, d12, d22, value), prior = means_at(cells, j, self.scales, self.known, rho)
            joint = multivariate_normal([z1, z2], np.linalg.inv([[d11, d12], [d12, d22]]))
            parts.append(value + prior + joint.logpdf(np.stack(np.meshgrid(first, second, indexing="ij"), axis=-1)))
        return logsumexp(parts, axis=0).reshape(len(first), len(second))


@pytest.fixture(scope="module", params=["binomial", "poisson", "normal"])
def proposal(request):
    return Proposal(request.param)


def test_a_table_holds_the_density_of_a_level(proposal):
    """Against both effects on a fine grid, the second summed out."""
    for j in range(3):
        place, table = proposal.places[0, j], proposal.tables[0, j]
        first = place[2] + np.sqrt(place[3]) * np.array([-3, -2, -1, -0.3, 0, 0.4, 1.2, 2.1, 3])
        second = np.linspace(-6, 6, 121)
        expected = logsumexp(proposal.log_joint(j, first, second), axis=1)
        found = np.array([density_at(place[None], table[None], level) for level in first])
        # the series of a site's counts is of fourth order: its density far out is off by a few in a hundred of little
        np.testing.assert_allclose(np.exp(found - found[4]), np.exp(expected - expected[4]), atol=2e-3)
        every = np.exp([density_at(place[None], table[None], level) for level in GRID])
        share = every * (GRID[1] - GRID[0])
        assert share.sum() == pytest.approx(1, abs=2e-3)
        assert share @ GRID == pytest.approx(place[2], abs=2e-3)
        assert share @ (GRID - place[2]) ** 2 == pytest.approx(place[3], rel=1e-2)


def test_a_slope_is_drawn_given_its_level(proposal):
    """Mean and spread of the second effect, the first being given, against the density along that line."""
    cells, random, count = proposal.problem.cells, np.random.default_rng(2), 6000
    second, j = np.linspace(-6, 6, 241), 1
    for level in (proposal.places[0, j, 2] - 1, proposal.places[0, j, 2] + 1):
        effects, rho = np.zeros((count, len(cells.squares), 2)), np.zeros((count, len(cells.squares)))
        effects[:, j, 0] = level
        effects_of(random, cells, j, proposal.scales, proposal.depths, proposal.known, proposal.own, proposal.mode[j],
                   np.arange(count), True, effects, rho, np.zeros((0, len(cells.squares)), np.float32))  # fmt: skip
        density = np.exp(proposal.log_joint(j, np.array([level]), second)[0])
        density /= density.sum()
        mean = density @ second
        sd = np.sqrt(density @ (second - mean) ** 2)
        drawn = effects[:, j, 1]
        assert (effects[:, j, 0] == level).all()
        assert drawn.mean() == pytest.approx(mean, abs=4 * sd / np.sqrt(count))
        assert drawn.std() == pytest.approx(sd, rel=0.05)

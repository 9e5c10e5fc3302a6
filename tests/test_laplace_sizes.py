"""How many proposals and draws the fast engine makes: enough for the goal, and no more than it needs."""

from dataclasses import replace

import numpy as np
import pytest

from collabeval import fit
from collabeval.convergence import Mixing
from collabeval.laplace.engine import MOST_VALUES, SPARE, Fitted, Sampler
from collabeval.laplace.problem import pose
from collabeval.laplace.weights import USUAL, needed, resampled
from collabeval.models.design import read_design
from collabeval.params import Model, Sampling
from fitting import params_for, small_panel

GOAL = 1000


@pytest.mark.parametrize("count", [1250, 2000, 4000, 16_000])
def test_one_sweep_of_so_many_proposals_leaves_as_many_draws_as_asked_for(count: int):
    random = np.random.default_rng(count)
    effective = needed(GOAL, count)
    assert GOAL < effective < 1.3 * GOAL
    proposals = round(effective / USUAL)
    shape = USUAL / (1 - USUAL)  # of a gamma distribution of weights, of which this share is effective
    found = []
    for _ in range(20):
        weights = random.gamma(shape, size=proposals)
        picked = resampled(weights / weights.sum(), count, random)
        values = random.standard_normal((50, proposals))[:, picked]
        found.append(Mixing(1, picked).convergence(values).ess_bulk.mean())
    assert GOAL < np.mean(found) < 1.15 * GOAL


def test_of_too_few_draws_twice_as_many_proposals_are_asked_for():
    assert needed(GOAL, 800) == 2 * GOAL


def sampler(draws: int, repeats: int = 1) -> Sampler:
    """One that has found nothing yet, of a panel with its cells so many times over."""
    problem = pose(read_design(small_panel("binomial"), "binomial", Model()))
    made = object.__new__(Sampler)
    made.problem = replace(problem, cells=problem.cells._replace(y=np.tile(problem.cells.y, repeats)))
    made.sampling = Sampling(seed=1, draws=draws)
    return made


def test_draws_are_those_of_params_unless_cells_are_many():
    assert sampler(1000).kept(GOAL) == 4000
    cells = len(sampler(1000).problem.cells.y)
    times = 2 * MOST_VALUES // 4000 // cells
    assert sampler(1000, times).kept(GOAL) == pytest.approx(2000, rel=0.01)
    assert sampler(1000, 20 * times).kept(GOAL) == SPARE * GOAL, "fewer cannot be as good as asked for"
    assert sampler(200, 20 * times).kept(GOAL) == 800, "nor more than params ask for"


@pytest.mark.parametrize(("draws", "rounds"), [(100, 1), (1000, 2)])
def test_more_proposals_follow_only_where_draws_are_enough_for_the_goal(monkeypatch, draws: int, rounds: int):
    """With a first round that is aimed too low, of 200 draws no further round could make a thousand."""
    asked, fitted = [], Sampler.fitted

    def too_low(self: Sampler, effective: float) -> Fitted:
        asked.append(effective)
        return fitted(self, effective / 4 if len(asked) == 1 else effective)

    monkeypatch.setattr(Sampler, "fitted", too_low)
    params = params_for(model={"engine": "laplace"}, draws=draws, chains=2)
    tree = fit.sample(small_panel(), "m", params)
    assert len(asked) == rounds
    assert tree["posterior"].sizes["draw"] == 2 * draws

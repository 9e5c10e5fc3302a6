"""R-hat and effective sample sizes of many quantities at once are ArviZ's, number for number."""

import numpy as np
import pytest
from arviz_stats.base import array_stats

from collabeval.convergence import convergence, monte_carlo_error

pytestmark = pytest.mark.filterwarnings("ignore:invalid value")


def chains(draws: int, rows: int = 30) -> np.ndarray:
    """Autoregressive chains of many kinds: sticky, antithetic, discrete, apart from each other, binary."""
    random = np.random.default_rng(20191231)
    noise = random.normal(size=(rows, 4, draws))
    stickiness = random.uniform(-0.6, 0.97, size=(rows, 1))
    values = noise.copy()
    for draw in range(1, draws):
        values[:, :, draw] = stickiness * values[:, :, draw - 1] + noise[:, :, draw]
    values[:5] = np.round(values[:5])
    values[5:10] += random.normal(size=(5, 4, 1))
    values[10] = values[10] > 1
    return values


@pytest.mark.parametrize("draws", [1000, 501, 40, 8])
def test_the_numbers_are_those_of_arviz(draws):
    values = chains(draws)
    found = convergence(values)
    axes = {"chain_axis": 1, "draw_axis": 2}
    rtol = 1e-9
    np.testing.assert_allclose(found.rhat, array_stats.rhat(values, **axes, method="rank"), rtol=rtol)
    np.testing.assert_allclose(found.ess_bulk, array_stats.ess(values, **axes, method="bulk"), rtol=rtol)
    np.testing.assert_allclose(found.ess_tail, array_stats.ess(values, **axes, method="tail", prob=0.95), rtol=rtol)


def test_constants_and_broken_rows_have_no_number_and_leave_the_others_alone():
    values = chains(100, rows=12)
    alone = convergence(values[2:])
    values[0], values[1, 2, 3] = 7.0, np.nan
    found = convergence(values)
    for name in ("rhat", "ess_bulk", "ess_tail"):
        assert np.isnan(getattr(found, name)[:2]).all()
        np.testing.assert_array_equal(getattr(found, name)[2:], getattr(alone, name))


def test_one_chain_has_no_rhat_but_a_sample_size():
    found = convergence(chains(100)[:, :1])
    assert np.isnan(found.rhat).all()
    assert np.isfinite(found.ess_bulk).all()


def test_chains_that_disagree_are_seen():
    values = np.random.default_rng(1).normal(size=(1, 4, 500))
    values[0, 0] += 3
    assert convergence(values).rhat[0] > 1.1
    assert convergence(values).ess_bulk[0] < 50


@pytest.mark.parametrize("draws", [1000, 501, 40])
def test_monte_carlo_errors_are_those_of_arviz(draws):
    values = chains(draws, rows=150)  # more rows than are done at once
    events = values > np.quantile(values, 0.9, axis=(1, 2), keepdims=True)
    for rows in (values, events):
        arviz = array_stats.mcse(rows.astype(float), chain_axis=1, draw_axis=2, method="mean")
        np.testing.assert_allclose(monte_carlo_error(rows), arviz, rtol=1e-9)


def test_the_error_of_a_chance_is_what_repeated_runs_show():
    """Chains that stay where they are with probability 0.8: the sd of P over 300 runs, and √(p(1−p)(1+ρ)/(1−ρ)/S)."""
    random = np.random.default_rng(4)
    runs, shape = 300, (4, 500)
    state = random.random((runs, 4, 1)) < 0.3
    events = np.empty((runs, *shape), dtype=bool)
    for draw in range(shape[1]):
        fresh = random.random((runs, 4, 1)) < 0.3
        state = np.where(random.random((runs, 4, 1)) < 0.8, state, fresh)
        events[:, :, draw] = state[:, :, 0]
    truth = np.sqrt(0.3 * 0.7 * (1 + 0.8) / (1 - 0.8) / 2000)
    assert events.mean(axis=(1, 2)).std() == pytest.approx(truth, rel=0.12)
    assert np.median(monte_carlo_error(events)) == pytest.approx(truth, rel=0.05)


def test_what_is_the_same_in_every_draw_has_no_error():
    assert monte_carlo_error(np.ones((2, 4, 100), dtype=bool)).tolist() == [0, 0]

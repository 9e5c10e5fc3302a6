"""Pareto-smoothed weights, against ArviZ and against a generalised Pareto distribution that is known."""

import numpy as np
import pytest
from arviz_stats.base import array_stats

from collabeval.pareto import generalised_pareto, smoothed


@pytest.mark.parametrize("count", [40, 225, 226, 5000])
@pytest.mark.parametrize("tail", [0.1, 1.0, 3.0])
def test_smoothed_weights_are_those_of_arviz(count, tail):
    drawn = tail * np.random.default_rng(count).standard_normal(count) ** 2
    theirs, k_theirs = array_stats.psislw(-drawn)
    ours, k_ours = smoothed(drawn)
    assert k_ours == pytest.approx(float(k_theirs), rel=1e-12)
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    assert np.exp(ours).sum() == pytest.approx(1)


def test_impossible_proposals_keep_no_weight():
    drawn = np.random.default_rng(1).standard_normal(400)
    drawn[::7] = -700.0
    ours, k_ours = smoothed(drawn)
    theirs, k_theirs = array_stats.psislw(-drawn)
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    assert k_ours == pytest.approx(float(k_theirs), rel=1e-12)
    assert np.exp(ours[::7]).max() < 1e-300


@pytest.mark.parametrize("shape", [-0.2, 0.3, 0.9])
def test_a_known_shape_and_scale_are_found(shape):
    chance = (np.arange(20000) + 0.5) / 20000
    found = generalised_pareto(2.5 * np.expm1(-shape * np.log1p(-chance)) / shape)
    assert found == pytest.approx((shape, 2.5), abs=0.02)


def test_weights_that_say_nothing():
    with pytest.raises(ValueError, match="24 weights are too few"):
        smoothed(np.arange(24.0))
    with pytest.raises(ValueError, match="all the same"):
        smoothed(np.zeros(300))


def test_a_tail_with_a_flat_foot_has_no_shape():
    drawn = np.zeros(1000)
    drawn[:10] = np.arange(10.0)
    ours, shape = smoothed(drawn)
    assert np.isnan(shape)
    assert np.exp(ours).sum() == pytest.approx(1)

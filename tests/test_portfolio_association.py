"""Features and improvement: the true features are integrated out exactly, and a known slope is found."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from collabeval.fit.association import sample_association
from collabeval.models.association import build_association_model
from collabeval.models.association_design import AssociationDesign, standardised
from collabeval.params import Sampling
from collabeval.params.indicators import FIVE

SLOPE = 0.02  # improvement for one point of the first feature


def world(count: int, seed: int, error: float = 4.0, slope: float = SLOPE) -> AssociationDesign:
    """Collaboratives whose improvement goes with the first of five unrelated features, measured with `error`."""
    generator = np.random.default_rng(seed)
    true = generator.normal(60, 12, (count, len(FIVE)))
    improvement = 0.3 + slope * (true[:, 0] - 60) + generator.normal(0, 0.05, count)
    measured = true + generator.normal(0, error, true.shape)
    told = improvement + generator.normal(0, 0.05, count)
    names = tuple(f"c{number}" for number in range(count))
    return standardised(names, FIVE, told, np.full(count, 0.05), measured, np.full(true.shape, error))


def test_the_likelihood_is_the_integral_over_the_true_feature():
    design = AssociationDesign(
        ("a", "b", "c"), ("x",), np.array([0.9, -1.1, 0.4]), np.array([0.3, 0.1, 0.6]),
        np.array([[0.7], [-1.2], [0.2]]), np.array([[0.4], [0.9], [0.05]]), 1.0, np.ones(1),
    )  # fmt: skip
    model = build_association_model(design)
    point = {name: np.asarray(value) + 0.3 for name, value in model.initial_point().items()}
    found = model.compile_logp(vars=[model["measured"], model["improvement"]], sum=False, jacobian=False)(point)
    names = ("slope", "feature_sd", "level", "residual_sd")
    told = model.replace_rvs_by_values([model[name] for name in names])
    values = model.compile_fn(told, inputs=model.value_vars, on_unused_input="ignore")(point)
    slope, spread, level, residual = (float(np.squeeze(value)) for value in values)
    assert abs(slope) > 0.01
    for place, together in enumerate(sum(np.reshape(part, (3, -1)).sum(axis=1) for part in found)):
        measured, improved = design.measured[place, 0], design.improvement[place]
        error, own = design.measured_se[place, 0], np.hypot(residual, design.improvement_se[place])

        def joint(true, measured=measured, improved=improved, error=error, own=own):
            of_feature = norm.pdf(measured, true, error) * norm.pdf(true, 0, spread)
            return of_feature * norm.pdf(improved, level + slope * true, own)

        whole, _ = quad(joint, -12, 12, points=[measured], epsabs=1e-14, limit=200)
        assert together == pytest.approx(np.log(whole), abs=1e-7)


@pytest.mark.slow
def test_a_known_slope_is_found_and_the_others_stay_near_none():
    draws = sample_association(world(24, seed=1), Sampling(seed=2))
    low, high = np.quantile(draws.slopes, [0.005, 0.995], axis=1)
    assert low[0] < SLOPE < high[0]
    assert low[0] > 0
    assert (np.abs(draws.slopes[1:].mean(axis=1)) < SLOPE / 4).all()


@pytest.mark.slow
def test_error_in_the_features_does_not_draw_the_slope_to_none():
    """Least squares on features measured with a reliability of a half would find half of the slope."""
    design = world(60, seed=3, error=12.0)
    naive = np.linalg.lstsq(np.column_stack([np.ones(60), design.measured]), design.improvement, rcond=None)[0][1]
    naive *= design.improvement_unit / design.feature_unit[0]
    assert naive < 0.7 * SLOPE
    slope = sample_association(design, Sampling(seed=4)).slopes[0]
    assert slope.mean() > 0.8 * SLOPE
    assert np.quantile(slope, 0.005) < SLOPE < np.quantile(slope, 0.995)

"""The fast engine is calibrated: truth drawn from the priors lies anywhere among its draws (docs/calibration.md)."""

import numpy as np
import pytest

from calibration import ranks, spreads, worlds
from calibration.uniform import curve
from collabeval.laplace.engine import fit as fast_fit
from collabeval.params import Sampling

SAMPLING = Sampling(seed=0, chains=2, draws=100, minimum_ess=400)


def test_the_band_holds_uniform_places_and_no_others():
    """Of 200 uniform samples 95 % stay within their band; places that crowd together or lean to one side do not."""
    random = np.random.default_rng(2)
    inside = [curve(random.random(60)).p_value >= 0.05 for _ in range(200)]
    assert 0.90 <= np.mean(inside) <= 0.99
    assert curve(0.5 + 0.5 * (random.random(300) - 0.5)).p_value < 0.001
    assert curve(random.beta(1.6, 1.0, 300)).p_value < 0.001
    found = curve(random.random(300))
    within = np.all((found.low <= found.difference) & (found.difference <= found.high))
    assert within == (found.p_value >= 0.05)


def test_worlds_are_drawn_from_the_priors():
    """Parameters have the priors' moments; effects have the parameters' spreads and correlation."""
    rows, design, _ = ranks.world("binomial", ranks.FORMS["full"], 1, 0)
    random = np.random.default_rng(4)
    drawn = [worlds.parameters(design, random) for _ in range(4000)]
    assert np.mean([values["site_sd"] for values in drawn]) == pytest.approx(0.5 * np.sqrt(2 / np.pi), abs=0.015)
    assert np.std([values["intercept"] for values in drawn]) == pytest.approx(1.0, abs=0.04)
    assert np.std([values["site_correlation"] for values in drawn]) == pytest.approx(np.sqrt(1 / 5), abs=0.02)
    given = drawn[0] | {"site_sd": 0.4, "trajectory_sd": 0.2, "site_correlation": 0.6, "trend_sd": 0.3}
    worlds_drawn = [worlds.effects(design, given, random) for _ in range(400)]
    level = np.concatenate([world["site_level"].to_numpy().ravel() for world in worlds_drawn])
    slope = np.concatenate([world["site_slope"].to_numpy().ravel() for world in worlds_drawn])
    steps = np.concatenate([np.diff(world["trend"].to_numpy().ravel()) for world in worlds_drawn])
    assert level.std() == pytest.approx(0.4, abs=0.02)
    assert slope.std() == pytest.approx(0.2, abs=0.01)
    assert np.corrcoef(level, slope)[0, 1] == pytest.approx(0.6, abs=0.04)
    assert steps.std() == pytest.approx(0.3 * np.sqrt(1 / ranks.PER_YEAR), abs=0.015)
    assert len(rows) == 50


@pytest.mark.slow
def test_the_fast_engine_is_calibrated():
    """Sixty worlds of twelve sites: every quantity's places are uniform; those of draws that are too narrow are not."""
    form = ranks.Form("level", 12, 1)
    found = [ranks.replicate("normal", form, 11, number, "laplace", SAMPLING) for number in range(60)]
    assert not [row["failure"] for row in found if row["failure"]]
    names = [name for name in found[0] if name not in {"replicate", "failure", "seconds", "pareto_k", "site_share"}]
    assert {"site_sd", "intercept", "site_level", "window_effect", "log_likelihood"} <= set(names)
    for name in names:
        places = np.array([row[name] for row in found])
        assert curve(places).p_value > 0.05 / 10 / len(names), name
    # draws with 40 % of their spread put the truth at the ends
    squeezed = np.clip(0.5 + 2.5 * (np.array([row["site_level"] for row in found]) - 0.5), 0, 1)
    assert curve(squeezed).p_value < 0.05 / 10 / len(names)


@pytest.mark.slow
def test_spreads_of_means_are_those_of_a_grid():
    """The engine beside brute force, on worlds whose means say next to nothing of the sites' sds: one period each."""
    sampling = Sampling(seed=0, chains=2, draws=1000, minimum_ess=2000)
    for number in range(8):
        _, design, truth = ranks.world("normal", ranks.FORMS["level"], 5, number)
        posterior = fast_fit(design, sampling, lambda message: None).posterior
        for name, place in spreads.places(design, truth).items():
            # 2,000 draws: a standard error of 0.011 at most
            assert float((posterior[name] < truth[name].item()).mean()) == pytest.approx(place, abs=0.045)

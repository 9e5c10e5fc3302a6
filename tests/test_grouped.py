"""Models of answers, scores and audits: one definition by hand, in PyMC and in the fast engine; truth is recovered."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from pytensor.compile.mode import Mode
from pytensor.graph.rewriting.db import RewriteDatabaseQuery
from scipy.integrate import quad
from scipy.special import expit, logsumexp

from calibration.features import places_of
from calibration.grouped_worlds import WORLDS, audit_world, chances_of, survey_of, survey_rows, survey_world
from calibration.uniform import curve
from collabeval.errors import CollabevalError
from collabeval.features.audit import audit_design
from collabeval.features.waves import half_normal
from collabeval.fit.grouped import sample_grouped
from collabeval.models.audit import build_audit_model
from collabeval.models.grouped import GroupedDraws, Term, thresholds_of
from collabeval.models.ratings import build_ratings_model
from collabeval.models.survey import build_survey_model
from collabeval.params import Model, Sampling
from collabeval.quadrature import centre, engine
from collabeval.quadrature.effects import group_effects, mean_share
from collabeval.quadrature.problem import pose

AS_WRITTEN = Mode(linker="py", optimizer=RewriteDatabaseQuery(include=[]))  # nothing compiled, nothing rewritten
BUILDERS = {"survey": build_survey_model, "ratings": build_ratings_model, "audit": build_audit_model}
QUICK = Sampling(seed=5, chains=2, draws=500, minimum_ess=400)
every_kind = pytest.mark.parametrize("kind", WORLDS)


def point_of(problem, seed):
    """A point of all variables: latent vector, standard deviations, effects of groups."""
    random = np.random.default_rng(seed)
    sizes = problem.size, len(problem.hyper), len(problem.rows.number)
    return random.normal(0, 0.7, sizes[0]), random.uniform(0.2, 1.4, sizes[1]), random.standard_normal(sizes[2])


# --- one definition ---


@every_kind
def test_pymc_and_the_fast_engine_have_the_same_density(kind):
    """To 1e-10 relative, but for a constant of the data: differences between points are compared."""
    design = WORLDS[kind](seed=3).design
    problem = pose(design)
    density = BUILDERS[kind](design).compile_logp(mode=AS_WRITTEN)
    theirs, ours = [], []
    for seed in range(4):
        z, deviations, effects = point_of(problem, seed)
        named, at = {"group_raw": effects}, 0
        for term in design.terms:
            named[f"{term.name}_raw"] = z[at : at + len(term.labels)]
            at += len(term.labels)
        if len(design.items):
            named["cuts_raw"] = z[at:].reshape(-1, 4)
        sigmas = np.array([each.prior.numbers["sigma"] for each in problem.hyper])
        named |= {f"{each.name}_log__": np.log(sd) for each, sd in zip(problem.hyper, deviations, strict=True)}
        theirs.append(float(density(named)))
        prior = np.sum(np.log(deviations) - 0.5 * (deviations / sigmas) ** 2)
        ours.append(problem.complete(z, deviations, effects) + prior)
    assert np.diff(ours) == pytest.approx(np.diff(theirs), rel=1e-10)


@every_kind
def test_the_density_is_the_one_of_the_docstrings(kind):
    """Categories by the formula, counts by the binomial, every row for itself."""
    design = WORLDS[kind](seed=4).design
    problem = pose(design)
    z, deviations, effects = point_of(problem, 1)
    beta, coordinates = problem.split(problem.scale(deviations) * z)
    eta, at = np.full(len(design.y), design.offset) + deviations[0] * effects[design.group], 0
    for term in design.terms:
        eta += term.weight * beta[at + term.index]
        at += len(term.labels)
    if kind == "audit":
        rows = design.y * eta - design.n * np.log1p(np.exp(eta))
    else:
        chances = chances_of(design.family, eta, thresholds_of(design.family, coordinates)[design.item])
        rows = np.log(chances[np.arange(len(eta)), design.y.astype(int) - 1])
    by_hand = rows.sum() - 0.5 * (effects @ effects) - 0.5 * (z @ z)
    assert problem.complete(z, deviations, effects) == pytest.approx(by_hand, rel=1e-12)


@every_kind
def test_a_group_is_integrated_out(kind):
    """Nine nodes do what SciPy's adaptive quadrature does, group by group."""
    design = WORLDS[kind](seed=6).design
    problem = pose(design)
    z, deviations, _ = point_of(problem, 2)
    total = 0.0
    for group in range(4):
        rows = slice(design.start[group], design.start[group + 1])
        alone = replace(
            design, y=design.y[rows], n=design.n[rows], item=design.item[rows], group=0 * design.group[rows],
            count=np.ones(1, np.int64),
            terms=tuple(replace(term, index=term.index[rows], weight=term.weight[rows]) for term in design.terms),
        )  # fmt: skip
        own = pose(alone)
        at_zero = own.complete(z, deviations, np.zeros(1))

        def ratio(effect, own=own, at_zero=at_zero):
            return np.exp(own.complete(z, deviations, np.array([effect])) - at_zero) / np.sqrt(2 * np.pi)

        exact = np.log(quad(ratio, -12, 12, epsabs=0, epsrel=1e-10, points=[-2, 0, 2])[0]) + at_zero + 0.5 * (z @ z)
        found = own.density(own.scale(deviations) * z, float(deviations[0]), np.zeros(1))
        assert found == pytest.approx(exact, abs=2e-4)
        total += abs(found)
    assert total > 0


@every_kind
def test_slopes_are_those_of_the_density(kind):
    design = WORLDS[kind](seed=8).design
    problem = pose(design, nodes=25)
    z, deviations, _ = point_of(problem, 3)
    scaled, sd, modes = problem.scale(deviations) * z, float(deviations[0]), np.zeros(len(design.count))
    value, slope, by_sd, _ = problem.slopes(scaled, sd, modes)
    assert value == pytest.approx(problem.density(scaled, sd, modes), rel=1e-12)
    step = 1e-5
    for place in np.linspace(0, problem.size - 1, 9).astype(int):
        move = step * np.eye(problem.size)[place]
        ends = [problem.density(scaled + sign * move, sd, modes) for sign in (1, -1)]
        assert slope[place] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-4, abs=1e-5)
    ends = [problem.density(scaled, sd + sign * step, modes) for sign in (1, -1)]
    assert by_sd == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-4, abs=1e-5)


def test_collapsed_patterns_lose_nothing():
    """Many people with few answers: fewer patterns than people, and the same density as one by one."""
    rows = survey_rows(people=60, items=2, sites=2, roles=2, seed=2)
    rows["response"] = np.where(np.random.default_rng(2).random(len(rows)) < 0.7, 4.0, 5.0)
    design = survey_of(rows)
    assert len(design.count) < 40
    assert design.count.sum() == 120
    collapsed, whole = pose(design), pose(design.expanded())
    z, deviations, _ = point_of(collapsed, 5)
    scaled, sd = collapsed.scale(deviations) * z, float(deviations[0])
    one = collapsed.density(scaled, sd, np.zeros(len(design.count)))
    assert one == pytest.approx(whole.density(scaled, sd, np.zeros(120)), rel=1e-12)
    assert collapsed.slopes(scaled, sd, np.zeros(len(design.count)))[1] == pytest.approx(
        whole.slopes(scaled, sd, np.zeros(120))[1], rel=1e-10
    )


# --- what is known beforehand ---


@pytest.mark.slow
def test_without_effects_the_cuts_are_the_log_odds_of_the_shares():
    """Ten thousand answers, next to no spread of people: maximum likelihood is in closed form."""
    rows = survey_rows(people=10_000, items=1, sites=1, roles=1, waves=1)
    rows["response"] = 1.0 + np.searchsorted([500, 1500, 3500, 8000], np.arange(10_000), side="right")
    design = replace(survey_of(rows, waves=1), priors={"respondent_sd": half_normal(0.001)})
    assert len(design.count) == 5
    found = engine.fit(design, QUICK)
    below = np.array([500, 1500, 3500, 8000]) / 10_000
    assert not found.failure
    assert found.draws.cuts.mean(axis=0)[0] == pytest.approx(np.log(below / (1 - below)), abs=0.02)
    assert found.draws.cuts.std(axis=0)[0] == pytest.approx(1 / np.sqrt(10_000 * below * (1 - below)), rel=0.1)


@pytest.mark.slow
def test_without_effects_the_steps_are_logarithms_of_neighbouring_counts():
    counts = np.array([1000, 2000, 4000, 6000, 3000])
    world = WORLDS["ratings"](seed=1, raters=2, waves=1).design
    scores = np.repeat(np.arange(1.0, 6.0), counts)
    terms = (Term("feature_level", "feature", np.array(["one"]), 1e-6, 0 * scores.astype(int), 0 * scores + 1),)
    design = replace(
        world, y=scores, n=0 * scores + 1, item=0 * scores.astype(int), group=np.arange(len(scores)) // 8,
        count=np.ones(len(scores) // 8, np.int64), terms=terms, priors={"rater_sd": half_normal(0.001)},
    )  # fmt: skip
    found = engine.fit(design, QUICK)
    assert not found.failure
    assert found.draws.cuts.mean(axis=0)[0] == pytest.approx(-np.log(counts[1:] / counts[:-1]), abs=0.02)


def cells(agreed, checked):
    """Audited cells of one site and field: an intercept, and an effect of each cell."""
    table = pd.DataFrame({"site": "S", "field": "f", "wave": 0, "checked": checked, "agreed": agreed})
    design = audit_design(table.assign(cell=range(len(agreed))))
    assert [term.name for term in design.terms] == ["intercept"]
    return design


def on_a_grid(design, most):
    """Levels (200,), upper edges of steps of the cells' sd up to `most` (200,), and the chance of each pair."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    level, edges = np.linspace(-3, 4, 200), np.linspace(0, most, 201)[1:]
    sd = edges - edges[0] / 2
    eta = level[:, None, None, None] + sd[:, None, None] * nodes[:, None]
    chance = design.y * np.log(expit(eta)) + (design.n - design.y) * np.log(expit(-eta))
    data = logsumexp(chance + np.log(weights / np.sqrt(2 * np.pi))[:, None], axis=2).sum(axis=2)
    sigma = design.priors[design.group_sd].numbers["sigma"]
    prior = -0.5 * ((level - design.offset) / 1.5)[:, None] ** 2 - 0.5 * (sd / sigma) ** 2
    posterior = np.exp(data + prior - (data + prior).max())
    return level, edges, posterior / posterior.sum()


@pytest.mark.slow
def test_the_posterior_is_that_of_a_fine_grid():
    """Twelve audited cells of one site and field: intercept and spread of cells on a grid of 200 × 200."""
    design = cells(np.array([9, 14, 20, 11, 17, 16, 8, 19, 20, 13, 15, 18.0]), np.full(12, 20.0))
    found = engine.fit(design, Sampling(seed=2, chains=2, draws=4000, minimum_ess=4000))
    level, edges, posterior = on_a_grid(design, 2.5)
    ours = design.offset + found.draws.coefficients("intercept")[:, 0]
    for values, grid, chances in (
        (ours, level, posterior.sum(axis=1)),
        (found.draws.group_sd, edges - edges[0] / 2, posterior.sum(axis=0)),
    ):
        mean = grid @ chances
        spread = np.sqrt((grid - mean) ** 2 @ chances)
        assert values.mean() == pytest.approx(mean, abs=0.06 * spread)
        assert values.std() == pytest.approx(spread, rel=0.06)


@pytest.mark.parametrize("agreed", [[6, 30, 54], [1, 30, 36, 24, 33, 27], [30, 31, 29, 30, 28, 32]])
def test_few_groups_far_apart_or_alike_have_the_spread_of_a_fine_grid(agreed):
    """Few groups that say much each: their spread has a long tail upwards and a steep end, or none, downwards."""
    checked = np.full(len(agreed), 60.0)
    design = replace(cells(np.array(agreed, float), checked), priors={"cell_sd": half_normal(1.0)})
    found = engine.fit(design, QUICK)
    assert not found.failure
    _, edges, posterior = on_a_grid(design, 5.0 if min(agreed) < 20 else 1.5)
    below = np.cumsum(posterior.sum(axis=0))
    for chance in (0.025, 0.1, 0.5, 0.9, 0.975):
        at = np.interp(chance, [0.0, *below], [0.0, *edges])
        place = np.mean(found.draws.group_sd <= at)
        assert place == pytest.approx(chance, abs=4 * np.sqrt(chance * (1 - chance) / len(found.draws.z)))


def test_a_picture_that_ends_where_the_posterior_has_weight_is_refused(monkeypatch):
    world = WORLDS["ratings"](seed=3)
    monkeypatch.setattr(centre, "_ends", lambda problem, u, width: (u[0] - width, u[0] + width))
    with pytest.raises(CollabevalError, match="rater_sd"):
        engine.fit(world.design, QUICK)


@pytest.mark.slow
def test_effects_of_groups_follow_their_rows():
    """Draws of effects given the rest have the mean and the spread of their distribution on a fine grid."""
    world = WORLDS["ratings"](seed=11)
    problem = pose(world.design)
    draws = GroupedDraws(
        world.design, np.tile(world.z, (3000, 1)), {name: np.full(3000, sd) for name, sd in world.deviations.items()},
        None, {},
    )  # fmt: skip
    sd = world.deviations["rater_sd"]
    found = group_effects(draws, seed=1) / sd
    deviations = np.array(list(world.deviations.values()))
    grid = np.linspace(-6, 6, 601)
    for rater in range(3):
        density = np.array(
            [problem.complete(world.z, deviations, np.where(np.arange(6) == rater, v, 0.0)) for v in grid]
        )
        chances = np.exp(density - density.max())
        chances /= chances.sum()
        mean = grid @ chances
        spread = np.sqrt((grid - mean) ** 2 @ chances)
        assert found[:, rater].mean() == pytest.approx(mean, abs=4 * spread / np.sqrt(3000))
        assert found[:, rater].std() == pytest.approx(spread, rel=0.06)


def test_a_mean_share_is_the_integral():
    eta, sd = np.array([[-3.0, 0.0, 1.7]]), np.array([1.8])
    exact = [
        quad(lambda v, at=at: expit(at + 1.8 * v) * np.exp(-0.5 * v * v) / np.sqrt(2 * np.pi), -9, 9)[0]
        for at in eta[0]
    ]
    assert mean_share(eta, sd)[0] == pytest.approx(exact, abs=2e-4)


# --- calibration ---


def places(kind, seeds, sampling, refused=0, **sizes):
    """Where the truth lies among the draws, 0 to 1, of every standard deviation and of all effects at random.

    So many worlds may be `refused` by the engine's own check: NUTS samples those.
    """
    found: dict[str, list[float]] = {}
    for seed in seeds:
        failure, own = places_of(kind, seed, sampling, **sizes)
        if failure:
            refused -= 1
            assert refused >= 0, (seed, failure)
            continue
        for name, place in own.items():
            found.setdefault(name, []).append(place)
    return {name: np.array(values) for name, values in found.items()}


@every_kind
def test_truth_lies_where_it_should(kind):
    """Eight small worlds: of all places of the truth together about half lie in the middle half, none beyond all."""
    sizes = {"survey": {"people": 20, "items": 2, "sites": 4}, "ratings": {}, "audit": {"sites": 5}}[kind]
    found = np.concatenate(list(places(kind, range(8), QUICK, **sizes).values()))
    assert len(found) >= 40
    assert 0.3 < np.mean((found > 0.25) & (found < 0.75)) < 0.7
    assert np.mean((found < 0.005) | (found > 0.995)) < 0.08


@pytest.mark.slow
@every_kind
def test_the_fast_engine_is_calibrated(kind):
    """A hundred worlds drawn from the priors: the places of the truth are uniform, quantity by quantity."""
    found = places(kind, range(100, 200), QUICK, refused=10)
    limit = 0.01 / len(found)  # no p-value is below 1/2001
    for name, values in found.items():
        assert curve(values).p_value > limit, name
    squeezed = np.clip(0.5 + 2.5 * (found[next(iter(found))] - 0.5), 0, 1)
    assert curve(squeezed).p_value < limit


def test_the_same_seed_gives_the_same_draws():
    """An interpolation that shuffled its points each time anew once changed last digits, and so k̂ and words."""
    design = audit_world(seed=7).design
    first, again = (engine.fit(design, QUICK).draws for _ in range(2))
    np.testing.assert_array_equal(first.z, again.z)
    for name, values in first.deviations.items():
        np.testing.assert_array_equal(values, again.deviations[name])


@pytest.mark.parametrize(("asked", "reason"), [("auto", "its own check passed"), ("laplace", "model.engine: laplace")])
def test_draws_say_why_this_engine_made_them(asked, reason):
    params = SimpleNamespace(model=Model(engine=asked), sampling=QUICK)
    said = sample_grouped(audit_world(seed=7).design, params).attributes
    assert (said["engine"], said["engine_reason"]) == ("quadrature", reason)
    assert said["pareto_k"] <= said["pareto_k_limit"]


@pytest.mark.slow
def test_nuts_agrees():
    """The same posterior by NUTS on the PyMC model, within Monte Carlo error."""
    design = survey_world(seed=21, people=40).design
    slow = SimpleNamespace(model=Model(engine="nuts"), sampling=Sampling(seed=3, draws=1000, minimum_ess=600))
    by_nuts, by_weights = sample_grouped(design, slow), engine.fit(design, Sampling(seed=3)).draws
    assert by_nuts.attributes["divergences"] == 0
    for name in (*[term.name for term in design.terms], "cuts"):
        one, other = (
            draws.cuts.reshape(len(draws.z), -1) if name == "cuts" else draws.coefficients(name)
            for draws in (by_nuts, by_weights)
        )
        assert np.abs(one.mean(axis=0) - other.mean(axis=0)) / one.std(axis=0) == pytest.approx(0, abs=0.15), name
        assert other.std(axis=0) / one.std(axis=0) == pytest.approx(1, abs=0.12), name

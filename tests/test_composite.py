"""Composites against what they are by definition, and measures fitted together against known truth."""

import numpy as np
import pytest
import xarray as xr
from scipy.stats import multivariate_normal, norm

from collabeval.composite import TABLES, evaluate_composites
from collabeval.composite.combine import combine
from collabeval.composite.parts import Part, aligned
from collabeval.composite.results import statements_table
from collabeval.disclosure import composites
from collabeval.estimates import evaluated_measure
from collabeval.models.correlation import CORRELATION
from collabeval.params import Composite, Params
from draws_for_tests import CHAINS, DRAWS, SIZE, Draws, panel_of, spread
from together_case import correlated


def part(name, standardised, rankability=0.8, eligible=None, rate=None, cases=100.0, own=None):
    sites = np.array([f"S{number:02d}" for number in range(len(standardised))])
    rate = np.full(standardised.shape, 0.5) if rate is None else rate
    own = np.full(len(sites), 10.0) if own is None else own
    return Part(
        name=name, sites=sites, eligible=np.ones(len(sites), bool) if eligible is None else eligible, window="2025",
        standardised=standardised, rate=rate, cases=cases, own_cases=own,
        own_events=own * rate.mean(axis=1), sd=0.3, rankability=rankability,
    )  # fmt: skip


def params_of(better="lower", together=()):
    measure = {"label": "M", "family": "binomial", "better": better}
    return Params.model_validate(
        {"collaborative": "c", "title": "t", "edition": "1", "data": {"sites": "s", "outcomes": "o"},
         "measures": {"a": measure, "b": measure}, "sampling": {"seed": 3}, "model": {"together": together}}
    )  # fmt: skip


@pytest.fixture
def draws():
    return np.random.default_rng(2).normal(size=(2, 12, 4000))


def test_weights_are_made_to_sum_to_one_and_the_composite_is_their_weighted_mean(draws):
    made = Composite.model_validate({"label": "C", "measures": {"a": 3, "b": 1}})
    found = combine(made, {"a": part("a", draws[0]), "b": part("b", draws[1])}, params_of())
    assert found.weights == {"a": 0.75, "b": 0.25}
    np.testing.assert_allclose(found.value, 0.75 * draws[0] + 0.25 * draws[1])
    np.testing.assert_allclose(found.advantage.mean(axis=0), 0, atol=1e-12)


def test_a_measure_that_cannot_tell_sites_apart_is_left_out_and_named(draws):
    made = Composite.model_validate({"label": "C", "measures": {"a": 1, "b": 1}})
    found = combine(made, {"a": part("a", draws[0]), "b": part("b", draws[1], rankability=0.1)}, params_of())
    assert found.weights == {"a": 1.0}
    assert found.left_out == {"b": "rankability 0.10 is below 0.2"}
    np.testing.assert_allclose(found.value, draws[0])


def test_reliability_is_the_share_of_the_prior_variance_that_the_data_settled():
    """Normal-normal by hand: sites N(0, 1) before, sd s after, so each z is 1 − s² reliable, and so is their mean."""
    random, sites, count = np.random.default_rng(1), 400, 2000
    centre = random.normal(size=(2, sites, 1)) * np.sqrt(1 - 0.4)
    values = centre + random.normal(size=(2, sites, count)) * np.sqrt(0.4)
    made = Composite.model_validate({"label": "C", "measures": ("a", "b")})
    found = combine(made, {"a": part("a", values[0]), "b": part("b", values[1])}, params_of())
    assert found.reliability.mean() == pytest.approx(0.6, abs=0.01)


def test_reliability_of_measures_that_correlate_is_by_the_variance_they_have_together():
    """Normal-normal by hand: z ~ N(0, R), seen with variances e, after that V = (R⁻¹ + I/e)⁻¹: 1 − w'Vw / w'Rw."""
    random, sites, count, r, error = np.random.default_rng(4), 2000, 1000, 0.6, np.array([0.5, 1.5])
    between, weights = np.array([[1, r], [r, 1]]), np.array([0.75, 0.25])
    after = np.linalg.inv(np.linalg.inv(between) + np.diag(1 / error))
    truth = random.multivariate_normal(np.zeros(2), between, sites)
    middle = (truth + random.normal(size=truth.shape) * np.sqrt(error)) / error @ after
    values = (middle[:, None] + random.multivariate_normal(np.zeros(2), after, (sites, count))).transpose(2, 0, 1)
    made = Composite.model_validate({"label": "C", "measures": {"a": 3, "b": 1}})
    parts = {"a": part("a", values[0]), "b": part("b", values[1])}
    by_hand = 1 - (weights @ after @ weights) / (weights @ between @ weights)
    as_if_alone = 1 - (weights @ after @ weights) / (weights @ weights)
    assert as_if_alone < by_hand - 0.1, "or the test could not tell"
    assert combine(made, parts, params_of(together=("a", "b"))).reliability.mean() == pytest.approx(by_hand, abs=0.01)


def test_sites_without_one_of_the_measures_get_no_composite_and_are_named(draws):
    eligible = np.ones(12, bool)
    eligible[3] = False
    made = Composite.model_validate({"label": "C", "measures": ("a", "b")})
    found = combine(made, {"a": part("a", draws[0], eligible=eligible), "b": part("b", draws[1])}, params_of())
    assert found.missing.tolist() == ["S03"]
    assert "S03" not in found.sites
    assert len(found.value) == 11


def test_opportunities_are_added_up_at_the_cases_of_the_whole_collaborative():
    one, other = np.full((3, 5), 0.9), np.full((3, 5), 0.3)
    one[0] = 0.8
    made = Composite.model_validate({"label": "C", "method": "opportunity", "measures": ("a", "b")})
    parts = {"a": part("a", one, rate=one, cases=300.0, own=np.array([10.0, 20, 30])),
             "b": part("b", other, rate=other, cases=100.0, own=np.array([30.0, 20, 10]))}  # fmt: skip
    found = combine(made, parts, params_of("higher"))
    assert found.weights == {"a": 0.75, "b": 0.25}
    np.testing.assert_allclose(found.value[:, 0], [0.675, 0.75, 0.75])
    np.testing.assert_allclose(found.recorded, [(8 + 9) / 40, (18 + 6) / 40, (27 + 3) / 40])
    np.testing.assert_allclose(found.advantage[0], 0.675 - (0.675 + 1.5) / 3)


def test_measures_fitted_alone_are_paired_at_random_and_those_fitted_together_draw_by_draw():
    """A common order of the draws, such as that of an engine's search, must not become a correlation."""
    params = params_of()
    rows = [{"measure": name, "site": site} for name in "ab" for site in ("S0", "S1", "S2")]
    panel = panel_of(rows)
    ordered = {"S0": np.sort(spread(0.2, 0.3)), "S1": 0.0, "S2": spread(-0.2, 0.1)}
    fits = {name: Draws(panel[panel["measure"] == name], level=ordered).tree() for name in "ab"}
    evaluated = {name: evaluated_measure(params, name, panel, tree) for name, tree in fits.items()}

    def correlation(given):
        parts = aligned(evaluated, given)
        return np.corrcoef(parts["a"].rate[0], parts["b"].rate[0])[0, 1]

    assert abs(correlation(params)) < 4 / np.sqrt(SIZE)
    together = params.model.model_copy(update={"together": ("a", "b")})
    assert correlation(params.model_copy(update={"model": together})) == pytest.approx(1)


def test_the_words_of_a_composite_follow_the_rule_of_the_level_slot(draws):
    shifted = draws[0] * 0.2 + np.linspace(-2, 2, 12)[:, None]
    made = Composite.model_validate({"label": "C", "measures": ("a", "b")})
    params = params_of()
    found = combine(made, {"a": part("a", shifted), "b": part("b", shifted)}, params)
    table = statements_table({"c": found}, params.rules)
    words = dict(zip(table["site"], table["statement"], strict=True))
    assert words["S00"] == "worse"
    assert words["S11"] == "better"
    assert table["statement"].eq("unclear").any()
    unsure = statements_table(
        {"c": combine(made, {"a": part("a", draws[0]), "b": part("b", draws[1])}, params)}, params.rules
    )
    assert set(unsure["statement"]) == {"not_enough_data"}


@pytest.mark.parametrize(
    ("composites", "said"),
    [
        ({"c": {"label": "C", "measures": ["a", "x"]}}, "c names x, no measure of this file"),
        ({"c": {"label": "C", "measures": ["a"]}}, "fewer than two"),
        ({"c": {"label": "C", "method": "opportunity", "measures": ["a", "b"]}}, "adds up measures that are not alike"),
        ({"c": {"label": "C", "method": "opportunity", "measures": {"a": 2, "b": 1}}}, "weighs each measure by its"),
    ],
)
def test_what_cannot_be_put_together_is_refused(composites, said):
    with pytest.raises(ValueError, match=said):
        Params.model_validate(params_of().model_dump(exclude_defaults=True) | {"composites": composites})


def test_measures_fitted_together_need_no_composite():
    """The step runs for their correlations alone."""
    params = params_of(together=("a", "b"))
    rows = [{"measure": name, "site": site} for name in "ab" for site in ("S0", "S1")]
    panel = panel_of(rows)
    fits = {name: Draws(panel[panel["measure"] == name], level={"S0": spread(0.2, 0.3)}).tree() for name in "ab"}
    drawn = spread(0.5, 0.1).reshape(CHAINS, DRAWS)
    matrix = np.stack([np.stack([np.ones_like(drawn), drawn], -1), np.stack([drawn, np.ones_like(drawn)], -1)], -2)
    posterior = fits["a"]["posterior"].to_dataset()
    fits["a"]["posterior"] = xr.DataTree(
        posterior.assign({CORRELATION: (("chain", "draw", "measure", "other"), matrix)})
    )
    found = evaluate_composites(params, panel, fits)
    row = found["measure_correlations"].iloc[0]
    assert (row["measure"], row["other"]) == ("a", "b")
    assert row["mean"] == pytest.approx(0.5, abs=1e-6)
    assert all(found[name].empty for name in TABLES[:3])
    shown = composites.composites(found, (), {}, set())
    assert shown is not None
    assert len(shown.correlations) == 1
    assert shown.parts.empty


class TestTogether:
    """The model of several measures (models/together.py)."""

    def test_the_prior_of_each_correlation_is_that_of_lkj_2(self):
        import pymc as pm

        from collabeval.models.together import NAME, correlation_model

        model = correlation_model(["a", "b", "c"])
        drawn = pm.draw(model[f"{NAME}::{CORRELATION}"], draws=4000, random_seed=1)
        np.testing.assert_allclose(drawn[:, [0, 1, 2], [0, 1, 2]], 1)
        shape = 2 + (3 - 2) / 2  # Lewandowski, Kurowicka & Joe 2009: each r is 2 Beta(η + (M − 2)/2, ·) − 1
        for one, other in ((0, 1), (0, 2), (1, 2)):
            values = drawn[:, one, other]
            assert abs(values.mean()) < 4 * values.std() / np.sqrt(len(values))
            assert values.var() == pytest.approx(1 / (2 * shape + 1), rel=0.1)

    def test_the_coupling_turns_independent_levels_into_correlated_ones(self):
        import pytensor.tensor as pt

        from collabeval.models.together import coupling

        matrix = np.array([[1, 0.6, 0.2], [0.6, 1, -0.3], [0.2, -0.3, 1]])
        has = np.array([[1, 1, 1], [1, 1, 1], [1, 1, 0], [0, 1, 1], [1, 0, 0]], bool)
        place = np.where(has, np.cumsum(has, axis=0) - 1, -1)
        random = np.random.default_rng(4)
        levels = [random.normal(size=has[:, measure].sum()) for measure in range(3)]
        scalars = [[pt.as_tensor(value) for value in row] for row in matrix]
        found = coupling(scalars, [pt.as_tensor(level) for level in levels], has, place).eval()
        expected = 0.0
        for site, measures in enumerate(map(np.flatnonzero, has)):
            z = np.array([levels[measure][place[site, measure]] for measure in measures])
            joint = multivariate_normal(np.zeros(len(z)), matrix[np.ix_(measures, measures)])
            expected += joint.logpdf(z) - norm.logpdf(z).sum()
        assert found == pytest.approx(expected, rel=1e-10)

    def test_measures_that_cannot_be_together_are_refused(self):
        with pytest.raises(ValueError, match="fewer than two"):
            params_of(together=("a",))
        with pytest.raises(ValueError, match="no measure of this file"):
            params_of(together=("a", "x"))

    @pytest.mark.slow
    def test_known_correlations_are_recovered_and_evidence_is_lent(self):
        from collabeval import estimates, fit

        panel, params, truth, levels = correlated()
        trees = fit.sample_together(panel, params, estimates.reported_together(params, panel))
        matrix = trees["a"]["posterior"][CORRELATION]
        low, high = matrix.quantile([0.005, 0.995], ("chain", "draw")).to_numpy()
        below = np.tril_indices(3, -1)
        assert ((low < truth) & (truth < high))[below].all()
        alone = fit.sample(panel, "c", params, estimates.reported_draws(params, "c", panel))
        errors = [
            float(np.mean((tree["posterior"]["site_level"].mean(("chain", "draw")).to_numpy() - levels) ** 2))
            for tree in (trees["c"], alone)
        ]
        assert errors[0] < errors[1]

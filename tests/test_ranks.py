"""Ranks, shares of the best, and the achievable benchmark of care."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from collabeval.estimates import benchmark
from collabeval.estimates.ranks import percentile, ranks
from collabeval.words import share_size

EFFECTS = st.tuples(st.integers(1, 8), st.integers(1, 6)).flatmap(
    lambda shape: arrays(float, shape, elements=st.floats(-3, 3, width=16))
)


def test_rank_one_has_the_fewest_events_where_fewer_is_better():
    effect = np.array([[0.1, 3.0], [-0.2, 2.0], [0.5, 1.0]])
    np.testing.assert_array_equal(ranks(effect, good=-1), [[2, 3], [1, 2], [3, 1]])
    np.testing.assert_array_equal(ranks(effect, good=1), [[2, 1], [3, 2], [1, 3]])


@given(EFFECTS, st.sampled_from([-1, 1]))
def test_ranks_are_a_permutation_in_every_draw(effect, good):
    found = ranks(effect, good)
    sites = len(effect)
    np.testing.assert_array_equal(
        np.sort(found, axis=0), np.broadcast_to(np.arange(1, sites + 1)[:, None], found.shape)
    )
    assert found.mean(axis=1).sum() == pytest.approx(sites * (sites + 1) / 2)


@given(EFFECTS)
def test_a_better_effect_never_has_a_worse_rank(effect):
    found = ranks(effect, good=-1)
    apart = effect[:, None] < effect[None, :]
    assert (found[:, None] < found[None, :])[apart].all()


def test_the_percentile_is_that_of_lingsma():
    assert percentile(np.array([1.0, 10.0, 5.5]), 10) == pytest.approx([5, 95, 50])


@pytest.mark.parametrize(
    ("sites", "share", "size"),
    [
        (9, None, None), (10, None, 2), (12, None, 2), (13, None, 3), (49, None, 10),
        (50, None, 5), (55, None, 6), (65, None, 7), (70, None, 7), (20, 0.01, 1), (20, 0.25, 5),
    ],
)  # fmt: skip
def test_the_best_share_is_a_tenth_of_many_sites_and_a_fifth_of_few(sites, share, size):
    assert share_size(sites, share) == size


def by_hand(rates, cases, good, fractions):
    """The benchmark of one draw, step by step as Kiefe et al. describe it."""
    goodness = rates if good > 0 else -rates
    if fractions:
        successes = cases * (rates if good > 0 else 1 - rates)
        goodness = (successes + 1) / (cases + 2)
    chosen = []
    for site in sorted(range(len(rates)), key=lambda site: -goodness[site]):
        chosen.append(site)
        if sum(10 * cases[i] for i in chosen) >= sum(cases):
            break
    return sum(cases[i] * rates[i] for i in chosen) / sum(cases[i] for i in chosen), set(chosen)


def test_the_benchmark_is_the_pooled_rate_of_the_best_sites_with_a_tenth_of_the_cases():
    rates = np.array([[0.02], [0.05], [0.04], [0.0]])
    cases = np.array([60.0, 1000.0, 100.0, 2.0])  # the perfect site has two cases: its adjusted fraction is 3/4
    pool = benchmark.pool(rates, cases, good=-1, fractions=True)
    assert benchmark.benchmark(pool)[0] == pytest.approx((60 * 0.02 + 100 * 0.04) / 160)
    np.testing.assert_array_equal(benchmark.members(pool)[:, 0], [True, False, True, False])
    without = benchmark.benchmark_without_itself(pool)[:, 0]
    assert without[0] == pytest.approx((100 * 0.04 + 1000 * 0.05) / 1100)  # 100 of 1,102 is no tenth
    assert without[1] == pytest.approx(0.02), "60 of the other 162 suffice"


CASES = st.integers(1, 40).map(float)


@settings(max_examples=200)
@given(st.data(), st.integers(2, 9), st.sampled_from([-1, 1]), st.booleans())
def test_leaving_each_site_out_is_the_benchmark_of_the_others(data, sites, good, fractions):
    cases = np.array(data.draw(st.lists(CASES, min_size=sites, max_size=sites)))
    rates = data.draw(arrays(float, (sites, 3), elements=st.integers(0, 50).map(lambda k: k / 50), unique=True))
    pool = benchmark.pool(rates, cases, good, fractions)
    ordering = rates if fractions else np.broadcast_to(rates.mean(axis=1, keepdims=True), rates.shape)
    without = benchmark.benchmark_without_itself(pool)
    for draw in range(3):
        if len({round(x, 12) for x in ordering[:, draw]}) < sites:
            continue  # equal performers: either order is right
        if fractions:
            successes = cases * (rates[:, draw] if good > 0 else 1 - rates[:, draw])
            if len({round(x, 12) for x in (successes + 1) / (cases + 2)}) < sites:
                continue
            whole, members = by_hand(rates[:, draw], cases, good, True)
            assert benchmark.benchmark(pool)[draw] == pytest.approx(whole)
            assert set(np.flatnonzero(benchmark.members(pool)[:, draw])) == members
        for site in range(sites):
            others = np.arange(sites) != site
            if fractions:
                wanted, _ = by_hand(rates[others, draw], cases[others], good, True)
            else:
                wanted = by_posterior_mean(rates[others], cases[others], good)[draw]
            assert without[site, draw] == pytest.approx(wanted)


def by_posterior_mean(rates, cases, good):
    """Sites chosen once, by their mean over the draws; their pooled rate in every draw."""
    _, chosen = by_hand(rates.mean(axis=1), cases, good, False)
    members = sorted(chosen)
    return (cases[members] @ rates[members]) / cases[members].sum()


def test_a_site_alone_has_no_others_to_be_held_against():
    pool = benchmark.pool(np.array([[0.1, 0.2]]), np.array([10.0]), -1, True)
    assert np.isnan(benchmark.benchmark_without_itself(pool)).all()

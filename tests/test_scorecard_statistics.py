"""The chances and shares that scorecards state, against simulation and against what is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from collabeval.params.scorecards import Scorecard
from collabeval.scorecard.noise import noise_interval, noise_share, too_little, too_much
from collabeval.scorecard.signals import fewer, sicker, variance_per_case
from collabeval.scorecard.summary import BANDS, Summarised, bands, summary_table
from collabeval.scorecard.tables import parts_table, sites_table, tiers_table
from scorecard_examples import card_of, drawn, line, scored, text_of

DRAWS = 800


def normal_world(sites: int, signal: float, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True values, recorded values and posterior draws (sites, DRAWS) of a normal value with a known normal prior."""
    generator = np.random.default_rng(seed)
    truth = generator.normal(50, signal, sites)
    recorded = generator.normal(truth, noise)
    reliability = signal**2 / (signal**2 + noise**2)
    centre, spread = 50 + reliability * (recorded - 50), noise * np.sqrt(reliability)
    return truth, recorded, generator.normal(centre[:, None], spread, (sites, DRAWS))


def one_line(between: str = "step", tiers: str = "[{at: 50, points: 10}]", more: str = "") -> Scorecard:
    steps = f"{{indicator: follow_up, better: higher, between: {between}, tiers: {tiers}}}"
    return card_of(text_of(f"follow_up: {steps}", more))


# --- P(misclassified)


def test_sites_are_misclassified_as_often_as_their_chances_say_in_a_normal_world():
    truth, recorded, draws = normal_world(6000, signal=4, noise=5, seed=1)
    card = one_line(tiers="[{at: 45, points: 2}, {at: 50, points: 5}, {at: 56, points: 9}]")
    table = parts_table(scored(card, {"parts.follow_up": drawn(recorded, draws)}))
    edges = [45, 50, 56]
    wrong = np.digitize(truth, edges) != np.digitize(recorded, edges)
    assert table["misclassified"].mean() == pytest.approx(wrong.mean(), abs=4 * np.sqrt(0.25 / len(truth)))
    for low in (0.0, 0.25, 0.5, 0.75):  # and not only on average: where the chance is high, so is the frequency
        some = table["misclassified"].between(low, low + 0.25, inclusive="left").to_numpy()
        if some.sum() > 100:
            error = 4 * np.sqrt(0.25 / some.sum())
            assert table["misclassified"][some].mean() == pytest.approx(wrong[some].mean(), abs=error)


def test_awards_of_two_binomial_lines_are_misclassified_as_often_as_said():
    """Beta-binomial truth with its own conjugate posterior; the award is of the sum of two lines."""
    generator = np.random.default_rng(2)
    sites, shape, size = 4000, (8.0, 4.0), np.array([20, 60])
    truth = generator.beta(*shape, size=(2, sites))
    events = generator.binomial(size[:, None], truth)
    values, true_points, cases = {}, np.zeros(sites), 0
    for place, name in enumerate(("antibiotics", "registry")):
        cases = size[place]
        draws = generator.beta(shape[0] + events[place], shape[1] + cases - events[place], size=(DRAWS, sites)).T
        values[f"parts.{name}"] = drawn(100 * events[place] / cases, 100 * draws, cases=cases, per=100)
        true_points += 5.0 * (truth[place] >= 0.6) + 5.0 * (truth[place] >= 0.75)
    both = (line(looks_at, (60, 5), (75, 10)) for looks_at in ("measure: antibiotics", "indicator: follow_up"))
    awards = ", awards: [{name: half, at: 10, amount: 1}, {name: full, at: 15, amount: 2}]"
    card = card_of(text_of(", ".join(both).replace("follow_up: {", "registry: {"), awards))
    result = scored(card, values)
    table = sites_table(result)
    wrong = np.digitize(true_points, [10, 15]) != result.award
    assert table["misclassified"].mean() == pytest.approx(wrong.mean(), abs=4 * np.sqrt(0.25 / sites))
    assert table["expected_points"].mean() == pytest.approx(true_points.mean(), abs=4 * true_points.std() / sites**0.5)
    assert table["expected_money"].sum() == pytest.approx(
        np.array([0, 1, 2])[np.digitize(true_points, [10, 15])].sum(), rel=0.05
    )


def test_the_chances_of_all_tiers_of_a_site_sum_to_one():
    _, recorded, draws = normal_world(50, 4, 5, seed=3)
    table = tiers_table(
        scored(one_line(more=", awards: [{name: full, at: 10}]"), {"parts.follow_up": drawn(recorded, draws)})
    )
    sums = table.groupby(["part", "site"])["probability"].sum()
    assert len(sums) == 100
    assert sums.to_numpy() == pytest.approx(np.ones(100))


def test_what_happened_is_scored_without_chance():
    card = card_of(text_of(line("indicator: follow_up", (50, 10), more=", better: higher, kind: participation")))
    result = scored(card, {"parts.follow_up": drawn([60.0, 40.0], [[10.0, 90.0], [10.0, 90.0]])})
    assert result.drawn == pytest.approx(np.array([[10.0], [0.0]]))
    assert parts_table(result)["misclassified"].isna().all()


# --- how much of an award is noise


@pytest.mark.parametrize("noise", [2.0, 4.0, 8.0])
def test_on_lines_the_noise_is_one_less_the_reliability(noise):
    _, recorded, draws = normal_world(10_000, signal=4, noise=noise, seed=4)
    card = one_line("line", "[{at: -1000, points: 0}, {at: 1000, points: 2000}]")
    result = scored(card, {"parts.follow_up": drawn(recorded, draws[:, :200])})
    reliability = 16 / (16 + noise**2)
    assert noise_share(result.points, result.drawn) == pytest.approx(1 - reliability, abs=0.02)
    low, high = noise_interval(result.points, result.drawn, (0.025, 0.975))
    assert low < 1 - reliability < high


@pytest.mark.parametrize("noise", [2.0, 4.0, 8.0])
def test_with_one_step_at_the_mean_the_noise_follows_the_arcsine_law(noise):
    """Normal values with correlation r agree in sign as often as 1/2 + asin(r)/π; their signs correlate 2 asin(r)/π."""
    _, recorded, draws = normal_world(10_000, signal=4, noise=noise, seed=5)
    result = scored(one_line(), {"parts.follow_up": drawn(recorded, draws[:, :200])})
    correlation = np.sqrt(16 / (16 + noise**2))
    signs = 2 * np.arcsin(correlation) / np.pi
    assert noise_share(result.points, result.drawn) == pytest.approx(1 - signs**2, abs=0.02)
    other = parts_table(result)["misclassified"].mean()
    assert other == pytest.approx(0.5 - np.arcsin(correlation) / np.pi, abs=0.01)


def test_the_share_of_noise_is_that_of_truth_never_seen():
    """The share worked out from draws is the one that the truth, had it been known, would have given."""
    truth, recorded, draws = normal_world(10_000, 4, 5, seed=6)
    card = one_line(tiers="[{at: 45, points: 2}, {at: 50, points: 5}, {at: 56, points: 9}]")
    result = scored(card, {"parts.follow_up": drawn(recorded, draws[:, :200])})
    earned = np.array([0, 2, 5, 9])[np.digitize(truth, [45, 50, 56])]
    known = 1 - np.corrcoef(result.points, earned)[0, 1] ** 2
    assert noise_share(result.points, result.drawn) == pytest.approx(known, abs=0.02)
    paid_too_much = np.clip(result.points - earned, 0, None).sum()
    assert too_much(result.points, result.drawn) == pytest.approx(paid_too_much, rel=0.05)
    assert too_little(result.points, result.drawn) == pytest.approx(
        np.clip(earned - result.points, 0, None).sum(), rel=0.05
    )


def test_where_all_sites_are_paid_the_same_there_is_no_share_of_noise():
    same = np.full(30, 7.0)
    assert np.isnan(noise_share(same, np.random.default_rng(1).normal(size=(30, 100))))
    assert noise_share(np.arange(30.0), np.arange(30.0)[:, None]) == pytest.approx(0)


def test_the_small_third_has_the_most_noise():
    generator = np.random.default_rng(7)
    size = np.repeat([20, 80, 640], 400)
    truth = generator.normal(50, 4, 1200)
    noise = 40 / np.sqrt(size)
    recorded = generator.normal(truth, noise)
    reliability = 16 / (16 + noise**2)
    centre = 50 + reliability * (recorded - 50)
    draws = generator.normal(centre[:, None], (noise * np.sqrt(reliability))[:, None], (1200, 300))
    result = scored(
        one_line("line", "[{at: -1000, points: 0}, {at: 1000, points: 2000}]"),
        {"parts.follow_up": drawn(recorded, draws, cases=size)},
    )
    assert [(bands(result) == band).sum() for band in BANDS] == [400, 400, 400]
    table = summary_table(Summarised(result, result))
    shares = table[table["estimand"].eq("noise_share") & table["part"].eq("")].set_index("volume")["value"]
    assert [shares[band] for band in BANDS] == pytest.approx(
        [1 - 16 / (16 + 1600 / n) for n in (20, 80, 640)], abs=0.05
    )


def test_estimates_after_pooling_carry_no_more_noise_than_recorded_values():
    _, recorded, draws = normal_world(3000, 4, 8, seed=8)
    result = scored(one_line(), {"parts.follow_up": drawn(recorded, draws)})
    table = (
        summary_table(Summarised(result, result)).query("part == '' and volume == ''").set_index("estimand")["value"]
    )
    assert table["noise_share_pooled"] < table["noise_share"]
    assert table["sites"] == 3000


# --- signals


def test_the_chance_of_fewer_cases_is_that_of_two_poisson_counts():
    """Against the ratio of two gamma posteriors, drawn."""
    generator = np.random.default_rng(9)
    now, before = np.array([30.0, 60.0, 95.0]), np.array([100.0, 100.0, 100.0])
    found = fewer(now, before, all_now=900, all_before=1000, below=0.75)
    drawn_ratio = generator.gamma(now + 0.5, size=(200_000, 3)) / generator.gamma(before + 0.5, size=(200_000, 3))
    assert found == pytest.approx((drawn_ratio / 0.9 < 0.75).mean(axis=0), abs=0.005)


def test_few_sites_are_flagged_where_nothing_has_changed():
    generator = np.random.default_rng(10)
    before, now = generator.poisson(generator.uniform(20, 200, 20_000), size=(2, 20_000))
    chance = fewer(now.astype(float), before.astype(float), now.sum(), before.sum(), below=0.75)
    assert (chance >= 0.975).mean() < 0.025


def test_sicker_cases_are_flagged_where_they_are_and_seldom_where_they_are_not():
    """Risks of single patients are drawn for eight quarters; half the sites get a third sicker in the last four."""
    generator = np.random.default_rng(11)
    sites, size, sicker_sites = 400, 60, np.arange(400) < 200
    risk = generator.beta(1.2, 10, size=(sites, 8, size))
    risk[:, 4:] *= np.where(sicker_sites, 1.35, 1.0)[:, None, None]
    means = risk.mean(axis=2)
    group = np.repeat(np.arange(sites), 8) * 2 + np.tile(np.arange(8) >= 4, sites)
    variance = variance_per_case(means.ravel(), np.full(sites * 8, size), group)
    assert variance == pytest.approx(risk[:, :4].var() / risk[:, :4].mean() ** 2, rel=0.1)  # delta method
    ratio = means[:, 4:].mean(axis=1) / means[:, :4].mean(axis=1)
    cases = np.full(sites, 4.0 * size)
    flagged = sicker(ratio, cases, cases, variance, above=1.10) >= 0.975
    assert flagged[~sicker_sites].mean() < 0.025
    at_limit = sicker(ratio[~sicker_sites] * 1.10, cases[:200], cases[:200], variance, above=1.10)
    assert (at_limit >= 0.975).mean() == pytest.approx(0.025, abs=0.035)
    assert flagged[sicker_sites].mean() > 0.5

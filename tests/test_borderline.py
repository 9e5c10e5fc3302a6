"""Words that turn on Monte Carlo error: found where they do, by the rules, and nowhere else."""

import numpy as np
import pandas as pd
import pytest

from collabeval import borderline, estimates, words
from collabeval.diagnostics.borderline import borderline as check
from collabeval.estimates.reliability import reliability, reliability_error
from collabeval.estimates.window_draws import window_draws
from draws_for_tests import Draws, panel_of, params
from test_words import BAD_PAST, PAST, complete

SETTINGS = params({"minimal_difference": 1.0})


def others(error=0.002, unsure=False, **signal):
    """The other words of one site with these signals, all its probabilities with the same error: slot -> slugs."""
    signals = pd.DataFrame([complete(signal)], index=["a"])
    errors = pd.DataFrame([dict.fromkeys(words.EVENTS, error)], index=["a"])
    found = borderline.otherwise(
        signals, errors, pd.Series([unsure], index=["a"]), SETTINGS.measures["m"], SETTINGS.rules
    )
    return {str(slot): set(rows["otherwise"]) for slot, rows in found.groupby("slot")}


@pytest.mark.parametrize(
    ("signal", "said"),
    [
        ({"worse": 0.976, "better": 0.024}, {"level": {"unclear"}, "deviance": {"none"}}),
        ({"worse": 0.972, "better": 0.028}, {"level": {"worse"}, "deviance": {"review"}}),
        ({"worse": 0.980, "better": 0.020}, {}),
        ({"better": 0.974, "worse": 0.026, "close": 0.95}, {"level": {"better"}}),
        ({"better": 0.976, "worse": 0.024, "close": 0.95}, {"level": {"close"}}),
        ({"better": 0.976, "worse": 0.024, "close": 0.899}, {"level": {"unclear", "close"}}),
        ({"better": 0.999, "worse": 0.001, "close": 0.899}, {}),
        ({"best_share": 0.801, **PAST, "sustained": 0.95}, {"deviance": {"candidate"}}),
        ({"best_share": 0.799, **PAST, "sustained": 0.899}, {"deviance": {"positive_deviant"}}),
        ({"best_share": 0.799, **PAST, "sustained": 0.5}, {}),
        ({"best_share": 0.801, "windows": 2}, {"deviance": {"candidate"}}),
        ({"best_share": 0.499}, {"deviance": {"candidate"}}),
        ({"worst_share": 0.801, **BAD_PAST, "sustained_worse": 0.95}, {"deviance": {"none"}}),
        ({"worst_share": 0.9, **BAD_PAST, "sustained_worse": 0.901}, {"deviance": {"review"}}),
        ({"enough": False, "worse": 0.976, "better": 0.024}, {"level": {"not_enough_data"}}),
        ({"enough": False, "better": 0.976, "worse": 0.024}, {}),
        ({"unsure": True, "better": 0.999, "worse": 0.001}, {"level": {"not_enough_data"}}),
        ({"unsure": True, "enough": False, "better": 0.6, "worse": 0.4}, {"level": {"unclear"}}),
        (
            {"unsure": True, "enough": False, "worse": 0.98, "better": 0.02},
            {"level": {"worse"}, "deviance": {"review"}},
        ),
        ({"present": False}, {}),
    ],
)
def test_what_a_word_would_be_follows_by_the_rules(signal, said):
    assert others(**signal) == said


@pytest.mark.parametrize(("improved", "said"), [(0.951, {"no_clear_change"}), (0.949, {"improved"}), (0.96, set())])
def test_the_trajectory_too(improved, said):
    signal = {"has_baseline_window": True, "in_baseline": True, "improved": improved, "worsened": 1 - improved}
    assert others(**signal).get("trajectory", set()) == said


@pytest.mark.parametrize("distance", [1.9, 2.1])
def test_near_is_twice_the_error(distance):
    worse = 0.975 + distance * 0.002
    assert bool(others(worse=worse, better=1 - worse)) is (distance < borderline.NEAR)


def test_another_run_seldom_changes_a_word_that_is_not_named():
    """Chances near the threshold, known; of 4,000 runs of 2,000 draws few say another word without a warning."""
    random = np.random.default_rng(8)
    truth = 0.975 + np.repeat(np.linspace(-4, 4, 40), 100) * np.sqrt(0.975 * 0.025 / 2000)
    chance = random.binomial(2000, truth) / 2000
    wrong = (chance >= 0.975) != (truth >= 0.975)
    known = {p: "level" in others(np.sqrt(p * (1 - p) / 2000), better=p, worse=1 - p) for p in np.unique(chance)}
    named = np.array([known[p] for p in chance])
    assert wrong.mean() > 0.05, "words do turn on it"
    assert (wrong & ~named).mean() < 0.0125
    assert named[np.abs(chance - 0.975) > 0.02].sum() == 0


@pytest.mark.parametrize("event", words.EVENTS)
def test_no_word_changes_but_at_a_threshold_that_is_listed(event):
    """Every probability from 0 to 1, all else at values that leave it the last say."""
    grid = np.linspace(0, 1, 201)
    neutral = {"better": 0.0, "worse": 0.0, "close": 0.0, "best_share": 0.0, "worst_share": 0.0, "improved": 0.0,
               "worsened": 0.0, "has_baseline_window": True, "in_baseline": True}  # fmt: skip
    listed, seen = set(words.thresholds(SETTINGS.rules).get(event, ())), set()
    for past in ({}, PAST | {"best_share": 0.85}, BAD_PAST | {"worst_share": 0.85}):
        rows = [complete({**neutral, **past, event: value}) for value in grid]
        table = words.statements(pd.DataFrame(rows, index=grid), SETTINGS.measures["m"], SETTINGS.rules)
        for _, said in table.groupby("slot"):
            changed = said["statement"].ne(said["statement"].shift()) & said["statement"].shift().notna()
            seen |= set(said.loc[changed, "site"].round(6))
    assert seen == listed


def test_sites_are_named_by_the_check_and_the_results():
    """Two sites, one of whose draws are worse in 0.976: independent draws have an error of 0.005."""
    random = np.random.default_rng(3)
    panel = panel_of([{"site": "a"}, {"site": "b"}])
    settings = params(length="none", rules={"minimum_reliability": 0.0})
    for share, wanted in ((0.976, True), (0.999, False)):
        level = np.where(random.permutation(1000) < 1000 * share, 0.4, -0.4)
        trees = {"m": Draws(panel, level={"a": level}).tree()}
        results = estimates.evaluate_sites(settings, panel, trees)
        error = results.probabilities.set_index(["event", "site"])["mcse"]
        assert error["worse", "a"] == pytest.approx(np.sqrt(share * (1 - share) / 1000), rel=0.25)
        (found,) = check("m", results.statements)
        assert (found.check, found.level, found.passed) == ("borderline", "advisory", not wanted)
        assert found.value == (3 if wanted else 0), "worse: level and review; b better: level"
        changes = {"a level: worse → unclear", "a deviance: review → none", "b level: better → unclear"}
        assert set(filter(None, found.changes.split("; "))) == (changes if wanted else set())
        assert "a level" not in found.advice


def test_the_check_counts_words_and_lists_every_other_one():
    table = pd.DataFrame({
        "measure": ["m", "n"], "site": ["a", "b"], "slot": "level", "statement": ["better", "close"],
        "otherwise": ["unclear; close", ""],
    })  # fmt: skip
    assert [check("m", table[table["measure"] == name])[0].passed for name in ("m", "n")] == [False, True]
    assert check("m", table)[0].changes == "a level: better → unclear; a level: better → close"


def test_the_error_of_a_reliability_is_what_repeated_runs_show():
    """150 runs of independent draws of effect and spread: sd of the reliability over runs against its error."""
    random = np.random.default_rng(5)
    panel = panel_of([{"site": "a"}, {"site": "b"}])
    found, errors = [], []
    for _ in range(150):
        spread = {"site_sd": np.exp(random.normal(-0.5, 0.6, 1000))}
        draws = Draws(
            panel, level={"a": random.normal(0.2, 0.3, 1000), "b": random.normal(0, 0.1, 1000)}, hyperparameters=spread
        )
        posterior = estimates.read(params(length="none"), "m", panel, draws.tree())
        window = window_draws(posterior, posterior.windows.current)
        found.append(reliability(posterior, window))
        errors.append(reliability_error(posterior, window))
    np.testing.assert_allclose(np.std(found, axis=0), np.mean(errors, axis=0), rtol=0.2)


def test_a_word_on_the_border_of_reliability_is_named():
    panel = panel_of([{"site": "a"}, {"site": "b"}])
    random = np.random.default_rng(6)
    sd = 0.4 * np.sqrt(0.6)  # reliability 0.4, which is the least for a word
    level = {"a": -2 + random.normal(0, sd, 1000), "b": random.normal(0, 0.05, 1000)}
    said = estimates.evaluate_sites(params(length="none"), panel, {"m": Draws(panel, level=level).tree()}).statements
    said = said[said["slot"].eq("level")].set_index("site")
    assert {said.loc["a", "statement"], said.loc["a", "otherwise"]} == {"better", "not_enough_data"}
    assert said.loc["b", "otherwise"] == ""

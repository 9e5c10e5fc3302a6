"""The words of the three slots, rule by rule."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collabeval import words
from collabeval.params import Params
from draws_for_tests import params

CLEAR = {"better": 0.5, "worse": 0.5, "close": np.nan, "best_share": 0.1, "worst_share": 0.1}


def say(settings: Params | None = None, **signal: object) -> dict[str, str]:
    """The words about one site with these signals; unremarkable where nothing is said."""
    settings = settings or params({"minimal_difference": 1.0})
    table = words.statements(pd.DataFrame([complete(signal)], index=["a"]), settings.measures["m"], settings.rules)
    return dict(zip(table["slot"], table["statement"], strict=True))


def complete(signal: dict[str, object]) -> dict[str, object]:
    facts = {
        "present": True, "enough": True, "has_baseline_window": False, "in_baseline": False, "windows": 1,
        "good_in_each": False, "bad_in_each": False,
    }  # fmt: skip
    return {**facts, **CLEAR, "sustained": np.nan, "sustained_worse": np.nan, **signal}


@pytest.mark.parametrize(
    ("signal", "level"),
    [
        ({"better": 0.975, "worse": 0.025}, "better"),
        ({"better": 0.974, "worse": 0.026}, "unclear"),
        ({"worse": 0.975, "better": 0.025}, "worse"),
        ({"close": 0.9}, "close"),
        ({"close": 0.89}, "unclear"),
        ({"close": 0.95, "better": 0.99, "worse": 0.01}, "better"),
        ({"enough": False, "better": 0.999, "worse": 0.0}, "not_enough_data"),
        ({"enough": False, "close": 0.99}, "not_enough_data"),
        ({"enough": False, "worse": 0.98, "better": 0.02}, "worse_few_cases"),
        ({"present": False}, "not_enough_data"),
    ],
)
def test_level(signal, level):
    assert say(**signal)["level"] == level


@pytest.mark.parametrize(
    ("signal", "trajectory"),
    [
        ({"improved": 0.95, "worsened": 0.05}, "improved"),
        ({"improved": 0.94, "worsened": 0.06}, "no_clear_change"),
        ({"improved": 0.03, "worsened": 0.97}, "worsened"),
        ({"in_baseline": False}, "joined_later"),
        ({"enough": False, "improved": 0.97, "worsened": 0.03}, "improved"),
    ],
)
def test_trajectory(signal, trajectory):
    assert say(**{"has_baseline_window": True, "in_baseline": True, **signal})["trajectory"] == trajectory


PAST = {"windows": 3, "good_in_each": True, "sustained": 0.9, "sustained_worse": 0.0}
BAD_PAST = {"windows": 3, "bad_in_each": True, "sustained": 0.0, "sustained_worse": 0.9}


@pytest.mark.parametrize(
    ("signal", "deviance"),
    [
        ({"best_share": 0.8, **PAST}, "positive_deviant"),
        ({"best_share": 0.79, **PAST}, "candidate"),
        ({"best_share": 0.9, **PAST, "sustained": 0.89}, "candidate"),
        ({"best_share": 0.9, **PAST, "good_in_each": False}, "candidate"),
        ({"best_share": 0.8, "windows": 2}, "emerging"),
        ({"best_share": 0.79, "windows": 2}, "candidate"),
        ({"best_share": 0.5}, "candidate"),
        ({"best_share": 0.49}, "none"),
        ({"best_share": np.nan, "worst_share": np.nan, "better": 0.99, "worse": 0.01}, "none"),
        ({"worse": 0.975, "better": 0.025}, "review"),
        ({"worst_share": 0.8}, "review"),
        ({"worst_share": 0.79}, "none"),
        ({"worst_share": 0.8, **BAD_PAST}, "review_persistent"),
        ({"worst_share": 0.8, **BAD_PAST, "bad_in_each": False}, "review"),
        ({"worst_share": 0.8, **BAD_PAST, "windows": 2}, "review"),
        ({"worst_share": np.nan, "best_share": np.nan, "worse": 0.99, "better": 0.01}, "review"),
        ({"enough": False, "best_share": 0.99, **PAST}, "none"),
    ],
)
def test_deviance(signal, deviance):
    assert say(**signal)["deviance"] == deviance


def test_thresholds_come_from_params():
    loose = params(rules={"level": 0.6, "trajectory": 0.6, "candidate": 0.3})
    said = say(loose, better=0.6, worse=0.4, best_share=0.3, has_baseline_window=True, in_baseline=True, improved=0.6)
    assert said == {"level": "better", "trajectory": "improved", "deviance": "candidate"}


def test_a_site_has_a_trajectory_only_where_there_is_a_baseline_and_one_word_without_data_now():
    assert set(say()) == {"level", "deviance"}
    assert set(say(has_baseline_window=True)) == set(words.SLOTS)
    assert say(present=False, has_baseline_window=True) == {"level": "not_enough_data"}


def test_the_probability_is_the_one_the_word_rests_on_and_the_rule_names_its_threshold():
    settings = params({"minimal_difference": 1.5, "unit": "deaths per 100 operations"})
    rows = {
        "a": complete(
            {"better": 0.98, "worse": 0.02, "best_share": 0.85, **PAST, "sustained": 0.93, "best_share_sustained": 0.79}
        ),
        "b": complete({"close": 0.92}),
        "c": complete({"enough": False}),
        "d": complete({"better": 0.3, "worse": 0.7}),
    }
    table = words.statements(pd.DataFrame(rows).T, settings.measures["m"], settings.rules).set_index(["site", "slot"])
    assert table.loc[("a", "level"), "probability"] == 0.98
    assert "97.5 in 100" in table.loc[("a", "level"), "rule"]
    assert table.loc[("a", "deviance"), "probability"] == 0.79, "of both it needs at once"
    assert "80 in 100" in table.loc[("a", "deviance"), "rule"]
    assert "90 in 100" in table.loc[("a", "deviance"), "rule"]
    assert "less than 1.5 (deaths per 100 operations) from the average" in table.loc[("b", "level"), "rule"]
    assert np.isnan(table.loc[("c", "level"), "probability"])
    assert table.loc[("d", "level"), "probability"] == 0.7
    assert table["rule"].str.endswith(".").all()
    assert table["rule"].str.slice(0, 1).str.isupper().all()


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0.99, "almost certainly"),
        (0.989, "very probably"),
        (0.95, "very probably"),
        (0.8, "probably"),
        (0.79, "we cannot tell"),
    ],
)
def test_probabilities_in_words(probability, said):
    assert words.in_words(probability, params().rules) == said


CHANCES = st.sampled_from([0.0, 0.2, 0.49, 0.5, 0.79, 0.8, 0.89, 0.9, 0.94, 0.95, 0.974, 0.975, 1.0])


@st.composite
def any_signal(draw):
    """Any site that can occur: chances that are at, below and above the thresholds; those not asked are NaN."""
    signal = {name: draw(st.booleans()) for name in ("present", "enough", "has_baseline_window", "good_in_each")}
    signal["in_baseline"] = signal["has_baseline_window"] and draw(st.booleans())
    signal["bad_in_each"] = not signal["good_in_each"] and draw(st.booleans())
    signal["windows"] = draw(st.integers(1, 3))
    signal["worse"] = draw(CHANCES)
    signal["better"] = 1 - signal["worse"]
    for good, bad in (("best_share", "worst_share"), ("improved", "worsened"), ("sustained", "sustained_worse")):
        asked = good != "sustained" or draw(st.booleans())
        signal[good] = draw(CHANCES) if asked else np.nan
        signal[bad] = draw(CHANCES.filter(lambda p, top=1 - signal[good]: p <= top)) if asked else np.nan
    signal["close"] = draw(CHANCES | st.just(np.nan))
    return signal


def by_the_table(s):
    """The rules of docs/estimands.md once more, word by word, as the sets of words whose conditions hold."""
    if not s["present"]:
        return {"level": "not_enough_data"}
    said = {}
    if s["enough"]:
        holds = {"better": s["better"] >= 0.975, "worse": s["worse"] >= 0.975, "close": s["close"] >= 0.9}
        said["level"] = next((word for word, is_so in holds.items() if is_so), "unclear")
    else:
        said["level"] = "worse_few_cases" if s["worse"] >= 0.975 else "not_enough_data"
    if s["has_baseline_window"]:
        changed = "improved" if s["improved"] >= 0.95 else "worsened" if s["worsened"] >= 0.95 else "no_clear_change"
        said["trajectory"] = changed if s["in_baseline"] else "joined_later"
    asked = s["windows"] == 3 and not np.isnan(s["sustained"])
    lasting = asked and s["good_in_each"] and s["sustained"] >= 0.9
    lasting_bad = asked and s["bad_in_each"] and s["sustained_worse"] >= 0.9
    holds = {
        "none": not s["enough"],
        "review_persistent": s["worst_share"] >= 0.8 and lasting_bad,
        "review": s["worse"] >= 0.975 or s["worst_share"] >= 0.8,
        "positive_deviant": s["best_share"] >= 0.8 and lasting,
        "emerging": s["best_share"] >= 0.8 and not asked,
        "candidate": s["best_share"] >= 0.5,
    }
    said["deviance"] = next((word for word, is_so in holds.items() if is_so), "none")
    return said


@settings(max_examples=400, deadline=None)
@given(any_signal())
def test_every_site_gets_the_words_of_the_table(signal):
    said = say(**signal)
    assert said == by_the_table(signal)
    if signal["present"] and signal["worse"] >= 0.975:
        assert said["level"] in {"worse", "worse_few_cases"}, "too little data never holds a warning back"


def test_the_margin_is_in_every_rule_that_uses_it():
    wide = params(rules={"margin": 0.1})
    rows = {"a": complete({"worse": 0.98, "better": 0.0}), "b": complete({"worse": 0.98, "enough": False})}
    table = words.statements(pd.DataFrame(rows).T, wide.measures["m"], wide.rules)
    assert table.loc[table["slot"].eq("level"), "rule"].str.contains("by more than 0.1").all()

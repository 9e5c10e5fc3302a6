"""Sentences by rule: phrases by hand, headlines for every combination, and a lint over everything a report says."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collabeval.disclosure import MeasureView
from collabeval.panel import Window, Windows
from collabeval.params import Measure, Rules
from collabeval.params.data import Data
from collabeval.spc import RULES
from collabeval.statements import advice, cards, checks, figures, figures_in_time, headline, numbers, phrases, priors
from collabeval.statements.facts import Estimate, Facts, Named, wrongly_named
from collabeval.statements.words import REMARKABLE, WORDS, word

SPACE = numbers.NO_BREAK
DEATH = Measure(label="Deaths after surgery", family="binomial", better="lower", events="deaths", cases="operations")
STAY = Measure(label="Length of stay", family="normal", better="lower", unit="days", cases="patients")
HOSPITALS = ("hospital", "hospitals")
YEARS = Windows(Window("2017/2019", ("2017", "2018", "2019")), Window("2010/2012", ("2010", "2011", "2012")), ())
ONCE = Windows(Window("", ("",)), None, ())


def plain(text: str) -> str:
    return text.replace(SPACE, " ")


def facts(measure: Measure = DEATH, base: int = 1000, **given: object) -> Facts:
    """Facts about three years, 4,000 cases a year, with what a test sets."""
    values: dict[str, object] = {
        "view": MeasureView("m", measure, base, False, YEARS), "nouns": HOSPITALS, "sites": 12, "cases": 12_000.0,
        "years": 3.0, "ranked": 10, "competing": 12, "either_half": 8, "rank_width": 6.0, "level": (), "trajectory": (),
        "deviance": (), "without_data": (), "rate": Estimate(16, 14, 18), "baseline_rate": Estimate(20, 18, 22),
        "change": Estimate(-4, -7.5, -0.5), "change_same_sites": None, "improved": 0.97, "rankability": 0.6,
        "reliability": 0.6, "denominator_needed": 500.0, "closing_the_gap": None,
    }  # fmt: skip
    return Facts(**(values | given))  # type: ignore[arg-type]


def named(slug: str, count: int, chance: float = 0.98) -> tuple[Named, ...]:
    return tuple(Named(f"{slug} {number}", slug, chance) for number in range(count))


class Told:
    """Stands for a published view where a rule asks for thresholds only."""

    params = type("Params", (), {"rules": Rules(), "value": None, "data": Data(sites="sites.csv")})()
    measures = (None,)
    effect = None
    value = None


# --- numbers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("probability", "said"),
    [(0.16, "16 in 100"), (0.975, "98 in 100"), (0.9951, "more than 99 in 100"), (1.0, "more than 99 in 100"),
     (0.0, "fewer than 1 in 100"), (0.0049, "fewer than 1 in 100"), (0.005, "1 in 100"), (0.994, "99 in 100")],
)  # fmt: skip
def test_chances_are_natural_frequencies(probability, said):
    assert plain(numbers.chance(probability)) == said


@given(st.floats(0, 1))
def test_a_chance_is_never_none_nor_certain_and_never_a_decimal(probability):
    said = plain(numbers.chance(probability))
    assert re.fullmatch(r"(more than 99|fewer than 1|[1-9]\d?) in 100", said)
    assert " " not in numbers.chance(probability).removeprefix("more than ").removeprefix("fewer than ")


@pytest.mark.parametrize(
    ("names", "said"), [([], ""), (["A"], "A"), (["A", "B"], "A and B"), (["A", "B", "C"], "A, B and C")]
)
def test_lists_end_with_and(names, said):
    assert numbers.listed(names) == said


def test_long_lists_say_how_many_more():
    assert numbers.listed("ABCDE", at_most=2) == "A, B and three more"


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "no hospital"), (1, "one hospital"), (2, "two hospitals"), (10, "ten hospitals"), (11, "11 hospitals")],
)
def test_counts_in_words_to_ten_and_never_zero(count, said):
    assert numbers.counted(count, HOSPITALS) == said


def test_counts_out_of_a_total():
    assert plain(numbers.counted(1, HOSPITALS, of=12)) == "one of 12 hospitals"
    assert plain(numbers.counted(0, HOSPITALS, of=12)) == "none of 12 hospitals"


@pytest.mark.parametrize(
    ("label", "said"),
    [("2019", "2019"), ("2017/2019", "2017–2019"), ("2025Q1", "Q1 2025"), ("2025Q1/2025Q3", "Q1 to Q3 2025"),
     ("2025Q1/2025Q4", "2025"), ("2024H1/2025H2", "2024–2025"),
     ("2024Q3/2025Q2", "Q3 2024 to Q2 2025"), ("2025-03", "March 2025"),
     ("2025-02/2025-12", "February to December 2025"), ("2025-01/2025-12", "2025"), ("2025H1", "H1 2025")],
)  # fmt: skip
def test_periods_as_a_reader_writes_them(label, said):
    assert plain(numbers.period_name(label)) == said


@pytest.mark.parametrize(
    ("value", "digits", "said"), [(1.26, 1, "+1.3"), (-0.44, 1, "−0.4"), (-0.04, 1, "0.0"), (0.0, 0, "0")]
)
def test_changes_carry_a_true_sign(value, digits, said):
    assert numbers.signed(value, digits) == said


def test_an_interval_says_to_and_does_not_break():
    assert numbers.interval(0.39, 1.06, 2) == f"0.39{SPACE}to{SPACE}1.06"
    assert numbers.interval(-1, 3, 0, sign=True) == f"−1{SPACE}to{SPACE}+3"
    assert numbers.interval(math.nan, 3, 0) == "–"


def test_estimated_counts_above_100_are_rounded_to_tens():
    assert numbers.estimated_count(1234) == "1,230"
    assert numbers.estimated_count(96.4) == "96"


@pytest.mark.parametrize(
    ("text", "said"), [("Deaths after surgery", "deaths after surgery"), ("MRSA infections", "MRSA infections"),
                       ("pH below 7", "pH below 7")],
)  # fmt: skip
def test_abbreviations_keep_their_capital(text, said):
    assert numbers.lower_first(text) == said


@pytest.mark.parametrize(
    ("probability", "said"), [(0.99, "almost certainly"), (0.95, "very probably"), (0.8, "probably"), (0.79, "")]
)
def test_words_for_probabilities(probability, said):
    assert numbers.probability_word(probability, Rules().probability_words) == said


def test_year_ranges_stay_on_one_line_and_nothing_else_changes():
    assert numbers.unbroken_years("in 2010–2012, 3 – 4") == "in 2010\u2060–\u20602012, 3 – 4"


# --- phrases -----------------------------------------------------------------------------------------------------


def test_events_a_year_from_the_change_of_the_rate():
    """−4 per 1,000 (−7.5 to −0.5) of 4,000 operations a year: 16 fewer (2 to 30)."""
    said = plain(phrases.events_a_year(facts()))
    assert said == "about 16 fewer deaths a year (95% interval 2 to 30)"


def test_events_a_year_across_zero_say_both_directions():
    said = plain(phrases.events_a_year(facts(change=Estimate(-4, -7.5, 1.0))))
    assert said == "about 16 fewer deaths a year (95% interval 30 fewer to 4 more)"


def test_more_events_where_the_rate_rose():
    said = plain(phrases.events_a_year(facts(change=Estimate(4, 1.0, 7.5))))
    assert said == "about 16 more deaths a year (95% interval 4 to 30)"


def test_a_mean_has_no_events_a_year_but_a_change_in_its_unit():
    stay = facts(STAY, base=1, change=Estimate(-0.3, -0.5, -0.1))
    assert phrases.events_a_year(stay) == ""
    assert plain(phrases.change_on_scale(stay)) == "−0.30 days (95% interval −0.50 to −0.10)"


def test_a_rate_names_events_cases_and_base():
    assert plain(phrases.rate(facts().view, Estimate(15.4, 14, 17))) == "about 15 deaths in every 1,000 operations"


@pytest.mark.parametrize(
    ("better", "adjusted", "said"),
    [("lower", True, "has more deaths than the average hospital would have had with the same operations"),
     ("lower", False, "has more deaths, for the number of operations, than the average hospital"),
     ("higher", False, "has fewer deaths, for the number of operations, than the average hospital")],
)  # fmt: skip
def test_what_worse_means(better, adjusted, said):
    view = replace(facts().view, params=DEATH.model_copy(update={"better": better}), adjusted=adjusted)
    assert phrases.worse_than(view, HOSPITALS) == said


def test_a_bounded_chance_only_reaches_its_threshold():
    assert plain(phrases.chance_of(Named("A", "worse", 0.975, bounded=True))) == "at least 97 in 100"
    assert plain(phrases.chance_of(Named("A", "worse", 0.975))) == "98 in 100"


def test_the_number_wrongly_named_is_the_sum_of_the_doubts():
    assert wrongly_named(named("candidate", 4, 0.6)) == pytest.approx(1.6)


# --- headline and cards ------------------------------------------------------------------------------------------


def headline_of(**given: object) -> str:
    return plain(headline.headline(Told(), facts(**given)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("improved", "said"),
    [(0.97, "very probably fell (97 in 100)"), (0.999, "almost certainly fell (more than 99 in 100)"),
     (0.85, "probably fell (85 in 100)"), (0.5, "did not clearly change"), (0.25, "did not clearly change"),
     (0.03, "very probably rose (97 in 100)"), (math.nan, "did not clearly change")],
)  # fmt: skip
def test_the_headline_follows_the_chance_that_the_rate_fell(improved, said):
    assert (
        headline_of(improved=improved) == f"Deaths after surgery {said}; no hospital can be told apart from the average"
    )


def test_the_headline_for_more_is_better_says_rose():
    on_time = DEATH.model_copy(update={"better": "higher", "label": "Care on time"})
    assert headline_of(measure=on_time, improved=0.97).startswith("Care on time very probably rose (97 in 100);")


@pytest.mark.parametrize(
    ("worsened", "improved", "said"),
    [(2, 0, "two hospitals worsened"), (1, 0, "one hospital worsened"), (0, 1, "one hospital improved"),
     (2, 1, "two hospitals worsened and one improved")],
)  # fmt: skip
def test_the_headline_names_who_changed(worsened, improved, said):
    trajectory = named("worsened", worsened) + named("improved", improved)
    assert headline_of(trajectory=trajectory).endswith(f"; {said}")


@pytest.mark.parametrize(
    ("worse", "better", "few", "said"),
    [(1, 0, 0, "one of 12 hospitals is worse than average"), (2, 0, 0, "two of 12 hospitals are worse than average"),
     (0, 1, 0, "one of 12 hospitals is better than average"),
     (2, 1, 0, "two of 12 hospitals are worse than average and one is better"),
     (0, 0, 1, "one hospital shows a signal on few cases"), (0, 0, 2, "two hospitals show a signal on few cases"),
     (0, 0, 0, "no hospital can be told apart from the average")],
)  # fmt: skip
def test_without_periods_the_headline_is_about_the_sites(worse, better, few, said):
    level = named("worse", worse) + named("better", better) + named("worse_few_cases", few)
    once = replace(facts().view, windows=ONCE)
    assert headline_of(view=once, change=None, level=level) == f"Deaths after surgery: {said}"


@pytest.mark.parametrize(
    ("improved", "answer"),
    [(0.97, "The rate very probably fell."), (0.5, "We cannot tell yet."),
     (0.04, "No sign of it: the rate very probably rose.")],
)  # fmt: skip
def test_did_it_work(improved, answer):
    card = cards.cards(Told(), facts(improved=improved), [])[0]  # type: ignore[arg-type]
    assert card.answer == answer
    assert card.bar is not None
    assert card.bar.label == "Chance that the rate fell"
    assert card.bar.share == improved
    assert card.text.endswith(phrases.CHANGE_NOT_EFFECT)


def test_for_whom_counts_those_who_could_have_changed_by_chance():
    trajectory = named("worsened", 2, 0.99) + named("no_clear_change", 8, 0.6)
    card = cards.cards(Told(), facts(trajectory=trajectory), [])[1]  # type: ignore[arg-type]
    assert card.answer == "Two hospitals worsened; none clearly improved."
    assert "For the other eight hospitals with data in both periods the change could be chance." in plain(card.text)


def test_a_bounded_chance_is_never_drawn_as_a_bar():
    worse = (Named("A", "worse", 0.975, bounded=True),)
    card = cards.for_whom_now(facts(level=worse))
    assert card.bar is None
    assert "at least 97 in 100" in plain(card.text)


def test_there_are_five_cards_and_answers_are_short():
    told = facts(level=named("worse", 12) + named("better", 3))
    found = cards.cards(Told(), told, ["a", "b", "c", "d"])  # type: ignore[arg-type]
    assert [card.question for card in found] == list(cards.QUESTIONS)
    assert all(len(card.answer.split()) <= 8 for card in found)
    assert len(found[-1].items) == 3


# --- figures, advice, checks, words --------------------------------------------------------------------------------


@given(st.lists(st.text("abc .", min_size=1, max_size=60), min_size=1, max_size=20))
def test_alt_text_keeps_to_its_limit(sentences):
    text = ". ".join(sentences)
    assert len(figures.shortened(text)) <= figures.ALT_LIMIT
    assert figures.shortened(text) == text or len(text) > figures.ALT_LIMIT


def test_talk_first_comes_first_and_says_the_weakest_chance():
    level = (Named("A", "worse", 0.999), Named("B", "worse", 0.976))
    found = advice._talk(Told(), facts(level=level))  # type: ignore[arg-type]
    assert plain(found[0].action).startswith("Talk first with A and B: each has more deaths")
    assert plain(found[0].action).endswith("with at least 97 chances in 100.")


def test_no_ranking_is_advised_below_the_least_rankability():
    assert advice._rank(Told(), facts(rankability=0.49))  # type: ignore[arg-type]
    assert not advice._rank(Told(), facts(rankability=0.5))  # type: ignore[arg-type]
    assert not advice._rank(Told(), facts(rankability=math.nan))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("failed", "blocking", "said"),
    [(0, False, "All 9 checks passed."),
     (1, False, "One of 9 checks did not pass. It is advisory: the results stand, with care."),
     (2, True, "Two of 9 checks did not pass. At least one of them is blocking: this report is provisional.")],
)  # fmt: skip
def test_the_message_about_checks(failed, blocking, said):
    assert checks.message(9, failed, blocking) == said


def test_what_a_failed_check_puts_in_doubt_is_said_in_words():
    assert checks.doubt("A", "level: worse → unclear") == "A (worse than average → cannot be told apart)"
    assert plain(checks.doubt("A", "2019Q2")) == "A (Q2 2019)"


def test_every_doubt_of_a_check_is_told():
    lines = "A\tlevel: worse → unclear\nB\t2019Q2"
    assert [plain(doubt) for doubt in checks.doubts(lines)] == [
        "A (worse than average → cannot be told apart)", "B (Q2 2019)",
    ]  # fmt: skip
    assert checks.doubts("") == []


def test_every_rule_of_the_control_chart_has_its_meaning_and_only_those_that_occur_are_told():
    assert tuple(figures_in_time.SIGNALS) == RULES
    said = figures_in_time._signals_explained({"2020": "trend", "2021": "shift", "2022": "shift"})
    assert said == (
        "Shift: 7 or more points in a row on one side of the mean; trend: 6 or more points in a row rising or falling."
    )
    assert figures_in_time._signals_explained({}) == ""


def test_an_unknown_word_is_an_error():
    with pytest.raises(KeyError):
        word("level", "splendid")


def test_every_word_of_the_rules_has_a_wording_and_a_mark():
    from collabeval.plots.marks import LOOKS
    from collabeval.statements.features import TARGET_WORDS

    said = {slug for words in WORDS.values() for slug in words}
    not_of_sites = {"", "award_in_doubt", "off_target", *TARGET_WORDS}  # marks of awards, indicators and features
    assert said == set(LOOKS) - not_of_sites
    assert said >= REMARKABLE


def test_a_prior_on_another_scale_says_so():
    from collabeval.params import Prior

    prior = Prior(on="precision", dist="Gamma", alpha=0.001, beta=0.001)
    assert priors.described(prior) == "Gamma(alpha = 0.001, beta = 0.001) on the precision, 1 ÷ variance"


def test_measures_together_have_a_prior_of_their_correlation():
    from collabeval.params import Model

    together = Model.model_validate({"together": ("a", "b")})
    said = {name: prior for name, _, prior, _ in priors.used(together, (), True)}
    assert said["measure_correlation"] == "LKJ(eta = 2)"
    assert "measure_correlation" not in {name for name, *_ in priors.used(Model(), (), True)}

"""Scorecards: what an evaluator may write, and the points that follow from it, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from pydantic_core import PydanticCustomError
from ruamel.yaml import YAML

from collabeval.params.scorecards import Part, check_scorecards
from collabeval.scorecard.points import events_needed, points_of, shortfall, tier_of
from collabeval.scorecard.tables import parts_table, sites_table, tiers_table
from scorecard_examples import (
    ALL,
    BEST_TEN,
    COLLABORATIVE,
    HOSPITAL,
    REGIONAL,
    card_of,
    drawn,
    line,
    params_with,
    scored,
    text_of,
)

NAN = float("nan")


def part(**settings: object) -> Part:
    return Part.model_validate({"measure": "complication", "tiers": [{"at": 8, "points": 4}], **settings})


def test_all_four_are_declared_without_code():
    params = params_with(*ALL)
    assert list(params.scorecards) == ["hospital", "statewide", "regional", "best_ten"]
    assert params.scorecards["hospital"].total == 100
    assert params.scorecards["best_ten"].total == 100


def test_the_example_of_the_guide_is_one():
    guide = (Path(__file__).parents[1] / "docs" / "scorecards.md").read_text(encoding="utf-8")
    blocks = YAML(typ="safe").load(guide.split("```yaml")[1].split("```")[0])
    params = params_with(indicators=blocks["indicators"], scorecards=blocks["scorecards"])
    assert params.scorecards["index"].total == 100


# --- ten weighted lines


def hospital_values() -> dict[str, list[float]]:
    """Three sites: full marks everywhere; the middle tiers; nothing."""
    return {
        "parts.champion": [100, 60, 0], "parts.abstractor": [75, 50, 49], "parts.on_time": [95, 90, 10],
        "parts.audit": [96, 91, 80], "parts.complication": [8, 9.9, 12.1], "parts.infection": [0.5, 2, 3],
        "parts.readmission": [6, 7, 9], "parts.antibiotics": [95, 85, 84.9], "parts.opioids": [5, 15, 30],
        "parts.registry": [80, 75, 0],
    }  # fmt: skip


def test_ten_lines_add_up_by_their_weights():
    values = hospital_values()
    values["parts.complication"] = drawn(values["parts.complication"], [[8], [9.9], [12.1]])
    result = scored(card_of(HOSPITAL), values)
    # 3 + 2 + 10·50/100 + 10·1/4 + 10 + 8 + 5 + 5 + half of 10 + 4
    assert result.points == pytest.approx([100, 49.5, 0])
    assert list(sites_table(result)["award"]) == ["full", "none", "none"]
    assert result.money == pytest.approx([100_000 + 100 * 100, 4950, 0])


def test_too_few_cases_take_the_line_out_and_scale_the_others():
    values = hospital_values()
    values["parts.complication"] = drawn([12.1, 9.9, 12.1], [[12.1], [9.9], [12.1]], cases=[29, 30, 100])
    result = scored(card_of(HOSPITAL), values)
    assert result.points[0] == pytest.approx(100)  # the bad value of 29 cases is not held against it
    assert list(parts_table(result).query("part == 'complication'")["status"]) == ["few", "scored", "scored"]


@pytest.mark.parametrize(
    ("missing", "kind", "points"),
    [(None, "performance", 100), (None, "participation", 50), ("zero", "performance", 50), ("full", "performance", 100),
     ("skip", "participation", 100)],
)  # fmt: skip
def test_a_line_without_data(missing, kind, points):
    lines = f"a: {{kind: {kind}, measure: complication, weight: 50, tiers: [{{at: 8, points: 1}}]}}"
    card = card_of(
        f"x: {{label: x, parts: {{{lines}, b: {{measure: infection, weight: 50, tiers: [{{at: 1, points: 1}}]}}}}}}"
    )
    chosen = card.parts["a"].model_copy(update={"missing": missing})
    card = card.model_copy(update={"parts": {**card.parts, "a": chosen}})
    assert scored(card, {"parts.a": [NAN], "parts.b": [1]}).points == pytest.approx([points])


def test_a_site_of_which_every_line_is_skipped_has_no_score_and_no_money():
    card = card_of(REGIONAL.replace("unit: region, ", "").split("  gates")[0])
    table = sites_table(scored(card, {"parts.complication": [NAN, 9]}))
    assert np.isnan(table["points"][0])
    assert np.isnan(table["money"][0])
    assert table["points"][1] == 20


@pytest.mark.parametrize(("waived", "points"), [("skip", 100), ("full", 100)])
def test_what_is_waived_is_skipped_or_earns_full_marks(waived, points):
    text = """
x:
  label: x
  parts:
    a: {measure: complication, tiers: [{at: 8, points: 50}]}
    b: {measure: infection, tiers: [{at: 1, points: 50}]}
"""
    card = card_of(text + f"  waived: {waived}\n")
    bad = drawn([20.0, 20.0], [[20.0], [20.0]], waived=[True, False])
    assert scored(card, {"parts.a": bad, "parts.b": [1, 1]}).points == pytest.approx([points, 50])
    half = scored(card, {"parts.a": bad, "parts.b": [2, 2]}).points
    assert half == pytest.approx([0 if waived == "skip" else 50, 0])


# --- two of three targets of the collaborative


def test_the_collaborative_is_one_unit_and_two_of_three_targets_pay_everyone():
    values = {
        "parts.complication": drawn([5, 20], [[5], [20]], cases=[300, 100]),  # pooled 8.75: met
        "parts.infection": drawn([1, 4], [[1], [4]], cases=[100, 100]),  # 2.5: not met
        "parts.antibiotics": drawn([80, 100], [[80], [100]], cases=[100, 100]),  # 90: met, to the point
    }
    result = scored(card_of(COLLABORATIVE), values)
    assert result.points == pytest.approx([10, 10])
    assert list(sites_table(result)["award"]) == ["met", "met"]
    values["parts.antibiotics"] = drawn([80, 99.9], [[80], [99.9]], cases=[100, 100])
    assert scored(card_of(COLLABORATIVE), values).points == pytest.approx([0, 0])


def test_every_site_weighs_the_same_where_params_say_so():
    card = card_of(COLLABORATIVE.replace("unit: collaborative,", "unit: collaborative, mean: sites,"))
    pooled = drawn([5, 20], [[5], [20]], cases=[300, 100], per=100)
    low = scored(card, {"parts.complication": pooled, "parts.infection": [1, 1], "parts.antibiotics": [0, 0]})
    assert low.parts[0].values.observed == pytest.approx([12.5, 12.5])
    assert low.points == pytest.approx([0, 0])


@pytest.mark.parametrize(("skipped", "met", "paid"), [(1, 1, False), (1, 2, True), (2, 1, True), (2, 0, False)])
def test_skipped_targets_lower_what_is_needed_in_proportion(skipped, met, paid):
    """Two of three become two of two (2·2/3 rounded up), and one of one."""
    names = ["complication", "infection", "antibiotics"]
    good, bad = (
        {"complication": 5.0, "infection": 1.0, "antibiotics": 95.0},
        {"complication": 30.0, "infection": 9.0, "antibiotics": 1.0},
    )
    values = {f"parts.{name}": [NAN] for name in names[:skipped]}
    left = names[skipped:]
    values |= {f"parts.{name}": [good[name] if place < met else bad[name]] for place, name in enumerate(left)}
    assert (scored(card_of(COLLABORATIVE), values).points[0] == 10) == paid


def test_all_means_all():
    card = card_of(COLLABORATIVE.replace("rule: k_of_m\n  needed: 2", "rule: all"))
    values = {"parts.complication": [5, 5], "parts.infection": [1, 1], "parts.antibiotics": [95, 95]}
    assert scored(card, values).points == pytest.approx([10, 10])
    assert scored(card, {**values, "parts.antibiotics": [80, 80]}).points == pytest.approx([0, 0])


# --- a regional mean with attendance gates


def test_the_regions_mean_is_scored_and_gates_stand_before_it():
    values = {
        "parts.complication": drawn([6, 12, 14, 2], [[6], [12], [14], [2]], cases=[100, 100, 100, 100]),
        "gates.champion": [75, 74, 100, 100], "gates.abstractor": [50, 100, 40, NAN],
    }  # fmt: skip
    result = scored(card_of(REGIONAL), values, region=["north", "north", "south", ""])
    # north 9 → 20 points, south 14 → none; the last site has no region
    assert result.points[:3] == pytest.approx([20, 0, 0])
    assert np.isnan(result.points[3])
    table = sites_table(result)
    assert list(table["closed"]) == ["", "champion", "abstractor", "abstractor"]
    assert parts_table(result)["observed"].tolist()[:2] == [9, 9]


def test_a_gate_may_leave_a_share_and_guard_single_lines():
    gate = "attend: {indicator: champion_attendance, at: 75, keeps: 0.5, parts: [complication, infection]}"
    text = f"{HOSPITAL}  gates:\n    {gate}\n"
    values = {**hospital_values(), "gates.attend": [75, 60, 0]}
    values["parts.complication"] = drawn(values["parts.complication"], [[8], [9.9], [12.1]])
    assert scored(card_of(text), values).points == pytest.approx([100, 49.5 - (10 + 8) / 2, 0])


# --- the best ten of all its collaboratives


def test_the_best_ten_count_and_fewer_are_scored_on_what_there_is():
    shares = {f"parts.c{number:02d}": [100 - 5 * number, NAN if number > 4 else 80] for number in range(1, 14)}
    result = scored(card_of(BEST_TEN), shares)
    assert result.points == pytest.approx([np.mean([100 - 5 * number for number in range(1, 11)]), 80])


def test_preferred_collaboratives_count_before_others():
    card = card_of(BEST_TEN + "\n  preferred: [c13]\n")
    shares = {f"parts.c{number:02d}": [100 - 5 * number] for number in range(1, 14)}
    best_nine = [100 - 5 * number for number in range(1, 10)]
    assert scored(card, shares).points == pytest.approx([np.mean([*best_nine, 35])])


def test_a_tie_for_the_last_place_among_the_best_costs_no_point():
    text = """
x:
  label: x
  best: 2
  points: 10
  parts:
    a: {measure: complication, weight: 1, tiers: [{at: 8, points: 1}]}
    b: {measure: infection, weight: 1, tiers: [{at: 1, points: 1}]}
    c: {measure: readmission, weight: 8, tiers: [{at: 6, points: 1}]}
"""
    first = {"parts.a": [8], "parts.b": [2], "parts.c": [7]}  # one line at full marks, two at none
    assert scored(card_of(text), first).points == pytest.approx([10 * 1 / 9])
    second = {"parts.a": [8], "parts.b": [1], "parts.c": [6]}
    assert scored(card_of(text), second).points == pytest.approx([10])


def test_the_best_lines_are_chosen_anew_in_every_draw():
    """On the data the luckier of two equal lines counts: its points are expected to be fewer in truth."""
    generator = np.random.default_rng(1)
    evenly, ends = ", between: line", [(0, 0), (100, 100)]
    lines = f"{line('measure: antibiotics', *ends, more=evenly)}, {line('indicator: follow_up', *ends, more=evenly)}"
    truth = [drawn([70.0], np.full((1, 4000), 50.0)), drawn([50.0], 50 + generator.normal(0, 5, (1, 4000)))]
    values = {"parts.antibiotics": truth[0], "parts.follow_up": truth[1]}
    result = scored(card_of(text_of(lines, ", best: 1, points: 100")), values)
    assert result.points == pytest.approx([70])
    assert result.drawn.mean() == pytest.approx(50 + 5 / np.sqrt(2 * np.pi), abs=0.2)  # E max(0, normal)


# --- thresholds


@pytest.mark.parametrize(
    ("better", "values", "tiers"),
    [("higher", [95, 94.999, 90, 80], [2, 1, 1, 0]), ("lower", [8, 8.001, 10, 10.1], [2, 1, 1, 0])],
)
def test_a_value_on_a_threshold_earns_it(better, values, tiers):
    pairs = [(95, 10), (90, 5)] if better == "higher" else [(8, 10), (10, 5)]
    steps = part(tiers=[{"at": at, "points": points} for at, points in pairs])
    assert tier_of(np.array(values), steps, better).tolist() == tiers


def test_a_recorded_share_that_is_the_threshold_but_for_its_last_bits_lies_on_it():
    share = 100 * (0.1 + 0.2)  # 30.000000000000004
    assert tier_of(np.array([share]), part(tiers=[{"at": 30, "points": 1}]), "lower").tolist() == [1]
    assert tier_of(np.array([share + 1e-6]), part(tiers=[{"at": 30, "points": 1}]), "lower").tolist() == [0]


def test_on_lines_points_rise_evenly_between_thresholds():
    steps = part(between="line", weight=20, tiers=[{"at": 8, "points": 10}, {"at": 12, "points": 2}])
    assert points_of(np.array([7, 8, 10, 12, 12.1, NAN]), steps, "lower")[:5] == pytest.approx([20, 20, 12, 4, 0])


def test_each_site_sees_how_far_the_next_tiers_are():
    steps = part(tiers=[{"at": 8, "points": 10}, {"at": 10, "points": 5}])
    values, cases = np.array([9.0, 10.5, 8.0]), np.array([100.0, 200.0, 25.0])
    assert shortfall(values, steps, "lower") == pytest.approx(np.array([[0, 1], [0.5, 2.5], [0, 0]]))
    # 9 of 100 need 8; 21 of 200 need 20, then 16; 2 of 25 are 8 per 100
    assert events_needed(values, cases, 100, steps, "lower") == pytest.approx(np.array([[0, 1], [1, 5], [0, 0]]))
    higher = part(tiers=[{"at": 90, "points": 5}])
    assert events_needed(np.array([80.0]), np.array([15.0]), 100, higher, "higher") == pytest.approx(np.array([[2]]))


def test_the_table_of_tiers_says_what_the_next_tier_would_add():
    values = {"parts.complication": drawn([9.5], [[7.0, 9.0, 9.0, 11.0]], cases=200, per=100)}
    text = text_of(line("measure: complication", (8, 15), (10, 10)), ", awards: [{name: full, at: 15, amount: 900}]")
    table = tiers_table(scored(card_of(text), values)).set_index(["part", "tier"])
    lines = table.loc["complication"]
    assert lines["probability"].tolist() == [0.25, 0.5, 0.25]
    assert lines.loc[2, ["away", "events", "gain"]].tolist() == pytest.approx([1.5, 3, 5])
    assert table.loc[("", 1), ["away", "gain", "probability"]].tolist() == pytest.approx([5, 900, 0.25])


# --- what params refuse

ONE = line("measure: infection", (1, 1))


@pytest.mark.parametrize(
    ("lines", "more", "said"),
    [
        ("a: {tiers: [{at: 1, points: 1}]}", "", "looks at nothing"),
        ("a: {measure: infection, indicator: follow_up, tiers: [{at: 1, points: 1}]}", "", "measure and indicator"),
        (line("measure: nothing", (1, 1)), "", "there is no measure nothing"),
        (line("indicator: nothing", (1, 1), more=", better: lower"), "", "there is no indicator nothing"),
        (line("indicator: follow_up", (2, 1), (1, 2)), "", "calls lower values better"),
        (line("measure: infection", (1, 1), (2, 2)), "", "of infection lower ones are"),
        (line("measure: infection", (1, 1), (2, 3), (3, 2)), "", "up and down"),
        (line("measure: infection", (1, 1), (1, 2)), "", "share a threshold"),
        (line("measure: infection", (2, 1), (1, 2), more=", better: higher"), "", "rise against"),
        (ONE, ", rule: k_of_m", "belong together"),
        (ONE, ", rule: k_of_m, needed: 2", "2 lines are needed of 1"),
        (ONE, ", rule: all, best: 1", "goes with `rule: sum` only"),
        (ONE, ", preferred: [infection]", "goes with `best` only"),
        (line("scorecard: x", (1, 1)), "", "looks at itself"),
        (line("scorecard: y", (1, 1)), "", "there is no scorecard y"),
        (line("scorecard: x", (1, 1), more=", unit: region"), "", "a site's own"),
        (ONE, ", gates: {g: {indicator: follow_up, at: 1, parts: [b]}}", "no such line"),
        (ONE, ", gates: {g: {measure: infection, at: 1, better: higher}}", "of infection lower ones are"),
        (ONE, ", awards: [{name: full, at: 2}]", "an award needs 2 points"),
        (ONE, ", awards: [{name: full, at: 1}, {name: half, at: 1}]", "two awards share"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(lines, more, said):
    with pytest.raises(ValidationError, match=said):
        params_with(text_of(lines, more))


def test_an_indicator_of_which_only_the_name_is_known_must_say_which_way_is_good():
    params = params_with(text_of(line("indicator: follow_up", (1, 1))))
    check_scorecards(params.scorecards, params.measures, {"follow_up": "higher"})
    with pytest.raises(PydanticCustomError, match="which way is good"):
        check_scorecards(params.scorecards, params.measures, {"follow_up": ""})

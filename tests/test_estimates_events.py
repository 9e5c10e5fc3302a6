"""Every event about a site, and the words that follow from it, by hand and by symmetry."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy.special import expit

from collabeval import estimates
from collabeval.estimates import SiteResults
from collabeval.estimates.recorded import recorded_side
from collabeval.params import Params
from draws_for_tests import SIZE, Draws, panel_of, params, spread

# shrinking a seed says nothing and takes minutes
SEEDS = settings(max_examples=5, deadline=None, phases=[Phase.explicit, Phase.generate])
YEARS = ("2001", "2002", "2003", "2004", "2005")


def evaluate(settings: Params, draws: Draws) -> SiteResults:
    return estimates.evaluate_sites(settings, draws.panel, {"m": draws.tree()})


def chance(results: SiteResults, event: str, site: str) -> float:
    rows = results.probabilities
    chosen = rows[rows["event"].eq(event) & rows["site"].eq(site)]
    assert len(chosen) == 1, f"{len(chosen)} rows of {event} for {site!r}"
    return float(chosen["probability"].iloc[0])


def events_of(results: SiteResults, site: str) -> set[str]:
    return set(results.probabilities.loc[results.probabilities["site"].eq(site), "event"])


def word(results: SiteResults, site: str, slot: str) -> str:
    rows = results.statements
    (found,) = rows.loc[rows["site"].eq(site) & rows["slot"].eq(slot), "statement"]
    return str(found)


def share_of(positive: float) -> np.ndarray:
    """Draws of +1 in this share and of -1 in the rest."""
    return np.where(np.arange(SIZE) < positive * SIZE, 1.0, -1.0)


def test_better_and_worse_are_shares_of_draws_beyond_the_margin():
    panel = panel_of([{"site": "a"}, {"site": "b"}])
    draws = Draws(panel, level={"a": 0.4 * share_of(0.25)})  # difference from the mean of both: +-0.2
    plain = evaluate(params(length="none"), draws)
    assert chance(plain, "worse", "a") == chance(plain, "better", "b") == 0.25
    assert chance(plain, "better", "a") == 0.75
    assert chance(evaluate(params(length="none", rules={"margin": 0.21}), draws), "better", "a") == 0
    turned = evaluate(params({"better": "higher"}, length="none"), draws)
    assert chance(turned, "better", "a") == 0.25


def test_close_is_within_the_minimal_difference_at_the_same_cases_on_the_display_scale():
    panel = panel_of([{"site": "a"}, {"site": "b"}])
    level = np.where(np.arange(SIZE) < 0.3 * SIZE, 0.2, 2.0)
    draws = Draws(panel, intercept=-2.0, level={"a": level})
    near = 100 * (expit(-1.8) - expit(-1.9))
    results = evaluate(params({"minimal_difference": near + 0.01}, length="none"), draws)
    assert chance(results, "close", "a") == pytest.approx(0.3)
    assert chance(evaluate(params({"minimal_difference": near - 0.01}, length="none"), draws), "close", "a") == 0
    assert "close" not in events_of(evaluate(params(length="none"), draws), "a"), "not asked without the difference"


def test_close_is_in_the_unit_of_a_mean():
    panel = panel_of(
        [{"site": "a", "n": 50.0, "mean": 5.0, "sd": 2.0}, {"site": "b", "n": 50.0, "mean": 5.0, "sd": 2.0}]
    )
    level = np.where(np.arange(SIZE) < 0.3 * SIZE, 0.5, 2.0)
    draws = Draws(panel, "normal", level={"a": level}, scale=2.0, residual_sd={"a": 2.0, "b": 2.0})
    settings = {"family": "normal", "minimal_difference": 0.51}
    assert chance(evaluate(params(settings, length="none"), draws), "close", "a") == pytest.approx(0.3)


def twelve(**columns: Any) -> pd.DataFrame:
    return panel_of([{"site": f"s{i:02d}", **columns} for i in range(12)])


def test_the_best_and_worst_share_are_asked_from_ten_sites_on():
    level = {f"s{i:02d}": float(i) for i in range(12)}
    level["s01"] = np.where(np.arange(SIZE) < 0.4 * SIZE, 1.0, 20.0)
    results = evaluate(params(length="none"), Draws(twelve(), level=level))
    assert [chance(results, "best_share", f"s{i:02d}") for i in range(4)] == pytest.approx([1, 0.4, 0.6, 0])
    assert chance(results, "worst_share", "s01") == pytest.approx(0.6)
    assert chance(results, "worst_share", "s11") == 1
    few = panel_of([{"site": f"s{i:02d}"} for i in range(9)])
    assert "best_share" not in events_of(evaluate(params(length="none"), Draws(few, level=level)), "s00")


@pytest.mark.filterwarnings("error")
def test_where_no_site_has_cases_enough_there_is_no_word_but_a_warning():
    panel = panel_of([{"site": site, "denominator": 20.0} for site in "abc"])
    draws = Draws(panel, intercept=-2.0, level={"a": 1.0, "b": 0.0, "c": 0.0})
    results = evaluate(params({"minimum_denominator": 30}, length="none"), draws)
    assert chance(results, "worse", "a") == 1, "than the average of all"
    said = [word(results, site, "level") for site in "abc"]
    assert said == ["worse_few_cases", "not_enough_data", "not_enough_data"]
    assert not results.estimates["estimand"].isin(["rank", "percentile"]).any()
    assert not events_of(results, "a") & {"best_share", "better_than_benchmark"}
    programme = estimates.evaluate_programme(
        params({"minimum_denominator": 30}, length="none"), panel, {"m": draws.tree()}
    )
    assert not programme.estimates["estimand"].isin(["rankability", "benchmark"]).any()


@pytest.mark.filterwarnings("error")
def test_a_site_that_left_has_one_word_and_no_number_of_now():
    panel = panel_of([{"site": s, "period": y} for s in "abc" for y in YEARS if s != "c" or y < "2005"])
    results = evaluate(params(), Draws(panel))
    rows = results.statements[results.statements["site"].eq("c")]
    assert rows[["slot", "statement"]].to_numpy().tolist() == [["level", "not_enough_data"]]
    assert events_of(results, "c") == set()
    of_c = results.estimates[results.estimates["site"].eq("c")]
    assert not of_c["period"].eq("2005").any()
    assert of_c["estimand"].eq("trajectory").sum() == 4
    assert not results.estimates["mean"].isna().any()


def test_a_benchmark_from_params_is_met_at_the_standardised_rate():
    panel = panel_of([{"site": "a"}, {"site": "b"}])
    draws = Draws(panel, intercept=-2.0, level={"a": share_of(0.35)})
    below = params({"benchmark": 10.0}, length="none")  # expit(-3) = 4.7 in 100, expit(-1) = 26.9
    assert chance(evaluate(below, draws), "better_than_benchmark", "a") == pytest.approx(0.65)
    above = params({"benchmark": 10.0, "better": "higher"}, length="none")
    assert chance(evaluate(above, draws), "better_than_benchmark", "a") == pytest.approx(0.35)


def test_without_one_it_is_what_the_best_others_achieve():
    level = {f"s{i:02d}": 0.1 * i for i in range(12)}
    level["s05"] = np.where(np.arange(SIZE) < 0.2 * SIZE, -1.0, 1.0)
    results = evaluate(params(length="none"), Draws(twelve(), intercept=-2.0, level=level))
    assert chance(results, "better_than_benchmark", "s05") == pytest.approx(0.2)
    assert chance(results, "better_than_benchmark", "s00") == pytest.approx(0.8), "held against the others"
    alone = evaluate(params(length="none"), Draws(panel_of([{"site": "a"}])))
    assert "better_than_benchmark" not in events_of(alone, "a")


def test_improvement_is_of_the_standardised_rate_and_of_sites_in_both_windows():
    panel = panel_of([{"site": s, "period": y} for s, y in [("a", "2001"), ("a", "2002"), ("b", "2002")]])
    trend = share_of(0.1)
    draws = Draws(panel, intercept=-2.0, trend={"2001": -trend, "2002": trend})
    results = evaluate(params({"minimal_difference": 1.0}), draws)
    assert chance(results, "improved", "a") == 0.9
    assert chance(results, "worsened", "a") == 0.1
    assert chance(results, "improved_by_minimal_difference", "a") == 0.9
    huge = evaluate(params({"minimal_difference": 30.0}), draws)
    assert chance(huge, "improved_by_minimal_difference", "a") == 0
    assert "improved" not in events_of(results, "b")
    assert word(results, "a", "trajectory") == "no_clear_change"
    assert word(results, "b", "trajectory") == "joined_later"


def three_years(level: float, extra: tuple[np.ndarray | float, ...], **measure: Any) -> SiteResults:
    """Twelve sites of which s00 has this level, and these site-year effects in the last three years."""
    rows = [{"site": f"s{i:02d}", "period": year, "numerator": 10.0 if i else 5.0} for i in range(12) for year in YEARS]
    panel = panel_of(rows)
    overdispersion = np.zeros((SIZE, len(panel)))
    for place, values in zip((2, 3, 4), extra, strict=True):
        overdispersion[:, place] = values
    draws = Draws(
        panel, intercept=-2.0, level={"s00": level}, overdispersion=overdispersion,
        hyperparameters={"site_sd": 0.4, "overdispersion_sd": 0.2},
    )  # fmt: skip
    return evaluate(params(measure), draws)


def test_persistence_is_joint_over_the_windows():
    first, second = share_of(0.05), share_of(0.06)[::-1]  # never both in the same draw
    results = three_years(-0.5, (first, second, -1.0))
    assert chance(results, "sustained", "s00") == pytest.approx(1 - 0.05 - 0.06)
    assert chance(results, "sustained_worse", "s00") == 0
    assert word(results, "s00", "deviance") == "candidate", "each year alone has 0.94 and more, together 0.89"
    assert word(three_years(-0.5, (first, -1.0, -1.0)), "s00", "deviance") == "positive_deviant"


def test_a_lasting_high_performer_is_as_sure_as_both_it_needs_at_once():
    """Now among the best but in 0.15 of the draws, lasting but in another 0.08: both at once in 0.77."""
    panel = panel_of(
        [{"site": f"s{i:02d}", "period": year, "numerator": 10.0 if i else 5.0} for i in range(12) for year in YEARS]
    )
    now, before = np.where(share_of(0.15) > 0, 0.45, -1.0), np.where(share_of(0.08)[::-1] > 0, 3.0, -1.0)
    overdispersion = np.zeros((SIZE, len(panel)))
    overdispersion[:, 3], overdispersion[:, 4] = before, now
    level = {"s00": -0.5, "s01": -0.2, "s02": -0.2}
    drawn = {"site_sd": 0.4, "overdispersion_sd": 0.2}
    draws = Draws(panel, intercept=-2.0, level=level, overdispersion=overdispersion, hyperparameters=drawn)
    results = evaluate(params(rules={"minimum_reliability": 0.0}), draws)
    assert chance(results, "best_share", "s00") == pytest.approx(0.85)
    assert chance(results, "sustained", "s00") == pytest.approx(0.92)
    assert chance(results, "best_share_sustained", "s00") == pytest.approx(0.77)
    said = results.statements.set_index(["site", "slot"]).loc[("s00", "deviance")]
    assert (said["statement"], said["probability"]) == ("positive_deviant", pytest.approx(0.77))


def test_the_recorded_numbers_must_agree_in_each_window():
    rows = [{"site": f"s{i:02d}", "period": y, "numerator": 10.0} for i in range(12) for y in YEARS]
    panel = panel_of(rows)
    drawn = {"site_sd": 0.4, "overdispersion_sd": 0.2}
    for numerators, said in {(9.0, 9.0, 9.0): "positive_deviant", (9.0, 11.0, 9.0): "candidate"}.items():
        panel.loc[2:4, "numerator"] = numerators
        draws = Draws(panel, level={"s00": -1.0}, overdispersion=np.zeros((SIZE, 60)), hyperparameters=drawn)
        assert word(evaluate(params(), draws), "s00", "deviance") == said
    assert word(evaluate(params({"better": "higher"}), draws), "s00", "deviance") == "review"


def test_the_recorded_side_is_the_same_for_the_dead_and_for_the_survivors():
    died = panel_of([{"site": "a"}, {"site": "b"}]).assign(numerator=[7.0, 40.0], expected=[10.0, 50.0])
    lived = died.assign(numerator=[93.0, 60.0], expected=[90.0, 50.0])
    for panel, better in ((died, "lower"), (lived, "higher")):
        setting = params({"better": better}, length="none")
        posterior = estimates.read(setting, "m", panel, Draws(panel).tree())
        # 47 of 60 expected died: 7 against 7.8 and 40 against 39.2 once recalibrated
        assert recorded_side(posterior, posterior.windows.current).tolist() == [1, -1]


def test_the_past_says_nothing_without_site_year_effects_or_without_three_windows():
    panel = panel_of(
        [{"site": f"s{i:02d}", "period": y, "numerator": 10.0 - (i == 0)} for i in range(12) for y in YEARS]
    )
    results = evaluate(params(), Draws(panel, level={"s00": -1.0}))
    assert "sustained" not in events_of(results, "s00")
    assert word(results, "s00", "deviance") == "emerging"
    late = panel[~(panel["site"].eq("s00") & panel["period"].lt("2004"))].reset_index(drop=True)
    drawn = {"site_sd": 0.4, "overdispersion_sd": 0.2}
    draws = Draws(late, level={"s00": -1.0}, overdispersion=np.zeros((SIZE, len(late))), hyperparameters=drawn)
    results = evaluate(params(), draws)
    assert "sustained" not in events_of(results, "s00")
    assert "sustained" in events_of(results, "s01")
    assert word(results, "s00", "deviance") == "emerging"


def test_the_collaborative_has_chances_of_its_own_with_a_blank_site():
    panel = panel_of([{"site": s, "period": y} for s, y in [("a", "2001"), ("a", "2002"), ("b", "2002")]])
    trend = share_of(0.1)
    draws = Draws(panel, intercept=-2.0, level={"b": 3.0}, trend={"2001": -trend, "2002": trend})
    results = evaluate(params(), draws)
    assert chance(results, "improved", "") == 0, "the site that joined is much worse"
    assert chance(results, "improved_same_sites", "") == 0.9
    assert chance(results, "worsened", "") == 1
    assert set(results.statements["site"]) == {"a", "b"}


def random_case(seed: int, expected: bool, flip: bool) -> tuple[Params, Draws]:
    """Fourteen sites over five years from random draws; `flip` exchanges events and non-events and turns `better`."""
    random = np.random.default_rng(seed)
    sites = [f"s{i:02d}" for i in range(14)]
    cells = [(site, year) for site in sites for year in YEARS if random.random() > 0.1 or year == "2005"]
    cases = random.integers(10, 300, len(cells)).astype(float)
    events = random.binomial(cases.astype(int), random.uniform(0.05, 0.4, len(cells))).astype(float)
    predicted = cases * random.uniform(0.05, 0.4, len(cells))
    sign = -1 if flip else 1
    rows = [{"site": site, "period": year} for site, year in cells]
    panel = panel_of(rows).assign(denominator=cases, weight=cases, numerator=cases - events if flip else events)
    if expected:
        panel["expected"] = cases - predicted if flip else predicted
    draws = Draws(
        panel,
        intercept=sign * random.normal(-1, 0.1, SIZE),
        level={site: sign * spread(random.normal(0, 0.7), 0.25, seed + i) for i, site in enumerate(sites)},
        slope={site: sign * spread(random.normal(0, 0.15), 0.05, seed + i) for i, site in enumerate(sites)},
        trend={year: sign * random.normal(0, 0.1, SIZE) for year in YEARS},
        overdispersion=sign * random.normal(0, 0.05, (SIZE, len(cells))),
        hyperparameters={
            "site_sd": np.full(SIZE, 0.7), "trajectory_sd": 0.15, "site_correlation": 0.1, "overdispersion_sd": 0.1,
        },
    )  # fmt: skip
    better = "higher" if flip else "lower"
    measure = {"better": better, "minimal_difference": 4.0, "minimum_denominator": 30}
    rules = {"level": 0.9, "trajectory": 0.8, "close": 0.5, "deviant": 0.6, "persistence": 0.6, "review_share": 0.6}
    return params(measure, rules=rules), draws


@SEEDS
@given(st.integers(0, 10_000), st.booleans())
def test_counting_the_survivors_instead_of_the_dead_says_the_same_of_every_site(seed, expected):
    plain, mirrored = (evaluate(*random_case(seed, expected, flip)) for flip in (False, True))
    merged = plain.probabilities.merge(mirrored.probabilities, on=["measure", "site", "period", "event"], how="outer")
    np.testing.assert_allclose(merged["probability_x"], merged["probability_y"], atol=2 / SIZE)
    columns = ["site", "slot", "statement"]
    pd.testing.assert_frame_equal(plain.statements[columns], mirrored.statements[columns])


def test_the_symmetry_is_tried_on_many_words():
    said = {word for seed in range(6) for word in evaluate(*random_case(seed, False, False)).statements["statement"]}
    assert {"better", "worse", "unclear", "improved", "joined_later", "candidate", "review", "none"} <= said


@SEEDS
@given(st.integers(0, 10_000), st.booleans())
def test_neither_row_order_nor_names_of_sites_matter(seed, expected):
    setting, draws = random_case(seed, expected, flip=False)
    plain = evaluate(setting, draws)
    random = np.random.default_rng(seed)
    order, sites = random.permutation(len(draws.panel)), sorted(set(draws.panel["site"]))
    names = dict(zip(sites, (f"x{i:02d}" for i in random.permutation(len(sites))), strict=True))
    panel = draws.panel.iloc[order].reset_index(drop=True)
    relabelled = Draws(
        panel.assign(site=panel["site"].map(names)),
        intercept=draws.intercept,
        level={names[site]: values for site, values in draws.level.items()},
        slope={names[site]: values for site, values in (draws.slope or {}).items()},
        trend=draws.trend,
        overdispersion=None if draws.overdispersion is None else draws.overdispersion[:, order],
        hyperparameters=draws.hyperparameters,
    )
    changed = evaluate(setting, relabelled)
    for before, after in ((plain.estimates, changed.estimates), (plain.probabilities, changed.probabilities)):
        named = before.assign(site=before["site"].map({**names, "": ""}))
        keys = [name for name in ("measure", "site", "period", "estimand", "event") if name in before]
        one, other = (table.sort_values(keys, ignore_index=True) for table in (named, after))
        mixing = [name for name in ("rhat", "ess_bulk", "ess_tail") if name in before]
        pd.testing.assert_frame_equal(one.drop(columns=mixing), other.drop(columns=mixing), rtol=1e-9)
        # ranks of draws that differ by rounding may change places
        pd.testing.assert_frame_equal(one[mixing], other[mixing], rtol=0.02)


@SEEDS
@given(st.integers(0, 10_000), st.booleans(), st.booleans())
def test_chances_are_chances(seed, expected, flip):
    rows = evaluate(*random_case(seed, expected, flip)).probabilities
    assert rows["probability"].between(0, 1).all()
    table = rows[rows["site"].ne("")].pivot(index="site", columns="event", values="probability")
    for good, bad in (("better", "worse"), ("best_share", "worst_share"), ("improved", "worsened")):
        assert (table[good].fillna(0) + table[bad].fillna(0) <= 1).all()
    for part, whole in (("sustained", "better"), ("improved_by_minimal_difference", "improved")):
        assert not (table[part] > table[whole]).any()
    assert table["best_share"].sum() == pytest.approx(table["worst_share"].sum())

"""Collaboratives side by side: known numbers come out of the gathered tables, and gaps are named."""

import numpy as np
import pandas as pd
import pytest

from collabeval import portfolio
from collabeval.errors import ContractError
from collabeval.portfolio.register import checked_register
from portfolio_case import Case, gathered, make_funder, numbers, ten, without

KNOWN = {"a": ["1", "2"], "b": ["1", "3"]}


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    cases = {"hips": Case(sites=8), "strokes": without(Case(sites=6, change=-0.05), "effect", "value"),
             "births": Case(sites=5, change=0.0, has=()), "sepsis": Case(status="failed")}  # fmt: skip
    return gathered(make_funder(tmp_path_factory.mktemp("three"), cases))


def row(table, **where):
    for column, value in where.items():
        table = table[table[column].eq(value)]
    assert len(table) == 1, f"{len(table)} rows of {where}"
    return table.iloc[0]


def test_each_collaborative_is_told_with_what_it_has_and_lacks(three):
    members = three["portfolio_members"].set_index("collaborative")
    assert members["status"].to_dict() == {
        "hips": "complete",
        "strokes": "complete",
        "births": "complete",
        "sepsis": "failed",
    }
    assert members.loc["strokes", "lacks"] == "effect, value"
    assert members.loc["births", "has"] == ""
    assert members.loc["hips", "lacks"] == ""
    assert members.loc["sepsis", "reason"].startswith("sites.csv:4")


def test_rates_of_both_windows_and_their_ratio_are_gathered(three):
    table = three["portfolio_estimates"]
    found = {
        window: row(table, collaborative="hips", estimand="rate", window=window)["q50"]
        for window in ("baseline", "current")
    }
    ratio = row(table, collaborative="hips", estimand="unwanted_ratio")["q50"]
    assert ratio == pytest.approx(found["current"] / found["baseline"], rel=0.02)


def test_the_effect_is_on_the_same_scale_and_its_quantiles_in_order(three):
    found = row(three["portfolio_estimates"], collaborative="hips", estimand="unwanted_effect")
    now = 5 * np.exp(-0.8)
    for name, quantile in numbers(5.0, 0.2).items():
        if name.startswith("q"):
            other = {"q025": "q975", "q25": "q75", "q50": "q50", "q75": "q25", "q975": "q025"}[name]
            assert found[other] == pytest.approx(now / quantile)


def test_improvement_is_minus_the_log_with_the_error_of_the_interval(three):
    found = row(three["portfolio_improvements"], collaborative="hips", basis="effect")
    assert found["mean"] == pytest.approx(0.8)
    assert found["sd"] == pytest.approx(0.2 / 5, rel=0.02)
    assert set(three["portfolio_improvements"].query("basis == 'change'")["collaborative"]) == {
        "hips",
        "strokes",
        "births",
    }


def test_words_count_sites_and_those_wrongly_named(three):
    words = three["portfolio_words"].query("collaborative == 'hips' and slot == 'trajectory'")
    assert words["sites"].sum() == 8
    improved = words[words["statement"].eq("improved")]
    assert 0 <= improved["wrongly"].iloc[0] <= improved["sites"].iloc[0] * 0.05


def test_shared_sites_are_counted_once(three):
    assert three["portfolio_sites"].set_index("collaboratives")["sites"].to_dict() == {1: 2, 2: 1, 3: 5}
    pairs = three["portfolio_overlap"].set_index(["collaborative", "other"])["sites"]
    assert pairs["hips", "hips"] == 8
    assert pairs["hips", "strokes"] == pairs["strokes", "hips"] == 6
    assert pairs["strokes", "births"] == 5


def test_the_best_results_of_a_site_count_and_the_luck_of_choosing_them_shows(three):
    table = three["portfolio_best_of"].set_index("national")
    assert table["collaboratives"].to_dict() == {f"N{n}": 2 if n <= 6 else 1 for n in range(1, 9)}
    first, sixth = table.loc["N1"], table.loc["N6"]
    assert first["points"] == pytest.approx(40)
    assert sixth["points"] == pytest.approx(100 * np.mean([np.linspace(0.4, 0.9, 8)[5], 0.9]))
    assert sixth["expected"] == pytest.approx(0.9 * sixth["points"] + 5)
    assert sixth["sd"] == pytest.approx(4 / np.sqrt(2))


def test_only_the_best_count(tmp_path):
    cases = {"a": Case(level=0.0), "b": Case(level=1.0), "c": Case(level=-1.0)}
    asked = {"all": {"label": "x", "scorecard": "index", "best": 1, "least": 1}}
    table = gathered(make_funder(tmp_path, cases, best_of=asked))["portfolio_best_of"].set_index("national")
    assert table.loc["N1", "points"] == pytest.approx(50)
    assert table.loc["N1", "counted"] == 1
    assert table.loc["N1", "collaboratives"] == 3


def test_practices_are_shares_of_sites_by_year(three):
    found = row(three["portfolio_practices"], collaborative="hips", practice="huddle", period="2019")
    assert found["share"] == pytest.approx(5 / 8)
    assert found["order"] == 1
    assert set(three["portfolio_practices"]["collaborative"]) == {"hips", "strokes"}


def test_indicators_are_those_of_the_collaborative_in_the_latest_year(three):
    table = three["portfolio_indicators"].query("collaborative == 'hips' and feature == 'levers'")
    assert table.set_index("indicator")["probability"].to_dict() == {
        "levers_0": 0.99,
        "levers_1": 0.5,
        "levers_2": 0.01,
    }


def test_a_portfolio_without_register_or_tables_has_empty_ones(tmp_path):
    tables = gathered(make_funder(tmp_path, {"a": Case(has=()), "b": Case(has=())}, register=False))
    empty = ["features", "indicators", "practices", "value", "overlap", "sites", "best_of"]
    assert all(tables[f"portfolio_{name}"].empty for name in empty)
    found = portfolio.association(tables, sampling=None)
    assert found["portfolio_association"]["collaboratives"].to_list() == [0]
    assert found["diagnostics"]["passed"].all()


def test_too_few_collaboratives_are_not_held_against_their_features(three):
    found = portfolio.association(three, sampling=None)["portfolio_association"]
    assert found["feature"].to_list() == [""]
    assert found["collaboratives"].to_list() == [2]


def test_a_provisional_run_makes_the_portfolio_provisional(tmp_path):
    tables = gathered(
        make_funder(tmp_path, {"a": Case(has=()), "b": Case(has=(), status="provisional")}, register=False)
    )
    checks = portfolio.association(tables, sampling=None)["diagnostics"].set_index("model")
    assert checks["passed"].to_dict() == {"Hips": True, "Strokes": False}
    assert set(checks["level"]) == {"blocking"}


def test_effects_are_used_where_there_are_enough_of_them(tmp_path):
    tables = gathered(make_funder(tmp_path, ten(), register=False))
    design, basis = portfolio.association_design(tables)
    assert basis == "effect"
    assert len(design.collaboratives) == 10
    assert design.improvement.mean() == pytest.approx(0, abs=1e-12)
    assert design.improvement.std(ddof=1) == pytest.approx(1)
    assert np.corrcoef(design.improvement, design.measured[:, 0])[0, 1] > 0.99


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ("national,site\nN1,1\n", "collaborative", "this column is missing"),
        ("national,collaborative,site\nN1,a,1\nN2,a,1\n", "site", "is there twice"),
        ("national,collaborative,site\nN1,a,1\nN1,a,2\n", "national", "stands for two sites of this collaborative"),
        ("national,collaborative,site\nN1,a,9\n", "site", "is not a site of a"),
        ("national,collaborative,site\nN1,c,1\n", "collaborative", "is not one of the collaboratives"),
        ("national,collaborative,site\n,a,1\n", "national", "is empty"),
    ],
)
def test_a_register_that_cannot_be_right_is_refused(tmp_path, text, column, what):
    path = tmp_path / "register.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContractError) as refused:
        checked_register(str(path), ["a", "b"], KNOWN)
    (problem,) = refused.value.problems
    assert (problem.column, problem.what[: len(what)]) == (column, what)


def test_sites_that_the_register_does_not_name_stand_for_themselves(tmp_path):
    path = tmp_path / "register.csv"
    path.write_text("national,collaborative,site\nN1,a,1\nN1,b,3\n", encoding="utf-8")
    rows, sources = checked_register(str(path), ["a", "b"], KNOWN)
    codes = rows.set_index(["collaborative", "site"])["national"].to_dict()
    assert codes == {("a", "1"): "N1", ("b", "3"): "N1", ("a", "2"): "a/2", ("b", "1"): "b/1"}
    assert isinstance(rows, pd.DataFrame)
    assert len(sources) == 1

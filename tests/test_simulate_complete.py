"""The collaborative with every table: shipped as generated, true to the data contract, and with its truth in it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from collabeval import contract, panel, params_file
from collabeval.params import FURTHER_TABLES
from collabeval.simulate import TOWNS, Setting, complete, demo_complete
from collabeval.simulate.complete import DRIFTS, LEVELS, MEASURES
from collabeval.simulate.programme import SECULAR

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "data" / "demo_complete"


@pytest.fixture(scope="module")
def simulated():
    return demo_complete()


@pytest.fixture(scope="module")
def many():
    """A larger one, where what is drawn lies close to what it is drawn from."""
    return demo_complete(seed=5, sites=60, quarters=20)


def truth_of(simulated, table, quantity, by, **where):
    rows = simulated.truth.query("table == @table and quantity == @quantity")
    for column, value in where.items():
        rows = rows[rows[column] == value]
    return rows.set_index(by)["value"]


def test_the_shipped_files_are_what_the_seed_gives(simulated):
    for name, text in simulated.files().items():
        assert (SHIPPED / name).read_bytes() == text.encode(), f"{name}: run `collabeval simulate` again"
    assert {path.name for path in SHIPPED.iterdir()} == set(simulated.files())


def test_it_has_every_table_and_passes_the_data_contract(monkeypatch):
    monkeypatch.chdir(ROOT)
    params = params_file.load(ROOT / "params" / "demo_complete.yml")
    inputs = contract.read_inputs(params)
    assert params.data.further == FURTHER_TABLES
    assert all(len(inputs.further[table]) for table in FURTHER_TABLES)
    built = panel.build(params, inputs.sites, inputs.outcomes)
    assert set(built["measure"]) == set(params.measures)


def test_sites_have_data_from_before_joining_and_join_in_waves(simulated):
    first = simulated.tables["outcomes"].groupby("site")["period"].min()
    assert first.max() <= "2023Q2"
    assert sorted(simulated.tables["sites"]["joined"].unique()) == ["2024-01-01", "2024-07-01", "2025-01-01"]


def test_outcomes_follow_their_truth(many):
    """Residuals around the true means, rows from before joining included: mean 0 and variance 1 within 4 se."""
    rows = many.tables["outcomes"].query("measure == 'readmission'").set_index(["site", "period"])
    share = (rows["expected"] / rows["denominator"]).astype(float)
    secular = truth_of(many, "outcomes", "secular", "period", measure="readmission")
    shift = sum(
        truth_of(many, "outcomes", name, ["site", "period"], measure="readmission") for name in ("joined", "effect")
    )
    shift = shift.reindex(rows.index) + secular[rows.index.get_level_values("period")].to_numpy()
    rate = 1 / (1 + np.exp(-np.log(share / (1 - share)) - shift))
    cases = rows["denominator"].astype(float)
    z = (rows["numerator"] - cases * rate) / np.sqrt(cases * rate * (1 - rate))
    assert abs(z.mean()) < 4 / np.sqrt(len(z))
    assert abs(z.var() - 1) < 4 * np.sqrt(2 / len(z)) + 0.05  # expected numbers are rounded


def test_what_joining_adds_is_in_the_outcomes_and_not_in_the_comparators():
    """Log-odds from the year before anybody joined to the last year, of units that have no slopes of their own."""
    walking = replace(MEASURES["early_walking"], site_sd=0.0, trajectory_sd=0.0, worsening=0.0)
    codes = tuple(f"S{number:02d}" for number in range(60))
    simulated = complete(Setting({"early_walking": walking}, LEVELS, DRIFTS, TOWNS[:60], codes, 1, 20, comparators=60))
    change = {}
    for table in ("outcomes", "comparators"):
        rows = simulated.tables[table]
        year = rows.groupby(rows["period"].str[:4])[["numerator", "denominator"]].sum().astype(float)
        odds = np.log(year["numerator"] / (year["denominator"] - year["numerator"]))
        change[table] = odds["2027"] - odds["2023"]
    assert change["outcomes"] - change["comparators"] == pytest.approx(walking.improvement, abs=0.06)
    assert change["comparators"] == pytest.approx(SECULAR * walking.improvement * 16 / 19, abs=0.05)


def test_events_avoided_are_the_effect_times_the_cases(many):
    avoided = truth_of(many, "outcomes", "avoided", "period", measure="readmission")
    rows = many.tables["outcomes"].query("measure == 'readmission'")
    last = rows["period"].eq("2027Q4")
    events = float(rows.loc[last, "numerator"].sum())
    odds_ratio = np.exp(-truth_of(many, "outcomes", "programme_effect", "measure")["readmission"])
    assert avoided["2023Q1"] == 0
    assert avoided["2027Q4"] == pytest.approx(events * (odds_ratio - 1), rel=0.15)


def test_one_practice_matters_and_the_others_do_not(many):
    gain = truth_of(many, "practices", "effect", "code", measure="early_walking")
    assert gain[gain != 0].to_dict() == {"huddle": 0.45}
    level = truth_of(many, "outcomes", "level", "site", measure="early_walking")
    planted = truth_of(many, "outcomes", "positive_deviant", "site").index
    done = many.tables["practices"].query("practice == 'huddle' and period == '2027'").set_index("site")["adopted"]
    assert done[planted.unique()].sum() == 1
    usual = level.drop(planted.unique())
    assert usual[done[usual.index] == 1].mean() - usual[done[usual.index] == 0].mean() == pytest.approx(0.45, abs=0.25)


def test_indicators_follow_their_feature(many):
    rows = many.tables["indicators"].query("indicator == 'data_on_time'").astype({"numerator": float})
    rate = rows.groupby("period")["numerator"].sum() / rows.groupby("period")["denominator"].sum().astype(float)
    true = truth_of(many, "indicators", "rate", "period", code="data_on_time")
    level = truth_of(many, "features", "level", "period", code="measurement")
    assert level["2027"] > level["2023"]
    assert true["2027H1"] > true["2023H1"]
    assert np.abs(rate - true).max() < 0.05


def test_raters_differ_by_their_severity(many):
    severity = truth_of(many, "ratings", "severity", "code")
    mean = many.tables["ratings"].groupby("rater")["score"].mean()
    assert severity.sum() == pytest.approx(0, abs=1e-5)
    assert np.corrcoef(severity, mean[severity.index])[0, 1] < -0.9


def test_answers_follow_thresholds_and_roles(many):
    """Fewer agree to a question that is hard to agree to, and of a role that agrees less."""
    rows = many.tables["survey"].dropna(subset="response")
    agreed = rows.assign(yes=rows["response"] >= 4).groupby("role")["yes"].mean()
    effect = truth_of(many, "survey", "role_effect", "code")
    assert (agreed.idxmin(), agreed.idxmax()) == (effect.idxmin(), effect.idxmax())
    hard = truth_of(many, "survey", "threshold_3", "code")
    assert hard["targets_fair"] > hard["part_of_community"]
    share = rows.assign(yes=rows["response"] >= 4).groupby("item")["yes"].mean()
    assert share["targets_fair"] < share["part_of_community"]


def test_audited_records_agree_as_often_as_the_truth_says(many):
    rows = many.tables["audit"].groupby(["field", "period"])[["checked", "agreed"]].sum()
    true = truth_of(many, "audit", "agreement", ["code", "period"])
    assert np.abs(rows["agreed"] / rows["checked"] - true.rename_axis(["field", "period"])).max() < 0.05


def test_another_seed_gives_other_numbers_and_smaller_ones_work():
    first, second = demo_complete(seed=1, sites=8), demo_complete(seed=2, sites=8)
    assert all(first.files()[name] != second.files()[name] for name in first.files())
    small = demo_complete(seed=3, sites=2).tables
    assert set(small) == {"sites", "outcomes", *FURTHER_TABLES}
    assert small["outcomes"]["site"].nunique() == 2

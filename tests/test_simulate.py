"""The invented collaborative: shipped as generated, true to the data contract, and with its truth in it."""

from pathlib import Path

import numpy as np
import pytest

from collabeval import contract, panel, params_file
from collabeval.simulate import MEASURES, TOWNS, demo

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "data" / "demo_surgical"


@pytest.fixture(scope="module")
def simulated():
    return demo()


def truth_of(simulated, quantity, measure="complication"):
    rows = simulated.truth.query("quantity == @quantity and measure == @measure")
    return rows.set_index(["site", "period"])["value"]


def test_the_shipped_files_are_what_the_seed_gives(simulated):
    for name, text in simulated.files().items():
        assert (SHIPPED / name).read_bytes() == text.encode(), f"{name}: run `collabeval simulate` again"


def test_another_seed_gives_other_numbers():
    assert demo(seed=1).files()["outcomes.csv"] != demo(seed=2).files()["outcomes.csv"]


def test_the_shipped_files_pass_the_data_contract(monkeypatch):
    monkeypatch.chdir(ROOT)
    params = params_file.load(ROOT / "params" / "demo_surgical.yml")
    inputs = contract.read_inputs(params)
    built = panel.build(params, inputs.sites, inputs.outcomes)
    assert built.groupby("measure").size().min() > 1100
    assert set(built["measure"]) == set(params.measures) == set(MEASURES)
    assert {name: measure.family for name, measure in params.measures.items()} == {
        name: behaviour.family for name, behaviour in MEASURES.items()
    }


def test_it_has_the_shape_it_was_asked_for(simulated):
    assert len(simulated.sites) == len(set(simulated.sites["name"])) == 70
    assert simulated.outcomes["period"].nunique() == 20
    assert simulated.sites["joined"].nunique() == 3
    roles = simulated.truth.query("role != ''").groupby("role")["site"].nunique()
    assert roles.to_dict() == {"deteriorating": 1, "positive_deviant": 3}
    # the same hospitals in every measure
    assert simulated.truth.query("role != ''")["site"].nunique() == 4


def test_some_quarters_are_missing_and_none_comes_before_joining(simulated):
    rows = simulated.outcomes.merge(simulated.sites[["site", "joined"]], on="site")
    year, quarter = rows["period"].str[:4].astype(int), rows["period"].str[-1].astype(int)
    joined = rows["joined"].str[:4].astype(int) * 4 + (rows["joined"].str[5:7].astype(int) - 1) // 3
    assert (year * 4 + quarter - 1 >= joined).all()
    effects = simulated.truth.query("quantity == 'effect'")
    assert 0.02 < 1 - len(rows) / len(effects) < 0.04


def test_some_sites_are_small(simulated):
    cases = simulated.outcomes.query("measure == 'complication'").groupby("site")["denominator"].median()
    assert 6 <= (cases < 12).sum() <= 10
    assert cases.max() > 100


def test_counts_follow_their_truth(simulated):
    """Residuals of 1,200 rows around the true means: mean 0 and variance 1 within 4 standard errors."""
    rows = simulated.outcomes.query("measure == 'complication'").set_index(["site", "period"])
    share = (rows["expected"] / rows["denominator"]).astype(float)
    trend = truth_of(simulated, "trend").droplevel("site").reindex(rows.index.get_level_values("period")).to_numpy()
    shift = truth_of(simulated, "effect").reindex(rows.index).to_numpy() + trend
    rate = 1 / (1 + np.exp(-np.log(share / (1 - share)) - shift))
    cases = rows["denominator"].astype(float)
    z = (rows["numerator"] - cases * rate) / np.sqrt(cases * rate * (1 - rate))
    assert abs(z.mean()) < 4 / np.sqrt(len(z))
    assert abs(z.var() - 1) < 4 * np.sqrt(2 / len(z)) + 0.05  # expected numbers are rounded


def test_the_truth_has_the_spread_it_claims(simulated):
    for name, behaviour in MEASURES.items():
        rows = simulated.truth.query("measure == @name and role == '' and quantity == 'level' and site != ''")
        assert len(rows) == 66
        assert rows["value"].std() == pytest.approx(behaviour.site_sd, rel=0.3)
        trend = truth_of(simulated, "trend", name)
        assert trend.iloc[0] == 0
        assert trend.iloc[-1] == pytest.approx(behaviour.improvement)


@pytest.mark.parametrize(("sites", "quarters"), [(15, 6), (4, 4), (len(TOWNS), 1)])
def test_smaller_ones_work_too(sites, quarters):
    simulated = demo(seed=3, sites=sites, quarters=quarters)
    assert simulated.outcomes["site"].nunique() == sites
    assert simulated.outcomes["period"].nunique() == quarters
    counts = simulated.outcomes.dropna(subset="numerator")
    assert (counts["numerator"] <= counts["denominator"]).all()

"""The invented portfolio: params as shipped, data true to the contract, sites in several collaboratives, its truth."""

from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import pytest

from collabeval import contract, panel, params_file
from collabeval.params import FURTHER_TABLES
from collabeval.simulate import PORTFOLIO_SEED, portfolio, portfolio_files

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "params" / "portfolio"


@pytest.fixture(scope="module")
def made():
    return portfolio()


@pytest.fixture(scope="module")
def files(made):
    return portfolio_files(made, PurePosixPath("data/portfolio"), PORTFOLIO_SEED)


def test_the_shipped_params_are_those_of_the_command(files):
    there = {path.name for path in SHIPPED.iterdir()}
    assert len(there) == 4
    for name in there:
        assert (SHIPPED / name).read_text(encoding="utf-8") == files[f"params/{name}"], name


def test_there_are_ten_over_five_years_with_every_table(made):
    assert len(made.collaboratives) == 10
    for simulated in made.collaboratives.values():
        assert set(simulated.tables) == {"sites", "outcomes", *FURTHER_TABLES}
        assert simulated.tables["outcomes"]["period"].nunique() == 20


def test_the_shipped_ones_pass_the_data_contract(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in files.items():
        path = tmp_path / "data" / "portfolio" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for path in sorted(SHIPPED.glob("[!_]*.yml")):
        params = params_file.load(path)
        inputs = contract.read_inputs(params)
        assert set(panel.build(params, inputs.sites, inputs.outcomes)["measure"]) == set(params.measures)
        assert params.data.further == FURTHER_TABLES


def test_a_site_in_several_collaboratives_is_one_site_with_one_name(made):
    names = made.register.merge(
        sites_of(made), on=["collaborative", "site"], how="outer", validate="one_to_one", indicator=True
    )
    assert (names["_merge"] == "both").all()
    assert (names.groupby("national")["name"].nunique() == 1).all()
    shared = made.register.groupby("national")["collaborative"].nunique()
    assert shared.max() >= 4
    assert not made.register.duplicated(["national", "collaborative"]).any()


def sites_of(made):
    own = {name: one.tables["sites"][["site", "name"]] for name, one in made.collaboratives.items()}
    return pd.concat([table.assign(collaborative=name) for name, table in own.items()])


def test_one_feature_is_behind_the_gains(made):
    rows = made.truth.set_index(["quantity", "code", "collaborative"])["value"]
    gain, slope = rows["gain"][""], rows["slope"].droplevel("collaborative")
    assert slope[slope != 0].index.tolist() == ["coordination"]
    level = rows["level"]["coordination"]
    left = gain - slope["coordination"] * level[gain.index]
    assert np.abs(left - 1).max() < 3 * rows["gain_sd"].iloc[0]
    assert gain.max() > 4 * gain.min() > 0


def test_what_the_truth_says_is_what_the_collaborative_was_drawn_with(made):
    above = made.truth.set_index(["collaborative", "quantity", "code"])["value"].sort_index()
    for name, simulated in made.collaboratives.items():
        effect = simulated.truth.query("table == 'outcomes' and quantity == 'programme_effect'")
        assert effect.set_index("measure")["value"].to_dict() == above[name, "effect"].to_dict()
        level = simulated.truth.query("table == 'features' and period == '2025'").set_index("code")["value"]
        assert level.to_dict() == pytest.approx(above[name, "level"].to_dict(), abs=1e-5)


def test_fewer_are_the_first_of_the_ten(made):
    few = portfolio(count=1)
    assert list(few.collaboratives) == list(made.collaboratives)[:1]
    for name, simulated in few.collaboratives.items():
        assert simulated.files() == made.collaboratives[name].files()

"""Quality checks: each finds what was planted and keeps silent where nothing was."""

import numpy as np
import pandas as pd
import pytest

from collabeval import panel, quality
from small_tables import params_of

YEARS = [str(year) for year in range(2015, 2025)]


def outcomes(sites="ABCD", periods=YEARS, seed=1):
    """Plain rows nobody should complain about: denominators around 200, one site and period a row."""
    rng = np.random.default_rng(seed)
    rows = [(site, period) for site in sites for period in periods]
    frame = pd.DataFrame(rows, columns=["site", "period"]).assign(measure="death")
    frame["denominator"] = rng.integers(180, 220, len(rows)).astype(float)
    frame["numerator"] = rng.integers(5, 25, len(rows)).astype(float)
    return frame


def sites_of(codes="ABCD", joined=None):
    return pd.DataFrame({"site": list(codes), "name": list(codes), "joined": pd.to_datetime([joined] * len(codes))})


def checked(tmp_path, frame, sites=None, length="year"):
    sites = sites_of() if sites is None else sites
    params = params_of(tmp_path, length=length)
    return quality.check(params, sites, panel.build(params, sites, frame), frame)


def failures(table, check):
    found = table[(table["check"] == check) & ~table["passed"]]
    return found[["site", "period", "value"]].to_numpy().tolist()


def test_plain_data_pass_every_check_and_each_check_says_so(tmp_path):
    table = checked(tmp_path, outcomes())
    assert table["passed"].all()
    assert list(table.columns) == list(quality.COLUMNS)
    assert set(quality.CHECKS) <= set(table["check"])
    assert set(quality.STOPPING) <= set(table.loc[table["level"] == "stop", "check"])
    assert (table["message"] != "").all()


def test_a_site_that_vanishes(tmp_path):
    frame = outcomes()
    frame = frame[~((frame["site"] == "B") & (frame["period"] > "2021"))]
    assert failures(checked(tmp_path, frame), "site vanished") == [["B", "2021", 3.0]]


def test_denominators_that_fall_by_half(tmp_path):
    frame = outcomes()
    frame.loc[(frame["site"] == "C") & (frame["period"] == "2020"), "denominator"] = 40.0
    (found,) = failures(checked(tmp_path, frame), "denominator fell by half")
    assert found[:2] == ["C", "2020"]
    assert found[2] <= 0.5


def test_small_denominators_may_halve(tmp_path):
    frame = outcomes()
    frame.loc[frame["site"] == "C", "denominator"] = np.tile([18.0, 7.0], 5)
    frame.loc[frame["site"] == "C", "numerator"] = np.arange(10) % 5
    assert failures(checked(tmp_path, frame), "denominator fell by half") == []


def test_round_denominators(tmp_path):
    frame = outcomes(periods=[f"{year}-{month:02d}" for year in (2022, 2023, 2024) for month in range(1, 13)])
    plain = checked(tmp_path, frame, length="month")
    assert failures(plain, "digit preference") == []
    theirs = frame["site"] == "A"
    frame.loc[theirs, "denominator"] = (frame.loc[theirs, "denominator"] / 10).round() * 10
    found = failures(checked(tmp_path, frame, length="month"), "digit preference")
    assert ["A", "", 1.0] in found
    assert {site for site, _, _ in found} <= {"", "A"}


def test_rows_copied_from_the_period_before(tmp_path):
    frame = outcomes()
    values = ["numerator", "denominator"]
    frame.loc[(frame["site"] == "A") & (frame["period"] == "2019"), values] = frame.loc[
        (frame["site"] == "A") & (frame["period"] == "2018"), values
    ].to_numpy()
    assert failures(checked(tmp_path, frame), "identical rows") == [["A", "2019", 1.0]]


def test_a_site_copied_from_another(tmp_path):
    frame = outcomes()
    values = ["numerator", "denominator"]
    frame.loc[frame["site"] == "D", values] = frame.loc[frame["site"] == "B", values].to_numpy()
    assert failures(checked(tmp_path, frame), "identical rows") == [["B", "", 10.0], ["D", "", 10.0]]


def completeness(table):
    found = table[table["check"] == "completeness"]
    return dict(zip(found["site"], found["value"], strict=True))


def test_completeness_counts_from_joining_or_else_from_the_first_row(tmp_path):
    frame = outcomes()
    frame = frame[~((frame["site"] == "A") & (frame["period"] < "2020"))]
    frame = frame[~((frame["site"] == "B") & frame["period"].isin(["2019", "2020", "2021"]))]
    frame = frame[frame["site"] != "D"]
    table = checked(tmp_path, frame)
    assert completeness(table) == {"A": 1.0, "B": 0.7, "C": 1.0, "D": 0.0}
    late = table[(table["check"] == "completeness") & ~table["passed"]]
    assert late["site"].tolist() == ["B", "D"]
    joined = completeness(checked(tmp_path, frame, sites_of(joined="2015-06-01")))
    assert joined == {"A": 0.5, "B": 0.7, "C": 1.0, "D": 0.0}
    joined = completeness(checked(tmp_path, frame, sites_of(joined="2020-06-01")))
    assert joined == {"A": 1.0, "B": 0.6, "C": 1.0, "D": 0.0}


def test_without_periods_a_site_sent_or_did_not(tmp_path):
    frame = outcomes(periods=[""]).query("site != 'B'")
    table = checked(tmp_path, frame, length="none")
    assert completeness(table) == {"A": 1.0, "B": 0.0, "C": 1.0, "D": 1.0}


@pytest.mark.parametrize("planted", ["vanish", "copy"])
def test_messages_hold_no_site_code(tmp_path, planted):
    """Reports may show a message beside a site's code of the report."""
    frame = outcomes(sites=["SITE1", "SITE2", "SITE3"])
    frame = frame[~((frame["site"] == "SITE1") & (frame["period"] > "2020"))]
    if planted == "copy":
        values = frame["site"].isin(["SITE2", "SITE3"])
        frame.loc[values, ["numerator", "denominator"]] = np.tile(
            frame.loc[frame["site"] == "SITE2", ["numerator", "denominator"]], (2, 1)
        )
    table = checked(tmp_path, frame, sites_of(["SITE1", "SITE2", "SITE3"]))
    assert not table["passed"].all()
    assert not table["message"].str.contains("SITE").any()

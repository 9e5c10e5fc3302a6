"""The table of records: read whatever file it is in, every problem told at its row, patterns out of it."""

import numpy as np
import pandas as pd
import pytest

from collabeval import contract, panel, params_file
from collabeval.casemix.adjust import adjust
from collabeval.errors import InputError, ParamsError
from medpar import medpar_params

PARAMS = """
collaborative: t
title: T
edition: "2025"
sampling: {{seed: 1}}
periods: {{length: {length}}}
data: {{sites: '{folder}/sites.csv', records: '{folder}/records*.{ext}'{more}}}
measures:
  death:
    label: Deaths
    family: binomial
    better: lower
    records: {{outcome: died, case_mix: {case_mix}}}
"""
GOOD = """record,Site,date,died,age,sex
1,A,2024-02-01,0,70,F
2,A,2024-03-01,1,81,M
3,B,2025-01-15,0,64,F
4,B,2025-02-28,1,77,M
"""
SITES = "site,name\nA,Alpha\nB,Beta\n"


def params_of(folder, case_mix="{age: linear, sex: category}", length="year", ext="csv", more=""):
    path = folder / "t.yml"
    path.write_text(
        PARAMS.format(folder=folder, case_mix=case_mix, length=length, ext=ext, more=more), encoding="utf-8"
    )
    return params_file.load(path)


def read(folder, records=GOOD, **options):
    (folder / "sites.csv").write_text(SITES, encoding="utf-8")
    (folder / "records.csv").write_text(records, encoding="utf-8")
    return contract.read_inputs(params_of(folder, **options))


def complaints(folder, records, **options):
    with pytest.raises(InputError) as error:
        read(folder, records, **options)
    return [str(problem).replace(f"{folder}/", "") for problem in error.value.problems]


def test_good_records_become_patterns(tmp_path):
    patterns = read(tmp_path).records["death"]
    assert patterns.covariates.to_dict("list") == {"age": [70, 81, 64, 77], "sex": ["F", "M", "F", "M"]}
    cells = patterns.cells.astype({"site": str, "period": str, "year": str})
    assert (
        cells[["site", "period", "year"]].to_numpy().tolist()
        == [["A", "2024", "2024"]] * 2 + [["B", "2025", "2025"]] * 2
    )
    assert cells["total"].tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("length", "labels"),
    [("quarter", ["2024Q1", "2025Q1"]), ("month", ["2024-02", "2024-03", "2025-01", "2025-02"]), ("none", [""])],
)
def test_a_date_falls_into_its_period(tmp_path, length, labels):
    cells = read(tmp_path, length=length).records["death"].cells
    assert sorted(cells["period"].astype(str).unique()) == labels
    assert sorted(cells["year"].astype(str).unique()) == ["2024", "2025"]


def test_a_column_of_periods_will_do(tmp_path):
    records = GOOD.replace("date", "period")
    for day, quarter in (
        ("2024-02-01", "2024Q1"),
        ("2024-03-01", "2024Q1"),
        ("2025-01-15", "2025Q1"),
        ("2025-02-28", "2025 Q1"),
    ):
        records = records.replace(day, quarter)
    cells = read(tmp_path, records, length="quarter").records["death"].cells
    assert sorted(cells["period"].astype(str).unique()) == ["2024Q1", "2025Q1"]


WRITTEN = "write 1 for a patient with the event, 0 for one without"
DIGITS = "is not a number → write digits only, like 12 or 12.5"
LEVEL = "give it, or set `missing: level` under case_mix.sex, which makes the blank a level of its own"
MENDED = "add the site to that table, or mend the code"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("2,A,", "2,,", "3 site → is empty → every row needs the code of its site"),
        ("2,A,", "2,C,", f"3 site 'C' → is not in the table of sites → {MENDED}"),
        ("2,A,", "2,EXAMPLE,", "3 site 'EXAMPLE' → is the example row of the template → delete this row"),
        ("2,A,", "1,A,", "3 record '1' → the same record as row 2 → keep one of the two rows"),
        ("03-01", "13-01", "3 date '2024-13-01' → is not a day that can be read → write it like 2019-04-01"),
        ("2024-03-01", "", "3 date → is empty → every row needs its date"),
        ("01,1,81", "01,2,81", f"3 died '2' → is neither 0 nor 1 → {WRITTEN}"),
        ("01,1,81", "01,yes,81", f"3 died 'yes' → {DIGITS}"),
        ("81,M", "old,M", f"3 age 'old' → {DIGITS}"),
        ("81,M", ",M", "3 age → has no value → give it, or take the row out"),
        ("81,M", "81,", f"3 sex → has no value → {LEVEL}"),
        ("Site", "hospital", "1 site → this column is missing → rename 'hospital' to site?"),
        (
            ",sex",
            ",kind",
            "1 sex → this column is missing → add it (columns found: record, site, date, died, age, kind)",
        ),
    ],
)
def test_what_is_wrong_is_told_at_its_row(tmp_path, old, new, said):
    assert complaints(tmp_path, GOOD.replace(old, new)) == [f"records.csv:{said}"]


def test_every_problem_is_told_at_once_and_many_alike_are_counted(tmp_path):
    rows = "".join(f"{number},A,2024-02-01,7,old,F\n" for number in range(10, 110))
    found = complaints(tmp_path, GOOD + rows)
    assert found[0].startswith("records.csv:6 died '7' → is neither 0 nor 1")
    assert found[4].startswith("records.csv:10 died '7' → is neither 0 nor 1 (and 95 more rows like this one)")
    assert found[5].startswith("records.csv:6 age 'old' → is not a number")
    assert len(found) == 10


def test_rows_are_numbered_as_in_the_file_where_some_are_blank(tmp_path):
    records = GOOD.replace("3,B,", "\n,,,,,\n3,Z,")
    assert complaints(tmp_path, records)[0].startswith("records.csv:6 site 'Z'")


def test_a_blank_outcome_leaves_the_record_out_and_says_so(tmp_path):
    inputs = read(tmp_path, GOOD + "5,B,2025-03-01,,70,F\n")
    assert inputs.records["death"].records == 4
    assert "records: 1 records without died, left out of death" in inputs.log


def test_a_blank_category_can_be_a_level_and_a_number_can_be_rounded(tmp_path):
    case_mix = "{age: {kind: linear, bin: 10}, sex: {kind: category, missing: level}}"
    patterns = read(tmp_path, GOOD.replace("81,M", "81,N/A"), case_mix=case_mix).records["death"]
    assert patterns.covariates["age"].tolist() == [70, 80, 60, 80]
    assert patterns.covariates["sex"].tolist() == ["F", "(missing)", "F", "M"]


def test_files_of_one_table_lie_on_one_another(tmp_path):
    (tmp_path / "records_2.csv").write_text(GOOD.replace("\n1,", "\n4,").replace("Site", "SITE"), encoding="utf-8")
    found = complaints(tmp_path, GOOD)
    assert found[0] == "records_2.csv:2 record '4' → the same record as row 5 of records.csv → keep one of the two rows"


@pytest.mark.parametrize("kind", ["records.csv", "records.parquet", "records.xlsx", "semicolons", "utf-16"])
def test_the_same_records_in_every_kind_of_file(tmp_path, kind):
    """The quick reader of CSV and Parquet and the slow one of everything else agree."""
    name = kind if kind.startswith("records") else "records.csv"
    params = medpar_params(tmp_path, records=name)
    file = tmp_path / name
    if kind == "semicolons":
        file.write_text(file.read_text(encoding="utf-8").replace(",", ";"), encoding="utf-8")
    if kind == "utf-16":
        for one in (file, tmp_path / "sites.csv"):
            one.write_bytes(one.read_text(encoding="utf-8").encode("utf-16"))
        params = params.model_copy(update={"data": params.data.model_copy(update={"encoding": "utf-16"})})
    patterns = contract.read_inputs(params).records["stay"]
    assert patterns.records == 1495
    assert len(patterns.cells) == 368
    assert patterns.cells["total"].sum() == 14732


def test_a_measure_has_one_table_only(tmp_path):
    (tmp_path / "outcomes.csv").write_text(
        "site,period,measure,mean,se\nA,2024,death,1,1\nA,2025,wait,4,1\nB,2025,wait,3,1\n", encoding="utf-8"
    )
    more = f", outcomes: '{tmp_path}/outcomes.csv'"
    with pytest.raises(ParamsError, match=r"`data.outcomes` is given, but no measure takes its data from there"):
        params_of(tmp_path, more=more)
    params_of(tmp_path)
    text = (tmp_path / "t.yml").read_text(encoding="utf-8").replace("csv'}", f"csv'{more}}}")
    (tmp_path / "t.yml").write_text(text + "  wait: {label: W, family: normal, better: lower}\n", encoding="utf-8")
    (tmp_path / "sites.csv").write_text(SITES, encoding="utf-8")
    (tmp_path / "records.csv").write_text(GOOD, encoding="utf-8")
    with pytest.raises(InputError, match=r"outcomes\.csv:2 measure 'death' → is counted from the table of records"):
        contract.read_inputs(params_file.load(tmp_path / "t.yml"))


@pytest.mark.parametrize(
    ("case_mix", "said"),
    [
        ("{age: curve}", "is not one of the words allowed here"),
        ("{age: {kind: linear, knots: 5}}", "`knots` makes no sense where `kind` is linear"),
        ("{died: linear}", "the column died is used twice"),
    ],
)
def test_a_case_mix_that_makes_no_sense_is_refused(tmp_path, case_mix, said):
    with pytest.raises(ParamsError, match=said):
        params_of(tmp_path, case_mix=case_mix)


def test_a_model_that_cannot_be_fitted_stops_with_its_measure(tmp_path):
    params = params_of(tmp_path)
    inputs = read(tmp_path)
    with pytest.raises(InputError, match=r"records measures\.death\.records → .* → "):
        adjust(params, inputs.records, inputs.outcomes)


def test_records_and_outcomes_make_one_panel(tmp_path):
    generator = np.random.default_rng(6)
    table = pd.DataFrame(
        {"site": generator.choice(["A", "B"], 800), "date": generator.choice(["2023-05-01", "2024-05-01"], 800)}
    )
    table["died"], table["age"] = generator.integers(0, 2, 800), generator.integers(40, 90, 800)
    params = params_of(tmp_path, case_mix="{age: {kind: spline}}")
    inputs = read(tmp_path, table.to_csv(index=False), case_mix="{age: {kind: spline}}")
    other = pd.DataFrame(
        {"site": ["A"], "period": ["2024"], "measure": ["death"], "numerator": [1.0], "denominator": [9.0]}
    )
    rows = panel.build(params, inputs.sites, adjust(params, inputs.records, other).outcomes)
    assert len(rows) == 5
    first = rows[rows["period"].eq("2023")]
    assert first["expected"].sum() == pytest.approx(first["numerator"].sum())
    crude = read(tmp_path, table.to_csv(index=False), case_mix="{}")
    plain = adjust(params_of(tmp_path, case_mix="{}"), crude.records, crude.outcomes)
    assert plain.outcomes["expected"].isna().all()
    assert plain.tables == {}


def test_several_outcomes_are_all_or_none_of_what_applies(tmp_path):
    columns = "record,site,date,aspirin,statin\n"
    answers = ("1,A,2024-02-01,1,1", "2,A,2024-02-01,1,0", "3,A,2024-02-01,,1")
    rows = "\n".join([*answers, "4,B,2025-01-01,1,", "5,B,2025-01-01,0,", "6,B,2025-01-01,,"])
    text = PARAMS.replace("outcome: died", "outcome: [aspirin, statin]")
    (tmp_path / "t.yml").write_text(
        text.format(folder=tmp_path, case_mix="{{}}", length="year", ext="csv", more="").replace("{{}}", "{}"),
        encoding="utf-8",
    )
    (tmp_path / "sites.csv").write_text(SITES, encoding="utf-8")
    (tmp_path / "records.csv").write_text(columns + rows, encoding="utf-8")
    found = contract.read_inputs(params_file.load(tmp_path / "t.yml"))
    cells = found.records["death"].cells
    assert cells.groupby("site", observed=True)[["total", "cases"]].sum().to_numpy().tolist() == [
        [2.0, 3.0],
        [1.0, 2.0],
    ]
    assert any("1 records without aspirin or statin" in line for line in found.log)


def test_all_or_none_is_for_shares_only(tmp_path):
    text = PARAMS.replace("outcome: died", "outcome: [a, b]").replace("family: binomial", "family: normal")
    (tmp_path / "t.yml").write_text(
        text.format(folder=tmp_path, case_mix="{{}}", length="year", ext="csv", more="").replace("{{}}", "{}"),
        encoding="utf-8",
    )
    with pytest.raises(ParamsError, match="an all-or-none composite is a binomial measure"):
        params_file.load(tmp_path / "t.yml")

"""Templates: what `collabeval new` writes can be filled in, and is refused until the example rows are gone."""

import json
import re
from pathlib import Path

import openpyxl
import pytest

from collabeval import contract, params_file, templates
from collabeval.contract.further_schemas import FURTHER, FURTHER_KEYS
from collabeval.contract.schemas import SCHEMAS
from collabeval.errors import ContractError, ParamsError, UsageError
from collabeval.params import FURTHER_TABLES
from collabeval.params.catalogue import catalogue
from collabeval.periods import MONTHS, parse
from collabeval.templates.further import chosen

ROOT = Path(__file__).parents[1]


@pytest.fixture
def new(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written = templates.write_templates("stroke", Path("params"), Path("data/stroke"), "2025")
    return {path.name: path for path in written}


def test_everything_needed_is_written(new):
    assert list(new) == [
        "stroke.yml", "sites.csv", "outcomes.csv", "records.csv", "stroke.xlsx", "datapackage.json", "schema.json",
    ]  # fmt: skip
    assert new["stroke.yml"].read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=schema.json\n")


def test_the_example_rows_are_refused_until_they_are_deleted(new):
    for sources in ([], ["data.sites=data/stroke/stroke.xlsx", "data.outcomes=data/stroke/stroke.xlsx"]):
        with pytest.raises(ContractError) as error:
            contract.read_inputs(params_file.load(new["stroke.yml"], sources))
        assert [problem.fix for problem in error.value.problems] == ["delete this row"] * 2


def test_the_example_record_is_refused_and_one_of_a_patient_is_read(new):
    for name in ("sites", "records"):
        rows = new[f"{name}.csv"].read_text(encoding="utf-8-sig").splitlines()
        new[f"{name}.csv"].write_text(
            "\n".join([rows[0], *(rows[1:] if name == "records" else ["A,,,", "B,,,"])]), encoding="utf-8"
        )
    text = new["stroke.yml"].read_text(encoding="utf-8")
    text = re.sub(r"(?m)^  outcomes: .*\n", "", text).replace("# records: data", "records: data")
    death, mortality, sampling = (text.index(mark) for mark in ("  death: ", "  # mortality:", "sampling:"))
    uncommented = re.sub(r"(?m)^  # ", "  ", text[mortality:sampling])
    new["stroke.yml"].write_text(text[:death] + uncommented + text[sampling:], encoding="utf-8")
    with pytest.raises(ContractError) as error:
        contract.read_inputs(params_file.load(new["stroke.yml"]))
    assert [problem.fix for problem in error.value.problems] == ["delete this row"]
    header = new["records.csv"].read_text(encoding="utf-8").splitlines()[0]
    new["records.csv"].write_text(f"{header}\n1,A,2025-10-02,0,71,F\n2,B,2025-10-03,1,64,M\n", encoding="utf-8")
    assert contract.read_inputs(params_file.load(new["stroke.yml"])).records["mortality"].records == 2


def test_a_filled_in_workbook_is_read(new):
    book = openpyxl.load_workbook(new["stroke.xlsx"])
    for sheet in (book["sites"], book["outcomes"]):
        sheet.delete_rows(2)
    for row, code in enumerate(("007", "1e3"), start=2):
        book["sites"].cell(row, 1, code)
        for column, value in enumerate((code, "2025Q4", "death", 3, 120), start=1):
            book["outcomes"].cell(row, column, value)
    book.save(new["stroke.xlsx"])
    both = ["data.sites=data/stroke/stroke.xlsx", "data.outcomes=data/stroke/stroke.xlsx"]
    inputs = contract.read_inputs(params_file.load(new["stroke.yml"], both))
    assert inputs.outcomes["site"].tolist() == ["007", "1e3"]
    assert inputs.log == []


def test_the_workbook_guards_codes_and_offers_lists(new):
    book = openpyxl.load_workbook(new["stroke.xlsx"])
    assert book.sheetnames == ["read me", "sites", "outcomes", "records"]
    assert [cell.value for cell in book["records"][1]] == ["record", "site", "date", "died", "age", "sex", None]
    outcomes = book["outcomes"]
    assert [cell.value for cell in outcomes[1]][: len(SCHEMAS["outcomes"].columns)] == list(SCHEMAS["outcomes"].columns)
    for letter in "ABC":
        assert outcomes.column_dimensions[letter].number_format == "@"
        assert outcomes[f"{letter}2"].number_format == "@"
    assert {str(rule.sqref): rule.formula1 for rule in outcomes.data_validations.dataValidation} == {
        "A2:A5000": "=sites!$A$2:$A$5000", "C2:C5000": '"death,falls,wait"',
    }  # fmt: skip
    assert all(cell.comment for cell in outcomes[1][: len(SCHEMAS["outcomes"].columns)])


@pytest.mark.parametrize("length", sorted(MONTHS))
def test_the_params_template_loads_as_written_and_with_its_comments_taken_off(tmp_path, monkeypatch, length):
    monkeypatch.chdir(tmp_path)
    file = templates.write_templates("stroke", Path("params"), Path("data"), "2025", length)[0]
    assert params_file.load(file).periods.length == length
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"(?m)^( +)# ( *[a-z_]+:)", r"\1\2", text), encoding="utf-8")
    params = params_file.load(file)
    assert list(params.measures) == ["death", "falls", "wait", "mortality"]
    assert params.measures["mortality"].records is not None
    assert params.data.records is not None
    assert params.periods.year_starts == 4
    assert params.periods.current is not None
    assert parse(params.periods.current[1], length, params.periods.year_starts)


def test_nothing_is_written_over(new):
    with pytest.raises(UsageError, match=r"already there, and not written over: params/stroke.yml"):
        templates.write_templates("stroke", Path("params"), Path("data/stroke"), "2025")


def test_a_code_that_cannot_name_files_is_refused(tmp_path):
    with pytest.raises(ParamsError, match="is not a code"):
        templates.write_templates("../stroke", tmp_path, tmp_path)


def test_the_descriptor_says_what_the_schemas_say(new):
    package = json.loads(new["datapackage.json"].read_text(encoding="utf-8"))
    sites, outcomes, records = package["resources"]
    assert [field["name"] for field in records["schema"]["fields"]] == ["record", "site", "date", "died", "age", "sex"]
    fields = {field["name"]: field for field in outcomes["schema"]["fields"]}
    assert list(fields) == list(SCHEMAS["outcomes"].columns)
    assert fields["site"]["type"] == "string"
    assert fields["numerator"]["constraints"] == {"minimum": 0}
    assert fields["denominator"]["constraints"] == {"exclusiveMinimum": 0}
    assert outcomes["schema"]["primaryKey"] == ["site", "period", "measure"]
    assert {field["name"]: field["type"] for field in sites["schema"]["fields"]}["joined"] == "date"


def test_the_tables_of_the_data_guide_are_made_from_the_schemas():
    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    assert text == templates.guide(text), "run: collabeval.templates.write_guide"
    assert all(f"<!-- columns: {table} -->" in text for table in (*SCHEMAS, *FURTHER))


@pytest.fixture
def every(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written = templates.write_templates("stroke", Path("params"), Path("data/stroke"), "2025", added=FURTHER_TABLES)
    return {path.name: path for path in written}


def test_further_tables_are_written_where_they_are_asked_for(every):
    assert set(every) - {f"{table}.csv" for table in FURTHER} == {
        "stroke.yml", "sites.csv", "outcomes.csv", "records.csv", "stroke.xlsx", "datapackage.json", "schema.json",
    }  # fmt: skip
    params = params_file.load(every["stroke.yml"])
    assert params.data.further == FURTHER_TABLES
    assert [(indicator.id, indicator.target) for indicator in params.indicators] == [
        ("data_on_time", 95), ("meetings_held", 90), ("champion_attendance", 80),
    ]  # fmt: skip
    assert params.survey is not None


def test_every_example_row_is_refused_and_nothing_else_of_the_templates_is(every):
    book = [f"data.{table}=data/stroke/stroke.xlsx" for table in ("sites", "outcomes", *FURTHER)]
    for sources in ([], book):
        with pytest.raises(ContractError) as error:
            contract.read_inputs(params_file.load(every["stroke.yml"], sources))
        assert [problem.fix for problem in error.value.problems] == ["delete this row"] * (2 + len(FURTHER))


def test_the_workbook_offers_what_a_column_of_a_further_table_may_hold(every):
    book = openpyxl.load_workbook(every["stroke.xlsx"])
    assert book.sheetnames == ["read me", "sites", "outcomes", "records", *FURTHER, "catalogue"]
    offered = {
        (table, str(rule.sqref)): rule.formula1
        for table in FURTHER for rule in book[table].data_validations.dataValidation
    }  # fmt: skip
    last = f"$A${len(catalogue()) + 1}"
    assert offered == {
        ("comparators", "C2:C5000"): '"death,falls,wait"',
        ("indicators", "A2:A5000"): "=sites!$A$2:$A$5000", ("indicators", "C2:C5000"): f"=catalogue!$A$2:{last}",
        ("survey", "D2:D5000"): "=sites!$A$2:$A$5000", ("survey", "F2:F5000"): '"1,2,3,4,5"',
        ("ratings", "B2:B5000"): '"positive_deviance,coordination,measurement,levers,leadership"',
        ("ratings", "D2:D5000"): '"1,2,3,4,5"',
        **{(table, "A2:A5000"): "=sites!$A$2:$A$5000" for table in ("audit", "burden", "practices", "waivers")},
        ("waivers", "D2:D5000"): '"death,falls,wait"',
    }  # fmt: skip
    codes = [cell.value for cell in book["catalogue"]["A"]]
    assert codes == ["id", *catalogue()]


def test_the_descriptor_has_the_further_tables_with_their_limits(every):
    package = {part["name"]: part["schema"] for part in json.loads(every["datapackage.json"].read_text())["resources"]}
    assert list(package) == [*SCHEMAS, *FURTHER]
    fields = {field["name"]: field for field in package["ratings"]["fields"]}
    assert fields["score"]["constraints"] == {"required": True, "minimum": 1, "maximum": 5}
    assert package["audit"]["primaryKey"] == FURTHER_KEYS["audit"]
    assert "primaryKey" not in package["indicators"], "its site may be empty, a primary key may not"


def test_tables_are_chosen_by_name_or_all_and_others_refused():
    assert chosen("survey, indicators") == ("indicators", "survey")
    assert chosen("all") == FURTHER_TABLES
    assert chosen("") == ()
    with pytest.raises(UsageError, match=r"--with indicator is no table → did you mean indicators\?"):
        chosen("indicator")


def test_the_guide_to_the_catalogue_is_made_from_it():
    text = (ROOT / "docs" / "indicators.md").read_text(encoding="utf-8")
    assert text == templates.catalogue_guide(), "run: collabeval.templates.write_catalogue_guide"
    assert all(f"`{code}`" in text for code in catalogue())

"""Sources: every place and format a table may come from, and what is said when it cannot be read."""

import sqlite3
from datetime import date
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import fsspec
import openpyxl
import pandas as pd
import pytest
import sqlalchemy

from collabeval import contract, params_file
from collabeval.errors import ContractError, ParamsError
from collabeval.sources.typed import as_text
from small_tables import SITES, complaints, params_of, read

OUTCOMES = "site,period,measure,numerator,denominator\nA,2024,death,1,20\nB,2024,death,2,30\n"


def read_with(folder, *overrides, **options):
    return contract.read_inputs(params_of(folder, *overrides, **options))


def write_both(folder, outcomes=OUTCOMES, sites=SITES):
    (folder / "sites.csv").write_text(sites, encoding="utf-8")
    (folder / "outcomes.csv").write_text(outcomes, encoding="utf-8")


def numerators(inputs):
    return inputs.outcomes.set_index("site")["numerator"].to_dict()


def workbook(folder, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(folder / "t.xlsx")
    return book


def test_a_glob_reads_every_file_and_names_the_one_that_is_wrong(tmp_path):
    write_both(tmp_path)
    (tmp_path / "outcomes_2023.csv").write_text(OUTCOMES.replace("2024", "2023"))
    (tmp_path / "outcomes_2025.csv").write_text(OUTCOMES.replace("2024", "2025"))
    inputs = read_with(tmp_path, f"data.outcomes={tmp_path}/outcomes_*.csv")
    assert sorted(inputs.outcomes["period"]) == ["2023", "2023", "2025", "2025"]
    assert [source.path.rsplit("_")[-1] for source in inputs.sources[1:]] == ["2023.csv", "2025.csv"]
    (tmp_path / "outcomes_2026.csv").write_text(OUTCOMES.replace("2024", "2026").replace("2,30", "40,30"))
    with pytest.raises(ContractError, match=r"outcomes_2026.csv:3 numerator '40'"):
        read_with(tmp_path, f"data.outcomes={tmp_path}/outcomes_*.csv")


def test_the_same_key_in_two_files_names_both(tmp_path):
    write_both(tmp_path)
    (tmp_path / "outcomes_b.csv").write_text(OUTCOMES)
    with pytest.raises(ContractError, match=r"outcomes_b.csv:2 site 'A' → .* as row 2 of .*outcomes.csv"):
        read_with(tmp_path, f"data.outcomes={tmp_path}/outcomes*.csv")


@pytest.mark.parametrize("suffix", ["parquet", "dta", "sav"])
def test_typed_files_are_read_with_codes_as_text(tmp_path, suffix):
    if suffix == "sav":
        pytest.importorskip("pyreadstat")
    sites = pd.DataFrame({"site": ["007", "8"], "name": ["Bond", "Eight"]})
    numbers = {"numerator": [1.0, 2.0], "denominator": [20, 30], "expected": [1.25, 0.1 + 0.2]}
    outcomes = pd.DataFrame({"site": ["007", "8"], "period": [2024, 2024], "measure": "death", **numbers})
    for name, frame in (("sites", sites), ("outcomes", outcomes)):
        path = tmp_path / f"{name}.{suffix}"
        if suffix == "sav":
            import pyreadstat

            pyreadstat.write_sav(frame, path)
        else:
            {"parquet": frame.to_parquet, "dta": lambda at, f=frame: f.to_stata(at, write_index=False)}[suffix](path)
    inputs = read_with(tmp_path, ext=suffix)
    assert numerators(inputs) == {"007": 1, "8": 2}
    assert inputs.outcomes["expected"].tolist() == [1.25, 0.1 + 0.2]


def test_one_workbook_holds_both_tables(tmp_path):
    workbook(
        tmp_path,
        notes=[["anything"]],
        Sites=[["site", "name", "joined"], ["007", "Bond", date(2019, 4, 1)], ["8", "Eight", None]],
        outcomes=[["site", "period", "measure", "numerator", "denominator"], ["007", 2024, "death", 1, 20.0],
                  [8, "2024", "death", 2, 30], [None, None, None, None, None], ["", " ", None, None, None]],
    )  # fmt: skip
    both = [f"data.sites={tmp_path}/t.xlsx", f"data.outcomes={tmp_path}/t.xlsx"]
    inputs = read_with(tmp_path, *both)
    assert numerators(inputs) == {"007": 1, "8": 2}
    assert str(inputs.sites["joined"][0].date()) == "2019-04-01"


def test_excel_dates_are_periods_only_where_one_starts(tmp_path):
    rows = [["site", "period", "measure", "numerator", "denominator"], ["A", date(2025, 3, 1), "death", 1, 20],
            ["B", date(2025, 3, 1), "death", 1, 20]]  # fmt: skip
    workbook(tmp_path, sites=[["site", "name"], ["A", "a"], ["B", "b"]], outcomes=rows)
    both = [f"data.sites={tmp_path}/t.xlsx", f"data.outcomes={tmp_path}/t.xlsx"]
    inputs = read_with(tmp_path, *both, length="month")
    assert set(inputs.outcomes["period"]) == {"2025-03"}
    assert any("'2025-03-01' was read as 2025-03" in line for line in inputs.log)
    with pytest.raises(ContractError, match=r"t.xlsx\[outcomes\]:2 period '2025-03-01' → is a day inside a quarter"):
        read_with(tmp_path, *both, length="quarter")


def test_numbers_shown_with_zeros_keep_them(tmp_path):
    book = workbook(
        tmp_path,
        sites=[["site", "name"], [7, "Bond"], [8, "Eight"]],
        outcomes=[["site", "period", "measure", "numerator", "denominator"], ["007", 2024, "death", 1, 20],
                  ["008", 2024, "death", 1, 20]],
    )  # fmt: skip
    for row in (2, 3):
        book["sites"].cell(row, 1).number_format = "000"
    book.save(tmp_path / "t.xlsx")
    inputs = read_with(tmp_path, f"data.sites={tmp_path}/t.xlsx", f"data.outcomes={tmp_path}/t.xlsx")
    assert inputs.sites["site"].tolist() == ["007", "008"]
    assert any("leading zeros were read as shown" in line for line in inputs.log)


def test_a_failed_formula_is_seen(tmp_path):
    workbook(tmp_path, sites=[["site", "name"], ["A", "a"], ["B", "b"]],
             outcomes=[["site", "period", "measure", "numerator", "denominator"], ["A", 2024, "death", "#DIV/0!", 20],
                       ["B", 2024, "death", 1, 20]])  # fmt: skip
    with pytest.raises(ContractError, match=r"numerator '#DIV/0!' → is not a number → a formula failed in Excel"):
        read_with(tmp_path, f"data.sites={tmp_path}/t.xlsx", f"data.outcomes={tmp_path}/t.xlsx")


def test_sheets_are_asked_for_where_it_is_not_clear(tmp_path):
    workbook(tmp_path, one=[["site"], ["A"], ["B"]], two=[["site"], ["A"]])
    write_both(tmp_path)
    with pytest.raises(ContractError, match=r"which sheet holds the table sites\?.*\(sheets: one, two\)"):
        read_with(tmp_path, f"data.sites={tmp_path}/t.xlsx")
    assert len(read_with(tmp_path, f"data.sites={tmp_path}/t.xlsx", "data.excel_sheets={sites: one}").sites) == 2
    with pytest.raises(ContractError, match=r"there is no sheet 'three' → set data.excel_sheets.sites to one of: one"):
        read_with(tmp_path, f"data.sites={tmp_path}/t.xlsx", "data.excel_sheets={sites: three}")


def test_what_is_no_workbook_says_so(tmp_path):
    write_both(tmp_path)
    (tmp_path / "t.xlsx").write_text("site,name\n")
    with pytest.raises(ContractError, match=r"is not an Excel workbook that can be read → open it in Excel"):
        read_with(tmp_path, f"data.sites={tmp_path}/t.xlsx")
    (tmp_path / "t.xls").write_bytes(b"x")
    with pytest.raises(ContractError, match=r"files ending in '.xls' are not read → save it as .csv"):
        read_with(tmp_path, f"data.sites={tmp_path}/t.xls")


def test_urls_are_read_through_fsspec(tmp_path):
    write_both(tmp_path)
    store = fsspec.filesystem("memory")
    store.pipe_file("/bucket/outcomes_1.csv", OUTCOMES.encode())
    store.pipe_file("/bucket/outcomes_2.csv", OUTCOMES.replace("2024", "2025").encode())
    assert numerators(read_with(tmp_path, "data.outcomes=memory://bucket/outcomes_1.csv")) == {"A": 1, "B": 2}
    assert len(read_with(tmp_path, "data.outcomes=memory://bucket/outcomes_*.csv").outcomes) == 4
    with pytest.raises(ContractError, match=r"memory://bucket/nothing.csv → cannot be read"):
        read_with(tmp_path, "data.outcomes=memory://bucket/nothing.csv")
    with pytest.raises(ContractError, match=r"s3:// needs a further package .* → install it: pip install s3fs"):
        read_with(tmp_path, "data.outcomes=s3://bucket/outcomes.csv")


def test_a_table_on_the_web_is_read_over_http(tmp_path):
    pytest.importorskip("aiohttp")
    write_both(tmp_path)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        inputs = read_with(tmp_path, f"data.outcomes={url}/outcomes.csv?token=1")
        with pytest.raises(ContractError, match=r"/nothing.csv → cannot be read"):
            read_with(tmp_path, f"data.outcomes={url}/nothing.csv")
        server.shutdown()
    assert numerators(inputs) == {"A": 1, "B": 2}


def database(folder):
    with sqlite3.connect(folder / "registry.db") as connection:
        connection.execute("create table cases (site text, year integer, died integer, n integer)")
        connection.executemany("insert into cases values (?, ?, ?, ?)", [("A", 2024, 1, 20), ("B", 2024, 2, 30)])
    query = "select site, year as period, 'death' as measure, died as numerator, n as denominator from cases"
    return f'data.outcomes={{url: "sqlite:///{folder}/registry.db", query: "{query}"%s}}'


def test_a_query_is_read_from_a_database(tmp_path):
    write_both(tmp_path)
    assert numerators(read_with(tmp_path, database(tmp_path) % "")) == {"A": 1, "B": 2}


def test_a_password_comes_from_the_environment_and_appears_nowhere(tmp_path, monkeypatch):
    write_both(tmp_path)
    with pytest.raises(ContractError, match=r"the environment has no REGISTRY_PASSWORD → set it before the command"):
        read_with(tmp_path, database(tmp_path) % ", password_from: REGISTRY_PASSWORD")
    monkeypatch.setenv("REGISTRY_PASSWORD", "s3cr3t")
    params = params_of(tmp_path, 'data.outcomes={url: "postgresql+psycopg://me@127.0.0.1:9/db", query: select 1, '
                                 "password_from: REGISTRY_PASSWORD}")  # fmt: skip
    assert "s3cr3t" not in params.model_dump_json()
    with pytest.raises(ContractError) as error:
        contract.read_inputs(params)
    assert "s3cr3t" not in str(error.value)


def test_what_the_database_says_reaches_the_reader_without_the_password(tmp_path, monkeypatch):
    def refuse(url):
        raise sqlalchemy.exc.OperationalError("select 1", {}, Exception(f"login as me with {url.password} failed"))

    write_both(tmp_path)
    monkeypatch.setenv("REGISTRY_PASSWORD", "s3cr3t")
    monkeypatch.setattr(sqlalchemy, "create_engine", refuse)
    with pytest.raises(ContractError, match=r"the database says: login as me with \*\*\* failed") as error:
        read_with(tmp_path, database(tmp_path) % ", password_from: REGISTRY_PASSWORD")
    assert "s3cr3t" not in str(error.value)


def test_a_wrong_query_says_what_the_database_says(tmp_path):
    write_both(tmp_path)
    query = f'data.outcomes={{url: "sqlite:///{tmp_path}/r.db", query: select * from nothing_here}}'
    with pytest.raises(ContractError, match=r"query for outcomes → the database says: no such table: nothing_here"):
        read_with(tmp_path, query)


@pytest.mark.parametrize("location", ["postgresql://me:s3cr3t@db/x", "https://me:s3cr3t@example.org/sites.csv"])
def test_a_password_in_params_is_refused_and_not_repeated(tmp_path, location):
    for override in (f"data.sites={location}", f'data.sites={{url: "{location}", query: select 1}}'):
        with pytest.raises(ParamsError, match="has a password in it") as error:
            params_of(tmp_path, override)
        assert "s3cr3t" not in str(error.value)


def test_a_missing_file_says_where_it_was_looked_for(tmp_path, monkeypatch):
    write_both(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ContractError) as error:
        read_with(tmp_path, "data.sites=site.csv", "data.outcomes=tables/outcomes.csv")
    sites, outcomes = error.value.problems
    assert sites.what == f"there is no such file (data.sites; looked for {tmp_path}/site.csv)"
    assert sites.fix == "did you mean 'sites.csv'? paths in `data` count from the folder the command is run in"
    assert outcomes.fix.startswith(f"there is no folder 'tables' in {tmp_path}")
    with pytest.raises(ContractError, match=r"no file matches data\.sites"):
        read_with(tmp_path, "data.sites=none_*.csv")


@pytest.mark.parametrize(("encoding", "suggested"), [("cp1252", "cp1252"), ("utf-16", "utf-16")])
def test_another_encoding_is_suggested_and_then_works(tmp_path, encoding, suggested):
    sites = "site,name\nA,Zürich\nB,Genève\n".encode(encoding)
    found = complaints(tmp_path, OUTCOMES.encode("ascii"), sites)
    assert len(found) == 1
    assert "has bytes that are not utf-8" in found[0]
    assert f"set data.encoding: {suggested}" in found[0]
    inputs = read(tmp_path, OUTCOMES.encode(encoding), sites, f"data.encoding={suggested}")
    assert inputs.sites["name"].tolist() == ["Zürich", "Genève"]


def test_the_row_of_a_bad_byte_is_named_and_shown(tmp_path):
    found = complaints(tmp_path, OUTCOMES, "site,name\nA,Alpha\nB,Genève\n".encode("cp1252"))
    assert found[0].startswith("sites.csv:3 'B,Genève' → has bytes that are not utf-8")


def test_utf8_under_another_declaration_is_refused(tmp_path):
    found = complaints(tmp_path, OUTCOMES, "site,name\nA,Zürich\nB,b\n", "data.encoding=cp1252")
    assert found == ["sites.csv → is UTF-8, but `data.encoding` says cp1252 → set data.encoding: utf-8"]


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    assert len(read(tmp_path, OUTCOMES.encode("utf-8-sig"), SITES.encode("utf-8-sig")).sites) == 2


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_separators_are_found_out(tmp_path, delimiter):
    assert numerators(read(tmp_path, OUTCOMES.replace(",", delimiter))) == {"A": 1, "B": 2}
    assert numerators(read(tmp_path, f"sep={delimiter}\n" + OUTCOMES.replace(",", delimiter))) == {"A": 1, "B": 2}


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ("", "outcomes.csv → has no rows"),
        (OUTCOMES + 'A,2025,death,"1,20\n', "outcomes.csv:4 → quotes do not match"),
        (
            OUTCOMES + "A,2025,death,1,200,5\n",
            "outcomes.csv:4 '5' → the row has more cells than there are column",
        ),
        (
            "site,numerator,numerator\nA,1,1\n",
            "outcomes.csv:1 numerator → two columns have this name",
        ),
    ],
)
def test_files_that_cannot_be_laid_out_are_refused(tmp_path, outcomes, said):
    assert complaints(tmp_path, outcomes)[0].startswith(said)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (float("nan"), ""), (pd.NaT, ""), (pd.NA, ""), (7, "7"), (7.0, "7"), (0.1, "0.1"), (True, "true"),
     (pd.Timestamp("2025-03-01"), "2025-03-01"), (pd.Timestamp("2025-03-01 12:30"), "2025-03-01T12:30:00"),
     (date(2025, 3, 1), "2025-03-01"), ("007", "007"), (b"A", "A"), (1e300, "1e+300"),
     (1.234, "1.2340")],
)  # fmt: skip
def test_typed_cells_become_text_without_loss(value, text):
    assert as_text(value) == text


def test_paths_are_absolute_in_resolved_params_and_urls_stay(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    params = params_of(tmp_path, "data.sites=a/../b/*.csv", "data.outcomes=s3://bucket/x.csv")
    assert (params.data.sites, params.data.outcomes) == (f"{tmp_path}/b/*.csv", "s3://bucket/x.csv")
    assert isinstance(params_file.schema(), dict)

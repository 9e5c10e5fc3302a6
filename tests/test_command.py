"""The command that a report gives to make it again: the one that was given, and never more than a report may tell."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

import fake_run
from collabeval import command, sections
from collabeval.command import Command
from collabeval.diagnostics.check import as_table
from collabeval.disclosure.command import PublishedCommand, publish_command, publish_portfolio_command
from collabeval.pipeline import CompareRequest, Request
from collabeval.pipeline.portfolio import PortfolioRequest
from collabeval.run_folder import RunFolder
from collabeval.sections import portfolio, portfolio_end
from fake_run import Fake
from portfolio_case import Case, gathered, make_funder
from test_portfolio_report import associated

SETTINGS = ("periods.last=2024", "title=Hearts of 'St. Mary’s' & all", "rules={level: 0.9}")


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run whose report names its sites and hides nothing."""
    return fake_run.make(tmp_path_factory.mktemp("named"), Fake(sites=6))


@pytest.fixture(scope="module", params=[{"sites": "coded"}, {"minimum_cell": 11}], ids=["coded", "hidden"])
def hiding(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Runs whose reports code sites, or hide counts."""
    return fake_run.make(tmp_path_factory.mktemp("hiding"), Fake(sites=6, cases=300, report=request.param))


@pytest.fixture(scope="module")
def funder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A portfolio of two collaboratives, ready for its report."""
    run = make_funder(tmp_path_factory.mktemp("funder"), {"hips": Case(), "births": Case(change=0.1)})
    gathered(run)
    run.write_tables({"diagnostics": as_table([]), **associated(0)})
    return run


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of the test."""
    (tmp_path / "project" / "params").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def chapter(run: RunFolder) -> str:
    """The last chapter of the report of a run, of either kind."""
    if (run.path / "members.json").exists():
        return portfolio_end.provenance(portfolio.open_portfolio(str(run.path))).markdown
    report = sections.open_report(str(run.path))
    return sections.provenance(report).markdown  # type: ignore[operator]


def printed(told: str) -> list[str]:
    """The words of the command in a report's last chapter; none where there is none."""
    found = re.search(r"```sh\n(.*)\n```", told, re.DOTALL)
    return shlex.split(found[1]) if found else []


# --- what is printed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [(), SETTINGS], ids=["plain", "set"])
def test_a_report_prints_the_command_that_was_given(
    named: RunFolder, funder: RunFolder, project: Path, settings: tuple[str, ...]
) -> None:
    """Both kinds of report; neither file is called as the collaborative (`heart`) or the portfolio (`funder`) is."""
    given = [word for setting in settings for word in ("--set", setting)]
    Request(Path("params/of another name.yml"), settings).command.write(named)
    assert printed(chapter(named)) == ["collabeval", "run", "params/of another name.yml", *given]
    PortfolioRequest(Path("all.yml"), settings).command.write(funder)
    assert printed(chapter(funder)) == ["collabeval", "portfolio", "all.yml", *given]


def test_of_a_file_outside_the_project_only_the_name_is_printed(named: RunFolder, project: Path) -> None:
    for file in (project.parent / "elsewhere" / "heart.yml", Path("../elsewhere/heart.yml")):
        asked = Request(file).command
        assert asked == Command(("run",), "heart.yml", outside=True)
        told = publish_portfolio_command(asked)
        assert told == publish_command(asked, "heart", hides=False)
        assert told == PublishedCommand("collabeval run heart.yml", outside=True)
    asked.write(named)
    assert printed(chapter(named)) == ["collabeval", "run", "heart.yml"]
    assert "lies outside the project’s folder" in chapter(named)
    Request(Path("heart.yml")).command.write(named)
    assert "outside" not in chapter(named)


def test_a_run_without_a_record_prints_no_command_and_says_where_its_params_lie(
    named: RunFolder, hiding: RunFolder, funder: RunFolder
) -> None:
    for run in (named, hiding, funder):
        command.command_file(run).unlink(missing_ok=True)
        told = chapter(run)
        assert printed(told) == []
        assert "its params lie in its folder (params.yml)" in told


# --- what may not be told -----------------------------------------------------------------------------------------


def test_a_report_that_hides_prints_a_command_of_the_collaboratives_name_and_no_other(
    hiding: RunFolder, project: Path
) -> None:
    Request(Path("params/heart.yml")).command.write(hiding)
    assert printed(chapter(hiding)) == ["collabeval", "run", "params/heart.yml"]
    Request(Path("params/without_H007.yml"), ("data.note=H007 has 3 deaths", "sampling.seed=987654321")).command.write(
        hiding
    )
    told = chapter(hiding)
    assert printed(told) == []
    assert "kept with the run (command.json)" in told
    for secret in ("H007", "987654321", "sampling.seed", "data.note", "without_"):
        assert secret not in told


@pytest.mark.parametrize(
    ("file", "settings"),
    [("params/without_H007.yml", ()), ("H007/heart.yml", ()), ("heart.yml", ()), ("params/stroke.yml", ()),
     ("params/heart.yml", ("sampling.seed=987654321",)), ("params/heart.yml", ("rules.level=0.9",))],
)  # fmt: skip
def test_a_report_that_hides_tells_neither_another_name_nor_a_setting(file: str, settings: tuple[str, ...]) -> None:
    assert publish_command(Command(("run",), file, False, settings), "heart", hides=True) == PublishedCommand("")
    assert publish_command(Command(("run",), "heart.yml", True), "heart", hides=True) == PublishedCommand("")


def test_no_portfolio_prints_its_seed_or_the_names_of_what_it_is_made_from(funder: RunFolder, project: Path) -> None:
    settings = (
        "sampling.seed=987654321", "sampling={seed: 987654321, draws: 500}", "collaboratives.hips.params=no_H007.yml",
        "site_register=no_H007.csv", "report.minimum_sites=6",
    )  # fmt: skip
    PortfolioRequest(Path("params/portfolio.yml"), settings).command.write(funder)
    told = chapter(funder)
    assert "987654321" not in told
    assert "H007" not in told
    assert [word for word in printed(told)[3:] if word != "--set"] == [
        "sampling.seed=…", "sampling=…", "collaboratives.hips.params=…", "site_register=…", "report.minimum_sites=6",
    ]  # fmt: skip
    assert "For “…” put what was given there" in told


@pytest.mark.parametrize(
    "value",
    ["/home/anna/sites.csv", "~/sites.csv", "~anna/sites.csv", r"C:\anna\sites.csv", r"\\server\sites.csv",
     "../anna/sites.csv", "data/../../anna/sites.csv", "s3://bucket/sites.csv", "{sites: /home/anna/sites.csv}",
     "{sites: '~/sites.csv'}", "[/srv/anna]", "{url: postgresql://reader@db.anna.org/x, query: select 1}",
     "{death: /home/anna/own.py:build}", "simplecache::/home/anna/x.csv"],
)  # fmt: skip
def test_no_report_tells_where_something_lies(value: str) -> None:
    given = Command(("run",), "params/heart.yml", False, (f"data={value}", "edition=2024"))
    line = "collabeval run params/heart.yml --set 'data=…' --set edition=2024"
    assert publish_command(given, "heart", hides=False) == PublishedCommand(line, withheld=True)
    assert publish_portfolio_command(given) == PublishedCommand(line, withheld=True)


@pytest.mark.parametrize(
    "value",
    ["data/heart/sites.csv", "Deaths / 100 operations", "deaths and/or falls", "0.5", "2024-01-01", "{level: 0.9}", "",
     "Hearts ... and more", "[html, pdf]", "own.py:build", "a: b"],
)  # fmt: skip
def test_other_values_are_told_whole(value: str) -> None:
    told = publish_command(Command(("run",), "x.yml", False, (f"a.b={value}",)), "heart", hides=False)
    assert told is not None
    assert not told.withheld
    assert shlex.split(told.line) == ["collabeval", "run", "x.yml", "--set", f"a.b={value}"]


@pytest.mark.parametrize("value", ["{{< include /etc/passwd >}}", "`r 1`", "a\n```\nb"])
def test_what_a_renderer_would_run_is_not_printed(value: str) -> None:
    told = publish_command(Command(("run",), "x.yml", False, (f"title={value}",)), "heart", hides=False)
    assert told == PublishedCommand("collabeval run x.yml --set 'title=…'", withheld=True)


# --- what is kept -------------------------------------------------------------------------------------------------


def test_one_file_has_one_spelling(project: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(project)
    spellings = ("params/a.yml", "./params/a.yml", "params/../params/a.yml", project / "params" / "a.yml",
                 link / "params" / "a.yml")  # fmt: skip
    assert {Command.given(["run"], Path(file)) for file in spellings} == {Command(("run",), "params/a.yml", False)}


def test_a_record_is_read_as_it_was_written_and_holds_no_password(project: Path) -> None:
    run = RunFolder(project / "runs" / "heart" / "2024")
    overrides = ("data.sites=postgresql://anna:secret@db/x", "data.sites=sites.csv", "title=Ärzte")
    given = Command.given(["run"], Path("params/a.yml"), overrides)
    given.write(run)
    assert command.read(run) == given
    assert "secret" not in json.dumps(given.overrides)
    assert given.overrides[1:] == overrides[1:]


def test_a_comparison_is_kept_as_what_it_was(project: Path) -> None:
    assert CompareRequest(Path("a.yml")).command.words == ("compare",)
    assert CompareRequest(Path("a.yml"), sensitivity=True).command.words == ("compare", "--sensitivity")

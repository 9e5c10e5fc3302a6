"""A portfolio runs each collaborative by itself, then all together; what has not changed is not run again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collabeval import command, execute, portfolio_file
from collabeval.command import Command
from collabeval.errors import StepError
from collabeval.pipeline.portfolio import ASSOCIATED, PortfolioRequest, evaluate_members, exit_code, together
from collabeval.pipeline.status import Status
from collabeval.portfolio_file import GATHERED, Outcome
from collabeval.run_folder import RunFolder
from pipeline_stand_ins import ALL, Notebooks, Silent
from small_project import ROOT

OWN = ["gather", "association", "report", "index", "render"]
PARAMS = """
portfolio: funder
title: All of one funder
edition: "2025"
collaboratives: {one: {params: one.yml}, two: {params: two.yml}, three: {params: three.yml}}
sampling: {seed: 1}
report: {formats: [html]}
render: embedded
"""


class Several(Notebooks):
    """Stands for the kernels of several runs: each writes into the run it is called for."""

    def __call__(self, source: Path, target: Path, parameters: dict[str, object], kernel: object) -> Path:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.run = target.parents[1]
        made = {"gather": GATHERED, "association": ASSOCIATED}.get(target.stem, ())
        for name in made:
            path = self.run / "results" / f"{name}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            row = {"model": "one", "check": "own_run", "value": 0.0, "limit": 0.0, "advice": "", "level": "blocking"}
            read = [outcome.status for outcome in portfolio_file.read_members(RunFolder(self.run))]
            pq.write_table(pa.Table.from_pylist([{**row, "passed": True, "statuses": str(read)}]), path)
        if target.stem == "gather":
            (self.run / "data").mkdir(exist_ok=True)
            (self.run / "data" / "sources.json").write_text("{}", encoding="utf-8")
        return super().__call__(source, target, parameters, kernel)


@pytest.fixture
def funder(project: Path, notebooks: Notebooks, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A portfolio of three small collaboratives; the folder of its own run."""
    for name in ("one", "two", "three"):
        text = (project / "small.yml").read_text(encoding="utf-8")
        (project / f"{name}.yml").write_text(text.replace("collaborative: small", f"collaborative: {name}"), "utf-8")
    (project / "portfolio.yml").write_text(PARAMS, encoding="utf-8")
    for name in ("portfolio", "association"):
        shutil.copy(ROOT / "notebooks" / f"{name}.ipynb", project / "notebooks")
    for name in ("portfolio", "portfolio_index"):
        shutil.copy(ROOT / "reports" / f"{name}.qmd", project / "reports")
    monkeypatch.setattr(execute, "run_notebook", Several(project))
    return project / "runs" / "funder" / "2025"


def run(
    file: str = "portfolio.yml", *overrides: str, **settings: bool
) -> tuple[dict[str, list[str]], list[Outcome], Status]:
    """Run the portfolio; the steps that ran, by collaborative and (blank) of the portfolio itself."""
    request = PortfolioRequest(Path(file), overrides, **settings)  # type: ignore[arg-type]
    ran: dict[str, list[str]] = {}

    @contextmanager
    def telling(name: str) -> Iterator[Silent]:
        silent = Silent()
        yield silent
        ran[name] = sorted(silent.began, key=ALL.index)

    outcomes = evaluate_members(request, telling)
    own = Silent()
    status, _ = together(request, own)
    return {**ran, "": sorted(own.began, key=OWN.index)}, outcomes, status


def test_each_is_run_once_and_then_all_together(funder: Path) -> None:
    ran, outcomes, status = run()
    assert ran == {"one": ALL, "two": ALL, "three": ALL, "": OWN}
    assert [outcome.status for outcome in outcomes] == ["complete"] * 3
    assert [outcome.engines for outcome in outcomes] == [(("nuts", "passed"),) * 2] * 3, "as their run.json says"
    assert portfolio_file.read_members(RunFolder(funder)) == outcomes
    assert status.status == "complete"
    assert {path.name for path in (funder / "report").iterdir()} == {"funder-2025.html", "index.html"}
    assert exit_code(outcomes, status) == 0


def test_an_unchanged_collaborative_is_not_run_again(funder: Path) -> None:
    run()
    assert run()[0] == {"one": [], "two": [], "three": [], "": []}
    (funder.parents[2] / "two.yml").write_text(
        (funder.parents[2] / "two.yml").read_text(encoding="utf-8") + "rules: {level: 0.9}\n", encoding="utf-8"
    )
    ran = run()[0]
    assert ran["one"] == ran["three"] == []
    assert ran["two"][0] == "performance"
    assert ran[""][0] == "gather"


def test_another_command_for_the_same_results_writes_the_report_again_and_nothing_else(funder: Path) -> None:
    run()
    project, nothing = funder.parents[2], {"one": [], "two": [], "three": []}
    assert run("portfolio.yml", "sampling.seed=1")[0] == {**nothing, "": ["report"]}
    (project / "portfolio.yml").rename(project / "all.yml")
    assert run("all.yml")[0] == {**nothing, "": ["report"]}
    assert command.read(RunFolder(funder)) == Command(("portfolio",), "all.yml", outside=False)
    for name in ("one", "two", "three"):
        own = RunFolder(project / "runs" / name / "2025")
        assert command.read(own) == Command(("run",), f"{name}.yml", outside=False), "each as if run by itself"


def test_one_that_is_refused_is_left_out_and_said_and_the_others_go_on(funder: Path) -> None:
    project = funder.parents[2]
    (project / "two.yml").write_text("collaborative: two\n", encoding="utf-8")
    ran, outcomes, status = run()
    assert ran["two"] == []
    assert ran["three"] == ALL
    assert {outcome.name: outcome.status for outcome in outcomes}["two"] == "failed"
    assert any("title" in reason for reason in outcomes[1].reasons)
    assert exit_code(outcomes, status) == 2
    written = json.loads((funder / "members.json").read_text(encoding="utf-8"))
    assert [row["status"] for row in written] == ["complete", "failed", "complete"]


def test_with_one_left_there_is_no_portfolio(funder: Path) -> None:
    for name in ("two", "three"):
        (funder.parents[2] / f"{name}.yml").write_text("collaborative: x\n", encoding="utf-8")
    with pytest.raises(StepError, match="1 of 3 collaboratives could be evaluated"):
        run()


def test_the_worst_end_decides_the_exit_code() -> None:
    def outcomes(*codes: int) -> list[Outcome]:
        status = {0: "complete", 3: "provisional"}
        return [Outcome(str(place), status.get(code, "failed"), exit_code=code) for place, code in enumerate(codes)]

    def ended(status: str) -> Status:
        return Status(status, "funder", "2025", "x", 1)

    assert exit_code(outcomes(0, 3), ended("complete")) == 3
    assert exit_code(outcomes(0, 2), ended("complete")) == 2
    assert exit_code(outcomes(2, 1), ended("complete")) == 1
    assert exit_code(outcomes(0, 0), ended("provisional")) == 3

"""`run.json` and the files of a run are right at every moment, whatever goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import xarray as xr
from _pytask.database_utils import DatabaseSession, State

from collabeval import draws, execute
from collabeval.errors import ContractError, ParamsError, Problem, StepError, UsageError
from collabeval.pipeline.request import sole_use
from collabeval.pipeline.status import engines
from collabeval.run_folder import RunFolder
from pipeline_stand_ins import ALL, Notebooks, run
from small_project import states, told


def test_run_json_first_says_running_and_the_report_folder_is_empty_meanwhile(
    notebooks: Notebooks, folder: Path
) -> None:
    run()
    seen: dict[str, tuple[str, bool, str]] = {}

    def look(step: str) -> None:
        said = told(folder)
        seen[step] = (str(said["status"]), (folder / "report").exists(), states(folder)[step])

    notebooks.seen = look
    run("sampling.seed=2")
    assert set(seen) == {step for step in ALL if step not in ("data", "render")}
    assert set(seen.values()) == {("running", False, "running")}
    assert states(folder) == {step: "cached" if step in ("data", "render") else "run" for step in ALL}
    assert all(row["seconds"] is not None for row in told(folder)["steps"])  # type: ignore[attr-defined]


def test_a_blocking_check_that_fails_makes_a_draft(notebooks: Notebooks, folder: Path) -> None:
    notebooks.passed = False
    run()
    said = told(folder)
    assert said["status"] == "provisional"
    assert said["reasons"] == ["death: rhat is 1.5, limit 1.01. more draws"]
    assert said["engines"]["death"] == {"engine": "nuts", "seed": 1, "check": "failed"}  # type: ignore[index]
    assert said["engines"]["fall"]["check"] == "passed"  # type: ignore[index]
    assert [path.name for path in (folder / "report").iterdir()] == ["DRAFT-small-2025.html"]
    notebooks.passed = True
    run("sampling.seed=2")
    assert [path.name for path in (folder / "report").iterdir()] == ["small-2025.html"]


def test_a_failed_step_fails_the_run_and_the_next_goes_on_from_there(notebooks: Notebooks, folder: Path) -> None:
    run()
    notebooks.failing = {"performance": StepError("step performance failed: no")}
    with pytest.raises(StepError, match="performance failed: no"):
        run("sampling.seed=2", jobs=1)
    said = told(folder)
    assert said["status"] == "failed"
    assert said["reasons"] == ["step performance failed: no"]
    assert states(folder)["performance"] == "failed"
    assert {states(folder)[step] for step in ("checks", "report", "render")} == {"waiting"}
    assert not (folder / "report").exists()
    notebooks.failing = {}
    done = {step for step, state in states(folder).items() if state in ("run", "cached")}
    assert set(run("sampling.seed=2")) == set(ALL) - done - {"render"}
    assert told(folder)["status"] == "complete"


def test_keep_going_runs_what_does_not_depend_on_the_failure(notebooks: Notebooks, folder: Path) -> None:
    notebooks.failing = {"fit-death": StepError("no"), "data": StepError("never")}
    del notebooks.failing["data"]
    with pytest.raises(StepError):
        run(keep_going=True)
    assert states(folder)["fit-fall"] == "run"
    notebooks.failing["fit-fall"] = StepError("neither")
    with pytest.raises(StepError):
        run("sampling.seed=2", keep_going=False, jobs=1)
    assert {states(folder)["fit-death"], states(folder)["fit-fall"]} == {"failed", "waiting"}


def test_an_error_in_the_data_keeps_its_exit_code(notebooks: Notebooks) -> None:
    notebooks.failing = {"data": ContractError([Problem("outcomes.csv", "text in a number", row=3)])}
    with pytest.raises(ContractError) as caught:
        run()
    assert caught.value.exit_code == 2


def test_a_step_that_does_not_make_its_files_has_failed(notebooks: Notebooks, folder: Path) -> None:
    def nothing(source: Path, target: Path, parameters: object, kernel: object) -> Path:
        return target

    execute.run_notebook = nothing  # the fixture's monkeypatch puts the real one back
    with pytest.raises(StepError, match=r"step data ended without making panel.parquet, sites.parquet"):
        run()
    assert told(folder)["status"] == "failed"


def test_what_a_killed_run_left_half_written_and_what_no_step_makes_any_more_is_cleared(
    notebooks: Notebooks, folder: Path
) -> None:
    run()
    (folder / "draws" / ".death-x1_y2z3w.nc").touch()
    (folder / "draws" / "gone.nc").touch()
    run("sampling.seed=2")
    assert sorted(path.name for path in (folder / "draws").iterdir()) == ["death.nc", "fall.nc"]


def test_two_runs_of_one_folder_never_mix(notebooks: Notebooks, folder: Path) -> None:
    with sole_use(RunFolder(folder)), pytest.raises(UsageError, match=r"another run of .* is under way"):
        run()
    assert run() == ALL


def test_wrong_params_write_nothing(project: Path) -> None:
    with pytest.raises(ParamsError):
        run("sampling.seed=minus one")
    assert not (project / "runs").exists()


def test_run_json_says_a_single_number_as_one(tmp_path: Path) -> None:
    run_folder = RunFolder(tmp_path)
    tree = xr.DataTree()
    tree.attrs = {"engine": "nuts", "blocks": 2, "target_accept": 0.9}
    draws.save(tree, run_folder.draws("death"))
    found = engines(run_folder, ["death"], failed=())
    assert found == {"death": {"engine": "nuts", "blocks": 2, "target_accept": 0.9, "check": "passed"}}


def test_pytask_keeps_no_database_beside_its_lockfile(notebooks: Notebooks, folder: Path) -> None:
    assert run() == ALL
    with DatabaseSession() as session:
        assert session.query(State).count() == 0
    assert run() == []

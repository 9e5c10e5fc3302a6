"""The whole line with real kernels and the real renderer, on notebooks that take no time: as a user calls it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from small_project import make_project, states, told, write_notebook

COMMAND = (sys.executable, "-m", "collabeval", "run", "small.yml")
SLOW = ("--set", "sampling.seed=13")  # the small project's fit then waits until a folder `quick` is there

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kills processes as POSIX systems do")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    make_project(tmp_path)
    return tmp_path


def call(project: Path, *arguments: str, command: str = "run") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND[:3], command, "small.yml", *arguments], cwd=project, capture_output=True, text=True, timeout=600,
        check=False, env={**os.environ, "COLLABEVAL_HOME": str(project)},
    )  # fmt: skip


def start(project: Path) -> subprocess.Popen[str]:
    """Start a run whose fit waits, and come back when it does."""
    process = subprocess.Popen(
        [*COMMAND, *SLOW], cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "COLLABEVAL_HOME": str(project)},
    )  # fmt: skip
    wait(lambda: (project / "runs/small/2025/draws/.death-abcdefgh.nc").exists())
    return process


def wait(until: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def kernels(project: Path) -> list[psutil.Process]:
    """Processes that stand in the project's folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(project) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def tables(project: Path) -> dict[str, bytes]:
    """Bytes of every file of data and results, but for the name of the project's own folder."""
    run = project / "runs/small/2025"
    files = [path for folder in ("data", "results") for path in (run / folder).iterdir()]
    return {path.name: path.read_bytes().replace(bytes(project), b"") for path in files}


def test_from_nothing_to_a_report_and_nothing_the_second_time(project: Path) -> None:
    run = project / "runs/small/2025"
    first = call(project)
    assert first.returncode == 0, first.stderr
    # a plain `quarto render` works there; below a folder whose name starts with a dot Quarto loses its own packages
    assert (run / "quarto" / "_quarto.yml").exists()
    assert (run / "quarto" / "report.ipynb").exists()
    report = run / "report" / "small-2025.html"
    assert first.stdout.splitlines()[-1] == str(report)
    assert "A small collaborative" in report.read_text(encoding="utf-8")
    assert set(states(run).values()) == {"run"}
    assert sorted(path.stem for path in (run / "notebooks").iterdir()) == [
        "checks", "data", "fit-death", "fit-fall", "improvement", "performance", "report",
    ]  # fmt: skip
    assert "in all" in first.stdout
    assert kernels(project) == []

    before = report.stat().st_mtime_ns
    second = call(project, "--json")
    assert second.returncode == 0
    assert {row["state"] for row in json.loads(second.stdout)["steps"]} == {"cached"}
    assert report.stat().st_mtime_ns == before
    again = call(project, command="provenance")
    assert again.returncode == 0, again.stdout
    rendered = call(project, "--to", "copy", command="render")
    assert rendered.stdout.strip() == str(Path("copy") / "small-2025.html")
    assert (project / "copy" / "small-2025.html").read_bytes() == report.read_bytes()


def test_killed_in_the_middle_of_a_fit_the_next_run_ends_with_the_same_results(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    undisturbed = tmp_path_factory.mktemp("undisturbed")
    make_project(undisturbed)
    (undisturbed / "quick").touch()
    assert call(undisturbed, *SLOW).returncode == 0

    run = project / "runs/small/2025"
    process = start(project)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert told(run)["status"] == "running"
    assert states(run)["data"] == "run"
    assert not (run / "report").exists()
    assert not (run / "notebooks" / "fit-death.ipynb").exists()
    wait(lambda: kernels(project) == [], 30)

    (project / "quick").touch()
    resumed = call(project, *SLOW)
    assert resumed.returncode == 0, resumed.stderr
    assert states(run)["data"] == "cached"
    assert tables(project) == tables(undisturbed)
    assert told(run)["status"] == "complete"
    assert not list((run / "draws").glob(".*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "kill"])
def test_stopped_by_the_user_a_run_ends_at_once_and_says_so(number: int, project: Path) -> None:
    process = start(project)
    began = time.monotonic()
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert time.monotonic() - began < 30
    assert process.returncode == 1
    assert "run the same command again" in said
    assert "Traceback" not in said
    assert told(project / "runs/small/2025")["status"] == "failed"
    wait(lambda: kernels(project) == [], 30)


def test_two_runs_at_once_do_not_mix(project: Path) -> None:
    process = start(project)
    second = call(project, *SLOW)
    assert second.returncode == 2
    assert "another run" in second.stderr
    (project / "quick").touch()
    process.communicate(timeout=300)
    assert process.returncode == 0


def test_a_failing_cell_gives_its_own_error_the_notebook_and_exit_code_1(project: Path) -> None:
    notebook = project / "notebooks" / "data.ipynb"
    text = notebook.read_text(encoding="utf-8")
    notebook.write_text(text.replace("text = Path", "1 / 0\\ntext = Path"), encoding="utf-8")
    done = call(project)
    failed = project / "runs/small/2025/notebooks/data.failed.ipynb"
    assert done.returncode == 1
    assert "ZeroDivisionError: division by zero" in done.stderr
    assert str(failed) in done.stderr
    assert "Traceback" not in done.stderr
    assert failed.exists()
    assert not (failed.parent / "data.ipynb").exists()
    assert call(project, command="status").stdout.startswith("small 2025: failed")


def test_a_provisional_result_ends_with_3_unless_it_is_accepted(project: Path) -> None:
    done = call(project, "--set", "sampling.draws=13")
    assert done.returncode == 3, done.stderr
    assert done.stdout.splitlines()[-1].endswith("DRAFT-small-2025.html")
    assert "rhat" in done.stdout
    assert call(project, "--set", "sampling.draws=13", "--provisional-ok").returncode == 0


def test_a_notebook_that_asks_for_what_params_do_not_have_stops_before_a_kernel(project: Path) -> None:
    write_notebook(project / "notebooks" / "data.ipynb", ["1"], ["run_folder", "colour"])
    done = call(project)
    assert done.returncode == 2
    assert "colour" in done.stderr
    assert not (project / "runs/small/2025/notebooks/data.failed.ipynb").exists()

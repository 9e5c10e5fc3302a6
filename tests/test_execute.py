"""Strict Papermill: nothing starts with wrong parameters, nothing half done stays, errors are the cell's own."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import nbformat
import pytest

from collabeval import execute, kernels
from collabeval.errors import CollabevalError, ParamsError, StepError
from small_project import BLOCKS, write_notebook


@pytest.fixture
def no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test in which no kernel may start."""

    def started(*_: object, **__: object) -> None:
        raise AssertionError("a kernel was started")

    monkeypatch.setattr(execute, "_papermill", started)


def printed(notebook: Path) -> str:
    cells = nbformat.read(notebook, as_version=4).cells
    return "".join(output.get("text", "") for cell in cells for output in cell.get("outputs", []))


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"run_folder": "/tmp", "modell": {}}, "modell"),
        ({}, "run_folder"),
        ({"run_folder": 3}, "run_folder"),
        ({"run_folder": "/tmp", "sampling": {"seed": "one"}}, "sampling.seed"),
        ({"run_folder": "/tmp", "sampling": {"seed": 1, "drawz": 1}}, "sampling.drawz"),
    ],
    ids=["unknown", "missing", "not text", "mistyped", "unknown within a block"],
)
def test_wrong_parameters_stop_before_a_kernel_starts(
    given: dict[str, object], named: str, tmp_path: Path, no_kernel: None
) -> None:
    declared = ["run_folder", *(["sampling"] if "sampling" in given else [])]
    notebook = write_notebook(tmp_path / "step.ipynb", ["1"], declared)
    with pytest.raises(ParamsError, match=named) as caught:
        execute.run_notebook(notebook, tmp_path / "out.ipynb", given)
    assert caught.value.exit_code == 2
    assert "step.ipynb" in str(caught.value)
    assert not (tmp_path / "out.ipynb").exists()


def test_every_wrong_parameter_is_named_at_once(tmp_path: Path, no_kernel: None) -> None:
    notebook = write_notebook(tmp_path / "step.ipynb", ["1"], ["run_folder", "measure"])
    with pytest.raises(ParamsError) as caught:
        execute.run_notebook(notebook, tmp_path / "out.ipynb", {"run_folder": 3, "colour": 1})
    assert {problem.column for problem in caught.value.problems} == {"run_folder", "measure", "colour"}


def test_a_notebook_runs_on_this_interpreter_in_the_folder_it_is_given(tmp_path: Path) -> None:
    show = (
        "import os, sys\n"
        "print(sys.executable, os.getcwd(), os.environ['COLLABEVAL_CORES'], os.environ['OMP_NUM_THREADS'])"
    )
    folder = tmp_path / "a folder with {braces} and blanks"
    folder.mkdir()
    notebook = write_notebook(folder / "step.ipynb", [show], ["run_folder"])
    heard: list[str] = []
    kernel = kernels.Kernel(cores=3, folder=folder, tell=heard.append)
    target = execute.run_notebook(notebook, folder / "made" / "out.ipynb", {"run_folder": "x"}, kernel)
    assert printed(target) == f"{sys.executable} {folder} 3 1\n"
    assert heard == [printed(target).strip()]
    assert sorted(path.name for path in target.parent.iterdir()) == ["out.ipynb"]


def test_executed_notebooks_of_two_runs_are_the_same_bytes(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "step.ipynb", ["print(run_folder)"], ["run_folder"])
    made = [execute.run_notebook(notebook, tmp_path / f"{name}.ipynb", {"run_folder": "x"}) for name in "ab"]
    assert made[0].read_bytes() == made[1].read_bytes()


def test_a_failing_cell_says_its_own_error_and_leaves_nothing_that_looks_finished(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "step.ipynb", ["print('so far')", "[1, 2][5]"], ["run_folder"])
    target = tmp_path / "notebooks" / "fit-death.ipynb"
    with pytest.raises(StepError) as caught:
        execute.run_notebook(notebook, target, {"run_folder": "x"})
    assert "fit-death" in str(caught.value)
    assert "IndexError: list index out of range" in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert caught.value.exit_code == 1
    assert not target.exists()
    kept = target.with_name("fit-death.failed.ipynb")
    assert str(kept) in str(caught.value)
    assert "so far" in printed(kept)

    write_notebook(notebook, ["1"], ["run_folder"])
    execute.run_notebook(notebook, target, {"run_folder": "x"})
    assert not kept.exists(), "the failed notebook of an earlier try is gone once the step succeeds"


def test_an_error_of_this_package_is_said_as_it_is_with_its_exit_code(tmp_path: Path) -> None:
    code = "from collabeval.errors import *\nraise ContractError([Problem('a.csv', 'text in a number', row=3)])"
    notebook = write_notebook(tmp_path / "step.ipynb", [code], ["run_folder"])
    with pytest.raises(CollabevalError) as caught:
        execute.run_notebook(notebook, tmp_path / "out.ipynb", {"run_folder": "x"})
    assert str(caught.value).startswith("a.csv:3 → text in a number\n")
    assert caught.value.exit_code == 2


def test_a_kernel_that_is_killed_is_said_to_have_died(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "step.ipynb", ["import os\nos.kill(os.getpid(), 9)"], ["run_folder"])
    with pytest.raises(StepError, match="died; the most common cause is too little memory"):
        execute.run_notebook(notebook, tmp_path / "out.ipynb", {"run_folder": "x"})


def test_kill_kernels_ends_a_notebook_at_once(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "step.ipynb", ["print('up')", "import time\ntime.sleep(600)"], ["run_folder"])
    up, raised = threading.Event(), []

    def run() -> None:
        kernel = kernels.Kernel(tell=lambda line: up.set())
        try:
            execute.run_notebook(notebook, tmp_path / "out.ipynb", {"run_folder": "x"}, kernel)
        except StepError as error:
            raised.append(error)

    worker = threading.Thread(target=run)
    worker.start()
    assert up.wait(60)
    began = time.monotonic()
    kernels.KERNELS.kill()
    worker.join(30)
    assert not worker.is_alive()
    assert time.monotonic() - began < 15
    assert len(raised) == 1


def test_a_template_becomes_a_notebook_whose_front_matter_is_what_its_cell_displayed(tmp_path: Path) -> None:
    template = tmp_path / "evaluation.qmd"
    template.write_text(
        "---\ntitle: Blank\nlang: en\n---\n\n```{python}\n#| tags: [parameters]\nrun_folder = ''\n```\n\n# Words\n\n"
        "```{python}\n#| echo: false\nfrom IPython.display import display\n"
        f"display({{{execute.FRONT_MATTER!r}: {{'title': 'A: title', 'date': '2025'}}}}, raw=True)\n```\n",
        encoding="utf-8",
    )
    target = execute.run_notebook(template, tmp_path / "report.ipynb", {"run_folder": "here"})
    cells = nbformat.read(target, as_version=4).cells
    assert cells[0].cell_type == "raw"
    assert cells[0].source == "---\ntitle: 'A: title'\nlang: en\ndate: '2025'\n---"
    assert [cell.cell_type for cell in cells[1:]] == ["code", "code", "markdown", "code"]
    assert 'run_folder = "here"' in cells[2].source
    assert cells[-1].source.startswith("#| echo: false")
    assert not any(execute.FRONT_MATTER in str(cell.get("outputs")) for cell in cells)


def test_kernels_use_sockets_of_the_file_system_where_there_are_any() -> None:
    assert kernels.transport() == ("tcp" if sys.platform == "win32" else "ipc")


def test_blocks_are_what_notebooks_of_the_project_declare() -> None:
    from collabeval.params import Params

    assert set(BLOCKS) == {*Params.model_fields, "run_folder"}

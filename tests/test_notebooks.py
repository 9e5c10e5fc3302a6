"""The step notebooks are thin: a question, the parameters, a few short cells that call the package."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from collabeval import params_file
from collabeval.execute import read_notebook
from collabeval.params import Params
from collabeval.pipeline.keys import modules_named, python_of
from collabeval.run_folder import RunFolder
from small_project import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
STEPS = {
    "data", "fit", "performance", "improvement", "checks", "alternative", "compare", "fit_together", "composites",
    "effect", "features", "practices", "scorecards", "value", "opinions", "profile",
}  # fmt: skip
PORTFOLIO = {"portfolio", "association"}  # of several collaboratives: each has params of its own
MOST_LINES = 8


def cells(path: Path) -> list[NotebookNode]:
    return list(nbformat.read(path, as_version=4).cells)


def code(path: Path) -> list[NotebookNode]:
    """The code cells but for the parameters, whose length is that of the params models."""
    return [
        cell for cell in cells(path)
        if cell.cell_type == "code" and "parameters" not in cell.metadata.get("tags", [])
    ]  # fmt: skip


def test_there_is_a_notebook_for_every_step() -> None:
    assert {path.stem for path in NOTEBOOKS} == STEPS | PORTFOLIO


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestNotebook:
    def test_the_title_is_a_question(self, path: Path) -> None:
        first = cells(path)[0]
        assert first.cell_type == "markdown"
        assert first.source.startswith("# ")
        assert first.source.endswith("?")

    def test_it_declares_every_block_of_params_and_nothing_else(self, path: Path) -> None:
        own = {"fit": {"measure"}, "alternative": {"alternative"}}.get(path.stem, set())
        expected = {"run_folder"} if path.stem in PORTFOLIO else {*Params.model_fields, "run_folder", *own}
        assert set(params_file.declared_parameters(path)) == expected

    def test_the_first_code_cell_is_the_parameters(self, path: Path) -> None:
        first = next(cell for cell in cells(path) if cell.cell_type == "code")
        assert first.metadata["tags"] == ["parameters"]

    def test_cells_are_short_and_hold_no_logic(self, path: Path) -> None:
        logic = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While, ast.If, ast.Try)
        for cell in code(path):
            assert len(cell.source.splitlines()) <= MOST_LINES, cell.source
            assert not [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, logic)], cell.source

    def test_outputs_are_stripped(self, path: Path) -> None:
        for cell in cells(path):
            assert not cell.get("outputs")
            assert cell.get("execution_count") is None

    def test_it_imports_from_the_package_only(self, path: Path) -> None:
        for node in ast.walk(ast.parse("\n".join(cell.source for cell in code(path)))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert ast.unparse(node).split()[1].split(".")[0] == "collabeval"


def test_only_the_fit_imports_pymc() -> None:
    sources = [path for path in NOTEBOOKS if not path.stem.startswith("fit")] + [ROOT / "reports" / "evaluation.qmd"]
    names = sorted({name for source in sources for name in modules_named(python_of(source))})
    code = (
        f"import importlib, sys\n[importlib.import_module(name) for name in {names}]\nassert 'pymc' not in sys.modules"
    )
    assert "collabeval.diagnostics" in names
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_the_report_has_one_parameter_and_its_code_hides() -> None:
    notebook = read_notebook(ROOT / "reports" / "evaluation.qmd")
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    assert [cell.source.splitlines()[-1] for cell in tagged] == ['run_folder = ""']
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert len([line for line in cell.source.splitlines() if not line.startswith("#|")]) <= MOST_LINES


def test_plain_papermill_runs_a_notebook_with_the_params_of_a_run(tmp_path: Path) -> None:
    params = params_file.load(ROOT / "params" / "infant_cardiac_surgery.yml", [
        f"data.{table}={ROOT / 'data' / 'infant_cardiac_surgery' / table}.csv" for table in ("sites", "outcomes")
    ])  # fmt: skip
    run = RunFolder(tmp_path / "run")
    params_file.write_resolved(params, run)
    papermill = [sys.executable, "-m", "papermill", "--no-progress-bar"]
    command = [*papermill, str(ROOT / "notebooks" / "data.ipynb"), str(tmp_path / "out.ipynb"), "-f", str(run.params)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=300)
    assert done.returncode == 0, done.stderr
    assert len(run.read(run.panel)) == 12

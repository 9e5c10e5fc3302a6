"""A small project, run without kernels and without a renderer."""

from __future__ import annotations

from pathlib import Path

import pytest

from collabeval import execute, render
from collabeval.render import Rendered
from pipeline_stand_ins import Notebooks
from small_project import make_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project, the working folder of the test."""
    make_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLLABEVAL_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def folder(project: Path) -> Path:
    return project / "runs" / "small" / "2025"


@pytest.fixture
def notebooks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Notebooks:
    """The real pipeline without kernels and renderer."""
    stand_in = Notebooks(folder)
    monkeypatch.setattr(execute, "run_notebook", stand_in)
    monkeypatch.setattr("collabeval.pipeline.run.AHEAD", 0)

    def rendering(
        notebook: Path, figures: Path, out: Path, formats: list[str], preference: str, name: str, work: Path
    ) -> Rendered:
        # below a folder whose name starts with a dot Quarto does not find its own packages
        assert not any(part.startswith(".") for part in work.relative_to(Path.cwd()).parts)
        out.mkdir(parents=True, exist_ok=True)
        for kind in formats:
            (out / f"{name}.{kind}").write_text(notebook.read_text(encoding="utf-8"), encoding="utf-8")
        return Rendered((), "embedded", "1")

    monkeypatch.setattr(render, "render", rendering)
    return stand_in

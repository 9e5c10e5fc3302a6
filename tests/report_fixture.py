"""The report fixture (every element of the report markup) as an executed notebook."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat

from collabeval import render

FIXTURE = Path(__file__).parent / "fixtures" / "report"
TITLE = "Deaths have not fallen, and two hospitals have worsened"
FRONT = f'---\ntitle: "{TITLE}"\nlang: en\ndate: "2026-01-05"\n---\n\n'


def notebook_of(markdown: str) -> nbformat.NotebookNode:
    """Front matter as the first raw cell; each part between `<!-- cell -->` marks as the output of a code cell."""
    _, front_matter, body = markdown.split("---\n", 2)
    cells = [nbformat.v4.new_raw_cell(f"---\n{front_matter}---")]
    for part in body.split("<!-- cell -->"):
        output = nbformat.v4.new_output("display_data", {"text/markdown": part.strip(), "text/plain": "<Markdown>"})
        cells.append(nbformat.v4.new_code_cell("#| echo: false\nshow(section)", outputs=[output], execution_count=1))
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def write_fixture(folder: Path, markdown: str | None = None) -> tuple[Path, Path]:
    """Write the executed notebook and its figures into `folder`; return both paths."""
    text = markdown or (FIXTURE / "report_fixture.qmd").read_text(encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    notebook = folder / "evaluation.ipynb"
    nbformat.write(notebook_of(text), notebook)
    shutil.copytree(FIXTURE / "figures", folder / "figures")
    shutil.copy(FIXTURE / "references.bib", folder / "references.bib")
    return notebook, folder / "figures"


def embedded(folder: Path, markdown: str | None = None, formats: tuple[str, ...] = ("html", "pdf")) -> Path:
    """Render some report markup, the fixture itself if None, with the embedded renderer; the folder of its files."""
    notebook, figures = write_fixture(folder / "in", markdown)
    render.render(notebook, figures, folder / "report", formats, "embedded")
    return folder / "report"

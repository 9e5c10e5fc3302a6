"""Strict Papermill: parameters checked first, a kernel for each notebook, nothing half done left behind."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collabeval import errors, params_file
from collabeval.errors import CollabevalError, StepError
from collabeval.kernels import KERNELS, Kernel
from collabeval.run_folder import written_whole

if TYPE_CHECKING:
    from nbformat import NotebookNode

FRONT_MATTER = "application/vnd.collabeval.front-matter+json"


def read_notebook(source: Path) -> NotebookNode:
    """Read a notebook: `.ipynb`, or `.qmd` by jupytext's R Markdown reader, which needs no Quarto."""
    import nbformat

    text = source.read_text(encoding="utf-8")
    if source.suffix == ".ipynb":
        return nbformat.reads(text, as_version=4)
    import jupytext

    notebook = jupytext.reads(text, fmt="Rmd")
    notebook.metadata = nbformat.from_dict({"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.metadata["tags"] = cell_tags(cell)
    return notebook


def cell_tags(cell: NotebookNode) -> list[str]:
    """Tags of a code cell: from its metadata, and from a Quarto line `#| tags: [parameters]`."""
    tags = [str(tag) for tag in cell.metadata.get("tags", [])]
    for line in cell.source.splitlines():
        name, _, value = line.removeprefix("#|").partition(":")
        if line.startswith("#|") and name.strip() == "tags":
            tags += [tag.strip(" []\"'") for tag in value.split(",")]
    return tags


def run_notebook(source: Path, target: Path, parameters: Mapping[str, Any], kernel: Kernel | None = None) -> Path:
    """Execute `source` with `parameters` and put it at `target` only when every cell ran.

    A notebook that failed is kept as `<name>.failed.ipynb` beside the target.

    Raises
    ------
    ParamsError
        Parameters do not fit the notebook.
    StepError
        A cell failed, or the kernel died.
    CollabevalError
        A cell raised one: the same error, with the notebook's path added.
    """
    import nbformat

    kernel = kernel or Kernel()
    failed = target.with_name(f"{target.stem}.failed.ipynb")
    with tempfile.TemporaryDirectory(prefix="collabeval-") as scratch:
        ready, output = Path(scratch) / f"{source.stem}.ipynb", Path(scratch) / "executed.ipynb"
        nbformat.write(read_notebook(source), str(ready))
        params_file.check_parameters(parameters, ready)
        try:
            executed = _papermill(target.stem, ready, output, parameters, kernel)
        except Exception as problem:
            raise plain_error(problem, target.stem, _keep(output, failed)) from problem
    save(finish_report(executed) if source.suffix == ".qmd" else executed, target)
    failed.unlink(missing_ok=True)
    return target


def _papermill(step: str, notebook: Path, output: Path, parameters: Mapping[str, Any], kernel: Kernel) -> NotebookNode:
    import papermill

    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # what goes wrong is raised, and said once
    with KERNELS.use(step, kernel) as manager:
        return papermill.execute_notebook(
            str(notebook),
            str(output),
            parameters=dict(parameters),
            kernel_name="python3",
            language="python",
            progress_bar=False,
            km=manager,
            record_timing=False,
            stdout_file=Ear(kernel.tell) if kernel.tell else None,
        )


class Ear:
    """The file that papermill copies a notebook's printed lines to: passes each on while the notebook runs."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.tell = tell

    def write(self, text: str) -> None:
        for line in filter(None, map(str.strip, text.splitlines())):
            self.tell(line)

    def flush(self) -> None:
        """Nothing is held back."""


def plain_error(problem: Exception, step: str, notebook: Path | None) -> CollabevalError:
    """Turn what went wrong in a notebook into the cell's own error in plain words, with the notebook's path."""
    name, message = getattr(problem, "ename", type(problem).__name__), getattr(problem, "evalue", str(problem))
    where = f"\nNotebook: {notebook}" if notebook else ""
    if name == "DeadKernelError":
        message = "the process that ran the notebook died; the most common cause is too little memory"
        return StepError(f"step {step} failed: {message}{where}")
    kind = getattr(errors, str(name), None)
    if isinstance(kind, type) and issubclass(kind, CollabevalError):
        failure = StepError(f"{message}{where}")
        failure.exit_code = kind.exit_code
        return failure
    return StepError(f"step {step} failed: {name}: {message}{where}")


def _keep(output: Path, failed: Path) -> Path | None:
    """Keep the notebook of a failed step beside where the finished one would lie."""
    if not output.exists():
        return None
    with written_whole(failed) as part:
        part.write_bytes(output.read_bytes())
    return failed


def save(notebook: NotebookNode, target: Path) -> None:
    """Write an executed notebook without what differs from run to run: timings, temporary paths, random cell ids."""
    import nbformat

    notebook.metadata.pop("papermill", None)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
    with written_whole(target) as part:
        nbformat.write(notebook, str(part), version=nbformat.NO_CONVERT)


def finish_report(notebook: NotebookNode) -> NotebookNode:
    """Write the front matter that a cell displayed into the first raw cell, where plain `quarto render` reads it."""
    import io

    import nbformat
    from ruamel.yaml import YAML

    yaml = YAML(pure=True)
    first = notebook.cells[0] if notebook.cells and notebook.cells[0].cell_type == "raw" else None
    header = dict(yaml.load(first.source.strip().strip("-")) or {}) if first else {}
    for cell in notebook.cells:
        outputs = cell.get("outputs", [])
        for output in outputs:
            header |= output.get("data", {}).get(FRONT_MATTER, {})
        if outputs:
            cell.outputs = [output for output in outputs if FRONT_MATTER not in output.get("data", {})]
    text = io.StringIO()
    yaml.dump(header, text)
    raw = nbformat.v4.new_raw_cell(f"---\n{text.getvalue()}---")
    notebook.cells = [raw, *notebook.cells[1 if first else 0 :]]
    return notebook

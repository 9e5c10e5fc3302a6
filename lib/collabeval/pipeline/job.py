"""What is run: its params and folder, the documents it ends in, and the digests that its steps share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from collabeval import home as project
from collabeval import render
from collabeval.command import Command
from collabeval.params import Params
from collabeval.params.portfolio import Portfolio
from collabeval.pipeline import keys
from collabeval.pipeline.request import STATE
from collabeval.run_folder import RunFolder

READ = "list of what it reads"  # a key of every step


@dataclass(frozen=True)
class Step:
    """One step: a notebook (or the rendering) with everything that decides whether it must run again."""

    name: str
    what: str  # what a person is told while it runs
    source: Path | None  # notebook or template; None for rendering
    parameters: Mapping[str, Any] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)  # name of a thing outside the run → its digest
    needs: tuple[Path, ...] = ()  # files and folders of earlier steps
    makes: tuple[Path, ...] = ()
    samples: bool = False  # gets its share of all cores

    def __post_init__(self) -> None:
        """Add the names of what the step reads to its keys: nothing else in them tells of what is no longer read."""
        read = [f"{path.parent.name}/{path.name}" for path in self.needs]
        others = {name: value for name, value in self.keys.items() if name != READ}
        named = keys.digest_values(sorted([*read, *others]))
        object.__setattr__(self, "keys", {**others, READ: named})


class Job:
    """Params, run folder, and the digests that steps share; an evaluation, a comparison or a portfolio.

    `command` is the one that asked for it, which the report tells.
    """

    def __init__(self, params: Params | Portfolio, run: RunFolder, command: Command) -> None:
        self.params, self.run, self.command = params, run, command
        self.home = project.home()
        self.values: dict[str, Any] = params.model_dump(mode="json")
        self.lock = keys.packages(self.home)

    @property
    def report_name(self) -> str:
        """Name of the rendered files, without their kind."""
        return f"{self.params.collaborative}-{self.params.edition}"

    @property
    def documents(self) -> dict[str, tuple[str, ...]]:
        """What is rendered: the notebook's name, and its formats."""
        return {"report": tuple(self.params.report.formats)}

    @property
    def fits(self) -> list[str]:
        """What is fitted, by the name of its draws."""
        return []

    @property
    def checks(self) -> tuple[str, ...]:
        """Results tables that hold checks of fits, in the columns of `diagnostics`."""
        return ("diagnostics",)

    @property
    def own_files(self) -> list[Path]:
        """Files of the user's own that the results or the report depend on, beside params and data."""
        return []

    def placed(self, document: str) -> str:
        """Name of a document's files in `report/`, without their kind."""
        return self.report_name if document == "report" else document

    def keep_inputs(self) -> None:
        """Write the command and the params as resolved into the run, and copies of the user's own files."""
        self.command.write(self.run)

    def steps(self) -> list[Step]:
        """All steps, in an order in which they can run."""
        raise NotImplementedError

    @property
    def asked(self) -> dict[str, str]:
        """Digest of the command, for the step that prints it and no other: results depend on params alone."""
        return {"command": keys.digest_values(asdict(self.command))}

    def notebook(self, name: str) -> Path:
        return self.home / "notebooks" / f"{name}.ipynb"

    def keys(self, source: Path, **params: Any) -> dict[str, str]:
        """Digests behind one notebook: its code, the modules it imports, the packages, and some params."""
        modules = keys.modules_behind(keys.python_of(source))
        return {
            f"notebook {source.name}": keys.digest(keys.notebook_code(source)),
            **{f"module {name}": value for name, value in modules.items()},
            "installed packages": self.lock,
            **{f"params {name}": keys.digest_values(value) for name, value in params.items()},
        }


def render_step(job: Job) -> Step:
    """Every document of the job from its executed notebook to its formats."""
    run, params = job.run, job.params
    modules = keys.modules_behind("import collabeval.render")
    renderer = render.choose(params.render)
    found = {
        **{f"module {name}": value for name, value in modules.items()},
        "style and bibliography": keys.digest_tree(job.home / "reports", ignore=("published",)),
        "installed packages": job.lock,
        "renderer": keys.digest_values([renderer.name, renderer.version]),
        "params report.formats": keys.digest_values(params.report.formats),
    }
    makes = tuple(rendered(run) / f"{name}.{kind}" for name, kinds in job.documents.items() for kind in kinds)
    needs = (*(run.notebook(name) for name in job.documents), run.figures)
    return Step("render", f"Rendering ({renderer.name})", None, {}, found, needs, makes)


def tables(run: RunFolder, names: tuple[str, ...]) -> tuple[Path, ...]:
    return tuple(run.table(name) for name in names)


def rendered(run: RunFolder) -> Path:
    """Where rendered files wait until the run's final status is known."""
    return run.path / STATE / "rendered"

"""What both renderers share: where the reports' templates lie, and the folder that one report is rendered in."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from collabeval.home import home
from collabeval.render import fonts

FORMATS = ("html", "pdf")
PROJECT_FILES = ("_quarto.yml", "_brand.yml", "references.bib")


@dataclass(frozen=True)
class Renderer:
    """A renderer that could be used: its name ("quarto" or "embedded"), its version, and why it is or is not used."""

    name: str
    version: str
    why: str
    usable: bool = True


@dataclass(frozen=True)
class Rendered:
    """The files of one report, and what made them (kept in run.json)."""

    files: tuple[Path, ...]
    renderer: str
    version: str


def prepare(notebook: Path, figures: Path, work: Path, name: str = "report") -> Path:
    """Make the working folder of one report: notebook, figures, styles, fonts, bibliography.

    A project file that lies beside the notebook goes before the one in `reports/`. Returns the notebook's copy.
    """
    reports = home() / "reports"
    work.mkdir(parents=True)
    shutil.copytree(reports / "style", work / "style")
    for file in PROJECT_FILES:
        for folder in (notebook.parent, reports):
            if (folder / file).exists():
                shutil.copy(folder / file, work / file)
                break
    if figures.is_dir():
        shutil.copytree(figures, work / "figures", dirs_exist_ok=True)
    fonts.install(work / "fonts", work / "style" / "fonts.css")
    return Path(shutil.copy(notebook, work / f"{name}.ipynb"))


def source_date() -> int:
    """Return the moment the report says it was made, in Unix seconds: SOURCE_DATE_EPOCH where set, else now."""
    return int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))

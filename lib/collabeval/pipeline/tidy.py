"""A run folder made ready: no leftovers, and a copy of each model of one's own and of the narrative."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection
from pathlib import Path

from collabeval import narrative
from collabeval.own_model import file_and_name
from collabeval.params import Params
from collabeval.pipeline.request import STATE
from collabeval.run_folder import RunFolder, written_whole

# what `written_whole` writes to before it moves a file in place
PARTS = re.compile(r"^\.[\w.-]+-[a-z0-9_]{8}(\.\w+)?$")


def clear(run: RunFolder, made: Collection[Path]) -> None:
    """Remove what a killed run left half written, and files of steps that are no more."""
    for part in run.path.glob("*/.*"):
        if part.is_file() and PARTS.match(part.name) and part.parent.name != STATE:
            part.unlink()
    for folder in ("data", "draws", "results", "notebooks"):
        for path in (run.path / folder).glob("*"):
            if path.is_file() and path not in made:
                path.unlink()


def own_models(params: Params) -> list[Path]:
    """The files of all models of one's own that params name, each once."""
    functions = [name for model in (params.model, *params.compare.values()) for name in model.functions.values()]
    return list(dict.fromkeys(file_and_name(name)[0] for name in functions if name))


def keep_own_models(params: Params, run: RunFolder) -> None:
    """Copy the file of each model of one's own into the run, as it is fitted; files of one name are numbered."""
    shutil.rmtree(run.own_models, ignore_errors=True)
    for path in own_models(params):
        target, number = run.own_models / path.name, 2
        while target.exists():
            target, number = run.own_models / f"{path.stem}-{number}{path.suffix}", number + 1
        with written_whole(target) as part:
            shutil.copyfile(path, part)


def keep_narrative(params: Params, run: RunFolder) -> None:
    """Copy the evaluator's words into the run, where the report takes them from."""
    shutil.rmtree(run.narrative, ignore_errors=True)
    for path in narrative.files(params).values():
        with written_whole(run.narrative / path.name) as part:
            shutil.copyfile(path, part)

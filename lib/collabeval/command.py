"""The command that asked for a run: kept in its folder, so that the report can say how to make it again."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from collabeval.params.types import without_password
from collabeval.run_folder import RunFolder, written_whole


@dataclass(frozen=True)
class Command:
    """What was typed after `collabeval`, as far as results depend on it.

    Attributes
    ----------
    words : the command itself: `run`, `portfolio`, or `compare` with its option.
    file : the params file, from the folder the command was given in (from there the paths in params count too, and
        there `runs/` lies); of a file outside that folder the name alone, as its path tells of a person's machine.
    outside : whether the file lies outside that folder.
    overrides : KEY=VALUE of every `--set`, in order, passwords blotted out.
    """

    words: tuple[str, ...]
    file: str
    outside: bool
    overrides: tuple[str, ...] = ()

    @classmethod
    def given(cls, words: Sequence[str], file: Path, overrides: Sequence[str] = ()) -> Command:
        """The command as the user gave it in the working folder; one file has one spelling, however it was named."""
        return cls(tuple(words), *_from_here(file), tuple(map(without_password, overrides)))

    def write(self, run: RunFolder) -> None:
        """Write it into the run's folder, whole or not at all."""
        with written_whole(command_file(run)) as part:
            part.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def command_file(run: RunFolder) -> Path:
    """Where a run keeps the command that asked for it."""
    return run.path / "command.json"


def read(run: RunFolder) -> Command | None:
    """The command that asked for a run; None for a run of a version that kept no record of it."""
    path = command_file(run)
    if not path.exists():
        return None
    told = json.loads(path.read_text(encoding="utf-8"))
    return Command(tuple(told["words"]), told["file"], told["outside"], tuple(told["overrides"]))


def _from_here(file: Path) -> tuple[str, bool]:
    """A file's path from the working folder, and False; its name, and True, where it lies elsewhere."""
    here = Path.cwd()
    for found in (Path(os.path.abspath(file)), file.resolve()):  # the second: `here` has no symbolic links in it
        if found.is_relative_to(here):
            return found.relative_to(here).as_posix(), False
    return file.name, True

"""A quick look at what has changed since the last run, before pytask (a second to import) is asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from collabeval.pipeline.job import Step
from collabeval.pipeline.keys import digest_values
from collabeval.pipeline.request import STATE
from collabeval.run_folder import RunFolder, written_whole

REMEMBERED = "unchanged.json"


def remember(run: RunFolder, steps: Sequence[Step]) -> None:
    """Keep what each step's inputs and files look like at the end of a run."""
    with written_whole(run.path / STATE / REMEMBERED) as part:
        part.write_text(json.dumps({step.name: look(step) for step in steps}), encoding="utf-8")


def forget(run: RunFolder) -> None:
    """A run has begun: what was remembered no longer holds."""
    (run.path / STATE / REMEMBERED).unlink(missing_ok=True)


def changed(run: RunFolder, steps: Sequence[Step]) -> list[Step]:
    """The steps that may have to run: something they depend on or made differs from the end of the last run.

    pytask, which compares contents, has the last word: it may find that a step need not run. That nothing differs here
    is certain, however, as every input is compared by its digest and every file by its size and time of change.
    """
    kept = run.path / STATE / REMEMBERED
    known = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    found: list[Step] = []
    doubtful: set[Path] = set()
    for step in steps:
        if known.get(step.name) != look(step) or doubtful & set(step.needs):
            found.append(step)
            doubtful |= set(step.makes)
    return found


def look(step: Step) -> str:
    """Digest of a step's keys, and of size and time of change of the files it makes."""
    return digest_values([dict(step.keys), [_stamp(path) for path in step.makes]])


def _stamp(path: Path) -> list[object]:
    if path.is_dir():
        return [path.name, [_stamp(inside) for inside in sorted(path.iterdir())]]
    if not path.exists():
        return [path.name, "missing"]
    found = path.stat()
    return [path.name, found.st_size, found.st_mtime_ns]

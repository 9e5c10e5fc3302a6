"""A quick look whether anything at all has changed since the last run, before pytask (a second to import) is asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from collabeval.pipeline.keys import digest_values
from collabeval.pipeline.request import STATE
from collabeval.pipeline.steps import Step
from collabeval.run_folder import RunFolder, written_whole

REMEMBERED = "unchanged"


def remember(run: RunFolder, steps: Sequence[Step]) -> None:
    """Keep what the inputs and the files of a finished run look like."""
    with written_whole(run.path / STATE / REMEMBERED) as part:
        part.write_text(look(steps), encoding="utf-8")


def forget(run: RunFolder) -> None:
    """A run has begun: what was remembered no longer holds."""
    (run.path / STATE / REMEMBERED).unlink(missing_ok=True)


def nothing_changed(run: RunFolder, steps: Sequence[Step]) -> bool:
    """Whether every input's digest, and every file's size and time of change, are those of the last finished run."""
    kept = run.path / STATE / REMEMBERED
    return kept.exists() and kept.read_text(encoding="utf-8") == look(steps)


def look(steps: Sequence[Step]) -> str:
    """Digest of all keys, and of size and time of change of all files that steps make."""
    return digest_values([[step.name, dict(step.keys), [_stamp(path) for path in step.makes]] for step in steps])


def _stamp(path: Path) -> list[object]:
    if path.is_dir():
        return [_stamp(inside) for inside in sorted(path.iterdir())]
    if not path.exists():
        return [path.name, "missing"]
    found = path.stat()
    return [path.name, found.st_size, found.st_mtime_ns]

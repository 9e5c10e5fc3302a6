"""Quarto as renderer: found on PATH, and run on the prepared working folder, which is a Quarto project."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from collabeval.errors import RenderError
from collabeval.render.common import Renderer

OLDEST = (1, 9)  # the first with `pdf-standard`, and with a Typst that gives equations alternative text
TARGETS = {"html": "html", "pdf": "typst"}


def describe() -> Renderer:
    """Say whether Quarto can be used: its version, or why not."""
    program = shutil.which("quarto")
    if program is None:
        return Renderer("quarto", "", "Quarto is not on PATH", usable=False)
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    version = done.stdout.strip()
    numbers = version.split(".")[:2]
    if done.returncode or not all(number.isdigit() for number in numbers):
        return Renderer("quarto", "", f"{program} does not run: {(done.stderr or version).strip()}", usable=False)
    if tuple(int(number) for number in numbers) < OLDEST:
        wanted = ".".join(str(number) for number in OLDEST)
        return Renderer("quarto", version, f"Quarto {version} is older than {wanted} (tagged PDF)", usable=False)
    return Renderer("quarto", version, f"found at {program}")


def write(source: Path, formats: Sequence[str]) -> list[Path]:
    """Render the notebook `source`, which lies in its prepared working folder, to "html", "pdf" or both in turn."""
    return [_write(source, wanted) for wanted in formats]


def _write(source: Path, wanted: str) -> Path:
    program = shutil.which("quarto")
    if program is None:
        raise RenderError("Quarto is not on PATH")
    command = [program, "render", source.name, "--to", TARGETS[wanted], "--no-execute"]
    done = subprocess.run(command, cwd=source.parent, capture_output=True, text=True, check=False)
    target = source.with_suffix(f".{wanted}")
    if done.returncode or not target.exists():
        raise RenderError(f"Quarto could not render {source} to {wanted}: {done.stderr.strip()}")
    return target

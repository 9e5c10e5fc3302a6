"""Whether this machine can evaluate: what is there, what is missing, and how to get it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from collabeval.errors import CollabevalError

OLDEST_PYTHON = (3, 12)
ROOM = 1.0  # GB: draws, compiled code and reports of one large collaborative
MEMORY = 2.0  # GB: four chains of the demo and the tables made from them


@dataclass(frozen=True)
class Finding:
    """One thing looked at: its state in words, and how to mend it where it is not right."""

    what: str
    state: str
    good: bool
    fix: str = ""
    needed: bool = True  # False: the evaluation works without it


def examine(runs: Path) -> list[Finding]:
    """Look at everything an evaluation needs; `runs` is where runs would lie."""
    looks: tuple[Callable[[], Finding], ...] = (
        python, project, lock, sampler, renderer, fonts, cores, memory, lambda: disk(runs), compiled_code, transport,
    )  # fmt: skip
    return [look() for look in looks]


def python() -> Finding:
    found = f"{platform.python_version()} at {sys.executable}"
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Finding("Python", found, sys.version_info >= OLDEST_PYTHON, f"install Python {wanted} or newer")


def project() -> Finding:
    from collabeval.home import home

    try:
        return Finding("project folder", str(home()), True)
    except CollabevalError as problem:
        state, _, fix = str(problem).partition(" → ")
        return Finding("project folder", state, False, fix)


def lock() -> Finding:
    """Whether the installed packages are those of `requirements.lock`."""
    from collabeval.home import folder

    path = folder() / "requirements.lock"
    if not path.exists():
        return Finding(
            "packages", "no requirements.lock: versions are not pinned", False, "fetch it anew", needed=False
        )
    other = [f"{name} {have} instead of {want}" for name, want, have in _differences(path) if have]
    state = f"as in {path.name}" if not other else f"{len(other)} differ: {', '.join(other[:4])}"
    return Finding("packages", state, not other, "run `make setup` (or `python bootstrap.py setup`)", needed=False)


def _differences(path: Path) -> Iterator[tuple[str, str, str]]:
    installed = {_normal(found.name): found.version for found in importlib.metadata.distributions() if found.name}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, version = line.partition("==")
        wanted = version.split(" ")[0].rstrip("\\; ")
        have = installed.get(_normal(name), "") if version and not line.startswith((" ", "#")) else wanted
        if have != wanted:
            yield name, wanted, have


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def sampler() -> Finding:
    """The sampler and what compiles its models."""
    names = ("pymc", "nutpie", "numba")
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        return Finding("sampler", f"missing: {', '.join(missing)}", False, "run `make setup`")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    return Finding("sampler", versions, True)


def renderer() -> Finding:
    """Which renderer `render: auto` would take, and why."""
    from collabeval import render

    try:
        found = render.choose("auto")
    except CollabevalError as problem:
        return Finding("renderer", str(problem), False, "run `make setup`")
    missing = [name for name in ("pypandoc", "typst") if importlib.util.find_spec(name) is None]
    if found.name == "embedded" and missing:
        return Finding("renderer", f"missing: {', '.join(missing)}", False, "run `make setup`, or install Quarto")
    return Finding("renderer", f"{found.name} {found.version} ({found.why})", True)


def fonts() -> Finding:
    from collabeval.render.fonts import font_files

    try:
        files = list(font_files().values())
    except ModuleNotFoundError:
        files = []
    there = bool(files) and all(path.exists() for path in files)
    return Finding("fonts", "Source Sans Pro" if there else "Source Sans Pro is missing", there, "run `make setup`")


def cores() -> Finding:
    from collabeval.machine import processors as usable

    return Finding("cores", str(usable()), True)


def memory() -> Finding:
    """Memory of the machine, where the system tells."""
    try:
        found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, ValueError, OSError):
        return Finding("memory", "this system does not tell", True)
    return Finding(
        "memory", f"{found:.1f} GB", found >= MEMORY, f"large collaboratives need {MEMORY:g} GB", needed=False
    )


def disk(runs: Path) -> Finding:
    """Room where runs lie, and whether they can be written."""
    folder = runs.resolve()
    while not folder.exists():
        folder = folder.parent
    room = shutil.disk_usage(folder).free / 1e9
    if not os.access(folder, os.W_OK):
        return Finding("disk", f"{folder} cannot be written to", False, "run from a folder of your own")
    return Finding("disk", f"{room:.0f} GB free at {folder}", room >= ROOM, f"free {ROOM:g} GB, or run elsewhere")


def compiled_code() -> Finding:
    """Whether compiled models can be kept, which halves the time of a fit."""
    from collabeval.compile_cache import folder, size

    cache = folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache):
            pass
    except OSError as problem:
        fix = "set COLLABEVAL_CACHE to a folder that can be written to"
        return Finding("compiled code", f"cannot be kept: {problem}", False, fix)
    return Finding("compiled code", f"{size() / 1e6:.0f} MB kept in {cache}", True)


def transport() -> Finding:
    """How notebooks' kernels are spoken to; sockets of the file system where the system has them."""
    from collabeval.kernels import transport as chosen

    kind = chosen()
    state = "sockets in a folder of their own" if kind == "ipc" else "local network ports"
    return Finding("notebook kernels", state, True)

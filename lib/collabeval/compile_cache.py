"""Where compiled models are kept between runs."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from collabeval.errors import UsageError

COMPILED = ("laplace", "quadrature")  # packages with functions that numba compiles


def folder() -> Path:
    """`COLLABEVAL_CACHE`, or `collabeval` in the user's cache folder."""
    own = os.environ.get("COLLABEVAL_CACHE")
    if own:
        return Path(own).expanduser().absolute()
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "collabeval"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "collabeval"


def size() -> int:
    """Bytes of all that is kept; nothing is lost but time where the folder is deleted."""
    return sum(path.stat().st_size for path in folder().rglob("*") if path.is_file())


@contextmanager
def in_use() -> Iterator[Path]:
    """Import PyTensor inside this: it reads its settings from the environment once, when it is first imported.

    It keys compiled code by content but not by its own version, so each pair of versions has its own folder. No C++
    compiler is looked for: numba compiles everything, the same on a machine that has one. What the user says in
    PYTENSOR_FLAGS has precedence.
    """
    place = folder() / f"pytensor-{version('pytensor')}-numba-{version('numba')}"
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as reason:
        raise UsageError(f"cannot keep compiled models in {place}: {reason} → set COLLABEVAL_CACHE") from reason
    theirs = os.environ.get("PYTENSOR_FLAGS")
    os.environ["PYTENSOR_FLAGS"] = f"cxx='',base_compiledir={shlex.quote(str(place))},{theirs or ''}"
    try:
        yield place
    finally:
        if theirs is None:
            del os.environ["PYTENSOR_FLAGS"]
        else:
            os.environ["PYTENSOR_FLAGS"] = theirs


def of_numba() -> None:
    """Have numba keep here what it compiles of `COMPILED`; to be called before any function of theirs is defined.

    numba looks only at a function's own file for changes, not at those of the functions it calls, so each state of
    the sources that hold compiled functions, or what they hand each other, has a folder of its own. It is one for all:
    they call each other, and numba has one setting.
    """
    import numba

    files = [file for name in COMPILED for file in sorted((Path(__file__).parent / name).glob("*.py"))]
    texts = [file.read_bytes() for file in files]
    sources = hashlib.sha256(b"".join(text for text in texts if b"@compiled" in text or b"NamedTuple" in text))
    place = folder() / f"numba-{version('numba')}-{sources.hexdigest()[:12]}"
    settings: Any = numba.config
    settings.CACHE_DIR = str(place)

"""Where compiled models are kept between runs. Imported before PyTensor, which reads its settings once."""

from __future__ import annotations

import os
import shlex
from importlib.metadata import version
from pathlib import Path

from collabeval.errors import UsageError


def folder() -> Path:
    """`COLLABEVAL_CACHE`, or `collabeval` in the user's cache folder."""
    own = os.environ.get("COLLABEVAL_CACHE")
    if own:
        return Path(own).expanduser().absolute()
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "collabeval"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "collabeval"


def use() -> Path:
    """Point PyTensor at a folder of its version; what the user says in PYTENSOR_FLAGS has precedence.

    PyTensor keys compiled code by content but not by its own version, so each pair of versions has its own folder.
    No C++ compiler is looked for: everything is compiled by numba, the same on a machine that has one.
    """
    place = folder() / f"pytensor-{version('pytensor')}-numba-{version('numba')}"
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as reason:
        raise UsageError(f"cannot keep compiled models in {place}: {reason} → set COLLABEVAL_CACHE") from reason
    theirs = os.environ.get("PYTENSOR_FLAGS", "")
    os.environ["PYTENSOR_FLAGS"] = f"cxx='',base_compiledir={shlex.quote(str(place))}" + (theirs and f",{theirs}")
    return place

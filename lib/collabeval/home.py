"""The project folder: where `notebooks/` and `reports/` lie."""

from __future__ import annotations

import os
from pathlib import Path

from collabeval.errors import UsageError


def folder() -> Path:
    """`COLLABEVAL_HOME`, or else the folder of the editable install."""
    named = os.environ.get("COLLABEVAL_HOME")
    return Path(named).expanduser().resolve() if named else Path(__file__).resolve().parents[2]


def home() -> Path:
    """The project folder, sure to hold what a run needs.

    Raises
    ------
    UsageError
        Neither holds both `notebooks/` and `reports/`.
    """
    found = folder()
    missing = [name for name in ("notebooks", "reports") if not (found / name).is_dir()]
    if missing:
        raise UsageError(
            f"{found} has no folder {' and no folder '.join(missing)} → set COLLABEVAL_HOME to the project's folder, "
            "or install the project with `pip install -e .`"
        )
    return found

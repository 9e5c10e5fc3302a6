"""The project folder: where `notebooks/` and `reports/` lie."""

from __future__ import annotations

import os
from pathlib import Path

from collabeval.errors import UsageError


def home() -> Path:
    """Return `COLLABEVAL_HOME`, or else the folder of the editable install.

    Raises
    ------
    UsageError
        Neither holds both `notebooks/` and `reports/`.
    """
    named = os.environ.get("COLLABEVAL_HOME")
    folder = Path(named).expanduser().resolve() if named else Path(__file__).resolve().parents[2]
    missing = [name for name in ("notebooks", "reports") if not (folder / name).is_dir()]
    if missing:
        raise UsageError(
            f"{folder} has no folder {' and no folder '.join(missing)} → set COLLABEVAL_HOME to the project's folder, "
            "or install the project with `pip install -e .`"
        )
    return folder

"""Disclosure: everything shown to a reader passes through here (what may be shown, and under which name)."""

from __future__ import annotations

from pathlib import Path

from collabeval.disclosure.changes import Compared, PublishedChanges, publish_changes
from collabeval.disclosure.publish import publish
from collabeval.disclosure.suppress import suppress
from collabeval.disclosure.view import MeasureView, Published, Run
from collabeval.errors import UsageError

__all__ = [
    "Compared", "MeasureView", "Published", "PublishedChanges", "Run", "publish", "publish_changes",
    "refuse_public_folder", "suppress",
]  # fmt: skip


def refuse_public_folder(target: Path) -> None:
    """Refuse to write a report where it counts as published, until hidden counts are safe from differences too.

    Raises
    ------
    UsageError
        if `target` lies in a folder called ``published``.
    """
    if "published" in target.resolve().parts:
        raise UsageError(
            f"{target} lies in a `published` folder → only primary suppression exists in this version: a hidden count "
            "may still be worked out as a total less the counts that are shown → keep the report in `runs/`, or have "
            "someone check every table by hand before it leaves the building"
        )

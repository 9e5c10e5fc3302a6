"""How much of this machine may be used."""

from __future__ import annotations

import os


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cores() -> int:
    """What may run at once: COLLABEVAL_CORES, else the processors this process may use."""
    return int(os.environ.get("COLLABEVAL_CORES") or processors())

"""How much of this machine may be used."""

from __future__ import annotations

import os


def cores() -> int:
    """What may run at once: COLLABEVAL_CORES, else the processors this process may use."""
    return int(os.environ.get("COLLABEVAL_CORES") or os.process_cpu_count() or 1)

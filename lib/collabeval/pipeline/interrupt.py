"""Stopping a run by Ctrl-C or `kill`: kernels are stopped at once, and `run.json` can still say so."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Stopped:
    """Whether the user asked for the run to stop."""

    asked: bool = False


@contextmanager
def stoppable(stop: Callable[[], None]) -> Iterator[Stopped]:
    """While the block runs, SIGINT and SIGTERM call `stop` and raise KeyboardInterrupt in the main thread."""
    stopped = Stopped()

    def on_signal(number: int, frame: object) -> None:
        stopped.asked = True
        stop()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # signals can be caught in the main thread only
        yield stopped
        return
    kept = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)

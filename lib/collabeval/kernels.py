"""Kernels of the running interpreter: one for each notebook, started ahead of need, gone when it has ended."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SINGLE_THREAD = ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB_MAXIMUM", "NUMEXPR")

# What a kernel's process runs: the notebook's imports first (a cell that needs one that fails says so itself), then the
# kernel. The working folder is kept off the path meanwhile, as ipykernel's own launcher does.
LAUNCH = """
import contextlib, importlib, pathlib, sys
sys.path = [place for place in sys.path if place]
for name in {modules!r}:
    with contextlib.suppress(Exception):
        importlib.import_module(name)
pathlib.Path({ready!r}).touch()
from ipykernel import kernelapp
kernelapp.launch_new_instance()
"""


@dataclass(frozen=True)
class Kernel:
    """What a notebook's kernel is given: cores, where it stands, what it imports first, who hears what it prints."""

    cores: int = 1
    folder: Path = field(default_factory=Path.cwd)
    modules: Sequence[str] = ()
    tell: Callable[[str], None] | None = None


def transport() -> str:
    """How kernels are spoken to: through sockets in the file system where the system has them, else through ports."""
    import zmq

    return "ipc" if zmq.has("ipc") and os.name != "nt" else "tcp"


def environment(cores: int) -> dict[str, str]:
    """Environment of a kernel: one BLAS thread, fixed hash seed, its share of the cores."""
    return {
        **{f"{library}_NUM_THREADS": "1" for library in SINGLE_THREAD},
        "COLLABEVAL_CORES": str(cores),
        "NUMBA_NUM_THREADS": str(cores),
        "PYTHONHASHSEED": "0",
        "MPLBACKEND": "agg",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


class Started:
    """One started kernel, with the folder of its sockets."""

    def __init__(self, kernel: Kernel) -> None:
        from jupyter_client.kernelspec import KernelSpec
        from jupyter_client.manager import AsyncKernelManager
        from jupyter_core.utils import run_sync

        self.scratch = tempfile.TemporaryDirectory(prefix="collabeval-")
        self.ready = Path(self.scratch.name) / "ready"
        self.clients: list[Any] = []
        clients = self.clients

        class Manager(AsyncKernelManager):
            def client(self, **settings: Any) -> Any:
                clients.append(super().client(**settings))
                return clients[-1]

        self.manager: Any = Manager(connection_file=str(Path(self.scratch.name) / "kernel.json"))
        self.manager.transport = transport()
        code = LAUNCH.format(modules=tuple(kernel.modules), ready=str(self.ready))
        command = [sys.executable, "-c", code, "-f", "{connection_file}", "--HistoryManager.enabled=False"]
        self.manager._kernel_spec = KernelSpec(
            argv=command, display_name="Python 3", language="python", env=environment(kernel.cores)
        )
        run_sync(self.manager.start_kernel)(cwd=str(kernel.folder))

    @property
    def process(self) -> Any:
        return getattr(self.manager.provisioner, "process", None)

    def kill(self) -> None:
        """Kill the process only; whoever uses the kernel notices that it died."""
        if self.process is not None:
            self.process.kill()

    def close(self) -> None:
        """End the kernel and take its sockets away."""
        from jupyter_core.utils import run_sync

        for client in self.clients:  # papermill leaves the client of a kernel it did not start
            client.stop_channels()
        if self.manager.has_kernel:
            run_sync(self.manager.shutdown_kernel)(now=True)
        self.scratch.cleanup()


class Kernels:
    """All kernels of this process: those in use, and those started ahead."""

    def __init__(self) -> None:
        self.guard = threading.Lock()
        self.used: set[Started] = set()
        self.waiting: dict[str, Started] = {}
        self.coming: list[tuple[str, Kernel]] = []

    @contextmanager
    def ahead(self, coming: Sequence[tuple[str, Kernel]], most: int, at_once: int) -> Iterator[None]:
        """While the block runs, start the kernels that are coming: `at_once` together, `most` ahead of their use.

        A start takes one core for some seconds, mostly imports: they pass while other steps run. The first kernel is
        started before the block, so that its imports pass while the block loads what it needs itself.
        """
        with self.guard:
            self.coming = list(coming)
        if most:
            self._start_next()
            close_loop()
        stop = threading.Event()
        starter = threading.Thread(target=self._start_coming, args=(most, at_once, stop), daemon=True)
        starter.start()
        try:
            yield
        finally:
            stop.set()
            starter.join()
            with self.guard:
                left, self.waiting, self.coming = list(self.waiting.values()), {}, []
            for started in left:
                started.close()

    def keep(self, names: Collection[str]) -> None:
        """End and forget the kernels that turned out not to be needed."""
        with self.guard:
            self.coming = [row for row in self.coming if row[0] in names]
            needless = [self.waiting.pop(name) for name in list(self.waiting) if name not in names]
        for started in needless:
            started.close()

    def _start_coming(self, most: int, at_once: int, stop: threading.Event) -> None:
        while not stop.wait(0.05):
            with self.guard:
                starting = [
                    started for started in self.waiting.values() if not started.ready.exists() and alive(started)
                ]
                room = len(starting) < at_once and len(self.waiting) < most
            if room:
                self._start_next()
        close_loop()

    def _start_next(self) -> None:
        with self.guard:
            if self.coming:
                name, kernel = self.coming.pop(0)
                self.waiting[name] = Started(kernel)

    @contextmanager
    def use(self, name: str, kernel: Kernel) -> Iterator[Any]:
        """The kernel manager of a notebook's kernel: the one started ahead under this name, or a new one."""
        with self.guard:
            self.coming = [row for row in self.coming if row[0] != name]
            started = self.waiting.pop(name, None)
        started = started or Started(kernel)
        with self.guard:
            self.used.add(started)
        try:
            yield started.manager
        finally:
            with self.guard:
                self.used.discard(started)
            started.close()
            close_loop()

    def kill(self) -> None:
        """Kill every kernel: called when the user stops a run."""
        with self.guard:
            self.coming = []
            every = [*self.used, *self.waiting.values()]
        for started in every:
            started.kill()


def close_loop() -> None:
    """Close the event loop that speaking to a kernel left in this thread, which would complain when Python ends."""
    from jupyter_core.utils import ensure_event_loop

    ensure_event_loop().close()


def alive(started: Started) -> bool:
    """Whether the kernel's process still runs."""
    return started.process is not None and started.process.poll() is None


KERNELS = Kernels()

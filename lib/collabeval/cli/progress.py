"""How a run gets on, told on a terminal as it happens, or in plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from collabeval.pipeline.job import Step

# seconds a step takes on two cores when this run folder has no record of its own
TYPICAL = {
    "data": 4.0,
    "fit": 15.0,
    "performance": 5.0,
    "improvement": 5.0,
    "checks": 6.0,
    "report": 6.0,
    "render": 5.0,
}


class Pace:
    """What is still to do, and how long that should take by the last run's seconds."""

    def __init__(self, steps: Sequence[str], seconds: dict[str, float]) -> None:
        self.expected = {step: seconds.get(step, TYPICAL.get(step.split("-")[0], 5.0)) for step in steps}
        self.began: dict[str, float] = {}
        self.done: set[str] = set()

    def left(self) -> float:
        """Seconds still expected, were the rest to run one after another."""
        now = time.monotonic()
        spent = {step: now - began for step, began in self.began.items() if step not in self.done}
        return sum(
            max(expected - spent.get(step, 0.0), 0.0)
            for step, expected in self.expected.items()
            if step not in self.done
        )


def duration(seconds: float) -> str:
    """Seconds as a person says them: `45 s`, `2 min 5 s`."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


class PlainReporter:
    """One line when a step starts and one when it ends."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self.stream, self.guard = stream, threading.Lock()
        self.pace = Pace((), {})

    def say(self, line: str) -> None:
        with self.guard:
            print(line, file=self.stream, flush=True)

    def planned(self, due: Sequence[Step], every: Sequence[Step], seconds: dict[str, float]) -> None:
        names = [step.name for step in due]
        self.pace = Pace(names, seconds)
        if names:
            self.say(
                f"{len(names)} of {len(every)} steps to run, about {duration(self.pace.left())}: {', '.join(names)}"
            )

    def started(self, step: Step) -> None:
        self.pace.began[step.name] = time.monotonic()
        self.say(f"{step.what} …")

    def said(self, step: Step, words: str) -> None:
        if step.samples:
            self.say(f"  {words}")

    def finished(self, step: Step, seconds: float) -> None:
        self.pace.done.add(step.name)
        self.say(f"{step.what}: {seconds:.1f} s, about {duration(self.pace.left())} left")

    def __enter__(self) -> PlainReporter:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to put back."""


class TerminalReporter:
    """A line per running step with a spinner and its time, and one for the whole with the time left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self.progress: Progress = Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=Console(stderr=True),
        )
        self.lines: dict[str, TaskID] = {}
        self.pace = Pace((), {})
        self.stop = threading.Event()
        self.clock = threading.Thread(target=self.tick, daemon=True)

    def planned(self, due: Sequence[Step], every: Sequence[Step], seconds: dict[str, float]) -> None:
        self.pace = Pace([step.name for step in due], seconds)
        self.lines[""] = self.progress.add_task("All steps", total=max(sum(self.pace.expected.values()), 1e-9), left="")
        self.clock.start()

    def tick(self) -> None:
        """Move the bars on by the clock, as a step cannot say how far it is."""
        while not self.stop.wait(0.2):
            left = self.pace.left()
            whole = sum(self.pace.expected.values())
            self.progress.update(self.lines[""], completed=whole - left, left=f"about {duration(left)} left")
            for step, began in list(self.pace.began.items()):
                if step not in self.pace.done:
                    expected = self.pace.expected.get(step, 5.0)
                    share = min((time.monotonic() - began) / max(expected, 0.1), 0.98)
                    self.progress.update(self.lines[step], completed=share)

    def started(self, step: Step) -> None:
        self.lines[step.name] = self.progress.add_task(step.what, total=1.0, left="")
        self.pace.began[step.name] = time.monotonic()

    def said(self, step: Step, words: str) -> None:
        if step.samples:
            self.progress.update(self.lines[step.name], description=f"{step.what}: {words}")

    def finished(self, step: Step, seconds: float) -> None:
        self.pace.done.add(step.name)
        self.progress.update(self.lines[step.name], description=step.what, completed=1.0, left="")

    def __enter__(self) -> TerminalReporter:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.progress.stop()


def reporter() -> Any:
    """The reporter that suits where the messages go."""
    return TerminalReporter() if sys.stderr.isatty() else PlainReporter()

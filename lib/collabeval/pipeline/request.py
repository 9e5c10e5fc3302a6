"""What the user asked for, and the sole use of the run folder it stands for."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from collabeval import analysis_plan, narrative, params_file
from collabeval.command import Command
from collabeval.errors import UsageError
from collabeval.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from collabeval.params import Params
    from collabeval.params.portfolio import Portfolio
    from collabeval.pipeline.job import Job, Step
    from collabeval.pipeline.steps import Evaluation

STATE = ".state"  # folder of the run that holds what the pipeline remembers


@dataclass(frozen=True)
class Wanted[P: Params | Portfolio]:
    """What the user asked for, of an evaluation, a comparison or a portfolio."""

    file: Path
    overrides: tuple[str, ...] = ()
    jobs: int = 0  # 0: as many as there are cores
    keep_going: bool = False
    force: bool = False
    only: str = ""
    runs: Path = field(default_factory=lambda: Path("runs"))

    @property
    def words(self) -> tuple[str, ...]:
        """The command as it stands after `collabeval`, with options that decide what is run."""
        raise NotImplementedError

    @property
    def command(self) -> Command:
        """The command to give for the same results again."""
        return Command.given(self.words, self.file, self.overrides)

    def load(self) -> tuple[P, RunFolder]:
        """The resolved params and the folder their run lies in."""
        raise NotImplementedError

    def check(self, params: P) -> None:
        """Check what the user wrote beside params and data; nothing, unless there is something."""

    def keep_plan(self, params: P, run: RunFolder, today: str) -> None:
        """Note the analysis plan as of today (ISO date) in the run, where it has one."""

    def evaluation(self, params: P, run: RunFolder) -> Job:
        """What is to be run: its steps and what they share."""
        raise NotImplementedError


@dataclass(frozen=True)
class Request(Wanted["Params"]):
    """One evaluation, as the user asked for it."""

    @property
    def words(self) -> tuple[str, ...]:
        return ("run",)

    def evaluation(self, params: Params, run: RunFolder) -> Evaluation:
        from collabeval.pipeline.steps import Evaluation

        return Evaluation(params, run, self.command)

    def check(self, params: Params) -> None:
        narrative.check(params)

    def keep_plan(self, params: Params, run: RunFolder, today: str) -> None:
        analysis_plan.note(params, run, today)

    def load(self) -> tuple[Params, RunFolder]:
        params = params_file.load(self.file, self.overrides)
        return params, RunFolder(self.runs.resolve() / params.collaborative / params.edition)


@contextmanager
def sole_use(run: RunFolder) -> Iterator[None]:
    """Hold the run folder, so that two runs of it never mix; a killed run lets go of it by itself."""
    from filelock import FileLock, Timeout

    (run.path / STATE).mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(run.path / STATE / "lock", timeout=0):
            yield
    except Timeout:
        raise UsageError(f"another run of {run.path} is under way → wait for it, or stop it") from None


def upto(every: Sequence[Step], only: str) -> list[Step]:
    """The step asked for and every step before it that it needs; all steps if none is asked for.

    `fit` stands for the fits of all measures.
    """
    if not only:
        return list(every)
    wanted = [step for step in every if step.name == only or step.name.startswith(f"{only}-")]
    if not wanted:
        raise UsageError(f"unknown step {only!r} → one of {', '.join(step.name for step in every)}")
    chosen = {step.name for step in wanted}
    needed = {path for step in wanted for path in step.needs}
    for step in reversed(every):
        if needed & set(step.makes):
            chosen.add(step.name)
            needed |= set(step.needs)
    return [step for step in every if step.name in chosen]

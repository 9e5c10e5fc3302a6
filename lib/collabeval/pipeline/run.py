"""One evaluation from params to report: what must run is run, and `run.json` says so first and last."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from collabeval import params_file
from collabeval.errors import CollabevalError, StepError, UsageError
from collabeval.pipeline import status as told
from collabeval.pipeline.status import Status, StepRecord
from collabeval.pipeline.steps import STATE, Evaluation, Step, rendered, steps
from collabeval.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collabeval.params import Params
    from collabeval.pipeline.tasks import Verdict

PARTS = re.compile(r"^\.[\w.-]+-[a-z0-9_]{8}\.\w+$")  # what `written_whole` writes to before it moves a file into place


class Reporter(Protocol):
    """Who is told how a run gets on."""

    def planned(self, verdicts: Sequence[Verdict], steps: Sequence[Step], seconds: dict[str, float]) -> None: ...
    def started(self, step: Step) -> None: ...
    def cell(self, step: Step, number: int) -> None: ...
    def finished(self, step: Step, seconds: float) -> None: ...


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    file: Path
    overrides: tuple[str, ...] = ()
    jobs: int = 0  # 0: as many as there are cores
    keep_going: bool = False
    force: bool = False
    only: str = ""
    runs: Path = field(default_factory=lambda: Path("runs"))

    def load(self) -> tuple[Params, RunFolder]:
        """The resolved params and the folder their run lies in."""
        params = params_file.load(self.file, self.overrides)
        return params, RunFolder(self.runs.resolve() / params.collaborative / params.edition)


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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


class Run:
    """One call of `collabeval run` on one run folder."""

    def __init__(self, request: Request, reporter: Reporter) -> None:
        self.request, self.reporter = request, reporter
        self.params, self.run = request.load()
        self.began = time.perf_counter()
        self.told = told.read(self.run)
        self.status = Status(
            "running", self.params.collaborative, self.params.edition, self.params.title, self.params.sampling.seed,
            started=told.now(), versions=told.versions(),
        )  # fmt: skip

    def go(self) -> Status:
        """Run what must run and return the final status; nothing is written where nothing had to run.

        Raises
        ------
        CollabevalError
            A step failed; `run.json` then says `failed` and why.
        """
        from collabeval.pipeline import tasks

        with sole_use(self.run):
            every = steps(Evaluation(self.params, self.run))
            self.chosen = upto(every, self.request.only)
            verdicts = tasks.plan(self.run, self.chosen, self.request.force)
            due = [verdict for verdict in verdicts if verdict.outcome == "run"]
            if not due and self.is_finished():
                return self.unchanged()
            self.begin(verdicts)
            self.reporter.planned(due, self.chosen, told.earlier_seconds(self.told))
            jobs = min(self.request.jobs or cores(), cores())
            self.share = max(1, cores() // jobs), max(1, cores() // min(jobs, max(1, _samplers(due, self.chosen))))
            force, keep_going = self.request.force, self.request.keep_going
            done = tasks.execute(self.run, self.chosen, self.act, jobs, force, keep_going)
            return self.finish(done, complete=len(self.chosen) == len(every))

    def is_finished(self) -> bool:
        """Whether the last run reached its end and its report still lies there."""
        files = [self.run.path / name for name in self.told.get("report", [])]
        return self.told.get("status") in ("complete", "provisional") and all(file.exists() for file in files)

    def unchanged(self) -> Status:
        """The status of the last run: nothing had to run."""
        records = [StepRecord(**{**row, "state": "cached", "why": []}) for row in self.told["steps"]]
        return Status(**{**self.told, "steps": records})

    def begin(self, verdicts: Sequence[Verdict]) -> None:
        """Say `running`, empty `report/`, write the resolved params, clear what a killed run left half written."""
        seconds = told.earlier_seconds(self.told)
        self.status.steps = [
            StepRecord(verdict.step, "waiting" if verdict.outcome == "run" else "cached", seconds.get(verdict.step),
                       list(verdict.reasons)) for verdict in verdicts
        ]  # fmt: skip
        self.status.write(self.run)
        shutil.rmtree(self.run.report, ignore_errors=True)
        (self.run.path / "ro-crate-metadata.json").unlink(missing_ok=True)
        for part in self.run.path.glob("*/.*"):
            if part.is_file() and PARTS.match(part.name) and part.parent.name != STATE:
                part.unlink()
        params_file.write_resolved(self.params, self.run)

    def act(self, step: Step) -> None:
        """Run one step: its notebook on a kernel of its own, or the renderer."""
        from collabeval import execute

        self.reporter.started(step)
        record = self.record(step.name, "running")
        began = time.perf_counter()
        try:
            if step.source is None:
                self.render()
            else:
                self.clear(step)
                kernel = execute.Kernel(
                    self.share[step.compute], Path.cwd(), lambda cell: self.reporter.cell(step, cell)
                )
                execute.run_notebook(step.source, self.run.notebook(step.name), step.parameters, kernel)
            missing = [path.name for path in step.makes if not path.exists()]
            if missing:
                raise StepError(f"step {step.name} ended without making {', '.join(missing)}")
        except CollabevalError:
            record.state = "failed"
            raise
        record.seconds, record.state = round(time.perf_counter() - began, 2), "run"
        self.status.write(self.run)
        self.reporter.finished(step, record.seconds)

    def record(self, step: str, state: str) -> StepRecord:
        """The status record of a step, now in another state."""
        record = next(row for row in self.status.steps if row.step == step)
        record.state = state
        self.status.write(self.run)
        return record

    def clear(self, step: Step) -> None:
        """Empty the folders a step fills, so that no figure of an earlier run stays among those of this one."""
        for folder in (path for path in step.makes if not path.suffix):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)

    def render(self) -> None:
        """Render the executed report; its files wait in the run's state until the final status is known."""
        from collabeval import render

        renderer = render.choose(self.params.render)
        target = rendered(self.run)
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        work = self.run.path / STATE / "render"
        for file in render.render(self.run.notebook("report"), work, self.params.report.formats, renderer):
            file.replace(target / f"report{file.suffix}")

    def finish(self, verdicts: Sequence[Verdict], complete: bool) -> Status:
        """Settle the final status, put the report in its place, write the crate, and `run.json` last."""
        outcomes = {verdict.step: verdict for verdict in verdicts}
        for record in self.status.steps:
            record.state = outcomes[record.step].outcome if record.step in outcomes else "waiting"
        self.status.seconds, self.status.finished = round(time.perf_counter() - self.began, 2), told.now()
        errors = [verdict.error for verdict in verdicts if verdict.error]
        if errors:
            return self.fail(errors)
        if not complete:
            self.status.reasons = [f"only the steps up to {self.request.only} were asked for"]
            self.status.write(self.run)
            return self.status
        self.status.reasons = told.failed_checks(self.run)
        self.status.status = "provisional" if self.status.reasons else "complete"
        self.status.engines = told.engines(self.run, self.params.measures, self.status.reasons)
        self.place_report()
        self.status.write(self.run)
        return self.status

    def fail(self, errors: Sequence[BaseException]) -> Status:
        """Say `failed` with the reasons, then raise the first error."""
        self.status.status, self.status.reasons = "failed", [str(error) for error in errors]
        self.status.write(self.run)
        raise errors[0]

    def place_report(self) -> None:
        """Copy the rendered files into `report/`, as a draft where a blocking check failed."""
        draft = "DRAFT-" if self.status.status == "provisional" else ""
        self.run.report.mkdir(parents=True, exist_ok=True)
        for kind in self.params.report.formats:
            name = f"{draft}{self.params.collaborative}-{self.params.edition}.{kind}"
            shutil.copyfile(rendered(self.run) / f"report.{kind}", self.run.report / name)
            self.status.report.append(f"report/{name}")


def plan_of(request: Request) -> list[Verdict]:
    """What a run would do now, step by step, and why."""
    from collabeval.pipeline import tasks

    params, run = request.load()
    chosen = upto(steps(Evaluation(params, run)), request.only)
    if not run.path.exists():
        return [tasks.Verdict(step.name, "run", ("never run",)) for step in chosen]
    return tasks.plan(run, chosen, request.force)


def upto(every: Sequence[Step], only: str) -> list[Step]:
    """The step asked for and every step before it that it needs, or all steps."""
    if not only:
        return list(every)
    wanted = [step for step in every if step.name == only or step.name.startswith(f"{only}-")]
    if not wanted:
        raise UsageError(f"unknown step {only!r} → one of {', '.join(step.name for step in every)}")
    needed = {path for step in wanted for path in step.needs}
    chosen = set(map(id, wanted))
    for step in reversed(every):
        if needed & set(step.makes):
            chosen.add(id(step))
            needed |= set(step.needs)
    return [step for step in every if id(step) in chosen]


def _samplers(due: Sequence[Verdict], chosen: Sequence[Step]) -> int:
    names = {verdict.step for verdict in due}
    return sum(step.compute for step in chosen if step.name in names)

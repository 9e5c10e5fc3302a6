"""One evaluation from params to report: what must run is run, and `run.json` says so first and last."""

from __future__ import annotations

import contextlib
import importlib
import json
import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol

from collabeval.errors import StepError, StoppedError
from collabeval.kernels import KERNELS, Kernel
from collabeval.machine import processors as cores
from collabeval.pipeline import quick, tidy
from collabeval.pipeline import status as told
from collabeval.pipeline.interrupt import Stopped, stoppable
from collabeval.pipeline.job import Step, rendered
from collabeval.pipeline.keys import modules_named, python_of
from collabeval.pipeline.request import Wanted, sole_use, upto
from collabeval.pipeline.status import Status, StepRecord
from collabeval.run_folder import written_whole

if TYPE_CHECKING:
    from collabeval.params import Params
    from collabeval.params.portfolio import Portfolio
    from collabeval.pipeline.tasks import Verdict

# what running a notebook, and then the end of the run, load: loaded while pytask lays out the steps and kernels start
LATER = ("jupytext", "papermill", "pyarrow.parquet", "h5py", "rocrate.rocrate")
AHEAD = 3  # kernels started before their step; each holds some 200 MB


class Reporter(Protocol):
    """Who is told how a run gets on."""

    def planned(self, due: Sequence[Step], every: Sequence[Step], seconds: dict[str, float]) -> None: ...
    def started(self, step: Step) -> None: ...
    def said(self, step: Step, words: str) -> None: ...
    def finished(self, step: Step, seconds: float) -> None: ...


def load_ahead() -> None:
    """Import what will be needed; whoever needs a module that cannot be loaded says so."""
    for module in LATER:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)


def plan_of[P: Params | Portfolio](request: Wanted[P]) -> list[Verdict]:
    """What a run would do now, step by step, and why."""
    from collabeval.pipeline import tasks

    params, run = request.load()
    chosen = upto(request.evaluation(params, run).steps(), request.only)
    if not run.path.exists():
        return [tasks.Verdict(step.name, "run", ("it has not run yet",)) for step in chosen]
    with sole_use(run):
        return tasks.plan(run, chosen, request.force)


class Run[P: Params | Portfolio]:
    """One call of `collabeval run` (or `compare`, `portfolio`, where the request is one) on one run folder."""

    def __init__(self, request: Wanted[P], reporter: Reporter) -> None:
        self.request, self.reporter = request, reporter
        self.params, self.folder = request.load()
        self.request.check(self.params)
        self.began = time.perf_counter()
        self.told = told.read(self.folder)
        self.status = Status.first(self.params)
        self.noting = threading.Lock()

    def go(self) -> Status:
        """Run what must run and return the final status; nothing is written where nothing had to run.

        Raises
        ------
        CollabevalError
            A step failed; `run.json` then says `failed` and why.
        """
        with sole_use(self.folder):
            self.request.keep_plan(self.params, self.folder, told.now()[:10])
            self.evaluation = self.request.evaluation(self.params, self.folder)
            self.every = self.evaluation.steps()
            self.chosen = upto(self.every, self.request.only)
            doubtful = quick.changed(self.folder, self.chosen)
            if self.is_finished() and not doubtful and not self.request.force:
                return self.unchanged()
            self.share = self.shared_cores(doubtful)
            coming = [(step.name, self.kernel(step)) for step in doubtful if step.source]
            with stoppable(KERNELS.kill) as stopped, KERNELS.ahead(coming, AHEAD, cores()):
                return self.run_due(stopped)

    def run_due(self, stopped: Stopped) -> Status:
        """Ask pytask what must run, and run it."""
        from collabeval.pipeline import tasks

        force, keep_going = self.request.force, self.request.keep_going
        verdicts = tasks.plan(self.folder, self.chosen, force)
        names = {verdict.step for verdict in verdicts if verdict.outcome == "run"}
        KERNELS.keep(names)
        due = [step for step in self.chosen if step.name in names]
        if not due and self.is_finished():
            return self.unchanged()
        self.begin(verdicts)
        self.reporter.planned(due, self.chosen, told.earlier_seconds(self.told))
        threading.Thread(target=load_ahead).start()
        done = tasks.execute(self.folder, self.chosen, self.act, self.jobs, force, keep_going)
        if stopped.asked:
            self.fail([StoppedError("stopped before the end → run the same command again to go on from here")])
        return self.finish(done)

    @property
    def jobs(self) -> int:
        """How many steps may run at once: never more than there are cores."""
        return min(self.request.jobs or cores(), cores())

    def shared_cores(self, due: Sequence[Step]) -> dict[bool, int]:
        """Cores of a step that samples (True) and of one that does not: those running at once never have too many."""
        sampling = max(1, min(self.jobs, sum(step.samples for step in due)))
        return {True: max(1, cores() // sampling), False: max(1, cores() // self.jobs)}

    def is_finished(self) -> bool:
        """Whether the last run reached its end and its report still lies there."""
        files = [self.folder.path / name for name in self.told.get("report", [])]
        return self.told.get("status") in ("complete", "provisional") and all(file.exists() for file in files)

    def unchanged(self) -> Status:
        """The status of the last run: nothing had to run."""
        status = Status.of(self.told)
        for record in status.steps:
            record.state, record.why = "cached", []
        if len(self.chosen) == len(self.every):
            quick.remember(self.folder, self.every)
        return status

    def begin(self, verdicts: Sequence[Verdict]) -> None:
        """Say `running`, empty `report/`, write the resolved params, clear what a killed run left half written."""
        quick.forget(self.folder)
        seconds = told.earlier_seconds(self.told)
        self.status.steps = [
            StepRecord(verdict.step, "waiting" if verdict.outcome == "run" else "cached", seconds.get(verdict.step),
                       list(verdict.reasons)) for verdict in verdicts
        ]  # fmt: skip
        self.status.write(self.folder)
        shutil.rmtree(self.folder.report, ignore_errors=True)
        (self.folder.path / "ro-crate-metadata.json").unlink(missing_ok=True)
        tidy.clear(self.folder, {path for step in self.every for path in step.makes})
        self.evaluation.keep_inputs()

    def act(self, step: Step) -> None:
        """Run one step: its notebook on a kernel of its own, or the renderer."""
        from collabeval import execute

        self.reporter.started(step)
        self.record(step, "running")
        began = time.perf_counter()
        try:
            if step.source is None:
                self.render()
            else:
                self.empty_folders(step)
                execute.run_notebook(step.source, self.folder.notebook(step.name), step.parameters, self.kernel(step))
            missing = [path.name for path in step.makes if not path.exists()]
            if missing:
                raise StepError(f"step {step.name} ended without making {', '.join(missing)}")
        except Exception:
            self.record(step, "failed")
            raise
        seconds = round(time.perf_counter() - began, 2)
        self.record(step, "run", seconds)
        self.reporter.finished(step, seconds)

    def kernel(self, step: Step) -> Kernel:
        """What the step's kernel is given; it stands in the folder the command was called in."""
        modules = modules_named(python_of(step.source)) if step.source else []
        return Kernel(self.share[step.samples], Path.cwd(), modules, lambda words: self.reporter.said(step, words))

    def record(self, step: Step, state: str, seconds: float | None = None) -> None:
        """Note a step's state in `run.json`, for `status` to see and for the next run to know its seconds."""
        with self.noting:  # steps run side by side: without it an older state could be written over a newer one
            row = next(row for row in self.status.steps if row.step == step.name)
            row.state, row.seconds = state, row.seconds if seconds is None else seconds
            self.status.write(self.folder)

    def empty_folders(self, step: Step) -> None:
        """Empty the folders a step fills, so that no figure of an earlier run stays among those of this one."""
        for folder in (path for path in step.makes if not path.suffix):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)

    def render(self) -> None:
        """Render the executed report; its files wait in the run's state until the final status is known."""
        from collabeval import render

        target = rendered(self.folder)
        for name, formats in self.evaluation.documents.items():
            work = self.folder.path / ("quarto" if name == "report" else f"quarto-{name}")
            source = self.folder.notebook(name)
            made = render.render(source, self.folder.figures, target, formats, self.params.render, name, work)
        with written_whole(target / "renderer.json") as part:
            part.write_text(json.dumps({"name": made.renderer, "version": made.version}), encoding="utf-8")

    def finish(self, verdicts: Sequence[Verdict]) -> Status:
        """Settle the final status; a failure is written down and raised."""
        from collabeval.pipeline.settle import settle

        outcomes = {verdict.step: verdict for verdict in verdicts}
        for record in self.status.steps:
            record.state = outcomes[record.step].outcome if record.step in outcomes else "waiting"
        self.status.finished = told.now()
        errors = [verdict.error for verdict in verdicts if verdict.error]
        if errors:
            self.fail(errors)
        if len(self.chosen) < len(self.every):
            self.status.reasons = [f"only the steps up to {self.request.only} were asked for"]
        else:
            settle(self.evaluation, self.every, self.status)
            quick.remember(self.folder, self.every)
        self.status.seconds = round(time.perf_counter() - self.began, 2)
        self.status.write(self.folder)
        return self.status

    def fail(self, errors: Sequence[BaseException]) -> NoReturn:
        """Write down that the run failed and why, then raise the first error."""
        self.status.status, self.status.reasons = "failed", [str(error) for error in errors]
        self.status.finished, self.status.seconds = told.now(), round(time.perf_counter() - self.began, 2)
        for record in self.status.steps:
            record.state = "failed" if record.state == "running" else record.state
        self.status.write(self.folder)
        raise errors[0]

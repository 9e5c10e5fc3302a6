"""The steps as pytask tasks: pytask decides by content hashes what must run, and runs it in parallel."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytask
import pytask_parallel.execute as parallel
from _pytask import state as pytask_state
from pytask import PathNode, Session, TaskOutcome, TaskWithoutPath

from collabeval.pipeline.job import Step
from collabeval.pipeline.keys import digest_tree
from collabeval.pipeline.request import STATE
from collabeval.run_folder import RunFolder

SETTINGS = "[tool.pytask.ini_options]\n"  # marks the folder as pytask's root, so that its state lies in the run
POLL = 0.05  # seconds
IN_MEMORY = "sqlite://"

# pytask decides by its lockfile. The database it keeps besides, which nothing reads, is left empty: one transaction for
# each dependency of each step costs a second.
pytask_state.update_states_in_database = lambda session, task_signature: None

# pytask-parallel waits up to a second between looking for finished tasks, twice per step: some ten seconds of a
# run whose steps take one or two each.
parallel._Sleeper = partial(parallel._Sleeper, timings=[POLL])  # type: ignore[misc, assignment]


@dataclass(kw_only=True)
class KeyNode:
    """A thing outside the run, known by the digest it had when the run began."""

    name: str
    digest: str
    attributes: dict[Any, Any] = field(default_factory=dict)

    @property
    def signature(self) -> str:
        return hashlib.sha256(f"key {self.name}".encode()).hexdigest()

    def state(self) -> str:
        return self.digest

    def load(self, is_product: bool = False) -> str:
        return self.digest

    def save(self, value: Any) -> None:
        raise TypeError(f"{self.name} is not made by a step")


@dataclass(kw_only=True)
class FolderNode:
    """A folder that a step fills: its state is the content of all files in it."""

    name: str
    folder: Path
    attributes: dict[Any, Any] = field(default_factory=dict)

    @property
    def signature(self) -> str:
        return hashlib.sha256(f"folder {self.folder}".encode()).hexdigest()

    def state(self) -> str | None:
        return digest_tree(self.folder) if self.folder.is_dir() else None

    def load(self, is_product: bool = False) -> Path:
        return self.folder

    def save(self, value: Any) -> None:
        raise TypeError(f"{self.name} is filled by its step")


@dataclass(kw_only=True)
class StepTask(TaskWithoutPath):
    """A step as pytask knows it; what the step does is in its keys, so the task itself never changes."""

    def state(self) -> str:
        return "1"


@dataclass(frozen=True)
class Verdict:
    """What pytask did, or would do, about one step, and why."""

    step: str
    outcome: str  # run, cached, failed, waiting (a step before it failed)
    reasons: tuple[str, ...] = ()
    error: BaseException | None = None


OUTCOMES = {
    TaskOutcome.SUCCESS: "run",
    TaskOutcome.WOULD_BE_EXECUTED: "run",
    TaskOutcome.SKIP_UNCHANGED: "cached",
    TaskOutcome.FAIL: "failed",
    TaskOutcome.SKIP_PREVIOUS_FAILED: "waiting",
}


def plan(run: RunFolder, steps: Sequence[Step], force: bool = False) -> list[Verdict]:
    """Say for each step whether it would run, and what changed; nothing runs."""
    session = _build(run, steps, lambda step: None, force=force, dry_run=True, explain=True)
    return _verdicts(session, run)


def execute(
    run: RunFolder, steps: Sequence[Step], action: Callable[[Step], None], jobs: int, force: bool, keep_going: bool
) -> list[Verdict]:
    """Run every step that must run, up to `jobs` at once; after a failure go on only if `keep_going`."""
    settings = {"n_workers": jobs, "parallel_backend": "threads"} if jobs > 1 else {}
    session = _build(run, steps, action, force=force, stop_after_first_failure=not keep_going, **settings)
    return _verdicts(session, run)


def _build(run: RunFolder, steps: Sequence[Step], action: Callable[[Step], None], **settings: Any) -> Session:
    settings_file = run.path / STATE / "pyproject.toml"
    if not settings_file.exists():
        settings_file.parent.mkdir(parents=True, exist_ok=True)
        settings_file.write_text(SETTINGS, encoding="utf-8")
    pytask.console.quiet = True
    tasks = [_task(run, step, action) for step in steps]
    session = pytask.build(
        config=settings_file,
        tasks=tasks,
        capture="no",
        show_traceback=False,
        disable_warnings=True,
        database_url=IN_MEMORY,
        **settings,
    )
    if not session.execution_reports:
        problems = [report.exc_info[1] for report in session.collection_reports if report.exc_info]
        raise RuntimeError(f"pytask could not lay out the steps: {problems or session.exit_code}")
    return session


def _task(run: RunFolder, step: Step, action: Callable[[Step], None]) -> StepTask:
    def function(**_: Any) -> None:
        action(step)

    keys = [KeyNode(name=f"{step.name}: {name}", digest=digest) for name, digest in sorted(step.keys.items())]
    return StepTask(
        name=step.name,
        function=function,
        depends_on={"keys": keys, "files": [_node(run, path) for path in step.needs]},
        produces={"made": [_node(run, path) for path in step.makes]},
    )


def _node(run: RunFolder, path: Path) -> PathNode | FolderNode:
    name = path.relative_to(run.path).as_posix()
    return PathNode(name=name, path=path) if path.suffix else FolderNode(name=name, folder=path)


def _verdicts(session: Session, run: RunFolder) -> list[Verdict]:
    return [
        Verdict(
            report.task.name,
            OUTCOMES.get(report.outcome, "failed"),
            _reasons(report.task),
            report.exc_info[1] if report.exc_info and report.outcome is TaskOutcome.FAIL else None,
        )
        for report in session.execution_reports
    ]


def _reasons(task: Any) -> tuple[str, ...]:
    """Why a step would run, in words; a step that has never run needs only that said."""
    explanation = task.attributes.get("explanation")
    changes = list(explanation.reasons) if explanation else []
    if changes and all(change.reason in ("not_in_db", "missing") for change in changes):
        new = sum(change.reason == "not_in_db" for change in changes)
        if new > len(task.depends_on["keys"]):
            return ("it has not run yet",)
    return tuple(sorted(_reason(change, task.name) for change in changes if change.node_name != task.name))


def _reason(change: Any, step: str) -> str:
    name = change.node_name.removeprefix(f"{step}: ")
    said = {
        "cascade": f"{name} runs first",
        "forced": "asked for",
        "missing": f"{name} is missing",
        "not_in_db": f"{name} is new",
        "changed": f"{name} changed",
    }
    return said.get(change.reason, f"{name}: {change.reason}")

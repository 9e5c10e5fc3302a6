"""Steps that do not need each other run at the same time, and never on more cores than there are."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from collabeval.pipeline import Request, Run, tasks
from pipeline_stand_ins import ALL, Notebooks, Silent, evaluation_steps, run


def test_independent_steps_run_at_the_same_time(notebooks: Notebooks) -> None:
    together = threading.Barrier(2)

    def meet(step: str) -> None:
        if step.startswith("fit-"):
            together.wait(20)  # a single worker would break the barrier

    notebooks.seen = meet
    assert run(jobs=2) == ALL


def test_finished_steps_are_soon_noticed(monkeypatch: pytest.MonkeyPatch, notebooks: Notebooks) -> None:
    """pytask-parallel by itself waits longer and longer between looks, up to a second, and twice per step."""
    waited: list[float] = []
    sleep = type(tasks.parallel._Sleeper()).sleep

    def noted(sleeper: object) -> None:
        waited.append(sleeper.timings[sleeper.timing_idx])  # type: ignore[attr-defined]
        sleep(sleeper)  # type: ignore[arg-type]

    monkeypatch.setattr(type(tasks.parallel._Sleeper()), "sleep", noted)
    assert run(jobs=2) == ALL
    assert set(waited) == {tasks.POLL}


@pytest.mark.parametrize(("jobs", "due", "shares"), [(2, 1, (4, 2)), (2, 2, (2, 2)), (4, 3, (1, 1)), (1, 3, (4, 4))])
def test_steps_at_once_never_have_more_cores_than_there_are(
    jobs: int, due: int, shares: tuple[int, int], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collabeval.pipeline.run.cores", lambda: 4)
    this = Run(Request(Path("small.yml"), jobs=jobs), Silent())
    samplers = [step for step in evaluation_steps() if step.samples]
    share = this.shared_cores((samplers * 2)[:due])
    assert (share[True], share[False]) == shares
    assert share[True] * min(jobs, due) <= 4

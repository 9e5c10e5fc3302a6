"""`run`, `plan` and `status`: the commands that evaluate."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collabeval.cli.app import File, Json, Set, app

if TYPE_CHECKING:
    from collabeval.pipeline import Request
    from collabeval.pipeline.status import Status


def request_of(file: Path, overrides: list[str] | None, **settings: object) -> Request:
    from collabeval.pipeline import Request

    return Request(file, tuple(overrides or ()), **settings)  # type: ignore[arg-type]


def evaluate(request: Request) -> tuple[Status, Path]:
    """Run what is due, telling how it gets on; the final status, and the run's folder."""
    from collabeval.cli.progress import reporter
    from collabeval.pipeline import Run

    with reporter() as telling:
        this = Run(request, telling)
        return this.go(), this.folder.path


@app.command()
def run(
    file: File,
    overrides: Set = None,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=0, help="Steps at once; 0: as many as cores.")] = 0,
    keep_going: Annotated[bool, typer.Option(help="After a failure, run what does not depend on it.")] = False,
    force: Annotated[bool, typer.Option(help="Run every step, changed or not.")] = False,
    only: Annotated[str, typer.Option(metavar="STEP", help="Run this step and what it needs, then stop.")] = "",
    provisional_ok: Annotated[bool, typer.Option(help="End with 0 also when the result is provisional.")] = False,
    as_json: Json = False,
) -> None:
    """Evaluate: run what has changed, and end with the report in HTML and PDF."""
    request = request_of(file, overrides, jobs=jobs, keep_going=keep_going, force=force, only=only)
    status, folder = evaluate(request)
    if as_json:
        print(json.dumps(asdict(status), indent=2, ensure_ascii=False))
    else:
        say_status(status, folder)
    if status.status == "provisional" and not provisional_ok:
        raise typer.Exit(3)


@app.command()
def plan(file: File, overrides: Set = None, as_json: Json = False) -> None:
    """Say what `run` would run, and why; nothing runs."""
    from collabeval.pipeline import plan_of

    rows = plan_of(request_of(file, overrides))
    if as_json:
        print(json.dumps([{"step": row.step, "state": row.outcome, "why": row.reasons} for row in rows], indent=2))
        return
    for row in rows:
        print(f"{row.step:24} {'would run' if row.outcome == 'run' else 'up to date'}")
        for reason in row.reasons[:6]:
            print(f"    {reason}")
        if len(row.reasons) > 6:
            print(f"    … and {len(row.reasons) - 6} more")


@app.command()
def register(file: File, overrides: Set = None) -> None:
    """Store the analysis plan (measures, periods, rules, model) with its date, before there are results."""
    from collabeval import analysis_plan
    from collabeval.pipeline import status as told

    params, folder = request_of(file, overrides).load()
    entry = analysis_plan.register(params, told.now()[:10], folder.table("site_statements").exists())[-1]
    print(f"plan of {entry.day}, fingerprint {entry.fingerprint}: {analysis_plan.registered_file(params)}")
    if entry.after_results:
        print("note: this edition has results already, and the report will say so")


@app.command()
def status(file: File, overrides: Set = None, as_json: Json = False) -> None:
    """Say how the last run of this evaluation ended, and where its report lies."""
    from collabeval.pipeline import status as told

    _, folder = request_of(file, overrides).load()
    found = told.read(folder)
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    elif not found:
        print(f"not run yet: {folder.path} has no run.json")
    else:
        say_status(told.Status.of(found), folder.path)


def say_status(status: Status, folder: Path) -> None:
    """Say the status with its reasons, where the time went, and where the report lies."""
    print(f"{status.collaborative} {status.edition}: {status.status}")
    for reason in status.reasons:
        print(f"  {reason}")
    for advisory in status.advisories:
        print(f"  note: {advisory}")
    for record in status.steps:
        seconds = "" if record.seconds is None else f"{record.seconds:.1f} s"
        print(f"  {record.step:24}{seconds:>10}  {record.state}")
    if status.seconds is not None:
        print(f"  {'in all':24}{status.seconds:>8.1f} s")
    for name in status.report:
        print(folder / name)

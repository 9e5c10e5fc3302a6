"""`portfolio`: the collaboratives of one funder, each evaluated, then together."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from collabeval.cli.app import File, Json, Set, app
from collabeval.cli.evaluate import say_status

if TYPE_CHECKING:
    from collabeval.pipeline.run import Reporter
    from collabeval.portfolio_file import Outcome


@app.command()
def portfolio(
    file: File,
    overrides: Set = None,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=0, help="Steps at once; 0: as many as cores.")] = 0,
    force: Annotated[bool, typer.Option(help="Run every step, changed or not.")] = False,
    provisional_ok: Annotated[bool, typer.Option(help="End with 0 also when the result is provisional.")] = False,
    as_json: Json = False,
) -> None:
    """Evaluate all collaboratives of a funder, each by its own run, then together: one report and an index page."""
    from collabeval.cli.progress import reporter
    from collabeval.pipeline.portfolio import PortfolioRequest, evaluate_members, exit_code, together

    began = time.perf_counter()
    request = PortfolioRequest(file, tuple(overrides or ()), jobs=jobs, force=force)
    asked, _ = request.load()
    outcomes = evaluate_members(request, lambda name: _telling(name, list(asked.collaboratives), not as_json))
    if not as_json:
        say_outcomes(outcomes)
    with reporter() as telling:
        status, folder = together(request, telling)
    if as_json:
        found = {"status": asdict(status), "collaboratives": [asdict(outcome) for outcome in outcomes]}
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        say_status(status, folder.path)
        print(f"all collaboratives and the portfolio: {time.perf_counter() - began:.1f} s")
    code = exit_code(outcomes, status)
    if code and not (code == 3 and provisional_ok):
        raise typer.Exit(code)


@contextmanager
def _telling(name: str, names: list[str], aloud: bool) -> Iterator[Reporter]:
    """Tells how one collaborative's run gets on, under its name."""
    from collabeval.cli.progress import reporter

    if aloud:
        print(f"{name} ({names.index(name) + 1} of {len(names)})", flush=True)
    began = time.perf_counter()
    with reporter() as telling:
        yield telling
    if aloud:
        print(f"{name}: {time.perf_counter() - began:.1f} s", flush=True)


def say_outcomes(outcomes: list[Outcome]) -> None:
    """Say what became of each collaborative, with the reasons of those that are not complete."""
    for outcome in outcomes:
        print(f"{outcome.name:24} {outcome.status}{'' if outcome.status != 'failed' else ': left out'}")
        for reason in outcome.reasons:
            print(f"    {reason}")

"""`render`, `schema`, `doctor`, `provenance`: a report anew, and a look at how things stand."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from collabeval.cli.app import File, Json, Set, app
from collabeval.errors import UsageError


@app.command()
def render(
    file: File,
    overrides: Set = None,
    renderer: Annotated[str, typer.Option(help="auto, quarto or embedded, instead of what params say.")] = "",
    to: Annotated[Path | None, typer.Option(help="A folder to copy the report to as well.")] = None,
) -> None:
    """Write and render the report again from results that are up to date; never fits a model."""
    from collabeval.cli.evaluate import evaluate, request_of
    from collabeval.disclosure import refuse_public_folder
    from collabeval.pipeline import plan_of

    if to is not None:
        refuse_public_folder(to)
    settings = [*(overrides or ()), *([f"render={renderer}"] if renderer else ())]
    request = request_of(file, settings)
    stale = [row.step for row in plan_of(request) if row.outcome == "run" and row.step not in ("report", "render")]
    if stale:
        raise UsageError(f"the results are not up to date ({', '.join(stale)}) → collabeval run {file}")
    status, folder = evaluate(request)
    for name in status.report:
        lies = folder / name
        if to is not None:
            to.mkdir(parents=True, exist_ok=True)
            lies = Path(shutil.copy(lies, to))
        print(lies)
    if status.status == "provisional":
        raise typer.Exit(3)


@app.command()
def schema(
    write: Annotated[Path | None, typer.Option(help="Write it to this file instead of printing it.")] = None,
) -> None:
    """Print the JSON Schema of a params file, which lets an editor complete and check it."""
    from collabeval import params_file

    if write is None:
        print(json.dumps(params_file.schema(), indent=2, ensure_ascii=False))
    else:
        print(params_file.write_schema(write))


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say whether this machine can evaluate, what is missing, and how to get it."""
    from collabeval.doctor import examine

    findings = examine(Path("runs"))
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            mark = "ok" if finding.good else "MISSING" if finding.needed else "note"
            print(f"{mark:8}{finding.what:18}{finding.state}")
            if not finding.good and finding.fix:
                print(f"{'':26}→ {finding.fix}")
    if any(finding.needed and not finding.good for finding in findings):
        raise typer.Exit(1)


@app.command()
def provenance(file: File, overrides: Set = None, as_json: Json = False) -> None:
    """Say where the last report's numbers came from, and whether those files are still the same."""
    from collabeval import provenance as crate
    from collabeval.cli.evaluate import request_of

    _, folder = request_of(file, overrides).load()
    metadata = folder.path / crate.METADATA
    if not metadata.exists():
        raise UsageError(f"{metadata} is not there: no run of it has ended → collabeval run {file}")
    told, changed = crate.summary(folder), crate.changed(folder)
    if as_json:
        print(json.dumps({**told, "changed": changed}, indent=2, ensure_ascii=False))
    else:
        for name, value in told.items():
            print(f"{name:20} {value}" if isinstance(value, str) else "\n".join([name, *(f"  {row}" for row in value)]))
        print("\n".join(changed) or "every file is as it was when the run ended")
    if changed:
        raise typer.Exit(1)

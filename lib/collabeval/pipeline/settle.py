"""The end of a run: its final status, the report in its place, the crate."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from collabeval import provenance
from collabeval.pipeline import status as told
from collabeval.pipeline.job import Job, Step, rendered
from collabeval.pipeline.keys import digest_file, digest_tree
from collabeval.pipeline.status import Status
from collabeval.run_folder import RunFolder, written_whole


def settle(job: Job, steps: Sequence[Step], status: Status) -> None:
    """Decide between complete and provisional, place the report, write the crate, and `run.json` last of all."""
    run = job.run
    failed = told.failed_checks(run, job.checks)
    status.reasons = [check.said for check in failed]
    status.advisories = told.advisories(run, job.checks)
    status.status = "provisional" if failed else "complete"
    status.engines = told.engines(run, job.fits, {check.model for check in failed})
    status.renderer = json.loads((rendered(run) / "renderer.json").read_text(encoding="utf-8"))
    status.report = place_report(job, draft=bool(failed))
    write_workflow(run, steps)
    provenance.write(run, account(job, status))
    status.write(run)


def place_report(job: Job, draft: bool) -> list[str]:
    """Copy the rendered files into `report/`, named as drafts where a blocking check failed."""
    run = job.run
    run.report.mkdir(parents=True, exist_ok=True)
    placed = []
    for document, kinds in job.documents.items():
        for kind in kinds:
            name = f"{'DRAFT-' if draft else ''}{job.placed(document)}.{kind}"
            with written_whole(run.report / name) as part:
                shutil.copyfile(rendered(run) / f"{document}.{kind}", part)
            placed.append(f"report/{name}")
    return placed


def write_workflow(run: RunFolder, steps: Sequence[Step]) -> None:
    """Write the steps with the digest of everything they depend on: the workflow that the crate describes."""

    def inside(path: Path) -> str:
        return path.relative_to(run.path).as_posix()

    rows: list[dict[str, Any]] = [
        {
            "step": step.name,
            "notebook": step.source.name if step.source else None,
            "depends_on": dict(step.keys),
            "needs": [inside(path) for path in step.needs],
            "makes": [inside(path) for path in step.makes],
        }
        for step in steps
    ]
    with written_whole(run.path / provenance.WORKFLOW) as part:
        part.write_text(json.dumps({"steps": rows}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def account(job: Job, status: Status) -> provenance.Account:
    """What the crate says about the run beyond its files."""
    facts = {
        "seed": str(status.seed),
        "status": status.status,
        "code version": provenance.code_version(job.home),
        "code": digest_tree(Path(provenance.__file__).parent, ignore=("__pycache__",)),
        "requirements lock": job.lock,
        "renderer": f"{status.renderer['name']} {status.renderer['version']}",
    }
    own = {str(path): digest_file(path) for path in job.own_files}
    inputs = provenance.read_sources(job.run) | own
    return provenance.Account(
        status.title, status.status, status.started, status.finished, job.params.report.author,
        inputs, facts, status.versions,
    )  # fmt: skip

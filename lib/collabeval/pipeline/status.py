"""`run.json`: what a run says about itself, first of all and last of all."""

from __future__ import annotations

import json
import platform
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from collabeval import __version__
from collabeval.params import Params
from collabeval.params.portfolio import Portfolio
from collabeval.run_folder import RunFolder, written_whole

PACKAGES = ("pymc", "nutpie", "pytensor", "arviz", "numpy", "pandas", "papermill", "pytask")


@dataclass
class StepRecord:
    """How one step fared: `run`, `cached`, `failed`, `waiting` or `running`; seconds are of the time it last ran."""

    step: str
    state: str
    seconds: float | None = None
    why: list[str] = field(default_factory=list)


@dataclass
class Status:
    """The content of `run.json`."""

    status: str
    collaborative: str
    edition: str
    title: str
    seed: int
    reasons: list[str] = field(default_factory=list)
    advisories: list[str] = field(default_factory=list)
    started: str = ""
    finished: str = ""
    seconds: float | None = None
    steps: list[StepRecord] = field(default_factory=list)
    engines: dict[str, dict[str, Any]] = field(default_factory=dict)
    renderer: dict[str, str] = field(default_factory=dict)
    report: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)

    @classmethod
    def first(cls, params: Params | Portfolio) -> Status:
        """What is known when a run begins."""
        names = (params.collaborative, params.edition, params.title, params.sampling.seed)
        return cls("running", *names, started=now(), versions=versions())

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Status:
        """The status that a `run.json` tells."""
        return cls(**{**told, "steps": [StepRecord(**row) for row in told["steps"]]})

    def write(self, run: RunFolder) -> None:
        """Write `run.json`, whole or not at all."""
        with written_whole(run.status) as part:
            part.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read(run: RunFolder) -> dict[str, Any]:
    """What `run.json` says, or an empty mapping where there is none."""
    if not run.status.exists():
        return {}
    return dict(json.loads(run.status.read_text(encoding="utf-8")))


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Versions of this package, Python, and the packages that decide the numbers."""
    found = {"collabeval": __version__, "python": platform.python_version(), "platform": platform.platform()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


@dataclass(frozen=True)
class FailedCheck:
    """A check that did not pass: of which model, and in words."""

    model: str
    said: str


def failed_checks(run: RunFolder, tables: Iterable[str]) -> list[FailedCheck]:
    """The blocking checks in these results tables that did not pass; none means the run is complete."""
    return [
        FailedCheck(row["model"], f"{row['model']}: {_with_limit(row)}. {row['advice']}".rstrip(". "))
        for table in tables
        for row in _rows(run.table(table))
        if row["level"] == "blocking" and not row["passed"]
    ]


def _with_limit(row: Mapping[str, Any]) -> str:
    return f"{row['check']} is {_number(row['value'])}, limit {_number(row['limit'])}"


def advisories(run: RunFolder, tables: Iterable[str]) -> list[str]:
    """The advisory checks in these results tables that did not pass, in words."""
    return [
        f"{row['model']}: {row['check']}: {row['advice']}"
        for table in tables
        for row in _rows(run.table(table))
        if row["level"] == "advisory" and not row["passed"]
    ]


def _rows(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:  # `read_table` would load pandas, half a second for a few rows
        return list(file.read().to_pylist())


def _number(value: float | None) -> str:
    return "missing" if value is None else f"{value:.4g}"


def engines(run: RunFolder, measures: Iterable[str], failed: Collection[str]) -> dict[str, dict[str, Any]]:
    """Per measure, what its draws say about the engine, and whether its blocking checks passed.

    `failed` names the models (measures) of which a blocking check did not pass.
    """
    import h5py

    found = {}
    for measure in measures:
        with h5py.File(run.draws(measure)) as file:
            said = {name: _plain(file.attrs[name]) for name in file.attrs if not name.startswith("_")}
        found[measure] = {**said, "check": "failed" if measure in failed else "passed"}
    return found


def _plain(value: Any) -> Any:
    """An attribute as JSON can say it."""
    plain = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(plain, list) and len(plain) == 1:
        plain = plain[0]  # netCDF keeps a single number as a row of one
    return plain.decode() if isinstance(plain, bytes) else plain


def earlier_seconds(told: Mapping[str, Any]) -> dict[str, float]:
    """Seconds each step took the last time it ran, as `run.json` has it."""
    return {row["step"]: row["seconds"] for row in told.get("steps", []) if row.get("seconds") is not None}

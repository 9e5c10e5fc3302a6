"""The analysis plan: what params fix before the results, with its fingerprint and the day it was stored.

`collabeval register` keeps it in `plans/`, to be put under version control or sent to a registry before the data are
seen; a run keeps its own history in `analysis_plan.json`, so that a report can say what was changed after the results.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from collabeval.params import Params
from collabeval.run_folder import RunFolder, written_whole

BLOCKS = ("measures", "periods", "rules", "model")
WORDING = ("label", "unit", "events", "cases", "reviewed")  # of a measure: how it is spoken of
HOW = ("engine", "parametrisation")  # of the model: how it is fitted
FOLDER = Path("plans")


@dataclass(frozen=True)
class Entry:
    """A plan as it stood on a day (ISO date); `after_results`: results of this edition were there already."""

    day: str
    fingerprint: str
    plan: dict[str, Any]
    registered: bool
    after_results: bool


def plan_of(params: Params) -> dict[str, Any]:
    """Measures, periods, rules and model, but for wording and for how the model is fitted."""
    values = params.model_dump(mode="json", include=set(BLOCKS))
    values["measures"] = {
        code: {key: value for key, value in measure.items() if key not in WORDING}
        for code, measure in values["measures"].items()
    }
    values["model"] = {key: value for key, value in values["model"].items() if key not in HOW}
    return values


def fingerprint(plan: Mapping[str, Any]) -> str:
    """SHA-256 of a plan, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(plan, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What is another, by key: `rules.level: 0.975 → 0.95`."""
    old, new = dict(_flat(before)), dict(_flat(after))
    keys = sorted({key for key in {*old, *new} if old.get(key) != new.get(key)})
    return [f"{key}: {_said(old.get(key))} → {_said(new.get(key))}" for key in keys]


def registered_file(params: Params) -> Path:
    """Where `collabeval register` keeps the plan of an edition."""
    return FOLDER / f"{params.collaborative}-{params.edition}.json"


def history_file(run: RunFolder) -> Path:
    """Where a run keeps the history of its plan."""
    return run.path / "analysis_plan.json"


def read(path: Path) -> tuple[Entry, ...]:
    """The entries of a file, oldest first; none where there is no file."""
    return tuple(Entry(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))) if path.exists() else ()


def register(params: Params, today: str, results: bool) -> tuple[Entry, ...]:
    """Store the plan in `plans/`, unless it stands there as the last one; all entries of the file."""
    path = registered_file(params)
    return _stored(path, read(path), params, today, registered=True, results=results)


def note(params: Params, run: RunFolder, today: str) -> tuple[Entry, ...]:
    """Store the plan in a run, where it is new or another than the last one; a registered plan comes first."""
    path, results = history_file(run), run.table("site_statements").exists()
    known = read(path)
    if not known and not results:
        known = read(registered_file(params))
    return _stored(path, known, params, today, registered=False, results=results)


def _stored(
    path: Path, known: tuple[Entry, ...], params: Params, today: str, registered: bool, results: bool
) -> tuple[Entry, ...]:
    plan = plan_of(params)
    mark = fingerprint(plan)
    if not known or known[-1].fingerprint != mark:
        known = (*known, Entry(today, mark, plan, registered, results))
    if read(path) != known:
        with written_whole(path) as part:
            part.write_text(json.dumps([asdict(entry) for entry in known], indent=1, ensure_ascii=False) + "\n")
    return known


def _flat(values: Mapping[str, Any], place: str = "") -> list[tuple[str, Any]]:
    found = []
    for key, value in values.items():
        name = f"{place}.{key}" if place else str(key)
        found += _flat(value, name) if isinstance(value, dict) and value else [(name, value)]
    return found


def _said(value: Any) -> str:
    return "none" if value is None or value == {} else json.dumps(value, ensure_ascii=False).strip('"')

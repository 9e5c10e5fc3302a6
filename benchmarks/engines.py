"""Time both engines beside Stan, PyMC and bambi, each to the same goal, from process start to draws on disk.

    python -m benchmarks.engines                        # what is installed; New York's data only where --new-york says
    python -m benchmarks.engines --goal 1000 --limit 600 --repetitions 3 --new-york FOLDER

The goal: every reported quantity (benchmarks/goal.py) has so many effective draws, bulk and tail; R-hat at most 1.01.
An engine that falls short is run again with as many draws as its first run says are needed, and only runs that reach
the goal count. The first run of an engine has empty caches (`cold`), its first of each further case may compile another
model (`new`), the others are `warm`; engines take turns, so that a busy machine is busy for all. After each run it
writes docs/benchmarks.json, docs/benchmarks.md and
docs/pictures/benchmarks.svg; peers: benchmarks/peers.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from math import ceil
from pathlib import Path
from typing import Any

import psutil

from benchmarks import cases, engines_report, floor
from benchmarks.cases import ROOT, Case
from benchmarks.goal import precision
from benchmarks.one_fit import OWN
from collabeval.convergence import RHAT
from collabeval.machine import cores

PACKAGES = {"laplace": "numba", "nuts": "nutpie", "stan": "pystan", "pymc": "pymc", "bambi": "bambi"}
CASES: dict[str, Callable[[Path], Case]] = {
    "infant": lambda folder: cases.infant(),
    "demo": lambda folder: cases.surgical_demo(),
    "new_york": cases.new_york,
    "ten_measures": lambda folder: cases.ten_measures(),
    "patients": lambda folder: cases.patients(),
    "sites": lambda folder: cases.grown(4700),
    "collaboratives": lambda folder: cases.collaboratives(),
}
SITES = (75, 150, 300, 600, 1200)  # of 20 quarters
PERIODS = (10, 20, 40, 80)  # of 70 sites
MEASURES = (1, 2, 4, 8)  # of 70 sites and 20 quarters
FIRST_DRAWS = 1000  # a chain, for all but the fast engine
SPARE = 1.15  # more draws than the last run says would do
TRIES = 4
CHECKS = 0.25  # seconds between looks at what a run has used and holds


@dataclass(frozen=True)
class Record:
    """One run. Seconds on the wall and of all processors; MiB of all its processes; the worst quantity's precision."""

    case: str
    engine: str
    kind: str  # cold, new or warm
    effort: int  # draws a chain, or for the fast engine the effective draws asked for
    seed: int
    outcome: str  # finished, stopped (at the time limit) or failed
    wall: float
    processor: float
    memory: float | None  # none where the system does not tell
    effective: float | None = None
    rhat: float | None = None
    parts: dict[str, float] | None = None

    def suffices(self, goal: float) -> bool:
        """Whether the goal was reached."""
        return self.effective is not None and self.effective >= goal and not (self.rhat or 0.0) > RHAT


def run(case: Case, engine: str, effort: int, seed: int, cache: Path, kind: str, limit: float) -> Record:
    """One fit in a process of its own, stopped at `limit` seconds of processors."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        case.rows.to_parquet(folder / "rows.parquet")
        (folder / "params.json").write_text(_params(case, engine, effort, seed))
        wall, processor, memory, outcome = _timed(engine, folder, cache, limit)
        about = (case.name, engine, kind, effort, seed, outcome, round(wall, 2), round(processor, 2), memory)
        if outcome != "finished":
            return Record(*about)
        found, parts = precision(folder), json.loads((folder / "parts.json").read_text())
        return Record(*about, round(found.effective, 1), found.rhat if found.rhat == found.rhat else None,
                      {part: round(seconds, 2) for part, seconds in parts.items()})  # fmt: skip


def _params(case: Case, engine: str, effort: int, seed: int) -> str:
    name = "minimum_ess" if engine == "laplace" else "draws"
    sampling = case.params.sampling.model_copy(update={"seed": seed, name: effort})
    model = case.params.model.model_copy(update={"engine": engine if engine in OWN else "auto"})
    return case.params.model_copy(update={"sampling": sampling, "model": model}).model_dump_json()


def _timed(engine: str, folder: Path, cache: Path, limit: float) -> tuple[float, float, int | None, str]:
    """Wall and processor seconds, peak MiB, and how it ended."""
    paths = [str(ROOT / "lib"), str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "XDG_CACHE_HOME": str(cache)}
    environment["COLLABEVAL_CACHE"] = str(cache / "collabeval")
    if engine not in OWN:  # the package's engines say themselves where PyTensor keeps what it compiles
        environment["PYTENSOR_FLAGS"] = f"base_compiledir={cache / 'pytensor'}"
    command = [sys.executable, "-m", "benchmarks.one_fit", engine, str(folder)]
    with (folder / "log").open("w") as log:
        clock = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
        stopped, checks, memory = False, 0, None
        while True:
            memory = max((each for each in (peak(process.pid), memory) if each), default=None)
            done, status, usage = os.wait4(process.pid, os.WNOHANG)
            wall = time.perf_counter() - clock
            if done:
                break
            if wall > CHECKS * checks:
                checks += 1
                memory = max(held(process.pid), memory or 0)
                if processor_seconds(process.pid) > limit and not stopped:
                    os.killpg(process.pid, signal.SIGKILL)  # its own session: nothing else
                    stopped = True
            time.sleep(0.02)
    process.returncode = os.waitstatus_to_exitcode(status)
    outcome = "stopped" if stopped else "failed" if process.returncode else "finished"
    if outcome == "failed":
        print((folder / "log").read_text()[-2000:], flush=True)
    return wall, usage.ru_utime + usage.ru_stime, memory, outcome


def peak(number: int) -> int | None:
    """MiB that a process has held at most since it began; none once it has ended, or where there is no /proc.

    Not what `wait4` says: that begins with what the process held that started it.
    """
    status = Path(f"/proc/{number}/status")
    try:
        lines = status.read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return None
    held = next((line.split()[1] for line in lines if line.startswith("VmHWM")), None)
    return round(int(held) / 1024) if held else None


def held(number: int) -> int:
    """MiB that a process and those it started hold now; what they share counts for each of them."""
    try:
        first = psutil.Process(number)
        return sum(each.memory_info().rss for each in (first, *first.children(recursive=True))) >> 20
    except psutil.NoSuchProcess:  # one of them has just ended; asked again soon
        return 0


def processor_seconds(number: int) -> float:
    """What a process and those it started have used so far: a busy machine must not stop anyone."""
    try:
        first = psutil.Process(number)
        times = [each.cpu_times() for each in (first, *first.children(recursive=True))]
    except psutil.NoSuchProcess:  # one of them has just ended; asked again in a second
        return 0.0
    return sum(each.user + each.system for each in times) + times[0].children_user + times[0].children_system


def reach(case: Case, engine: str, goal: int, limit: float, cache: Path) -> Iterator[Record]:
    """A first run, cold or new, and warm ones with more draws until the goal is reached or out of reach."""
    effort = goal if engine == "laplace" else FIRST_DRAWS
    kind = "new" if cache.exists() else "cold"
    cache.mkdir(parents=True, exist_ok=True)
    last = run(case, engine, effort, case.params.sampling.seed, cache, kind, limit)
    yield last
    for attempt in range(1, TRIES):
        if last.effective is None or last.suffices(goal):
            break
        apart = ((last.rhat or 1.0) ** 2 - 1) / (RHAT**2 - 1)  # falls with the effective draws of a chain
        factor = max(SPARE, SPARE * goal / last.effective, SPARE * apart)
        if last.processor * factor > 2 * limit:
            break
        effort = ceil(effort * factor / 50) * 50
        seed = case.params.sampling.seed + attempt
        last = run(case, engine, effort, seed, cache, "warm", limit)
        yield last


def compare(
    case: Case, engines: Sequence[str], goal: int, limit: float, repetitions: int, caches: Path
) -> Iterator[Record]:
    """All engines on one case: what each needs first, then warm repetitions in turns."""
    efforts: dict[str, int] = {}
    for engine in engines:
        for record in reach(case, engine, goal, limit, caches / engine):
            yield record
            if record.suffices(goal):
                efforts[engine] = record.effort
    for repetition in range(repetitions):
        for engine, effort in efforts.items():
            seed = case.params.sampling.seed + 100 + repetition
            yield run(case, engine, effort, seed, caches / engine, "warm", limit)


def growth(grown: Sequence[Case], goal: int, limit: float, repetitions: int, cache: Path) -> Iterator[Record]:
    """The fast engine alone, warm, with ever more sites, periods and measures."""
    for repetition in range(repetitions):
        for case in grown:
            yield run(case, "laplace", goal, case.params.sampling.seed + repetition, cache, "warm", limit)


def told(record: Record) -> Record:
    """Say how a run went."""
    reached = f"{record.effective:,.0f} effective" if record.effective is not None else record.outcome
    held = "" if record.memory is None else f"{record.memory:7,.0f} MiB"
    print(f"{record.case:24} {record.engine:8} {record.kind} {record.effort:6d} {record.wall:8.1f} s "
          f"{record.processor:8.1f} s of processors {held}  {reached}", flush=True)  # fmt: skip
    return record


def installed() -> dict[str, str]:
    """Version of each engine's package that is here."""
    found = {}
    for engine, package in PACKAGES.items():
        try:
            found[engine] = f"{package} {version(package)}"
        except PackageNotFoundError:
            print(f"{engine}: {package} is not installed, left out → uv pip install -e '.[peers]'")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--goal", type=int, default=1000, help="effective draws of the worst quantity")
    parser.add_argument("--limit", type=float, default=600, help="processor seconds at which a run is stopped")
    parser.add_argument("--repetitions", type=int, default=3, help="warm runs after the goal was first reached")
    parser.add_argument("--new-york", type=Path, metavar="FOLDER")
    parser.add_argument("--caches", type=Path, help="compiled code kept between calls; engines found there start warm")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--compared", nargs="*", choices=CASES, default=list(CASES), help="cases with all engines; "
                        "of the others the fast engine alone")  # fmt: skip
    parser.add_argument("--engines", nargs="+", choices=PACKAGES, default=list(PACKAGES))
    parser.add_argument("--sites", nargs="*", type=int, default=list(SITES), help="of the curve of growth")
    parser.add_argument("--periods", nargs="*", type=int, default=list(PERIODS), help="the same")
    parser.add_argument("--measures", nargs="*", type=int, default=list(MEASURES), help="the same")
    options = parser.parse_args()
    versions = installed()
    engines = [engine for engine in options.engines if engine in versions]
    chosen = {name: CASES[name](options.new_york) for name in options.cases if name != "new_york" or options.new_york}
    grown = {
        "sites": {number: cases.grown(number) for number in options.sites},
        "periods": {number: cases.longer(number) for number in options.periods},
        "measures": {number: cases.more(number) for number in options.measures},
    }
    caches = options.caches or Path(tempfile.mkdtemp(prefix="benchmark-caches-"))
    settings = (options.goal, options.limit, options.repetitions)
    runs = [compare(case, engines if name in options.compared else ["laplace"], *settings, caches)
            for name, case in chosen.items()]  # fmt: skip
    growing = [case for of_kind in grown.values() for case in of_kind.values()]
    if "laplace" in engines:
        runs.append(growth(growing, *settings, caches / "laplace"))
    records: list[Record] = []
    for record in chain.from_iterable(runs):
        records.append(told(record))
        engines_report.write(_result(records, list(chosen.values()), grown, versions, options))
    if not options.caches:
        shutil.rmtree(caches)


def _result(
    records: Sequence[Record],
    chosen: Sequence[Case],
    grown: dict[str, dict[int, Case]],
    versions: dict[str, str],
    options: argparse.Namespace,
) -> dict[str, Any]:
    words = [word if not Path(word).is_dir() else "FOLDER" for word in sys.argv[1:]]
    load = [round(load, 1) for load in os.getloadavg()]
    return {
        "command": " ".join(["python -m benchmarks.engines", *words]),
        "machine": {
            "cores": cores(),
            "python": platform.python_version(),
            "system": platform.system(),
            "load": load,
        },
        "goal": options.goal,
        "limit": options.limit,
        "versions": versions,
        "cases": {case.name: {"words": case.words, "size": case.size, "cells": len(case.rows)} for case in chosen},
        "growth": {
            kind: {
                str(number): {"case": case.name, "cells": len(case.rows), "measures": len(case.measures)}
                for number, case in of_kind.items()
            }
            for kind, of_kind in grown.items()
        },
        "seconds_per_cell": floor.seconds_per_cell(),
        "runs": [asdict(record) for record in records],
    }


if __name__ == "__main__":
    main()

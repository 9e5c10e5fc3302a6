"""Time whole evaluations, from the command to the finished report, and where the time goes.

    python benchmarks/run.py                       # the shipped examples
    python benchmarks/run.py --only infant_cardiac_surgery
    python benchmarks/run.py --new-york FOLDER     # New York too, from the folder where its two CSVs lie

For each example, in folders of its own: `cold` (no compiled code cached), `warm` (compiled code cached, run folder
empty), `unchanged` (the same command again), `template` (one word of the report's template changed). Machines are
shared and noisy, so besides seconds it prints each as a ratio to the warm run of the same call. Writes
benchmarks/results.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ("infant_cardiac_surgery", "demo_surgical")
AIMS = {  # seconds on two cores, after set-up
    "infant_cardiac_surgery": {"cold": 60, "warm": 35, "unchanged": 3, "template": 10},
    "demo_surgical": {"cold": 300, "warm": 180},
    "ny_cabg": {"cold": 120, "warm": 60},
}


def lay_out(folder: Path) -> Path:
    """A project folder of its own: copies of what a run reads, so that nothing of the checkout is touched."""
    home = folder / "home"
    for name in ("notebooks", "reports", "params", "data"):
        shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("published"))
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, home / name)
    return home


def timed(home: Path, cache: Path, example: str, settings: list[str]) -> tuple[float, dict]:
    """Run one evaluation as a process of its own; seconds on the wall, and the run's own account of its steps."""
    command = [str(Path(sys.executable).with_name("collabeval")), "run", f"params/{example}.yml", *settings]
    environment = os.environ | {"COLLABEVAL_HOME": str(home), "COLLABEVAL_CACHE": str(cache)}
    clock = time.perf_counter()
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True)
    seconds = time.perf_counter() - clock
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout}{done.stderr}")
    account = next((home / "runs" / example).glob("*/run.json"))
    return seconds, json.loads(account.read_text())["steps"]


def measure(example: str, settings: list[str]) -> dict:
    """Cold, warm, unchanged and template-only runs of one example."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home, cache = lay_out(folder), folder / "cache"
        rows = {"cold": timed(home, cache, example, settings)}
        shutil.rmtree(home / "runs")
        rows["warm"] = timed(home, cache, example, settings)
        rows["unchanged"] = timed(home, cache, example, settings)
        template = home / "reports" / "evaluation.qmd"
        template.write_text(template.read_text() + "\nOne more sentence in the template.\n")
        rows["template"] = timed(home, cache, example, settings)
    warm = rows["warm"][0]
    return {
        kind: {
            "seconds": round(seconds, 2),
            "ratio_to_warm": round(seconds / warm, 3),
            "aim_seconds": AIMS.get(example, {}).get(kind),
            "steps": steps,
        }
        for kind, (seconds, steps) in rows.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=EXAMPLES, action="append")
    parser.add_argument("--new-york", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    cases: dict[str, list[str]] = {example: [] for example in options.only or EXAMPLES}
    if options.new_york:
        files = {"sites": "sites.csv", "outcomes": "outcomes.csv"}
        cases["ny_cabg"] = [
            word for key, file in files.items() for word in ("--set", f"data.{key}={options.new_york.resolve() / file}")
        ]
    results = {}
    for example, settings in cases.items():
        results[example] = measure(example, settings)
        for kind, row in results[example].items():
            aim = f", aim {row['aim_seconds']} s" if row["aim_seconds"] else ""
            print(
                f"{example:24} {kind:10} {row['seconds']:7.1f} s  {row['ratio_to_warm']:6.3f} of warm{aim}", flush=True
            )
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system()}
    target = ROOT / "benchmarks" / "results.json"
    target.write_text(json.dumps({"machine": machine, "examples": results}, indent=1) + "\n")
    print(f"written: {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()

"""From the runs of engines.py to docs/benchmarks.json, docs/benchmarks.md and the figure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import engines_aims
from benchmarks.cases import ROOT
from benchmarks.engines_figure import draw, draw_growth
from collabeval.convergence import RHAT
from collabeval.plots.saving import save_svg

DOCS = ROOT / "docs"
WORDS = {
    "laplace": "`laplace`, the fast engine",
    "nuts": "`nuts`, nutpie on the package's forms",
    "stan": "Stan (pystan), textbook form",
    "pymc": "PyMC's own NUTS, textbook form",
    "bambi": "bambi: linear trend, no correlation",
}
Row = dict[str, Any]


def summaries(result: Row) -> list[Row]:
    """One row for each case and engine: medians of the runs that count, and how they compare with `laplace`."""
    rows = []
    for case in result["cases"]:
        runs = [run for run in result["runs"] if run["case"] == case]
        rows += [_summary(case, engine, [run for run in runs if run["engine"] == engine], result["goal"])
                 for engine in WORDS if any(run["engine"] == engine for run in runs)]  # fmt: skip
    fastest = {row["case"]: row for row in rows if row["engine"] == "laplace" and row["seconds"] is not None}
    for row in rows:
        base = fastest.get(row["case"])
        known = row["seconds"] is not None and base is not None
        row["wall_ratio"] = row["seconds"] / base["seconds"] if known and base else None
        row["processor_ratio"] = row["processor"] / base["processor"] if known and base else None
    return rows


def _summary(case: str, engine: str, runs: list[Row], goal: float) -> Row:
    cold = [run for run in runs if run["kind"] == "cold"]
    warm = [run for run in runs if run["kind"] == "warm" and run["effective"] is not None]
    enough = [run for run in warm if run["effort"] == max(each["effort"] for each in warm)]
    reached = [run for run in enough if run["effective"] >= goal and not (run["rhat"] or 0) > RHAT]
    best = max((run for run in runs if run["effective"] is not None), key=lambda run: run["effective"], default=None)
    counted = enough if enough and 2 * len(reached) >= len(enough) else []  # half of them may miss by chance, not more
    row: Row = {"case": case, "engine": engine, "runs": len(counted), "reached": len(reached)}
    for name, key in (("seconds", "wall"), ("processor", "processor"), ("memory", "memory"), ("effort", "effort"),
                      ("effective", "effective")):  # fmt: skip
        known = [run[key] for run in counted if run[key] is not None]
        row[name] = median(known) if known else None
    row["cold"] = cold[0]["wall"] if cold and cold[0]["outcome"] == "finished" else None
    row["first_reached"] = best is not None and best["effective"] >= goal and not (best["rhat"] or 0) > RHAT
    row["best"], row["outcome"] = best, runs[-1]["outcome"]
    row["longest"] = max(run["wall"] for run in runs)
    return row


def write(result: Row) -> None:
    """All three files."""
    result = result | {"summaries": summaries(result)}
    (DOCS / "benchmarks.json").write_text(json.dumps(result, indent=1) + "\n")
    (DOCS / "benchmarks.md").write_text(page(result))
    save_svg(draw(result), DOCS / "pictures" / "benchmarks.svg")
    if grown(result):
        save_svg(draw_growth(grown(result)), DOCS / "pictures" / "benchmarks_growth.svg")


def page(result: Row) -> str:
    """docs/benchmarks.md."""
    machine, goal = result["machine"], result["goal"]
    parts = [
        "# Benchmarks",
        f"Written by `{result['command']}`; do not edit. Every run is in `benchmarks.json`.",
        f"From the start of a process to draws on disk, until every reported quantity (all but the effects of single "
        f"cells) has at least {goal:,} effective draws, bulk and tail, and R-hat is at most 1.01. Medians of warm runs "
        f"(compiled code in its cache) in which engines took turns; `cold` is one run with empty caches. Draws are a "
        f"chain's, of four; for the fast engine they are the effective ones asked for. Memory: the most that "
        f"a run's processes held at once, looked at every quarter of a second, – where that was not measured. The "
        f"package's engines write more than the peers: replicates and log-likelihood of every cell.",
        f"{machine['cores']} cores, {machine['system']}, Python {machine['python']}; "
        f"{', '.join(result['versions'].values())}. The machine was shared (load {machine['load'][0]} at the end): "
        f"seconds are what they were, ratios within one run of the script are what can be compared, and those of "
        f"processor seconds vary least. Runs were stopped at {result['limit']:,.0f} processor "
        f"seconds.{_absent(result)}",
        "![Seconds to the same precision, by case and engine](pictures/benchmarks.svg)",
    ]
    for case, about in result["cases"].items():
        rows = [row for row in result["summaries"] if row["case"] == case]
        title = f"## {about['words'][0].upper()}{about['words'][1:]}, {about['size']} ({about['cells']:,} cells)"
        parts += [title, _table(rows)] if rows else []
    return "\n\n".join([*parts, *engines_aims.section(result), *_growth(grown(result))]) + "\n"


def _absent(result: Row) -> str:
    """Which engines this page says nothing of, as the command left them out."""
    absent = [words for engine, words in WORDS.items() if all(run["engine"] != engine for run in result["runs"])]
    return f" Not run here: {'; '.join(absent)}." if absent else ""


def grown(result: Row) -> list[Row]:
    """A row for each size of the fast engine's curve of growth: medians, and what the bare likelihood would take."""
    rows = []
    for kind, of_kind in result["growth"].items():
        for number, about in of_kind.items():
            runs = [run for run in result["runs"] if run["case"] == about["case"] and run["parts"]]
            if not runs:
                continue
            proposals = median(run["parts"]["proposals"] for run in runs)  # of all measures, each with its own cells
            least = proposals * about["cells"] / about["measures"] * result["seconds_per_cell"]
            medians = {name: median(run[name] for run in runs) for name in ("wall", "processor", "effective")}
            held = [run["memory"] for run in runs if run["memory"] is not None]
            medians["memory"] = median(held) if held else None
            rows.append({"kind": kind, "number": int(number), "cells": about["cells"], "proposals": proposals,
                         "fit": median(run["parts"]["fit"] for run in runs), "least": least, **medians})  # fmt: skip
    return rows


def _growth(rows: list[Row]) -> list[str]:
    if not rows:
        return []
    head = ("growing", "number", "cells", "wall, s", "of it fitting", "processors, s", "memory, MiB", "effective draws",
            "proposals", "bare likelihood, s", "processors to that")  # fmt: skip
    lines = [head, ("---", *["---:"] * (len(head) - 1))]
    for row in rows:
        numbers = (row["wall"], row["fit"], row["processor"], row["memory"], row["effective"])
        lines.append(
            (
                row["kind"],
                f"{row['number']:,}",
                f"{row['cells']:,}",
                *map(_number, numbers),
                f"{row['proposals']:,.0f}",
                _number(row["least"]),
                _number(row["processor"] / row["least"]),
            )
        )
    words = (
        "The fast engine alone, warm: 20 quarters of ever more hospitals, 70 hospitals over ever more quarters, ever "
        "more measures of 70 hospitals and 20 quarters, each with a fit of its own. The bare likelihood: one "
        "log-likelihood of every cell for every proposal, the floor of any engine that weighs as many."
    )
    return [
        "## Growth",
        words,
        "![Seconds and memory by size](pictures/benchmarks_growth.svg)",
        engines_aims.markdown(lines),
    ]


def _table(rows: Iterable[Row]) -> str:
    head = ("engine", "wall, s", "processors, s", "effective draws", "effective a processor s", "draws", "wall, ratio",
            "processors, ratio", "memory, MiB", "cold, s")  # fmt: skip
    lines = [head, ("---", *["---:"] * (len(head) - 1)), *(_cells(row) for row in rows)]
    return engines_aims.markdown(lines)


def _cells(row: Row) -> tuple[str, ...]:
    name, cold = WORDS[row["engine"]], _number(row["cold"])
    if row["seconds"] is None:
        return (name, *_best(row), cold)
    rate = row["effective"] / row["processor"]
    return (name, _number(row["seconds"]), _number(row["processor"]), _number(row["effective"]), _number(rate),
            f"{row['effort']:,.0f}", _number(row["wall_ratio"]), _number(row["processor_ratio"]),
            _number(row["memory"]), cold)  # fmt: skip


def _best(row: Row) -> tuple[str, ...]:
    """What an engine came to that did not reach the goal."""
    best = row["best"]
    if best is None:
        return (f"{row['outcome']} at {row['longest']:,.0f}", *["–"] * 7)
    rhat = f" (R-hat {best['rhat']:.3f})" if best["rhat"] and best["rhat"] > RHAT else ""
    words = "first run alone" if row["first_reached"] else "short of it"
    return (f"{_number(best['wall'])} ({words})", _number(best["processor"]), _number(best["effective"]) + rhat,
            _number(best["effective"] / best["processor"]), f"{best['effort']:,.0f}", "–", "–",
            _number(best["memory"]))  # fmt: skip


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def rewrite(path: Path = DOCS / "benchmarks.json") -> None:
    """Table and figure anew from runs that are there: `python -m benchmarks.engines_report`."""
    write(json.loads(path.read_text()))


if __name__ == "__main__":
    rewrite()

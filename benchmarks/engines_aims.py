"""What was aimed at, what was reached, by how much it was missed, and where the seconds go."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

Row = dict[str, Any]
GENERAL = ("stan", "pymc", "bambi")  # engines that a model is written down for


@dataclass(frozen=True)
class Aim:
    """Of the fast engine on two cores, warm: so many times as fast as the fastest of some engines, or in seconds."""

    case: str
    words: str
    against: tuple[str, ...] = ()
    times: float = 0.0
    seconds: float = 0.0


AIMS = (
    Aim("demo_surgical", "times as fast as the fastest of Stan, PyMC and bambi", GENERAL, times=200),
    Aim("demo_surgical", "times as fast as nutpie on the package's forms", ("nuts",), times=25),
    Aim("grown_4700", "seconds for 4,700 sites", seconds=10),
    Aim("patients", "seconds for 500,000 patients", seconds=5),
    Aim("collaboratives", "seconds for 100 collaboratives, three measures each", seconds=60),
)
WHY = """Where the seconds go, and what stands in the way:

- *Loading* is Python, pandas, numba and the check of params: of a fit of few seconds a large part.
- *Fitting* holds all that an evaluation keeps and the peers do not write: every cell's own effect, a replicate of it
  and its log-likelihood in each draw. With very many cells as few draws are kept as the goal allows
  (docs/decisions/0071), and what is proposed takes most of the time, about 0.3 µs for each cell and proposal.
- Several measures are fitted as many at once as there are cores, each in a process of its own, as a run does.
- Every reported number needs as many effective draws, bulk and tail: the worst decides how many proposals are weighed.
  Where few sites or events leave the spreads long tails that is several times as many as on the demo (Growth, below).
- The peers have their models compiled before the runs that count here, as has the fast engine; `cold` says the rest."""


def section(result: Row) -> list[str]:
    """Markdown of the aims whose cases were run; nothing where none was."""
    lines = [line for aim in AIMS if (line := _line(aim, result["summaries"]))]
    if not lines:
        return []
    head = ("case", "aim", "found", "of the aim")
    table = [head, ("---", "---", "---:", "---:"), *lines]
    parts = [("case", "loading, s", "fitting, s", "writing, s"), ("---", *["---:"] * 3), *_parts(result)]
    return ["## Aims", markdown(table), WHY, markdown(parts)]


def markdown(lines: list[tuple[str, ...]]) -> str:
    """A table, its head and the line below that among the lines."""
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _line(aim: Aim, rows: list[Row]) -> tuple[str, ...] | None:
    own = next((row for row in rows if row["case"] == aim.case and row["engine"] == "laplace"), None)
    if own is None:
        return None
    words = f"{aim.times:,.0f} {aim.words}" if aim.against else f"{aim.words}: {aim.seconds:,.0f}"
    if own["seconds"] is None:  # what falls short of the goal would take longer still
        return f"`{aim.case}`", words, f"{own['longest']:,.0f}, short of the goal", "missed"
    if not aim.against:
        return f"`{aim.case}`", words, f"{own['seconds']:,.1f}", _share(aim.seconds / own["seconds"])
    theirs = [row["seconds"] for row in rows
              if row["case"] == aim.case and row["engine"] in aim.against and row["seconds"] is not None]  # fmt: skip
    if not theirs:
        return f"`{aim.case}`", words, "no warm run of theirs came to the goal", "–"
    times = min(theirs) / own["seconds"]
    return f"`{aim.case}`", words, f"{times:,.1f}", _share(times / aim.times)


def _share(share: float) -> str:
    return "reached" if share >= 1 else f"missed: {share:.0%} of it"


def _parts(result: Row) -> list[tuple[str, ...]]:
    """Medians of the fast engine's warm runs of each case."""
    found = []
    for case in result["cases"]:
        own = [run for run in result["runs"] if run["case"] == case and run["engine"] == "laplace"]
        runs = [run["parts"] for run in own if run["kind"] == "warm" and run["parts"]]
        if runs:
            numbers = [median(run[name] for run in runs) for name in ("load", "fit", "save")]
            found.append((f"`{case}`", *(f"{number:,.1f}" for number in numbers)))
    return found

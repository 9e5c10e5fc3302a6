"""Provenance: what this report was made from, with what, and how to make it again."""

from __future__ import annotations

import platform
from importlib import metadata

import pandas as pd

from collabeval.disclosure.command import PublishedCommand
from collabeval.narrative import CHAPTERS
from collabeval.sections.report import Report, Section, blocks, text
from collabeval.statements import numbers

PACKAGES = ("collabeval", "pymc", "nutpie", "arviz", "numpy", "pandas", "matplotlib")
OUTSIDE = "The params file lies outside the project’s folder: write its path before its name."
WITHHELD = "For “…” put what was given there: it is kept with the run (command.json) and not printed."


def provenance(report: Report) -> Section:
    """The chapter: data, settings, versions, and the commands that repeat it."""
    return Section(
        blocks(
            "# Provenance {#sec-provenance}",
            _data(report),
            _versions(report),
            "## How to make it again",
            _again(report),
        )
    )


def _data(report: Report) -> str:
    published, params = report.published, report.published.params
    rows = [("Collaborative", params.collaborative), ("Edition", params.edition)]
    if published.fingerprint:
        rows.append(("Seed", str(params.sampling.seed)))
        rows.append(("Analysed rows, SHA-256", published.fingerprint))
    if params.data.note:
        rows.append(("Source", numbers.capital(params.data.note.removeprefix("Data: "))))
    if report.narrative:
        chapters = [numbers.lower_first(CHAPTERS[name]) for name in report.narrative]
        rows.append(("Written by the evaluator, not by rules", numbers.capital(numbers.listed(chapters))))
    table = report.table("provenance", pd.DataFrame(rows, columns=["What", "Value"]), "What this report was made from")
    return blocks(table, "" if published.fingerprint else text(_why_no_hashes()))


def _why_no_hashes() -> str:
    return (
        "The seed and the hashes of the data are kept with the run and not printed here: where counts are hidden or "
        "names "
        "coded, they would let anyone check a guess."
    )


def _versions(report: Report) -> str:
    rows = [("Python", platform.python_version())]
    rows += [(name, metadata.version(name)) for name in PACKAGES]
    table = pd.DataFrame(rows, columns=["Software", "Version"])
    return report.table("versions", table, "Software that made the numbers")


def _again(report: Report) -> str:
    intro = text(
        "The same data, params, seed and versions give the same numbers again. The run’s own folder, which is "
        "confidential, "
        "holds the resolved params, the analysed rows, the draws, every results table and the executed notebooks, "
        "and a "
        "description of all of them (ro-crate-metadata.json)."
    )
    return blocks(intro, again(report.published.command))


def again(command: PublishedCommand | None) -> str:
    """The command that made a report, as a block to copy; or why it does not stand there, and where to look."""
    if command is None:
        return text("The run kept no record of its command; its params lie in its folder (params.yml).")
    if not command.line:
        return text(
            "Its command is kept with the run (command.json) and not printed here: where counts are hidden or names "
            "coded, the name of a file or a setting could say more than this report may."
        )
    notes = [OUTSIDE] * command.outside + [WITHHELD] * command.withheld
    return blocks("In the project’s folder:", f"```sh\n{command.line}\n```", text(" ".join(notes)))

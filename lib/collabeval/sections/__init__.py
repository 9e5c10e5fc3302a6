"""Sections of the report, one file each; a cell of reports/evaluation.qmd calls one and shows what it returns."""

from __future__ import annotations

from pathlib import Path

from collabeval import params_file
from collabeval.disclosure import Run, publish
from collabeval.run_folder import RunFolder
from collabeval.sections.absent import absent
from collabeval.sections.deviance import positive_deviance
from collabeval.sections.diagnostics import diagnostics
from collabeval.sections.limits import limits
from collabeval.sections.measurement import measurement
from collabeval.sections.methods import methods
from collabeval.sections.outcomes import outcomes_over_time
from collabeval.sections.performance import site_performance
from collabeval.sections.provenance import provenance
from collabeval.sections.recommendations import recommend
from collabeval.sections.report import Report, from_published
from collabeval.sections.sensitivity import read_sensitivity
from collabeval.sections.summary import front_matter, kicker, summary

__all__ = [
    "absent",
    "diagnostics",
    "front_matter",
    "kicker",
    "limits",
    "measurement",
    "methods",
    "open_report",
    "outcomes_over_time",
    "positive_deviance",
    "provenance",
    "recommend",
    "site_performance",
    "summary",
]


RESULTS = (
    "site_estimates", "site_probabilities", "site_statements", "programme_estimates", "programme_trend", "funnel",
    "spc", "diagnostics",
)  # fmt: skip


def open_report(run_folder: str) -> Report:
    """Open a run for its report: its tables pass disclosure control here, and sections see nothing else."""
    run = RunFolder(Path(run_folder))
    params = params_file.read_resolved(run.params)
    return from_published(publish(_tables(run), params), run, read_sensitivity(run, params))


def _tables(run: RunFolder) -> Run:
    """The tables of a run, still confidential: they go from here to disclosure control and nowhere else."""
    return Run(
        sites=run.read(run.sites),
        panel=run.read(run.panel),
        quality=run.read(run.quality),
        **{name: run.read(run.table(name)) for name in RESULTS},
    )

"""Sections of the report, one file each; a cell of reports/evaluation.qmd calls one and shows what it returns."""

from __future__ import annotations

from pathlib import Path

from collabeval import command, further, params_file, threats
from collabeval.casemix import adjusted
from collabeval.comparison.basis import basis
from collabeval.disclosure import Compared, Run, publish, publish_changes
from collabeval.disclosure.codes import site_labels
from collabeval.narrative import check_hidden
from collabeval.params import Params
from collabeval.params.grid import with_grid
from collabeval.run_folder import RunFolder
from collabeval.sections.absent import absent
from collabeval.sections.comparison import ComparisonReport
from collabeval.sections.coordination import coordination
from collabeval.sections.deviance import positive_deviance
from collabeval.sections.diagnostics import diagnostics
from collabeval.sections.leadership import leadership
from collabeval.sections.levers import levers
from collabeval.sections.limits import limits
from collabeval.sections.measurement import measurement
from collabeval.sections.methods import methods
from collabeval.sections.outcomes import outcomes_over_time
from collabeval.sections.performance import site_performance
from collabeval.sections.profile import profile
from collabeval.sections.provenance import provenance
from collabeval.sections.recommendations import recommend
from collabeval.sections.report import Report, from_published
from collabeval.sections.summary import front_matter, kicker, summary
from collabeval.sections.value import burden_and_value

__all__ = [
    "absent",
    "burden_and_value",
    "coordination",
    "diagnostics",
    "front_matter",
    "kicker",
    "leadership",
    "levers",
    "limits",
    "measurement",
    "methods",
    "open_comparison",
    "open_report",
    "outcomes_over_time",
    "positive_deviance",
    "profile",
    "provenance",
    "recommend",
    "site_performance",
    "summary",
]


RESULTS = (
    "site_estimates", "site_probabilities", "site_statements", "programme_estimates", "programme_trend", "funnel",
    "spc", "diagnostics",
)  # fmt: skip
CASE_MIX = ("case_mix_calibration", "case_mix_deciles")


def open_report(run_folder: str) -> Report:
    """Open a run for its report: its tables pass disclosure control here, and sections see nothing else."""
    run = RunFolder(Path(run_folder))
    params = params_file.read_resolved(run.params)
    tables = _tables(run, params)
    _check_narrative(run, params, tables)
    return from_published(publish(tables, params), run, _sensitivity(run, params, tables))


def _check_narrative(run: RunFolder, params: Params, tables: Run) -> None:
    """A report with coded sites names none in the evaluator's words either."""
    if params.report.sites == "coded":
        labels = site_labels(tables.sites, tables.panel, params)
        names = {str(row["name"]).strip(): labels[str(row["site"])] for row in tables.sites.to_dict("records")
                 if isinstance(row.get("name"), str)}  # fmt: skip
        check_hidden(run.narrative, labels | names)


def open_comparison(run_folder: str) -> ComparisonReport:
    """Open a comparison of models for its report: what it found passes disclosure control here."""
    run = RunFolder(Path(run_folder))
    params = params_file.read_resolved(run.params)
    found, changes, checks = (run.read(run.table(name)) for name in ("alternatives", "changes", "diagnostics"))
    published = publish_changes(run.read(run.sites), run.read(run.panel), params, changes)
    return ComparisonReport(Compared(params, found, published), run, checks)


def _sensitivity(run: RunFolder, params: Params, tables: Run) -> Compared | None:
    """What the grid found, or None where it has not been run, or was run on other data, rules or another model."""
    folder = run.comparison("sensitivity")
    paths = [folder.table(name) for name in ("alternatives", "changes")]
    if not all(path.exists() for path in paths):
        return None
    found, changes = (run.read(path) for path in paths)
    if set(found["basis"]) != {basis(params, tables.panel)}:
        return None
    return Compared(with_grid(params), found, publish_changes(tables.sites, tables.panel, params, changes))


def _tables(run: RunFolder, params: Params) -> Run:
    """The tables of a run, still confidential: they go from here to disclosure control and nowhere else."""
    return Run(
        sites=run.read(run.sites),
        panel=run.read(run.panel),
        quality=run.read(run.quality),
        **{name: run.read(run.table(name)) for name in (*RESULTS, *(CASE_MIX if adjusted(params) else ()))},
        threats={name: run.read(run.table(name)) for name in threats.TABLES},
        further={name: run.read(run.table(name)) for name in further.results(params)},
        given={name: run.read(run.data_table(name)) for name in params.data.further},
        command=command.read(run),
    )

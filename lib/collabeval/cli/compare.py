"""`compare`: several models of the same data."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from collabeval.cli.app import File, Json, Set, app
from collabeval.cli.evaluate import evaluate, say_status

if TYPE_CHECKING:
    import pandas as pd

    from collabeval.sections.comparison import ComparisonReport


@app.command()
def compare(
    file: File,
    overrides: Set = None,
    sensitivity: Annotated[bool, typer.Option(help="Fit the grid of priors and likelihoods instead.")] = False,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=0, help="Steps at once; 0: as many as cores.")] = 0,
    force: Annotated[bool, typer.Option(help="Run every step, changed or not.")] = False,
    provisional_ok: Annotated[bool, typer.Option(help="End with 0 also when the result is provisional.")] = False,
    as_json: Json = False,
) -> None:
    """Fit the other models of `compare` in params: which predicts better, which words would change."""
    from collabeval.pipeline import CompareRequest
    from collabeval.sections import open_comparison

    request = CompareRequest(file, tuple(overrides or ()), jobs=jobs, force=force, sensitivity=sensitivity)
    status, folder = evaluate(request)
    report = open_comparison(str(folder))
    if as_json:
        found = {"status": asdict(status), "alternatives": _records(report.compared.alternatives),
                 "changes": _records(report.compared.published.changes),
                 "changes_not_named": report.compared.published.unnamed}  # fmt: skip
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        say_comparison(report)
        say_status(status, folder)
    if status.status == "provisional" and not provisional_ok:
        raise typer.Exit(3)


def _records(table: pd.DataFrame) -> list[dict[str, object]]:
    """Rows for JSON, which knows no NaN."""
    return list(json.loads(table.to_json(orient="records", double_precision=10)))


def say_comparison(report: ComparisonReport) -> None:
    """The finding, the words that would change, and each measure's models."""
    from rich.console import Console

    from collabeval.sections.comparison import prediction_table
    from collabeval.sections.sensitivity import changed_words_table, finding

    console, compared = Console(highlight=False), report.compared
    console.print(finding(compared, report.nouns))
    changes = changed_words_table(compared)
    if len(changes):
        console.print(_table(changes, "Words that would change"))
    for measure, rows in compared.alternatives.groupby("measure", sort=False):
        console.print(_table(prediction_table(rows), compared.params.measures[str(measure)].label))


def _table(table: pd.DataFrame, title: str) -> object:
    from rich.markup import escape
    from rich.table import Table

    shown = Table(*map(str, table.columns), title=escape(title), title_justify="left")
    for row in table.itertuples(index=False):
        shown.add_row(*(escape(str(cell)) for cell in row))
    return shown

"""`new`, `check`, `simulate`: from nothing to data that can be evaluated."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from collabeval.cli.app import File, Json, Set, app
from collabeval.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from collabeval.contract import Inputs
    from collabeval.params import Params

LENGTHS = ("none", "month", "quarter", "half", "year")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Short name of the collaborative: letters, digits, _, - and .")],
    edition: Annotated[str, typer.Option(help="Year or label of this edition; default: last year.")] = "",
    length: Annotated[str, typer.Option(help=f"Length of a period: {', '.join(LENGTHS)}.")] = "quarter",
    added: Annotated[
        str, typer.Option("--with", help="Further tables: indicators,survey or others of docs/data.md; or all.")
    ] = "",
) -> None:
    """Start a collaborative: a params file, and CSV and Excel templates for its data."""
    from collabeval.templates import write_templates
    from collabeval.templates.further import chosen

    if length not in LENGTHS[1:]:
        raise UsageError(f"--length {length} is not known → one of {', '.join(LENGTHS[1:])}")
    tables = chosen(added)
    for path in write_templates(name, Path("params"), Path("data") / name, edition, length, tables):  # type: ignore[arg-type]
        print(path)
    print(f"next: fill in data/{name}, then: collabeval check params/{name}.yml")


@app.command()
def check(file: File, overrides: Set = None, as_json: Json = False) -> None:
    """Check params, data and models of your own; only a case-mix is fitted, and nothing is written."""
    from collabeval import narrative, params_file
    from collabeval.casemix.adjust import adjust
    from collabeval.contract import read_inputs
    from collabeval.panel import build
    from collabeval.quality import check as check_quality

    params = params_file.load(file, overrides or ())
    narrative.check(params)
    inputs = read_inputs(params)
    outcomes = adjust(params, inputs.records, inputs.outcomes).outcomes
    panel = build(params, inputs.sites, outcomes)
    found = check_quality(params, inputs.sites, panel, outcomes)
    check_own_models(params, panel)
    warnings = found[(found["level"] == "warn") & ~found["passed"]].to_dict("records")
    if as_json:
        print(json.dumps({"usable": True, "log": inputs.log, "warnings": warnings}, indent=2, ensure_ascii=False))
        return
    say_inputs(inputs)
    for name, path in narrative.files(params).items():
        print(f"narrative of {narrative.CHAPTERS[name]}: {path}")
    for row in warnings:
        place = " ".join(filter(None, (row["measure"], row["site"], row["period"])))
        print(f"worth a look: {place}: {row['message']}")
    print(f"{file} can be evaluated: collabeval run {file}")


def check_own_models(params: Params, panel: pd.DataFrame) -> None:
    """Build every model of one's own that params name, `compare` included, on the data."""
    from collabeval.fit import check_own_model

    for model in (params.model, *params.compare.values()):
        for measure in model.functions:
            check_own_model(panel, measure, params.fitted_by(model))


def say_inputs(inputs: Inputs) -> None:
    """Say what was read, and what was read otherwise than as written."""
    for source in inputs.sources:
        print(f"read {source.path}")
    for line in inputs.log:
        print(f"note: {line}")
    print(f"{len(inputs.sites)} sites, {len(inputs.outcomes)} rows of outcomes")
    if inputs.further:
        counted = ", ".join(f"{len(rows):,} of {table}" for table, rows in inputs.further.items())
        print(f"rows of further tables: {counted}")
    for name, patterns in inputs.records.items():
        combinations = f"{len(patterns.covariates):,} combinations of covariates"
        print(f"{name}: {patterns.records:,} records, {combinations}, {len(patterns.cells):,} rows by site and period")


@app.command()
def simulate(
    folder: Annotated[Path, typer.Argument(help="Where sites.csv, outcomes.csv and truth.csv go.")],
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed, another collaborative.")] = None,
    sites: Annotated[int | None, typer.Option(min=2, help="How many sites, at most as many as the demo has.")] = None,
    quarters: Annotated[int | None, typer.Option(min=1, help="How many quarters.")] = None,
    complete: Annotated[bool, typer.Option(help="With every further table too; quarters in whole years.")] = False,
    portfolio: Annotated[bool, typer.Option(help="Ten such collaboratives of one funder, with their params.")] = False,
) -> None:
    """Make up the data of a collaborative of which the truth is known, to try things on."""
    from collabeval.run_folder import written_whole
    from collabeval.simulate import TOWNS

    if sites is not None and (sites > len(TOWNS) or portfolio):
        raise UsageError(f"--sites {sites} cannot be had → at most {len(TOWNS)}; with --portfolio leave it out")
    if (complete or portfolio) and quarters is not None and (quarters % 4 or quarters < 12):
        raise UsageError(f"--quarters {quarters} with every table → whole years, at least three: 12, 16, 20 …")
    asked = {"seed": seed, "sites": sites, "quarters": quarters}
    given = {name: value for name, value in asked.items() if value is not None}
    for name, text in simulated_files(folder, given, complete, portfolio).items():
        with written_whole(folder / name) as part:
            part.write_text(text, encoding="utf-8")
        print(folder / name)


def simulated_files(folder: Path, given: dict[str, int], complete: bool, portfolio: bool) -> dict[str, str]:
    """Text of every file to write, by its path below the folder."""
    from collabeval import simulate as made

    if not portfolio:
        return (made.demo_complete if complete else made.demo)(**given).files()
    place, seed = PurePosixPath(folder.as_posix()), given.get("seed", made.PORTFOLIO_SEED)
    return made.portfolio_files(made.portfolio(**given), place, seed)

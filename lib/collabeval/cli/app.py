"""The typer application, and what its commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from collabeval import __version__

EXIT_CODES = """
**Exit codes**: 0 complete · 1 failed · 2 something is wrong with params, data or usage · 3 provisional: a blocking
check failed, and the report is a draft that must not circulate.
"""

app = typer.Typer(
    name="collabeval",
    help="Evaluate a quality improvement collaborative: from one params file to a finished report.",
    epilog=EXIT_CODES,
    rich_markup_mode="markdown",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
)

File = Annotated[Path, typer.Argument(help="The params file, e.g. params/stroke.yml.", show_default=False)]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override one setting, e.g. --set sampling.seed=1. Repeatable."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for scripts.")]


def _version(asked: bool) -> None:
    if asked:
        print(f"collabeval {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Evaluate a quality improvement collaborative: from one params file to a finished report."""

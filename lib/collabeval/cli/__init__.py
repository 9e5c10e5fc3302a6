"""The command line: `collabeval new | check | run | plan | status | render | schema | doctor | provenance | simulate`.

Nothing heavy is imported before a command needs it, so that `--help` answers at once.
"""

from __future__ import annotations

import sys

from collabeval.cli.app import app
from collabeval.cli.failures import exit_code_of, say_error
from collabeval.errors import CollabevalError

from collabeval.cli import evaluate  # noqa: F401, I001  (its commands join the app)


def main() -> None:
    """Run the command line; an error the user can mend is said in plain words and ends with its exit code."""
    try:
        app()
    except CollabevalError as error:
        say_error(error)
        sys.exit(exit_code_of(error))
